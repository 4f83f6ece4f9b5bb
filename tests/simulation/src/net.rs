//! Every effect on the outside goes through here, and one of four things becomes of it: it is done; it is not done; it is
//! done and the answer is lost; or it is done late, after the caller has given up (a ghost). An effect that is under way
//! lands whether or not its caller still lives.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::dice::Dice;
use crate::executor::{Event, Time};

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
    /// By script: this becomes of the effects with these numbers (counted from 0); all others are done.
    Script(BTreeMap<u64, Turn>),
}

/// What a script has in store for one effect and the process that wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Turn {
    /// This becomes of the effect.
    Fate(Fate),
    /// The process dies before it asks for the effect.
    DiesBefore,
    /// The effect is done, and the process dies without having seen the answer.
    DiesAfter,
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
    /// How long the world has lived, in milliseconds.
    pub millis: u64,
}

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
#[derive(Default)]
struct Counts(Vec<(&'static str, [u64; 4])>);

impl Counts {
    fn add(&mut self, what: &'static str, fate: Fate) {
        let place = self.0.iter().position(|(name, _)| std::ptr::eq(*name, what)).unwrap_or_else(|| {
            self.0.push((what, [0; 4]));
            self.0.len() - 1
        });
        self.0[place].1[fate as usize] += 1;
    }

    fn by_name(&self) -> BTreeMap<(&'static str, Fate), u64> {
        let mut all = BTreeMap::new();
        for (what, times) in &self.0 {
            for (fate, times) in Fate::ALL.into_iter().zip(times).filter(|(_, times)| **times > 0) {
                *all.entry((*what, fate)).or_default() += times;
            }
        }
        all
    }
}

/// The way to the outside.
#[derive(Clone)]
pub struct Net {
    time: Time,
    state: Arc<Mutex<State>>,
}

/// What is drawn for one effect.
struct Lot {
    turn: Turn,
    fate: Fate,
    /// Its way there and back, and how late it lands if it is late: in milliseconds.
    there: u64,
    back: u64,
    late: u64,
}

/// One effect under way. It lands whether or not anybody still waits for its answer.
struct Effect<T, F> {
    net: Net,
    lot: Lot,
    changes: bool,
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
        let Lot { fate, back, late, .. } = self.lot;
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
                self.net.time.clone().happen_after(back, self);
            }
            (Fate::Done, _) => {
                let done = self.inside().on_its_way.take();
                self.answer(done.ok_or(Gone::Unclear));
            }
            (Fate::AnswerLost, _) => self.answer(Err(Gone::Unclear)),
            (Fate::NotDone, _) => self.answer(Err(Gone::NotDone)),
            (Fate::Late, 1) => {
                self.answer(Err(Gone::Unclear));
                self.net.time.clone().happen_after(late, self);
            }
            (Fate::Late, _) => {
                drop(self.apply());
                self.net.state().tally.changes += u64::from(self.changes);
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
        Self { time, state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on nothing fails any more: the world comes to rest.
    pub fn calm_down(&self) {
        self.state().calm = true;
    }

    /// What has happened so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let state = self.state();
        Tally { millis: self.time.millis(), effects: state.counts.by_name(), ..state.tally.clone() }
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
        let Some(effect) = self.send(system, what, about, apply) else {
            return std::future::pending().await;
        };
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

    /// Sends an effect off; none, when its process dies before.
    fn send<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        system: System,
        what: &'static str,
        about: impl FnOnce() -> String,
        apply: F,
    ) -> Option<Arc<Effect<T, F>>> {
        let (now, changes) = (self.time.millis(), !only_looks(what));
        let lot = {
            let mut state = self.state();
            let lot = state.draw(system, what);
            state.tally.changes += u64::from(changes);
            state.note(now, || match lot.turn {
                Turn::Fate(fate) => format!("{what} {} {fate:?}", about()),
                turn => format!("{what} {} {turn:?}", about()),
            });
            lot
        };
        if !matches!(lot.turn, Turn::Fate(_)) {
            self.time.doom();
        }
        if lot.turn == Turn::DiesBefore {
            return None;
        }
        let Lot { fate, there, back, .. } = lot;
        let inside = Inside { apply: Some(apply), on_its_way: None, answer: None, waker: None, legs: 0 };
        let effect = Arc::new(Effect { net: self.clone(), lot, changes, inside: Mutex::new(inside) });
        let first = if matches!(fate, Fate::Done | Fate::AnswerLost) { there } else { there + back };
        self.time.happen_after(first, effect.clone());
        Some(effect)
    }
}

impl State {
    fn draw(&mut self, system: System, what: &'static str) -> Lot {
        let number = self.tally.count;
        self.tally.count += 1;
        let turn = self.turn(system, number);
        let fate = if let Turn::Fate(fate) = turn { fate } else { Fate::Done };
        self.counts.add(what, fate);
        self.tally.trace = mix(self.tally.trace, turn.number());
        let slow = system == System::Store || system == System::Warehouse;
        let reach = if slow { 400 } else { 20 };
        let (there, back) = (1 + self.dice.below(reach), 1 + self.dice.below(reach));
        let late = if fate == Fate::Late { self.dice.below(self.ghost.max(1)) } else { 0 };
        Lot { turn, fate, there, back, late }
    }

    fn turn(&mut self, system: System, number: u64) -> Turn {
        if self.calm {
            return Turn::Fate(Fate::Done);
        }
        match &mut self.deal {
            Deal::Script(script) => script.remove(&number).unwrap_or(Turn::Fate(Fate::Done)),
            Deal::Chance(chances) => {
                let chance = chances.get(&system).copied().unwrap_or(0);
                let fails = self.dice.per_mille(chance);
                Turn::Fate(if fails { Fate::ALL[1 + self.dice.below(3) as usize] } else { Fate::Done })
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

impl Turn {
    /// A number of its own, for the trace.
    fn number(self) -> u64 {
        match self {
            Self::Fate(fate) => fate as u64,
            Self::DiesBefore => 4,
            Self::DiesAfter => 5,
        }
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
