//! Plays the outage of a warehouse and says whether its goals are met.

use std::io::Write as _;

use simulation::outage::{Goals, Scenario, play};

const HELP: &str = "\
outage: a warehouse is away for six hours, and 100,000 orders wait for it

  outage [--orders N] [--hour] [--unfair] [--seed N] [--verbose]

Exit codes: 0 the goals are met, 1 one is missed, 2 wrong usage";

fn say(line: &str) {
    let _nobody_reads_any_more = writeln!(std::io::stdout(), "{line}");
}

/// The scenario that the arguments ask for, and whether to tell how it goes.
fn read(args: impl Iterator<Item = String>) -> Option<(Scenario, bool)> {
    let args: Vec<String> = args.collect();
    let mut scenario =
        if args.iter().any(|arg| arg == "--hour") { Scenario::one_hour() } else { Scenario::six_hours() };
    let (mut verbose, mut rest) = (false, args.iter().map(String::as_str));
    while let Some(arg) = rest.next() {
        match arg {
            "--hour" => {}
            "--verbose" => verbose = true,
            "--unfair" => scenario.fair = false,
            "--orders" => scenario.orders = rest.next()?.parse().ok()?,
            "--seed" => scenario.seed = rest.next()?.parse().ok()?,
            _ => return None,
        }
    }
    Some((scenario, verbose))
}

fn main() {
    let Some((scenario, verbose)) = read(std::env::args().skip(1)) else {
        say(HELP);
        std::process::exit(2);
    };
    let undisturbed = play(&scenario.undisturbed(), |_| {});
    say(&format!("undisturbed\n{undisturbed}\n"));
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
    std::process::exit(i32::from(!missed.is_empty()));
}
