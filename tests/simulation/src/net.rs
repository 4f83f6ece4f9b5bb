//! Every effect on the outside goes through here, and one of four things becomes of it: it is done; it is not done; it is
//! done and the answer is lost; or it is done late, after the caller has given up (a ghost). An effect that is under way
//! lands whether or not its caller still lives.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::coverage::Sometimes;
use crate::dice::Dice;
use crate::executor::{Event, Time};
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

/// How long each way of an effect takes where all keep step, in milliseconds.
pub(crate) const STEP: u64 = 10;

/// How long a process pauses, in milliseconds: others have done all of their work by then.
const PAUSE: u64 = 40_000;

/// How long a process sleeps, in milliseconds: every lease has ended by then.
const SLEEP: u64 = 20 * 60_000;

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
    /// By script: this becomes of the effects with these numbers (counted from 0); all others are done.
    Script(BTreeMap<u64, Turn>),
    /// The same where every effect takes equally long, so that those who begin together keep step.
    InStep(BTreeMap<u64, Turn>),
}

/// What a script has in store for one effect and the process that wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Turn {
    /// What becomes of the effect.
    pub fate: Fate,
    /// What becomes of the process.
    pub then: Then,
}

/// What becomes of a process that wants an effect, before it has seen the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Then {
    /// It sees the answer and goes on.
    GoesOn,
    /// It dies. Where the effect is not done, it has died before it asked for it.
    Dies,
    /// It stands still while others do all that they have to do now.
    Pauses,
    /// It stands still until every lease is over, and wakes.
    Sleeps,
}

impl Then {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::GoesOn, Self::Dies, Self::Pauses, Self::Sleeps];

    /// Does it stand still for a while?
    pub(crate) const fn stands_still(self) -> bool {
        matches!(self, Self::Pauses | Self::Sleeps)
    }
}

impl Turn {
    /// This becomes of the effect, and the process lives.
    #[must_use]
    pub const fn lives(fate: Fate) -> Self {
        Self { fate, then: Then::GoesOn }
    }

    /// This becomes of the effect, and the process dies.
    #[must_use]
    pub const fn dies(fate: Fate) -> Self {
        Self { fate, then: Then::Dies }
    }

    /// The effect is done, and the process stands still while others work.
    #[must_use]
    pub const fn pauses() -> Self {
        Self { fate: Fate::Done, then: Then::Pauses }
    }

    /// The effect is done, and the process stands still until every lease is over.
    #[must_use]
    pub const fn sleeps() -> Self {
        Self { fate: Fate::Done, then: Then::Sleeps }
    }
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
    /// The name of each effect by its number, where a script needs them.
    pub names: Vec<&'static str>,
    /// How many effects there were.
    pub count: u64,
    /// How many of them were meant to change something, did so late, or failed.
    pub changes: u64,
    /// How long the world has lived, in milliseconds.
    pub millis: u64,
}

#[derive(Clone)]
struct State {
    deal: Deal,
    dice: Dice,
    tally: Tally,
    counts: Counts,
    /// Longest time after which a late effect still lands.
    ghost: u64,
    calm: bool,
}

/// Effects by name and fate. A name is a constant of the program, so its address tells it quickly.
#[derive(Clone, Default)]
struct Counts(Vec<Count>);

#[derive(Clone)]
struct Count {
    what: &'static str,
    changes: bool,
    times: [u64; 4],
}

impl Counts {
    /// Counts one. True: it is meant to change something.
    fn add(&mut self, what: &'static str, fate: Fate) -> bool {
        let place = self.0.iter().position(|known| std::ptr::eq(known.what, what)).unwrap_or_else(|| {
            self.0.push(Count { what, changes: !only_looks(what), times: [0; 4] });
            self.0.len() - 1
        });
        let count = &mut self.0[place];
        count.times[fate as usize] += 1;
        count.changes
    }

    fn by_name(&self) -> BTreeMap<(&'static str, Fate), u64> {
        let mut all = BTreeMap::new();
        for Count { what, times, .. } in &self.0 {
            for (fate, times) in Fate::ALL.into_iter().zip(times).filter(|(_, times)| **times > 0) {
                *all.entry((*what, fate)).or_default() += times;
            }
        }
        all
    }
}

/// The way to the outside.
#[derive(Clone)]
pub struct Net(Arc<Shared>);

struct Shared {
    time: Time,
    state: Mutex<State>,
    watch: Watch,
}

/// What is drawn for one effect.
struct Lot {
    turn: Turn,
    /// Its way there and back, and how late it lands if it is late: in milliseconds.
    there: u64,
    back: u64,
    late: u64,
    /// Is it meant to change something?
    changes: bool,
}

/// One effect under way. It lands whether or not anybody still waits for its answer.
struct Effect<T, F> {
    net: Net,
    lot: Lot,
    inside: Mutex<Inside<T, F>>,
}

struct Inside<T, F> {
    /// What it does, until it is done.
    apply: Option<F>,
    /// The answer on its way back.
    on_its_way: Option<T>,
    answer: Option<Result<T, Gone>>,
    waker: Option<Waker>,
    /// How often its time has come so far.
    legs: u8,
}

impl<T: Send + 'static, F: FnOnce() -> T + Send + 'static> Event for Effect<T, F> {
    fn happen(self: Arc<Self>) {
        let Lot { turn: Turn { fate, .. }, back, late, .. } = self.lot;
        let leg = {
            let mut inside = self.inside();
            inside.legs += 1;
            inside.legs
        };
        match (fate, leg) {
            (Fate::Done | Fate::AnswerLost, 1) => {
                let done = self.apply();
                if fate == Fate::Done {
                    self.inside().on_its_way = done;
                }
                self.net.time().clone().happen_after(back, self);
            }
            (Fate::Done, _) => {
                let done = self.inside().on_its_way.take();
                self.answer(done.ok_or(Gone::Unclear));
            }
            (Fate::AnswerLost, _) => self.answer(Err(Gone::Unclear)),
            (Fate::NotDone, _) => self.answer(Err(Gone::NotDone)),
            (Fate::Late, 1) => {
                self.answer(Err(Gone::Unclear));
                self.net.time().clone().happen_after(late, self);
            }
            (Fate::Late, _) => {
                drop(self.apply());
                self.net.watch().sometimes(Sometimes::GhostLanded);
                self.net.state().tally.changes += u64::from(self.lot.changes);
            }
        }
    }
}

impl<T, F: FnOnce() -> T> Effect<T, F> {
    fn inside(&self) -> MutexGuard<'_, Inside<T, F>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self) -> Option<T> {
        let apply = self.inside().apply.take();
        apply.map(|apply| apply())
    }

    fn answer(&self, answer: Result<T, Gone>) {
        let waker = {
            let mut inside = self.inside();
            inside.answer = Some(answer);
            inside.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Net {
    /// A network whose fates are dealt like this; late effects land within `ghost` milliseconds.
    #[must_use]
    pub fn new(time: Time, seed: u64, deal: Deal, ghost: u64, keep_history: bool) -> Self {
        let tally = Tally { history: keep_history.then(Vec::new), ..Tally::default() };
        let dice = Dice::new(seed ^ 0x006e_6574);
        let state = State { deal, dice, tally, counts: Counts::default(), ghost, calm: false };
        let watch = Watch::new(seed, Plan::calm());
        Self(Arc::new(Shared { time, state: Mutex::new(state), watch }))
    }

    /// The same network in a world with this trouble. Nothing has passed through it yet.
    #[must_use]
    pub fn watched(self, watch: Watch) -> Self {
        let (time, state) = (self.0.time.clone(), self.state().clone());
        Self(Arc::new(Shared { time, state: Mutex::new(state), watch }))
    }

    /// What everybody in this world shares.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.0.watch
    }

    /// The world's time.
    #[must_use]
    pub fn time(&self) -> &Time {
        &self.0.time
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on nothing fails any more: the world comes to rest.
    pub fn calm_down(&self) {
        self.state().calm = true;
        self.0.watch.calm_down();
    }

    /// What has happened so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let state = self.state();
        Tally { millis: self.time().millis(), effects: state.counts.by_name(), ..state.tally.clone() }
    }

    /// How many effects so far were meant to change something, did so late, or failed: while it stands still, all that
    /// happens is that somebody looks, and sees.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.state().tally.changes
    }

    /// Writes a line into the history, where one is kept, and into the trace.
    pub fn note(&self, line: impl FnOnce() -> String) {
        let now = self.time().millis();
        self.state().note(now, line);
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
        let effect = self.send(system, what, about, apply);
        poll_fn(|context| {
            let mut inside = effect.inside();
            match inside.answer.take() {
                Some(answer) => Poll::Ready(answer),
                None => {
                    inside.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Sends an effect off.
    fn send<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        system: System,
        what: &'static str,
        about: impl FnOnce() -> String,
        apply: F,
    ) -> Arc<Effect<T, F>> {
        let now = self.time().millis();
        let lot = {
            let mut state = self.state();
            let lot = state.draw(system, what);
            state.tally.changes += u64::from(lot.changes || lot.turn != Turn::lives(Fate::Done));
            state.note(now, || {
                let then = match lot.turn.then {
                    Then::GoesOn => "",
                    Then::Dies => ", and the process dies",
                    Then::Pauses => ", and the process pauses",
                    Then::Sleeps => ", and the process sleeps",
                };
                format!("{what} {} {:?}{then}", about(), lot.turn.fate)
            });
            lot
        };
        match lot.turn.then {
            Then::GoesOn => {}
            Then::Dies => self.time().doom(),
            Then::Pauses => self.time().freeze(self.time().current(), PAUSE),
            Then::Sleeps => self.time().freeze(self.time().current(), SLEEP),
        }
        let Lot { turn: Turn { fate, .. }, there, back, .. } = lot;
        let inside = Inside { apply: Some(apply), on_its_way: None, answer: None, waker: None, legs: 0 };
        let effect = Arc::new(Effect { net: self.clone(), lot, inside: Mutex::new(inside) });
        let first = if matches!(fate, Fate::Done | Fate::AnswerLost) { there } else { there + back };
        self.time().happen_after(first, effect.clone());
        effect
    }
}

impl State {
    fn draw(&mut self, system: System, what: &'static str) -> Lot {
        let number = self.tally.count;
        self.tally.count += 1;
        let turn = self.turn(system, what, number);
        let fate = turn.fate;
        let changes = self.counts.add(what, fate);
        self.tally.trace = mix(self.tally.trace, fate as u64);
        let slow = system == System::Store || system == System::Warehouse;
        let reach = if slow { 400 } else { 20 };
        let (there, back) = match self.deal {
            Deal::InStep(_) => (STEP, STEP),
            _ => (1 + self.dice.below(reach), 1 + self.dice.below(reach)),
        };
        let late = match (&self.deal, fate) {
            (Deal::Chance(_), Fate::Late) => self.dice.below(self.ghost.max(1)),
            // By script the latest is the worst.
            _ => self.ghost,
        };
        Lot { turn, there, back, late, changes }
    }

    fn turn(&mut self, system: System, what: &'static str, number: u64) -> Turn {
        if self.calm {
            return Turn::lives(Fate::Done);
        }
        match &mut self.deal {
            Deal::Script(script) | Deal::InStep(script) => {
                self.tally.names.push(what);
                script.get(&number).copied().unwrap_or(Turn::lives(Fate::Done))
            }
            Deal::Chance(chances) => {
                let chance = chances.get(&system).copied().unwrap_or(0);
                let fails = self.dice.per_mille(chance);
                Turn::lives(if fails { Fate::ALL[1 + self.dice.below(3) as usize] } else { Fate::Done })
            }
        }
    }

    fn note(&mut self, now: u64, line: impl FnOnce() -> String) {
        self.tally.trace = mix(self.tally.trace, now);
        if let Some(history) = &mut self.tally.history {
            history.push(format!("{now:>9} ms  {}", line()));
        }
    }
}

/// Does this effect change nothing? What is not known to only look may change something.
pub(crate) fn only_looks(what: &str) -> bool {
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
