//! Which orders a store lists that the ledger does not have yet: what the next polls would import.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::connection::Connection;
use domain::life::later;
use domain::ports::{Ledger, OrderSource, Window};
use domain::{ConnectionId, Failure, OrderId};
use jiff::{Timestamp, ToSpan};

/// How far past now a window reaches, as that of a poll: the store's zone is not documented, and clocks differ.
const MARGIN: Duration = Duration::from_secs(2 * 86_400);

/// How many records are looked up together.
const TOGETHER: usize = 100;

/// What a store lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// The order date from which on it was asked; none for all of history.
    pub(super) from: Option<Timestamp>,
    /// The orders, oldest first, each once.
    pub(super) orders: Vec<OrderId>,
    /// Are there more?
    pub(super) more: bool,
}

/// Asks the store from where the next poll asks it: the cursor or the start date, less the overlap. At most so many pages.
pub(super) async fn list(
    source: &dyn OrderSource,
    ledger: &dyn Ledger,
    connection: &Connection,
    now: Timestamp,
    pages: usize,
) -> Result<Listing, Failure> {
    let begin = ledger.cursor(&connection.id).await?.position.or(connection.policies.start);
    let overlap = Duration::from_secs(u64::from(connection.schedule.overlap_minutes) * 60);
    let from = begin.and_then(|begin| begin.checked_sub(overlap).ok());
    let window = Window { from, to: whole_second(later(now, MARGIN)) };
    let (mut orders, mut known, mut offset) = (Vec::new(), BTreeSet::new(), 0);
    for _ in 0..pages {
        let page = source.list(window, offset).await?;
        orders.extend(page.orders.into_iter().filter(|order| known.insert(*order)));
        match page.next_offset {
            Some(next) if next > offset => offset = next,
            _ => return Ok(Listing { from, orders, more: false }),
        }
    }
    Ok(Listing { from, orders, more: true })
}

/// Those of some orders that the ledger does not have.
pub(super) async fn unknown(
    ledger: &dyn Ledger,
    connection: &ConnectionId,
    orders: &[OrderId],
) -> Result<Vec<OrderId>, Failure> {
    let mut unknown = Vec::new();
    for chunk in orders.chunks(TOGETHER) {
        let records = ledger.load_many(connection, chunk).await?;
        let known: BTreeSet<OrderId> = records.iter().map(|record| record.key.order).collect();
        unknown.extend(chunk.iter().copied().filter(|order| !known.contains(order)));
    }
    Ok(unknown)
}

/// The store's dates have no fractions.
fn whole_second(at: Timestamp) -> Timestamp {
    at.checked_sub(i64::from(at.subsec_nanosecond()).nanoseconds()).unwrap_or(at)
}
