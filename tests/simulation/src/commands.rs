//! What the simulation can be asked for on the command line: one file and one line each.

mod exhaustive;
pub(crate) mod hunt;
mod planted;
mod replay;
mod volume;

use crate::Command;

/// All of them.
pub(crate) const COMMANDS: [&Command; 5] =
    [&volume::COMMAND, &replay::COMMAND, &exhaustive::COMMAND, &planted::COMMAND, &hunt::COMMAND];
