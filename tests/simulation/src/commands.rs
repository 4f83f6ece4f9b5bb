//! What the simulation can be asked for on the command line: one file and one line each.

mod exhaustive;
pub(crate) mod hunt;
mod planted;
mod replay;
mod volume;
mod year;

use crate::Command;

/// All of them.
pub(crate) const COMMANDS: [&Command; 6] = [
    &volume::COMMAND,
    &replay::COMMAND,
    &exhaustive::COMMAND,
    &year::COMMAND,
    &planted::COMMAND,
    &hunt::COMMAND,
];
