//! Polls each store for new orders, and follows its hints: every order is in the ledger before it is on the queue.
//!
//! The store lists by order date and knows no "changed since" (dossier section 2). So each sweep lists a fixed window
//! with a generous overlap, oldest first, reads what the ledger does not have, and moves the cursor only once the whole
//! window is in the ledger. An idle poll writes nothing.

mod window;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::connection::{Connection, History};
use domain::intake::Intake;
use domain::life::{Pace, later};
use domain::listing::list;
use domain::message::Message;
use domain::ports::{Clock, Connections, Cursor, Lease, Ledger, Outgoing, Partners, Randomness, Read, Store};
use domain::{ConnectionId, Failure, OrderId, OrderKey};
use futures_util::StreamExt;
use jiff::Timestamp;

/// How the story and the logs call this use case.
pub const NAME: &str = "poll-orders";

/// How many connections are polled at the same time in one run.
const AT_ONCE: usize = 32;

/// How many orders are expected, read and queued together.
const CHUNK: usize = 50;

/// After so many failed reads in a row the store is down; before that, it is the order that is broken.
const STORE_IS_DOWN: usize = 3;

/// The use case with its ports.
#[derive(Clone)]
pub struct PollOrders {
    /// Which connections there are.
    pub connections: Arc<dyn Connections>,
    /// Their stores.
    pub partners: Arc<dyn Partners>,
    /// The truth.
    pub ledger: Arc<dyn Ledger>,
    /// The queue of orders to forward.
    pub orders: Arc<dyn Outgoing>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Names for writes.
    pub dice: Arc<dyn Randomness>,
    /// How long things may take.
    pub pace: Pace,
}

/// What one poll of one connection did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Polled {
    /// Orders that the store listed in the window.
    pub listed: usize,
    /// Orders that came into the ledger.
    pub imported: usize,
    /// Was the whole window done, so that the cursor could move?
    pub complete: bool,
    /// Did somebody else hold the right to import?
    pub busy: bool,
    /// Is everything that the store lists up to now in the ledger?
    pub caught_up: bool,
}

impl PollOrders {
    /// Polls every enabled connection whose turn it is, each inside the time that is left. A failure of one does not
    /// touch the others.
    ///
    /// # Errors
    /// When the connections cannot be read.
    pub async fn run(
        &self,
        until: Timestamp,
    ) -> Result<Vec<(ConnectionId, Result<Polled, Failure>)>, Failure> {
        let now = self.clock.now();
        let due: Vec<Connection> = self
            .connections
            .all()
            .await?
            .into_iter()
            .filter(|c| c.imports() && (window::is_turn(c, now) || !c.is_complete()))
            .collect();
        let polls = due.into_iter().map(|connection| async move {
            let polled = self.poll(&connection, until).await;
            (connection.id, polled)
        });
        Ok(futures_util::stream::iter(polls).buffer_unordered(AT_ONCE).collect().await)
    }

    /// Polls one connection.
    ///
    /// # Errors
    /// When the store cannot be listed or is down, or the ledger or the queue fail. What was done so far stays done;
    /// the cursor has not moved past anything that is not in the ledger.
    pub async fn poll(&self, connection: &Connection, until: Timestamp) -> Result<Polled, Failure> {
        let polled = self.one_window(connection, until).await?;
        if polled.caught_up {
            self.complete(connection).await?;
        }
        Ok(polled)
    }

    /// A ledger that was being rebuilt is complete once the store has been read up to now.
    async fn complete(&self, connection: &Connection) -> Result<(), Failure> {
        let History::Rebuilding { lost_at } = connection.history else { return Ok(()) };
        let Some(current) = self.connections.fresh(&connection.id).await? else { return Ok(()) };
        let since = lost_at.unwrap_or_else(|| self.clock.now());
        let known = Connection { history: History::Known { since }, ..current.clone() };
        // Whoever changes it at the same moment, a person who pauses it perhaps, is not overwritten: the next poll completes it.
        self.connections.swap(&current, &known).await.map(|_| ())
    }

    async fn one_window(&self, connection: &Connection, until: Timestamp) -> Result<Polled, Failure> {
        let store = self.partners.store(connection).await?;
        let cursor = self.ledger.cursor(&connection.id).await?;
        let window = window::next(connection, &cursor, self.clock.now());
        let listed = list(store.orders.as_ref(), window.dates, self.clock.as_ref(), until).await?;
        let seen: BTreeSet<OrderId> = cursor.seen.iter().copied().collect();
        let unknown: Vec<OrderId> =
            listed.orders.iter().copied().filter(|order| !seen.contains(order)).collect();
        let mut polled =
            Polled { listed: listed.orders.len(), complete: listed.complete, ..Polled::default() };
        let nothing_new = unknown.is_empty();
        if nothing_new && !(listed.complete && window.moves_by_itself) {
            polled.caught_up = listed.complete;
            return Ok(polled);
        }
        // It saves calls, nothing is unsafe without it; a poll that dies keeps others away only for so long.
        let margin = self.pace.send_within / 2;
        let lease = Lease { token: self.dice.token(), until: later(until, margin) };
        if !self.ledger.lease(&connection.id, lease, self.clock.now()).await? {
            polled.busy = true;
            return Ok(polled);
        }
        let import = Import { poll: self, connection, store: &store, until };
        let (imported, newest, outcome) = import.all(&unknown).await;
        polled.imported = imported.len();
        polled.complete &= outcome.is_ok() && imported.len() == unknown.len();
        let moved = window.cursor_after(&cursor, &listed.orders, &imported, newest, polled.complete);
        self.finish(connection, &moved, lease).await?;
        polled.caught_up = polled.complete && !window.moves_by_itself;
        outcome.map(|()| polled)
    }

    /// Moves the cursor and gives the lease back. When somebody has moved the cursor since we read it, theirs stays.
    async fn finish(&self, connection: &Connection, moved: &Cursor, lease: Lease) -> Result<(), Failure> {
        if !self.ledger.move_cursor(&connection.id, moved, lease.token).await? {
            let theirs = self.ledger.cursor(&connection.id).await?;
            self.ledger.move_cursor(&connection.id, &theirs, lease.token).await?;
        }
        Ok(())
    }

    /// Follows a hint of the store: reads what it speaks of now, and believes only that.
    ///
    /// # Errors
    /// Those of the store, the ledger and the queue.
    pub async fn follow(&self, id: &ConnectionId, token: &str) -> Result<(), Failure> {
        let Some(connection) = self.connections.fresh(id).await?.filter(Connection::runs) else {
            return Ok(());
        };
        let store = self.partners.store(&connection).await?;
        let read = store.orders.read(token).await?;
        let order = match &read {
            Read::Order(order) => order.id,
            Read::Unreadable { order: Some(order), .. } => *order,
            // Polling finds what the hint meant, should there be anything.
            Read::Absent | Read::Unreadable { order: None, .. } => return Ok(()),
        };
        let push = self.hinted(&connection, order, &read, &store).await?;
        self.orders.send(push.as_slice()).await
    }

    async fn hinted(
        &self,
        connection: &Connection,
        order: OrderId,
        before: &Read,
        store: &Store,
    ) -> Result<Option<Message>, Failure> {
        let intake = self.intake();
        let key = OrderKey::new(connection.id.clone(), order);
        if let Some(record) = self.ledger.load(&key, true).await? {
            // What was read before may be older than what the record speaks of: others read it too, and acted on it.
            let read = store.orders.read(&order.to_string()).await?;
            return Ok(intake.reconsider(connection, record, &read, self.partners.as_ref()).await?.push);
        }
        let expected = later(self.clock.now(), self.pace.grace);
        self.ledger.expect(&connection.id, expected, &[order]).await?;
        intake.take_in(connection, order, before, expected).await
    }

    fn intake(&self) -> Intake<'_> {
        Intake {
            ledger: self.ledger.as_ref(),
            clock: self.clock.as_ref(),
            dice: self.dice.as_ref(),
            by: NAME,
        }
    }
}

/// One import into one connection.
struct Import<'a> {
    poll: &'a PollOrders,
    connection: &'a Connection,
    store: &'a Store,
    until: Timestamp,
}

/// What the reads of one import have shown so far.
#[derive(Default)]
struct Progress {
    imported: Vec<OrderId>,
    newest: Option<Timestamp>,
    /// Orders whose reading failed, and nothing has been read since: is it them, or the store?
    failing: Vec<(OrderId, Failure)>,
}

impl Import<'_> {
    /// Takes in as many of these orders as the time allows: those that are in the ledger now, the newest order date
    /// among them, and how it ended.
    async fn all(&self, unknown: &[OrderId]) -> (Vec<OrderId>, Option<Timestamp>, Result<(), Failure>) {
        let mut progress = Progress::default();
        for chunk in unknown.chunks(CHUNK) {
            if let Err(failure) = self.chunk(chunk, &mut progress).await {
                return (progress.imported, progress.newest, Err(failure));
            }
            if self.poll.clock.now() >= self.until {
                break;
            }
        }
        (progress.imported, progress.newest, Ok(()))
    }

    /// Expects a chunk, takes its orders in, and queues those that are to be sent. What was taken in before a failure
    /// is queued all the same.
    async fn chunk(&self, chunk: &[OrderId], progress: &mut Progress) -> Result<(), Failure> {
        let expected = later(self.poll.clock.now(), self.poll.pace.grace);
        self.poll.ledger.expect(&self.connection.id, expected, chunk).await?;
        let (mut push, mut outcome, before) = (Vec::new(), Ok(()), progress.imported.len());
        for order in chunk {
            outcome = self.order(*order, expected, progress, &mut push).await;
            if outcome.is_err() || self.poll.clock.now() >= self.until {
                break;
            }
        }
        if outcome.is_ok() {
            outcome =
                self.give_up_on(std::mem::take(&mut progress.failing), expected, progress, &mut push).await;
        }
        if let Err(failure) = self.poll.orders.send(&push).await {
            // Not seen: the next poll comes across them again, and queues them.
            progress.imported.truncate(before);
            return Err(failure);
        }
        outcome
    }

    async fn order(
        &self,
        order: OrderId,
        expected: Timestamp,
        progress: &mut Progress,
        push: &mut Vec<Message>,
    ) -> Result<(), Failure> {
        match self.store.orders.read(&order.to_string()).await {
            Ok(read) => {
                self.give_up_on(std::mem::take(&mut progress.failing), expected, progress, push).await?;
                self.take_in(order, &read, expected, progress, push).await
            }
            Err(failure) if progress.failing.len() + 1 >= STORE_IS_DOWN => Err(failure),
            Err(failure) => {
                progress.failing.push((order, failure));
                Ok(())
            }
        }
    }

    /// The store answers others, so it is these orders that cannot be read: each gets its own row with the failure, is
    /// retried on its own, and does not hold up the feed.
    async fn give_up_on(
        &self,
        failing: Vec<(OrderId, Failure)>,
        expected: Timestamp,
        progress: &mut Progress,
        push: &mut Vec<Message>,
    ) -> Result<(), Failure> {
        for (order, failure) in failing {
            let read = Read::Unreadable { order: Some(order), why: failure.to_string() };
            self.take_in(order, &read, expected, progress, push).await?;
        }
        Ok(())
    }

    async fn take_in(
        &self,
        order: OrderId,
        read: &Read,
        expected: Timestamp,
        progress: &mut Progress,
        push: &mut Vec<Message>,
    ) -> Result<(), Failure> {
        push.extend(self.poll.intake().take_in(self.connection, order, read, expected).await?);
        progress.imported.push(order);
        if let Read::Order(body) = read {
            progress.newest = progress.newest.max(body.ordered_at);
        }
        Ok(())
    }
}

/// The cursor after a sweep; see [`window`].
pub(crate) fn moved(cursor: &Cursor, position: Option<Timestamp>, mut seen: Vec<OrderId>) -> Cursor {
    seen.sort_unstable();
    seen.dedup();
    Cursor { version: cursor.version, position, seen }
}
