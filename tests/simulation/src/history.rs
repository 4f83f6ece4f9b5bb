//! One deployment, and the processes that run in it: the real use cases over the models of their ports.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use delivery::{Handler, deliver};
use domain::connection::Connection;
use domain::life::Pace;
use domain::message::Message;
use domain::ports::{Clock, Delivery, Ledger, Partners, Randomness, Store};
use domain::warehouse::{RawWebhook, Warehouse};
use domain::{ConnectionId, Failure, OrderId, OrderKey, Token};
use forward_orders::{Circuits, ForwardOrders};
use jiff::Timestamp;
use operations::act::{Action, Hand};
use poll_orders::PollOrders;
use poll_shipments::PollShipments;
use receive_notices::{ReceiveNotices, Received};
use sweep::Sweep;
use sweep::reconcile::Asked;
use testkit::model::{Fate as ModelFate, ModelConnections, ModelLedger, ModelMappings, ModelNotes, World};
use write_tracking::WriteTracking;

use crate::build::{Build, Formats};
use crate::coverage::{Fault, Sometimes};
use crate::executor::{Process, SkewedClock, Time};
use crate::key::Key;
use crate::ledger::{NetLedger, Recent};
use crate::net::Net;
use crate::people::People;
use crate::queue::Queue;
use crate::rules::Rules;
use crate::site::Site;
use crate::watch::Watch;

/// Draws tokens from the world's dice.
pub(crate) struct WorldDice(pub(crate) Time);

impl Randomness for WorldDice {
    fn token(&self) -> Token {
        Token(self.0.below(u64::MAX))
    }
}

/// The two sides of every connection, as one process sees them.
pub(crate) struct Sides {
    sites: Arc<Vec<Site>>,
    /// The process, and the keys that it has read for each site.
    process: Process,
    keys: Vec<(Key, Key)>,
}

impl Sides {
    fn site(&self, connection: &Connection) -> Result<(&Site, &(Key, Key)), Failure> {
        let mut all = self.sites.iter().zip(&self.keys);
        let none = || Failure::permanent("open connection", "it has no partners");
        all.find(|(site, _)| site.connection.id == connection.id).ok_or_else(none)
    }
}

#[async_trait]
impl Partners for Sides {
    async fn store(&self, connection: &Connection) -> Result<Store, Failure> {
        let (site, (key, _)) = self.site(connection)?;
        Ok(site.cart.seen_by(self.process, key.clone()).store())
    }

    async fn warehouse(&self, connection: &Connection) -> Result<Arc<Warehouse>, Failure> {
        let (site, (_, key)) = self.site(connection)?;
        Ok(site.wms.with_key(key.clone()).warehouse())
    }
}

/// The models' world: reads may be stale, and what is read beside the ledger may be throttled.
struct Weather {
    watch: Watch,
    throttles: bool,
    recent: Recent,
}

#[async_trait]
impl World for Weather {
    async fn effect(&self, _: &'static str) -> ModelFate {
        if self.throttles && self.watch.strikes(Fault::LedgerThrottles) {
            return ModelFate::Fails(None);
        }
        ModelFate::Happens
    }

    fn choose(&self, _: &'static str, _: usize) -> usize {
        usize::from(self.recent.may_be_stale() && self.watch.strikes(Fault::StaleRead))
    }
}

/// Everything that one deployment has.
pub struct Deployment {
    /// Its connections.
    pub sites: Arc<Vec<Site>>,
    /// Its connections, behind their port.
    pub connections: Arc<ModelConnections>,
    /// Their mappings.
    pub mappings: Arc<ModelMappings>,
    /// The ledger's model.
    pub model: Arc<ModelLedger>,
    /// The queue of orders to forward.
    pub orders: Queue,
    /// The queue of tracking to post.
    pub shipments: Queue,
    /// The queue of the store's hints.
    pub hints: Queue,
    /// The way to everything.
    pub net: Net,
    /// The world's time.
    pub time: Time,
    /// How long things may take.
    pub pace: Pace,
    /// How two versions read each other's records, where there are two.
    pub(crate) formats: Option<Formats>,
    /// What was written just now, so that a read may not see it yet.
    pub(crate) recent: Recent,
    /// The webhooks that were answered 200.
    pub(crate) heard: Arc<Mutex<BTreeSet<u64>>>,
    /// What the processes have seen of the warehouses: two failures are enough here, so that outages are common.
    pub(crate) circuits: Arc<Circuits>,
    /// What is kept beside the ledger.
    pub(crate) notes: Arc<ModelNotes>,
    /// The people at work.
    pub(crate) people: People,
    dice: Arc<dyn Randomness>,
}

/// What a process runs; the number names its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Polls a store.
    PollOrders(usize),
    /// Polls a warehouse's shipments.
    PollShipments(usize),
    /// Sweeps a connection.
    Sweep(usize),
    /// Works off a batch of orders.
    Orders,
    /// Works off a batch of tracking.
    Shipments,
    /// Works off a batch of hints.
    Hints,
    /// Answers a webhook of a warehouse.
    Webhook {
        /// Whose.
        site: usize,
        /// Names the sending.
        id: u64,
        /// What it tells.
        body: Vec<u8>,
    },
    /// Answers a notification of a store: this order is new or changed.
    Notify(usize, OrderId),
    /// A person's command about an order.
    Act(usize, OrderId, Action),
    /// A person compares everything and has put right what can be.
    Reconcile(usize),
}

/// What everything in this world is held against.
fn rules_of(world: &Deployment) -> Rules {
    Rules { watch: world.net.watch().clone(), sites: world.sites.clone(), people: world.people.clone() }
}

/// What a process is like.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traits {
    /// By how much its clock is wrong, in milliseconds.
    pub(crate) skew: i64,
    /// Its version.
    pub(crate) build: Build,
    /// Has it read its secrets a while ago?
    pub(crate) old_keys: bool,
}

impl Deployment {
    /// A deployment of these connections.
    #[must_use]
    pub fn new(sites: Vec<Site>, net: Net, time: Time) -> Self {
        let queue = || Queue::new(net.clone());
        let recent = Recent::default();
        let weather =
            |throttles| Arc::new(Weather { watch: net.watch().clone(), throttles, recent: recent.clone() });
        let connections = Arc::new(ModelConnections::new(weather(true)));
        sites.iter().for_each(|site| connections.set(&site.connection));
        Self {
            sites: Arc::new(sites),
            connections,
            mappings: Arc::new(ModelMappings::new(weather(true))),
            model: Arc::new(ModelLedger::new(weather(false))),
            notes: Arc::new(ModelNotes::new(weather(true))),
            orders: queue(),
            shipments: queue(),
            hints: queue(),
            net,
            pace: Pace::default(),
            formats: None,
            recent: recent.clone(),
            heard: Arc::default(),
            circuits: Arc::new(Circuits::after(2)),
            people: People::default(),
            dice: Arc::new(WorldDice(time.clone())),
            time,
        }
    }

    /// The queues.
    #[must_use]
    pub fn queues(&self) -> [&Queue; 3] {
        [&self.orders, &self.shipments, &self.hints]
    }

    /// Starts a process.
    pub(crate) fn start(self: &Arc<Self>, process: Process, work: Work, traits: Traits) {
        self.net.note(|| format!("process {process} starts {work:?} {traits:?}"));
        self.time.spawn(process, Ports::new(self, process, traits).run(work));
    }
}

/// The ports of one process.
struct Ports {
    world: Arc<Deployment>,
    process: Process,
    build: Build,
    partners: Arc<dyn Partners>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
}

/// How long a process may run.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

impl Ports {
    fn new(world: &Arc<Deployment>, process: Process, traits: Traits) -> Self {
        let Traits { skew, build, old_keys } = traits;
        let keys = world.sites.iter().map(|site| match old_keys {
            true => (site.cart.lock.old_key(), site.wms.lock.old_key()),
            false => (site.cart.lock.key(), site.wms.lock.key()),
        });
        let ledger = NetLedger {
            model: world.model.clone(),
            net: world.net.clone(),
            rules: rules_of(world),
            process,
            build,
            formats: world.formats.clone(),
            recent: world.recent.clone(),
        };
        Self {
            partners: Arc::new(Sides { sites: world.sites.clone(), process, keys: keys.collect() }),
            ledger: Arc::new(ledger),
            clock: Arc::new(SkewedClock::new(world.time.clone(), skew)),
            build,
            process,
            world: world.clone(),
        }
    }

    /// A queue, as this process's version uses it.
    fn used(&self, queue: &Queue) -> Arc<Queue> {
        Arc::new(queue.used_by(self.build))
    }

    fn until(&self) -> Timestamp {
        domain::life::later(self.clock.now(), DEADLINE)
    }

    /// What the process does; its failures are its own affair, the ledger knows what is to be done.
    async fn run(self, work: Work) {
        match work {
            Work::PollOrders(site) => {
                let Some(connection) = self.connection(site) else { return };
                let poll = self.poll();
                drop(Box::pin(poll.poll(connection, self.until())).await);
            }
            Work::PollShipments(site) => {
                let Some(connection) = self.connection(site) else { return };
                let poll = self.poll_shipments();
                drop(Box::pin(poll.poll(connection, self.until())).await);
            }
            Work::Sweep(site) => {
                let Some(connection) = self.connection(site) else { return };
                let sweep = self.sweep();
                drop(Box::pin(sweep.sweep(connection, self.until())).await);
            }
            Work::Orders => Box::pin(self.batch(&self.used(&self.world.orders))).await,
            Work::Shipments => Box::pin(self.batch(&self.used(&self.world.shipments))).await,
            Work::Hints => Box::pin(self.batch(&self.used(&self.world.hints))).await,
            Work::Webhook { site, id, body } => {
                let Some(connection) = self.connection(site) else { return };
                let path = format!("/webhook/{}", connection.id);
                if self.receive(path, body.clone()).await {
                    rules_of(&self.world).answered(&self.world.model, site, &body);
                    self.world.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
                }
            }
            Work::Notify(site, order) => {
                let Some(connection) = self.connection(site) else { return };
                let path = format!("/notify/{}/secret", connection.id);
                self.receive(path, order.to_string().into_bytes()).await;
            }
            Work::Act(site, order, action) => {
                let Some(connection) = self.connection(site) else { return };
                let key = OrderKey::new(connection.id.clone(), order);
                if let Ok(acted) = Box::pin(self.hand().act(&key, &action)).await {
                    self.world.people.told(self.process, &action, &acted, self.world.net.watch());
                }
            }
            Work::Reconcile(site) => {
                let Some(connection) = self.connection(site) else { return };
                Box::pin(self.reconcile(connection)).await;
            }
        }
    }

    fn connection(&self, site: usize) -> Option<&Connection> {
        self.world.sites.get(site).map(|site| &site.connection)
    }

    fn poll(&self) -> PollOrders {
        PollOrders {
            connections: self.world.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            orders: self.used(&self.world.orders),
            clock: self.clock.clone(),
            dice: self.world.dice.clone(),
            pace: self.world.pace,
        }
    }

    fn forward(&self) -> ForwardOrders {
        ForwardOrders {
            connections: self.world.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            mappings: self.world.mappings.clone(),
            clock: self.clock.clone(),
            dice: self.world.dice.clone(),
            pace: self.world.pace,
            circuits: self.world.circuits.clone(),
        }
    }

    fn track(&self) -> WriteTracking {
        WriteTracking {
            connections: self.world.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            shipments: self.used(&self.world.shipments),
            clock: self.clock.clone(),
            dice: self.world.dice.clone(),
            pace: self.world.pace,
        }
    }

    fn poll_shipments(&self) -> PollShipments {
        PollShipments {
            connections: self.world.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            shipments: self.used(&self.world.shipments),
            clock: self.clock.clone(),
            dice: self.world.dice.clone(),
        }
    }

    fn sweep(&self) -> Sweep {
        Sweep {
            connections: self.world.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            mappings: self.world.mappings.clone(),
            orders: self.used(&self.world.orders),
            shipments: self.used(&self.world.shipments),
            clock: self.clock.clone(),
            dice: self.world.dice.clone(),
            pace: self.world.pace,
        }
    }

    fn hand(&self) -> Hand<'_> {
        Hand {
            connections: self.world.connections.as_ref(),
            partners: self.partners.as_ref(),
            ledger: self.ledger.as_ref(),
            mappings: self.world.mappings.as_ref(),
            clock: self.clock.as_ref(),
            dice: self.world.dice.as_ref(),
            by: "anna",
            note: "",
        }
    }

    /// As `cartdock reconcile --fix` does it.
    async fn reconcile(&self, connection: &Connection) {
        let (use_case, since) = (self.sweep().reconcile(self.world.notes.clone()), Timestamp::MIN);
        let asked = Asked { since, thorough: true, fix: true, until: self.until() };
        let mut sofar = use_case.begin(connection, since);
        let compared = use_case.go_on(connection, asked, &mut sofar, &|_, _| {}).await;
        if compared.is_ok() && sofar.after.is_none() && sofar.listed > 0 {
            self.world.net.watch().sometimes(Sometimes::Compared);
        }
    }

    async fn batch(&self, queue: &Queue) {
        let deliveries = queue.take();
        let failed = deliver(self, queue, self.clock.as_ref(), deliveries.clone(), DEADLINE).await;
        let handled: Vec<_> =
            deliveries.into_iter().filter(|delivery| !failed.contains(&delivery.id)).collect();
        let unreadable = |delivery: &&Delivery| Message::decode(&delivery.body).is_err();
        let poison: Vec<&Delivery> = handled.iter().filter(unreadable).collect();
        for unburied in poison.iter().filter(|delivery| !queue.has_buried(&delivery.body)) {
            let line = format!("I6 silent: {} was deleted without a dead letter", unburied.body);
            self.world.net.watch().wrong(line);
        }
        if !poison.is_empty() && poison.len() < handled.len() {
            self.world.net.watch().sometimes(Sometimes::PoisonAlone);
        }
        queue.done(&handled);
    }

    /// Answers a request. True: with 200.
    async fn receive(&self, path: String, body: Vec<u8>) -> bool {
        let notices = ReceiveNotices {
            connections: self.world.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            shipments: self.used(&self.world.shipments),
            hints: self.used(&self.world.hints),
            clock: self.clock.clone(),
            dice: self.world.dice.clone(),
        };
        let webhook = RawWebhook { headers: Vec::new(), path_rest: String::new(), body };
        let request = Received { method: "POST".to_owned(), path, webhook };
        let outcome = Box::pin(notices.receive(request)).await;
        outcome.reply.status == 200
    }
}

impl Ports {
    async fn follow(&self, connection: &ConnectionId, token: &str) -> Result<(), Failure> {
        let order: Option<OrderId> = token.parse().ok();
        let is_there = || {
            let known = |order| self.world.model.with(connection, |books| books.records.contains_key(&order));
            order.is_some_and(known)
        };
        let was_there = is_there();
        let done = self.poll().follow(connection, token).await;
        if !was_there && is_there() {
            self.world.net.watch().sometimes(Sometimes::Hinted);
        }
        done
    }
}

/// Which message goes to which use case. The futures are large, and each has a box of its own.
#[async_trait]
impl Handler for Ports {
    async fn handle(&self, message: Message, count: u32) -> Result<(), Failure> {
        match message {
            Message::Forward { connection, order } => {
                let (forward, key) = (self.forward(), OrderKey::new(connection, order));
                Box::pin(forward.forward(&key, count)).await
            }
            Message::Post { connection, order } => {
                let (track, key) = (self.track(), OrderKey::new(connection, order));
                Box::pin(track.post(&key, count)).await
            }
            Message::Reread { connection, reference } => {
                let track = self.track();
                Box::pin(track.reread(&connection, &reference)).await
            }
            Message::Hint { connection, token } => Box::pin(self.follow(&connection, &token)).await,
        }
    }
}
