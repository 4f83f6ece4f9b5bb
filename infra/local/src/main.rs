//! `cartdock`: all of it in one process, and the operator's commands.

mod demo;
mod host;

fn main() {}
