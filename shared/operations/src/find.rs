//! Finds the orders that a person names: `connection/number`, or a number that only one connection has.

use std::fmt;

use domain::ports::{Connections, Ledger};
use domain::record::Record;
use domain::{Failure, OrderId, OrderKey};

/// Why no order was found.
#[derive(Debug)]
pub enum NotFound {
    /// The text names no order.
    NotAnOrder(String),
    /// No connection has it.
    Unknown(String),
    /// Several connections have an order with this number.
    Ambiguous(Vec<OrderKey>),
    /// The ledger could not be read.
    Failed(Failure),
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnOrder(text) => write!(
                f,
                "\"{}\" is no order; give its number, or connection/number as in main/10482",
                crate::text::clean(text)
            ),
            Self::Unknown(order) => write!(
                f,
                "order {order} is not in the ledger; has it been polled yet (cartdock status), and is it this store's?"
            ),
            Self::Ambiguous(keys) => {
                let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "several connections have an order with this number; say which: {}",
                    keys.join(", ")
                )
            }
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for NotFound {}

impl From<Failure> for NotFound {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// The record of the order that `text` names.
///
/// # Errors
/// See [`NotFound`].
pub async fn find(
    connections: &dyn Connections,
    ledger: &dyn Ledger,
    text: &str,
) -> Result<Record, NotFound> {
    let text = text.trim();
    if text.contains('/') {
        let key: OrderKey = text.parse().map_err(|_| NotFound::NotAnOrder(text.to_owned()))?;
        let record = ledger.load(&key, true).await?;
        return record.ok_or_else(|| NotFound::Unknown(key.to_string()));
    }
    let order: OrderId = text.parse().map_err(|_| NotFound::NotAnOrder(text.to_owned()))?;
    let mut found = Vec::new();
    for connection in connections.all().await? {
        found.extend(ledger.load(&OrderKey::new(connection.id, order), true).await?);
    }
    match found.len() {
        0 => Err(NotFound::Unknown(order.to_string())),
        1 => Ok(found.swap_remove(0)),
        _ => Err(NotFound::Ambiguous(found.into_iter().map(|record| record.key).collect())),
    }
}
