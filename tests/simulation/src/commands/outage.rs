//! Plays the outage of a warehouse and says whether its goals are met.

use simulation::outage::{Goals, Scenario, play};

use crate::stopwatch::Stopwatch;
use crate::{Command, say};

pub(crate) const COMMAND: Command = Command {
    word: "outage",
    help: "  simulation outage [--hour] [--orders N] [--unfair] [--seed N] [--verbose]
      a warehouse is away for six hours (one) while 100,000 orders (2,000) come in; are the goals met?",
    run,
};

/// What is wanted, and whether to tell how it goes.
struct Wanted {
    scenario: Scenario,
    verbose: bool,
}

fn read(args: &[&str]) -> Option<Wanted> {
    let scenario = if args.contains(&"--hour") { Scenario::one_hour() } else { Scenario::six_hours() };
    let mut wanted = Wanted { scenario, verbose: false };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match *arg {
            "--hour" => {}
            "--verbose" => wanted.verbose = true,
            "--unfair" => wanted.scenario.fair = false,
            "--orders" => wanted.scenario.orders = rest.next()?.parse().ok()?,
            "--seed" => wanted.scenario.seed = rest.next()?.parse().ok()?,
            _ => return None,
        }
    }
    Some(wanted)
}

fn run(args: &[&str]) -> Option<i32> {
    let Wanted { scenario, verbose } = read(args)?;
    let watch = Stopwatch::start();
    let undisturbed = play(&scenario.undisturbed(), |_| {});
    say(&format!("the same day without an outage\n{undisturbed}\n"));
    let figures = play(&scenario, |line| {
        if verbose {
            say(line);
        }
    });
    say(&format!("with the outage\n{figures}"));
    let missed = Goals::default().missed(&figures, &undisturbed);
    for miss in &missed {
        say(&format!("MISSED: {miss}"));
    }
    say(&format!("{} goals missed; {} s on the wall", missed.len(), watch.wall().as_secs()));
    Some(i32::from(!missed.is_empty()))
}
