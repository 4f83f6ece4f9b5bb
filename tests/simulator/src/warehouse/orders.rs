//! Creating, finding, cancelling orders, and the stock list.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::options::{Duplicates, WarehouseOptions};
use super::state::{Item, Order, State, Status};

/// A status and a document.
pub(super) type Answer = (u16, Value);

/// Takes an order, or says why not. Gives the new order's position besides the answer.
pub(super) fn create(
    state: &mut State,
    options: &WarehouseOptions,
    request: &Value,
    key: Option<&str>,
    now: Timestamp,
) -> (Answer, Option<usize>) {
    let items = match checked(state, options, request) {
        Ok(items) => items,
        Err(reason) => {
            state.counts.refused += 1;
            return (refused(&reason), None);
        }
    };
    let reference = text(request, "reference").to_owned();
    if let Some(answer) = known(state, options.duplicates, &reference, key) {
        return (answer, None);
    }
    for item in &items {
        *state.stock.entry(item.sku.clone()).or_default() -= i64::from(item.quantity);
    }
    let order = Order {
        id: format!("WO-{}", 1001 + state.orders.all().len()),
        reference,
        service: text(request, "service").to_owned(),
        items,
        status: Status::Accepted,
        key: key.map(str::to_owned),
        request: request.clone(),
        created_at: now,
    };
    let answer = json!({"id": order.id, "reference": order.reference, "status": order.status.word()});
    ((201, answer), Some(state.orders.push(order)))
}

pub(super) fn refused(reason: &str) -> Answer {
    (422, json!({"error": "refused", "reason": reason}))
}

/// The answer for a reference or key that is known already, when the warehouse cares.
fn known(state: &mut State, duplicates: Duplicates, reference: &str, key: Option<&str>) -> Option<Answer> {
    let first = match duplicates {
        Duplicates::Accept => None,
        Duplicates::Refuse => state.orders.with_reference(reference).next(),
        Duplicates::ByKey => key.and_then(|key| state.orders.with_key(key)),
    }?;
    if duplicates == Duplicates::ByKey {
        let status = first.status.word();
        return Some((201, json!({"id": first.id, "reference": first.reference, "status": status})));
    }
    let id = first.id.clone();
    state.counts.duplicates += 1;
    Some((409, json!({"error": "duplicate", "id": id})))
}

/// The items of a request that has everything it needs; otherwise the reason.
fn checked(state: &State, options: &WarehouseOptions, request: &Value) -> Result<Vec<Item>, String> {
    for field in ["reference", "order_number", "service"] {
        if text(request, field).is_empty() {
            return Err(format!("{field} is missing"));
        }
    }
    let service = text(request, "service");
    if !options.services.iter().any(|known| known.code == service) {
        return Err(format!("unknown service {service}"));
    }
    let to = request.get("ship_to").filter(|to| to.is_object()).ok_or("ship_to is missing")?;
    for field in ["name", "line1", "city", "country"] {
        if text(to, field).is_empty() {
            return Err(format!("ship_to.{field} is missing"));
        }
    }
    let items = request.get("items").and_then(Value::as_array).filter(|items| !items.is_empty());
    items.ok_or("there are no items")?.iter().map(|item| checked_item(state, options, item)).collect()
}

fn checked_item(state: &State, options: &WarehouseOptions, item: &Value) -> Result<Item, String> {
    let sku = text(item, "sku").to_owned();
    if sku.is_empty() {
        return Err("an item has no sku".to_owned());
    }
    if options.refuse_unknown_skus && !state.stock.contains_key(&sku) {
        return Err(format!("unknown sku {sku}"));
    }
    let quantity = item.get("quantity").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    match quantity.filter(|quantity| *quantity > 0) {
        Some(quantity) => Ok(Item { sku, quantity }),
        None => Err(format!("the quantity of {sku} is no positive number")),
    }
}

fn text<'a>(document: &'a Value, field: &str) -> &'a str {
    document.get(field).and_then(Value::as_str).map_or("", str::trim)
}

/// The orders with exactly this reference that are old enough to be seen.
pub(super) fn find(state: &State, options: &WarehouseOptions, reference: &str, now: Timestamp) -> Answer {
    let seen = |order: &&Order| now.duration_since(order.created_at).unsigned_abs() >= options.lookup_lag;
    let known = state.orders.with_reference(reference);
    let orders: Vec<Value> = known.filter(seen).map(Order::document).collect();
    (200, json!({"orders": orders}))
}

pub(super) fn get(state: &State, id: &str) -> Answer {
    match state.orders.with_id(id).and_then(|position| state.orders.get(position)) {
        Some(order) => (200, order.document()),
        None => (404, json!({"error": "not found"})),
    }
}

/// Cancels an order of which nothing left. Cancelling twice is fine.
pub(super) fn cancel(state: &mut State, id: &str) -> Answer {
    let position = state.orders.with_id(id);
    let Some(order) = position.and_then(|position| state.orders.get_mut(position)) else {
        return (404, json!({"error": "not found"}));
    };
    if matches!(order.status, Status::Shipped | Status::PartlyShipped) {
        return (409, json!({"error": "refused", "reason": "already shipped"}));
    }
    let was_live = order.status == Status::Accepted;
    order.status = Status::Cancelled;
    for item in order.items.iter().filter(|_| was_live) {
        *state.stock.entry(item.sku.clone()).or_default() += i64::from(item.quantity);
    }
    (200, json!({"id": id, "status": "cancelled"}))
}

pub(super) fn stock(state: &State) -> Answer {
    let stock: Vec<Value> =
        state.stock.iter().map(|(sku, available)| json!({"sku": sku, "available": available})).collect();
    (200, json!({"stock": stock}))
}
