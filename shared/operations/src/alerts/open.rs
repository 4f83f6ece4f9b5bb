//! What is open at a connection now: everything that a person should know of while it is so, each under an id of its own.

use std::collections::{BTreeMap, BTreeSet};

use domain::connection::Connection;
use domain::notes::Told;
use domain::ports::Ledger;
use domain::reconciliation::Reconciliation;
use domain::record::{Record, Stage};
use domain::shipment::Post;
use domain::{ConnectionId, Failure, OrderId, OrderKey};
use jiff::Timestamp;

use super::Watch;
use super::seen::Date;
use crate::status::{Clock, Clocks, HeldGroup, HeldGroups};
use crate::text::{clean, count, distance, moment, span};

/// How many dates, and how many records, are read together.
const PAGE: usize = 200;
const CHUNK: usize = 100;

/// How many things are told one by one at most; what is beyond that is one thing more.
const MOST: usize = 300;

/// How many parked notices are counted.
const PARKED: usize = 100;

/// So long a warehouse has to be away until people are told: most are back sooner.
const AWAY_SECONDS: u64 = 10 * 60;

/// Letters of a sentence.
const SENTENCE: usize = 240;

/// Something that a person should know of while it is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matter {
    /// The issue's id, or a fixed word.
    pub(super) id: String,
    /// Since when it is so, as far as that is known.
    pub(super) since: Timestamp,
    /// What it is.
    pub(super) sentence: String,
    /// Which orders, the cure, and the command.
    pub(super) rows: Vec<(&'static str, String)>,
}

impl Matter {
    pub(super) fn new(id: &str, since: Timestamp, sentence: &str, rows: Vec<(&'static str, String)>) -> Self {
        let sentence = clean(sentence).chars().take(SENTENCE).collect();
        Self { id: id.to_owned(), since, sentence, rows }
    }
}

/// Everything that is open.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) matters: Vec<Matter>,
    /// Issues that nobody wants to hear of.
    pub(super) ignored: BTreeSet<String>,
}

/// What the unfinished orders show.
struct Unfinished {
    held: HeldGroups,
    clocks: Clocks,
    /// Packages in the outbox, and one of their orders.
    outbox: u64,
    in_outbox: Option<(OrderKey, Timestamp)>,
}

impl Unfinished {
    fn note(&mut self, record: &Record) {
        self.held.count(record);
        let waiting = record.packages.iter().filter(|p| !p.voided && matches!(p.post, Post::Outbox { .. }));
        let waiting = waiting.count() as u64;
        self.outbox += waiting;
        if waiting > 0 && self.in_outbox.as_ref().is_none_or(|(_, since)| record.since < *since) {
            self.in_outbox = Some((record.key.clone(), record.since));
        }
        // What is in the outbox is told as that, not as late besides.
        if waiting == 0 || record.stage != Stage::Shipped || record.due_posts().next().is_some() {
            self.clocks.note(record);
        }
    }
}

impl Watch {
    /// Everything that is open now. What was asked of the store is noted in `told`.
    pub(super) async fn open(
        &self,
        connection: &Connection,
        told: &mut Told,
        now: Timestamp,
    ) -> Result<Open, Failure> {
        let unfinished = self.unfinished(connection, now).await?;
        let mut open = Open::default();
        let daily = self.notes.daily(&connection.id).await?.and_then(|daily| daily.last);
        open.matters.extend(self.no_import(connection, told, now).await);
        open.matters.extend(self.no_order(connection, daily.as_ref(), told, now).await?);
        open.matters.extend(self.away(&connection.id, now).await?);
        open.matters.extend(late(unfinished.clocks.clocks(), connection, now));
        open.matters.extend(outbox(unfinished.outbox, unfinished.in_outbox, &connection.id, now));
        open.matters.extend(self.parked(&connection.id, now).await?);
        open.matters.extend(daily.and_then(|last| unsettled(&last, &connection.id)));
        self.issues(unfinished.held, &connection.id, &mut open, now).await?;
        bound(&mut open.matters, told, &connection.id, now);
        Ok(open)
    }

    /// Reads the unfinished orders: each has a date, so that nothing else has to be read.
    async fn unfinished(&self, connection: &Connection, now: Timestamp) -> Result<Unfinished, Failure> {
        let (id, ledger) = (&connection.id, self.ledger.as_ref());
        let seen = self.turns.take_seen(id);
        let horizon = seen.horizon(now);
        let (mut named, mut after): (BTreeMap<OrderId, Date>, Option<String>) = (BTreeMap::new(), None);
        loop {
            let page = ledger.due(id, after.as_deref(), horizon, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            // An order may have several dates: the last one counts.
            let dates =
                page.iter().flat_map(|due| due.orders.iter().map(|order| (*order, (due.id.clone(), due.at))));
            named.extend(dates);
        }
        let (mut seen, unknown) = seen.parted(named, horizon, connection, now);
        for chunk in unknown.chunks(CHUNK) {
            let orders: Vec<OrderId> = chunk.iter().map(|(order, _)| *order).collect();
            for record in load(ledger, id, &orders).await? {
                let date = chunk.iter().find(|(order, _)| *order == record.key.order);
                if let Some((_, date)) = date {
                    seen.note(record, date.clone(), now);
                }
            }
        }
        let (held, clocks) = (HeldGroups::default(), Clocks::of(connection, now));
        let mut all = Unfinished { held, clocks, outbox: 0, in_outbox: None };
        seen.records().for_each(|record| all.note(record));
        self.turns.put_seen(id, seen);
        Ok(all)
    }

    /// What orders are held for, but for what nobody wants to hear of.
    async fn issues(
        &self,
        held: HeldGroups,
        connection: &ConnectionId,
        open: &mut Open,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let groups = held.groups();
        if groups.is_empty() {
            return Ok(());
        }
        let marks = self.notes.marks(connection).await?;
        open.ignored = marks.into_iter().filter(|mark| mark.ignored).map(|mark| mark.issue).collect();
        let groups = groups.into_iter().filter(|group| !open.ignored.contains(&group.issue));
        open.matters.extend(groups.map(|group| issue(&group, now)));
        Ok(())
    }

    async fn away(&self, connection: &ConnectionId, now: Timestamp) -> Result<Option<Matter>, Failure> {
        let Some(away) = self.ledger.circuit(connection).await?.away else { return Ok(None) };
        let seconds = now.duration_since(away.since).as_secs().max(0).unsigned_abs();
        if seconds < AWAY_SECONDS {
            return Ok(None);
        }
        let rows = vec![
            ("since", moment(away.since, now)),
            (
                "cure",
                "It is asked again by itself, and then the orders go; if it lasts, ask the warehouse."
                    .to_owned(),
            ),
            ("command", format!("cartdock check {connection}")),
        ];
        Ok(Some(Matter::new("away", away.since, "the warehouse does not answer; its orders wait", rows)))
    }

    async fn parked(&self, connection: &ConnectionId, now: Timestamp) -> Result<Option<Matter>, Failure> {
        let parked = self.ledger.parked(connection, PARKED).await?;
        let Some(newest) = parked.first() else { return Ok(None) };
        let or_more = if parked.len() == PARKED { " or more" } else { "" };
        let number = count(parked.len() as u64, "notice is", "notices are");
        let rows = vec![
            ("notices", format!("{number} parked{or_more}, the newest {}", distance(newest.at, now))),
            (
                "cure",
                "Somebody sends what is not understood: the runbook notices-parked.md says what to do."
                    .to_owned(),
            ),
            ("command", format!("cartdock status {connection}")),
        ];
        let oldest = parked.last().map_or(now, |parked| parked.at);
        Ok(Some(Matter::new("parked", oldest, "notices could not be read or placed", rows)))
    }
}

/// The records of some orders. One that cannot be read, because another version wrote it for instance, does not keep people from
/// being told of the others.
async fn load(
    ledger: &dyn Ledger,
    connection: &ConnectionId,
    orders: &[OrderId],
) -> Result<Vec<Record>, Failure> {
    match ledger.load_many(connection, orders).await {
        Err(failure) if !failure.is_retryable() => {}
        loaded => return loaded,
    }
    let mut records = Vec::new();
    for order in orders {
        match ledger.load(&OrderKey::new(connection.clone(), *order), false).await {
            Err(failure) if failure.is_retryable() => return Err(failure),
            loaded => records.extend(loaded.ok().flatten()),
        }
    }
    Ok(records)
}

fn issue(group: &HeldGroup, now: Timestamp) -> Matter {
    let orders = count(group.orders, "order waits", "orders wait");
    let mut rows = vec![
        ("orders", format!("{orders}: {}", group.names())),
        ("oldest", format!("{} since {}", group.oldest, moment(group.since, now))),
    ];
    rows.extend(group.cure_rows());
    rows.push(("more", format!("cartdock issues show {}", group.issue)));
    Matter::new(&group.issue, group.since, &group.cause, rows)
}

/// The parts of the way on which orders are late: the second is also the silence of a warehouse that ships nothing.
fn late(clocks: Vec<Clock>, connection: &Connection, now: Timestamp) -> Vec<Matter> {
    let words = [
        ("late-accept", "orders do not get to the warehouse in time"),
        ("late-ship", "orders that the warehouse has are not shipped in time"),
        ("late-post", "tracking does not get to the store in time"),
    ];
    let all = words.into_iter().zip(clocks).filter(|(_, clock)| clock.late > 0);
    all.map(|((id, sentence), clock)| {
        let more = clock.late.saturating_sub(clock.first_late.len() as u64);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let number = count(clock.late, "order takes", "orders take");
        let rows = vec![
            (
                "orders",
                format!(
                    "{number} longer than {}: {}{more}",
                    span(clock.target_seconds),
                    clock.first_late.join(", ")
                ),
            ),
            ("cure", "See what the oldest waits for.".to_owned()),
            (
                "command",
                format!("cartdock explain {}", clock.first_late.first().map_or("ORDER", String::as_str)),
            ),
            ("more", format!("cartdock status {}", connection.id)),
        ];
        Matter::new(id, now, sentence, rows)
    })
    .collect()
}

fn outbox(
    packages: u64,
    oldest: Option<(OrderKey, Timestamp)>,
    connection: &ConnectionId,
    now: Timestamp,
) -> Option<Matter> {
    let (order, since) = oldest?;
    let number = count(packages, "package waits", "packages wait");
    let rows = vec![
        ("packages", format!("{number} in the outbox")),
        ("oldest", format!("{order} since {}", moment(since, now))),
        ("cure", "Enter their tracking in the store by hand.".to_owned()),
        ("command", format!("cartdock outbox export --connection {connection}")),
    ];
    Some(Matter::new("outbox", since, "the store cannot take the tracking of packages", rows))
}

fn unsettled(last: &Reconciliation, connection: &ConnectionId) -> Option<Matter> {
    let orders = last.unsettled();
    let names: Vec<String> =
        last.differing.iter().filter(|one| !one.fixed).take(5).map(|one| one.order.to_string()).collect();
    let more = orders.saturating_sub(names.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let rows = vec![
        ("orders", format!("{}: {}{more}", count(orders, "order", "orders"), names.join(", "))),
        ("cure", "Compare again: each order is told with what to do.".to_owned()),
        ("command", format!("cartdock reconcile {connection}")),
    ];
    let sentence = "store, ledger and warehouse did not agree at the last daily comparison";
    (orders > 0).then(|| Matter::new("reconciled", last.at, sentence, rows))
}

/// Keeps what people know of already, and of the rest as much as is told one by one.
fn bound(matters: &mut Vec<Matter>, told: &Told, connection: &ConnectionId, now: Timestamp) {
    if matters.len() <= MOST {
        return;
    }
    matters.sort_by_key(|matter| !told.open.contains_key(&matter.id));
    let more = matters.len() - MOST;
    matters.truncate(MOST);
    let rows = vec![
        ("more", format!("{more} besides those that are told one by one")),
        ("command", format!("cartdock issues --connection {connection}")),
    ];
    matters.push(Matter::new("many", now, "more is open than is told one by one", rows));
}
