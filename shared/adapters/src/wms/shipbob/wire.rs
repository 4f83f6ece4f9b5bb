//! ShipBob's documents, as far as we read and write them (dossier section 3.3; published OpenAPI of 2026-01).

use domain::address::Address;
use domain::fulfillment::FulfillmentRequest;
use domain::limits::ANSWER_BYTES;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::json;

/// Body of `POST /order`.
#[derive(Serialize)]
pub(super) struct CreateOrder<'a> {
    reference_id: &'a str,
    order_number: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    shipping_method: &'a str,
    purchase_date: String,
    recipient: NewRecipient<'a>,
    products: Vec<NewProduct<'a>>,
    financials: Financials,
    #[serde(skip_serializing_if = "Option::is_none")]
    gift_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location_id: Option<i32>,
}

#[derive(Serialize)]
struct NewRecipient<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    address: NewAddress<'a>,
}

#[derive(Serialize)]
struct NewAddress<'a> {
    address1: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    address2: &'a str,
    city: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    state: &'a str,
    country: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    zip_code: &'a str,
}

#[derive(Serialize)]
struct NewProduct<'a> {
    reference_id: &'a str,
    name: &'a str,
    quantity: u32,
    sku: &'a str,
    unit_price: Number,
    /// A number there, a text here: the index of the line, from 1.
    external_line_id: i32,
}

#[derive(Serialize)]
struct Financials {
    total_price: Number,
}

/// Their documents want numbers where money is. Up to 15 digits are written exactly as they are.
fn number(amount: rust_decimal::Decimal) -> Number {
    amount.to_string().parse().unwrap_or_else(|_| Number::from(0))
}

impl<'a> CreateOrder<'a> {
    /// The document for a request. A buyer's remark becomes the gift message, where the settings want it.
    pub(super) fn of(request: &'a FulfillmentRequest, gift: bool, location: Option<i32>) -> Self {
        Self {
            reference_id: request.reference.as_str(),
            order_number: &request.order_number,
            kind: "DTC",
            shipping_method: request.service.as_str(),
            purchase_date: request.ordered_at.to_string(),
            recipient: recipient(&request.ship_to),
            products: (1..)
                .zip(&request.lines)
                .map(|(index, line)| NewProduct {
                    reference_id: line.sku.as_str(),
                    name: &line.name,
                    quantity: line.quantity,
                    sku: line.sku.as_str(),
                    unit_price: number(line.unit_price),
                    external_line_id: index,
                })
                .collect(),
            financials: Financials { total_price: number(request.total.amount) },
            gift_message: Some(request.comments.as_str()).filter(|text| gift && !text.is_empty()),
            location_id: location,
        }
    }
}

fn recipient(to: &Address) -> NewRecipient<'_> {
    NewRecipient {
        name: &to.name,
        email: to.email.as_deref().filter(|text| !text.is_empty()),
        phone_number: to.phone.as_deref().filter(|text| !text.is_empty()),
        address: NewAddress {
            address1: &to.line1,
            address2: &to.line2,
            city: &to.city,
            state: to.region.code_or_name(),
            country: to.country.code_or_name(),
            zip_code: &to.postal_code,
        },
    }
}

/// Body of `POST /shipment:batchUpdateTrackingUpload`.
#[derive(Serialize)]
pub(super) struct TrackingUploaded {
    pub(super) shipment_ids: Vec<i64>,
    pub(super) is_tracking_uploaded: bool,
}

/// An order, as they give it back. Everything but the id may be missing.
#[derive(Deserialize)]
pub(super) struct Order {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) reference_id: Option<String>,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) channel: Option<Channel>,
    #[serde(default)]
    pub(super) products: Option<Vec<OrderProduct>>,
    #[serde(default)]
    pub(super) recipient: Option<Recipient>,
    #[serde(default)]
    pub(super) shipments: Option<Vec<serde_json::Value>>,
}

/// Where an order came in.
#[derive(Deserialize)]
pub(super) struct Channel {
    #[serde(default)]
    pub(super) id: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct OrderProduct {
    #[serde(default)]
    pub(super) reference_id: Option<String>,
    #[serde(default)]
    pub(super) quantity: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct Recipient {
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) address: Option<RecipientAddress>,
}

#[derive(Deserialize)]
pub(super) struct RecipientAddress {
    #[serde(default)]
    pub(super) address1: Option<String>,
    #[serde(default)]
    pub(super) zip_code: Option<String>,
}

/// One shipment of an order.
#[derive(Deserialize)]
pub(super) struct Shipment {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) is_tracking_uploaded: bool,
    #[serde(default)]
    pub(super) actual_fulfillment_date: Option<String>,
    #[serde(default)]
    pub(super) tracking: Option<TrackingInfo>,
    #[serde(default)]
    pub(super) products: Option<Vec<ShippedProduct>>,
}

#[derive(Deserialize)]
pub(super) struct TrackingInfo {
    #[serde(default)]
    pub(super) carrier: Option<String>,
    #[serde(default)]
    pub(super) tracking_number: Option<String>,
    #[serde(default)]
    pub(super) tracking_url: Option<String>,
    #[serde(default)]
    pub(super) shipping_date: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ShippedProduct {
    #[serde(default)]
    pub(super) reference_id: Option<String>,
    #[serde(default)]
    pub(super) sku: Option<String>,
    #[serde(default)]
    pub(super) inventory_items: Option<Vec<ShippedItem>>,
}

#[derive(Deserialize)]
pub(super) struct ShippedItem {
    #[serde(default)]
    pub(super) id: Option<i64>,
    #[serde(default)]
    pub(super) quantity: Option<i64>,
}

/// A page with the address of the next one.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    #[serde(default)]
    pub(super) next: Option<String>,
}

/// A product with its variants, one of which has the SKU.
#[derive(Deserialize)]
pub(super) struct Product {
    #[serde(default)]
    pub(super) variants: Option<Vec<Variant>>,
}

#[derive(Deserialize)]
pub(super) struct Variant {
    #[serde(default)]
    pub(super) sku: Option<String>,
}

/// Stock of one SKU over all their warehouses.
#[derive(Deserialize)]
pub(super) struct Level {
    #[serde(default)]
    pub(super) sku: Option<String>,
    #[serde(default)]
    pub(super) total_sellable_quantity: Option<i64>,
}

/// Answer of `POST /order/{id}:cancel`.
#[derive(Deserialize)]
pub(super) struct Cancelled {
    #[serde(default)]
    pub(super) status: Option<String>,
}

/// The sentences of an error document, whose shape differs between versions: an array of texts, a map from fields to
/// texts or to arrays of texts, or a problem document with `title` and `detail`.
pub(super) fn complaints(body: &[u8]) -> Vec<String> {
    fn gather(field: &str, value: &serde_json::Value, depth: u8, found: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) if field.is_empty() => found.push(text.clone()),
            serde_json::Value::String(text) => found.push(format!("{field}: {text}")),
            serde_json::Value::Array(entries) if depth < 4 => {
                entries.iter().for_each(|entry| gather(field, entry, depth + 1, found));
            }
            serde_json::Value::Object(fields) if depth < 4 => {
                const NOISE: [&str; 4] = ["type", "status", "traceId", "instance"];
                for (name, value) in fields.iter().filter(|(name, _)| !NOISE.contains(&name.as_str())) {
                    let plain = ["errors", "title", "detail", "message", "error"].contains(&name.as_str());
                    gather(if plain { field } else { name }, value, depth + 1, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Ok(value) = json::read(body, ANSWER_BYTES) {
        gather("", &value, 0, &mut found);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_shapes_of_an_error_are_read() {
        for (body, expected) in [
            (r#"["reference id exists","no stock"]"#, vec!["reference id exists", "no stock"]),
            (r#"{"recipient.address":["zip code is wrong"]}"#, vec!["recipient.address: zip code is wrong"]),
            (r#"{"products":"are missing"}"#, vec!["products: are missing"]),
            (
                r#"{"type":"x","title":"Invalid","status":422,"errors":{"name":["too long"]}}"#,
                vec!["name: too long", "Invalid"],
            ),
            ("nonsense", vec![]),
        ] {
            assert_eq!(complaints(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn money_keeps_its_digits() {
        for (amount, text) in [("12.50", "12.5"), ("0.1", "0.1"), ("1999999.99", "1999999.99")] {
            assert_eq!(number(amount.parse().unwrap()).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\":,a-z0-9]{0,60}") {
            for body in [&bytes[..], text.as_bytes()] {
                let _any = (complaints(body).len(), serde_json::from_slice::<Vec<Order>>(body).is_ok());
                let _any = serde_json::from_slice::<Page<Product>>(body).is_ok();
            }
        }
    }
}
