//! The life of an order: which step leads from which stage to which. Pure; the only place that changes a stage.
//!
//! ```text
//! Imported ─▶ Ready ─▶ Sending ─▶ Accepted ─▶ PartlyShipped ─▶ Shipped ─▶ Posted
//!    │          ▲ │        │           └────────────────────────▶ Cancelled
//!    ├ Waiting ─┤ │        ├▶ Held (refused)
//!    ├ Excluded ┤ │        └▶ InDoubt ─▶ Accepted, Ready, or Held
//!    └ Held ◀───┴─┘
//! ```

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::admission::Admission;
use crate::ids::{OrderKey, PackageId, Token, WarehouseOrderId};
use crate::order::OrderDigest;
use crate::record::{Cause, Claim, Entry, RECENT_ENTRIES, Record, Stage};
use crate::shipment::{Package, Post, is_complete};

/// When a finished order that is taken up again is looked at at the earliest, should its message get lost, or one that is to
/// be cancelled, should who asks for it die. By no clock is that at once: whoever looks must not see an order that was still
/// finished a moment ago, and take off its only date.
pub const SOON: Duration = Duration::from_secs(20 * 60);

/// How long things may take. One set per deployment; the demo uses a fast one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long one attempt may take until it must have sent its request.
    pub send_within: Duration,
    /// From the claim until nothing of the attempt can land any more, whoever looks at the clock: `send_within`, plus the
    /// longest flight of a late request (2 minutes), plus the largest difference between two machines' clocks (each may
    /// be wrong by 5 minutes, so 10), plus a margin.
    pub lease: Duration,
    /// How long after its import an order is looked at again, if the queue has lost it.
    pub grace: Duration,
    /// The first wait after a failed attempt; doubled for each further one.
    pub first_retry: Duration,
    /// The longest wait between two attempts.
    pub longest_retry: Duration,
    /// The first look at an order that the warehouse has; doubled each time, up to a day.
    pub first_watch: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            send_within: Duration::from_secs(60),
            lease: Duration::from_secs(15 * 60),
            grace: Duration::from_secs(10 * 60),
            first_retry: Duration::from_secs(30),
            longest_retry: Duration::from_secs(15 * 60),
            first_watch: Duration::from_secs(3600),
        }
    }
}

/// The longest wait that another system can ask of us: an absurd `Retry-After` must not park an order.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

impl Pace {
    /// When the attempt after `attempts` failed ones may start. `jitter` spreads equal waits by up to a quarter.
    #[must_use]
    pub fn retry_at(
        &self,
        now: Timestamp,
        attempts: u32,
        jitter: Token,
        asked: Option<Duration>,
    ) -> Timestamp {
        self.doubled(now, attempts, self.longest_retry, jitter, asked)
    }

    /// When to probe a warehouse that is away, after `probes` probes in vain. One order probes for all, so it comes
    /// oftener than each of them by itself.
    #[must_use]
    pub fn probe_at(&self, now: Timestamp, probes: u32, jitter: Token, asked: Option<Duration>) -> Timestamp {
        self.doubled(now, probes, self.longest_retry / 8, jitter, asked)
    }

    fn doubled(
        &self,
        now: Timestamp,
        times: u32,
        longest: Duration,
        jitter: Token,
        asked: Option<Duration>,
    ) -> Timestamp {
        let doubled = self.first_retry.saturating_mul(1_u32.checked_shl(times.min(16)).unwrap_or(u32::MAX));
        let wait = doubled.min(longest);
        let spread = (wait / 4).as_millis().max(1) as u64;
        let spread_out = wait.saturating_add(Duration::from_millis(jitter.0 % spread));
        let wait = spread_out.max(asked.unwrap_or_default().min(LONGEST_ASKED));
        later(now, wait)
    }

    /// When to look next at an order that was imported at `imported` and needs nothing now: after as long
    /// again, between the first watch and a day.
    #[must_use]
    pub fn watch_at(&self, now: Timestamp, imported: Timestamp) -> Timestamp {
        let age = now.duration_since(imported).unsigned_abs();
        later(now, age.clamp(self.first_watch, Duration::from_secs(86_400)))
    }
}

/// `now` plus `wait`, at most the end of time.
#[must_use]
pub fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// Something that happens to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It was decided anew, from the store's document, the policies or the mapping.
    Admit(Admission, Option<OrderDigest>),
    /// An attempt takes it, to send so many pieces by this version of the mapping.
    Claim {
        /// When nothing of the attempt can land any more.
        until: Timestamp,
        /// Pieces to be sent.
        units: u32,
        /// The mapping's version.
        mapping: u64,
        /// The version of the order that is sent; none for the one that was decided on.
        digest: Option<OrderDigest>,
    },
    /// The attempt certainly changed nothing at the warehouse; again at the given instant.
    Release {
        /// The attempt's token; nobody else can know.
        attempt: Token,
        /// When the next attempt may start.
        not_before: Timestamp,
        /// What went wrong.
        why: String,
    },
    /// The warehouse said no to the attempt.
    Refuse(Token, Cause),
    /// The answer was lost; the warehouse can be asked at the given instant.
    Doubt {
        /// The attempt's token; after its lease anybody may doubt it.
        attempt: Token,
        /// When its answer can be trusted.
        ask_at: Timestamp,
        /// What went wrong.
        why: String,
    },
    /// Asking failed; ask again at the given instant.
    AskLater {
        /// When to ask again.
        ask_at: Timestamp,
        /// What went wrong.
        why: String,
    },
    /// The warehouse has it.
    Accept {
        /// Its id there.
        id: WarehouseOrderId,
        /// How we know.
        how: &'static str,
    },
    /// The warehouse was asked and does not have it, or refuses duplicates anyway: send again.
    SendAgain(&'static str),
    /// Nobody can find out: a person must look.
    GiveUp,
    /// A package has left.
    Ship(Package),
    /// An attempt takes the posting of a package.
    ClaimPost {
        /// Which package.
        package: PackageId,
        /// When nothing of the attempt can land any more.
        until: Timestamp,
    },
    /// What became of the post of a package.
    SettlePost {
        /// Which package.
        package: PackageId,
        /// What became of it; never a claim.
        post: Post,
        /// When to try again, when it is still due.
        again: Option<Timestamp>,
    },
    /// The sale was taken back (how, in words), and the warehouse is to be asked to cancel.
    Recall(String),
    /// The sale was taken back and the warehouse has cancelled, or never had it.
    Cancel(String),
    /// It was changed in the store, and the warehouse is to be asked to cancel what it has.
    Replace,
    /// The warehouse has cancelled what it had, and the changed order is decided on under a new reference.
    Replaced(Admission, Option<OrderDigest>),
    /// The warehouse did not cancel what it has of a changed order (why): a person must look.
    NotReplaced(String),
    /// It was sent, or may have been, and now a person must look.
    Flag(Cause),
    /// A person lets this version of the order go, whatever the policies say. It certainly was never sent.
    LetGo {
        /// The version of the order.
        digest: OrderDigest,
        /// What the person said.
        why: String,
    },
    /// A person has looked in the warehouse: it has this order, and that is right.
    Confirm {
        /// Its id there, where it was not known.
        id: Option<WarehouseOrderId>,
        /// The version of the order that is right by now, where it could be read.
        digest: Option<OrderDigest>,
        /// What the person said.
        why: String,
    },
    /// A person has looked in the warehouse: it does not have it, or no longer, and this version is to be sent under a new
    /// reference.
    SendAnew {
        /// The version of the order.
        digest: OrderDigest,
        /// What the person said.
        why: String,
    },
    /// Tracking that the store could not take is tried once more.
    PostAgain(String),
}

impl Step {
    fn word(&self) -> &'static str {
        match self {
            Self::Admit(..) => "admit",
            Self::Claim { .. } => "claim",
            Self::Release { .. } => "release",
            Self::Refuse(..) => "refuse",
            Self::Doubt { .. } => "doubt",
            Self::AskLater { .. } => "ask later",
            Self::Accept { .. } => "accept",
            Self::SendAgain(_) => "send again",
            Self::GiveUp => "give up",
            Self::Ship(_) => "ship",
            Self::ClaimPost { .. } => "claim post",
            Self::SettlePost { .. } => "settle post",
            Self::Recall(_) => "recall",
            Self::Cancel(_) => "cancel",
            Self::Replace => "replace",
            Self::Replaced(..) => "be replaced",
            Self::NotReplaced(_) => "not be replaced",
            Self::Flag(_) => "flag",
            Self::LetGo { .. } => "be let go",
            Self::Confirm { .. } => "be confirmed",
            Self::SendAnew { .. } => "be sent anew",
            Self::PostAgain(_) => "be posted again",
        }
    }
}

/// A step that is not allowed at this stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    /// The stage's word.
    pub stage: &'static str,
    /// The step's word.
    pub step: &'static str,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an order that is {} cannot {}", self.stage, self.step)
    }
}

impl std::error::Error for Forbidden {}

/// Who takes a step, and when: written into the story and the record.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// The use case or person.
    pub by: &'a str,
    /// When.
    pub at: Timestamp,
    /// Names this write.
    pub token: Token,
}

impl Record {
    /// The record of an order that comes into the ledger. `wake` is a date that the ledger already expects it on.
    #[must_use]
    pub fn imported(
        key: OrderKey,
        to: &Admission,
        digest: Option<OrderDigest>,
        wake: Timestamp,
        stamp: Stamp,
    ) -> Self {
        let stage = to.stage();
        let what = format!("imported: {}", described(&stage));
        Self {
            key,
            version: 1,
            written: stamp.token,
            stage,
            since: stamp.at,
            imported_at: stamp.at,
            attempts: 0,
            revision: 0,
            digest,
            wake: Some(wake),
            units: 0,
            mapping: 0,
            warehouse_order: None,
            recall: None,
            replace: false,
            released: None,
            kept: false,
            sent_at: None,
            accepted_at: None,
            packages: Vec::new(),
            story: vec![Entry { seq: 0, at: stamp.at, by: stamp.by.into(), what: what.into() }],
            spilled: Vec::new(),
        }
    }

    /// The record after a step.
    ///
    /// # Errors
    /// When the step is not allowed at this stage. The record is as it was.
    pub fn step(&self, step: Step, stamp: Stamp) -> Result<Self, Forbidden> {
        let forbidden = Forbidden { stage: self.stage.word(), step: step.word() };
        let mut next = self.clone();
        let what = next.take(step, stamp).ok_or(forbidden)?;
        if std::mem::discriminant(&next.stage) != std::mem::discriminant(&self.stage) {
            next.since = stamp.at;
        }
        // A finished order has no date: what brings it back to work must not rely on a message alone.
        if self.is_finished() && !next.is_finished() {
            let soon = later(stamp.at, SOON);
            next.wake =
                Some(next.wake.filter(|wake| next.wake != self.wake && *wake >= soon).unwrap_or(soon));
        }
        next.version += 1;
        next.written = stamp.token;
        next.tell(stamp, what);
        Ok(next)
    }

    /// Changes what the step changes and says what happened; none when the step is not allowed.
    fn take(&mut self, step: Step, stamp: Stamp) -> Option<String> {
        use Stage::{Accepted, Cancelled, Excluded, Held, InDoubt, PartlyShipped, Ready, Sending, Waiting};
        match (&self.stage, step) {
            (Waiting(_) | Held(_) | Excluded(_) | Ready { .. }, Step::Admit(to, digest))
                if !self.may_be_there() =>
            {
                self.stage = to.stage();
                self.digest = digest.or_else(|| self.digest.take());
                self.released = self.released.take().filter(|_| !self.is_by_person());
                // Ready means now: whoever admits it may have no queue, or die before it has used it.
                let at_once = (to == Admission::Ready).then_some(stamp.at);
                self.wake = to.wake().or(at_once).or(self.wake);
                Some(described(&self.stage))
            }
            (Ready { .. } | InDoubt { .. }, Step::Claim { until, units, mapping, digest }) => {
                let repeats = matches!(self.stage, InDoubt { .. });
                // The warehouse may have what the attempt before sent: then that is what the store is compared with.
                self.digest = digest.filter(|_| !repeats).or_else(|| self.digest.take());
                self.stage = Sending(Claim { token: stamp.token, until, repeats });
                self.attempts += 1;
                self.sent_at = Some(stamp.at);
                self.units = units;
                self.mapping = mapping;
                self.wake = self.wake.filter(|wake| *wake >= until).or(Some(until));
                Some(format!("sending, attempt {}", self.attempts))
            }
            (Sending(claim), Step::Release { attempt, not_before, why }) if claim.token == attempt => {
                self.stage = match claim.repeats {
                    true => InDoubt { ask_at: not_before },
                    false => Ready { not_before: Some(not_before) },
                };
                self.wake = Some(not_before);
                Some(format!("not sent: {why}"))
            }
            (Sending(claim), Step::Refuse(attempt, cause)) if claim.token == attempt => {
                let what = format!("held: {cause}");
                self.wake = Some(later(stamp.at, Duration::from_secs(86_400)));
                self.stage = Held(cause);
                Some(what)
            }
            (Sending(claim), Step::Doubt { attempt, ask_at, why })
                if claim.token == attempt || stamp.at >= claim.until =>
            {
                Some(self.doubt(ask_at, &why))
            }
            (InDoubt { .. }, Step::AskLater { ask_at, why }) => Some(self.doubt(ask_at, &why)),
            (
                Sending(_) | InDoubt { .. } | Held(Cause::InDoubt | Cause::OlderThanLedger),
                Step::Accept { id, how },
            ) => {
                let what = format!("accepted as {id}{how}");
                self.warehouse_order = Some(id);
                self.accepted_at = self.accepted_at.or(Some(stamp.at));
                self.stage = self.shipping_stage();
                Some(what)
            }
            (InDoubt { .. } | Held(Cause::InDoubt | Cause::OlderThanLedger), Step::SendAgain(why)) => {
                self.stage = Ready { not_before: None };
                self.wake = Some(stamp.at);
                Some(format!("to be sent again: {why}"))
            }
            (InDoubt { .. }, Step::GiveUp) => {
                self.wake = Some(later(stamp.at, Duration::from_secs(86_400)));
                let cause = if self.attempts == 0 { Cause::OlderThanLedger } else { Cause::InDoubt };
                let what = format!("held: {cause}");
                self.stage = Held(cause);
                Some(what)
            }
            (_, Step::Ship(package)) => self.ship(package),
            (_, Step::ClaimPost { package, until }) => self.claim_post(&package, until, stamp),
            (_, Step::SettlePost { package, post, again }) => self.settle_post(&package, post, again),
            (
                Waiting(_) | Ready { .. } | InDoubt { .. } | Held(_) | Excluded(_) | Accepted | PartlyShipped,
                Step::Cancel(why),
            ) => {
                self.stage = Cancelled;
                (self.recall, self.replace) = (None, false);
                Some(format!("cancelled: {why}"))
            }
            (Accepted | PartlyShipped, Step::Recall(status)) if self.recall.is_none() => {
                let what = format!("to be cancelled: {status}");
                self.recall = Some(status);
                self.replace = false;
                self.soon(stamp.at);
                Some(what)
            }
            (Accepted, Step::Replace) if self.may_be_replaced() => {
                self.replace = true;
                self.soon(stamp.at);
                Some("to be replaced: changed in the store".to_owned())
            }
            (Accepted, Step::Replaced(to, digest)) if self.replace && self.packages.is_empty() => {
                (self.warehouse_order, self.accepted_at) = (None, None);
                self.replace = false;
                self.revision += 1;
                self.stage = to.stage();
                self.digest = digest.or_else(|| self.digest.take());
                self.wake = Some(to.wake().unwrap_or(stamp.at));
                let what = described(&self.stage);
                Some(format!("cancelled by the warehouse, revision {}: {what}", self.revision))
            }
            (Accepted | PartlyShipped, Step::NotReplaced(why)) if self.replace => {
                Some(self.flag(Cause::ChangedAfterSending, stamp.at) + "; " + &why)
            }
            (Accepted | PartlyShipped | InDoubt { .. }, Step::Flag(cause)) => {
                Some(self.flag(cause, stamp.at))
            }
            (stage, step) => {
                let stage = stage.clone();
                self.by_person(&stage, step, stamp)
            }
        }
    }

    /// The steps that only a person takes.
    fn by_person(&mut self, stage: &Stage, step: Step, stamp: Stamp) -> Option<String> {
        use Stage::{Excluded, Held, Waiting};
        match (stage, step) {
            (Waiting(_) | Held(_) | Excluded(_), Step::LetGo { digest, why }) if !self.may_be_there() => {
                self.go(digest, stamp.at);
                Some(format!("released: {why}"))
            }
            (
                Held(
                    cause @ (Cause::InDoubt
                    | Cause::OlderThanLedger
                    | Cause::ChangedAfterSending
                    | Cause::NotCancelled(_)
                    | Cause::Refused(_)),
                ),
                Step::Confirm { id, digest, why },
            ) if !matches!(cause, Cause::Refused(_)) || self.warehouse_order.is_some() => {
                self.kept |= matches!(cause, Cause::NotCancelled(_));
                let known = self.warehouse_order.take();
                // Of one that was refused we know only what the warehouse has cancelled.
                let is_theirs = matches!(cause, Cause::Refused(_));
                self.warehouse_order = if is_theirs { id.or(known) } else { known.or(id) };
                self.digest = digest.or_else(|| self.digest.take());
                self.stage = self.shipping_stage();
                self.wake = Some(later(stamp.at, SOON));
                Some(format!("the warehouse has it: {why}"))
            }
            (
                Held(
                    Cause::InDoubt
                    | Cause::OlderThanLedger
                    | Cause::ChangedAfterSending
                    | Cause::NotCancelled(_)
                    | Cause::Refused(_),
                ),
                Step::SendAnew { digest, why },
            ) if self.packages.is_empty() => {
                (self.warehouse_order, self.accepted_at) = (None, None);
                self.kept = false;
                self.revision += 1;
                self.go(digest, stamp.at);
                Some(format!("to be sent as revision {}: {why}", self.revision))
            }
            (_, Step::PostAgain(why)) => {
                let stuck =
                    |package: &&mut Package| !package.voided && matches!(package.post, Post::Outbox { .. });
                let mut packages = self.packages.iter_mut().filter(stuck).peekable();
                packages.peek()?;
                packages.for_each(|package| package.post = Post::Due);
                if self.stage.is_sent() {
                    self.stage = self.shipping_stage();
                }
                self.wake = Some(stamp.at);
                Some(format!("tracking is tried again: {why}"))
            }
            _ => None,
        }
    }

    /// What the warehouse has, or may have, is held for a person.
    fn flag(&mut self, cause: Cause, now: Timestamp) -> String {
        let what = format!("held: {cause}");
        (self.recall, self.replace) = (None, false);
        self.wake = Some(later(now, Duration::from_secs(86_400)));
        self.stage = Stage::Held(cause);
        what
    }

    /// Who writes down a wish may die before it has come true.
    fn soon(&mut self, now: Timestamp) {
        let soon = later(now, SOON);
        self.wake = Some(self.wake.map_or(soon, |wake| wake.min(soon)));
    }

    /// Can the warehouse still cancel all of it, so that a changed order takes its place?
    #[must_use]
    pub fn may_be_replaced(&self) -> bool {
        let is_whole = self.stage == Stage::Accepted && self.packages.is_empty();
        is_whole && self.recall.is_none() && !self.replace && !self.kept
    }

    fn go(&mut self, digest: OrderDigest, now: Timestamp) {
        self.stage = Stage::Ready { not_before: None };
        self.digest = Some(digest.clone());
        self.released = Some(digest);
        self.wake = Some(now);
    }

    /// Has a person said that this order is held, or never sent?
    #[must_use]
    pub fn is_by_person(&self) -> bool {
        matches!(
            self.stage,
            Stage::Held(Cause::ByPerson(_)) | Stage::Excluded(crate::record::Exclusion::ByPerson(_))
        )
    }

    /// Is it possible that the warehouse has it, so that deciding anew could send it twice?
    #[must_use]
    pub fn may_be_there(&self) -> bool {
        let doubtful = matches!(
            self.stage,
            Stage::Sending(_)
                | Stage::InDoubt { .. }
                | Stage::Held(
                    Cause::InDoubt
                        | Cause::OlderThanLedger
                        | Cause::ChangedAfterSending
                        | Cause::NotCancelled(_)
                )
        );
        doubtful || self.warehouse_order.is_some() || !self.packages.is_empty()
    }

    /// A notice proves that the warehouse has the order, wherever we thought it was.
    fn ship(&mut self, package: Package) -> Option<String> {
        if self.knows(&package) {
            return None;
        }
        let tracking = package.tracking.as_ref().map_or("no tracking", |t| t.number.as_str()).to_owned();
        let voided = package.voided;
        match self.packages.iter_mut().find(|known| known.id == package.id) {
            Some(known) => *known = known.after(package),
            None => self.packages.push(package),
        }
        // What a person is told of is not settled by the next package.
        let is_told = matches!(self.stage, Stage::Held(Cause::NotCancelled(_) | Cause::ChangedAfterSending));
        if self.stage != Stage::Cancelled && !is_told {
            self.stage = self.shipping_stage();
        }
        let told = format!("{}: {tracking}", if voided { "package taken back" } else { "package left" });
        let Some(cause) = self.too_late() else { return Some(told) };
        let told = format!("{told}; held: {cause}");
        (self.recall, self.replace) = (None, false);
        // Its date stays: the package is to be posted all the same.
        self.stage = Stage::Held(cause);
        Some(told)
    }

    /// Why a wish cannot come true any more, now that all of the order has left.
    fn too_late(&self) -> Option<Cause> {
        let has_left = matches!(self.stage, Stage::Shipped | Stage::Posted);
        match &self.recall {
            _ if !has_left => None,
            Some(status) => Some(Cause::NotCancelled(format!("it has left; the order is {status}"))),
            None => self.replace.then_some(Cause::ChangedAfterSending),
        }
    }

    fn doubt(&mut self, ask_at: Timestamp, why: &str) -> String {
        self.stage = Stage::InDoubt { ask_at };
        self.wake = Some(ask_at);
        format!("in doubt: {why}")
    }

    fn claim_post(&mut self, id: &PackageId, until: Timestamp, stamp: Stamp) -> Option<String> {
        let package =
            self.packages.iter_mut().find(|package| package.id == *id && package.is_free(stamp.at))?;
        package.post = Post::Claimed { token: stamp.token, until };
        Some(format!("posting tracking of package {id}"))
    }

    fn settle_post(&mut self, id: &PackageId, post: Post, again: Option<Timestamp>) -> Option<String> {
        let package = self.packages.iter_mut().find(|package| package.id == *id)?;
        let is_allowed = match (&package.post, &post) {
            (_, Post::Claimed { .. }) | (Post::Posted, _) => false,
            (Post::NotNeeded, post) => *post == Post::Posted,
            _ => true,
        };
        if !is_allowed {
            return None;
        }
        let what = match &post {
            Post::Posted => format!("tracking of package {id} is in the store"),
            Post::Outbox { why } => format!("tracking of package {id} is in the outbox: {why}"),
            Post::NotNeeded => format!("tracking of package {id} is not posted: write-back is off"),
            Post::Due | Post::Claimed { .. } => format!("tracking of package {id} is not posted yet"),
        };
        package.post = post;
        self.wake = again.or(self.wake);
        if self.stage.is_sent() {
            self.stage = self.shipping_stage();
        }
        Some(what)
    }

    /// The stage that the packages add up to, for an order that the warehouse has.
    fn shipping_stage(&self) -> Stage {
        if self.packages.iter().all(|package| package.voided) {
            return Stage::Accepted;
        }
        if !is_complete(&self.packages, self.units) {
            return Stage::PartlyShipped;
        }
        if self.packages.iter().all(Package::is_settled) { Stage::Posted } else { Stage::Shipped }
    }

    fn tell(&mut self, stamp: Stamp, what: String) {
        let seq = self.story.last().map_or(0, |entry| entry.seq + 1);
        self.story.push(Entry { seq, at: stamp.at, by: stamp.by.into(), what: what.into() });
        let surplus = self.story.len().saturating_sub(RECENT_ENTRIES);
        self.spilled = self.story.drain(..surplus).collect();
    }
}

/// A stage as it is told in a story.
#[must_use]
pub fn described(stage: &Stage) -> String {
    match stage {
        Stage::Waiting(why) => format!("waiting, {why}"),
        Stage::Held(cause) => format!("held: {cause}"),
        Stage::Excluded(rule) => format!("excluded: {rule}"),
        Stage::InDoubt { .. } => "to be asked about, because an earlier ledger may have sent it".to_owned(),
        other => other.word().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_retry_comes_within_its_bounds_and_not_before_they_allow(
            attempts in any::<u32>(),
            jitter in any::<u64>(),
            asked in prop::option::of(0..10_000_u64),
        ) {
            let (pace, now) = (Pace::default(), Timestamp::UNIX_EPOCH);
            let asked = asked.map(|seconds| Duration::from_secs(seconds).min(LONGEST_ASKED));
            let told = asked.map(|asked| if asked == LONGEST_ASKED { asked * 24 } else { asked });
            let wait = pace.retry_at(now, attempts, Token(jitter), told).duration_since(now).unsigned_abs();
            let least = pace.first_retry.max(asked.unwrap_or_default());
            let most = (pace.longest_retry * 5 / 4).max(asked.unwrap_or_default());
            prop_assert!(least <= wait && wait <= most, "{wait:?}");
        }

        #[test]
        fn a_watch_comes_within_its_bounds(age in 0..10_000_000_u64) {
            let pace = Pace::default();
            let now = later(Timestamp::UNIX_EPOCH, Duration::from_secs(age));
            let wait = pace.watch_at(now, Timestamp::UNIX_EPOCH).duration_since(now).unsigned_abs();
            prop_assert_eq!(wait, Duration::from_secs(age.clamp(3600, 86_400)));
        }
    }

    #[test]
    fn each_retry_waits_twice_as_long_up_to_the_longest() {
        let (pace, now) = (Pace::default(), Timestamp::UNIX_EPOCH);
        let waits: Vec<u64> =
            (0..8).map(|n| pace.retry_at(now, n, Token(0), None).as_second().unsigned_abs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
    }

    #[test]
    fn the_end_of_time_is_no_overflow() {
        assert_eq!(later(Timestamp::MAX, Duration::MAX), Timestamp::MAX);
        let pace = Pace { first_retry: Duration::MAX, longest_retry: Duration::MAX, ..Pace::default() };
        assert_eq!(pace.retry_at(Timestamp::UNIX_EPOCH, 3, Token(1), None), Timestamp::MAX);
    }
}
