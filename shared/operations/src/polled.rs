//! Is what the store took in the last day in the ledger? That is what polling is for.

use std::time::Duration;

use domain::connection::Connection;
use domain::intake::body_of;
use domain::life::later;
use domain::listing::list;
use domain::policy::Policies;
use domain::ports::{Clock, Ledger, Partners, Read, Window};
use domain::{Failure, OrderId};
use jiff::Timestamp;

/// Orders of the store of the last so many days must be in the ledger.
const DAYS: u32 = 1;

/// How long a poll may take to see an order, in polls, and at least.
const POLLS: u64 = 3;
const YOUNG: Duration = Duration::from_secs(15 * 60);

/// How many orders that the ledger does not have are read to learn their age.
const READ: usize = 3;

/// What the store lists of the last day, held against the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Polled {
    /// Orders that it lists.
    pub(crate) listed: usize,
    /// Of these the ledger does not have.
    pub(crate) unknown: usize,
    /// Are some of those so old that a poll should have seen them?
    pub(crate) is_late: bool,
}

/// Asks the store for its orders of the last day, and the ledger whether it has them.
///
/// # Errors
/// Those of the store and the ledger.
pub(crate) async fn polled(
    partners: &dyn Partners,
    ledger: &dyn Ledger,
    clock: &dyn Clock,
    connection: &Connection,
) -> Result<Polled, Failure> {
    let now = clock.now();
    let store = partners.store(connection).await?;
    let day = now.checked_sub(Policies::days(DAYS)).unwrap_or(Timestamp::MIN);
    let from = connection.policies.start.map_or(day, |start| start.max(day));
    let to = Timestamp::from_second(later(now, Policies::days(2)).as_second()).unwrap_or(Timestamp::MAX);
    let listed = list(store.orders.as_ref(), Window { from: Some(from), to }, clock, Timestamp::MAX).await?;
    let mut unknown: Vec<OrderId> = Vec::new();
    for chunk in listed.orders.chunks(50) {
        let known = ledger.load_many(&connection.id, chunk).await?;
        unknown.extend(chunk.iter().filter(|order| !known.iter().any(|record| record.key.order == **order)));
    }
    let polls = Duration::from_secs(u64::from(connection.schedule.orders_minutes) * 60 * POLLS);
    let mut is_late = false;
    for order in unknown.iter().take(READ) {
        let read = store.orders.read(&order.to_string()).await?;
        let placed = body_of(&read).and_then(|order| order.ordered_at);
        is_late |= read != Read::Absent && placed.is_none_or(|at| later(at, polls.max(YOUNG)) < now);
    }
    Ok(Polled { listed: listed.orders.len(), unknown: unknown.len(), is_late })
}
