//! The command line: what can be typed, and the help that says so.

mod alert;
mod connection;
mod issues;
mod mapping;
mod reconcile;
mod shell;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::{ConnectionId, WarehouseOrderId};
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use alert::Alert;
pub(crate) use connection::{
    Add, Apply, ConnectionCommand, Edit, Enable, Pause, Remove, Resume, Show as ShowConnection,
};
pub(crate) use issues::{Issues, IssuesCommand};
pub(crate) use mapping::{MapCoverage, MapHistory, MapRollback, MapSeed, Plan};
pub(crate) use reconcile::Reconcile;
pub(crate) use shell::{Completions, Man};

/// Connects 1ShoppingCart stores to warehouses: each order sent once and only once, tracking posted back.
#[derive(Debug, Parser)]
#[command(name = "cartdock", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// The settings file.
    #[arg(long, global = true, value_name = "FILE", default_value = "cartdock.toml")]
    pub(crate) config: PathBuf,
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The zone of times for people, as in Europe/Berlin; without it the shop's. JSON and CSV are in UTC.
    #[arg(long, global = true, value_name = "ZONE", value_parser = zone)]
    pub(crate) zone: Option<TimeZone>,
    /// Work on the deployment on AWS with this CloudFormation stack, instead of the data directory of the settings.
    #[arg(long, global = true, value_name = "NAME", help_heading = "On AWS")]
    pub(crate) stack: Option<String>,
    /// The profile of the shared AWS configuration; without it AWS_PROFILE or the credentials of the environment.
    #[arg(long, global = true, value_name = "NAME", help_heading = "On AWS")]
    pub(crate) profile: Option<String>,
    /// The region of the stack; without it AWS_REGION or the profile's.
    #[arg(long, global = true, value_name = "NAME", help_heading = "On AWS")]
    pub(crate) region: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "it is no zone's name, as America/New_York or UTC is".to_owned())
}

/// What the exit code means, for every command.
const EXIT_CODES: &str = "\
Exit codes: 0  everything is as it should be
            1  done, and something needs a person's attention
            2  could not be done: wrong usage, settings, file or network";

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play a day of a shop on this machine: simulated store and warehouse, no account, no cloud.
    #[command(after_help = "Ends with closed books. Exit code 1: the books do not close.\n\n\
        Examples:\n  cartdock demo\n  cartdock demo --keep    leave it running, with a list of things to try")]
    Demo(Demo),
    /// Write a commented settings file to start from.
    #[command(after_help = "Never overwrites a file. The file is readable by its owner only.\n\n\
        Example:\n  cartdock init --path shop.toml")]
    Init(Init),
    /// Run everything in this process: polls, queues, webhooks. Ctrl-C finishes what is in hand and stops.
    #[command(
        after_help = "Every order's state is in the data directory: it may be killed at any moment and goes on \
        where it was.\n\nExample:\n  cartdock --config shop.toml run"
    )]
    Run,
    /// After the ledger was lost: fill a new one from the store and the warehouse. Sends nothing.
    #[command(after_help = REBUILD_HELP)]
    Rebuild(Rebuild),
    /// Ask the store and the warehouse whether they can be reached, and what each can do. Changes nothing there.
    #[command(after_help = "Exit code 1: a finding is NOT OK.\n\n\
        Examples:\n  cartdock check\n  cartdock check main --json")]
    Check(Check),
    /// Every check that can be made: what is set up, and whether it is at work. Each finding with its cure; reads only.
    #[command(after_help = DOCTOR_HELP)]
    Doctor(Check),
    /// Listings (SKU to warehouse SKU) and shipping rules (method to service).
    #[command(subcommand)]
    Map(Map),
    /// Where all orders stand: the counts that must sum, what is held and its cure. Reads only.
    #[command(
        after_help = "Exit code 1: orders are held, notices are parked, packages wait in the outbox, or the \
        counts do not sum.\n\nExamples:\n  cartdock status\n  cartdock status main --json"
    )]
    Status(Status),
    /// One order on one screen: where it is, what happens next, its whole story. Reads only, no personal data.
    #[command(after_help = EXPLAIN_HELP)]
    Explain(Explain),
    /// An order's whole way to the warehouse, with each decision and the request, and nothing sent. Rehearses a go-live.
    #[command(after_help = mapping::PLAN_HELP)]
    Plan(Plan),
    /// Send orders that are held for a person's word: a remark, an address, a hold, an old date.
    #[command(after_help = RELEASE_HELP)]
    Release(Act),
    /// Keep orders back until a person releases them.
    #[command(after_help = HOLD_HELP)]
    Hold(Act),
    /// Never send orders.
    #[command(after_help = EXCLUDE_HELP)]
    Exclude(Act),
    /// Take orders back: not sent any more, or cancelled by the warehouse that has them.
    #[command(after_help = CANCEL_HELP)]
    Cancel(Act),
    /// Settle a held order after a look into the warehouse: is it there or not?
    #[command(after_help = RESOLVE_HELP)]
    Resolve(Resolve),
    /// Try orders again now: by number, by what they wait for, by when they came.
    #[command(after_help = REPLAY_HELP)]
    Replay(Replay),
    /// What orders wait for: one issue for each cause, with its orders, its cure and who takes care of it.
    #[command(after_help = issues::HELP)]
    Issues(Issues),
    /// Whether people are told what opens and what closes.
    #[command(subcommand, after_help = alert::HELP)]
    Alert(Alert),
    /// Compare the ledger with the store and the warehouse, order by order: counts that must sum, differences by name.
    #[command(after_help = reconcile::HELP)]
    Reconcile(Reconcile),
    /// Packages whose tracking the store cannot take.
    #[command(subcommand)]
    Outbox(Outbox),
    /// Add, show, edit, enable, pause, resume and remove connections; put those of the settings into a deployment.
    #[command(subcommand)]
    Connection(ConnectionCommand),
    /// Remove everything that is kept of a connection, or the personal data of one order. Cannot be undone.
    #[command(after_help = ERASE_HELP)]
    Erase(Erase),
    /// What a month on AWS costs, and what 1,000 orders do: measured requests times public prices.
    #[command(after_help = COST_HELP)]
    Cost(Cost),
    /// Completions for a shell: the words that can come next, by the tab key.
    #[command(after_help = shell::COMPLETIONS_HELP)]
    Completions(Completions),
    /// The manual as pages for man.
    #[command(after_help = shell::MAN_HELP)]
    Man(Man),
}

const ERASE_HELP: &str = "\
Says first what there is, asks for the connection's name to be typed back, and
removes it: orders with their stories, dates, cursor, parked notices, mappings with
their history, and the connection itself. The connection must be disabled before
(cartdock connection pause); a connection that runs is refused.
What was at work when it was disabled may still write for a quarter of an hour:
erase again then. It says what remains elsewhere and how to remove that.

--order removes the personal data of one order, its body. What became of the order
stays, without a name or an address, so that the books still close. An order that
is still to be sent is refused: it could not be sent without an address.

Examples:
  cartdock erase main
  cartdock erase main --yes main --stack cartdock-prod
  cartdock erase main --order 700100304";

/// `erase`.
#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The connection.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: ConnectionId,
    /// Only the personal data of this order.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) order: Option<u64>,
    /// Do not ask: the connection's name once more.
    #[arg(long, value_name = "CONNECTION")]
    pub(crate) yes: Option<String>,
}

const COST_HELP: &str = "\
Requests and sizes were measured at the real functions (a test fails when they no
longer are what is measured); prices are those of us-east-1 at the date that is
printed, without free tiers. It is the cost of running it, not of people.

Examples:
  cartdock cost
  cartdock cost --orders 100000 --connections 20 --interval 1 --json";

/// `cost`.
#[derive(Debug, Args)]
pub(crate) struct Cost {
    /// Orders in a month, over all connections.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(0..=1_000_000_000))]
    pub(crate) orders: u64,
    /// Connections that are enabled.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) connections: u64,
    /// Minutes between two polls of a store and of a warehouse.
    #[arg(long, value_name = "MINUTES", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1440))]
    pub(crate) interval: u64,
    /// Requests a second that a store is asked at most, as `requests_per_second` says: functions wait for their turn.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=50))]
    pub(crate) store_rate: u64,
}

/// `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Leave it running at the end, with a list of things to try.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Do not wait for people to read along.
    #[arg(long)]
    pub(crate) fast: bool,
}

/// `init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where to write it.
    #[arg(long, value_name = "FILE", default_value = "cartdock.toml")]
    pub(crate) path: PathBuf,
}

const RELEASE_HELP: &str = "\
The order is read in the store once more. It is sent even where the policies say to
hold it or to leave it out: a remark, an incomplete address, a hold by a person, an
order date before the start, the cooling-off delay, a payment that has not come in.
Not where the money went back, where nothing is shipped, or where a mapping lacks:
map it, that releases it. As soon as address, lines or method change, it is decided
anew. An order that the warehouse may have is settled by cartdock resolve instead.
Exit code 1: an order was not released, and it says why.

Examples:
  cartdock release 10482 --note \"remark read, gift wrap not needed\"
  cartdock release main/10482 main/10483 --yes 2";

const HOLD_HELP: &str = "\
Only before it is sent; one that the warehouse has is cancelled (cartdock cancel).
It stays held, whatever changes in the store, until cartdock release, or until the
sale is taken back there.
Exit code 1: an order was not held, and it says why.

Example:
  cartdock hold 10482 --note \"buyer called, new address follows\"";

const EXCLUDE_HELP: &str = "\
Only before it is sent. cartdock release takes it back.
Exit code 1: an order was not excluded, and it says why.

Example:
  cartdock exclude 10482 --note \"shipped by hand\"";

const CANCEL_HELP: &str = "\
Before it is sent it is not sent any more. Afterwards the warehouse is asked at once
to cancel it, and asked again by itself until it has answered; where it cannot or
will not, the order is held and says why. The store is not told: refund it there.
Exit code 1: an order was not cancelled, and it says why.

Example:
  cartdock cancel 10482 --note \"bought twice by mistake\"";

const RESOLVE_HELP: &str = "\
For orders that are held because the warehouse may have them: in doubt, older than
the ledger, changed after sending, not cancelled. Look for the reference there
(cartdock explain ORDER names it), then say what you found:
  --there[=ID]   it has it, and that is right; ID is its id of it
  --not-there    it never had it: sent, under the same reference
  --anew         it has it no longer: sent as it is in the store now, under a new
                 reference (also for one that it refused for good)
  --cancelled    it does not have it or will not ship it, and it is not to be sent
Nothing is sent that the store has refunded meanwhile.
Exit code 1: an order was not settled, and it says why.

Examples:
  cartdock resolve 10482 --there=WO-55120
  cartdock resolve 10482 --not-there --note \"searched by reference and by name\"";

const REPLAY_HELP: &str = "\
The same rules as before decide, so that nothing is sent twice: a held order is
looked at again, one that was refused is sent again, tracking in the outbox is tried
again. Shows first which orders, and has their number typed back (--yes N in a
script). What waits for a person's word or a look is left, and says so.
CAUSE is the word that cartdock status --json prints (refused, unmapped, vanished,
\"bad address\"), or a stage (waiting, shipped). TIME is when an order came in.
Exit code 1: an order was left, and it says why.

Examples:
  cartdock replay 10482
  cartdock replay --cause refused --since 7d
  cartdock replay --issue 3fa9c011 --yes 12";

/// A command for some orders.
#[derive(Debug, Args)]
pub(crate) struct Act {
    /// Order numbers, or connection/number where several connections have one.
    #[arg(value_name = "ORDER", required = true)]
    pub(crate) orders: Vec<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

/// How something is done with orders.
#[derive(Debug, Args)]
pub(crate) struct How {
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask: the number of orders.
    #[arg(long, value_name = "N")]
    pub(crate) yes: Option<usize>,
    /// Who does it, for the order's story.
    #[arg(long, value_name = "NAME", default_value = "a person", value_parser = words)]
    pub(crate) by: String,
    /// Why, for the order's story; nothing personal about a buyer: it is kept after the order's data is gone.
    #[arg(long, value_name = "TEXT", value_parser = words)]
    pub(crate) note: Option<String>,
}

/// Words that go into a story: not empty, one line, not longer than a sentence or two.
fn words(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("it is empty".to_owned()),
        1..=200 if text.chars().any(char::is_control) => Err("it has control characters".to_owned()),
        1..=200 => Ok(text.to_owned()),
        length => Err(format!("it has {length} characters; at most 200 are kept")),
    }
}

/// `resolve`.
#[derive(Debug, Args)]
pub(crate) struct Resolve {
    #[command(flatten)]
    pub(crate) act: Act,
    #[command(flatten)]
    pub(crate) found: Found,
}

/// What a person found in the warehouse: one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Found {
    /// The warehouse has it, and that is right; its id of it, if you know it.
    #[arg(long, value_name = "ID", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "the flag, and its value that may be left out")]
    pub(crate) there: Option<Option<WarehouseOrderId>>,
    /// The warehouse never had it: send it.
    #[arg(long)]
    pub(crate) not_there: bool,
    /// The warehouse has it no longer: send it as it is in the store now, under a new reference.
    #[arg(long)]
    pub(crate) anew: bool,
    /// It is not shipped, and not to be sent.
    #[arg(long)]
    pub(crate) cancelled: bool,
}

/// `replay`.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Order numbers, or connection/number where several connections have one.
    #[arg(value_name = "ORDER")]
    pub(crate) orders: Vec<String>,
    /// Those that wait for this issue (cartdock issues).
    #[arg(long, value_name = "ID")]
    pub(crate) issue: Option<String>,
    /// Those that are held for this cause, or are in this stage.
    #[arg(long, value_name = "CAUSE")]
    pub(crate) cause: Option<String>,
    /// Those that came in then or later: days or hours back (7d, 36h), or an instant.
    #[arg(long, value_name = "TIME", value_parser = reconcile::since)]
    pub(crate) since: Option<reconcile::Since>,
    /// Those that came in before then.
    #[arg(long, value_name = "TIME", value_parser = reconcile::since)]
    pub(crate) until: Option<reconcile::Since>,
    /// Only those of this connection.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
    #[command(flatten)]
    pub(crate) how: How,
}

const REBUILD_HELP: &str = "\
With --stack it says so in the deployment's ledger, and the deployed functions do
it, beginning within a minute; status shows how far they are.
Reads every order of the store since the connection's start date, and asks the
warehouse whether it has those that may have been sent. What it has is not sent
again; what it does not have is sent by the next cartdock run. With a warehouse
that cannot be asked and gives nothing against duplicates (repeat = \"cannot\"),
such orders are held for a person. Tracking is posted by the next run, which reads
what the store shows before it posts anything.

On one machine stop cartdock run first, remove what is left of data_dir, and import
listings and rules again. On AWS put the connections in again (connection apply).
A backup that was restored does not know what was sent since: do not use its orders.
Disable the connection, export its mapping, erase it, apply it again. The command may be killed at any moment: run again, it continues. A
cartdock run on a lost ledger does the same by itself before it sends anything.
Exit code 1: orders are held because they may have been sent.

Examples:
  cartdock rebuild
  cartdock rebuild main --lost-at 2026-11-23T04:10:00Z
  cartdock rebuild main --new    nothing was ever sent for it: send what is held
  cartdock rebuild main --stack cartdock-prod";

/// `rebuild`.
#[derive(Debug, Args)]
pub(crate) struct Rebuild {
    /// The connection; all of them without it.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: Option<ConnectionId>,
    /// When the ledger was lost: orders placed later by the store's clock cannot have been sent. Without it, every
    /// order that the store lists may have been.
    #[arg(long, value_name = "TIME")]
    pub(crate) lost_at: Option<Timestamp>,
    /// The connection is new: no order of it was ever sent, so nobody has to be asked.
    #[arg(long, conflicts_with = "lost_at")]
    pub(crate) new: bool,
}

const DOCTOR_HELP: &str = "\
What check asks, and besides: does anybody look at what is due, are the store's orders
of the last day in the ledger, do the books sum, what is held, late, in the outbox,
parked, is an attempt stuck, when was the last daily comparison, is the clock right;
are people told; on AWS how much is on the queues and among the dead letters; on one
machine whether cartdock run is at work. For a pipeline: the exit code, and --json.
Exit code 1: a finding is NOT OK.

Examples:
  cartdock doctor
  cartdock doctor main --json
  cartdock doctor --stack cartdock-prod";

/// `check` and `doctor`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The connection; all of them without it.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: Option<ConnectionId>,
}

/// `status`.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The connection; all of them without it.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: Option<ConnectionId>,
}

const EXPLAIN_HELP: &str = "\
--request makes the last attempt's request once more, by the code that sent it, from the
body and the version of the mapping that it used; its answer is in the story.
--bundle writes one file for whoever helps: the record, the story, that request, the
settings, the mapping of its SKUs and the rules. Nothing of the buyer is in it but
country, region, what was bought, and tracking numbers; of everything else only the
length; secrets are references. Notes are in it as people typed them: read it before
you send it.
Exit code 1: the order is held.

Examples:
  cartdock explain 10482
  cartdock explain main/10482 --request
  cartdock explain 10482 --bundle order-10482.json";

/// `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The order's number, or connection/number where several connections have it.
    #[arg(value_name = "ORDER")]
    pub(crate) order: String,
    /// Show also what the last attempt asked the warehouse for, the buyer masked.
    #[arg(long)]
    pub(crate) request: bool,
    /// Write everything about it into one redacted file, instead of the screen; - for standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
}

/// `map`.
#[derive(Debug, Subcommand)]
pub(crate) enum Map {
    /// Import a CSV file: the whole of it or nothing.
    #[command(after_help = IMPORT_HELP)]
    Import(MapImport),
    /// Write one of the two tables as a CSV file that can be edited and imported again.
    #[command(after_help = "Examples:\n  cartdock map export listings > listings.csv\n  \
        cartdock map export rules --connection main --out rules.csv")]
    Export(MapExport),
    /// Show the mapping in force.
    List(OneConnection),
    /// Propose listings and rules from what the store sells and how it ships. A guess is never applied by itself.
    #[command(after_help = mapping::SEED_HELP)]
    Seed(MapSeed),
    /// How much of what was sold lately would ship, and the rows that close the gaps.
    #[command(after_help = mapping::COVERAGE_HELP)]
    Coverage(MapCoverage),
    /// Who changed the mapping, when, what for, and by how many rows.
    #[command(after_help = mapping::HISTORY_HELP)]
    History(MapHistory),
    /// Put an earlier version in force again, as a new version. Shows first what changes, and asks.
    #[command(after_help = mapping::ROLLBACK_HELP)]
    Rollback(MapRollback),
}

const IMPORT_HELP: &str = "\
The header says which table it is:
  sku,warehouse_sku,quantity
      Merged by SKU: what the file does not name stays (--replace: it goes).
      Several rows of one sku are a kit. warehouse_sku - means: not shipped.
  match,method,countries,min_total,below_total,service
      Takes the place of all shipping rules, because their order decides. Rules
      that the file does not have go only with --replace.
      match: is, starts_with, like (with * and ?), any. service HOLD: a person
      decides. countries: two-letter codes with blanks between, empty for all.
Semicolons, tabs and a byte order mark are fine; the text must be UTF-8.
A row that says no in a column apply is left; a column note is for people.
One wrong row: nothing is applied, and all wrong rows are named (exit code 2).
--dry-run shows the rows that go and come, and how many orders that wait for a
mapping would be released.
Exit code 1: applied, with warnings.

Examples:
  cartdock map import listings.csv
  cartdock map import rules.csv --connection main --dry-run";

/// `map import`.
#[derive(Debug, Args)]
pub(crate) struct MapImport {
    /// The CSV file; - for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The connection; may be left out where there is only one.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
    /// Remove the listings, or the rules, that the file does not name.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Say what would change, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Who does it, for the history.
    #[arg(long, value_name = "NAME", default_value = "command line")]
    pub(crate) by: String,
    /// What for, for the history; the file's name without it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

/// `map export`.
#[derive(Debug, Args)]
pub(crate) struct MapExport {
    /// Which table.
    #[arg(value_enum, value_name = "TABLE")]
    pub(crate) table: MapTable,
    /// The connection; may be left out where there is only one.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
    /// Write into this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// A table of the mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MapTable {
    /// Shop SKU to warehouse SKUs.
    Listings,
    /// Shipping method to service.
    Rules,
}

impl From<MapTable> for operations::mapping_csv::Kind {
    fn from(table: MapTable) -> Self {
        match table {
            MapTable::Listings => Self::Listings,
            MapTable::Rules => Self::Rules,
        }
    }
}

/// A command for one connection.
#[derive(Debug, Args)]
pub(crate) struct OneConnection {
    /// The connection; may be left out where there is only one.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
}

/// `outbox`.
#[derive(Debug, Subcommand)]
pub(crate) enum Outbox {
    /// Show them. Exit code 1: there are some.
    List(AllConnections),
    /// Write them as CSV, to enter the tracking in the store by hand. Nothing is marked as posted.
    #[command(
        after_help = "A cell that a spreadsheet would run as a formula gets an apostrophe in front.\n\n\
        Example:\n  cartdock outbox export > outbox.csv"
    )]
    Export(OutboxExport),
}

/// A command for one connection or all.
#[derive(Debug, Args)]
pub(crate) struct AllConnections {
    /// The connection; all of them without it.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
}

/// `outbox export`.
#[derive(Debug, Args)]
pub(crate) struct OutboxExport {
    /// The connection; all of them without it.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
    /// Write into this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_commands_that_the_cures_name_exist() {
        for line in [
            "cartdock map import listings.csv --connection main",
            "cartdock map import rules.csv --connection main",
            "cartdock outbox export --connection main",
            "cartdock outbox export",
            "cartdock --config shop.toml check",
            "cartdock explain main/10482 --json",
            "cartdock explain 10482 --bundle order.json",
            "cartdock init",
            "cartdock status",
            "cartdock demo --keep",
            "cartdock rebuild main --new",
            "cartdock rebuild main --lost-at 2026-11-23T04:10:00Z",
            "cartdock status --zone Europe/Berlin",
            "cartdock status --stack cartdock-prod --profile shop --region eu-central-1",
            "cartdock connection apply main --stack cartdock-prod --yes",
            "cartdock completions bash",
            "cartdock completions powershell",
            "cartdock man",
            "cartdock man --dir /usr/local/share/man/man1",
            "cartdock connection add main",
            "cartdock connection add second --like main --with-mapping --set store.merchant_id=900002",
            "cartdock connection show",
            "cartdock connection show main --json",
            "cartdock connection edit main --set policies.comment=hold --unset schedule.orders_minutes",
            "cartdock connection edit main --secret store.api_key",
            "cartdock connection enable main --new --dry-run",
            "cartdock connection enable main --limit 500 --yes",
            "cartdock connection pause main",
            "cartdock connection resume main --yes",
            "cartdock connection remove main --yes main",
            "cartdock erase main --yes main",
            "cartdock release main/1 main/2 --yes 2 --by ada --note read",
            "cartdock hold 1",
            "cartdock exclude 1",
            "cartdock cancel 1 --dry-run",
            "cartdock resolve main/1 --there",
            "cartdock resolve main/1 --there=WO-1",
            "cartdock resolve main/1 --not-there",
            "cartdock resolve main/1 --anew",
            "cartdock resolve main/1 --cancelled",
            "cartdock replay 1",
            "cartdock replay --cause refused --since 7d --until 2026-11-23T00:00:00Z",
            "cartdock replay --issue 3fa9c011 --yes 12",
            "cartdock erase main --order 700100304",
            "cartdock doctor",
            "cartdock doctor main --json",
            "cartdock issues",
            "cartdock issues --connection main --all --json",
            "cartdock issues show 3fa9c011",
            "cartdock issues assign 3fa9 ada",
            "cartdock issues assign 3fa9 --nobody",
            "cartdock issues note 3fa9 asked",
            "cartdock issues ignore 3fa9",
            "cartdock issues ignore 3fa9 --undo",
            "cartdock alert test",
            "cartdock alert test --stack cartdock-prod --json",
            "cartdock reconcile",
            "cartdock reconcile main --since 7d --fix",
            "cartdock reconcile main --since 2026-11-23T00:00:00Z --json",
            "cartdock map seed --connection main --last 90d --warehouse-skus skus.txt --services services.txt",
            "cartdock map seed --orders-only --out new --overwrite",
            "cartdock map coverage --last 100",
            "cartdock map history --limit 5",
            "cartdock map rollback --to 3 --yes --by ada --note wrong",
            "cartdock map rollback --dry-run",
            "cartdock plan 10482",
            "cartdock plan main/10482 --with rules.csv --show-personal-data",
            "cartdock plan --last 20",
            "cartdock plan --last 30d --with listings.csv --with rules.csv --connection main",
            "cartdock cost --orders 100000 --connections 20 --interval 1 --json",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
    }

    #[test]
    fn wrong_usage_is_refused() {
        for line in [
            "cartdock",
            "cartdock resolve 1",
            "cartdock resolve 1 --anew --cancelled",
            "cartdock statsu",
            "cartdock alert",
            "cartdock check Main",
            "cartdock status --zone Mars/Olympus",
            "cartdock reconcile --since tomorrow",
            "cartdock reconcile --since 400d",
            "cartdock map export prices",
            "cartdock plan",
            "cartdock plan 1 --last 20",
            "cartdock plan --last 0d",
            "cartdock map coverage --last 1w",
            "cartdock connection edit main",
            "cartdock connection add Main",
            "cartdock connection add main --set hunter2",
        ] {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn help_says_what_the_exit_codes_mean() {
        let help = Cli::command().render_long_help().to_string();
        assert!(help.contains("needs a person's attention"), "{help}");
    }
}
