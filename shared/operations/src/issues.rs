//! Issues: one for each cause that orders wait for, over all connections, with what people said about it.
//!
//! An issue opens with the first order that waits and closes with the last one: nobody opens or closes it by hand. What was
//! said about it is kept, should the same cause come again.

use std::fmt;

use domain::connection::Connection;
use domain::notes::{Mark, Notes, Said};
use domain::ports::Ledger;
use domain::record::Record;
use domain::{ConnectionId, Failure};
use jiff::Timestamp;
use serde::Serialize;

use crate::scan;
use crate::status::{HeldGroup, HeldGroups, issue_ids};
use crate::text::{Cell, Style, Table, Tone, clean, count, distance, moment, pairs, wrap};

/// How many sayings about an issue are kept.
const SAID: usize = 20;

/// How often a mark that others keep changing is tried again.
const TRIES: u32 = 5;

/// An issue of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// Whose.
    pub connection: ConnectionId,
    /// The orders that wait, and for what.
    #[serde(flatten)]
    pub group: HeldGroup,
    /// What was said about it, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Said>,
}

/// An issue with all its orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The issue.
    #[serde(flatten)]
    pub issue: Issue,
    /// All orders that wait for it: number, and since when.
    pub waiting: Vec<(u64, Timestamp)>,
}

/// Why an issue cannot be named.
#[derive(Debug)]
pub enum NotFound {
    /// No open issue has an id that begins so.
    Unknown(String),
    /// Several do.
    Ambiguous(String, Vec<String>),
    /// The ledger could not be read.
    Failed(Failure),
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(id) => {
                write!(f, "no open issue has the id {}; cartdock issues lists those that are open", clean(id))
            }
            Self::Ambiguous(id, all) => {
                write!(f, "several issues begin with {}: {}", clean(id), all.join(", "))
            }
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for NotFound {}

impl From<Failure> for NotFound {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What a person says about an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    /// Somebody takes care of it; none: nobody does any more.
    Assign(Option<String>),
    /// A remark.
    Note(String),
    /// Nobody wants to hear of it, or does again.
    Ignore(bool),
}

/// The open issues of a connection, most orders first.
///
/// # Errors
/// Those of the ledger and the notes.
pub async fn list(
    ledger: &dyn Ledger,
    notes: &dyn Notes,
    connection: &ConnectionId,
) -> Result<Vec<Issue>, Failure> {
    let mut held = HeldGroups::default();
    scan::each(ledger, connection, |record| held.count(record)).await?;
    let groups = held.groups();
    let marks = if groups.is_empty() { Vec::new() } else { notes.marks(connection).await? };
    Ok(groups.into_iter().map(|group| Issue::of(connection, group, &marks)).collect())
}

/// The one open issue whose id begins with `id`.
///
/// # Errors
/// See [`NotFound`].
pub async fn find(
    ledger: &dyn Ledger,
    notes: &dyn Notes,
    connections: &[Connection],
    id: &str,
) -> Result<Issue, NotFound> {
    let mut found = Vec::new();
    for connection in connections {
        let all = list(ledger, notes, &connection.id).await?;
        found.extend(all.into_iter().filter(|issue| !id.is_empty() && issue.group.issue.starts_with(id)));
    }
    match found.len() {
        0 => Err(NotFound::Unknown(id.to_owned())),
        1 => Ok(found.swap_remove(0)),
        _ => {
            let all = found.into_iter().map(|issue| issue.group.issue).collect();
            Err(NotFound::Ambiguous(id.to_owned(), all))
        }
    }
}

/// An issue with all its orders.
///
/// # Errors
/// Those of the ledger.
pub async fn show(ledger: &dyn Ledger, issue: Issue) -> Result<Shown, Failure> {
    let mut waiting = Vec::new();
    scan::each(ledger, &issue.connection, |record: &Record| {
        if issue_ids(record).contains(&issue.group.issue) {
            waiting.push((record.key.order.0, record.since));
        }
    })
    .await?;
    Ok(Shown { issue, waiting })
}

/// Writes down what a person says about an issue. Somebody else's word at the same moment is kept as well.
///
/// # Errors
/// Those of the notes; retryable when others keep changing it.
pub async fn say(
    notes: &dyn Notes,
    issue: &Issue,
    saying: &Saying,
    by: &str,
    now: Timestamp,
) -> Result<Issue, Failure> {
    let id = &issue.group.issue;
    for _ in 0..TRIES {
        let marks = notes.marks(&issue.connection).await?;
        let known = marks.into_iter().find(|mark| mark.issue == *id);
        let mark = known.unwrap_or_else(|| Mark { issue: id.clone(), ..Mark::default() });
        let mark = said(mark, saying, by, now);
        if notes.set_mark(&issue.connection, &mark).await? {
            return Ok(Issue::of(&issue.connection, issue.group.clone(), &[mark]));
        }
    }
    Err(Failure::retryable("note issue", format!("issue {id} is being changed by others; try again")))
}

fn said(mut mark: Mark, saying: &Saying, by: &str, now: Timestamp) -> Mark {
    let text = match saying {
        Saying::Assign(Some(to)) => format!("assigned to {to}"),
        Saying::Assign(None) => "assigned to nobody".to_owned(),
        Saying::Note(text) => text.clone(),
        Saying::Ignore(true) => "ignored".to_owned(),
        Saying::Ignore(false) => "not ignored any more".to_owned(),
    };
    match saying {
        Saying::Assign(to) => mark.assigned.clone_from(to),
        Saying::Ignore(ignored) => mark.ignored = *ignored,
        Saying::Note(_) => {}
    }
    mark.said.push(Said { at: now, by: by.to_owned(), text });
    let too_many = mark.said.len().saturating_sub(SAID);
    mark.said.drain(..too_many);
    mark
}

impl Issue {
    fn of(connection: &ConnectionId, mut group: HeldGroup, marks: &[Mark]) -> Self {
        let mark = marks.iter().find(|mark| mark.issue == group.issue).cloned().unwrap_or_default();
        group.marked(&mark);
        Self { connection: connection.clone(), group, said: mark.said }
    }
}

/// The issues for people, in one table.
#[must_use]
pub fn text(issues: &[Issue], now: Timestamp, style: Style) -> String {
    if issues.is_empty() {
        return format!("  {}\n", style.paint(Tone::Good, "No order waits for anybody."));
    }
    let mut table = Table::new(&["ISSUE", "#ORDERS", "OLDEST", "CAUSE", "WHO", "BY ITSELF"]);
    for issue in issues {
        let group = &issue.group;
        let tone = if group.ignored { Tone::Faint } else { Tone::Plain };
        let who = if group.ignored { "ignored" } else { group.assigned.as_deref().unwrap_or("-") };
        table.row([
            Cell::toned(group.issue.as_str(), tone),
            group.orders.into(),
            Cell::toned(format!("{}, {}", group.oldest, distance(group.since, now)), tone),
            Cell::toned(group.cause.as_str(), if group.ignored { Tone::Faint } else { Tone::Bad }),
            Cell::toned(who, tone),
            (if group.heals { "looked at again" } else { "no" }).into(),
        ]);
    }
    format!("{}  the cure of one: cartdock issues show ISSUE\n", table.text(style))
}

impl Shown {
    /// The issue for people: its cure, its orders, what was said.
    #[must_use]
    pub fn text(&self, now: Timestamp, style: Style) -> String {
        let Issue { connection, group, said } = &self.issue;
        let heading = format!("{} of {connection}: {}", group.issue, group.cause);
        let mut out: String = wrap(&heading, style.width).iter().map(|line| style.heading(line)).collect();
        let mut rows = vec![("oldest", format!("{} since {}", group.oldest, moment(group.since, now)))];
        rows.extend(group.cure_rows());
        rows.push(("by itself", group.heals_by_itself().to_owned()));
        rows.push(("taken care of", group.assigned.clone().unwrap_or("by nobody yet".to_owned())));
        if group.ignored {
            rows.push(("ignored", "it does not count as something that needs attention".to_owned()));
        }
        rows.extend(
            said.iter().map(|said| ("said", format!("{}, {}: {}", moment(said.at, now), said.by, said.text))),
        );
        let orders: Vec<String> = self.waiting.iter().map(|(order, _)| order.to_string()).collect();
        let number = count(orders.len() as u64, "order waits", "orders wait");
        rows.push(("orders", format!("{number}: {}", orders.join(", "))));
        out.push_str(&pairs(&rows, style));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeLedger, FakeNotes, connection, now, record};
    use domain::mapping::{Gap, Sku};
    use domain::record::{Cause, Stage};

    fn unmapped(sku: &str) -> Stage {
        Stage::Held(Cause::Unmapped(vec![Gap::UnknownSku(Sku::parse(sku).unwrap())]))
    }

    fn ledger() -> FakeLedger {
        FakeLedger::with([
            record(1, unmapped("MUG"), 600),
            record(2, unmapped("MUG"), 300),
            record(3, Stage::Held(Cause::Comment), 60),
            record(4, Stage::Posted, 60),
        ])
    }

    async fn first(notes: &FakeNotes) -> Issue {
        list(&ledger(), notes, &connection("main").id).await.unwrap().swap_remove(0)
    }

    #[tokio::test]
    async fn an_issue_is_one_cause_with_all_its_orders() {
        let notes = FakeNotes::default();
        let all = list(&ledger(), &notes, &connection("main").id).await.unwrap();
        let told: Vec<(u64, &str, bool)> =
            all.iter().map(|i| (i.group.orders, i.group.word, i.group.heals)).collect();
        assert_eq!(told, [(2, "unmapped", true), (1, "comment", false)]);
        let shown = show(&ledger(), all[0].clone()).await.unwrap();
        let text = shown.text(now(), Style::PLAIN);
        for part in
            ["SKU MUG has no listing", "2 orders wait: 1, 2", "MUG,<warehouse SKU>,1", "by nobody yet"]
        {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        let table = super::text(&all, now(), Style::PLAIN);
        assert!(table.lines().chain(text.lines()).all(|line| line.chars().count() <= 80), "{table}{text}");
        assert_eq!(serde_json::to_value(&all[0]).unwrap()["connection"], "main");
    }

    #[tokio::test]
    async fn what_is_said_is_kept_beside_what_others_say_at_the_same_time() {
        let notes = FakeNotes::default();
        let issue = first(&notes).await;
        say(&notes, &issue, &Saying::Assign(Some("ada".into())), "bob", now()).await.unwrap();
        *notes.races.lock().unwrap() = 1;
        say(&notes, &issue, &Saying::Note("asked the buyer".into()), "ada", now()).await.unwrap();
        say(&notes, &issue, &Saying::Ignore(true), "ada", now()).await.unwrap();
        let issue = first(&notes).await;
        assert_eq!((issue.group.assigned.as_deref(), issue.group.ignored), (Some("ada"), true));
        let texts: Vec<&str> = issue.said.iter().map(|said| said.text.as_str()).collect();
        assert!(texts.starts_with(&["assigned to ada", "asked the buyer"]), "{texts:?}");
        let text = show(&ledger(), issue).await.unwrap().text(now(), Style::PLAIN);
        assert!(text.contains("ada: asked the buyer") && text.contains("ignored"), "{text}");
    }

    #[tokio::test]
    async fn the_last_sayings_are_kept() {
        let notes = FakeNotes::default();
        let issue = first(&notes).await;
        for n in 0..30 {
            say(&notes, &issue, &Saying::Note(n.to_string()), "ada", now()).await.unwrap();
        }
        let said = first(&notes).await.said;
        assert_eq!((said.len(), said[0].text.as_str()), (SAID, "10"));
    }

    #[tokio::test]
    async fn an_issue_is_named_by_the_beginning_of_its_id() {
        let notes = FakeNotes::default();
        let issue = first(&notes).await;
        let connections = [connection("main")];
        let find = async |id: &str| find(&ledger(), &notes, &connections, id).await;
        assert_eq!(find(&issue.group.issue[..4]).await.unwrap(), issue);
        for id in ["", "zz"] {
            assert!(find(id).await.unwrap_err().to_string().contains("cartdock issues"), "{id}");
        }
    }
}
