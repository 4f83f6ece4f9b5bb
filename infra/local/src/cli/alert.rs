//! `alert`: its arguments and its help.

use clap::Subcommand;

pub(super) const HELP: &str = "\
People are told once when something opens and once when it closes: orders wait for a
SKU, a method, a refusal; orders are late; packages are in the outbox; the warehouse
is away; nobody imports; no order has come for an unusually long time. One message
for all that is new, at most every five minutes, with the cure and the command.
An issue that is ignored (cartdock issues ignore) is not told. The channels stand in
the table [alerts] of the settings (a webhook as Slack has it, mail); on AWS it is
the stack's topic (parameters AlarmEmail and TellIssues).

Examples:
  cartdock alert test
  cartdock alert test --stack cartdock-prod";

/// `alert`.
#[derive(Debug, Subcommand)]
pub(crate) enum Alert {
    /// Send a message that says that it is a test by each channel, and say which took it.
    #[command(after_help = "Exit code 1: a channel did not take it. 2: there is no channel.\n\n\
        Examples:\n  cartdock alert test\n  cartdock alert test --stack cartdock-prod --json")]
    Test,
}
