//! A warehouse that is described by its connection's settings alone: JSON or XML over HTTP, requests by template, answers
//! by path.
//!
//! Without further settings it speaks the JSON API in `generic/preset.rs`, so that `base_url`, `auth` and `repeat` are
//! enough. [`KEYS`] has the names of all settings; in groups:
//!
//! | Settings | Meaning |
//! |---|---|
//! | `format`, `preset` | `json` (default) or `xml`; `preset = none` forgets the built-in API, `off` as a value forgets one setting of it |
//! | `auth`, `auth.*`, `header.NAME` | how we prove who we are; headers for every request (`@…` names a secret) |
//! | `repeat`, `lag_seconds` | what happens when an order is sent twice: `key`, `refuses_duplicates`, `can_be_asked` (with the lag of its answers), `cannot` |
//! | `OPERATION.method`, `.path`, `.header.NAME`, `.body`, `.success` | one request; operations: `create`, `find`, `cancel`, `shipments`, `order_shipments`, `stock` |
//! | `create.line`, `create.line_separator` | one line of `{lines}`, and what stands between two |
//! | `create.duplicate`, `.refused`, `.not_applied`, `cancel.refused`, `find.absent` | statuses and what they mean; all others are unclear |
//! | `create.ok`, `.ok_value` (and of `cancel`) | where an answer with a good status says yes or no, and the word for yes |
//! | `create.id`, `find.list`, `shipments.number` … | paths into answers: JSON Pointer, or `/A/B@attribute` in XML; below a `.list`, relative to its entry; `.` is the place itself |
//! | `shipments.next`, `.more`, `.page_size`, `.since_days` (and of `stock`) | pages: `{cursor}` with `next`, or `{page}`; `{since}` is that many days ago |
//! | `webhook.*` | scheme and secret (`signature.rs`), the event's word, and the path to a whole shipment or, as a hint, to the reference |
//!
//! Placeholders are listed in `generic/fields.rs`. In JSON, a placeholder inside quotes is the text of its value, outside
//! of quotes a whole JSON value; in URLs and XML it is escaped as needed there. A query value that is one empty placeholder
//! is left out.

mod feed;
mod fields;
mod keys;
pub(super) mod notices;
mod orders;
mod preset;
mod sample;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Reference;
use domain::ports::{Clock, Finding, Probe};
use domain::warehouse::{
    Limits, NoticeReader, Notices, OrderCancellation, OrderLookup, Repeat, ShipmentFeed, ShipmentLookup,
    StockFeed, Warehouse,
};
use rust_decimal::Decimal;

use self::feed::{Feed, OfOrder, Stock};
use self::keys::Keys;
use self::notices::ShipmentPaths;
use self::orders::{Canceller, Desk, Finder};
use self::webhook::Reader;
use super::authorization::{Authorization, is_header_name};
use super::caller::{self, Caller, FixedHeader};
use crate::http::Http;
use crate::rate_limit::RateLimit;
use crate::settings::{SettingError, Settings};

/// Its name in the settings.
pub(super) const NAME: &str = "http";

/// The settings that it knows; `*` stands for the name of a header.
#[rustfmt::skip]
pub(super) const KEYS: &[&str] = &[
    "base_url", "format", "preset", "requests_per_second", "timeout_seconds", "time_zone", "header.*",
    "auth", "auth.header", "auth.key", "auth.user", "auth.password",
    "auth.token_url", "auth.client_id", "auth.client_secret", "auth.scope", "auth.style",
    "repeat", "lag_seconds",
    "limits.reference", "limits.name", "limits.street", "limits.place", "limits.sku",
    "create.method", "create.path", "create.header.*", "create.body", "create.line", "create.line_separator",
    "create.success", "create.ok", "create.ok_value", "create.id", "create.duplicate", "create.duplicate_id",
    "create.refused", "create.refusal_reason", "create.not_applied",
    "find.method", "find.path", "find.header.*", "find.body", "find.success", "find.absent",
    "find.list", "find.id", "find.reference", "find.cancelled", "find.cancelled_values",
    "cancel.method", "cancel.path", "cancel.header.*", "cancel.body", "cancel.success",
    "cancel.ok", "cancel.ok_value", "cancel.refused", "cancel.refusal_reason",
    "shipments.method", "shipments.path", "shipments.header.*", "shipments.body", "shipments.success",
    "shipments.list", "shipments.next", "shipments.more", "shipments.page_size", "shipments.since_days",
    "shipments.id", "shipments.reference", "shipments.order_id", "shipments.carrier", "shipments.number",
    "shipments.url", "shipments.shipped_at", "shipments.complete", "shipments.items", "shipments.item_sku",
    "shipments.item_quantity", "shipments.voided", "shipments.voided_values",
    "order_shipments.method", "order_shipments.path", "order_shipments.header.*", "order_shipments.body",
    "order_shipments.success", "order_shipments.list",
    "stock.method", "stock.path", "stock.header.*", "stock.body", "stock.success", "stock.list", "stock.sku",
    "stock.available", "stock.next", "stock.more", "stock.page_size", "stock.since_days",
    "webhook.scheme", "webhook.secret", "webhook.secret_previous", "webhook.header", "webhook.timestamp_header",
    "webhook.user", "webhook.password", "webhook.token_in", "webhook.window_seconds", "webhook.jwks_url",
    "webhook.event", "webhook.events", "webhook.voided_events", "webhook.shipment", "webhook.reference",
];

/// Opens the warehouse that the settings describe.
///
/// # Errors
/// Which setting is missing, wrong, or contradicts another one. Templates are tried out with sample orders.
pub(super) fn connect(
    settings: &Settings,
    http: Http,
    clock: Arc<dyn Clock>,
) -> Result<Warehouse, SettingError> {
    let keys = Keys::new(settings)?;
    let caller = Arc::new(caller(settings, http.clone(), clock.clone())?);
    let finder = Finder::read(&keys, caller.clone())?.map(Arc::new);
    let lookup = finder.map(|finder| finder as Arc<dyn OrderLookup>);
    let desk = Desk::read(&keys, caller.clone())?;
    let repeat = repeat(settings, &desk, lookup.as_ref())?;
    let wants_shipments = ["shipments.path", "order_shipments.path", "webhook.shipment"];
    let paths = wants_shipments.iter().any(|key| keys.get(key).is_some());
    let paths = paths.then(|| ShipmentPaths::read(&keys)).transpose()?.map(Arc::new);
    let feed = Feed::read(&keys, caller.clone(), paths.as_ref())?.map(Arc::new);
    let reader = Reader::read(&keys, paths.as_ref(), &http, &clock)?;
    let probe = GenericProbe { lookup: lookup.clone(), feed: feed.clone() };
    let cancel = Canceller::read(&keys, caller.clone(), lookup)?;
    let shipments = OfOrder::read(&keys, caller.clone(), paths.as_ref())?;
    let stock = Stock::read(&keys, caller)?;
    Ok(Warehouse {
        name: NAME,
        limits: limits(settings)?,
        repeat,
        orders: Arc::new(desk),
        cancel: cancel.map(|cancel| Arc::new(cancel) as Arc<dyn OrderCancellation>),
        notices: notices(settings, reader, feed)?,
        shipments: shipments.map(|shipments| Arc::new(shipments) as Arc<dyn ShipmentLookup>),
        stock: stock.map(|stock| Arc::new(stock) as Arc<dyn StockFeed>),
        probe: Arc::new(probe),
    })
}

fn caller(settings: &Settings, http: Http, clock: Arc<dyn Clock>) -> Result<Caller, SettingError> {
    let mut headers = Vec::new();
    for key in settings.keys() {
        let Some(name) = key.strip_prefix("header.") else { continue };
        if !is_header_name(name) {
            return Err(settings.error(key, "is no name of a header"));
        }
        let value = settings.text(key)?;
        headers.push(match value.trim().starts_with('@') {
            true => FixedHeader::Secret(name.to_owned(), settings.secret(key)?),
            false => FixedHeader::Plain(name.to_owned(), value.to_owned()),
        });
    }
    let base = caller::base_url(settings, "base_url", None)?;
    Ok(Caller {
        authorization: Authorization::from_settings(settings, &http, &clock)?,
        headers,
        pace: RateLimit::new(clock.clone(), interval(settings)?, 1),
        timeout: caller::timeout(settings)?,
        http: http.only([&base]),
        base,
        clock,
    })
}

/// The distance between two requests: `requests_per_second`, four by default.
fn interval(settings: &Settings) -> Result<Duration, SettingError> {
    let rate: Decimal = settings.parsed("requests_per_second", Decimal::from(4))?;
    Decimal::from(1_000_000)
        .checked_div(rate)
        .and_then(|micros| u64::try_from(micros.trunc()).ok())
        .filter(|micros| (1_000..=3_600_000_000).contains(micros))
        .map(Duration::from_micros)
        .ok_or_else(|| settings.error("requests_per_second", "must be a number up to 1000, such as 2 or 0.5"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Key,
    RefusesDuplicates,
    CanBeAsked,
    Cannot,
}

/// What the warehouse gives against duplicates. There is no default, and what is said must be possible.
fn repeat(
    settings: &Settings,
    desk: &Desk,
    lookup: Option<&Arc<dyn OrderLookup>>,
) -> Result<Repeat, SettingError> {
    const KEY: &str = "repeat";
    let words = [
        ("key", Word::Key),
        ("refuses_duplicates", Word::RefusesDuplicates),
        ("can_be_asked", Word::CanBeAsked),
        ("cannot", Word::Cannot),
    ];
    if settings.optional(KEY).is_none() {
        let words = "key, refuses_duplicates, can_be_asked, cannot";
        let why = format!("is missing: what happens when an order is sent twice? Add one of: {words}");
        return Err(settings.error(KEY, why));
    }
    let word = settings.choice(KEY, &words)?;
    let lag = settings.optional("lag_seconds");
    if lag.is_some() && word != Word::CanBeAsked {
        return Err(settings.error("lag_seconds", "is only of use with repeat = can_be_asked; take it out"));
    }
    let ask = || {
        let why = "needs a way to ask for an order; add find.path and what belongs to it";
        lookup.cloned().ok_or_else(|| settings.error(KEY, why))
    };
    Ok(match word {
        Word::Key => Repeat::HonoursKey,
        Word::Cannot => Repeat::Cannot,
        Word::RefusesDuplicates if desk.duplicate.is_empty() => {
            let why = "is missing, and repeat = refuses_duplicates; add the status of a refused duplicate";
            return Err(settings.error("create.duplicate", why));
        }
        Word::RefusesDuplicates => Repeat::RefusesDuplicates(ask()?),
        Word::CanBeAsked => {
            let why =
                "is missing: by how many seconds may a look-up lag behind a create? Add it, 0 for not at all";
            lag.ok_or_else(|| settings.error("lag_seconds", why))?;
            let lag = Duration::from_secs(settings.parsed("lag_seconds", 0)?);
            Repeat::CanBeAsked { lookup: ask()?, lag }
        }
    })
}

fn limits(settings: &Settings) -> Result<Limits, SettingError> {
    let limit = |name: &str, default: usize| {
        let key = format!("limits.{name}");
        let limit = settings.parsed(&key, default)?;
        if limit == 0 || limit > 10_000 {
            return Err(settings.error(&key, "must be between 1 and 10000"));
        }
        Ok(limit)
    };
    Ok(Limits {
        reference: limit("reference", 100)?,
        name: limit("name", 200)?,
        street: limit("street", 200)?,
        place: limit("place", 100)?,
        sku: limit("sku", 100)?,
    })
}

fn notices(
    settings: &Settings,
    reader: Option<Reader>,
    feed: Option<Arc<Feed>>,
) -> Result<Notices, SettingError> {
    let reader = reader.map(|reader| Arc::new(reader) as Arc<dyn NoticeReader>);
    let feed = feed.map(|feed| feed as Arc<dyn ShipmentFeed>);
    match (reader, feed) {
        (Some(reader), Some(feed)) => Ok(Notices::Both(reader, feed)),
        (Some(reader), None) => Ok(Notices::Pushed(reader)),
        (None, Some(feed)) => Ok(Notices::Polled(feed)),
        (None, None) => {
            let why =
                "is missing, and there is no webhook either: nobody would hear of shipments. Add one of them";
            Err(settings.error("shipments.path", why))
        }
    }
}

/// Asks what can be asked without changing anything.
struct GenericProbe {
    lookup: Option<Arc<dyn OrderLookup>>,
    feed: Option<Arc<Feed>>,
}

#[async_trait]
impl Probe for GenericProbe {
    async fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let (Some(lookup), Ok(reference)) = (&self.lookup, Reference::parse("cartdock-check")) {
            findings.push(super::finding("looking up an order", lookup.find(&reference).await.map(|_| ())));
        }
        if let Some(feed) = &self.feed {
            findings.push(super::finding("listing shipments", feed.page(None).await.map(|_| ())));
        }
        if findings.is_empty() {
            let detail =
                "cannot be tried without sending an order: neither find.path nor shipments.path is set";
            findings.push(Finding { what: "credentials".to_owned(), ok: None, detail: detail.to_owned() });
        }
        findings
    }
}
