//! The orders that wait for a mapping: how many would another mapping release?

use domain::mapping::Mapping;
use domain::policy::Policies;
use domain::ports::Ledger;
use domain::record::{Cause, Stage};
use domain::{ConnectionId, Failure, OrderKey};
use serde::Serialize;

use crate::scan;
use crate::text::count;

/// What a mapping would do with the orders that wait for one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Orders that are held for a gap in the mapping.
    pub orders: u64,
    /// Those that would be translated. They are read in the store once more before they are sent.
    pub released: u64,
    /// Those whose body has expired: only the store can tell.
    pub unknown: u64,
}

/// Looks at every order that is held for a gap. Changes nothing.
///
/// # Errors
/// Those of the ledger.
pub async fn waiting(
    ledger: &dyn Ledger,
    connection: &ConnectionId,
    policies: &Policies,
    mapping: &Mapping,
) -> Result<Waiting, Failure> {
    let mut held: Vec<OrderKey> = Vec::new();
    scan::each(ledger, connection, |record| {
        if matches!(record.stage, Stage::Held(Cause::Unmapped(_))) {
            held.push(record.key.clone());
        }
    })
    .await?;
    let mut waiting = Waiting { orders: held.len() as u64, ..Waiting::default() };
    for key in held {
        match ledger.open(&key, false).await? {
            Some((_, Some(order))) => {
                waiting.released += u64::from(mapping.resolve(&order, policies).is_ok());
            }
            _ => waiting.unknown += 1,
        }
    }
    Ok(waiting)
}

impl Waiting {
    /// In a sentence, for people.
    #[must_use]
    pub fn text(self) -> String {
        let Self { orders, released, unknown } = self;
        if orders == 0 {
            return "No order waits for a mapping.\n".to_owned();
        }
        let waiting = count(orders, "order that waits", "orders that wait");
        let mut out = format!("It would release {released} of {waiting} for a mapping.\n");
        if unknown > 0 {
            let them = count(unknown, "of them has", "of them have");
            out.push_str(&format!("{them} no address here any more: the store is asked then.\n"));
        }
        out
    }
}
