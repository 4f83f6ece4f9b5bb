//! What the world remembers of the people at work in it: which processes are commands of theirs, and what they said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::OrderKey;
use domain::record::{Cause, Record, Stage};
use operations::act::{Acted, Action};

use crate::coverage::Sometimes;
use crate::executor::Process;
use crate::watch::Watch;

/// The people of one history.
#[derive(Clone, Default)]
pub(crate) struct People(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    /// The processes that are commands: the order that each is about, and when it began, in the world's milliseconds.
    commands: BTreeMap<Process, (OrderKey, u64)>,
    /// The commands that have written something.
    wrote: BTreeSet<Process>,
    /// The orders that are kept back by a person's word.
    kept: BTreeSet<OrderKey>,
    /// The orders that a person has let go: paid or not.
    let_go: BTreeSet<OrderKey>,
    /// The orders that a person wanted cancelled, whatever became of the wish.
    unwanted: BTreeSet<OrderKey>,
}

impl People {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A command begins.
    pub(crate) fn begins(&self, command: Process, now: u64, order: &OrderKey, cancels: bool) {
        let mut inside = self.inside();
        inside.commands.insert(command, (order.clone(), now));
        if cancels {
            inside.unwanted.insert(order.clone());
        }
    }

    /// The commands about an order, running or not, and when each began.
    pub(crate) fn about(&self, order: &OrderKey) -> Vec<(Process, u64)> {
        let inside = self.inside();
        let about = inside.commands.iter().filter(|(_, (about, _))| about == order);
        about.map(|(command, (_, begun))| (*command, *begun)).collect()
    }

    /// I6: what a person is told was done is written down. Only another try may have nothing to write.
    pub(crate) fn told(&self, command: Process, action: &Action, acted: &Acted, watch: &Watch) {
        if acted.done && *action != Action::Replay && !self.inside().wrote.contains(&command) {
            watch.wrong(format!(
                "I6 silent: {} {} was told as done and is not written",
                acted.action, acted.order
            ));
        }
    }

    /// Did a person want this order cancelled?
    pub(crate) fn unwanted(&self, order: &OrderKey) -> bool {
        self.inside().unwanted.contains(order)
    }

    /// Did a person let this order go?
    pub(crate) fn let_go(&self, order: &OrderKey) -> bool {
        self.inside().let_go.contains(order)
    }

    /// I4: what a person keeps back is not sent before a person lets it go.
    pub(crate) fn saved(&self, writer: Process, before: &Record, after: &Record, watch: &Watch) {
        let mut inside = self.inside();
        if inside.commands.contains_key(&writer) {
            inside.wrote.insert(writer);
            match after.is_by_person() || after.stage == Stage::Cancelled {
                true => inside.kept.insert(after.key.clone()),
                false => inside.kept.remove(&after.key),
            };
            if matches!(after.stage, Stage::Ready { .. }) {
                inside.let_go.insert(after.key.clone());
            }
            seen(before, after).into_iter().for_each(|seen| watch.sometimes(seen));
            return;
        }
        let begins = matches!(after.stage, Stage::Sending(_)) && !matches!(before.stage, Stage::Sending(_));
        if begins && inside.kept.contains(&after.key) {
            watch.wrong(format!("I4 {} is sent against a person's word", after.key));
        }
    }
}

/// What a person has brought about.
fn seen(before: &Record, after: &Record) -> Option<Sometimes> {
    use Stage::{Accepted, Cancelled, Excluded, Held, Ready, Waiting};
    match (&before.stage, &after.stage) {
        _ if after.revision > before.revision => Some(Sometimes::SentAnew),
        (Held(Cause::InDoubt), Accepted | Cancelled | Ready { .. }) => Some(Sometimes::DoubtSettled),
        (Held(_) | Waiting(_) | Excluded(_), Ready { .. }) => Some(Sometimes::LetGo),
        (_, Held(_) | Excluded(_)) if after.is_by_person() => Some(Sometimes::KeptBack),
        (_, Cancelled) => Some(Sometimes::CancelledByPerson),
        _ => None,
    }
}
