//! `connection`: what can be typed about connections.

use clap::{Args, Subcommand};
use domain::ConnectionId;

/// `connection`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionCommand {
    /// Add a connection: asks for what is needed, checks the credentials, and writes it down disabled.
    #[command(after_help = ADD_HELP)]
    Add(Add),
    /// Show the settings of a connection, and whether it works. Secrets are shown by name only.
    #[command(after_help = SHOW_HELP)]
    Show(Show),
    /// Change settings of a connection: shows first what changes, then asks.
    #[command(after_help = EDIT_HELP)]
    Edit(Edit),
    /// Let a connection work: shows first what would be imported and sent, then asks.
    #[command(after_help = ENABLE_HELP)]
    Enable(Enable),
    /// Stop importing, sending and posting for a connection. Nothing is forgotten.
    #[command(after_help = PAUSE_HELP)]
    Pause(Pause),
    /// Let a paused connection go on where it was: says how many orders wait, then asks.
    #[command(after_help = RESUME_HELP)]
    Resume(Resume),
    /// Remove a connection and everything that is kept of it. Cannot be undone.
    #[command(after_help = REMOVE_HELP)]
    Remove(Remove),
    /// Put the connections of the settings into a deployment: shows first what changes, then asks.
    #[command(after_help = APPLY_HELP)]
    Apply(Apply),
}

const ADD_HELP: &str = "\
Asks for what is not given, tries the credentials at the store and at the warehouse
without saving anything, says what each can and cannot do, and writes the connection
into the settings file (with --stack: into the deployment's ledger). It is disabled
until cartdock connection enable.

Secrets are never arguments: they are typed without being shown, or read from
standard input, one a line, in the order in which they are asked for. They are kept
in files that only their owner may read, beside the settings file; with --stack in
Secrets Manager. A secret that is somewhere already is named instead:
--set store.api_key=@env:STORE_KEY

--like copies everything of another connection but what belongs to its store: the
Merchant ID, the API key, the notification's secret, and the start date, which is
today. The mapping is copied with --with-mapping.
Exit code 1: --dry-run, and something needs attention.

Examples:
  cartdock connection add main
  cartdock connection add second --like main --with-mapping
  cartdock connection add third --like main --set store.merchant_id=900003 < key";

/// `connection add`.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its id: lower-case letters, digits and hyphens; part of every reference, so choose once.
    #[arg(value_name = "NAME")]
    pub(crate) connection: ConnectionId,
    /// Copy this connection.
    #[arg(long, value_name = "CONNECTION")]
    pub(crate) like: Option<ConnectionId>,
    /// Copy its listings and shipping rules too.
    #[arg(long, requires = "like")]
    pub(crate) with_mapping: bool,
    /// A setting, as connection show names it (store.merchant_id, warehouse.kind, policies.start). May be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Check, and save nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Save it although the store or the warehouse cannot be reached, or refuses the credentials.
    #[arg(long)]
    pub(crate) unchecked: bool,
}

const SHOW_HELP: &str = "\
Examples:
  cartdock connection show
  cartdock connection show main --json";

/// `connection show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The connection; all of them without it.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: Option<ConnectionId>,
}

const EDIT_HELP: &str = "\
KEY is a setting as cartdock connection show names it. Only the lines of these
settings change in the settings file, everything else stays as it is, comments
included; a running cartdock run follows within seconds. With --stack the
deployment's ledger is changed, and its functions follow within half a minute.
The value of a secret is asked for without being shown, or read from standard input:
--secret KEY, which puts it where the setting says, or into a new place.
Exit code 1: --dry-run, and something would change.

Examples:
  cartdock connection edit main --set policies.comment=hold
  cartdock connection edit main --set schedule.orders_minutes=2 --yes
  cartdock connection edit main --unset policies.comment
  cartdock connection edit main --secret store.api_key";

/// `connection edit`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args(["set", "unset", "secret"]))]
pub(crate) struct Edit {
    /// The connection.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: ConnectionId,
    /// Set a setting. May be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Take a setting out, so that its default counts. May be repeated.
    #[arg(long, value_name = "KEY")]
    pub(crate) unset: Vec<String>,
    /// Give a secret a new value. May be repeated.
    #[arg(long, value_name = "KEY")]
    pub(crate) secret: Vec<String>,
    /// Say what would change, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

const ENABLE_HELP: &str = "\
Asks the store which orders it has from the start date on (or from where it was
read), reads the oldest of them, and counts what would be imported, sent, held and
why, and left out by which rule: by the same rules as cartdock run, the mapping
included. What only the warehouse's own limits would hold is not counted. Nothing is
written before yes is typed.

--new says that no order was ever sent for this merchant, so that no warehouse has
to be asked first. Leave it out if an earlier Cartdock or another tool may have sent
orders under the same references.
Exit code 1: some orders would be held.

Examples:
  cartdock connection enable main --dry-run
  cartdock connection enable main --new --yes
  cartdock connection enable main --limit 500 --stack cartdock-prod";

/// `connection enable`.
#[derive(Debug, Args)]
pub(crate) struct Enable {
    /// The connection.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: ConnectionId,
    /// How many orders are read for the preview: two requests each, at the pace of the store. 0: only count them.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    /// The merchant is new: no order of it was ever sent.
    #[arg(long)]
    pub(crate) new: bool,
    /// Say what would happen, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

const PAUSE_HELP: &str = "\
Written into the settings file and into the ledger (with --stack into the ledger
alone): a running cartdock run stops within seconds, functions within half a minute.
What is being sent at that moment is finished. Nothing new is imported, sent or
posted; webhooks of the warehouse are still taken. How far the store was read stays,
so that cartdock connection resume misses nothing.

Example:
  cartdock connection pause main";

/// `connection pause`.
#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// The connection.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: ConnectionId,
}

const RESUME_HELP: &str = "\
Counts what waits in the ledger, and asks the store how many orders it has that the
ledger does not have. Everything of that is imported and sent once yes is typed.

Examples:
  cartdock connection resume main
  cartdock connection resume main --yes --stack cartdock-prod";

/// `connection resume`.
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The connection.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: ConnectionId,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

const REMOVE_HELP: &str = "\
The connection must be paused before. Says what is kept of it, has its name typed
back, removes all of that (as cartdock erase does) and takes it out of the settings
file. Its secrets stay where they are; it says where that is.
Exit code 1: somebody was still at work; remove it once more in a quarter of an hour.

Examples:
  cartdock connection remove main
  cartdock connection remove main --yes main --stack cartdock-prod";

/// `connection remove`.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The connection.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: ConnectionId,
    /// Do not ask: the connection's name once more.
    #[arg(long, value_name = "CONNECTION")]
    pub(crate) yes: Option<String>,
}

/// `KEY=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        // What was typed may hold a secret and is not repeated.
        _ => Err("write KEY=VALUE, as in policies.comment=hold".to_owned()),
    }
}

const APPLY_HELP: &str = "\
Reads the settings file, compares it with the deployment's ledger, shows what would
change, and asks before it writes. Secrets are names in Secrets Manager
(@secret:NAME, or @secret:NAME#field for a field of a JSON object); their values
never pass through here. A new connection is read from its start date on, and
nothing is sent before all of that is in the ledger. One that is in the ledger and
not in the file is left as it is; enabled = false switches one off.
On one machine there is no need for this: cartdock run reads the settings itself.
Exit code 1: --dry-run, and something would change.

Examples:
  cartdock connection apply --stack cartdock-prod --dry-run
  cartdock connection apply main --stack cartdock-prod --yes";

/// `connection apply`.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The connection; all of the file without it.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: Option<ConnectionId>,
    /// Say what would change, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}
