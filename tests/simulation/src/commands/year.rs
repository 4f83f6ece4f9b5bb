//! A simulated year of one merchant, and how long it takes.

use simulation::coverage::Fault;
use simulation::year::{MINUTES, ORDERS, play};

use crate::stopwatch::Stopwatch;
use crate::{Command, say};

pub(crate) const COMMAND: Command = Command {
    word: "year",
    help: "  simulation year [SEED] [--minutes N] [--orders N]
      one merchant, polled every minute for a year (525600), with 20000 orders, and trouble as often as in life",
    run,
};

fn run(args: &[&str]) -> Option<i32> {
    let (mut seed, mut minutes, mut orders) = (0, MINUTES, ORDERS);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--minutes" => minutes = args.next()?.parse().ok()?,
            "--orders" => orders = args.next()?.parse().ok()?,
            number => seed = number.parse().ok()?,
        }
    }
    let watch = Stopwatch::start();
    let verdict = play(seed, minutes, orders);
    let took = watch.took();
    let polls: u64 = effects(&verdict, "ledger: cursor");
    say(&format!("{minutes} minutes, {orders} orders, class {:?}: {took}", verdict.class));
    say(&format!("{} effects; the cursor was read {polls} times", verdict.tally.count));
    for (name, times) in verdict.seen.lines().filter(|(_, times)| *times > 0) {
        say(&format!("{times:>12}  {name}"));
    }
    let faults: u64 = verdict.seen.lines().take(Fault::ALL.len()).map(|(_, times)| times).sum();
    say(&format!("{faults} faults; orders ended: {:?}", verdict.ends));
    for line in &verdict.wrong {
        say(&format!("WRONG: {line}"));
    }
    Some(i32::from(!verdict.wrong.is_empty()))
}

fn effects(verdict: &simulation::judge::Verdict, name: &str) -> u64 {
    verdict.tally.effects.iter().filter(|((what, _), _)| *what == name).map(|(_, times)| times).sum()
}
