//! Plays many histories on all processors and says what they showed together. A failing one is named by its seed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use simulation::coverage::{Fault, Seen};
use simulation::judge::Verdict;
use simulation::net::Fate;
use simulation::play::play;

use crate::stopwatch::{Stopwatch, Took, tenths};
use crate::{Command, say};

pub(crate) const COMMAND: Command = Command {
    word: "",
    help: "  simulation [--seeds N | --seconds N] [--from SEED] [--threads N]
      play N histories (default 2000), or as many as fit into N seconds, on two threads",
    run,
};

/// Every history with such a seed is played twice.
const TWICE: u64 = 100;

/// From so many histories on, each kind of trouble must have been seen.
const ENOUGH: u64 = 10_000;

/// So many failing histories are printed.
const SHOWN: usize = 10;

/// Which histories are to be played.
struct Wanted {
    from: u64,
    seeds: u64,
    seconds: Option<u64>,
    threads: u64,
}

fn run(args: &[&str]) -> Option<i32> {
    let mut wanted = Wanted { from: 0, seeds: 2000, seconds: None, threads: 2 };
    for pair in args.chunks(2) {
        let [name, value] = pair else { return None };
        let value: u64 = value.parse().ok()?;
        match *name {
            "--seeds" => wanted.seeds = value,
            "--from" => wanted.from = value,
            "--threads" => wanted.threads = value,
            "--seconds" => (wanted.seconds, wanted.seeds) = (Some(value), u64::MAX),
            _ => return None,
        }
    }
    Some(many(&wanted))
}

fn many(wanted: &Wanted) -> i32 {
    let (watch, next) = (Stopwatch::start(), AtomicU64::new(wanted.from));
    let is_over = || wanted.seconds.is_some_and(|seconds| watch.wall() >= Duration::from_secs(seconds));
    let mut sum = Sum::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..wanted.threads)
            .map(|_| scope.spawn(|| some(&next, wanted.from.saturating_add(wanted.seeds), is_over)))
            .collect();
        for thread in threads {
            match thread.join() {
                Ok(theirs) => sum.join(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    sum.report(&watch.took());
    i32::from(!(sum.wrong.is_empty() && sum.unequal.is_empty() && sum.missing().is_empty()))
}

/// The share of one thread.
fn some(next: &AtomicU64, last: u64, is_over: impl Fn() -> bool) -> Sum {
    let mut sum = Sum::default();
    while !is_over() {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= last {
            break;
        }
        sum.add(play(seed, false));
    }
    sum
}

/// What many histories showed together.
#[derive(Default)]
struct Sum {
    histories: u64,
    wrong: Vec<Verdict>,
    wrongs: u64,
    twice: u64,
    unequal: Vec<u64>,
    fates: BTreeMap<Fate, u64>,
    ends: BTreeMap<String, u64>,
    seen: Seen,
    effects: u64,
    millis: u64,
}

impl Sum {
    fn add(&mut self, verdict: Verdict) {
        if verdict.seed.is_multiple_of(TWICE) {
            self.twice += 1;
            let again = play(verdict.seed, false).tally;
            // Equal traces, or the history is not decided by its seed.
            if again.trace != verdict.tally.trace {
                self.unequal.push(verdict.seed);
            }
        }
        for ((_, fate), times) in &verdict.tally.effects {
            *self.fates.entry(*fate).or_default() += times;
        }
        for (end, times) in &verdict.ends {
            *self.ends.entry(end.clone()).or_default() += times;
        }
        self.histories += 1;
        self.effects += verdict.tally.count;
        self.millis += verdict.tally.millis;
        self.seen.add(&verdict.seen);
        if !verdict.wrong.is_empty() {
            self.wrongs += 1;
            if self.wrong.len() < SHOWN {
                self.wrong.push(verdict);
            }
        }
    }

    fn join(&mut self, other: Self) {
        for (fate, times) in other.fates {
            *self.fates.entry(fate).or_default() += times;
        }
        for (end, times) in other.ends {
            *self.ends.entry(end).or_default() += times;
        }
        self.histories += other.histories;
        self.wrong.extend(other.wrong);
        self.wrongs += other.wrongs;
        self.twice += other.twice;
        self.unequal.extend(other.unequal);
        self.seen.add(&other.seen);
        self.effects += other.effects;
        self.millis += other.millis;
    }

    /// In a million histories each kind of trouble happens at least ten thousand times. A few prove nothing of the kind.
    fn missing(&self) -> Vec<String> {
        if self.histories < ENOUGH { Vec::new() } else { self.seen.missing(self.histories / 100) }
    }

    fn report(&mut self, took: &Took) {
        let each = |count: u64| tenths(count, self.histories);
        let faults: u64 = self.seen.lines().take(Fault::ALL.len()).map(|(_, times)| times).sum();
        say(&format!("{} histories in {took}: {}", self.histories, took.rate(self.histories)));
        say(&format!(
            "{} effects ({} a history), {faults} faults ({} a history), {} hours of virtual time",
            self.effects,
            each(self.effects),
            each(faults),
            self.millis / 3_600_000
        ));
        for (name, times) in self.seen.lines() {
            say(&format!("{times:>12}  {name}"));
        }
        say(&format!("fates of effects: {:?}", self.fates));
        say(&format!("orders ended: {:?}", self.ends));
        self.wrong.sort_by_key(|verdict| verdict.seed);
        for verdict in self.wrong.iter().take(SHOWN) {
            say(&format!("seed {} (class {:?}): {}", verdict.seed, verdict.class, verdict.wrong.join("; ")));
        }
        say(&format!(
            "{} histories went wrong; {} were played twice, {} of them were not equal{}",
            self.wrongs,
            self.twice,
            self.unequal.len(),
            self.unequal.first().map_or(String::new(), |seed| format!(", the first is {seed}"))
        ));
        let missing = self.missing();
        for line in missing {
            say(&format!("too rarely seen: {line}"));
        }
    }
}
