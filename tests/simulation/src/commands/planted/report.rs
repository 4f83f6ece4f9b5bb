//! The table of the judging: which bug was caught by what, and after how many histories.

use std::time::Duration;

use serde_json::{Value, json};
use simulation::hunt::Found;

use crate::say;
use crate::stopwatch::tenths;

/// What came of one bug.
pub(crate) enum Outcome {
    /// Caught by an invariant that is meant to notice it.
    Caught(Found),
    /// Caught, but by none of those that the list names.
    ByAnother(Found),
    /// Every history was well.
    Missed,
    /// A history did not come to its end.
    Endless,
    /// The place for the bug is not there any more.
    Stale(String),
    /// It does not compile.
    Unbuildable(String),
    /// No bug, and every history was well.
    Clean,
    /// No bug, and a history was called wrong.
    FalseAlarm(Found),
}

/// One line of the table.
pub(crate) struct Row {
    pub(crate) bug: String,
    pub(crate) what: String,
    pub(crate) outcome: Outcome,
    pub(crate) build: Duration,
    pub(crate) hunt: Duration,
}

/// The whole table.
pub(crate) struct Judged {
    pub(crate) limit: u64,
    pub(crate) rows: Vec<Row>,
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Caught(_) => "caught",
            Self::ByAnother(_) => "CAUGHT BY ANOTHER INVARIANT",
            Self::Missed => "MISSED",
            Self::Endless => "ENDLESS",
            Self::Stale(_) => "STALE",
            Self::Unbuildable(_) => "DOES NOT COMPILE",
            Self::Clean => "clean",
            Self::FalseAlarm(_) => "FALSE ALARM",
        }
    }

    fn found(&self) -> Option<&Found> {
        match self {
            Self::Caught(found) | Self::ByAnother(found) | Self::FalseAlarm(found) => Some(found),
            _ => None,
        }
    }

    fn is_good(&self) -> bool {
        matches!(self, Self::Caught(_) | Self::Clean)
    }

    /// What somebody needs to know who has to put it right.
    fn detail(&self) -> Option<String> {
        match self {
            Self::ByAnother(found) | Self::FalseAlarm(found) => {
                Some(format!("seed {}: {}", found.seed, found.wrong.join("; ")))
            }
            Self::Stale(why) | Self::Unbuildable(why) => Some(why.clone()),
            Self::Caught(_) | Self::Missed | Self::Endless | Self::Clean => None,
        }
    }
}

/// The names of the columns.
pub(crate) fn head() -> String {
    format!(
        "{:<36} {:<12} {:<14} {:>9} {:>7} {:>7}",
        "bug", "", "invariants", "histories", "build s", "hunt s"
    )
}

impl Row {
    fn line(&self) -> String {
        let (invariants, histories) = match self.outcome.found() {
            Some(found) => (found.invariants().join(" "), found.histories.to_string()),
            None => (String::new(), String::new()),
        };
        let (build, hunt) = (seconds(self.build), seconds(self.hunt));
        let (bug, word) = (&self.bug, self.outcome.word());
        let line = format!("{bug:<36} {word:<12} {invariants:<14} {histories:>9} {build:>7} {hunt:>7}");
        self.outcome.detail().map_or(line.clone(), |detail| format!("{line}\n    {detail}"))
    }

    fn json(&self) -> Value {
        let found = self.outcome.found();
        json!({
            "bug": self.bug,
            "what": self.what,
            "outcome": self.outcome.word().to_lowercase(),
            "invariants": found.map(Found::invariants),
            "seed": found.map(|found| found.seed),
            "histories": found.map(|found| found.histories),
            "build_seconds": self.build.as_secs(),
            "hunt_seconds": self.hunt.as_secs(),
            "detail": self.outcome.detail(),
        })
    }
}

fn seconds(time: Duration) -> String {
    tenths(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), 1000)
}

impl Judged {
    /// Adds a row, and prints it at once unless the table comes as JSON.
    pub(crate) fn add(&mut self, row: Row, json: bool) {
        if !json {
            say(&row.line());
        }
        self.rows.push(row);
    }

    pub(crate) fn is_good(&self) -> bool {
        self.rows.iter().all(|row| row.outcome.is_good())
    }

    /// So many histories catch `percent` of the bugs; none when that many were not caught at all.
    fn percentile(&self, percent: usize) -> Option<u64> {
        let bugs =
            self.rows.iter().filter(|row| !matches!(row.outcome, Outcome::Clean | Outcome::FalseAlarm(_)));
        let mut taken: Vec<u64> = bugs
            .map(|row| match &row.outcome {
                Outcome::Caught(found) => found.histories,
                _ => u64::MAX,
            })
            .collect();
        taken.sort_unstable();
        let rank = (taken.len() * percent).div_ceil(100).max(1);
        taken.get(rank - 1).copied().filter(|taken| *taken != u64::MAX)
    }

    pub(crate) fn foot(&self, took: Duration) -> String {
        let caught = self.rows.iter().filter(|row| matches!(row.outcome, Outcome::Caught(_))).count();
        let bugs = self.rows.len() - 1;
        let told = |percent| match self.percentile(percent) {
            Some(histories) => histories.to_string(),
            None => format!("more than {}", self.limit),
        };
        format!(
            "{caught} of {bugs} planted bugs are caught; histories until then: {} (median), {} (95th percentile), \
             allowed {}; {} s",
            told(50),
            told(95),
            self.limit,
            took.as_secs()
        )
    }

    pub(crate) fn json(&self) -> String {
        json!({
            "limit": self.limit,
            "good": self.is_good(),
            "median": self.percentile(50),
            "percentile_95": self.percentile(95),
            "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(outcome: Outcome) -> Row {
        let none = String::new;
        Row { bug: none(), what: none(), outcome, build: Duration::ZERO, hunt: Duration::from_millis(1234) }
    }

    fn caught(histories: u64) -> Row {
        row(Outcome::Caught(Found { histories, seed: histories - 1, wrong: vec!["I1 lost".into()] }))
    }

    fn judged(rows: impl IntoIterator<Item = Row>) -> Judged {
        Judged { limit: 100, rows: [row(Outcome::Clean)].into_iter().chain(rows).collect() }
    }

    #[test]
    fn the_percentile_is_the_number_of_histories_that_catch_so_many() {
        let all = judged((1..=40).map(caught));
        assert_eq!((all.percentile(50), all.percentile(95), all.is_good()), (Some(20), Some(38), true));
    }

    #[test]
    fn a_bug_that_is_missed_is_no_small_number() {
        let most = judged([caught(1), row(Outcome::Missed)]);
        assert_eq!((most.percentile(50), most.percentile(95), most.is_good()), (Some(1), None, false));
        assert!(most.foot(Duration::ZERO).starts_with("1 of 2 planted bugs are caught"));
        assert!(most.foot(Duration::ZERO).contains("more than 100 (95th"));
    }

    #[test]
    fn only_what_is_caught_as_it_should_be_is_good() {
        let found = || Found { histories: 1, seed: 0, wrong: vec!["I9 what".into()] };
        for bad in [
            Outcome::ByAnother(found()),
            Outcome::Endless,
            Outcome::Stale(String::new()),
            Outcome::Unbuildable(String::new()),
            Outcome::FalseAlarm(found()),
        ] {
            assert!(!judged([row(bad)]).is_good());
        }
        assert!(caught(7).line().contains(" 7 ") && caught(7).line().ends_with("1.2"));
    }
}
