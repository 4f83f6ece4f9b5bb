//! The order as the store took it: the canonical form that every store adapter reads into.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::address::Address;
use crate::ids::OrderId;
use crate::mapping::{ShipMethod, Sku};
use crate::money::Currency;
use crate::payment::PaymentStatus;

/// One line of an order: what was bought, how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// The store's id of the line.
    pub id: u64,
    /// The store's product number, 0 when it gave none.
    #[serde(default)]
    pub product: u64,
    /// The shop's code of the product. A product without one gives lines without one (dossier section 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// The product's name as the buyer saw it.
    pub name: String,
    /// How many, at least 1.
    pub quantity: u32,
    /// Price of one, in the order's currency.
    pub unit_price: Decimal,
    /// Is it billed again and again?
    #[serde(default)]
    pub recurring: bool,
}

/// An order of the store, as READ gave it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The order number that merchant and buyer see.
    pub id: OrderId,
    /// The buyer's record in the store, 0 when it gave none.
    #[serde(default)]
    pub client: u64,
    /// When it was ordered; none when the store's date cannot be read (never a reason to fail an order).
    #[serde(default)]
    pub ordered_at: Option<Timestamp>,
    /// The store's payment status.
    pub payment: PaymentStatus,
    /// Is it hidden in the store's admin pages?
    #[serde(default)]
    pub archived: bool,
    /// What was bought.
    pub lines: Vec<LineItem>,
    /// Where it goes; none for a purely digital order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<Address>,
    /// What shipping the buyer chose; none for a purely digital order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_method: Option<ShipMethod>,
    /// What the buyer paid for shipping.
    #[serde(default)]
    pub shipping_amount: Decimal,
    /// What the buyer paid in all.
    pub total: Decimal,
    /// The currency of every amount here (a setting of the connection).
    pub currency: Currency,
    /// The buyer's remark, empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comments: String,
    /// The subscription that produced this order, for a re-bill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurring_order: Option<u64>,
    /// Separate orders that were sold on top of this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upsells: Vec<OrderId>,
    /// Tracking numbers that the store already shows for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tracking_shown: Vec<String>,
    /// Elements of the document that we do not know, by path: a sign that the store's format has moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_elements: Vec<String>,
}

/// An order never prints who bought it, nor the buyer's remark.
impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order")
            .field("id", &self.id)
            .field("payment", &self.payment)
            .field("lines", &self.lines)
            .field("ship_to", &self.ship_to)
            .field("ship_method", &self.ship_method)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

impl Order {
    /// Does anything in it have to be shipped, as far as the store tells? (Dossier section 4.1, "how to tell physical".)
    #[must_use]
    pub fn has_shipping(&self) -> bool {
        self.ship_to.is_some()
    }

    /// A short digest of what the warehouse acts on: address, lines, method. Equal digests mean nothing to amend.
    #[must_use]
    pub fn digest(&self) -> OrderDigest {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        part(&self.id.to_string());
        part(self.ship_method.as_ref().map_or("", ShipMethod::as_str));
        if let Some(to) = &self.ship_to {
            for field in
                [&to.name, &to.line1, &to.line2, &to.city, &to.region.name, &to.postal_code, &to.country.name]
            {
                part(field);
            }
        }
        for line in &self.lines {
            part(line.sku.as_ref().map_or("", Sku::as_str));
            part(&line.quantity.to_string());
        }
        let bytes = hash.finalize();
        OrderDigest(bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Order {
    /// What the warehouse would act on otherwise if it had this order instead of the one that was `sent`, in words and
    /// without personal data. Empty when their digests are the same.
    #[must_use]
    pub fn differences(&self, sent: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let method = |order: &Self| {
            order.ship_method.as_ref().map_or("none".to_owned(), |method| method.as_str().to_owned())
        };
        if method(self) != method(sent) {
            differences.push(format!("shipping method: {} instead of {}", method(self), method(sent)));
        }
        match (&self.ship_to, &sent.ship_to) {
            (Some(now), Some(before)) => {
                let parts = now.parts_unlike(before);
                if !parts.is_empty() {
                    differences.push(format!("address: another {}", parts.join(", ")));
                }
            }
            (None, Some(_)) => differences.push("address: none any more".to_owned()),
            (Some(_), None) => differences.push("address: there was none".to_owned()),
            (None, None) => {}
        }
        let (now, before) = (self.pieces(), sent.pieces());
        let skus: BTreeSet<&str> = now.keys().chain(before.keys()).copied().collect();
        for sku in skus {
            let count = |pieces: &BTreeMap<&str, u32>| pieces.get(sku).copied().unwrap_or(0);
            if count(&now) != count(&before) {
                let name = if sku.is_empty() { "lines without SKU" } else { sku };
                differences.push(format!("{name}: {} instead of {}", count(&now), count(&before)));
            }
        }
        differences
    }

    fn pieces(&self) -> BTreeMap<&str, u32> {
        let mut pieces = BTreeMap::new();
        for line in &self.lines {
            let sku = line.sku.as_ref().map_or("", Sku::as_str);
            let count: &mut u32 = pieces.entry(sku).or_default();
            *count = count.saturating_add(line.quantity);
        }
        pieces
    }
}

/// See [`Order::digest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderDigest(pub String);
