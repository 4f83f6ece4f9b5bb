//! `issues`: its arguments and its help.

use clap::{Args, Subcommand};
use domain::ConnectionId;

use super::words;

pub(super) const HELP: &str = "\
An issue is one cause: this SKU, this method, this refusal. It opens with the first
order that waits for it, and closes by itself with the last one. What is said about
it stays in the ledger and counts again should the same cause come back.
Exit code 1: there are issues that nobody ignores.

Examples:
  cartdock issues
  cartdock issues show 3fa9c011
  cartdock issues assign 3fa9 ada
  cartdock issues note 3fa9 \"supplier asked, answer on Monday\"
  cartdock issues ignore 3fa9
  cartdock replay --issue 3fa9c011";

/// `issues`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Issues {
    /// Only those of this connection.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
    /// Those that are ignored, too.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(subcommand)]
    pub(crate) command: Option<IssuesCommand>,
}

/// What can be done with one issue.
#[derive(Debug, Subcommand)]
pub(crate) enum IssuesCommand {
    /// One issue with its cure, all its orders, and what was said.
    Show(OneIssue),
    /// Say who takes care of it.
    Assign(Assign),
    /// Say something about it.
    Note(Note),
    /// Do not count it as something that needs attention any more. Its orders wait all the same.
    Ignore(Ignore),
}

/// An issue.
#[derive(Debug, Args)]
pub(crate) struct OneIssue {
    /// Its id, or the beginning of it.
    #[arg(value_name = "ISSUE")]
    pub(crate) issue: String,
}

/// `issues assign`.
#[derive(Debug, Args)]
pub(crate) struct Assign {
    #[command(flatten)]
    pub(crate) one: OneIssue,
    /// Who.
    #[arg(value_name = "NAME", required_unless_present = "nobody", conflicts_with = "nobody", value_parser = words)]
    pub(crate) to: Option<String>,
    /// Nobody does any more.
    #[arg(long)]
    pub(crate) nobody: bool,
    #[command(flatten)]
    pub(crate) who: Who,
}

/// `issues note`.
#[derive(Debug, Args)]
pub(crate) struct Note {
    #[command(flatten)]
    pub(crate) one: OneIssue,
    /// What; nothing personal about a buyer: it is kept, and shown to everybody.
    #[arg(value_name = "TEXT", value_parser = words)]
    pub(crate) text: String,
    #[command(flatten)]
    pub(crate) who: Who,
}

/// `issues ignore`.
#[derive(Debug, Args)]
pub(crate) struct Ignore {
    #[command(flatten)]
    pub(crate) one: OneIssue,
    /// Count it again.
    #[arg(long)]
    pub(crate) undo: bool,
    #[command(flatten)]
    pub(crate) who: Who,
}

/// Who says it.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// Who says it.
    #[arg(long, value_name = "NAME", default_value = "a person", value_parser = words)]
    pub(crate) by: String,
}
