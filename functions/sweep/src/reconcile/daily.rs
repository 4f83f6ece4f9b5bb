//! The daily reconciliation of each connection: begun when it is due, carried on in as many runs as it takes, and its line
//! left in the ledger.

use std::time::Duration;

use domain::connection::Connection;
use domain::life::later;
use domain::notes::Daily;
use domain::policy::Policies;
use domain::reconciliation::EVERY;
use domain::{ConnectionId, Failure};
use futures_util::StreamExt;
use jiff::Timestamp;

use super::{Asked, Reconcile};

/// How many connections are compared at the same time in one run.
const AT_ONCE: usize = 16;

/// Days back that a daily reconciliation looks: an order that slipped through is found even after a long weekend.
const DAYS: u32 = 7;

/// The wait after a side did not answer.
const AGAIN: Duration = Duration::from_secs(15 * 60);

impl Reconcile {
    /// Carries on the daily reconciliation of those of these connections that are enabled and whose turn it is. A failure of
    /// one does not touch the others. The numbers are orders that differ, of those that are finished now.
    pub async fn run(
        &self,
        all: Vec<Connection>,
        until: Timestamp,
    ) -> Vec<(ConnectionId, Result<u64, Failure>)> {
        let enabled = all.into_iter().filter(Connection::runs);
        let runs = enabled.map(|connection| async move {
            let differ = self.daily(&connection, EVERY, until).await;
            (connection.id, differ)
        });
        futures_util::stream::iter(runs).buffer_unordered(AT_ONCE).collect().await
    }

    /// The same of one connection, `every` so often.
    ///
    /// # Errors
    /// Those of the store, the warehouse and the ledger; what was compared before counts.
    pub async fn daily(
        &self,
        connection: &Connection,
        every: Duration,
        until: Timestamp,
    ) -> Result<u64, Failure> {
        let now = self.clock.now();
        let Some(mut daily) = self.notes.daily(&connection.id).await? else {
            // Everything is new: there is nothing that could have slipped through yet.
            let daily = Daily { due: later(now, every), running: None, last: None };
            return self.notes.set_daily(&connection.id, &daily).await.map(|()| 0);
        };
        if now < daily.due {
            return Ok(0);
        }
        let days = now.checked_sub(Policies::days(DAYS)).unwrap_or(Timestamp::MIN);
        let mut running = daily.running.take().unwrap_or_else(|| self.begin(connection, days));
        let asked = Asked { since: running.since, thorough: false, fix: true, until };
        let outcome = self.go_on(connection, asked, &mut running, &|_, _| {}).await;
        let is_finished = outcome.is_ok() && running.after.is_none();
        let differ = running.differ;
        if is_finished {
            daily = Daily { due: later(now, every), running: None, last: Some(running) };
        } else {
            let again = if outcome.is_err() { later(now, AGAIN) } else { now };
            daily = Daily { due: again, running: Some(running), last: daily.last };
        }
        self.notes.set_daily(&connection.id, &daily).await?;
        outcome.map(|()| if is_finished { differ } else { 0 })
    }
}
