//! What the simulation can be asked for on the command line: one file and one line each.

mod outage;
mod replay;
mod volume;

use crate::Command;

/// All of them.
pub(crate) const COMMANDS: [&Command; 3] = [&volume::COMMAND, &replay::COMMAND, &outage::COMMAND];
