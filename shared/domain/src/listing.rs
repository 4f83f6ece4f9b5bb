//! Listing a window of the store's orders, page by page, although orders arrive and vanish meanwhile.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::failure::Failure;
use crate::ids::OrderId;
use crate::ports::{Clock, OrderSource, Window};

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
    let mut offset = 0;
    loop {
        let page = source.list(dates, offset).await?;
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
