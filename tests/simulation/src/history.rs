//! One history: a shop's day in a hostile world, decided by one seed, and judged at the end.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use delivery::{Handler, deliver};
use domain::connection::Connection;
use domain::life::Pace;
use domain::message::Message;
use domain::ports::{Clock, Connections, Ledger, Mappings, Partners, Randomness, Store};
use domain::warehouse::{RawWebhook, Warehouse};
use domain::{ConnectionId, Failure, OrderKey, Token};
use forward_orders::{Circuits, ForwardOrders};
use jiff::Timestamp;
use poll_orders::PollOrders;
use poll_shipments::PollShipments;
use receive_notices::{ReceiveNotices, Received};
use sweep::Sweep;
use testkit::model::{Kindly, ModelConnections, ModelLedger, ModelMappings};
use write_tracking::WriteTracking;

use crate::cart::Cart;
use crate::executor::{Process, SkewedClock, Time};
use crate::ledger::NetLedger;
use crate::net::Net;
use crate::queue::Queue;
use crate::wms::Wms;

/// Draws tokens from the world's dice.
pub(crate) struct WorldDice(pub(crate) Time);

impl Randomness for WorldDice {
    fn token(&self) -> Token {
        Token(self.0.below(u64::MAX))
    }
}

/// The two sides of the one connection.
pub(crate) struct Sides {
    pub(crate) cart: Cart,
    pub(crate) wms: Wms,
}

#[async_trait]
impl Partners for Sides {
    async fn store(&self, _: &Connection) -> Result<Store, Failure> {
        Ok(self.cart.store())
    }

    async fn warehouse(&self, _: &Connection) -> Result<Arc<Warehouse>, Failure> {
        Ok(self.wms.warehouse())
    }
}

/// Everything that one deployment has.
#[derive(Clone)]
pub(crate) struct Deployment {
    pub(crate) connection: Connection,
    pub(crate) connections: Arc<ModelConnections>,
    pub(crate) mappings: Arc<ModelMappings>,
    pub(crate) model: Arc<ModelLedger>,
    pub(crate) cart: Cart,
    pub(crate) wms: Wms,
    pub(crate) orders: Queue,
    pub(crate) shipments: Queue,
    pub(crate) hints: Queue,
    pub(crate) net: Net,
    pub(crate) time: Time,
    pub(crate) pace: Pace,
    /// What the processes have seen of the warehouse: two failures are enough here, so that outages are common.
    pub(crate) circuits: Arc<Circuits>,
}

/// What a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    PollOrders,
    PollShipments,
    Sweep,
    Orders,
    Shipments,
    Hints,
    Webhook(usize),
}

impl Deployment {
    pub(crate) fn new(connection: Connection, net: Net, time: Time, wms: Wms, mischief: (u64, u64)) -> Self {
        let queue = || Queue::new(net.clone(), time.clone(), mischief.0, mischief.1);
        let kindly = || Arc::new(Kindly);
        let connections = Arc::new(ModelConnections::new(kindly()));
        connections.set(&connection);
        Self {
            connections,
            mappings: Arc::new(ModelMappings::new(kindly())),
            model: Arc::new(ModelLedger::new(kindly())),
            cart: Cart::new(net.clone()),
            wms,
            orders: queue(),
            shipments: queue(),
            hints: queue(),
            connection,
            net,
            time,
            pace: Pace::default(),
            circuits: Arc::new(Circuits::after(2)),
        }
    }

    /// Starts a process. Its clock may be wrong by some seconds.
    pub(crate) fn start(&self, process: Process, work: Work, skew_millis: i64) {
        let ports = Ports::new(self, skew_millis);
        let me = self.clone();
        self.net.note(|| format!("process {process} starts {work:?}"));
        self.time.spawn(process, async move { ports.run(&me, work).await });
    }
}

/// The ports of one process.
struct Ports {
    connections: Arc<dyn Connections>,
    partners: Arc<dyn Partners>,
    ledger: Arc<dyn Ledger>,
    mappings: Arc<dyn Mappings>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Randomness>,
    pace: Pace,
    circuits: Arc<Circuits>,
}

/// How long a process may run.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

impl Ports {
    fn new(world: &Deployment, skew: i64) -> Self {
        Self {
            connections: world.connections.clone(),
            partners: Arc::new(Sides { cart: world.cart.clone(), wms: world.wms.clone() }),
            ledger: Arc::new(NetLedger { model: world.model.clone(), net: world.net.clone() }),
            mappings: world.mappings.clone(),
            clock: Arc::new(SkewedClock::new(world.time.clone(), skew)),
            dice: Arc::new(WorldDice(world.time.clone())),
            pace: world.pace,
            circuits: world.circuits.clone(),
        }
    }

    fn until(&self) -> Timestamp {
        domain::life::later(self.clock.now(), DEADLINE)
    }

    /// What the process does; its failures are its own affair, the ledger knows what is to be done.
    async fn run(self, world: &Deployment, work: Work) {
        match work {
            Work::PollOrders => drop(self.poll(world).poll(&world.connection, self.until()).await),
            Work::PollShipments => {
                drop(self.poll_shipments(world).poll(&world.connection, self.until()).await)
            }
            Work::Sweep => drop(self.sweep(world).sweep(&world.connection, self.until()).await),
            Work::Orders => self.batch(world, &world.orders).await,
            Work::Shipments => self.batch(world, &world.shipments).await,
            Work::Hints => self.batch(world, &world.hints).await,
            Work::Webhook(position) => self.webhook(world, position).await,
        }
    }

    fn poll(&self, world: &Deployment) -> PollOrders {
        PollOrders {
            connections: self.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            orders: Arc::new(world.orders.clone()),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
            pace: self.pace,
        }
    }

    fn forward(&self) -> ForwardOrders {
        ForwardOrders {
            connections: self.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            mappings: self.mappings.clone(),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
            pace: self.pace,
            circuits: self.circuits.clone(),
        }
    }

    fn track(&self, world: &Deployment) -> WriteTracking {
        WriteTracking {
            connections: self.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            shipments: Arc::new(world.shipments.clone()),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
            pace: self.pace,
        }
    }

    fn poll_shipments(&self, world: &Deployment) -> PollShipments {
        PollShipments {
            connections: self.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            shipments: Arc::new(world.shipments.clone()),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
        }
    }

    fn sweep(&self, world: &Deployment) -> Sweep {
        Sweep {
            connections: self.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            mappings: self.mappings.clone(),
            orders: Arc::new(world.orders.clone()),
            shipments: Arc::new(world.shipments.clone()),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
            pace: self.pace,
        }
    }

    async fn batch(&self, world: &Deployment, queue: &Queue) {
        let deliveries = queue.take();
        let handler = Dispatch { forward: self.forward(), track: self.track(world), poll: self.poll(world) };
        let failed = deliver(&handler, queue, self.clock.as_ref(), deliveries.clone(), DEADLINE).await;
        let handled: Vec<_> =
            deliveries.into_iter().filter(|delivery| !failed.contains(&delivery.id)).collect();
        queue.done(&handled);
    }

    async fn webhook(&self, world: &Deployment, position: usize) {
        let notices = ReceiveNotices {
            connections: self.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            shipments: Arc::new(world.shipments.clone()),
            hints: Arc::new(world.hints.clone()),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
        };
        let webhook = RawWebhook {
            headers: Vec::new(),
            path_rest: String::new(),
            query: String::new(),
            body: position.to_string().into_bytes(),
        };
        let path = format!("/webhook/{}", world.connection.id);
        let outcome = notices.receive(Received { method: "POST".to_owned(), path, webhook }).await;
        if outcome.reply.status != 200 {
            // The sender tries again a minute later, and gives up after that: the feed has it as well.
            self.clock.sleep(Duration::from_secs(60)).await;
            world.net.note(|| format!("webhook {position} was answered {}", outcome.reply.status));
        }
    }
}

/// Which message goes to which use case.
struct Dispatch {
    forward: ForwardOrders,
    track: WriteTracking,
    poll: PollOrders,
}

#[async_trait]
impl Handler for Dispatch {
    async fn handle(&self, message: Message, count: u32) -> Result<(), Failure> {
        match message {
            Message::Forward { connection, order } => {
                self.forward.forward(&OrderKey::new(connection, order), count).await
            }
            Message::Post { connection, order } => {
                self.track.post(&OrderKey::new(connection, order), count).await
            }
            Message::Reread { connection, reference } => self.track.reread(&connection, &reference).await,
            Message::Hint { connection, token } => self.poll.follow(&connection, &token).await,
        }
    }
}

/// The one connection of a history.
#[must_use]
pub(crate) fn connection_id() -> ConnectionId {
    ConnectionId::parse("sim").unwrap_or_else(|_| unreachable!("sim is a slug"))
}
