//! What placeholders stand for: the fields of a request and of its lines, and those of the other operations.

use domain::address::{Address, Place};
use domain::fulfillment::{FulfillmentRequest, RequestLine};

use crate::wms::template::Value;

/// Placeholders of a whole order.
pub(super) const ORDER: &[&str] = &[
    "reference",
    "order_number",
    "ordered_at",
    "service",
    "comments",
    "total",
    "currency",
    "units",
    "ship_to.name",
    "ship_to.first_name",
    "ship_to.last_name",
    "ship_to.line1",
    "ship_to.line2",
    "ship_to.city",
    "ship_to.region",
    "ship_to.region_code",
    "ship_to.region_short",
    "ship_to.postal_code",
    "ship_to.country",
    "ship_to.country_code",
    "ship_to.country_short",
    "ship_to.phone",
    "ship_to.email",
    "ship_to.residential",
];
/// The lines of an order, each by the line template.
pub(super) const LINES: &[&str] = &["lines"];
/// Placeholders of one line.
pub(super) const LINE: &[&str] =
    &["line.id", "line.index", "line.sku", "line.name", "line.quantity", "line.unit_price"];
/// Placeholders of operations on one order.
pub(super) const ONE_ORDER: &[&str] = &["reference", "id"];
/// Placeholders of lists.
pub(super) const LISTS: &[&str] = &["cursor", "page", "since"];

fn text(text: &str) -> Value<'_> {
    Value::Text(text.into())
}

/// The value of an order's placeholder. Unknown names were refused when the template was read.
pub(super) fn of_order<'a>(request: &'a FulfillmentRequest, name: &str) -> Value<'a> {
    match name {
        "reference" => text(request.reference.as_str()),
        "order_number" => text(&request.order_number),
        "ordered_at" => Value::Text(request.ordered_at.to_string().into()),
        "service" => text(request.service.as_str()),
        "comments" => text(&request.comments),
        "total" => Value::Number(request.total.amount.to_string()),
        "currency" => Value::Text(request.total.currency.as_str().to_owned().into()),
        "units" => Value::Number(request.units().to_string()),
        other => of_address(&request.ship_to, other.strip_prefix("ship_to.").unwrap_or_default()),
    }
}

fn of_address<'a>(address: &'a Address, name: &str) -> Value<'a> {
    let (first, last) = address.first_and_last_name();
    let code = |place: &'a Place| text(place.code.as_deref().unwrap_or_default());
    match name {
        "name" => text(&address.name),
        "first_name" => text(first),
        "last_name" => text(last),
        "line1" => text(&address.line1),
        "line2" => text(&address.line2),
        "city" => text(&address.city),
        "region" => text(&address.region.name),
        "region_code" => code(&address.region),
        "region_short" => text(address.region.code_or_name()),
        "postal_code" => text(&address.postal_code),
        "country" => text(&address.country.name),
        "country_code" => code(&address.country),
        "country_short" => text(address.country.code_or_name()),
        "phone" => text(address.phone.as_deref().unwrap_or_default()),
        "email" => text(address.email.as_deref().unwrap_or_default()),
        "residential" => Value::Flag(address.residential),
        _ => text(""),
    }
}

/// The value of a line's placeholder; `index` counts from 1.
pub(super) fn of_line<'a>(line: &'a RequestLine, index: usize, name: &str) -> Value<'a> {
    match name {
        "line.id" => text(&line.id),
        "line.index" => Value::Number(index.to_string()),
        "line.sku" => text(line.sku.as_str()),
        "line.name" => text(&line.name),
        "line.quantity" => Value::Number(line.quantity.to_string()),
        "line.unit_price" => Value::Number(line.unit_price.to_string()),
        _ => text(""),
    }
}
