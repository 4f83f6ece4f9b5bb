//! `completions` and `man`: comfort for a shell.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

pub(super) const COMPLETIONS_HELP: &str = "\
Write them where your shell looks for them, and begin a new shell.

Examples:
  cartdock completions bash > ~/.local/share/bash-completion/completions/cartdock
  cartdock completions zsh > \"${fpath[1]}/_cartdock\"
  cartdock completions fish > ~/.config/fish/completions/cartdock.fish
  cartdock completions powershell >> $PROFILE";

/// `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// For which shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: Shell,
}

pub(super) const MAN_HELP: &str = "\
Examples:
  cartdock man | man -l -
  cartdock man --dir /usr/local/share/man/man1    a page for each command";

/// `man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for each command into this directory, instead of the first page to standard output.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
