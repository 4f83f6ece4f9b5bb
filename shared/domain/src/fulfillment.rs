//! What we ask the warehouse to do (X12 940, warehouse shipping order).

use std::fmt::Write as _;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::address::Address;
use crate::ids::{InvalidId, OrderKey, Reference};
use crate::mapping::{Service, WarehouseSku};
use crate::money::Money;

/// One line of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLine {
    /// Unique within the request; the store's line id, with a suffix for further components of a kit.
    pub id: String,
    /// What to pick.
    pub sku: WarehouseSku,
    /// The product's name for the packing slip.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Price of one piece sold, in the currency of the request's total.
    pub unit_price: Decimal,
}

/// A warehouse order to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfillmentRequest {
    /// Our reference, the same for every attempt.
    pub reference: Reference,
    /// The number that merchant and buyer know.
    pub order_number: String,
    /// When it was ordered; when it was imported, where the store did not tell.
    pub ordered_at: Timestamp,
    /// Where it goes.
    pub ship_to: Address,
    /// What goes.
    pub lines: Vec<RequestLine>,
    /// What to book.
    pub service: Service,
    /// The buyer's remark, empty when there is none.
    pub comments: String,
    /// What the buyer paid.
    pub total: Money,
}

impl FulfillmentRequest {
    /// How many pieces it asks for.
    #[must_use]
    pub fn units(&self) -> u32 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.quantity))
    }
}

/// Makes the reference of an order: `connection-order`, with `-rN` from the second revision on. Deterministic, so that
/// whoever sends again sends the same. Where the warehouse allows less than `max_length` characters, the connection is
/// replaced by a digest of itself.
///
/// # Errors
/// When not even the short form fits `max_length`.
pub fn reference(key: &OrderKey, revision: u32, max_length: usize) -> Result<Reference, InvalidId> {
    let suffix = if revision == 0 { String::new() } else { format!("-r{revision}") };
    let plain = format!("{}-{}{suffix}", key.connection, key.order);
    if plain.len() <= max_length {
        return Reference::parse(plain);
    }
    let digest = Sha256::digest(key.connection.as_str().as_bytes()).iter().take(4).fold(
        String::new(),
        |mut hex, byte| {
            let _infallible = write!(hex, "{byte:02x}");
            hex
        },
    );
    let short = format!("{digest}-{}{suffix}", key.order);
    if short.len() > max_length {
        return Err(InvalidId {
            what: "reference",
            rule: "the warehouse's limit is too short for any reference of ours",
        });
    }
    Reference::parse(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(key: &str, revision: u32, max: usize) -> String {
        reference(&key.parse().unwrap(), revision, max).map_or_else(|e| e.to_string(), |r| r.to_string())
    }

    #[test]
    fn a_reference_is_readable_where_it_fits_and_short_where_not() {
        assert_eq!(made("main/700100201", 0, 40), "main-700100201");
        assert_eq!(made("main/700100201", 2, 40), "main-700100201-r2");
        let short = made("a-very-long-name-of-a-connection/700100201", 0, 20);
        assert_eq!((short.len(), short.ends_with("-700100201")), (18, true));
        assert_ne!(short, made("another-long-name-of-a-connection/700100201", 0, 20));
        assert!(made("main/700100201", 0, 8).contains("too short"));
    }
}
