//! Every effect on the outside goes through here, and one of four things becomes of it: it is done; it is not done; it is
//! done and the answer is lost; or it is done late, after the caller has given up (a ghost). An effect that is under way
//! lands whether or not its caller still lives.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use crate::coverage::Sometimes;
use crate::dice::Dice;
use crate::executor::Time;
use crate::watch::{Plan, Watch};

/// What becomes of one effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It is done and answered.
    Done,
    /// It is certainly not done, and the caller learns that it failed.
    NotDone,
    /// It is done, and the caller learns that it failed.
    AnswerLost,
    /// The caller learns that it failed; it is done some time after that.
    Late,
}

impl Fate {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Done, Self::NotDone, Self::AnswerLost, Self::Late];
}

/// A failed effect, as far as the caller can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It certainly did not happen.
    NotDone,
    /// It may or may not have happened, or may happen yet.
    Unclear,
}

/// How fates are dealt.
#[derive(Debug, Clone)]
pub enum Deal {
    /// By chance: so many in a thousand of the calls of each system fail, split over the three ways to fail.
    Chance(BTreeMap<System, u32>),
    /// By script: the effects with these numbers (counted from 0) have these fates; all others are done.
    Script(BTreeMap<u64, Fate>),
}

/// The systems outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum System {
    /// The ledger and the mappings.
    Ledger,
    /// The queues.
    Queue,
    /// The store.
    Store,
    /// The warehouse.
    Warehouse,
}

/// What has happened so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Effects by name and fate.
    pub effects: BTreeMap<(&'static str, Fate), u64>,
    /// A running digest of names, fates and times: two runs of a seed must give the same.
    pub trace: u64,
    /// The names in order, when they are kept for a failing seed.
    pub history: Option<Vec<String>>,
    /// How many effects there were.
    pub count: u64,
    /// How many of them were meant to change something, or did so late.
    pub changes: u64,
}

struct State {
    deal: Deal,
    dice: Dice,
    tally: Tally,
    /// Longest time after which a late effect still lands.
    ghost: u64,
    calm: bool,
}

/// The way to the outside.
#[derive(Clone)]
pub struct Net {
    time: Time,
    state: Arc<Mutex<State>>,
    watch: Watch,
}

struct Slot<T> {
    answer: Option<Result<T, Gone>>,
    waker: Option<Waker>,
}

fn fill<T>(slot: &Mutex<Slot<T>>, answer: Result<T, Gone>) {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    slot.answer = Some(answer);
    if let Some(waker) = slot.waker.take() {
        waker.wake();
    }
}

impl Net {
    /// A network whose fates are dealt like this; late effects land within `ghost` milliseconds.
    #[must_use]
    pub fn new(time: Time, seed: u64, deal: Deal, ghost: u64, keep_history: bool) -> Self {
        let tally = Tally { history: keep_history.then(Vec::new), ..Tally::default() };
        let state = State { deal, dice: Dice::new(seed ^ 0x006e_6574), tally, ghost, calm: false };
        Self { time, state: Arc::new(Mutex::new(state)), watch: Watch::new(seed, Plan::calm()) }
    }

    /// The same network in a world with this trouble.
    #[must_use]
    pub fn watched(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    /// What everybody in this world shares.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The world's time.
    #[must_use]
    pub fn time(&self) -> &Time {
        &self.time
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on nothing fails any more: the world comes to rest.
    pub fn calm_down(&self) {
        self.state().calm = true;
        self.watch.calm_down();
    }

    /// What has happened so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    /// How many effects so far were meant to change something, or did so late: while it stands still, all that happens
    /// is that somebody looks.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.state().tally.changes
    }

    /// Writes a line into the history, where one is kept, and into the trace.
    pub fn note(&self, line: impl FnOnce() -> String) {
        let now = self.time.millis();
        let mut state = self.state();
        state.tally.trace = mix(state.tally.trace, now);
        if let Some(history) = &mut state.tally.history {
            let line = line();
            history.push(format!("{now:>9} ms  {line}"));
        }
    }

    /// Has an effect on the outside, and waits for its answer.
    ///
    /// # Errors
    /// When it failed, as far as one can tell.
    pub async fn effect<T: Send + 'static>(
        &self,
        system: System,
        what: &'static str,
        about: impl FnOnce() -> String,
        apply: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let slot = Arc::new(Mutex::new(Slot { answer: None, waker: None }));
        self.send(system, what, about, apply, &slot);
        poll_fn(|context| {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            match slot.answer.take() {
                Some(answer) => Poll::Ready(answer),
                None => {
                    slot.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn send<T: Send + 'static>(
        &self,
        system: System,
        what: &'static str,
        about: impl FnOnce() -> String,
        apply: impl FnOnce() -> T + Send + 'static,
        slot: &Arc<Mutex<Slot<T>>>,
    ) {
        let (fate, there, back, late) = self.draw(system, what);
        self.note(|| format!("{what} {} {fate:?}", about()));
        let (time, slot, me) = (self.time.clone(), slot.clone(), self.clone());
        match fate {
            Fate::Done => self.time.after(there, move || {
                let done = apply();
                time.after(back, move || fill(&slot, Ok(done)));
            }),
            Fate::NotDone => self.time.after(there + back, move || fill(&slot, Err(Gone::NotDone))),
            Fate::AnswerLost => self.time.after(there, move || {
                apply();
                time.after(back, move || fill(&slot, Err(Gone::Unclear)));
            }),
            Fate::Late => self.time.after(there + back, move || {
                fill(&slot, Err(Gone::Unclear));
                time.after(late, move || {
                    apply();
                    me.watch.sometimes(Sometimes::GhostLanded);
                    me.state().tally.changes += 1;
                });
            }),
        }
    }

    /// The fate of the next effect, its way there and back in milliseconds, and how late it lands if it is late.
    fn draw(&self, system: System, what: &'static str) -> (Fate, u64, u64, u64) {
        let mut state = self.state();
        let number = state.tally.count;
        state.tally.count += 1;
        state.tally.changes += u64::from(!only_looks(what));
        let fate = match &state.deal {
            _ if state.calm => Fate::Done,
            Deal::Script(script) => script.get(&number).copied().unwrap_or(Fate::Done),
            Deal::Chance(chances) => {
                let chance = chances.get(&system).copied().unwrap_or(0);
                if state.dice.per_mille(chance) {
                    match state.dice.below(3) {
                        0 => Fate::NotDone,
                        1 => Fate::AnswerLost,
                        _ => Fate::Late,
                    }
                } else {
                    Fate::Done
                }
            }
        };
        *state.tally.effects.entry((what, fate)).or_default() += 1;
        state.tally.trace = mix(state.tally.trace, fate as u64);
        let ghost = state.ghost;
        let slow = system == System::Store || system == System::Warehouse;
        let reach = if slow { 400 } else { 20 };
        (fate, 1 + state.dice.below(reach), 1 + state.dice.below(reach), state.dice.below(ghost.max(1)))
    }
}

/// Does this effect change nothing? What is not known to only look may change something.
fn only_looks(what: &str) -> bool {
    let (_, verb) = what.split_once(": ").unwrap_or(("", what));
    const LOOKS: [&str; 12] = [
        "bookmark",
        "cursor",
        "due",
        "feed",
        "find",
        "list",
        "load",
        "load many",
        "open",
        "read",
        "shipments",
        "shown",
    ];
    LOOKS.contains(&verb)
}

fn mix(trace: u64, value: u64) -> u64 {
    (trace ^ value.wrapping_add(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0x0100_0000_01b3).rotate_left(17)
}
