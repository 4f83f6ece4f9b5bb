//! Silence: nobody imports the store's orders, or no order has come for a time that is unusual for this shop. (That nothing is
//! shipped shows in the orders that are late.)

use std::time::Duration;

use domain::Failure;
use domain::connection::Connection;
use domain::life::later;
use domain::notes::Told;
use domain::reconciliation::Reconciliation;
use jiff::Timestamp;

use super::Watch;
use super::open::Matter;
use crate::polled::polled;
use crate::text::{count, moment, span};

pub(super) const NO_IMPORT: &str = "no-import";
pub(super) const NO_ORDER: &str = "no-order";

/// How often the store is asked whether its orders are in the ledger.
const ASK_EVERY: Duration = Duration::from_secs(3600);

/// So often in a row a store must not have answered until people are told.
const UNANSWERED: u32 = 3;

/// Shops with fewer orders in the time that the daily comparison looks back have no usual time between two.
const ORDERS: u64 = 7;

/// A silence is unusual when it is so many times as long as the time between two orders, and at least so long.
const TIMES: u32 = 10;
const AT_LEAST: Duration = Duration::from_secs(6 * 3600);

impl Watch {
    /// Are the orders that the store lists in the ledger? Asked once an hour, and at every look while they are not. A store that
    /// cannot be asked, again and again, is not read either.
    pub(super) async fn no_import(
        &self,
        connection: &Connection,
        told: &mut Told,
        now: Timestamp,
    ) -> Option<Matter> {
        let known = told.open.get(NO_IMPORT);
        let is_due = told.polled_at.is_none_or(|at| later(at, ASK_EVERY) <= now);
        if !is_due && known.is_none() {
            return None;
        }
        let since = known.map_or(now, |known| known.since);
        let (partners, ledger) = (self.partners.as_ref(), self.ledger.as_ref());
        match polled(partners, ledger, self.clock.as_ref(), connection).await {
            Ok(found) => {
                self.turns.unanswered(&connection.id, true);
                if is_due {
                    told.polled_at = Some(now);
                }
                let orders = count(found.unknown as u64, "order", "orders");
                let rows = vec![
                    ("orders", format!("{orders} of the {} that the store lists of the last day", found.listed)),
                    ("cure", "Nobody polls (does cartdock run run? on AWS the runbook silent.md), or they slipped through.".to_owned()),
                    ("command", format!("cartdock reconcile {} --fix", connection.id)),
                ];
                found
                    .is_late
                    .then(|| Matter::new(NO_IMPORT, since, "orders of the store are not imported", rows))
            }
            Err(failure) => {
                let times = self.turns.unanswered(&connection.id, false);
                let rows = vec![
                    ("why", failure.to_string()),
                    ("cure", "Nothing, if the store is ill: it is read again by itself. Else look at its settings.".to_owned()),
                    ("command", format!("cartdock check {}", connection.id)),
                ];
                let is_told = times >= UNANSWERED || told.open.contains_key(NO_IMPORT);
                is_told.then(|| {
                    Matter::new(NO_IMPORT, since, "the store cannot be read; no order is imported", rows)
                })
            }
        }
    }

    /// Has no order come for a time that is unusual for this shop? Over as soon as one has.
    pub(super) async fn no_order(
        &self,
        connection: &Connection,
        daily: Option<&Reconciliation>,
        told: &Told,
        now: Timestamp,
    ) -> Result<Option<Matter>, Failure> {
        let Some(last) = self.ledger.cursor(&connection.id).await?.position else { return Ok(None) };
        let matter = |usual: String| {
            let rows = vec![
                ("last", format!("the newest order is of {}{usual}", moment(last, now))),
                (
                    "cure",
                    "Can buyers order? Place a test order, and look whether the store lists it.".to_owned(),
                ),
                ("command", format!("cartdock check {}", connection.id)),
            ];
            Matter::new(NO_ORDER, last, "no order has come for an unusually long time", rows)
        };
        if let Some(known) = told.open.get(NO_ORDER) {
            return Ok((last <= known.since).then(|| matter(String::new())));
        }
        let Some(usual) = daily.and_then(usual) else { return Ok(None) };
        let longest = AT_LEAST.max(usual.saturating_mul(TIMES));
        let is_unusual = later(last, longest) < now;
        Ok(is_unusual.then(|| matter(format!("; usually one comes every {}", span(usual.as_secs())))))
    }
}

/// The usual time between two orders, where there are enough of them.
fn usual(last: &Reconciliation) -> Option<Duration> {
    let time = Duration::try_from(last.at.duration_since(last.since)).ok()?;
    let orders = u32::try_from(last.listed).ok().filter(|_| last.listed >= ORDERS)?;
    time.checked_div(orders)
}
