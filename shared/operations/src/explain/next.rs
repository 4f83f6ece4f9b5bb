//! What a stage means, what happens next and when, and what a person can do.

use domain::mapping::Gap;
use domain::record::{Cause, Record, Stage, Wait};
use domain::shipment::Post;
use jiff::Timestamp;
use serde::Serialize;

use crate::cure::{self, Cure};
use crate::text::{moment, span};

/// How late something may be before we say so, in seconds.
const TOLERANCE: i64 = 300;

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    /// What.
    pub what: String,
    /// When at the earliest; none when no date is set.
    pub at: Option<Timestamp>,
    /// Does it happen by itself?
    pub by_itself: bool,
    /// Should it have happened some time ago?
    pub overdue: bool,
}

impl Next {
    /// The next step for people.
    #[must_use]
    pub fn text(&self, now: Timestamp) -> String {
        let late = |at: Timestamp| now.as_second().saturating_sub(at.as_second()).unsigned_abs();
        match self.at {
            None => self.what.clone(),
            Some(at) if self.overdue => {
                format!("{}, overdue for {}: is cartdock running?", self.what, span(late(at)))
            }
            Some(at) if at <= now => format!("{}, now", self.what),
            Some(at) => format!("{}, {}", self.what, moment(at, now)),
        }
    }
}

/// The stage in a sentence.
pub(super) fn meaning(record: &Record, can_be_asked: bool) -> String {
    match &record.stage {
        Stage::Waiting(why) => format!("Waits: {why}."),
        Stage::Ready { .. } if record.attempts > 0 => "To be sent to the warehouse, again.".to_owned(),
        Stage::Ready { .. } => "To be sent to the warehouse.".to_owned(),
        Stage::Sending(_) => "An attempt is sending it to the warehouse now.".to_owned(),
        Stage::InDoubt { .. } if !can_be_asked => {
            "It may have been sent, and this warehouse cannot be asked whether it has it: a person has to look."
                .to_owned()
        }
        Stage::InDoubt { .. } if record.attempts == 0 => {
            "An earlier ledger may have sent it: the warehouse is asked before anything is sent.".to_owned()
        }
        Stage::InDoubt { .. } => {
            "It was sent and the answer was lost: the warehouse is asked before anything is sent again."
                .to_owned()
        }
        Stage::Held(cause) => format!("Held for a person: {cause}."),
        Stage::Excluded(rule) => format!("Not sent: {rule}."),
        Stage::Accepted | Stage::PartlyShipped if record.recall.is_some() => {
            "The sale was taken back, and the warehouse has not said yet that it is cancelled.".to_owned()
        }
        Stage::Accepted | Stage::PartlyShipped if record.replace => {
            "It was changed in the store, and the warehouse has not said yet that it has cancelled what it has."
                .to_owned()
        }
        Stage::Accepted => "The warehouse has it; nothing has left yet.".to_owned(),
        Stage::PartlyShipped => "A part of it has left the warehouse.".to_owned(),
        Stage::Shipped => "All of it has left; the store does not show all tracking yet.".to_owned(),
        Stage::Posted => "All of it has left, and the store shows the tracking.".to_owned(),
        Stage::Cancelled => "Taken back.".to_owned(),
    }
}

/// What happens next, and when. Not every warehouse can be asked whether it has an order.
pub(super) fn next(record: &Record, reference: &str, can_be_asked: bool, now: Timestamp) -> Next {
    let (what, at, by_itself) = match &record.stage {
        Stage::Waiting(Wait::Unpaid(_)) => ("it is read again in the store".to_owned(), record.wake, true),
        Stage::Waiting(Wait::CoolingOff) => {
            ("the delay ends and it is decided anew".to_owned(), record.wake, true)
        }
        Stage::Ready { not_before } => {
            let at = not_before.or(record.wake.filter(|wake| *wake < now)).unwrap_or(now);
            ("it is sent".to_owned(), Some(at), true)
        }
        Stage::Sending(claim) => {
            ("the attempt ends; if it dies, the warehouse is asked".to_owned(), Some(claim.until), true)
        }
        Stage::InDoubt { ask_at } if !can_be_asked => {
            let what = format!("it is held, and a person looks for {reference} in the warehouse");
            (what, Some(*ask_at), true)
        }
        Stage::InDoubt { ask_at } => ("the warehouse is asked".to_owned(), Some(*ask_at), true),
        Stage::Held(cause) => held(cause, record, reference),
        Stage::Accepted | Stage::PartlyShipped if record.recall.is_some() => {
            ("the warehouse is asked to cancel".to_owned(), None, true)
        }
        Stage::Accepted | Stage::PartlyShipped if record.replace => {
            ("the warehouse is asked to cancel, and the changed order is sent".to_owned(), None, true)
        }
        Stage::Accepted => ("the warehouse ships it".to_owned(), None, true),
        Stage::PartlyShipped => ("the warehouse ships the rest".to_owned(), None, true),
        Stage::Shipped => posting(record),
        Stage::Cancelled if !record.is_finished() => posting(record),
        Stage::Posted | Stage::Excluded(_) | Stage::Cancelled => ("nothing".to_owned(), None, true),
    };
    let overdue = at.is_some_and(|at| now.as_second().saturating_sub(at.as_second()) > TOLERANCE);
    Next { what, at, by_itself, overdue: overdue && by_itself }
}

fn held(cause: &Cause, record: &Record, reference: &str) -> (String, Option<Timestamp>, bool) {
    match cause {
        Cause::InDoubt | Cause::OlderThanLedger => {
            let what =
                format!("a person looks for {reference} in the warehouse; it is not sent again before");
            (what, None, false)
        }
        cause if cause.may_heal() => ("it is looked at again".to_owned(), record.wake, true),
        _ => ("a person decides".to_owned(), None, false),
    }
}

fn posting(record: &Record) -> (String, Option<Timestamp>, bool) {
    if record.due_posts().next().is_some() {
        return ("the tracking is posted to the store".to_owned(), record.wake, true);
    }
    let outbox = record.packages.iter().any(|package| matches!(package.post, Post::Outbox { .. }));
    if outbox {
        return (
            "a person enters the tracking in the store (cartdock outbox export)".to_owned(),
            None,
            false,
        );
    }
    ("nothing".to_owned(), None, true)
}

/// What a person can do, one cure per gap.
pub(super) fn cures(record: &Record) -> Vec<Cure> {
    let connection = &record.key.connection;
    match &record.stage {
        Stage::Held(Cause::Unmapped(gaps)) => {
            gaps.iter().map(|gap: &Gap| cure::of_gap(gap, connection)).collect()
        }
        Stage::Held(Cause::Refused(_)) if record.may_be_there() => {
            vec![cure::of_cancelled_there(connection).of_order(&record.key)]
        }
        Stage::Held(cause) => vec![cure::of_cause(cause, connection).of_order(&record.key)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::life::Step;
    use testkit::build;

    #[test]
    fn what_the_warehouse_has_cancelled_is_settled_and_not_tried_again() {
        let mut record = build::ready(&build::key("main", 7), 1);
        record.stage = Stage::Held(Cause::Refused("it has this order as W-1, cancelled".to_owned()));
        let command = |record: &Record| cures(record)[0].command.clone();
        assert_eq!(command(&record).as_deref(), Some("cartdock replay --cause refused"));
        record.warehouse_order = Some("W-1".parse().unwrap());
        assert_eq!(command(&record).as_deref(), Some("cartdock resolve main/7"));
    }

    #[test]
    fn of_a_warehouse_that_cannot_be_asked_nobody_says_that_it_is() {
        let ready = build::ready(&build::key("main", 7), 1);
        let until = build::noon();
        let claim = Step::Claim { until, units: 1, mapping: 1, digest: None };
        let sending = ready.step(claim, build::stamp(2)).unwrap();
        let Stage::Sending(held) = &sending.stage else { panic!("{sending:?}") };
        let doubt = Step::Doubt { attempt: held.token, ask_at: until, why: "no answer".into() };
        let doubtful = sending.step(doubt, build::stamp(3)).unwrap();
        for (can_be_asked, told, then) in [
            (true, "the warehouse is asked before", "the warehouse is asked"),
            (false, "cannot be asked", "it is held, and a person looks for main-7 in the warehouse"),
        ] {
            let meaning = meaning(&doubtful, can_be_asked);
            assert!(meaning.contains(told), "{meaning}");
            assert_eq!(next(&doubtful, "main-7", can_be_asked, until).what, then);
        }
    }
}
