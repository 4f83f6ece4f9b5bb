//! The `[pace]` table: how long things may take. Only for tests and demos, where nobody wants to wait for minutes.

use std::time::Duration;

use adapters::pace::{self, MILLIS};
use domain::life::Pace;
use domain::reconciliation;

use super::node::{Entries, Reading};

/// How fast a host works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tempo {
    /// How long things may take.
    pub(crate) pace: Pace,
    /// How often the sweep runs.
    pub(crate) sweep_every: Duration,
    /// How often the ledger is compared with the store and the warehouse.
    pub(crate) reconcile_every: Duration,
    /// Looks this often whether there is something to tell, instead of by `[alerts]`.
    pub(crate) alerts_every: Option<Duration>,
    /// Polls this often instead of by each connection's schedule.
    pub(crate) poll_every: Option<Duration>,
}

impl Default for Tempo {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            sweep_every: Duration::from_secs(15),
            reconcile_every: reconciliation::EVERY,
            alerts_every: None,
            poll_every: None,
        }
    }
}

pub(super) fn read<'t>(mut table: Entries<'t>, reading: &mut Reading) -> Tempo {
    let (mut tempo, span) = (Tempo::default(), table.span());
    let mut time = |key: &'static str| {
        let millis = table.number(key, MILLIS, reading)?;
        Some(Duration::from_millis(u64::from(millis)))
    };
    for (key, known) in pace::times(&mut tempo.pace) {
        *known = time(key).unwrap_or(*known);
    }
    tempo.sweep_every = time("sweep_ms").unwrap_or(tempo.sweep_every);
    tempo.reconcile_every = time("reconcile_ms").unwrap_or(tempo.reconcile_every);
    tempo.alerts_every = time("alerts_ms");
    tempo.poll_every = time("poll_ms");
    if let Some(problem) = pace::contradiction(&tempo.pace) {
        reading.wrong(
            span,
            format!("pace.{problem}"),
            "make the lease longer, or leave the table [pace] out",
        );
    }
    table.nothing_else(reading);
    tempo
}
