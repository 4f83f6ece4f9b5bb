//! The store's recent orders: from the ledger where it has them, from the store where not.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain::connection::Connection;
use domain::intake::body_of;
use domain::order::Order;
use domain::ports::{Ledger, OrderSource, Window};
use domain::{Failure, OrderId, OrderKey};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::text::count;

/// Told how far something slow has come.
pub trait Progress: Sync {
    /// `done` of `of` are done; `what` in the plural.
    fn at(&self, what: &str, done: u64, of: u64);
}

/// Nobody wants to know.
pub struct Silent;

impl Progress for Silent {
    fn at(&self, _: &str, _: u64, _: u64) {}
}

/// Which orders: the last so many, or those of the last so many days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// The last so many orders.
    Orders(u32),
    /// Those of so many days.
    Days(u32),
}

/// A text that is no span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotASpan;

impl fmt::Display for NotASpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write a number of orders from 1 to 10000, or of days from 1d to 365d")
    }
}

impl std::error::Error for NotASpan {}

impl FromStr for Span {
    type Err = NotASpan;

    fn from_str(text: &str) -> Result<Self, NotASpan> {
        let number = |digits: &str, most: u32| {
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.parse().ok().filter(|number| is_number && (1..=most).contains(number));
            number.ok_or(NotASpan)
        };
        match text.strip_suffix('d') {
            Some(days) => number(days, 365).map(Self::Days),
            None => number(text, 10_000).map(Self::Orders),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, one, many) = match self {
            Self::Orders(number) => (*number, "order", "orders"),
            Self::Days(number) => (*number, "day", "days"),
        };
        write!(f, "the last {}", count(number.into(), one, many))
    }
}

/// Where recent orders are read from.
#[derive(Clone, Copy)]
pub struct Recent<'a> {
    /// Whose orders.
    pub connection: &'a Connection,
    /// The store.
    pub store: &'a dyn OrderSource,
    /// What has been imported.
    pub ledger: &'a dyn Ledger,
    /// The instant now.
    pub now: Timestamp,
    /// Who is told how far it is.
    pub progress: &'a dyn Progress,
}

/// What was read.
#[derive(Debug, Default)]
pub struct RecentOrders {
    /// The orders, oldest first.
    pub orders: Vec<Order>,
    /// How many could not be read, and why that of the last one.
    pub unread: u64,
    /// Why the last of those could not be read.
    pub why: Option<String>,
}

/// The windows in which the last so many orders are looked for, in days; the last one is all of history.
const WINDOWS: [Option<u32>; 4] = [Some(2), Some(14), Some(90), None];

/// So many orders in a row that cannot be read are no accident any more.
const IN_A_ROW: u32 = 5;

impl Recent<'_> {
    /// Reads them.
    ///
    /// # Errors
    /// When the store cannot be listed, the ledger cannot be read, or one order after the other cannot be read.
    pub async fn read(&self, span: Span) -> Result<RecentOrders, Failure> {
        let ids = self.ids(span).await?;
        let (mut recent, mut in_a_row) = (RecentOrders::default(), 0);
        for (done, id) in (0_u64..).zip(&ids) {
            self.progress.at("orders", done, ids.len() as u64);
            match self.order(*id).await {
                Ok(Some(order)) => {
                    recent.orders.push(order);
                    in_a_row = 0;
                }
                Ok(None) => recent.unread += 1,
                Err(failure) if in_a_row + 1 >= IN_A_ROW => return Err(failure),
                Err(failure) => {
                    in_a_row += 1;
                    recent.unread += 1;
                    recent.why = Some(failure.to_string());
                }
            }
        }
        Ok(recent)
    }

    /// The order as the ledger keeps it; where it has none, as the store has it. None: it cannot be understood.
    async fn order(&self, id: OrderId) -> Result<Option<Order>, Failure> {
        let key = OrderKey::new(self.connection.id.clone(), id);
        if let Some((_, Some(order))) = self.ledger.open(&key, false).await? {
            return Ok(Some(order));
        }
        Ok(body_of(&self.store.read(&id.to_string()).await?).cloned())
    }

    async fn ids(&self, span: Span) -> Result<Vec<OrderId>, Failure> {
        match span {
            Span::Days(days) => self.listed(Some(days)).await,
            Span::Orders(wanted) => {
                let (wanted, mut ids) = (usize::try_from(wanted).unwrap_or(usize::MAX), Vec::new());
                for window in WINDOWS {
                    ids = self.listed(window).await?;
                    if ids.len() >= wanted {
                        break;
                    }
                }
                Ok(ids.split_off(ids.len().saturating_sub(wanted)))
            }
        }
    }

    /// The orders of the last so many days, in the order in which the store lists them; all of them without a number.
    async fn listed(&self, days: Option<u32>) -> Result<Vec<OrderId>, Failure> {
        let from =
            days.and_then(|days| self.now.checked_sub(SignedDuration::from_hours(i64::from(days) * 24)).ok());
        // Clocks differ a little: what was sold while we ask is listed, too.
        let to = self.now.checked_add(Duration::from_secs(3600)).unwrap_or(self.now);
        let (mut ids, mut known, mut offset) = (Vec::new(), BTreeSet::new(), 0);
        loop {
            let page = self.store.list(Window { from, to }, offset).await?;
            ids.extend(page.orders.into_iter().filter(|id| known.insert(*id)));
            match page.next_offset {
                Some(next) if next > offset => offset = next,
                _ => return Ok(ids),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_of_orders_or_of_days() {
        assert_eq!("20".parse(), Ok(Span::Orders(20)));
        assert_eq!("30d".parse(), Ok(Span::Days(30)));
        for wrong in ["", "0", "0d", "366d", "10001", "-1", "d", "30 d", "1w", "+3"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
        assert_eq!(Span::Days(1).to_string(), "the last 1 day");
    }
}
