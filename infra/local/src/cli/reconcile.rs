//! `reconcile`: its arguments and its help.

use std::time::Duration;

use clap::Args;
use domain::ConnectionId;
use jiff::{SignedDuration, Timestamp};

pub(super) const HELP: &str = "\
Three comparisons, each a line that sums: the store's orders against the ledger,
the ledger's orders against the warehouse, what has left against what the store
shows. Every order that differs is named, with what to do. It asks the store and
the warehouse up to three times for each order, at the pace that the settings
allow; it changes nothing in either.
--fix imports orders that are missing, and writes down packages that nobody told
of. They are sent and posted by what runs: cartdock run, or the deployment.
It also runs once a day by itself, over seven days, with --fix; status shows when.
A warehouse that cannot be asked for an order is not asked.
Exit code 1: an order differs (and was not put right).

Examples:
  cartdock reconcile
  cartdock reconcile main --since 30d --fix
  cartdock reconcile --since 2026-11-23T00:00:00Z --json";

/// The longest time back.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// `reconcile`.
#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// The connection; all of them without it.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: Option<ConnectionId>,
    /// Orders placed since then: days or hours back (7d, 36h), or an instant. Not before the start date.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = since)]
    pub(crate) since: Since,
    /// Import what is missing, and write down packages that nobody told of.
    #[arg(long)]
    pub(crate) fix: bool,
}

/// The beginning of a time until now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// So long ago.
    Ago(Duration),
    /// At this instant.
    At(Timestamp),
}

impl Since {
    /// The instant that is meant, seen from now.
    pub(crate) fn instant(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
            Self::At(at) => at,
        }
    }
}

/// Reads `7d`, `36h` or an instant.
pub(crate) fn since(text: &str) -> Result<Since, String> {
    let wanted = "give days or hours back (7d, 36h), or an instant as 2026-11-23T00:00:00Z";
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Since::At(at));
    }
    let (digits, hours) = match text.strip_suffix('d') {
        Some(days) => (days, 24),
        None => (text.strip_suffix('h').ok_or(wanted)?, 1),
    };
    let number: u32 = digits.parse().map_err(|_| wanted.to_owned())?;
    let ago = SignedDuration::from_hours(i64::from(number) * hours);
    if ago > LONGEST || ago.is_zero() {
        return Err("at least an hour and at most 366 days can be compared".to_owned());
    }
    Ok(Since::Ago(ago.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_back_is_days_hours_or_an_instant() {
        let now: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        for (text, at) in [
            ("7d", "2026-11-16T09:00:00Z"),
            ("36h", "2026-11-21T21:00:00Z"),
            ("2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ] {
            assert_eq!(since(text).unwrap().instant(now).to_string(), at);
        }
        for text in ["", "7", "d", "-1d", "0d", "367d", "7w", "2026-11-31T00:00:00Z"] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}
