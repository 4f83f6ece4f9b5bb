//! ShipBob: orders by REST, shipments by polling with acknowledgement, webhooks as hints.
//!
//! API of <https://developer.shipbob.com>, dated versions 2025-07, 2026-01 and 2026-07; facts in the warehouse dossier,
//! section 3.3.

mod api;
mod orders;
mod shipments;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Reference;
use domain::ports::{Clock, Finding, Probe};
use domain::warehouse::{Limits, Notices, OrderLookup, Repeat, ShipmentFeed, Warehouse};

use self::api::{Api, Shared};
use self::orders::{Canceller, Desk, Finder};
use self::shipments::{Feed, OfOrder, Reader, Stock};
use super::authorization::Authorization;
use super::caller::{self, Caller};
use crate::http::Http;
use crate::rate_limit::RateLimit;
use crate::settings::{SettingError, Settings};
use crate::signature::Verifier;

/// Its name in the settings.
pub(super) const NAME: &str = "shipbob";

/// The settings that it knows.
#[rustfmt::skip]
pub(super) const KEYS: &[&str] = &[
    "base_url", "version", "channel_id", "token", "location_id", "check_products", "comments_as_gift_message",
    "webhook.secret", "webhook.secret_previous", "timeout_seconds",
];

const BASE: &str = "https://api.shipbob.com";
const VERSION: &str = "2026-01";
/// 150 requests a minute per user and app.
const INTERVAL: Duration = Duration::from_millis(400);
/// What its fields hold: reference and name are published, the rest is what its screens take.
const LIMITS: Limits = Limits { reference: 300, name: 300, street: 200, place: 100, sku: 200 };

/// Opens the ShipBob account that the settings name.
///
/// # Errors
/// Which setting is missing or wrong.
pub(super) fn connect(
    settings: &Settings,
    http: Http,
    clock: Arc<dyn Clock>,
) -> Result<Warehouse, SettingError> {
    let location = settings.optional("location_id").is_some();
    let location = location.then(|| settings.parsed("location_id", 0)).transpose()?;
    let check = settings.choice("check_products", &[("true", true), ("false", false)])?;
    let gift = settings.choice("comments_as_gift_message", &[("false", false), ("true", true)])?;
    let reader = settings
        .optional_secret("webhook.secret")?
        .map(|secret| Ok(Verifier::standard(secret, settings.optional_secret("webhook.secret_previous")?)))
        .transpose()?
        .map(Reader);
    let api: Shared = Arc::new(open(settings, http, clock)?);
    let lookup: Arc<dyn OrderLookup> = Arc::new(Finder(api.clone()));
    let feed: Arc<dyn ShipmentFeed> = Arc::new(Feed(api.clone()));
    Ok(Warehouse {
        name: NAME,
        limits: LIMITS,
        repeat: Repeat::RefusesDuplicates(lookup),
        orders: Arc::new(Desk::new(api.clone(), check, gift, location)),
        cancel: Some(Arc::new(Canceller(api.clone()))),
        notices: match reader {
            Some(reader) => Notices::Both(Arc::new(reader), feed),
            None => Notices::Polled(feed),
        },
        shipments: Some(Arc::new(OfOrder(api.clone()))),
        stock: Some(Arc::new(Stock(api.clone()))),
        probe: Arc::new(ShipBobProbe(api)),
    })
}

fn open(settings: &Settings, http: Http, clock: Arc<dyn Clock>) -> Result<Api, SettingError> {
    let channel: u64 = settings.text("channel_id")?.trim().parse().map_err(|_| {
        settings.error("channel_id", "must be the number of the channel with the write scopes")
    })?;
    let version = settings.optional("version").unwrap_or(VERSION).trim().to_owned();
    let is_version = version.len() == 7
        && version.bytes().enumerate().all(|(at, b)| if at == 4 { b == b'-' } else { b.is_ascii_digit() });
    if !is_version {
        return Err(settings.error("version", "must be a dated version such as 2026-01"));
    }
    let base = caller::base_url(settings, "base_url", Some(BASE))?;
    let caller = Caller {
        authorization: Authorization::Bearer(settings.secret("token")?),
        headers: Vec::new(),
        pace: RateLimit::new(clock.clone(), INTERVAL, 1),
        timeout: caller::timeout(settings)?,
        http: http.only([&base]),
        base,
        clock,
    };
    Ok(Api { caller, version, channel })
}

/// Asks what can be asked without changing anything.
struct ShipBobProbe(Shared);

#[async_trait]
impl Probe for ShipBobProbe {
    async fn check(&self) -> Vec<Finding> {
        let mut findings = vec![self.channel().await];
        if let Ok(reference) = Reference::parse("cartdock-check") {
            let tried = Finder(self.0.clone()).find(&reference).await.map(|_| ());
            findings.push(super::finding("looking up an order", tried));
        }
        findings.push(super::finding("listing shipments", Feed(self.0.clone()).page(None).await.map(|_| ())));
        findings
    }
}

impl ShipBobProbe {
    /// May the token write to the channel that the settings name?
    async fn channel(&self) -> Finding {
        const WHAT: &str = "channel of the token";
        let page: serde_json::Value = match self.0.get("shipbob: list channels", "channel").await {
            Ok(page) => page,
            Err(failure) => return super::finding(WHAT, Err(failure)),
        };
        let channels = page.get("items").unwrap_or(&page).as_array().cloned().unwrap_or_default();
        let named = |channel: &&serde_json::Value| {
            channel.get("id").is_some_and(|id| id.to_string().trim_matches('"') == self.0.channel.to_string())
        };
        let writes = |channel: &serde_json::Value| {
            let scopes = channel.get("scopes").and_then(serde_json::Value::as_array);
            scopes.is_none_or(|s| s.iter().any(|s| s.as_str().is_some_and(|s| s.ends_with("_write"))))
        };
        let (ok, detail) = match channels.iter().find(named) {
            None => (false, "the token does not see the channel of channel_id; set it to one that it sees"),
            Some(channel) if !writes(channel) => {
                (false, "the token may only read there; set channel_id to the channel with the write scopes")
            }
            Some(_) => (true, "the token may write to it"),
        };
        Finding { what: WHAT.to_owned(), ok: Some(ok), detail: detail.to_owned() }
    }
}
