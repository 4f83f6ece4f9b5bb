//! One order on one screen: where it is, since when, what happens next, and its whole story. No personal data.

use std::sync::Arc;

use domain::intake::body_of;
use domain::ports::{Connections, Ledger, Mappings, Partners};
use domain::record::{Cause, Entry, Record, Stage};
use domain::shipment::{Package, Post};
use domain::warehouse::{Repeat, Warehouse};
use jiff::Timestamp;
use serde::Serialize;

use crate::cure::Cure;
use crate::find::{NotFound, find};
use crate::text::{Cell, Style, Table, Tone, instant, moment, pairs, wrap};

mod next;
mod request;
pub use next::Next;
pub use request::{LastRequest, Made};

/// How the line of the story begins that begins an attempt.
const ATTEMPT: &str = "sending, attempt";

/// What explaining needs.
#[derive(Clone, Copy)]
pub struct Explain<'a> {
    /// Which connections there are.
    pub connections: &'a dyn Connections,
    /// The truth.
    pub ledger: &'a dyn Ledger,
    /// The warehouses, for the exact reference; without them the long form of it is shown.
    pub partners: Option<&'a dyn Partners>,
    /// The mappings, to show what the last attempt asked for; without them that is left out.
    pub mappings: Option<&'a dyn Mappings>,
    /// The instant now.
    pub now: Timestamp,
}

/// Everything about one order but its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Which order, as `connection/number`.
    pub order: String,
    /// The word of its stage.
    pub stage: &'static str,
    /// The stage in a sentence.
    pub meaning: String,
    /// Since when it stands there.
    pub since: Timestamp,
    /// What happens next.
    pub next: Next,
    /// What a person can do, when it is held.
    pub cures: Vec<Cure>,
    /// When it came into the ledger.
    pub imported_at: Timestamp,
    /// Attempts to send so far.
    pub attempts: u32,
    /// Our reference at the warehouse.
    pub reference: String,
    /// The warehouse's id of it.
    pub warehouse_order: Option<String>,
    /// Pieces that were sent.
    pub pieces: u32,
    /// Version of the mapping that was used to send it; 0 when it has not been sent.
    pub mapping_version: u64,
    /// For an order that changed after it was sent: what is another in the store now, without personal data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// What has left.
    pub packages: Vec<PackageLine>,
    /// Its story, oldest first.
    pub story: Vec<StoryLine>,
    /// What the last attempt asked the warehouse for, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<LastRequest>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageLine {
    /// The warehouse's id of it.
    pub id: String,
    /// When it left.
    pub shipped_at: Timestamp,
    /// Who carries it.
    pub carrier: Option<String>,
    /// Its number.
    pub tracking_number: Option<String>,
    /// Its tracking page.
    pub tracking_url: Option<String>,
    /// Was it taken back?
    pub voided: bool,
    /// What became of its tracking in the store.
    pub post: String,
}

/// One line of the story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoryLine {
    /// When.
    pub at: Timestamp,
    /// Who: a use case or a person.
    pub by: String,
    /// What happened.
    pub what: String,
    /// For what ended an attempt: how long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
}

impl Explain<'_> {
    /// Explains the order that a text names: `connection/number`, or a number that only one connection has.
    ///
    /// # Errors
    /// See [`NotFound`].
    pub async fn explain(&self, text: &str) -> Result<Explanation, NotFound> {
        let record = find(self.connections, self.ledger, text).await?;
        let mut story = self.ledger.older_story(&record.key).await?;
        // What the record holds wins; an entry is in both places while it is being moved.
        let first = record.story.first().map_or(u32::MAX, |entry| entry.seq);
        story.retain(|entry| entry.seq < first);
        story.extend(record.story.iter().cloned());
        let warehouse = self.warehouse(&record).await;
        let reference = reference(&record, warehouse.as_deref());
        let can_be_asked = !warehouse.is_some_and(|warehouse| matches!(warehouse.repeat, Repeat::Cannot));
        let changed = self.changed(&record).await;
        let request = self.last_request(&record).await;
        let told = Explanation::of(&record, reference, can_be_asked, story, self.now);
        Ok(Explanation { changed, request, ..told })
    }

    /// What is another in the store now than when it was sent. Nothing where that cannot be found out: the body that was
    /// sent has expired, or the store does not answer.
    async fn changed(&self, record: &Record) -> Vec<String> {
        if record.stage != Stage::Held(Cause::ChangedAfterSending) {
            return Vec::new();
        }
        let compared = async {
            let (_, sent) = self.ledger.open(&record.key, true).await.ok()??;
            let connection = self.connections.get(&record.key.connection).await.ok()??;
            let store = self.partners?.store(&connection).await.ok()?;
            let read = store.orders.read(&record.key.order.to_string()).await.ok()?;
            Some(body_of(&read)?.differences(&sent?))
        };
        compared.await.unwrap_or_default()
    }

    async fn warehouse(&self, record: &Record) -> Option<Arc<Warehouse>> {
        let connection = self.connections.get(&record.key.connection).await.ok()??;
        self.partners?.warehouse(&connection).await.ok()
    }
}

/// The reference as the warehouse knows it: its limit decides whether the long or the short form was used.
fn reference(record: &Record, warehouse: Option<&Warehouse>) -> String {
    let limit = warehouse.map_or(usize::MAX, |warehouse| warehouse.limits.reference);
    domain::fulfillment::reference(&record.key, record.revision, limit)
        .map_or_else(|e| e.to_string(), |reference| reference.to_string())
}

impl Explanation {
    fn of(record: &Record, reference: String, can_be_asked: bool, story: Vec<Entry>, now: Timestamp) -> Self {
        Self {
            order: record.key.to_string(),
            stage: record.stage.word(),
            meaning: next::meaning(record, can_be_asked),
            since: record.since,
            next: next::next(record, &reference, can_be_asked, now),
            cures: next::cures(record),
            imported_at: record.imported_at,
            attempts: record.attempts,
            reference,
            warehouse_order: record.warehouse_order.as_ref().map(ToString::to_string),
            pieces: record.units,
            mapping_version: record.mapping,
            changed: Vec::new(),
            packages: record.packages.iter().map(PackageLine::of).collect(),
            story: told(story),
            request: None,
        }
    }

    /// The order for people, on one screen.
    #[must_use]
    pub fn text(&self, now: Timestamp, style: Style) -> String {
        let tone = if self.stage == "held" { Tone::Bad } else { Tone::Strong };
        let mut out =
            format!("{}  {}\n", style.paint(Tone::Strong, &self.order), style.paint(tone, self.stage));
        for line in wrap(&self.meaning, style.width.saturating_sub(2)) {
            out.push_str(&format!("  {line}\n"));
        }
        out.push_str(&pairs(&self.facts(now), style));
        if !self.packages.is_empty() {
            out.push('\n');
            out.push_str(&style.heading("Packages"));
            out.push_str(&self.packages_text(style));
        }
        out.push('\n');
        out.push_str(&style.heading("Story"));
        let mut table = Table::new(&["WHEN", "WHO", "WHAT"]);
        for line in &self.story {
            let took = line.took_ms.map_or(String::new(), |took| format!(" (after {took} ms)"));
            let what = format!("{}{took}", line.what);
            table.row([instant(line.at).into(), line.by.as_str().into(), what.into()]);
        }
        out.push_str(&table.text(style));
        if let Some(request) = &self.request {
            out.push('\n');
            out.push_str(&request.text(style));
        }
        out
    }

    fn facts(&self, now: Timestamp) -> Vec<(&'static str, String)> {
        let mut facts = vec![("since", moment(self.since, now)), ("next", self.next.text(now))];
        facts.extend(self.changed.iter().map(|change| ("changed", change.clone())));
        for cure in &self.cures {
            facts.push(("cure", cure.what.clone()));
            facts.extend(cure.row.clone().map(|row| ("row", row)));
            facts.extend(cure.command.clone().map(|command| ("then", command)));
        }
        facts.push(("imported", moment(self.imported_at, now)));
        facts.push(("reference", self.reference.clone()));
        if let Some(id) = &self.warehouse_order {
            facts.push(("warehouse", format!("knows it as {id}")));
        }
        if self.attempts > 0 {
            let pieces = crate::text::count(u64::from(self.pieces), "piece", "pieces");
            let attempts = crate::text::count(u64::from(self.attempts), "attempt", "attempts");
            facts
                .push(("sent", format!("{pieces}, {attempts}, by mapping version {}", self.mapping_version)));
        }
        facts
    }

    fn packages_text(&self, style: Style) -> String {
        let mut table = Table::new(&["PACKAGE", "LEFT", "TRACKING", "IN THE STORE"]);
        for package in &self.packages {
            let tracking = [package.carrier.as_deref(), package.tracking_number.as_deref()];
            let tracking: Vec<&str> = tracking.into_iter().flatten().collect();
            let post = if package.voided { "taken back" } else { &package.post };
            let tone = if package.voided { Tone::Faint } else { Tone::Plain };
            table.row([
                Cell::toned(package.id.as_str(), tone),
                Cell::toned(instant(package.shipped_at), tone),
                Cell::toned(tracking.join(" "), tone),
                Cell::toned(post, tone),
            ]);
        }
        table.text(style)
    }
}

/// The story, with the time that each attempt took.
fn told(story: Vec<Entry>) -> Vec<StoryLine> {
    let mut lines: Vec<StoryLine> = Vec::new();
    for entry in story {
        let (by, what): (String, String) = (entry.by.into(), entry.what.into());
        let began = lines.last().filter(|last| last.by == by && last.what.starts_with(ATTEMPT));
        let took = began.map(|began| entry.at.duration_since(began.at).as_millis());
        let took_ms = took.and_then(|took| u64::try_from(took).ok());
        lines.push(StoryLine { at: entry.at, by, what, took_ms });
    }
    lines
}

impl PackageLine {
    fn of(package: &Package) -> Self {
        let tracking = package.tracking.as_ref();
        Self {
            id: package.id.to_string(),
            shipped_at: package.shipped_at,
            carrier: tracking.map(|tracking| tracking.carrier.name.clone()),
            tracking_number: tracking.map(|tracking| tracking.number.as_str().to_owned()),
            tracking_url: tracking.and_then(domain::carrier::Tracking::url),
            voided: package.voided,
            post: match &package.post {
                Post::Due => "to be posted".to_owned(),
                Post::Claimed { .. } => "being posted".to_owned(),
                Post::Posted => "posted".to_owned(),
                Post::Outbox { why } => format!("in the outbox: {why}"),
                Post::NotNeeded => "nothing to post".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeConnections, FakeLedger, connection, now, record, shipped};
    use domain::mapping::{Gap, Sku};
    use jiff::SignedDuration;

    async fn explained(ledger: &FakeLedger, text: &str) -> Result<Explanation, NotFound> {
        let connections = FakeConnections(vec![connection("main"), connection("other")]);
        Explain { connections: &connections, ledger, partners: None, mappings: None, now: now() }
            .explain(text)
            .await
    }

    fn entry(seq: u32, what: &str) -> Entry {
        Entry { seq, at: now(), by: "forward-orders".into(), what: what.into() }
    }

    #[tokio::test]
    async fn the_story_is_whole_and_in_order() {
        let mut ledger = FakeLedger::with([Record {
            story: vec![entry(2, "two"), entry(3, "three")],
            ..record(7, Stage::Accepted, 60)
        }]);
        ledger.older = vec![entry(0, "zero"), entry(1, "one"), entry(2, "two")];
        let story = explained(&ledger, "main/7").await.unwrap().story;
        let story: Vec<&str> = story.iter().map(|line| line.what.as_str()).collect();
        assert_eq!(story, ["zero", "one", "two", "three"]);
    }

    #[tokio::test]
    async fn an_attempt_says_how_long_it_took() {
        let later = |seq: u32, what: &str, millis: i64| Entry {
            at: now() + SignedDuration::from_millis(millis),
            ..entry(seq, what)
        };
        let story = vec![
            later(0, "imported: ready", 0),
            later(1, "sending, attempt 1", 5),
            later(2, "accepted as W", 340),
        ];
        let ledger = FakeLedger::with([Record { story, ..record(7, Stage::Accepted, 60) }]);
        let explanation = explained(&ledger, "7").await.unwrap();
        let took: Vec<Option<u64>> = explanation.story.iter().map(|line| line.took_ms).collect();
        assert_eq!(took, [None, None, Some(335)]);
        assert!(explanation.text(now(), Style::PLAIN).contains("accepted as W (after 335 ms)"));
    }

    #[tokio::test]
    async fn a_bare_number_is_enough_where_it_is_unique() {
        let mut twin = record(8, Stage::Accepted, 60);
        twin.key.connection = "other".parse().unwrap();
        let ledger = FakeLedger::with([record(7, Stage::Accepted, 60), record(8, Stage::Accepted, 60), twin]);
        assert_eq!(explained(&ledger, " 7 ").await.unwrap().order, "main/7");
        let ambiguous = explained(&ledger, "8").await.unwrap_err().to_string();
        assert!(ambiguous.contains("main/8, other/8"), "{ambiguous}");
        assert!(explained(&ledger, "9").await.unwrap_err().to_string().contains("not in the ledger"));
        assert!(explained(&ledger, "x1").await.unwrap_err().to_string().contains("main/10482"));
        assert!(explained(&ledger, "Main/1").await.unwrap_err().to_string().contains("main/10482"));
    }

    #[tokio::test]
    async fn an_order_that_is_to_be_cancelled_says_so() {
        let recalled = Record { recall: Some("refunded".into()), ..record(7, Stage::Accepted, 60) };
        let ledger = FakeLedger::with([recalled, record(8, Stage::Accepted, 60)]);
        for (order, is_recalled) in [("7", true), ("8", false)] {
            let text = explained(&ledger, order).await.unwrap().text(now(), Style::PLAIN);
            for part in ["The sale was taken back", "the warehouse is asked to cancel"] {
                assert_eq!(text.contains(part), is_recalled, "{text}");
            }
        }
    }

    #[tokio::test]
    async fn a_held_order_names_its_cures() {
        let gaps = vec![
            Gap::UnknownSku(Sku::parse("MUG").unwrap()),
            Gap::UnknownMethod { method: "PIGEON".into(), country: "CA".into() },
        ];
        let ledger = FakeLedger::with([record(7, Stage::Held(Cause::Unmapped(gaps)), 60)]);
        let text = explained(&ledger, "7").await.unwrap().text(now(), Style::PLAIN);
        for part in ["MUG,<warehouse SKU>,1", "is,PIGEON,CA,,,<service>", "SKU MUG has no listing", "main-7"]
        {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[tokio::test]
    async fn packages_and_their_posts_are_shown_within_the_screen() {
        let posts = [
            Post::Posted,
            Post::Outbox { why: "the store's API offers no call that changes an order".into() },
        ];
        let ledger = FakeLedger::with([shipped(7, Stage::Shipped, &posts)]);
        let explanation = explained(&ledger, "7").await.unwrap();
        let text = explanation.text(now(), Style::PLAIN);
        assert!(text.contains("1Z70") && text.contains("posted") && text.contains("in the outbox"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let json = serde_json::to_value(&explanation).unwrap();
        assert_eq!(json["packages"][0]["tracking_number"], "1Z70");
        assert_eq!(json["since"], "2026-11-23T08:59:00Z");
    }

    #[tokio::test]
    async fn an_order_that_should_have_moved_says_so() {
        let late = now() - SignedDuration::from_secs(3600);
        let mut overdue = record(7, Stage::Ready { not_before: None }, 3600);
        overdue.wake = Some(late);
        let text = explained(&FakeLedger::with([overdue]), "7").await.unwrap().text(now(), Style::PLAIN);
        assert!(text.contains("is cartdock running?"), "{text}");
    }
}
