//! Looks again: puts back on the queue what stalled, re-reads what waits, releases what was cured, cancels what was
//! taken back. It reads only what is due, and every unfinished order has a date on which it is.

mod lane;
mod look;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::connection::Connection;
use domain::intake::Intake;
use domain::life::Pace;
use domain::message::Message;
use domain::ports::{Clock, Connections, Due, Ledger, Mappings, Outgoing, Partners, Randomness, Store};
use domain::record::Record;
use domain::{ConnectionId, Failure, OrderId};
use futures_util::StreamExt;
use jiff::Timestamp;

use lane::{Lane, Walked, right_after};

/// How the story and the logs call this use case.
pub const NAME: &str = "sweep";

/// How many connections are swept at the same time in one run.
const AT_ONCE: usize = 16;

/// How many dates are read together.
const BATCH: usize = 50;

/// The use case with its ports.
#[derive(Clone)]
pub struct Sweep {
    /// Which connections there are.
    pub connections: Arc<dyn Connections>,
    /// Their stores and warehouses.
    pub partners: Arc<dyn Partners>,
    /// The truth.
    pub ledger: Arc<dyn Ledger>,
    /// Shop words to warehouse words.
    pub mappings: Arc<dyn Mappings>,
    /// The queue of orders to forward.
    pub orders: Arc<dyn Outgoing>,
    /// The queue of tracking to post.
    pub shipments: Arc<dyn Outgoing>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Names for writes.
    pub dice: Arc<dyn Randomness>,
    /// How long things may take.
    pub pace: Pace,
}

/// What one sweep of one connection did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Orders that were looked at.
    pub looked: usize,
    /// Messages that were put on a queue.
    pub pushed: usize,
}

impl Sweep {
    /// Sweeps every enabled connection. A failure of one does not touch the others.
    ///
    /// # Errors
    /// When the connections cannot be read.
    pub async fn run(
        &self,
        until: Timestamp,
    ) -> Result<Vec<(ConnectionId, Result<Swept, Failure>)>, Failure> {
        let enabled: Vec<Connection> =
            self.connections.all().await?.into_iter().filter(|c| c.enabled).collect();
        let sweeps = enabled.into_iter().map(|connection| async move {
            let swept = self.sweep(&connection, until).await;
            (connection.id, swept)
        });
        Ok(futures_util::stream::iter(sweeps).buffer_unordered(AT_ONCE).collect().await)
    }

    /// Looks at everything of a connection that is due, while there is time.
    ///
    /// # Errors
    /// Those of the ledger and the queues. What was not looked at stays due.
    pub async fn sweep(&self, connection: &Connection, until: Timestamp) -> Result<Swept, Failure> {
        let store = self.partners.store(connection).await?;
        let mut lane = Lane::new(self, &connection.id);
        let (mut walked, mut swept) = (Walked::default(), Swept::default());
        let looking = Looking { sweep: self, connection, store };
        let outcome = looking.walk(until, &mut lane, &mut walked, &mut swept).await;
        lane.close(walked).await?;
        outcome.map(|()| swept)
    }

    /// Puts everything that somebody could work on now on the queues, whatever its date: for a host whose queues were
    /// lost with its process. Changes nothing in the ledger. Says how many messages it queued.
    ///
    /// # Errors
    /// Those of the ledger and the queues.
    pub async fn refill(&self, connection: &Connection) -> Result<usize, Failure> {
        let mut pushed = 0;
        // Who waits for the warehouse goes on waiting; nobody else is named on those dates.
        let passed = self.ledger.circuit(&connection.id).await?.backlog.map(|backlog| backlog.passed);
        let after = passed.as_deref();
        for due in self.ledger.due(&connection.id, after, Timestamp::MAX, usize::MAX).await? {
            let records = self.ledger.load_many(&connection.id, &due.orders).await?;
            let now = self.clock.now();
            let looks: Vec<Look> =
                records.iter().map(|record| look::queued(record, now, &self.pace)).collect();
            let forward: Vec<Message> = looks.iter().filter_map(|look| look.forward.clone()).collect();
            let post: Vec<Message> = looks.into_iter().filter_map(|look| look.post).collect();
            self.orders.send(&forward).await?;
            self.shipments.send(&post).await?;
            pushed += forward.len() + post.len();
        }
        Ok(pushed)
    }

    /// Looks at once at the orders that a changed mapping may release. Says how many it put on the queue.
    ///
    /// # Errors
    /// Those of the ledger, the queue and the store, once everything has been looked at: what fails for one order does
    /// not hold the others, and is looked at again on its date.
    pub async fn release(&self, connection: &Connection) -> Result<usize, Failure> {
        let store = self.partners.store(connection).await?;
        let looking = Looking { sweep: self, connection, store };
        let (mut pushed, mut outcome) = (0, Ok(()));
        for due in self.ledger.due(&connection.id, None, Timestamp::MAX, usize::MAX).await? {
            let mut forward = Vec::new();
            for record in self.ledger.load_many(&connection.id, &due.orders).await? {
                match looking.remap(record).await {
                    Ok(look) => forward.extend(look.forward),
                    Err(failure) => outcome = Err(failure),
                }
            }
            pushed += forward.len();
            self.orders.send(&forward).await?;
        }
        outcome.map(|()| pushed)
    }
}

/// One sweep of one connection.
struct Looking<'a> {
    sweep: &'a Sweep,
    connection: &'a Connection,
    store: Store,
}

/// Whom a date names.
enum Subject {
    /// An order of the ledger.
    Known(Box<Record>),
    /// An order that the ledger does not have.
    Absent(OrderId),
}

impl Subject {
    fn order(&self) -> OrderId {
        match self {
            Self::Known(record) => record.key.order,
            Self::Absent(order) => *order,
        }
    }
}

/// What a look at one order asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Look {
    /// To be put on the queue of orders.
    forward: Option<Message>,
    /// To be put on the queue of tracking.
    post: Option<Message>,
    /// When to look next; none when the order is finished, or has a date already.
    next: Option<Timestamp>,
}

impl Look {
    fn again(at: Timestamp) -> Self {
        Self { next: Some(at), ..Self::default() }
    }
}

impl Looking<'_> {
    /// Looks at one date after the other, passing by those that only name who waits for the warehouse.
    async fn walk(
        &self,
        until: Timestamp,
        lane: &mut Lane<'_>,
        walked: &mut Walked,
        swept: &mut Swept,
    ) -> Result<(), Failure> {
        let Sweep { ledger, clock, .. } = self.sweep;
        let due_by = clock.now();
        loop {
            let batch = ledger.due(&self.connection.id, walked.last.as_deref(), due_by, BATCH).await?;
            if batch.is_empty() {
                walked.finished = true;
                return Ok(());
            }
            for due in batch {
                self.at(&due, until, lane, swept).await?;
                let passed = lane.passes(&due.id);
                let passes = passed.is_some();
                walked.last = passed.or(Some(due.id));
                if clock.now() >= until {
                    return Ok(());
                }
                if passes {
                    break;
                }
            }
        }
    }

    /// Looks at the orders of one date: queues what is to be queued and gives what is unfinished a new date, so that
    /// the old one can be taken off. Who has to wait for the warehouse stays.
    async fn at(
        &self,
        due: &Due,
        until: Timestamp,
        lane: &mut Lane<'_>,
        swept: &mut Swept,
    ) -> Result<(), Failure> {
        let Sweep { ledger, orders, shipments, clock, .. } = self.sweep;
        let mut next: BTreeMap<Timestamp, Vec<OrderId>> = BTreeMap::new();
        let (mut forward, mut post, mut stay) = (Vec::new(), Vec::new(), Vec::new());
        let records = ledger.load_many(&self.connection.id, &due.orders).await?;
        let known: BTreeSet<OrderId> = records.iter().map(|record| record.key.order).collect();
        let absent =
            due.orders.iter().filter(|order| !known.contains(order)).map(|order| Subject::Absent(*order));
        // An order that has a later date of its own is looked at then.
        let open = |record: &Record| !record.is_finished() && record.wake.is_none_or(|wake| wake <= due.at);
        let known = records.into_iter().filter(open).map(|record| Subject::Known(Box::new(record)));
        for subject in known.chain(absent) {
            let order = subject.order();
            let look = if clock.now() < until {
                self.look_or_later(subject).await
            } else {
                Look::again(clock.now())
            };
            swept.looked += 1;
            post.extend(look.post);
            if look.forward.is_some() && !lane.admits(order).await? {
                stay.push(order);
                continue;
            }
            forward.extend(look.forward);
            if let Some(at) = look.next {
                next.entry(self.rounded_up(at)).or_default().push(order);
            }
        }
        for (at, orders) in next {
            ledger.expect(&self.connection.id, at, &orders).await?;
        }
        swept.pushed += forward.len() + post.len();
        orders.send(&forward).await?;
        shipments.send(&post).await?;
        if stay.len() == due.orders.len() {
            return Ok(());
        }
        if !stay.is_empty() {
            ledger.expect(&self.connection.id, right_after(due.at), &stay).await?;
        }
        ledger.settle(&self.connection.id, due).await
    }

    /// A look that fails is repeated a little later, and does not keep the others from being looked at.
    async fn look_or_later(&self, subject: Subject) -> Look {
        let (attempts, looked) = match subject {
            Subject::Known(record) => (record.attempts, self.look(*record).await),
            Subject::Absent(order) => (0, self.fetch(order).await),
        };
        match looked {
            Ok(look) => look,
            Err(failure) => {
                let Sweep { clock, pace, dice, .. } = self.sweep;
                Look::again(pace.retry_at(clock.now(), attempts.max(2), dice.token(), failure.wait()))
            }
        }
    }

    /// Dates are rounded up, so that many orders share one.
    fn rounded_up(&self, at: Timestamp) -> Timestamp {
        let step = i64::try_from(self.sweep.pace.grace.as_millis() / 10).unwrap_or(i64::MAX).max(1);
        let now = self.sweep.clock.now().as_millisecond();
        let steps = at.as_millisecond().max(now).div_euclid(step).saturating_add(1);
        Timestamp::from_millisecond(steps.saturating_mul(step)).unwrap_or(Timestamp::MAX)
    }

    fn intake(&self) -> Intake<'_> {
        let Sweep { ledger, clock, dice, .. } = self.sweep;
        Intake { ledger: ledger.as_ref(), clock: clock.as_ref(), dice: dice.as_ref(), by: NAME }
    }
}
