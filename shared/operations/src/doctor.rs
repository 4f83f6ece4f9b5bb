//! Is everything at work as it should be? What a running connection shows of it, each finding with its cure.
//!
//! [`crate::check`] asks whether a connection can work; this looks at whether it does.

use std::time::Duration;

use domain::Failure;
use domain::connection::Connection;
use domain::life::later;
use domain::notes::Notes;
use domain::ports::{Clock, Ledger, Mappings, Partners};
use jiff::Timestamp;
use serde::Serialize;

use crate::check::{CheckReport, Checked};
use crate::coverage::{Share, coverage};
use crate::polled::{Polled, polled};
use crate::recent::{Recent, Silent, Span};
use crate::scan;
use crate::status::{Status, status};
use crate::text::{Style, Tone, count, distance, moment, span};

mod stuck;
#[cfg(test)]
mod tests;

/// How late a look at an order, or a daily reconciliation, may be before nobody seems to be at work.
const LATE: Duration = Duration::from_secs(10 * 60);

/// So many orders show whether the mapping translates what is sold.
const LAST: Span = Span::Orders(20);

/// A queue that holds more than this is worth a word.
const DEEP: u64 = 1000;

/// What doctor looks with.
#[derive(Clone, Copy)]
pub struct Doctor<'a> {
    /// Both sides of each connection.
    pub partners: &'a dyn Partners,
    /// The truth.
    pub ledger: &'a dyn Ledger,
    /// What is noted beside the orders.
    pub notes: &'a dyn Notes,
    /// Shop words to warehouse words.
    pub mappings: &'a dyn Mappings,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// How much is on a queue of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Depth {
    /// The queue.
    pub name: String,
    /// Is it one of dead letters?
    pub is_dead: bool,
    /// Messages on it.
    pub messages: u64,
}

impl Doctor<'_> {
    /// Looks at one connection. Never fails: what cannot be looked at is a finding.
    pub async fn look(&self, connection: &Connection) -> Vec<Checked> {
        if !connection.enabled {
            return vec![told("ledger", "state", "not enabled: nothing is polled or sent")];
        }
        if !connection.is_complete() {
            let what =
                "the ledger is being filled from the store; nothing is sent before its end (cartdock status)";
            return vec![told("ledger", "state", what)];
        }
        let mut findings = Vec::new();
        match status(self.ledger, self.notes, connection, self.clock.now()).await {
            Ok(status) => findings.extend(of_status(connection, &status)),
            Err(failure) => findings.push(failed("ledger", "orders", &failure)),
        }
        findings.push(or_failed("at work", self.at_work(connection).await));
        findings.push(or_failed("daily", self.daily(connection).await));
        findings
            .push(or_failed("attempts", stuck::attempts(self.ledger, connection, self.clock.now()).await));
        findings.push(or_failed("coverage", self.coverage(connection).await));
        findings.push(
            self.polled(connection).await.unwrap_or_else(|failure| failed("store", "polling", &failure)),
        );
        findings.push(or_failed("told", self.told(connection).await));
        findings
    }

    /// Does somebody look at what is due? Orders that wait for a warehouse which is away are meant to wait.
    async fn at_work(&self, connection: &Connection) -> Result<Checked, Failure> {
        let now = self.clock.now();
        let circuit = self.ledger.circuit(&connection.id).await?;
        if circuit.away.is_some() || circuit.backlog.is_some() {
            return Ok(told("ledger", "at work", "cannot be seen while orders wait for the warehouse"));
        }
        let due_by = now.checked_sub(LATE).unwrap_or(Timestamp::MIN);
        let oldest = self.ledger.due(&connection.id, None, due_by, 1).await?.into_iter().next();
        Ok(match oldest {
            None => good("ledger", "at work", "whatever was due has been looked at"),
            Some(due) => bad(
                "ledger",
                "at work",
                format!(
                    "orders were to be looked at {}, and were not: nobody sweeps. On one machine start cartdock \
                     run; on AWS see the runbook silent.md",
                    distance(due.at, now)
                ),
            ),
        })
    }

    async fn daily(&self, connection: &Connection) -> Result<Checked, Failure> {
        let now = self.clock.now();
        let Some(daily) = self.notes.daily(&connection.id).await? else {
            return Ok(told(
                "ledger",
                "daily",
                "no daily comparison yet: the first one begins after a day of running",
            ));
        };
        let overdue = later(daily.due, LATE) < now && daily.running.is_none();
        let last =
            daily.last.map_or("there was none yet".to_owned(), |last| crate::reconcile::last(&last, now));
        Ok(if overdue {
            let cure = "nobody runs (cartdock run), or the sweep has no time for it; compare now: cartdock reconcile";
            bad(
                "ledger",
                "daily",
                format!(
                    "the daily comparison was due {}: {cure}. The last: {last}",
                    distance(daily.due, now)
                ),
            )
        } else {
            good("ledger", "daily", last)
        })
    }

    /// Does the mapping translate what is sold?
    async fn coverage(&self, connection: &Connection) -> Result<Checked, Failure> {
        let store = self.partners.store(connection).await?;
        let recent = Recent {
            connection,
            store: store.orders.as_ref(),
            ledger: self.ledger,
            now: self.clock.now(),
            progress: &Silent,
        };
        let mapping = self.mappings.current(&connection.id).await?;
        let coverage = coverage(&recent, LAST, &mapping).await?;
        let Share { all, translated } = coverage.orders;
        let share =
            format!("the mapping translates {translated} of the last {}", count(all, "order", "orders"));
        let cure = format!("cartdock map coverage --connection {}", connection.id);
        Ok(finding("mapping", "coverage", !coverage.needs_attention(), share, &cure))
    }

    /// Is what the store took in the last day in the ledger? That is what polling is for.
    async fn polled(&self, connection: &Connection) -> Result<Checked, Failure> {
        let Polled { listed, unknown, is_late } =
            polled(self.partners, self.ledger, self.clock, connection).await?;
        let orders = count(listed as u64, "order", "orders");
        Ok(match (is_late, unknown) {
            (false, 0) => good("store", "polling", format!("{orders} of the last day, all in the ledger")),
            (false, new) => {
                good("store", "polling", format!("{orders} of the last day, {new} of them not polled yet"))
            }
            (true, missing) => bad(
                "store",
                "polling",
                format!(
                    "{missing} of {orders} of the last day are not in the ledger: nobody polls, or they slipped \
                     through (cartdock reconcile {} --fix)",
                    connection.id
                ),
            ),
        })
    }

    /// When people were last told something, and what they have not been told the end of.
    async fn told(&self, connection: &Connection) -> Result<Checked, Failure> {
        let said = self.notes.told(&connection.id).await?.unwrap_or_default();
        let Some(at) = said.at else { return Ok(told("alerts", "told", "nobody was told anything yet")) };
        let open = count(said.open.len() as u64, "thing is", "things are");
        Ok(told("alerts", "told", format!("{}; {open} open", moment(at, self.clock.now()))))
    }
}

/// By which channels alerts reach people.
#[must_use]
pub fn of_channels(channels: &[String]) -> Checked {
    if channels.is_empty() {
        let cure = "set one up in [alerts] and try it with cartdock alert test";
        return told("alerts", "channels", format!("nobody is alerted; {cure}"));
    }
    told("alerts", "channels", format!("{}; try them with cartdock alert test", channels.join(", ")))
}

/// Whether the topic of a deployment reaches somebody: so many have confirmed, so many have not yet.
#[must_use]
pub fn of_subscriptions(confirmed: u64, pending: u64) -> Checked {
    let yes = count(confirmed, "subscription", "subscriptions");
    match (confirmed, pending) {
        (0, 0) => bad(
            "alerts",
            "channels",
            "nobody is alerted: give the parameter AlarmEmail, or subscribe to the topic",
        ),
        (0, _) => bad(
            "alerts",
            "channels",
            "nobody is alerted: the mail of AWS to the subscriber is not confirmed yet",
        ),
        _ => good("alerts", "channels", format!("{yes} to the topic; try it with cartdock alert test")),
    }
}

/// What the counts of a connection show.
fn of_status(connection: &Connection, status: &Status) -> Vec<Checked> {
    let id = &connection.id;
    let held = status.books.held.values().sum::<u64>();
    let open = status.held.iter().filter(|group| !group.ignored).count() as u64;
    let late: u64 = status.clocks.iter().map(|clock| clock.late).sum();
    let mut findings = vec![
        finding(
            "ledger",
            "books",
            status.closes,
            status.books.line(),
            "the counts do not sum: report it with cartdock explain --bundle",
        ),
        finding(
            "ledger",
            "issues",
            open == 0,
            count(held, "order is held", "orders are held"),
            &format!("{}: cartdock issues --connection {id}", count(open, "issue", "issues")),
        ),
        finding(
            "ledger",
            "late",
            late == 0,
            count(late, "order is late", "orders are late"),
            &format!("cartdock status {id}"),
        ),
        finding(
            "ledger",
            "outbox",
            status.books.packages.outbox == 0,
            count(status.books.packages.outbox, "package waits", "packages wait"),
            &format!("cartdock outbox export --connection {id}"),
        ),
        finding(
            "ledger",
            "parked",
            status.parked.notices == 0,
            count(status.parked.notices as u64, "notice", "notices"),
            "somebody sends what cannot be read or placed: the runbook notices-parked.md",
        ),
    ];
    if let Some(away) = &status.away {
        let since = span(status_age(away.since, away.probe_at));
        findings.push(bad(
            "warehouse",
            "away",
            format!("it does not answer, at least for {since}; it is probed by itself"),
        ));
    }
    findings
}

fn status_age(since: Timestamp, until: Timestamp) -> u64 {
    until.duration_since(since).as_secs().max(0).unsigned_abs()
}

/// What the queues of a deployment show.
#[must_use]
pub fn of_queues(depths: &[Depth]) -> Vec<Checked> {
    depths.iter().map(of_queue).collect()
}

fn of_queue(depth: &Depth) -> Checked {
    let Depth { name, is_dead, messages } = depth;
    let what = format!("{name}{}", if *is_dead { " dead letters" } else { "" });
    let number = count(*messages, "message", "messages");
    match (is_dead, messages) {
        (true, 1..) => bad("queues", &what, format!("{number} given up: the runbook {name}-dead.md")),
        (false, DEEP..) => told("queues", &what, format!("{number}: work comes in faster than it is done")),
        _ => good("queues", &what, number),
    }
}

/// The whole report for people.
#[must_use]
pub fn text(reports: &[CheckReport], style: Style) -> String {
    let problems: usize = reports.iter().map(|report| report.problems).sum();
    let texts: Vec<String> = reports.iter().map(|report| report.text(style)).collect();
    let verdict = match problems {
        0 => style.paint(Tone::Good, "Everything is at work."),
        n => style.paint(Tone::Bad, &count(n as u64, "finding needs a person.", "findings need a person.")),
    };
    format!("{}\n{verdict}\n", texts.join("\n"))
}

fn finding(side: &'static str, what: &str, ok: bool, found: String, cure: &str) -> Checked {
    if ok { good(side, what, found) } else { bad(side, what, format!("{found}; {cure}")) }
}

fn told(side: &'static str, what: &str, detail: impl Into<String>) -> Checked {
    Checked { side, what: what.to_owned(), ok: None, detail: detail.into() }
}

fn good(side: &'static str, what: &str, detail: impl Into<String>) -> Checked {
    Checked { ok: Some(true), ..told(side, what, detail) }
}

fn bad(side: &'static str, what: &str, detail: impl Into<String>) -> Checked {
    Checked { ok: Some(false), ..told(side, what, detail) }
}

fn failed(side: &'static str, what: &str, failure: &Failure) -> Checked {
    bad(side, what, failure.to_string())
}

fn or_failed(what: &str, looked: Result<Checked, Failure>) -> Checked {
    looked.unwrap_or_else(|failure| failed("ledger", what, &failure))
}
