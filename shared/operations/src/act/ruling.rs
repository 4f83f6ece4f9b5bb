//! What an action means for an order as it stands: the step that it takes, or why it takes none and what to type instead.

use domain::admission::{Admission, look_again};
use domain::connection::Connection;
use domain::intake::{body_of, judge};
use domain::life::{Step, described};
use domain::mapping::{Mapped, Mapping};
use domain::order::Order;
use domain::policy::Policies;
use domain::ports::Read;
use domain::record::{Cause, Exclusion, Record, Stage, Wait};
use domain::ruling::may_be_let_go;
use domain::shipment::Post;
use jiff::Timestamp;

use super::{Action, Resolution};
use crate::cure;
use crate::text::instant;

/// Why an action is not for an order as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub why: String,
    /// What to type instead, where there is something.
    pub instead: Option<String>,
}

impl Refusal {
    fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), instead: None }
    }

    fn instead(why: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { why: why.into(), instead: Some(instead.into()) }
    }
}

/// The order and all that decides what can be done with it.
pub(super) struct View<'a> {
    pub(super) record: &'a Record,
    pub(super) connection: &'a Connection,
    pub(super) mapping: &'a Mapping,
    /// What the store has now, where [`needs_the_store`].
    pub(super) read: Option<&'a Read>,
    pub(super) now: Timestamp,
    pub(super) by: &'a str,
}

/// Is the order to be read in the store before this is decided?
pub(super) fn needs_the_store(record: &Record, action: &Action) -> bool {
    match action {
        Action::Release => !is_sent_or_doubtful(record),
        Action::Replay => matches!(record.stage, Stage::Held(Cause::Refused(_) | Cause::TooLong(_))),
        Action::Resolve(Resolution::NotThere | Resolution::Anew) => matches!(record.stage, Stage::Held(_)),
        Action::Resolve(Resolution::There(_)) => {
            matches!(record.stage, Stage::Held(Cause::ChangedAfterSending | Cause::NotCancelled(_)))
        }
        Action::Hold | Action::Exclude | Action::Cancel | Action::Resolve(Resolution::Cancelled) => false,
    }
}

fn is_sent_or_doubtful(record: &Record) -> bool {
    record.may_be_there() || matches!(record.stage, Stage::Ready { .. } | Stage::Cancelled)
}

/// What taking the step means, for people.
pub(super) fn outcome(record: &Record, action: &Action, step: Option<&Step>) -> &'static str {
    match (action, step) {
        (_, Some(Step::PostAgain(_))) => "its tracking is posted again",
        (Action::Cancel, Some(Step::Recall(_))) => "the warehouse is asked to cancel it",
        (Action::Cancel, _) => "cancelled; it was not sent",
        (Action::Hold, _) => "held until a person releases it",
        (Action::Exclude, _) => "left out; it will not be sent",
        (Action::Resolve(Resolution::There(_)), _) => "settled: the warehouse has it",
        (Action::Resolve(Resolution::NotThere), _) => "settled: it is sent",
        (Action::Resolve(Resolution::Anew), _) => "settled: it is sent under a new reference",
        (Action::Resolve(Resolution::Cancelled), _) => "settled: cancelled",
        (Action::Replay, None) if matches!(record.stage, Stage::Ready { .. }) => "it is queued again",
        (Action::Replay, None) => "it is looked at again",
        (Action::Release | Action::Replay, _) => "it is sent",
    }
}

impl View<'_> {
    /// The step of an action; none where a look at the order is all that it needs.
    pub(super) fn rule(&self, action: &Action) -> Result<Option<Step>, Refusal> {
        match action {
            Action::Release => self.release().map(Some),
            Action::Hold => self.hold().map(Some),
            Action::Exclude => self.exclude().map(Some),
            Action::Cancel => self.cancel().map(Some),
            Action::Resolve(found) => self.resolve(found).map(Some),
            Action::Replay => self.replay(),
        }
    }

    fn release(&self) -> Result<Step, Refusal> {
        let record = self.record;
        match &record.stage {
            Stage::Held(_) if record.may_be_there() => Err(self.needs_a_look()),
            Stage::Held(_) | Stage::Waiting(_) | Stage::Excluded(_) if !record.may_be_there() => {
                let order = self.sendable(true)?;
                Ok(Step::LetGo { digest: order.digest(), why: "a person let it go".to_owned() })
            }
            Stage::Ready { .. } => Err(Refusal::because("nothing holds it: it is to be sent already")),
            Stage::Accepted | Stage::PartlyShipped => {
                Err(Refusal::because("nothing holds it: the warehouse has it"))
            }
            _ => Err(self.is_past_that("nothing holds it")),
        }
    }

    /// The order as the store has it now, if it can be sent: by the mapping, and by what no person can overrule.
    fn sendable(&self, by_word: bool) -> Result<&Order, Refusal> {
        let record = self.record;
        let order = match self.read {
            Some(Read::Order(order)) => order,
            Some(Read::Absent) => return Err(Refusal::because("the store does not have it (any more)")),
            Some(Read::Unreadable { why, .. }) => {
                return Err(Refusal::because(format!("the store's document cannot be read: {why}")));
            }
            None => return Err(Refusal::because("the store was not asked")),
        };
        let read = Read::Order(Box::new(order.as_ref().clone()));
        let says = judge(&read, &self.connection.policies, record.imported_at, self.now);
        if says != Admission::Ready && !(by_word && may_be_let_go(&says)) {
            return Err(Refusal::because(format!("it cannot be sent: {}", described(&says.stage()))));
        }
        match self.mapping.resolve(order, &self.connection.policies) {
            Ok(Mapped::Ship { .. }) => Ok(order),
            Ok(Mapped::NothingToShip) => Err(Refusal::because("nothing in it is shipped, by the mapping")),
            Err(gaps) => {
                let words: Vec<String> = gaps.iter().map(ToString::to_string).collect();
                let cure = gaps.first().map(|gap| cure::of_gap(gap, &self.connection.id));
                let instead = cure.and_then(|cure| cure.command);
                Err(Refusal { why: format!("it cannot be sent: {}", words.join("; ")), instead })
            }
        }
    }

    fn hold(&self) -> Result<Step, Refusal> {
        if self.record.may_be_there() {
            return Err(self.is_past_that("it cannot be held back"));
        }
        match &self.record.stage {
            Stage::Held(Cause::ByPerson(_)) => Err(Refusal::because("it is held by a person already")),
            Stage::Waiting(_) | Stage::Held(_) | Stage::Excluded(_) | Stage::Ready { .. } => {
                let again = look_again(self.now, self.now, Policies::days(1));
                Ok(Step::Admit(Admission::Hold(Cause::ByPerson(self.by.to_owned()), again), None))
            }
            _ => Err(self.is_past_that("it cannot be held back")),
        }
    }

    fn exclude(&self) -> Result<Step, Refusal> {
        if self.record.may_be_there() {
            return Err(self.is_past_that("it cannot be left out"));
        }
        match &self.record.stage {
            Stage::Excluded(Exclusion::ByPerson(_)) => {
                Err(Refusal::because("a person has excluded it already"))
            }
            Stage::Waiting(_) | Stage::Held(_) | Stage::Excluded(_) | Stage::Ready { .. } => {
                Ok(Step::Admit(Admission::Exclude(Exclusion::ByPerson(self.by.to_owned())), None))
            }
            _ => Err(self.is_past_that("it cannot be left out")),
        }
    }

    fn cancel(&self) -> Result<Step, Refusal> {
        let record = self.record;
        match &record.stage {
            Stage::Held(_) if record.may_be_there() => Err(self.needs_a_look()),
            Stage::Waiting(_) | Stage::Ready { .. } | Stage::Held(_) if !record.may_be_there() => {
                Ok(Step::Cancel("by a person, before it was sent".to_owned()))
            }
            Stage::Accepted | Stage::PartlyShipped if record.recall.is_none() => {
                Ok(Step::Recall("cancelled by a person".to_owned()))
            }
            Stage::Accepted | Stage::PartlyShipped => {
                Err(Refusal::because("the warehouse is being asked to cancel it already"))
            }
            Stage::Excluded(_) => Err(Refusal::because("it is not sent anyway")),
            _ => Err(self.is_past_that("it cannot be cancelled now")),
        }
    }

    fn resolve(&self, found: &Resolution) -> Result<Step, Refusal> {
        let record = self.record;
        let Stage::Held(cause) = &record.stage else {
            return Err(match &record.stage {
                Stage::InDoubt { ask_at } => Refusal::because(format!(
                    "at {} the warehouse is asked about it or, where it cannot be asked, you are; before that nobody can know",
                    instant(*ask_at)
                )),
                Stage::Accepted | Stage::PartlyShipped => {
                    Refusal::because("nothing about it is to be settled: the warehouse has it")
                }
                _ => self.is_past_that("nothing about it is to be settled"),
            });
        };
        let why = |what: &str| format!("a person looked there{what}");
        match found {
            Resolution::Cancelled if record.may_be_there() => Ok(Step::Cancel(why(", it is not shipped"))),
            Resolution::There(id) if record.may_be_there() => Ok(Step::Confirm {
                id: id.clone(),
                digest: self.read.and_then(body_of).map(Order::digest),
                why: why(""),
            }),
            Resolution::NotThere if matches!(cause, Cause::InDoubt | Cause::OlderThanLedger) => {
                self.sendable(true)?;
                Ok(Step::SendAgain("a person looked: the warehouse does not have it"))
            }
            Resolution::Anew if record.may_be_there() || matches!(cause, Cause::Refused(_)) => {
                if !record.packages.is_empty() {
                    return Err(Refusal::because(
                        "a package of it was made ready; a new order has to be made for the rest",
                    ));
                }
                let order = self.sendable(true)?;
                Ok(Step::SendAnew { digest: order.digest(), why: why(", it is not there any more") })
            }
            Resolution::NotThere if record.may_be_there() => Err(Refusal::instead(
                "the warehouse had it: if it was cancelled there, say so (--cancelled), or have it sent under a new reference \
                 (--anew)",
                format!("cartdock resolve {}", record.key),
            )),
            _ => Err(Refusal::instead(
                format!("it was never sent; it is held because {cause}"),
                format!("cartdock explain {}", record.key),
            )),
        }
    }

    fn replay(&self) -> Result<Option<Step>, Refusal> {
        let record = self.record;
        if record.packages.iter().any(|package| matches!(package.post, Post::Outbox { .. })) {
            return Ok(Some(Step::PostAgain("by a person".to_owned())));
        }
        match &record.stage {
            Stage::Held(Cause::Refused(_) | Cause::TooLong(_)) if !record.may_be_there() => {
                let order = self.sendable(false)?;
                Ok(Some(Step::LetGo { digest: order.digest(), why: "tried again by a person".to_owned() }))
            }
            Stage::Held(Cause::Comment | Cause::ByPerson(_)) => Err(Refusal::instead(
                "it waits for a person's word, not for another try",
                format!("cartdock release {}", record.key),
            )),
            Stage::Held(_) if record.may_be_there() => Err(self.needs_a_look()),
            _ if record.is_finished() => Err(self.is_past_that("there is nothing to try again")),
            _ => Ok(None),
        }
    }

    fn needs_a_look(&self) -> Refusal {
        let key = &self.record.key;
        Refusal::instead(
            "the warehouse may have it: look there first, then say what you found: --there, --not-there, --anew or --cancelled",
            format!("cartdock resolve {key}"),
        )
    }

    /// An order that has come further than an action is for.
    fn is_past_that(&self, what: &str) -> Refusal {
        let key = &self.record.key;
        match &self.record.stage {
            Stage::Sending(claim) => Refusal::because(format!(
                "{what}: it is being sent now; by {} it is known what became of it",
                instant(claim.until)
            )),
            Stage::InDoubt { ask_at } => Refusal::because(format!(
                "{what}: it was sent and the answer was lost; at {} the warehouse is asked or, where it cannot be asked, you are",
                instant(*ask_at)
            )),
            Stage::Held(_) => self.needs_a_look(),
            Stage::Accepted | Stage::PartlyShipped => {
                Refusal::instead(format!("{what}: the warehouse has it"), format!("cartdock cancel {key}"))
            }
            Stage::Waiting(Wait::Unpaid(_) | Wait::CoolingOff) | Stage::Ready { .. } => {
                Refusal::because(format!("{what}: the warehouse may know it"))
            }
            stage => Refusal::because(format!("{what}: it is {}", stage.word())),
        }
    }
}
