//! One connection with everything around it: the scene of a test of a use case.

use std::sync::Arc;
use std::time::Duration;

use domain::connection::Connection;
use domain::life::{Pace, later};
use domain::ports::{Clock, Mappings};
use domain::record::{Record, Stage};
use domain::{OrderId, OrderKey};
use jiff::Timestamp;

use super::{
    Class, ModelConnections, ModelLedger, ModelMappings, ModelNotes, ModelPartners, ModelQueue, ModelStore,
    ModelWarehouse, Script,
};
use crate::build;
use crate::clock::ManualClock;
use crate::dice::Dice;
use crate::run::run;

/// The name of the scene's connection.
const MAIN: &str = "main";

/// One connection, `main`, that is enabled and mapped, with all its ports. Its clock jumps: whoever sleeps has slept.
pub struct Scene {
    /// What becomes of each effect.
    pub script: Arc<Script>,
    /// The time.
    pub clock: Arc<ManualClock>,
    /// Names for writes.
    pub dice: Arc<Dice>,
    /// The connection as it was put in.
    pub connection: Connection,
    /// All connections.
    pub connections: Arc<ModelConnections>,
    /// Both sides of the connection.
    pub partners: Arc<ModelPartners>,
    /// The truth.
    pub ledger: Arc<ModelLedger>,
    /// What is noted beside the orders.
    pub notes: Arc<ModelNotes>,
    /// Shop words to warehouse words.
    pub mappings: Arc<ModelMappings>,
    /// The store.
    pub store: Arc<ModelStore>,
    /// The warehouse.
    pub warehouse: Arc<ModelWarehouse>,
    /// The queue of orders to forward.
    pub orders: Arc<ModelQueue>,
    /// The queue of tracking to post.
    pub shipments: Arc<ModelQueue>,
    /// The queue of the store's hints.
    pub hints: Arc<ModelQueue>,
    /// How long things may take.
    pub pace: Pace,
}

impl Scene {
    /// A scene with a warehouse of this class.
    #[must_use]
    pub fn new(class: Class) -> Self {
        Self::at(class, ManualClock::jumping(build::noon()))
    }

    /// A scene in which every effect gives way to others once, for futures that are joined. Its clock stands still
    /// until the test moves it.
    #[must_use]
    pub fn interleaved(class: Class) -> Self {
        let scene = Self::at(class, ManualClock::waiting(build::noon()));
        scene.script.interleaves();
        scene
    }

    fn at(class: Class, clock: ManualClock) -> Self {
        let script = Arc::new(Script::default());
        let clock = Arc::new(clock);
        let queue = || Arc::new(ModelQueue::new(script.clone(), clock.clone(), Duration::from_secs(120), 5));
        let scene = Self {
            connection: build::connection(MAIN),
            connections: Arc::new(ModelConnections::new(script.clone())),
            partners: Arc::new(ModelPartners::new(script.clone())),
            ledger: Arc::new(ModelLedger::new(script.clone())),
            notes: Arc::new(ModelNotes::new(script.clone())),
            mappings: Arc::new(ModelMappings::new(script.clone())),
            store: Arc::new(ModelStore::new(script.clone(), clock.clone())),
            warehouse: Arc::new(ModelWarehouse::new(script.clone(), clock.clone(), class)),
            orders: queue(),
            shipments: queue(),
            hints: queue(),
            dice: Arc::new(Dice::new(1)),
            pace: Pace::default(),
            script,
            clock,
        };
        let id = &scene.connection.id;
        scene.connections.set(&scene.connection);
        scene.partners.join(id, scene.store.clone(), scene.warehouse.clone());
        scene.mappings.set(id, &mapping(1), &build::change("first"));
        scene
    }

    /// Changes the connection.
    pub fn reconnect(&mut self, act: impl FnOnce(&mut Connection)) {
        act(&mut self.connection);
        self.connections.set(&self.connection);
    }

    /// Replaces the mapping by the next version of what `act` makes of it.
    pub fn remap(&self, act: impl FnOnce(&mut domain::mapping::Mapping)) {
        let id = &self.connection.id;
        #[expect(clippy::expect_used, reason = "only tests call it")]
        let mut mapping = run(self.mappings.current(id)).expect("a model without a plan").as_ref().clone();
        mapping.version += 1;
        act(&mut mapping);
        self.mappings.set(id, &mapping, &build::change("another"));
    }

    /// The key of one of its orders.
    #[must_use]
    pub fn key(&self, order: u64) -> OrderKey {
        OrderKey::new(self.connection.id.clone(), OrderId(order))
    }

    /// The record of an order.
    ///
    /// # Panics
    /// When the ledger does not have it.
    #[must_use]
    #[expect(clippy::expect_used, reason = "only tests call it")]
    pub fn record(&self, order: u64) -> Record {
        self.ledger.record(&self.key(order)).expect("it is in the ledger")
    }

    /// The stage of an order.
    ///
    /// # Panics
    /// When the ledger does not have it.
    #[must_use]
    pub fn stage(&self, order: u64) -> Stage {
        self.record(order).stage
    }

    /// Puts a record into the ledger as it is, with a date and the sample body.
    pub fn keep(&self, record: &Record) {
        let (order, end) = (record.key.order, later(self.clock.now(), Duration::from_secs(90 * 86_400)));
        self.ledger.with(&record.key.connection, |books| {
            books.put(record);
            books.dates.entry(record.wake.unwrap_or(Timestamp::MIN)).or_default().insert(order);
            books.bodies.insert(order, (build::order(order.0), end));
        });
    }

    /// An order that the store has, and that has come into the ledger ready to be sent.
    pub fn ready(&self, order: u64) -> OrderKey {
        let key = self.key(order);
        self.store.place(build::order(order));
        let mut record = build::ready(&key, order);
        (record.since, record.imported_at) = (self.clock.now(), self.clock.now());
        record.wake = Some(later(self.clock.now(), self.pace.grace));
        self.keep(&record);
        key
    }

    /// Takes a step with an order, past all fates.
    ///
    /// # Panics
    /// When it is not allowed.
    #[expect(clippy::expect_used, reason = "only tests call it")]
    pub fn step(&self, order: u64, step: domain::life::Step) -> Record {
        use domain::ports::Randomness;
        let stamp = domain::life::Stamp { by: "test", at: self.clock.now(), token: self.dice.token() };
        let next = self.record(order).step(step, stamp).expect("an allowed step");
        let key = next.key.clone();
        self.ledger.with(&key.connection, |books| {
            books.put(&next);
            books.expect(next.wake.unwrap_or(Timestamp::MIN), &[key.order]);
        });
        next
    }

    /// The instant so many seconds from now.
    #[must_use]
    pub fn seconds_from_now(&self, seconds: u64) -> Timestamp {
        later(self.clock.now(), Duration::from_secs(seconds))
    }

    /// Lets time pass.
    pub fn pass(&self, wait: Duration) {
        self.clock.advance(wait);
    }

    /// Lets all leases of attempts end.
    pub fn pass_lease(&self) {
        self.pass(self.pace.lease + Duration::from_secs(1));
    }
}

/// The sample mapping, which also knows the sample order's mug.
fn mapping(version: u64) -> domain::mapping::Mapping {
    use domain::mapping::{Component, Target};
    let mut mapping = build::mapping(version);
    let mug = Component { sku: build::warehouse_sku("WH-2001"), quantity: 1 };
    mapping.listings.insert(build::sku("MUG-BLUE-L"), Target::Ship(vec![mug]));
    mapping
}
