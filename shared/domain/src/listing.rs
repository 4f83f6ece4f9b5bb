//! Listing a window of the store's orders, page by page, although orders arrive and vanish meanwhile.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::failure::Failure;
use crate::ids::OrderId;
use crate::ports::{Clock, OrderSource, Window};

/// How often a page in the middle of a list is asked for again at once. A long list would hardly ever be read to its end
/// by a store of which one answer in fifty fails; and its first page tells whether the store is there at all.
const AGAIN: u32 = 2;

/// The order numbers of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Each once, oldest first.
    pub orders: Vec<OrderId>,
    /// Is that all of them? Not when the time was up, or the list moved while it was read.
    pub complete: bool,
}

/// All order numbers of a window, until the time is up. Each page begins with the last order of the one before: when it
/// does not, an order has gone from the list meanwhile, the rest has moved up, and another one may have slipped through.
/// What was listed is good, but it is not complete.
///
/// # Errors
/// Those of the store.
pub async fn list(
    source: &dyn OrderSource,
    dates: Window,
    clock: &dyn Clock,
    until: Timestamp,
) -> Result<Listed, Failure> {
    let mut listed = Listed { orders: Vec::new(), complete: true };
    let mut known = BTreeSet::new();
    let mut before: Vec<OrderId> = Vec::new();
    let (mut offset, mut tries) = (0, 0);
    loop {
        let page = match source.list(dates, offset).await {
            Err(failure) if offset > 0 && tries < AGAIN && is_passing(&failure) && clock.now() < until => {
                tries += 1;
                continue;
            }
            page => page?,
        };
        tries = 0;
        listed.complete &= before.is_empty() || page.orders.iter().any(|order| before.contains(order));
        listed.orders.extend(page.orders.iter().copied().filter(|order| known.insert(*order)));
        match page.next_offset {
            // A page of one order cannot be begun with the last one of the page before.
            Some(next) if next > offset.saturating_add(1) && clock.now() < until => {
                offset = next - 1;
                before = page.orders;
            }
            Some(next) if next > offset && clock.now() < until => {
                offset = next;
                before.clear();
            }
            next => {
                listed.complete &= next.is_none_or(|next| next <= offset);
                return Ok(listed);
            }
        }
    }
}

/// May it be asked again at once? Not where the store asked us to stay away.
fn is_passing(failure: &Failure) -> bool {
    failure.is_retryable() && failure.wait().is_none()
}
