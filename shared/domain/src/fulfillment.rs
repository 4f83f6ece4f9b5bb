//! What we ask the warehouse to do (X12 940, warehouse shipping order).

use std::fmt;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::address::Address;
use crate::admission::{Admission, look_again};
use crate::ids::{ConnectionId, InvalidId, OrderId, OrderKey, Reference};
use crate::mapping::{Mapped, Mapping, Service, WarehouseSku};
use crate::money::Money;
use crate::order::Order;
use crate::policy::Policies;
use crate::record::{Cause, Exclusion};
use crate::warehouse::Limits;

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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// A request never prints for whom it is, nor the buyer's remark.
impl fmt::Debug for FulfillmentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FulfillmentRequest")
            .field("reference", &self.reference)
            .field("ship_to", &self.ship_to)
            .field("lines", &self.lines)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// What makes a request of an order.
#[derive(Debug, Clone, Copy)]
pub struct Making<'a> {
    /// Which order it is.
    pub key: &'a OrderKey,
    /// How often it was sent anew.
    pub revision: u32,
    /// When it came in, where the store does not tell when it was ordered.
    pub imported_at: Timestamp,
    /// Shop words to warehouse words.
    pub mapping: &'a Mapping,
    /// What the connection decides for itself.
    pub policies: &'a Policies,
    /// What the warehouse's fields hold.
    pub limits: &'a Limits,
    /// The instant now.
    pub now: Timestamp,
}

impl Making<'_> {
    /// The request for an order, or why it cannot be sent.
    ///
    /// # Errors
    /// The decision about the order instead.
    pub fn request(&self, order: &Order) -> Result<FulfillmentRequest, Admission> {
        let hold = |cause| Admission::Hold(cause, look_again(self.now, self.now, Policies::days(1)));
        let (lines, service) = match self.mapping.resolve(order, self.policies) {
            Ok(Mapped::Ship { lines, service }) => (lines, service),
            Ok(Mapped::NothingToShip) => return Err(Admission::Exclude(Exclusion::Digital)),
            Err(gaps) => return Err(hold(Cause::Unmapped(gaps))),
        };
        let Some(ship_to) = order.ship_to.clone() else { return Err(Admission::Exclude(Exclusion::Digital)) };
        let reference = reference(self.key, self.revision, self.limits.reference)
            .map_err(|e| hold(Cause::TooLong(vec![e.to_string()])))?;
        let request = FulfillmentRequest {
            reference,
            order_number: order.id.to_string(),
            ordered_at: order.ordered_at.unwrap_or(self.imported_at),
            ship_to,
            lines,
            service,
            comments: order.comments.clone(),
            total: Money { amount: order.total, currency: order.currency },
        };
        let exceeded = self.limits.exceeded(&request);
        if exceeded.is_empty() { Ok(request) } else { Err(hold(Cause::TooLong(exceeded))) }
    }
}

/// What stands in a masked request for something that tells who the buyer is.
const MASK: &str = "***";

impl FulfillmentRequest {
    /// The same request with everything that tells who the buyer is masked. Region and country stay: they decide.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mask = |text: &str| if text.is_empty() { String::new() } else { MASK.to_owned() };
        let to = &self.ship_to;
        let ship_to = Address {
            name: mask(&to.name),
            line1: mask(&to.line1),
            line2: mask(&to.line2),
            city: mask(&to.city),
            region: to.region.clone(),
            postal_code: mask(&to.postal_code),
            country: to.country.clone(),
            residential: to.residential,
            phone: to.phone.as_deref().map(mask),
            email: to.email.as_deref().map(mask),
        };
        Self { ship_to, comments: mask(&self.comments), ..self.clone() }
    }

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
    let digest = short_name(&key.connection);
    let short = format!("{digest}-{}{suffix}", key.order);
    if short.len() > max_length {
        return Err(InvalidId {
            what: "reference",
            rule: "the warehouse's limit is too short for any reference of ours",
        });
    }
    Reference::parse(short)
}

/// The order that a reference of ours names; none when it is not a reference of this connection.
#[must_use]
pub fn order_of(reference: &Reference, connection: &ConnectionId) -> Option<OrderId> {
    named(reference, connection).map(|(order, _)| order)
}

/// The order that a reference of ours names, and as which of its revisions it was sent.
#[must_use]
pub fn named(reference: &Reference, connection: &ConnectionId) -> Option<(OrderId, u32)> {
    let text = reference.as_str();
    let after = |name: &str| text.strip_prefix(name)?.strip_prefix('-');
    let rest = after(connection.as_str()).or_else(|| after(&short_name(connection)))?;
    let (number, revision) = rest.split_once("-r").unwrap_or((rest, "0"));
    let revision = revision.parse().ok().filter(|revision| *revision <= MOST_REVISIONS)?;
    Some((number.parse().ok()?, revision))
}

/// No order is sent anew more often: a reference beyond that was not made here.
const MOST_REVISIONS: u32 = 9_999;

fn short_name(connection: &ConnectionId) -> String {
    Sha256::digest(connection.as_str().as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
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

    #[test]
    fn what_tells_who_the_buyer_is_is_masked_and_what_decides_is_not() {
        let text = |word: &str| format!("unmistakable {word}");
        let ship_to = Address {
            name: text("name"),
            line1: text("line"),
            city: text("city"),
            postal_code: text("code"),
            residential: Some(true),
            phone: Some(text("phone")),
            email: Some(text("email")),
            ..Address::default()
        };
        let request = FulfillmentRequest {
            reference: Reference::parse("main-7").unwrap(),
            order_number: "7".to_owned(),
            ordered_at: jiff::Timestamp::UNIX_EPOCH,
            ship_to,
            lines: Vec::new(),
            service: Service::parse("GROUND").unwrap(),
            comments: text("remark"),
            total: Money { amount: "1".parse().unwrap(), currency: "USD".parse().unwrap() },
        };
        let masked = request.masked();
        assert!(!serde_json::to_string(&masked).unwrap().contains("unmistakable"), "{masked:?}");
        assert_eq!((masked.ship_to.line2.as_str(), masked.ship_to.residential), ("", Some(true)));
        assert_eq!((masked.comments.as_str(), &masked.reference), (MASK, &request.reference));
    }

    #[test]
    fn a_reference_names_its_order_in_its_own_connection_only() {
        for (key, revision, max) in
            [("main/7", 0, 40), ("main/7", 3, 40), ("a-rather-long-name-for-a-shop/7", 1, 20)]
        {
            let key: OrderKey = key.parse().unwrap();
            let made = reference(&key, revision, max).unwrap();
            assert_eq!(order_of(&made, &key.connection), Some(key.order), "{made}");
            assert_eq!(order_of(&made, &ConnectionId::parse("other").unwrap()), None);
        }
        assert_eq!(
            order_of(&Reference::parse("main-x").unwrap(), &ConnectionId::parse("main").unwrap()),
            None
        );
        assert_eq!(
            order_of(&Reference::parse("main-2-7").unwrap(), &ConnectionId::parse("main").unwrap()),
            None
        );
    }

    #[test]
    fn a_reference_names_its_revision_and_none_that_could_not_have_been_made() {
        let main = ConnectionId::parse("main").unwrap();
        for (text, revision) in [
            ("main-7", Some(0)),
            ("main-7-r2", Some(2)),
            ("main-7-r9999", Some(9_999)),
            ("main-7-r4294967295", None),
        ] {
            let named = named(&Reference::parse(text).unwrap(), &main);
            assert_eq!(named, revision.map(|revision| (OrderId(7), revision)), "{text}");
        }
    }
}
