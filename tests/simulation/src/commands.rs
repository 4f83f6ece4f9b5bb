//! What the simulation can be asked for on the command line: one file and one line each.

mod exhaustive;
mod replay;
mod volume;
mod year;

use crate::Command;

/// All of them.
pub(crate) const COMMANDS: [&Command; 4] =
    [&volume::COMMAND, &replay::COMMAND, &exhaustive::COMMAND, &year::COMMAND];
