//! What can be typed after `map seed`, `coverage`, `history`, `rollback`, and after `plan`.

use std::path::PathBuf;

use clap::Args;
use domain::ConnectionId;
use operations::recent::Span;

pub(super) const SEED_HELP: &str = "\
Reads the store's products and recent orders, and what the warehouse lists; writes
listings-seed.csv and rules-seed.csv, which map import reads. Changes nothing else.
  exact   the warehouse has this very code: the row says yes in the column apply
  guess   the same but for case, blanks (also those that do not break) or hyphens
  open    nothing looks like it, or several things do
A guess and an open row say no in the column apply, and an import leaves them until
somebody writes yes. What the mapping has already is left out of the listings; the
rules in force stand in rules-seed.csv, because an import replaces all rules.
A store takes about two requests a second, one for each product and one or two for
each order that the ledger does not have. Products without SKU are named first.
Exit code 1: something is for a person to decide.

Examples:
  cartdock map seed
  cartdock map seed --last 90d --warehouse-skus skus.csv --services services.txt
  cartdock map import listings-seed.csv --dry-run";

/// `map seed`.
#[derive(Debug, Args)]
pub(crate) struct MapSeed {
    /// The connection; may be left out where there is only one.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
    /// From which orders: so many, or those of so many days.
    #[arg(long, value_name = "N|Nd", default_value = "30d")]
    pub(crate) last: Span,
    /// The warehouse's SKUs, where it does not list them: one a line, or the first column of a CSV file.
    #[arg(long, value_name = "FILE")]
    pub(crate) warehouse_skus: Option<PathBuf>,
    /// The warehouse's services: one a line, or the first column of a CSV file.
    #[arg(long, value_name = "FILE")]
    pub(crate) services: Option<PathBuf>,
    /// Do not read the store's products: quicker, and what was not sold is not seen.
    #[arg(long)]
    pub(crate) orders_only: bool,
    /// The directory for the two files.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    /// Write over files that are there.
    #[arg(long)]
    pub(crate) overwrite: bool,
}

pub(super) const COVERAGE_HELP: &str = "\
Looks at recent orders that are to be shipped, in the ledger and where it does not
have them in the store, and translates them by the mapping in force. Changes nothing.
Exit code 1: something lacks.

Examples:
  cartdock map coverage
  cartdock map coverage --last 500 --json";

/// `map coverage`.
#[derive(Debug, Args)]
pub(crate) struct MapCoverage {
    /// The connection; may be left out where there is only one.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
    /// Which orders: so many, or those of so many days.
    #[arg(long, value_name = "N|Nd", default_value = "30d")]
    pub(crate) last: Span,
}

pub(super) const HISTORY_HELP: &str = "\
Every version is kept as it was written.

Example:
  cartdock map history --limit 50";

/// `map history`.
#[derive(Debug, Args)]
pub(crate) struct MapHistory {
    /// The connection; may be left out where there is only one.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
    /// How many versions, newest first.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
}

pub(super) const ROLLBACK_HELP: &str = "\
Nothing is lost: the content of the earlier version becomes a new version, and that
can be taken back in the same way. Version 0 is the empty mapping. Orders that wait
for what it maps are released. If somebody changes the mapping between the preview
and the yes, nothing is changed (exit code 2).

Examples:
  cartdock map rollback --dry-run
  cartdock map rollback
  cartdock map rollback --to 12 --yes --by ada --note \"wrong file\"";

/// `map rollback`.
#[derive(Debug, Args)]
pub(crate) struct MapRollback {
    /// The connection; may be left out where there is only one.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
    /// The version whose content is wanted; without it the one before the present one.
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<u64>,
    /// Say what would change, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Who does it, for the history.
    #[arg(long, value_name = "NAME", default_value = "command line")]
    pub(crate) by: String,
    /// What for, for the history; "back to version N" without it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

pub(super) const PLAN_HELP: &str = "\
Reads the order in the store, decides as the functions do, and makes the very
request that would be sent, without sending it. Credentials are never shown; name
and address of the buyer only with --show-personal-data. The order need not be in
the ledger: --connection says whose it is, where there are several stores.
--last N or Nd   recent orders as if they came in now: rehearses a go-live
--with FILE      with this file imported; with --last only the orders of which
                 something else would become
Exit code 1: an order would be held; with --last and --with: something would change.

Examples:
  cartdock plan 10482
  cartdock plan --last 20
  cartdock plan --last 30d --with new-rules.csv
  cartdock plan main/10482 --with new-listings.csv --json";

/// `plan`.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The order's number, or connection/number where several connections have it.
    #[arg(value_name = "ORDER", required_unless_present = "last", conflicts_with = "last")]
    pub(crate) order: Option<String>,
    /// Recent orders instead: so many, or those of so many days.
    #[arg(long, value_name = "N|Nd")]
    pub(crate) last: Option<Span>,
    /// A CSV file as for map import, put over the mapping in force; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Vec<PathBuf>,
    /// The connection; may be left out where there is only one.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
    /// Show name, address and remark of the buyer in the request.
    #[arg(long, conflicts_with = "last")]
    pub(crate) show_personal_data: bool,
}
