//! Looks again: puts back on the queue what stalled, re-reads what waits, releases what was cured, cancels what was
//! taken back. It reads only what is due, and every unfinished order has a date on which it is.

mod lane;
mod look;
pub mod reconcile;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::connection::Connection;
use domain::intake::Intake;
use domain::life::{Pace, later};
use domain::message::Message;
use domain::notes::Notes;
use domain::ports::{Clock, Connections, Due, Ledger, Mappings, Outgoing, Partners, Randomness, Store};
use domain::record::Record;
use domain::{ConnectionId, Failure, OrderId, OrderKey};
use futures_util::StreamExt;
use jiff::Timestamp;

use lane::{Lane, Walked, right_after};
use reconcile::Reconcile;

/// How the story and the logs call this use case.
pub const NAME: &str = "sweep";

/// How many connections are swept at the same time in one run.
const AT_ONCE: usize = 16;

/// So long after an order was done with it is asked about for the last time, where no feed tells of its packages.
const ONCE_MORE: Duration = Duration::from_secs(86_400);

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
    /// What compares the ledger with both sides, over the same ports.
    #[must_use]
    pub fn reconcile(&self, notes: Arc<dyn Notes>) -> Reconcile {
        Reconcile {
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            notes,
            orders: self.orders.clone(),
            shipments: self.shipments.clone(),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
        }
    }

    /// Sweeps those of these connections that are enabled. A failure of one does not touch the others.
    pub async fn run(
        &self,
        all: Vec<Connection>,
        until: Timestamp,
    ) -> Vec<(ConnectionId, Result<Swept, Failure>)> {
        let enabled = all.into_iter().filter(Connection::runs);
        let sweeps = enabled.map(|connection| async move {
            let swept = self.sweep(&connection, until).await;
            (connection.id, swept)
        });
        futures_util::stream::iter(sweeps).buffer_unordered(AT_ONCE).collect().await
    }

    /// Looks at everything of a connection that is due, while there is time.
    ///
    /// # Errors
    /// Those of the ledger and the queues; what was not looked at stays due. That of a record which cannot be read, once
    /// everything else has been looked at.
    pub async fn sweep(&self, connection: &Connection, until: Timestamp) -> Result<Swept, Failure> {
        let store = self.partners.store(connection).await?;
        let mut lane = Lane::new(self, &connection.id);
        let (mut walked, mut swept) = (Walked::default(), Swept::default());
        let looking = Looking { sweep: self, connection, store };
        let outcome = looking.walk(until, &mut lane, &mut walked, &mut swept).await;
        lane.close(walked).await?;
        outcome?.map_or(Ok(swept), Err)
    }

    /// Puts everything that somebody could work on now on the queues, whatever its date: for a host whose queues were
    /// lost with its process. Who was at work on a package may have died with it: that package gets a date. Says how many
    /// messages it queued.
    ///
    /// # Errors
    /// Those of the ledger and the queues.
    pub async fn refill(&self, connection: &Connection) -> Result<usize, Failure> {
        let (mut pushed, mut done) = (0, BTreeSet::new());
        // Who waits for the warehouse goes on waiting; nobody else is named on those dates.
        let passed = self.ledger.circuit(&connection.id).await?.backlog.map(|backlog| backlog.passed);
        let after = passed.as_deref();
        for due in self.ledger.due(&connection.id, after, Timestamp::MAX, usize::MAX).await? {
            // An order may have several dates; it is queued once.
            let orders: Vec<OrderId> = due.orders.into_iter().filter(|order| done.insert(*order)).collect();
            let records = self.load(&connection.id, &orders).await?.records;
            let now = self.clock.now();
            let looks: Vec<Look> =
                records.iter().map(|record| look::queued(record, now, &self.pace)).collect();
            for record in &records {
                if let Some(until) = look::last_claim(record) {
                    self.ledger.expect(&connection.id, until, &[record.key.order]).await?;
                }
            }
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
            for record in self.load(&connection.id, &due.orders).await?.records {
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

    /// The records of a date's orders. One that cannot be read, because another version wrote it for instance, does not
    /// keep the others from being looked at.
    async fn load(&self, connection: &ConnectionId, orders: &[OrderId]) -> Result<Loaded, Failure> {
        let mut loaded = Loaded::default();
        match self.ledger.load_many(connection, orders).await {
            Ok(records) => loaded.records = records,
            Err(failure) if failure.is_retryable() => return Err(failure),
            Err(_) => {
                for order in orders {
                    match self.ledger.load(&OrderKey::new(connection.clone(), *order), false).await {
                        Ok(record) => loaded.records.extend(record),
                        Err(failure) if failure.is_retryable() => return Err(failure),
                        Err(failure) => {
                            loaded.unreadable.push(*order);
                            loaded.failure = Some(failure);
                        }
                    }
                }
            }
        }
        let known: BTreeSet<OrderId> = loaded.records.iter().map(|record| record.key.order).collect();
        let absent =
            orders.iter().filter(|order| !known.contains(order) && !loaded.unreadable.contains(order));
        loaded.absent = absent.copied().collect();
        Ok(loaded)
    }
}

/// When to ask once more what has left of an order that is done with: a question may get lost as a webhook may.
fn once_more(done: &Record, now: Timestamp) -> Option<Timestamp> {
    let at = later(done.since, ONCE_MORE);
    (now < at).then_some(at)
}

/// One sweep of one connection.
struct Looking<'a> {
    sweep: &'a Sweep,
    connection: &'a Connection,
    store: Store,
}

/// What the ledger has of a date's orders.
#[derive(Default)]
struct Loaded {
    records: Vec<Record>,
    absent: Vec<OrderId>,
    /// Orders whose record cannot be read, and why that of the last one.
    unreadable: Vec<OrderId>,
    failure: Option<Failure>,
}

/// Whom a date names.
enum Subject {
    /// An order of the ledger.
    Known(Box<Record>),
    /// An order that the ledger does not have, and when it expects it next.
    Absent(OrderId, Timestamp),
}

impl Subject {
    fn order(&self) -> OrderId {
        match self {
            Self::Known(record) => record.key.order,
            Self::Absent(order, _) => *order,
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
    ) -> Result<Option<Failure>, Failure> {
        let Sweep { ledger, clock, .. } = self.sweep;
        let (due_by, mut unreadable) = (clock.now(), None);
        loop {
            let batch = ledger.due(&self.connection.id, walked.last.as_deref(), due_by, BATCH).await?;
            if batch.is_empty() {
                walked.finished = true;
                return Ok(unreadable);
            }
            for due in batch {
                unreadable = self.at(&due, until, lane, swept).await?.or(unreadable);
                let passed = lane.passes(&due.id);
                let passes = passed.is_some();
                walked.last = passed.or(Some(due.id));
                if clock.now() >= until {
                    return Ok(unreadable);
                }
                if passes {
                    break;
                }
            }
        }
    }

    /// Looks at the orders of one date: queues what is to be queued and gives what is unfinished a new date, so that
    /// the old one can be taken off. Who has to wait for the warehouse stays. Gives the failure of a record that cannot
    /// be read.
    async fn at(
        &self,
        due: &Due,
        until: Timestamp,
        lane: &mut Lane<'_>,
        swept: &mut Swept,
    ) -> Result<Option<Failure>, Failure> {
        let Sweep { ledger, orders, shipments, clock, .. } = self.sweep;
        let mut next: BTreeMap<Timestamp, Vec<OrderId>> = BTreeMap::new();
        let (mut forward, mut post, mut stay) = (Vec::new(), Vec::new(), Vec::new());
        let Loaded { records, absent, unreadable, failure } =
            self.sweep.load(&self.connection.id, &due.orders).await?;
        // An order that has a later date of its own is looked at then; but a package whose poster died cannot wait for it.
        let open = |record: &Record| {
            let is_its_date = record.wake.is_none_or(|wake| wake <= due.at);
            let is_left = look::last_claim(record).is_some_and(|until| until <= due.at);
            is_its_date || is_left
        };
        let (done, unfinished): (Vec<_>, Vec<_>) = records.into_iter().partition(Record::is_finished);
        for record in done.iter().filter(|record| !record.packages.is_empty()) {
            let Some(question) = self.ask_for_more(record).await? else { continue };
            post.push(question);
            if let Some(at) = once_more(record, clock.now()) {
                next.entry(self.rounded_up(at)).or_default().push(record.key.order);
            }
        }
        let known = unfinished.into_iter().filter(open).map(|record| Subject::Known(Box::new(record)));
        let expected = self.rounded_up(later(clock.now(), self.sweep.pace.grace));
        if !absent.is_empty() {
            ledger.expect(&self.connection.id, expected, &absent).await?;
        }
        if !unreadable.is_empty() {
            let at = self.rounded_up(later(clock.now(), self.sweep.pace.longest_retry));
            next.entry(at).or_default().extend(unreadable);
        }
        for subject in known.chain(absent.into_iter().map(|order| Subject::Absent(order, expected))) {
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
            return Ok(failure);
        }
        if !stay.is_empty() {
            ledger.expect(&self.connection.id, right_after(due.at), &stay).await?;
        }
        ledger.settle(&self.connection.id, due).await?;
        Ok(failure)
    }

    /// A look that fails is repeated a little later, and does not keep the others from being looked at.
    async fn look_or_later(&self, subject: Subject) -> Look {
        let (attempts, looked) = match subject {
            Subject::Known(record) => (record.attempts, self.look(*record).await),
            Subject::Absent(order, expected) => (0, self.fetch(order, expected).await),
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
