//! Plays the simulation from the command line: each sub-command is a file of its own.

mod commands;
mod stopwatch;

use std::io::Write as _;

use commands::COMMANDS;

/// Histories are made of millions of small things.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One thing that the simulation can do.
pub(crate) struct Command {
    /// The word that asks for it; the empty one when nothing else is asked for.
    pub(crate) word: &'static str,
    /// How it is called, and what it does: a line each.
    pub(crate) help: &'static str,
    /// Does it: 0 all is well, 1 something is wrong. None: these arguments make no sense.
    pub(crate) run: fn(&[&str]) -> Option<i32>,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let code = match args.as_slice() {
        ["--help" | "-h" | "help"] => {
            say(&help());
            0
        }
        args => dispatch(args).unwrap_or_else(|| {
            complain(&help());
            2
        }),
    };
    std::process::exit(code);
}

fn dispatch(args: &[&str]) -> Option<i32> {
    let named = args.split_first().and_then(|(word, rest)| {
        COMMANDS.iter().find(|command| command.word == *word).map(|command| (command, rest))
    });
    let unnamed = || COMMANDS.iter().find(|command| command.word.is_empty()).map(|command| (command, args));
    let (command, rest) = named.or_else(unnamed)?;
    (command.run)(rest)
}

fn help() -> String {
    let mut text = "simulation: the real use cases in a hostile world, decided by seeds\n\n".to_owned();
    for command in COMMANDS {
        text.push_str(command.help);
        text.push('\n');
    }
    text + "\nExit codes: 0 all is well, 1 something went wrong, 2 wrong usage"
}

/// Prints a line; if nobody reads any more, that is no failure of the simulation.
pub(crate) fn say(line: &str) {
    let _nobody_reads_any_more = writeln!(std::io::stdout(), "{line}");
}

fn complain(line: &str) {
    let _nobody_reads_any_more = writeln!(std::io::stderr(), "{line}");
}
