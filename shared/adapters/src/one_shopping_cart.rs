//! The 1ShoppingCart store: reads its orders, clients and products, and writes tracking back where the store takes it.
//!
//! Facts about the store's API are those of public documents and client programs (the "dossier"); what nobody has seen
//! the live service do is a setting. Documents are read by pull events, straight into typed values, within the limits
//! at the head of `xml.rs`.

mod canonical;
mod client;
mod config;
mod contacts;
mod countries;
mod dates;
mod discovery;
mod envelope;
mod hints;
mod list;
mod notification;
mod order;
mod places;
mod probe;
mod records;
mod regions;
mod source;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod tracking;
mod xml;

use std::sync::Arc;

use domain::Failure;
use domain::money::Currency;
use domain::policy::Policies;
use domain::ports::{Clock, ProductSource, Read, Store};
use jiff::tz::TimeZone;

pub use client::Client;
pub use config::{KEYS, TIME_ZONE};
pub use notification::{Notification, read_notification};

use crate::http::Http;
use crate::settings::{SettingError, Settings};
use envelope::Reply;

/// Opens a store, as the ports want it. Call it once per connection and process: the pace is kept per call.
///
/// # Errors
/// When a setting is missing or wrong.
pub fn connect(
    settings: &Settings,
    policies: &Policies,
    http: Http,
    clock: Arc<dyn Clock>,
) -> Result<Store, SettingError> {
    let client = Arc::new(client(settings, policies, http, clock)?);
    let hints = Arc::new(hints::Hints { secret: settings.optional_secret("notify_secret")? });
    let products: Option<Arc<dyn ProductSource>> = Some(client.clone());
    Ok(Store { orders: client.clone(), tracking: client.clone(), hints, probe: client, products })
}

/// Opens a store as its adapter's own type, all ports in one.
///
/// # Errors
/// When a setting is missing or wrong.
pub fn client(
    settings: &Settings,
    policies: &Policies,
    http: Http,
    clock: Arc<dyn Clock>,
) -> Result<Client, SettingError> {
    let config = config::Config::read(settings, policies)?;
    let pace = config::pace(settings, clock.clone())?;
    Ok(Client::new(config, http, clock, pace))
}

/// Reads the document that answers a READ of an order, as [`connect`]'s source does with what came over the wire.
///
/// # Errors
/// Retryable when it is no whole answer of the store, permanent when the answer is an error other than "no data".
pub fn read_order_document(body: &[u8], zone: &TimeZone, currency: Currency) -> Result<Read, Failure> {
    const DURING: &str = "1ShoppingCart: read order";
    match canonical::read(body, zone, currency).map_err(|broken| broken.failure(DURING))? {
        Reply::Yes(read) => Ok(read),
        Reply::No(refusal) if refusal.is_no_data() => Ok(Read::Absent),
        Reply::No(refusal) => {
            Err(Failure::permanent(DURING, format!("the store said no: {}", refusal.reason())))
        }
    }
}

/// Reads the document that answers a LIST: its ids.
///
/// # Errors
/// As [`read_order_document`]. "No data" is an empty list.
pub fn read_list_document(body: &[u8]) -> Result<Vec<u64>, Failure> {
    const DURING: &str = "1ShoppingCart: list";
    match list::read("Orders", body).map_err(|broken| broken.failure(DURING))? {
        Reply::Yes(page) => Ok(page.ids),
        Reply::No(refusal) => {
            Err(Failure::permanent(DURING, format!("the store said no: {}", refusal.reason())))
        }
    }
}
