//! The orders that a process saw at its last look, so that those on their way are not read again every five minutes.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::OrderId;
use domain::connection::Connection;
use domain::life::later;
use domain::record::{Record, Stage};
use jiff::Timestamp;

use crate::status::Clocks;

/// After so long everything is read again, whatever it looks like.
const READ_AGAIN: Duration = Duration::from_secs(6 * 3600);

/// All dates are read so often; in between only those of the next while. Every order that comes in, is sent, or is looked at has
/// one there.
const ALL_EVERY: Duration = Duration::from_secs(3600);
const NEXT: Duration = Duration::from_secs(30 * 60);

/// A date that names an order: its id, and when it is.
pub(super) type Date = (String, Timestamp);

/// What was seen, by order.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    orders: BTreeMap<OrderId, Kept>,
    all_read_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct Kept {
    /// The last of its dates: a step of its life gives it another one.
    date: Date,
    read_at: Timestamp,
    record: Record,
}

impl Seen {
    /// Up to when dates are to be read now.
    pub(super) fn horizon(&self, now: Timestamp) -> Timestamp {
        match self.all_read_at {
            Some(at) if now < later(at, ALL_EVERY) => later(now, NEXT),
            _ => Timestamp::MAX,
        }
    }

    /// Parts the orders that the dates up to `horizon` name, and those that were seen with a later one: the records of those
    /// that need not be read again, and those that must.
    pub(super) fn parted(
        mut self,
        mut named: BTreeMap<OrderId, Date>,
        horizon: Timestamp,
        connection: &Connection,
        now: Timestamp,
    ) -> (Self, Vec<(OrderId, Date)>) {
        let is_all = horizon == Timestamp::MAX;
        let all_read_at = if is_all { Some(now) } else { self.all_read_at };
        if !is_all {
            for (order, kept) in &self.orders {
                // Whose date was taken off has another one, which is not known.
                let unknown = || (String::new(), Timestamp::MAX);
                let date = if kept.date.1 > horizon { kept.date.clone() } else { unknown() };
                named.entry(*order).or_insert(date);
            }
        }
        let (mut known, mut unknown) = (Self { all_read_at, ..Self::default() }, Vec::new());
        for (order, date) in named {
            match self.orders.remove(&order).filter(|kept| kept.holds(&date, connection, now)) {
                Some(kept) => drop(known.orders.insert(order, kept)),
                None => unknown.push((order, date)),
            }
        }
        (known, unknown)
    }

    /// Notes what was read.
    pub(super) fn note(&mut self, record: Record, date: Date, read_at: Timestamp) {
        self.orders.insert(record.key.order, Kept { date, read_at, record });
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        self.orders.values().map(|kept| &kept.record)
    }
}

impl Kept {
    /// Is it still as it was? Of an order that waits for somebody, or is late, every change is to be told soon: it is read.
    fn holds(&self, date: &Date, connection: &Connection, now: Timestamp) -> bool {
        let is_old = later(self.read_at, READ_AGAIN) <= now;
        let is_under_way = !matches!(
            self.record.stage,
            Stage::Held(_) | Stage::Ready { .. } | Stage::Sending(_) | Stage::InDoubt { .. }
        );
        self.date == *date && !is_old && is_under_way && !is_late(&self.record, connection, now)
    }
}

fn is_late(record: &Record, connection: &Connection, now: Timestamp) -> bool {
    let mut clocks = Clocks::of(connection, now);
    clocks.note(record);
    clocks.clocks().iter().any(|clock| clock.late > 0)
}
