//! The ledger in memory: its state, and what a test may see of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::{Arc, Mutex, MutexGuard};

use domain::circuit::Circuit;
use domain::order::Order;
use domain::ports::{Cursor, Due, Lease, Parked, Saved};
use domain::record::{Entry, Record};
use domain::{ConnectionId, OrderId, OrderKey, Token};
use jiff::Timestamp;

use super::{Gate, World, inside};

/// The ledger in memory. Effects are called `ledger.…`; the choice `stale read` is 0 for the latest state and 1 for the
/// one before it.
pub struct ModelLedger {
    pub(super) gate: Gate,
    books: Mutex<BTreeMap<ConnectionId, Books>>,
}

/// Everything of one connection.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// The records.
    pub records: BTreeMap<OrderId, Record>,
    /// The state of each record before its last write; none when that was its insert.
    pub(super) before: BTreeMap<OrderId, Option<Record>>,
    /// The bodies, with their ends.
    pub bodies: BTreeMap<OrderId, (Order, Timestamp)>,
    /// Entries of stories that the records have lost.
    pub older: BTreeMap<OrderId, Vec<Entry>>,
    /// The dates on which somebody will look.
    pub dates: BTreeMap<Timestamp, BTreeSet<OrderId>>,
    /// How far the store has been read.
    pub cursor: Cursor,
    pub(super) moved_by: Option<Token>,
    /// Who may import.
    pub lease: Option<Lease>,
    /// The bookmark of the warehouse's feed.
    pub bookmark: Option<String>,
    /// Orders whose record nobody can read, as one that another version wrote.
    pub unreadable: BTreeSet<OrderId>,
    /// Whether the warehouse is there.
    pub circuit: Circuit,
    /// What a person must read, with its end.
    pub parked: BTreeMap<String, (Parked, Timestamp)>,
}

impl ModelLedger {
    /// An empty ledger.
    #[must_use]
    pub fn new(world: Arc<dyn World>) -> Self {
        Self { gate: Gate(world), books: Mutex::default() }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Books>> {
        inside(&self.books)
    }

    /// Does something with the books of a connection, past all fates.
    pub fn with<T>(&self, connection: &ConnectionId, act: impl FnOnce(&mut Books) -> T) -> T {
        act(self.all().entry(connection.clone()).or_default())
    }

    /// The record of an order as it stands, past all fates.
    #[must_use]
    pub fn record(&self, key: &OrderKey) -> Option<Record> {
        self.with(&key.connection, |books| books.records.get(&key.order).cloned())
    }

    /// Removes everything whose end has come.
    pub fn expire(&self, now: Timestamp) {
        for books in self.all().values_mut() {
            books.bodies.retain(|_, (_, end)| *end > now);
            books.parked.retain(|_, (_, end)| *end > now);
        }
    }

    /// The unfinished orders that no date names, so that nobody would ever look at them again.
    #[must_use]
    pub fn uncovered(&self) -> Vec<OrderKey> {
        let all = self.all();
        let unfinished = all.values().flat_map(|books| {
            books
                .records
                .values()
                .filter(|record| !record.is_finished())
                .filter(|record| !books.dates.values().any(|orders| orders.contains(&record.key.order)))
        });
        unfinished.map(|record| record.key.clone()).collect()
    }

    /// Every unfinished order has a date on which somebody looks again.
    ///
    /// # Panics
    /// When one has not.
    pub fn assert_all_covered(&self) {
        let uncovered: Vec<String> = self.uncovered().iter().map(ToString::to_string).collect();
        assert!(uncovered.is_empty(), "nobody will look at {} again", uncovered.join(", "));
    }
}

impl Books {
    pub(super) fn put(&mut self, record: &Record) {
        let mut kept = record.clone();
        let spilled = std::mem::take(&mut kept.spilled);
        let order = record.key.order;
        self.older.entry(order).or_default().extend(spilled);
        let before = self.records.insert(order, kept);
        self.before.insert(order, before);
    }

    pub(super) fn expect(&mut self, at: Timestamp, orders: &[OrderId]) {
        if !orders.is_empty() {
            self.dates.entry(at).or_default().extend(orders);
        }
    }

    pub(super) fn save(&mut self, before: &Record, after: &Record) -> Saved {
        match self.records.get(&before.key.order) {
            Some(there) if there.version == before.version => {
                self.put(after);
                Saved::Done
            }
            Some(there) if there.written == after.written => Saved::Done,
            there => Saved::Conflict(there.cloned().map(Box::new)),
        }
    }

    pub(super) fn due(&self, after: Option<&str>, until: Timestamp, limit: usize) -> Vec<Due> {
        let after: Option<Timestamp> = after.and_then(|id| id.parse().ok());
        if after.is_some_and(|after| after >= until) {
            return Vec::new();
        }
        let due = self.dates.range((after.map_or(Unbounded, Excluded), Included(until))).take(limit);
        let entry = |(at, orders): (&Timestamp, &BTreeSet<OrderId>)| Due {
            id: format!("{at:.9}"),
            at: *at,
            orders: orders.iter().copied().collect(),
        };
        due.map(entry).collect()
    }

    pub(super) fn set_circuit(&mut self, circuit: &Circuit) -> bool {
        let fits = self.circuit.version == circuit.version;
        if fits {
            self.circuit = Circuit { version: circuit.version + 1, ..circuit.clone() };
        }
        fits
    }

    /// Takes off what was read, and nothing that somebody has put on the same date since.
    pub(super) fn settle(&mut self, due: &Due) {
        if let Some(orders) = self.dates.get_mut(&due.at) {
            orders.retain(|order| !due.orders.contains(order));
            if orders.is_empty() {
                self.dates.remove(&due.at);
            }
        }
    }

    pub(super) fn move_cursor(&mut self, cursor: &Cursor, holder: Token) -> bool {
        let moved = Cursor { version: cursor.version + 1, ..cursor.clone() };
        if self.cursor == moved && self.moved_by == Some(holder) {
            return true;
        }
        if self.cursor.version != cursor.version {
            return false;
        }
        self.cursor = moved;
        self.moved_by = Some(holder);
        self.lease = self.lease.filter(|lease| lease.token != holder);
        true
    }
}
