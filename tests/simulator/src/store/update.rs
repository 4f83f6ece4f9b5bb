//! The call that writes tracking into an order: assumed, not documented (dossier section 8.2).

use jiff::civil::DateTime;

use super::call::Call;
use super::envelope::{BAD_UPDATE, MAY_NOT_UPDATE, NO_DATA, NO_METHOD, Refusal, done};
use super::options::WriteBack;
use super::orders::Kept;
use super::state::{State, Tracking};
use crate::xml::Element;

/// Takes the numbers of an update. A number that the order has already changes nothing.
pub(super) fn update(state: &mut State, call: &Call, now: DateTime) -> Result<String, Refusal> {
    if state.write_back == WriteBack::NotOffered {
        return Err(NO_METHOD);
    }
    let info = call.body.as_ref().and_then(|body| body.child("OrderInfo")).ok_or(BAD_UPDATE)?;
    let id = state.order_named(&call.item).ok_or(NO_DATA)?;
    if info.text_of("Id") != id.to_string() {
        return Err(BAD_UPDATE);
    }
    let told = told(info).ok_or(BAD_UPDATE)?;
    if state.write_back == WriteBack::Refused {
        return Err(MAY_NOT_UPDATE);
    }
    let stores = state.write_back == WriteBack::Offered;
    let keep_all = |order: &mut Kept| {
        for tracking in told {
            keep(order, Tracking { stored: stores, ..tracking }, now);
        }
    };
    state.orders.change(id, keep_all).ok_or(NO_DATA)?;
    Ok(done())
}

/// The packages in the request; none when there is none or one has no number.
fn told(info: &Element) -> Option<Vec<Tracking>> {
    let packages = &info.child("ShippingTrackingMethods")?.children;
    let told: Vec<Tracking> = packages
        .iter()
        .map(|package| Tracking {
            carrier: package.text_of("CarrierName").to_owned(),
            number: package.text_of("TrackingNumber").to_owned(),
            shipped_at: package.text_of("ShippedAt").to_owned(),
            times_told: 1,
            stored: true,
        })
        .collect();
    let whole = !told.is_empty() && told.iter().all(|tracking| !tracking.number.is_empty());
    whole.then_some(told)
}

pub(super) fn keep(order: &mut Kept, tracking: Tracking, now: DateTime) {
    match order.tracking.iter_mut().find(|known| known.number == tracking.number) {
        Some(known) => {
            known.times_told += tracking.times_told;
            if tracking.stored && !known.stored {
                known.stored = true;
                order.modified_at = now;
            }
        }
        None => {
            if tracking.stored {
                order.modified_at = now;
            }
            order.tracking.push(tracking);
        }
    }
}
