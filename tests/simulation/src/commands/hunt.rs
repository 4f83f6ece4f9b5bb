//! Plays histories until one goes wrong, and says which, for programs that read it: what `planted` asks of each copy.

use std::time::Duration;

use simulation::hunt::first_wrong;

use crate::{Command, say};

/// How a hunt ends that has taken too long.
pub(crate) const ENDLESS: i32 = 3;

/// The word for the schedules of the exhaustive part, where histories have a number.
pub(crate) const SCHEDULES: &str = "schedules";

pub(crate) const COMMAND: Command = Command {
    word: "hunt",
    help: "  simulation hunt N|schedules SECONDS
      play N histories at most (or every schedule with one event), until one goes wrong, and print that as JSON;
      exit code 3 when the time is over",
    run,
};

fn run(args: &[&str]) -> Option<i32> {
    let [what, seconds] = args else { return None };
    let limit = if *what == SCHEDULES { None } else { Some(what.parse().ok()?) };
    let seconds = seconds.parse().ok()?;
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(seconds));
        std::process::exit(ENDLESS);
    });
    let found = limit.map_or_else(simulation::exhaustive::first_wrong, first_wrong);
    say(&serde_json::to_string(&found).unwrap_or_default());
    Some(0)
}
