//! Plays many histories and says what they showed. A failing one is printed with its seed, and replayed by it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use simulation::coverage::Seen;
use simulation::judge::Verdict;
use simulation::net::Fate;
use simulation::play::play;

const HELP: &str = "\
simulation: the real use cases in a hostile world, decided by seeds

  simulation [--seeds N] [--from SEED]   play N histories (default 2000) on two threads
  simulation --replay SEED               play one and print everything that happened

Exit codes: 0 all is well, 1 a history went wrong, 2 wrong usage";

/// What all histories showed together.
#[derive(Default)]
struct Sum {
    wrong: Vec<Verdict>,
    unequal: Vec<u64>,
    fates: BTreeMap<Fate, u64>,
    ends: BTreeMap<String, u64>,
    seen: Seen,
    effects: u64,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    let code = match args.as_slice() {
        ["--replay", seed] => number(seed).map(replay),
        [] => Some(many(0, 2000)),
        ["--seeds", count] => number(count).map(|count| many(0, count)),
        ["--seeds", count, "--from", seed] | ["--from", seed, "--seeds", count] => {
            number(count).zip(number(seed)).map(|(count, seed)| many(seed, count))
        }
        _ => None,
    };
    if code.is_none() {
        say(HELP);
    }
    std::process::exit(code.unwrap_or(2));
}

fn say(line: &str) {
    let _nobody_reads_any_more = writeln!(std::io::stdout(), "{line}");
}

fn replay(seed: u64) -> i32 {
    let verdict = play(seed, true);
    for line in verdict.tally.history.iter().flatten() {
        say(line);
    }
    say(&format!("seed {seed}, class {:?}, ends {:?}", verdict.class, verdict.ends));
    for line in &verdict.wrong {
        say(&format!("WRONG: {line}"));
    }
    i32::from(!verdict.wrong.is_empty())
}

fn many(from: u64, count: u64) -> i32 {
    let next = AtomicU64::new(from);
    let sum = Mutex::new(Sum::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count {
                        return;
                    }
                    add(&sum, play(seed, false));
                }
            });
        }
    });
    report(&sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner), count)
}

fn add(sum: &Mutex<Sum>, verdict: Verdict) {
    // Every hundredth seed is played twice: the traces must be equal, or the history is not decided by its seed.
    let unequal =
        verdict.seed.is_multiple_of(100) && play(verdict.seed, false).tally.trace != verdict.tally.trace;
    let mut sum = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for ((_, fate), times) in &verdict.tally.effects {
        *sum.fates.entry(*fate).or_default() += times;
    }
    for (end, times) in &verdict.ends {
        *sum.ends.entry(end.clone()).or_default() += times;
    }
    sum.effects += verdict.tally.count;
    sum.seen.add(&verdict.seen);
    if unequal {
        sum.unequal.push(verdict.seed);
    }
    if !verdict.wrong.is_empty() {
        sum.wrong.push(verdict);
    }
}

fn report(sum: &Sum, count: u64) -> i32 {
    say(&format!("{count} histories, {} effects", sum.effects));
    for (name, times) in sum.seen.lines() {
        say(&format!("{times:>12}  {name}"));
    }
    say(&format!("fates: {:?}", sum.fates));
    say(&format!("orders ended: {:?}", sum.ends));
    for verdict in sum.wrong.iter().take(10) {
        say(&format!("seed {} (class {:?}): {}", verdict.seed, verdict.class, verdict.wrong.join("; ")));
    }
    say(&format!(
        "{} histories went wrong, {} were not equal when played twice",
        sum.wrong.len(),
        sum.unequal.len()
    ));
    // In a million histories each kind of trouble happens at least ten thousand times.
    let missing = sum.seen.missing(count / 100);
    for line in &missing {
        say(&format!("too rarely seen: {line}"));
    }
    i32::from(!(sum.wrong.is_empty() && sum.unequal.is_empty() && missing.is_empty()))
}
