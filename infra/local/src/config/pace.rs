//! The `[pace]` table: how long things may take. Only for tests and demos, where nobody wants to wait for minutes.

use std::time::Duration;

use domain::life::Pace;

use super::node::{Entries, Reading};

/// How fast a host works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tempo {
    /// How long things may take.
    pub(crate) pace: Pace,
    /// How often the sweep runs.
    pub(crate) sweep_every: Duration,
    /// Polls this often instead of by each connection's schedule.
    pub(crate) poll_every: Option<Duration>,
}

impl Default for Tempo {
    fn default() -> Self {
        Self { pace: Pace::default(), sweep_every: Duration::from_secs(15), poll_every: None }
    }
}

/// The longest time in milliseconds that makes sense here: a day.
const DAY_MS: u32 = 24 * 60 * 60 * 1000;

pub(super) fn read<'t>(mut table: Entries<'t>, reading: &mut Reading) -> Tempo {
    let (usual, span) = (Tempo::default(), table.span());
    let mut time = |key: &'static str| {
        let millis = table.number(key, 10..=DAY_MS, reading)?;
        Some(Duration::from_millis(u64::from(millis)))
    };
    let pace = Pace {
        send_within: time("send_within_ms").unwrap_or(usual.pace.send_within),
        lease: time("lease_ms").unwrap_or(usual.pace.lease),
        grace: time("grace_ms").unwrap_or(usual.pace.grace),
        first_retry: time("first_retry_ms").unwrap_or(usual.pace.first_retry),
        longest_retry: time("longest_retry_ms").unwrap_or(usual.pace.longest_retry),
        first_watch: time("first_watch_ms").unwrap_or(usual.pace.first_watch),
    };
    let sweep_every = time("sweep_ms").unwrap_or(usual.sweep_every);
    let poll_every = time("poll_ms");
    if pace.lease <= pace.send_within {
        let problem = format!(
            "pace.lease_ms ({}) is not longer than pace.send_within_ms ({}): an order could be sent twice",
            pace.lease.as_millis(),
            pace.send_within.as_millis()
        );
        reading.wrong(span, problem, "make the lease longer, or leave the table [pace] out");
    }
    table.nothing_else(reading);
    Tempo { pace, sweep_every, poll_every }
}
