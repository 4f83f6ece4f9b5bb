//! Plays histories until one goes wrong, and says which, for programs that read it: what `planted` asks of each copy.

use std::time::Duration;

use simulation::hunt::first_wrong;

use crate::{Command, say};

/// How a hunt ends that has taken too long.
pub(crate) const ENDLESS: i32 = 3;

pub(crate) const COMMAND: Command = Command {
    word: "hunt",
    help: "  simulation hunt N SECONDS
      play N histories at most, until one goes wrong, and print that as JSON; exit code 3 when the time is over",
    run,
};

fn run(args: &[&str]) -> Option<i32> {
    let [limit, seconds] = args else { return None };
    let (limit, seconds) = (limit.parse().ok()?, seconds.parse().ok()?);
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(seconds));
        std::process::exit(ENDLESS);
    });
    say(&serde_json::to_string(&first_wrong(limit)).unwrap_or_default());
    Some(0)
}
