//! Where all orders of a connection stand: the counts that must sum, what is held and its cure, what is oldest.

use domain::circuit::Away;
use domain::connection::Connection;
use domain::notes::Notes;
use domain::ports::Ledger;
use domain::reconciliation::Reconciliation;
use domain::record::Record;
use domain::{Failure, OrderKey};
use jiff::Timestamp;
use serde::Serialize;

use crate::reconcile;
use crate::scan;
use crate::text::{Cell, Style, Table, Tone, count, distance, moment, pairs};

mod books;
mod clocks;
mod held;
pub use books::{Books, Closing, Leg, Outside, Packages};
pub use clocks::Clock;
pub(crate) use clocks::Clocks;
pub use held::{HeldGroup, HeldGroups};
pub(crate) use held::{issue_ids, text as held_text};

/// How many parked notices are counted at most.
const PARKED_LIMIT: usize = 1000;

/// The state of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Its id.
    pub connection: String,
    /// What people call it.
    pub name: String,
    /// Does it run?
    pub enabled: bool,
    /// Every order of the store placed before this instant is in the ledger; none before the first poll.
    pub read_up_to: Option<Timestamp>,
    /// Its warehouse does not answer: since when, and when it is asked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away: Option<Away>,
    /// The counts.
    pub books: Books,
    /// Do the counts of orders add up?
    pub closes: bool,
    /// What is held, by cause, most orders first.
    pub held: Vec<HeldGroup>,
    /// The oldest unfinished order of each kind.
    pub oldest: Vec<Oldest>,
    /// How long the parts of the way take, and who is late.
    pub clocks: Vec<Clock>,
    /// What the last daily comparison with the store and the warehouse found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciled: Option<Reconciliation>,
    /// Notices that could not be read or placed.
    pub parked: ParkedCount,
}

/// The order that has stood still for the longest time among its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Oldest {
    /// Which kind: the stage's word.
    pub stage: &'static str,
    /// Which order.
    pub order: String,
    /// Since when it stands there.
    pub since: Timestamp,
    /// How many seconds that is.
    pub age_seconds: u64,
}

/// Notices that wait for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ParkedCount {
    /// How many; at most 1000 are counted.
    pub notices: usize,
    /// Why the newest is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_why: Option<String>,
    /// When the newest came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_at: Option<Timestamp>,
}

/// Reads the state of a connection from its ledger.
///
/// # Errors
/// Those of the ledger and the notes.
pub async fn status(
    ledger: &dyn Ledger,
    notes: &dyn Notes,
    connection: &Connection,
    now: Timestamp,
) -> Result<Status, Failure> {
    let (mut books, mut held, mut oldest) = (Books::default(), HeldGroups::default(), Vec::new());
    let mut clocks = Clocks::of(connection, now);
    scan::each(ledger, &connection.id, |record| {
        books.count(record);
        held.count(record);
        note_oldest(&mut oldest, record, now);
        clocks.note(record);
    })
    .await?;
    let held = marked(held.groups(), notes, connection).await?;
    let parked = ledger.parked(&connection.id, PARKED_LIMIT).await?;
    let newest = parked.first();
    Ok(Status {
        connection: connection.id.to_string(),
        name: connection.name.clone(),
        enabled: connection.enabled,
        read_up_to: ledger.cursor(&connection.id).await?.position,
        away: ledger.circuit(&connection.id).await?.away,
        closes: books.closes(),
        books,
        held,
        oldest,
        clocks: clocks.clocks(),
        reconciled: notes.daily(&connection.id).await?.and_then(|daily| daily.last),
        parked: ParkedCount {
            notices: parked.len(),
            newest_why: newest.map(|parked| parked.why.clone()),
            newest_at: newest.map(|parked| parked.at),
        },
    })
}

/// The groups with what people said about them.
async fn marked(
    mut groups: Vec<HeldGroup>,
    notes: &dyn Notes,
    connection: &Connection,
) -> Result<Vec<HeldGroup>, Failure> {
    if groups.is_empty() {
        return Ok(groups);
    }
    for mark in notes.marks(&connection.id).await? {
        groups.iter_mut().filter(|group| group.issue == mark.issue).for_each(|group| group.marked(&mark));
    }
    Ok(groups)
}

/// The counts alone, for whoever wants to close the books.
///
/// # Errors
/// Those of the ledger.
pub async fn books(ledger: &dyn Ledger, connection: &Connection) -> Result<Books, Failure> {
    let mut books = Books::default();
    scan::each(ledger, &connection.id, |record| books.count(record)).await?;
    Ok(books)
}

fn note_oldest(oldest: &mut Vec<Oldest>, record: &Record, now: Timestamp) {
    if record.is_finished() {
        return;
    }
    let found = Oldest {
        stage: record.stage.word(),
        order: OrderKey::to_string(&record.key),
        since: record.since,
        age_seconds: now.duration_since(record.since).as_secs().max(0).unsigned_abs(),
    };
    match oldest.iter_mut().find(|known| known.stage == found.stage) {
        None => oldest.push(found),
        Some(known) if found.since < known.since => *known = found,
        Some(_) => {}
    }
}

impl Status {
    /// Is there something that a person should look at?
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        let away = self.away.is_some();
        let left_over = self.parked.notices > 0 || self.books.packages.outbox > 0;
        let held = self.held.iter().any(|group| !group.ignored);
        let late = self.clocks.iter().any(|clock| clock.late > 0);
        let differs = self.reconciled.as_ref().is_some_and(|last| last.unsettled() > 0);
        away || held || late || differs || !self.closes || left_over
    }

    /// The state for people.
    #[must_use]
    pub fn text(&self, now: Timestamp, style: Style) -> String {
        let state = if self.enabled { "" } else { ", not enabled: nothing is imported or sent" };
        let mut out = style.heading(&format!("{} ({}){state}", self.connection, self.name));
        out.push_str(&self.head(now, style));
        if !self.held.is_empty() {
            out.push('\n');
            out.push_str(&style.heading("Held, by cause"));
            out.push_str(&held::text(&self.held, now, style));
        }
        if !self.oldest.is_empty() {
            out.push('\n');
            out.push_str(&style.heading("Unfinished: the oldest of each kind"));
            out.push_str(&self.oldest_text(now, style));
        }
        if self.clocks.iter().any(|clock| clock.orders > 0 || clock.late > 0) {
            out.push('\n');
            out.push_str(&style.heading(&format!("How long orders took, of the last {} days", clocks::DAYS)));
            out.push_str(&clocks::text(&self.clocks, style));
        }
        out
    }

    fn head(&self, now: Timestamp, style: Style) -> String {
        let read =
            self.read_up_to.map_or("nothing yet".to_owned(), |at| format!("up to {}", moment(at, now)));
        let sum = if self.closes { "" } else { " (DOES NOT SUM)" };
        let mut rows = vec![("store read", read), ("orders", format!("{}{sum}", self.books.line()))];
        if let Some(away) = &self.away {
            let (since, next) = (moment(away.since, now), distance(away.probe_at, now));
            rows.insert(1, ("warehouse", format!("AWAY since {since}; orders wait, next try {next}")));
        }
        rows.extend(self.books.details());
        rows.push(("packages", self.books.packages.line()));
        if self.books.packages.outbox > 0 {
            rows.push(("outbox", format!("cartdock outbox export --connection {}", self.connection)));
        }
        if self.parked.notices > 0 {
            rows.push(("parked", self.parked.line(now)));
        }
        if let Some(last) = &self.reconciled {
            rows.push(("reconciled", reconcile::last(last, now)));
        }
        pairs(&rows, style)
    }

    fn oldest_text(&self, now: Timestamp, style: Style) -> String {
        let mut table = Table::new(&["STAGE", "ORDER", "SINCE"]);
        for oldest in &self.oldest {
            let tone = if oldest.stage == "held" { Tone::Bad } else { Tone::Plain };
            table.row([
                Cell::toned(oldest.stage, tone),
                oldest.order.as_str().into(),
                moment(oldest.since, now).into(),
            ]);
        }
        table.text(style)
    }
}

impl ParkedCount {
    fn line(&self, now: Timestamp) -> String {
        let number = count(self.notices as u64, "notice", "notices");
        let newest = self.newest_at.map_or(String::new(), |at| format!(", the newest {}", distance(at, now)));
        let why = self.newest_why.as_ref().map_or(String::new(), |why| format!(": {why}"));
        format!("{number} that could not be read or placed{newest}{why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeLedger, FakeNotes, connection, now, record, shipped};
    use domain::mapping::{Gap, Sku};
    use domain::notes::Mark;
    use domain::record::{Cause, Exclusion, Stage, Wait};
    use domain::shipment::Post;
    use jiff::SignedDuration;

    fn unmapped(skus: &[&str]) -> Stage {
        let gaps = skus.iter().map(|sku| Gap::UnknownSku(Sku::parse(sku).unwrap())).collect();
        Stage::Held(Cause::Unmapped(gaps))
    }

    fn ledger() -> FakeLedger {
        FakeLedger::with([
            record(1, Stage::Posted, 60),
            record(2, unmapped(&["A", "B"]), 600),
            record(3, unmapped(&["B"]), 300),
            record(4, Stage::Held(Cause::InDoubt), 10),
            record(5, Stage::Excluded(Exclusion::Digital), 60),
            record(6, Stage::Waiting(Wait::Unpaid("pending".into())), 60),
            record(7, Stage::Ready { not_before: None }, 60),
            record(8, Stage::Cancelled, 60),
            shipped(9, Stage::Shipped, &[Post::Outbox { why: "the store cannot take it".into() }, Post::Due]),
            shipped(10, Stage::Posted, &[Post::Posted]),
        ])
    }

    #[tokio::test]
    async fn every_order_is_counted_once() {
        let status = status(&ledger(), &FakeNotes::default(), &connection("main"), now()).await.unwrap();
        assert_eq!(
            status.books.line(),
            "10 = 3 sent + 3 held + 1 excluded + 1 waiting + 1 on the way + 1 cancelled"
        );
        assert!(status.closes);
        assert_eq!(status.books.packages.line(), "3 shipped = 1 posted + 1 in the outbox + 1 to be posted");
        assert!(status.needs_attention());
    }

    #[tokio::test]
    async fn held_orders_are_grouped_by_what_is_missing() {
        let status = status(&ledger(), &FakeNotes::default(), &connection("main"), now()).await.unwrap();
        let groups: Vec<(&str, u64, &str)> =
            status.held.iter().map(|g| (g.cause.as_str(), g.orders, g.oldest.as_str())).collect();
        assert_eq!(
            groups,
            [
                ("SKU B has no listing", 2, "main/2"),
                ("SKU A has no listing", 1, "main/2"),
                ("sent, the answer was lost, and this warehouse cannot be asked", 1, "main/4"),
            ]
        );
        assert_eq!(status.held[0].cure.row.as_deref(), Some("B,<warehouse SKU>,1"));
    }

    #[tokio::test]
    async fn what_a_person_ignores_needs_no_attention() {
        let ledger = FakeLedger::with([record(2, Stage::Held(Cause::Comment), 60)]);
        let notes = FakeNotes::default();
        let look = async || status(&ledger, &notes, &connection("main"), now()).await.unwrap();
        let held = look().await;
        assert!(held.needs_attention());
        let mark = Mark { issue: held.held[0].issue.clone(), ignored: true, ..Mark::default() };
        assert!(notes.set_mark(&connection("main").id, &mark).await.unwrap());
        let ignored = look().await;
        assert!(!ignored.needs_attention() && ignored.text(now(), Style::PLAIN).contains("(ignored)"));
    }

    #[tokio::test]
    async fn the_screen_fits_and_says_what_to_type() {
        let mut ledger = ledger();
        ledger.keep_parked("x", "a shipment notice: no such order is in the ledger");
        let status = status(&ledger, &FakeNotes::default(), &connection("main"), now()).await.unwrap();
        let text = status.text(now(), Style::PLAIN);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line:?}");
        }
        for part in [
            "10 = 3 sent + 3 held",
            "cartdock map import listings.csv --connection main",
            "B,<warehouse SKU>,1",
            "cartdock outbox export --connection main",
            "1 notice that could not be read",
            "main/2",
            "(10 min ago)",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert_eq!(serde_json::to_value(&status).unwrap()["books"]["held"]["unmapped"], 2);
    }

    #[tokio::test]
    async fn a_warehouse_that_is_away_is_told() {
        let mut ledger = FakeLedger::default();
        ledger.circuit.away =
            Some(Away { since: now() - SignedDuration::from_mins(90), probes: 40, probe_at: now() });
        let status = status(&ledger, &FakeNotes::default(), &connection("main"), now()).await.unwrap();
        let text = status.text(now(), Style::PLAIN);
        assert!(status.needs_attention() && text.contains("AWAY since"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[tokio::test]
    async fn more_orders_than_a_page_are_all_counted() {
        let ledger = FakeLedger::with((1..=450).map(|n| record(n, Stage::Posted, 1)));
        assert_eq!(books(&ledger, &connection("main")).await.unwrap().orders, 450);
    }

    #[tokio::test]
    async fn a_quiet_connection_needs_no_attention() {
        let ledger = FakeLedger::with([shipped(10, Stage::Posted, &[Post::Posted])]);
        let status = status(&ledger, &FakeNotes::default(), &connection("main"), now()).await.unwrap();
        assert!(!status.needs_attention());
        assert!(!status.text(now(), Style::PLAIN).contains("Held"));
    }
}
