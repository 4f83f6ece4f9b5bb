//! How long orders take from one stage to the next, against what the connection wants, and which are late now.

use std::time::Duration;

use domain::connection::Connection;
use domain::policy::Targets;
use domain::record::{Record, Stage};
use jiff::Timestamp;
use serde::Serialize;

use crate::text::{Cell, Style, Table, Tone, count, pairs, span};

/// Times of orders that were imported in the last so many days count.
pub(super) const DAYS: u32 = 7;

/// How many late orders are named.
const NAMED: usize = 5;

/// One part of an order's way, over the orders of the last days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clock {
    /// Which part.
    pub part: &'static str,
    /// Orders that have it behind them.
    pub orders: u64,
    /// Half of them took at most so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_seconds: Option<u64>,
    /// 95 of 100 of them took at most so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_seconds: Option<u64>,
    /// What the connection wants, in seconds.
    pub target_seconds: u64,
    /// Orders that are in it now, for longer than that; of any age.
    pub late: u64,
    /// The first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first_late: Vec<String>,
}

/// The clocks under construction.
pub(crate) struct Clocks {
    now: Timestamp,
    since: Timestamp,
    parts: [Part; 3],
}

struct Part {
    name: &'static str,
    target: Duration,
    times: Vec<u64>,
    late: u64,
    first_late: Vec<String>,
}

impl Part {
    fn new(name: &'static str, target: Duration) -> Self {
        Self { name, target, times: Vec::new(), late: 0, first_late: Vec::new() }
    }

    /// Notes an order that began this part at `began`, and ended it at `ended`, if it has.
    fn note(&mut self, record: &Record, began: Timestamp, ended: Option<Timestamp>, now: Timestamp) {
        let took = seconds(began, ended.unwrap_or(now));
        if ended.is_some() {
            self.times.push(took);
        } else if took > self.target.as_secs() {
            self.late += 1;
            if self.first_late.len() < NAMED {
                self.first_late.push(record.key.to_string());
            }
        }
    }

    fn clock(mut self) -> Clock {
        self.times.sort_unstable();
        let at = |hundredths: usize| {
            let rank = (self.times.len() * hundredths).div_ceil(100).max(1) - 1;
            self.times.get(rank).copied()
        };
        Clock {
            part: self.name,
            orders: self.times.len() as u64,
            p50_seconds: at(50),
            p95_seconds: at(95),
            target_seconds: self.target.as_secs(),
            late: self.late,
            first_late: self.first_late,
        }
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    to.duration_since(from).as_secs().max(0).unsigned_abs()
}

/// Since when an order is to be sent: since its import, or since it was made another revision, which its story tells.
fn to_be_sent_since(record: &Record) -> Timestamp {
    let revision = format!("revision {}", record.revision);
    let told = record.story.iter().rev().find(|entry| record.revision > 0 && entry.what.contains(&revision));
    told.map_or(record.imported_at, |entry| entry.at)
}

impl Clocks {
    /// The clocks of a connection.
    pub(crate) fn of(connection: &Connection, now: Timestamp) -> Self {
        let Targets { accept_minutes, ship_hours, post_minutes } = connection.policies.targets;
        let minutes = |minutes: u32| Duration::from_secs(u64::from(minutes) * 60);
        let parts = [
            Part::new("imported to accepted", minutes(accept_minutes)),
            Part::new("accepted to shipped", minutes(ship_hours.saturating_mul(60))),
            Part::new("shipped to posted", minutes(post_minutes)),
        ];
        let days = domain::policy::Policies::days(DAYS);
        Self { now, since: now.checked_sub(days).unwrap_or(Timestamp::MIN), parts }
    }

    /// Notes one order. What is not to be sent, or waits for its payment, has no clock; what is held is told as held.
    pub(crate) fn note(&mut self, record: &Record) {
        let now = self.now;
        let [accept, ship, post] = &mut self.parts;
        let shipped = record.packages.iter().filter(|p| !p.voided).map(|p| p.shipped_at).max();
        let is_recent = record.imported_at >= self.since;
        let accepted = record.accepted_at.filter(|_| is_recent);
        // One that was sent anew was imported long before it was to be sent.
        let is_first = record.revision == 0;
        if let Some(at) = accepted.filter(|_| is_first) {
            accept.note(record, record.imported_at, Some(at), now);
        }
        match &record.stage {
            Stage::Ready { .. } | Stage::Sending(_) | Stage::InDoubt { .. }
                if record.accepted_at.is_none() =>
            {
                accept.note(record, to_be_sent_since(record), None, now);
            }
            Stage::Accepted | Stage::PartlyShipped => {
                ship.note(record, record.accepted_at.unwrap_or(record.since), None, now);
            }
            Stage::Shipped | Stage::Posted => {
                if let (Some(began), Some(left)) = (accepted, shipped) {
                    ship.note(record, began, Some(left), now);
                }
                let posted = (record.stage == Stage::Posted).then_some(record.since);
                if let Some(left) = shipped.filter(|_| posted.is_none() || is_recent) {
                    post.note(record, left, posted, now);
                }
            }
            _ => {}
        }
    }

    /// The clocks.
    pub(crate) fn clocks(self) -> Vec<Clock> {
        self.parts.into_iter().map(Part::clock).collect()
    }
}

/// The clocks for people.
pub(super) fn text(clocks: &[Clock], style: Style) -> String {
    let mut table = Table::new(&["PART", "#ORDERS", "#HALF WITHIN", "#95 % WITHIN", "#TARGET", "#LATE"]);
    let told = |seconds: Option<u64>| seconds.map_or("-".to_owned(), span);
    for clock in clocks {
        let slow = clock.p95_seconds.is_some_and(|p95| p95 > clock.target_seconds);
        let tone = |bad: bool| if bad { Tone::Bad } else { Tone::Plain };
        table.row([
            clock.part.into(),
            clock.orders.into(),
            told(clock.p50_seconds).into(),
            Cell::toned(told(clock.p95_seconds), tone(slow)),
            span(clock.target_seconds).into(),
            Cell::toned(clock.late.to_string(), tone(clock.late > 0)),
        ]);
    }
    let mut out = table.text(style);
    for clock in clocks.iter().filter(|clock| clock.late > 0) {
        let more = clock.late.saturating_sub(clock.first_late.len() as u64);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let orders = count(clock.late, "order is late", "orders are late");
        let row = format!("{} ({orders}): {}{more}", clock.part, clock.first_late.join(", "));
        out.push_str(&pairs(&[("late", row)], style));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{connection, now, record, shipped};
    use domain::record::{Cause, Wait};
    use domain::shipment::Post;
    use jiff::SignedDuration;

    fn clocks(records: &[Record]) -> Vec<Clock> {
        let mut clocks = Clocks::of(&connection("main"), now());
        records.iter().for_each(|record| clocks.note(record));
        clocks.clocks()
    }

    fn accepted(order: u64, after_seconds: i64) -> Record {
        let imported_at = now() - SignedDuration::from_hours(1);
        let accepted_at = Some(imported_at + SignedDuration::from_secs(after_seconds));
        Record { imported_at, accepted_at, ..record(order, Stage::Accepted, 60) }
    }

    #[test]
    fn half_and_nearly_all_are_told_by_rank() {
        let records: Vec<Record> = (1..=100_u32).map(|n| accepted(n.into(), n.into())).collect();
        let clock = &clocks(&records)[0];
        assert_eq!((clock.orders, clock.p50_seconds, clock.p95_seconds), (100, Some(50), Some(95)));
        assert_eq!(clocks(&records[..1])[0].p95_seconds, Some(1));
        assert_eq!(clocks(&[])[0].p50_seconds, None);
    }

    #[test]
    fn an_order_is_late_where_it_stands_and_only_there() {
        let hour = 3600;
        let late = clocks(&[
            record(1, Stage::Ready { not_before: None }, hour),
            record(2, Stage::Held(Cause::Comment), hour),
            record(3, Stage::Ready { not_before: None }, 60),
            record(4, Stage::Waiting(Wait::Unpaid("pending".into())), hour),
            record(5, Stage::Accepted, 49 * hour),
            record(6, Stage::Accepted, hour),
            Record {
                packages: shipped(7, Stage::Shipped, &[Post::Due])
                    .packages
                    .into_iter()
                    .map(|package| domain::shipment::Package {
                        shipped_at: now() - SignedDuration::from_hours(2),
                        ..package
                    })
                    .collect(),
                ..record(7, Stage::Shipped, hour)
            },
        ]);
        let named: Vec<(u64, Vec<String>)> =
            late.into_iter().map(|clock| (clock.late, clock.first_late)).collect();
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(named, [(1, names(&["main/1"])), (1, names(&["main/5"])), (1, names(&["main/7"]))]);
    }

    #[test]
    fn an_order_that_is_sent_anew_is_late_from_then_on_and_not_since_it_was_imported() {
        let ready = |minutes: i64| {
            // Its last attempt has just failed.
            let waits = record(1, Stage::Ready { not_before: None }, 1);
            let at = now() - SignedDuration::from_mins(minutes);
            let what = "cancelled by the warehouse, revision 1: ready".into();
            let story = vec![domain::record::Entry { seq: 3, at, by: "sweep".into(), what }];
            Record { revision: 1, imported_at: now() - SignedDuration::from_hours(90), story, ..waits }
        };
        assert_eq!(clocks(&[ready(5)])[0].late, 0);
        assert_eq!(clocks(&[ready(90)])[0].late, 1);
        let sent = Record { revision: 1, ..accepted(1, 1) };
        assert_eq!(clocks(&[sent])[0].orders, 0, "it says nothing of how long an order takes");
    }

    #[test]
    fn the_table_fits_and_names_who_is_late() {
        let text = text(&clocks(&[record(1, Stage::Ready { not_before: None }, 3600)]), Style::PLAIN);
        assert!(text.contains("imported to accepted (1 order is late): main/1"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}
