//! Plays one history and prints everything that happened in it.

use simulation::play::play;

use crate::{Command, say};

pub(crate) const COMMAND: Command = Command {
    word: "--replay",
    help: "  simulation --replay SEED
      play one history and print everything that happened",
    run,
};

fn run(args: &[&str]) -> Option<i32> {
    let [seed] = args else { return None };
    let seed = seed.parse().ok()?;
    let verdict = play(seed, true);
    for line in verdict.tally.history.iter().flatten() {
        say(line);
    }
    say(&format!("seed {seed}, class {:?}, ends {:?}", verdict.class, verdict.ends));
    for line in &verdict.wrong {
        say(&format!("WRONG: {line}"));
    }
    Some(i32::from(!verdict.wrong.is_empty()))
}
