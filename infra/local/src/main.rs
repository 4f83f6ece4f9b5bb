//! The `cartdock` command.
#![expect(dead_code, reason = "the commands are not wired yet")]

mod cli;
mod config;
mod init;

fn main() {}
