//! Parcels leaving the house, parcels taken back, and the feed that tells of both.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::options::Service;
use super::orders::Answer;
use super::state::{Item, Shipment, State, Status};
use super::tracking_number;

/// How an order leaves the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parcels {
    /// Everything that is left, in one parcel.
    One,
    /// Everything that is left, spread over up to so many parcels; the last one completes the order.
    Split(usize),
    /// Only these pieces; the rest stays (a piece that is not left is not shipped).
    Some(Vec<(String, u32)>),
}

/// Ships an order by id or reference; gives the positions of the new shipments, none when there was nothing to ship.
pub(super) fn ship(
    state: &mut State,
    services: &[Service],
    name: &str,
    parcels: &Parcels,
    now: Timestamp,
) -> Vec<usize> {
    let Some(position) = state.orders.named(name) else { return Vec::new() };
    let left = remaining(state, position);
    let mut boxes: Vec<Vec<Item>> = match parcels {
        Parcels::One => vec![left],
        Parcels::Split(count) => spread(&left, (*count).max(1)),
        Parcels::Some(wanted) => vec![picked(&left, wanted)],
    };
    boxes.retain(|items| !items.is_empty());
    if state.orders.get(position).is_none_or(|order| order.status == Status::Cancelled) {
        return Vec::new();
    }
    boxes.into_iter().filter_map(|items| leave(state, services, position, items, now)).collect()
}

fn leave(
    state: &mut State,
    services: &[Service],
    position: usize,
    items: Vec<Item>,
    now: Timestamp,
) -> Option<usize> {
    let number = state.shipments.all().len() as u64 + 1;
    let order = state.orders.get(position)?;
    let carrier = services.iter().find(|service| service.code == order.service);
    let carrier = carrier.map_or("Other", |service| service.carrier.as_str()).to_owned();
    let parcel = state.shipments.push(Shipment {
        id: format!("SH-{number}"),
        order_id: order.id.clone(),
        reference: order.reference.clone(),
        tracking_number: tracking_number::for_carrier(&carrier, number),
        carrier,
        service: order.service.clone(),
        shipped_at: now,
        complete: false,
        items,
        voided: false,
        sequence: 0,
    });
    let complete = remaining(state, position).is_empty();
    state.shipments.set_complete(parcel, complete);
    state.orders.get_mut(position)?.status = if complete { Status::Shipped } else { Status::PartlyShipped };
    Some(parcel)
}

/// Takes a parcel back; gives its position, none when there is no such parcel or it is back already.
pub(super) fn void(state: &mut State, shipment: &str) -> Option<usize> {
    let found = state.shipments.void(shipment)?;
    let order_id = &state.shipments.get(found)?.order_id;
    let others = state.shipments.gone(order_id).next().is_some();
    let order = state.orders.with_id(order_id)?;
    let status = if others { Status::PartlyShipped } else { Status::Accepted };
    state.orders.get_mut(order)?.status = status;
    Some(found)
}

/// What has not left yet.
fn remaining(state: &State, position: usize) -> Vec<Item> {
    let Some(order) = state.orders.get(position) else { return Vec::new() };
    let mut left = order.items.clone();
    for item in state.shipments.gone(&order.id).flat_map(|shipment| &shipment.items) {
        let mut quantity = item.quantity;
        for rest in left.iter_mut().filter(|rest| rest.sku == item.sku) {
            let taken = rest.quantity.min(quantity);
            rest.quantity -= taken;
            quantity -= taken;
        }
    }
    left.retain(|item| item.quantity > 0);
    left
}

/// Deals the pieces out one by one, so that one SKU can be in several parcels.
fn spread(items: &[Item], parcels: usize) -> Vec<Vec<Item>> {
    let mut boxes = vec![Vec::<Item>::new(); parcels];
    let pieces = items.iter().flat_map(|item| (0..item.quantity).map(|_| &item.sku));
    for (number, sku) in pieces.enumerate() {
        let parcel = &mut boxes[number % parcels];
        match parcel.iter_mut().find(|item| &item.sku == sku) {
            Some(item) => item.quantity += 1,
            None => parcel.push(Item { sku: sku.clone(), quantity: 1 }),
        }
    }
    boxes
}

fn picked(left: &[Item], wanted: &[(String, u32)]) -> Vec<Item> {
    let available =
        |sku: &str| left.iter().filter(|item| item.sku == sku).map(|item| item.quantity).sum::<u32>();
    let picked = wanted
        .iter()
        .map(|(sku, quantity)| Item { sku: sku.clone(), quantity: available(sku).min(*quantity) });
    picked.filter(|item| item.quantity > 0).collect()
}

/// The feed: what changed after a cursor, oldest first; or everything about one reference.
pub(super) fn feed(state: &State, query: &[(String, String)]) -> Answer {
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let after = match value("after").filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => match cursor.strip_prefix("c-").and_then(|number| number.parse().ok()) {
            Some(sequence) => sequence,
            None => return (400, json!({"error": "cursor not understood"})),
        },
    };
    let limit = value("limit").and_then(|text| text.parse().ok()).unwrap_or(100).clamp(1, 250);
    // One more than asked for tells whether there are more.
    let mut found: Vec<&Shipment> = match value("reference") {
        None => state.shipments.after(after).take(limit + 1).collect(),
        Some(name) => about(state, name, after),
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().map_or(after, |shipment| shipment.sequence);
    let shipments: Vec<Value> = found.into_iter().map(Shipment::document).collect();
    (200, json!({"shipments": shipments, "next": format!("c-{next}"), "more": more}))
}

/// What changed about one reference, oldest first.
fn about<'a>(state: &'a State, reference: &str, after: u64) -> Vec<&'a Shipment> {
    let of_it = state.shipments.with_reference(reference);
    let mut found: Vec<&Shipment> = of_it.filter(|shipment| shipment.sequence > after).collect();
    found.sort_by_key(|shipment| shipment.sequence);
    found
}
