//! The deployment around the outage: shared queues and functions for all merchants, with the limits of the real one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use delivery::{Handler, deliver};
use domain::connection::{Connection, Schedule};
use domain::life::{Pace, later};
use domain::message::Message;
use domain::policy::Policies;
use domain::ports::{Clock, Partners, Store};
use domain::warehouse::Warehouse;
use domain::{ConnectionId, Failure, OrderKey};
use forward_orders::ForwardOrders;
use jiff::Timestamp;
use poll_orders::PollOrders;
use sweep::Sweep;
use testkit::build;
use testkit::model::{Kindly, ModelConnections, ModelLedger, ModelMappings};

use super::queue::LaneQueue;
use super::store::{Shop, instant};
use super::warehouse::House;
use crate::build::Build;
use crate::executor::{BEGINNING, Process, SkewedClock, Time};
use crate::history::WorldDice;
use crate::ledger::{NetLedger, Recent};
use crate::net::Net;
use crate::people::People;
use crate::rules::Rules;

/// Messages in hand at the same time at most: the maximum concurrency of the consumer, each with a batch of ten.
pub(super) const CONSUMERS: u32 = 5;

/// How long one invocation may take. Schedules fire every minute.
const TIME_LIMIT: Duration = Duration::from_secs(54);

/// How long a batch may take.
const BATCH_LIMIT: Duration = Duration::from_secs(108);

/// How long an environment of Lambda lives, in milliseconds.
const ENVIRONMENT: u64 = 3_600_000;

/// How long a consumer that found nothing waits, in milliseconds.
const IDLE: u64 = 250;

/// One merchant.
#[derive(Clone)]
pub(super) struct Merchant {
    pub(super) connection: Connection,
    pub(super) shop: Shop,
    pub(super) house: House,
}

impl Merchant {
    pub(super) fn new(id: ConnectionId, shop: Shop, house: House) -> Self {
        let start = Timestamp::from_second(BEGINNING - 3600).ok();
        let connection = Connection {
            id,
            enabled: true,
            policies: Policies { start, ..Policies::default() },
            // A minute between polls, and a short overlap: this store lists nothing late.
            schedule: Schedule { orders_minutes: 1, overlap_minutes: 10, ..Schedule::default() },
            ..build::connection("sim")
        };
        Self { connection, shop, house }
    }
}

/// Everything that all merchants share.
#[derive(Clone)]
pub(super) struct Deployment {
    pub(super) merchants: Arc<BTreeMap<ConnectionId, Merchant>>,
    connections: Arc<ModelConnections>,
    mappings: Arc<ModelMappings>,
    pub(super) model: Arc<ModelLedger>,
    pub(super) orders: LaneQueue,
    pub(super) shipments: LaneQueue,
    pub(super) net: Net,
    time: Time,
    pace: Pace,
}

/// The stores and warehouses as one process reaches them: each process has its own pace towards a warehouse.
struct Reach {
    merchants: Arc<BTreeMap<ConnectionId, Merchant>>,
    warehouses: Mutex<BTreeMap<ConnectionId, Arc<Warehouse>>>,
}

impl Reach {
    fn merchant(&self, id: &ConnectionId) -> Result<&Merchant, Failure> {
        self.merchants.get(id).ok_or_else(|| Failure::permanent("open connection", format!("no {id}")))
    }
}

#[async_trait]
impl Partners for Reach {
    async fn store(&self, connection: &Connection) -> Result<Store, Failure> {
        Ok(self.merchant(&connection.id)?.shop.port())
    }

    async fn warehouse(&self, connection: &Connection) -> Result<Arc<Warehouse>, Failure> {
        let house = &self.merchant(&connection.id)?.house;
        let mut known = self.warehouses.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known.entry(connection.id.clone()).or_insert_with(|| Arc::new(house.port())).clone())
    }
}

struct Forward(ForwardOrders);

#[async_trait]
impl Handler for Forward {
    async fn handle(&self, message: Message, count: u32) -> Result<(), Failure> {
        match message {
            Message::Forward { connection, order } => {
                self.0.forward(&OrderKey::new(connection, order), count).await
            }
            _ => Err(Failure::poison("handle message", "for another queue")),
        }
    }
}

impl Deployment {
    pub(super) fn new(merchants: Vec<Merchant>, net: Net, time: Time, fair: bool) -> Self {
        let kindly = || Arc::new(Kindly);
        let connections = Arc::new(ModelConnections::new(kindly()));
        let mappings = Arc::new(ModelMappings::new(kindly()));
        for merchant in &merchants {
            connections.set(&merchant.connection);
            mappings.set(&merchant.connection.id, &crate::scene::whole_mapping(1), &build::change("sim"));
        }
        let merchants = merchants.into_iter().map(|merchant| (merchant.connection.id.clone(), merchant));
        Self {
            merchants: Arc::new(merchants.collect()),
            connections,
            mappings,
            model: Arc::new(ModelLedger::new(kindly())),
            orders: LaneQueue::new(net.clone(), time.clone(), fair),
            shipments: LaneQueue::new(net.clone(), time.clone(), fair),
            net,
            time,
            pace: Pace::default(),
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SkewedClock::new(self.time.clone(), 0))
    }

    fn reach(&self) -> Arc<Reach> {
        Arc::new(Reach { merchants: self.merchants.clone(), warehouses: Mutex::default() })
    }

    fn ledger(&self) -> Arc<NetLedger> {
        let rules =
            Rules { watch: self.net.watch().clone(), sites: Arc::default(), people: People::default() };
        Arc::new(NetLedger {
            model: self.model.clone(),
            net: self.net.clone(),
            rules,
            process: 0,
            build: Build::default(),
            formats: None,
            recent: Recent::default(),
        })
    }

    fn poll(&self) -> PollOrders {
        PollOrders {
            connections: self.connections.clone(),
            partners: self.reach(),
            ledger: self.ledger(),
            orders: Arc::new(self.orders.clone()),
            clock: self.clock(),
            dice: Arc::new(WorldDice(self.time.clone())),
            pace: self.pace,
        }
    }

    fn sweep(&self) -> Sweep {
        Sweep {
            connections: self.connections.clone(),
            partners: self.reach(),
            ledger: self.ledger(),
            mappings: self.mappings.clone(),
            orders: Arc::new(self.orders.clone()),
            shipments: Arc::new(self.shipments.clone()),
            clock: self.clock(),
            dice: Arc::new(WorldDice(self.time.clone())),
            pace: self.pace,
        }
    }

    fn forward(&self) -> ForwardOrders {
        ForwardOrders {
            connections: self.connections.clone(),
            partners: self.reach(),
            ledger: self.ledger(),
            mappings: self.mappings.clone(),
            clock: self.clock(),
            dice: Arc::new(WorldDice(self.time.clone())),
            pace: self.pace,
            circuits: Arc::default(),
        }
    }

    /// The time of this world.
    pub(super) fn millis(&self) -> u64 {
        self.time.millis()
    }

    /// Has the sweep looked at everything that was due five minutes ago?
    pub(super) fn is_up_to_date(&self) -> bool {
        let while_ago = instant(self.time.millis().saturating_sub(300_000));
        let first = |id| self.model.with(id, |books| books.dates.keys().next().copied());
        self.merchants.keys().filter_map(first).all(|date| date > while_ago)
    }

    /// What fires every minute.
    pub(super) fn schedules(&self, process: Process) {
        let until = later(self.clock().now(), TIME_LIMIT);
        let (poll, sweep) = (self.poll(), self.sweep());
        self.time.spawn(process, async move { drop(poll.run(until).await) });
        self.time.spawn(process, async move {
            if let Ok(all) = sweep.connections.all().await {
                drop(sweep.run(all, until).await);
            }
        });
    }

    /// One place for a batch of messages of the queue of orders: an environment after the other.
    pub(super) fn consumer(&self, process: Process) {
        let me = self.clone();
        self.time.spawn(process, async move {
            loop {
                let end = me.time.millis() + ENVIRONMENT + me.time.below(ENVIRONMENT);
                let (handler, clock) = (Forward(me.forward()), me.clock());
                while me.time.millis() < end {
                    let taken = me.orders.take();
                    if taken.is_empty() {
                        me.time.pass(IDLE).await;
                        continue;
                    }
                    let failed =
                        deliver(&handler, &me.orders, clock.as_ref(), taken.clone(), BATCH_LIMIT).await;
                    me.orders.settle(&taken, &failed);
                }
            }
        });
    }
}
