//! What the simulation can be asked for on the command line: one file and one line each.

mod exhaustive;
pub(crate) mod hunt;
mod outage;
mod planted;
mod replay;
mod volume;
mod year;

use crate::Command;

/// All of them.
pub(crate) const COMMANDS: [&Command; 7] = [
    &volume::COMMAND,
    &replay::COMMAND,
    &exhaustive::COMMAND,
    &year::COMMAND,
    &outage::COMMAND,
    &planted::COMMAND,
    &hunt::COMMAND,
];
