//! The settings of a store: read, checked and typed once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::money::Currency;
use domain::policy::Policies;
use domain::ports::Clock;
use jiff::tz::TimeZone;
use reqwest::{Method, Url};
use rust_decimal::Decimal;

use super::template::Template;
use crate::rate_limit::RateLimit;
use crate::secret::SecretRef;
use crate::settings::{SettingError, Settings};

/// Every setting of a store that is understood.
pub const KEYS: &[&str] = &[
    "merchant_id",
    "api_key",
    "notify_secret",
    "base_url",
    "time_zone",
    "verb",
    "timeout_seconds",
    "requests_per_second",
    "contact",
    "retryable_codes",
    "auth_codes",
    "writeback.mode",
    "writeback.verb",
    "writeback.path",
    "writeback.body",
    "writeback.verify",
];

const BASE_URL: &str = "https://www.mcssl.com";
/// The zone of a store whose settings name none. An assumption: nobody documents it (dossier section 2).
pub const TIME_ZONE: &str = "America/New_York";
/// A proposal, not a contract: nobody has seen the store take tracking (dossier section 8.2).
const WRITEBACK_PATH: &str = "/API/{merchant_id}/Orders/{order_id}/UPDATE";
const WRITEBACK_BODY: &str = "<Request><Key>{key}</Key><OrderInfo><Id>{order_id}</Id><ShippingTrackingMethods>\
    <ShippingTrackingMethodInfo><CarrierName>{carrier}</CarrierName>\
    <TrackingNumber>{tracking_number}</TrackingNumber><ShippedAt>{shipped_at}</ShippedAt>\
    </ShippingTrackingMethodInfo></ShippingTrackingMethods></OrderInfo></Request>";

/// Everything that the settings say about a store.
pub(super) struct Config {
    pub(super) merchant: String,
    pub(super) key: SecretRef,
    /// Scheme, host and perhaps a path.
    pub(super) base: Url,
    /// The zone of the store's dates.
    pub(super) zone: TimeZone,
    /// Does it ask by GET, with the key in the query?
    pub(super) asks_by_get: bool,
    pub(super) timeout: Duration,
    /// Is the client record read for phone and e-mail?
    pub(super) reads_contact: bool,
    pub(super) retryable_codes: BTreeSet<String>,
    pub(super) auth_codes: BTreeSet<String>,
    pub(super) currency: Currency,
    pub(super) writeback: Writeback,
}

/// How tracking is written back.
pub(super) struct Writeback {
    pub(super) mode: Mode,
    pub(super) verb: Method,
    pub(super) path: Template,
    pub(super) body: Template,
    /// The command that the store's list of commands must name.
    pub(super) command: String,
    pub(super) verifies: bool,
}

/// What the setting `writeback.mode` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Discover,
    Api,
    Outbox,
    Off,
}

impl Config {
    /// Reads the settings.
    pub(super) fn read(settings: &Settings, policies: &Policies) -> Result<Self, SettingError> {
        Ok(Self {
            merchant: merchant(settings)?,
            key: settings.secret("api_key")?,
            base: base(settings)?,
            zone: zone(settings)?,
            asks_by_get: settings.choice("verb", &[("post", false), ("get", true)])?,
            timeout: timeout(settings)?,
            reads_contact: settings.choice("contact", &[("read", true), ("skip", false)])?,
            retryable_codes: codes(settings, "retryable_codes")?,
            auth_codes: codes(settings, "auth_codes")?,
            currency: policies.currency,
            writeback: writeback(settings)?,
        })
    }
}

/// The pace of a store: `requests_per_second`, one at a time.
pub(super) fn pace(settings: &Settings, clock: Arc<dyn Clock>) -> Result<RateLimit, SettingError> {
    const KEY: &str = "requests_per_second";
    let rate = settings.parsed(KEY, Decimal::TWO)?;
    let problem = "must be above 0 and at most 50, as in 2 or 0.5";
    let rate = Some(rate).filter(|rate| *rate <= Decimal::from(50));
    rate.and_then(|rate| RateLimit::per_second(clock, rate, 1)).ok_or_else(|| settings.error(KEY, problem))
}

fn merchant(settings: &Settings) -> Result<String, SettingError> {
    const KEY: &str = "merchant_id";
    let id = settings.text(KEY)?.trim();
    if id.len() > 20 || !id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(settings.error(KEY, "must be a number; the store shows it under Status Summary"));
    }
    Ok(id.to_owned())
}

fn base(settings: &Settings) -> Result<Url, SettingError> {
    const KEY: &str = "base_url";
    let text = settings.optional(KEY).unwrap_or(BASE_URL).trim();
    let cure = format!("must be an address like {BASE_URL}");
    let url = Url::parse(text).map_err(|_| settings.error(KEY, cure.clone()))?;
    let is_plain = url.has_host() && url.query().is_none() && url.fragment().is_none();
    let is_open = url.username().is_empty() && url.password().is_none();
    if !is_plain || !is_open || !matches!(url.scheme(), "https" | "http") {
        return Err(settings.error(KEY, cure));
    }
    Ok(url)
}

fn zone(settings: &Settings) -> Result<TimeZone, SettingError> {
    const KEY: &str = "time_zone";
    let name = settings.optional(KEY).unwrap_or(TIME_ZONE).trim();
    TimeZone::get(name).map_err(|_| settings.error(KEY, format!("must be a zone's name, as in {TIME_ZONE}")))
}

fn timeout(settings: &Settings) -> Result<Duration, SettingError> {
    const KEY: &str = "timeout_seconds";
    match settings.parsed(KEY, 30_u64)? {
        seconds @ 1..=300 => Ok(Duration::from_secs(seconds)),
        _ => Err(settings.error(KEY, "must be 1 to 300")),
    }
}

fn codes(settings: &Settings, key: &str) -> Result<BTreeSet<String>, SettingError> {
    let text = settings.optional(key).unwrap_or_default();
    let codes: BTreeSet<String> =
        text.split(',').map(|code| code.trim().to_owned()).filter(|code| !code.is_empty()).collect();
    if codes.iter().any(|code| code.len() > 12 || !code.bytes().all(|b| b.is_ascii_alphanumeric())) {
        return Err(settings.error(key, "must be error codes with commas between them, as in 9901, 9902"));
    }
    Ok(codes)
}

fn writeback(settings: &Settings) -> Result<Writeback, SettingError> {
    let modes =
        [("discover", Mode::Discover), ("api", Mode::Api), ("outbox", Mode::Outbox), ("off", Mode::Off)];
    let verb = settings.choice("writeback.verb", &[("post", 0), ("put", 1), ("get", 2)])?;
    let verb = [Method::POST, Method::PUT, Method::GET].into_iter().nth(verb).unwrap_or(Method::POST);
    let path = template(settings, "writeback.path", WRITEBACK_PATH)?;
    let body = template(settings, "writeback.body", WRITEBACK_BODY)?;
    if !path.text().starts_with('/') {
        return Err(settings.error("writeback.path", "must begin with /"));
    }
    let sends_body = verb != Method::GET;
    for name in ["key", "order_id", "tracking_number"] {
        let is_sent = path.names(name) || (sends_body && body.names(name));
        if !is_sent {
            let places = if sends_body { "here or in writeback.body" } else { "here, as GET has no body" };
            return Err(settings.error("writeback.path", format!("must hold {{{name}}}, {places}")));
        }
    }
    let mode = settings.choice("writeback.mode", &modes)?;
    let command = command(path.text());
    if mode == Mode::Discover && command.is_empty() {
        let problem = "must end in a command, as in /UPDATE, for writeback.mode discover";
        return Err(settings.error("writeback.path", problem));
    }
    let verifies = settings.choice("writeback.verify", &[("true", true), ("false", false)])?;
    Ok(Writeback { mode, verb, path, body, command, verifies })
}

/// The last plain segment of a path.
fn command(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let is_word = |segment: &&str| {
        segment.len() >= 3 && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    path.rsplit('/').next().filter(is_word).unwrap_or_default().to_owned()
}

fn template(settings: &Settings, key: &str, default: &str) -> Result<Template, SettingError> {
    let text = settings.optional(key).unwrap_or(default);
    Template::parse(text).map_err(|problem| settings.error(key, problem))
}
