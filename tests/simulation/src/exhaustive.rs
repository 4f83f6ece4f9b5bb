//! Every point of an order's way at which something can happen, with everything that can happen there, alone and in pairs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::hunt::Found;
use crate::net::{Fate, Then, Turn, only_looks};
use crate::one_order::{Played, Rhythm, Scene, play};
use crate::wms::Class;

/// All that can become of an effect and of the process that wants it, but that all is well.
pub const TURNS: [Turn; 9] = [
    Turn::lives(Fate::NotDone),
    Turn::lives(Fate::AnswerLost),
    Turn::lives(Fate::Late),
    Turn::dies(Fate::NotDone),
    Turn::dies(Fate::Done),
    Turn::dies(Fate::AnswerLost),
    Turn::dies(Fate::Late),
    Turn::pauses(),
    Turn::sleeps(),
];

/// What differs for an effect that only looks: it fails, or its process dies. Done, lost or late is all the same then.
/// Last is how its process stands still: with nobody beside it only the leases matter, with somebody that he is faster.
const LOOKS: [Turn; 4] =
    [Turn::lives(Fate::AnswerLost), Turn::dies(Fate::Done), Turn::pauses(), Turn::sleeps()];

/// What differs for an effect that changes something: whoever is dead does not miss an answer.
const CHANGES: [Turn; 8] = [
    Turn::lives(Fate::NotDone),
    Turn::lives(Fate::AnswerLost),
    Turn::lives(Fate::Late),
    Turn::dies(Fate::NotDone),
    Turn::dies(Fate::Done),
    Turn::dies(Fate::Late),
    Turn::pauses(),
    Turn::sleeps(),
];

/// Of these pairs are made where two keep step: one of them is lost, or an answer.
const LOSSES: [Turn; 3] = [Turn::dies(Fate::Done), Turn::dies(Fate::NotDone), Turn::lives(Fate::AnswerLost)];

/// So many of the wrong schedules are kept.
const SHOWN: usize = 10;

/// Everything of which pairs are made at an effect with this name, each only once.
pub fn different(scene: Scene, what: &str) -> impl Iterator<Item = Turn> {
    let turns: &[Turn] = match (scene.rhythm, only_looks(what)) {
        (Rhythm::InStep, true) => &LOSSES[..1],
        (Rhythm::InStep, false) => &LOSSES,
        (Rhythm::Ahead, true) => &LOOKS,
        (Rhythm::Ahead, false) => &CHANGES,
    };
    let idle = if scene.workers > 1 { Then::Sleeps } else { Then::Pauses };
    turns.iter().copied().filter(move |turn| turn.then != idle)
}

/// Every scene whose schedules are played.
#[must_use]
pub fn scenes() -> Vec<Scene> {
    let workers = [(1, Rhythm::Ahead), (2, Rhythm::Ahead), (2, Rhythm::InStep)];
    let scene = |(workers, rhythm), class| Scene { rhythm, ..Scene::new(class, workers) };
    workers.into_iter().flat_map(|who| Class::ALL.map(|class| scene(who, class))).collect()
}

/// The first schedule with one event that goes wrong, in any scene.
#[must_use]
pub fn first_wrong() -> Option<Found> {
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let mut played = 0;
    scenes().into_iter().find_map(|scene| {
        let sum = explore(scene, false, threads);
        played += 1 + sum.singles;
        let (_, wrong) = sum.wrong.into_iter().next()?;
        Some(Found { histories: played, seed: 0, wrong })
    })
}

/// What happens at which point.
pub type Script = Vec<(u64, Turn)>;

/// What all schedules of a scene showed.
#[derive(Debug, Clone, Default)]
pub struct Sum {
    /// The points of the way on which all is well.
    pub points: Vec<&'static str>,
    /// How many schedules had one event.
    pub singles: u64,
    /// How many had two.
    pub pairs: u64,
    /// The most points that a way had which was lengthened by one event.
    pub longest: usize,
    /// Points that were meant to be hit and were not, with their schedules. There must be none.
    pub missed: Vec<Script>,
    /// Schedules after which something was wrong, the first of them with what it was.
    pub wrong: Vec<(Script, Vec<String>)>,
    /// How many there were.
    pub wrongs: u64,
    /// How many effects there were in all.
    pub effects: u64,
}

/// Plays every single event of a scene, and with `pairs` every further one after it, on so many threads.
#[must_use]
pub fn explore(scene: Scene, pairs: bool, threads: usize) -> Sum {
    let base = play(scene, &[], false);
    let singles: Vec<(u64, Turn)> =
        (0..base.points.len() as u64).flat_map(|point| TURNS.map(|turn| (point, turn))).collect();
    let next = AtomicUsize::new(0);
    let mut sum = Sum::default();
    sum.judge(&[], &base, &[]);
    thread::scope(|scope| {
        let share = || {
            let mut sum = Sum::default();
            while let Some(first) = singles.get(next.fetch_add(1, Ordering::Relaxed)) {
                sum.single(scene, &base, *first, pairs);
            }
            sum
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(share)).collect();
        for thread in threads {
            match thread.join() {
                Ok(theirs) => sum.join(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    sum.points = base.points;
    sum
}

impl Sum {
    /// One event, and every other one after it: on the way as the first has changed it, up to its end.
    fn single(&mut self, scene: Scene, base: &Played, first: (u64, Turn), pairs: bool) {
        let played = play(scene, &[first], false);
        self.singles += 1;
        self.longest = self.longest.max(played.points.len());
        self.judge(&[first], &played, &base.points);
        let begin = first.0 as usize;
        let is_new =
            base.points.get(begin).is_some_and(|what| different(scene, what).any(|turn| turn == first.1));
        if !pairs || !is_new {
            return;
        }
        for (point, what) in played.points.iter().enumerate().skip(begin + 1) {
            // Who stands still does so first; what comes after it is another event while he does, or after.
            for turn in different(scene, what).filter(|turn| !turn.then.stands_still()) {
                let script = [first, (point as u64, turn)];
                let again = play(scene, &script, false);
                self.pairs += 1;
                self.judge(&script, &again, &played.points);
            }
        }
    }

    /// `before` is the way as it was without the last event: up to that, both must be equal, or it hit something else.
    fn judge(&mut self, script: &[(u64, Turn)], played: &Played, before: &[&'static str]) {
        self.effects += played.points.len() as u64;
        if let Some((point, _)) = script.last() {
            let hit = ..=(*point as usize);
            if played.points.get(hit).is_none() || played.points.get(hit) != before.get(hit) {
                self.missed.push(script.to_vec());
            }
        }
        if !played.wrong.is_empty() {
            self.wrongs += 1;
            if self.wrong.len() < SHOWN {
                self.wrong.push((script.to_vec(), played.wrong.clone()));
            }
        }
    }

    fn join(&mut self, other: Self) {
        self.singles += other.singles;
        self.pairs += other.pairs;
        self.longest = self.longest.max(other.longest);
        self.missed.extend(other.missed);
        self.wrong.extend(other.wrong);
        self.wrongs += other.wrongs;
        self.effects += other.effects;
    }
}
