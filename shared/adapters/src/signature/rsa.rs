//! The scheme of ShipStation V2 and ShipEngine: RSA over time and body, with keys that the vendor publishes as JWKS.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Failure;
use domain::ports::Clock;
use domain::warehouse::RawWebhook;
use jiff::Timestamp;
use reqwest::{Method, Url};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{Reason, WRONG_SIGNATURE, base64, header_of, within};
use crate::http::{Http, Request};

const DURING: &str = "fetch webhook keys";
const TIMEOUT: Duration = Duration::from_secs(10);
/// A longer list of keys is none that we want to hold.
const MAX_BYTES: usize = 64 * 1024;
/// How long keys are used before they are fetched again: a key that is withdrawn is good for no longer.
const FRESH_FOR: Duration = Duration::from_secs(60 * 60);
/// How long they are used when they cannot be fetched again.
const STALE_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Between two fetches, whatever key ids are shown to us.
const FETCH_AFTER: Duration = Duration::from_secs(60);

/// What a webhook of this scheme claims. Its age has been checked, its signature not yet.
#[derive(Debug)]
pub struct Signed<'a> {
    key: &'a str,
    signature: Vec<u8>,
    text: Vec<u8>,
}

impl<'a> Signed<'a> {
    /// Reads the headers and checks the age, so that nothing is fetched for what is stale or incomplete.
    ///
    /// # Errors
    /// Why not, in a fixed sentence.
    pub fn read(raw: &'a RawWebhook, window: i64, now: Timestamp) -> Result<Self, Reason> {
        let key = header_of(raw, "x-shipengine-rsa-sha256-key-id")?;
        let signature = header_of(raw, "x-shipengine-rsa-sha256-signature")?;
        let time = header_of(raw, "x-shipengine-timestamp")?;
        let at: Timestamp = time.parse().map_err(|_| "time is malformed")?;
        within(at.as_second(), window, now)?;
        let mut text = format!("{time}.").into_bytes();
        text.extend_from_slice(&raw.body);
        Ok(Self { key, signature: base64(signature).ok_or("signature is malformed")?, text })
    }

    /// Has it been signed with the key of these that it names?
    ///
    /// # Errors
    /// Why not, in a fixed sentence.
    pub fn check(&self, keys: &KeySet) -> Result<(), Reason> {
        let key = keys.0.get(self.key).ok_or("its key is not among those that are published")?;
        let right = key.verify(&RSA_PKCS1_2048_8192_SHA256, &self.text, &self.signature).is_ok();
        if right { Ok(()) } else { Err(WRONG_SIGNATURE) }
    }
}

/// RSA keys by their ids.
#[derive(Clone, Default)]
pub struct KeySet(BTreeMap<String, RsaPublicKeyComponents<Vec<u8>>>);

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    #[serde(default)]
    kty: String,
    #[serde(default)]
    kid: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

impl KeySet {
    /// Reads a JWKS document (RFC 7517). Keys of other kinds are passed over; none at all is no key set.
    #[must_use]
    pub fn read(document: &[u8]) -> Option<Self> {
        let jwks: Jwks = serde_json::from_slice(document).ok()?;
        let keys: BTreeMap<_, _> = jwks.keys.into_iter().filter_map(rsa).collect();
        (!keys.is_empty()).then_some(Self(keys))
    }
}

fn rsa(key: Jwk) -> Option<(String, RsaPublicKeyComponents<Vec<u8>>)> {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty());
    let named = key.kty == "RSA" && !key.kid.is_empty();
    let components = RsaPublicKeyComponents { n: decode(&key.n)?, e: decode(&key.e)? };
    named.then_some((key.kid, components))
}

/// The keys that a vendor publishes: fetched when first needed, again every hour, and again when a webhook names a key
/// that we do not know, but never more than once a minute.
pub struct PublishedKeys {
    http: Http,
    clock: Arc<dyn Clock>,
    url: Url,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    keys: Option<(Timestamp, KeySet)>,
    tried: Option<Timestamp>,
}

impl PublishedKeys {
    /// The keys at `url`; none is fetched yet.
    #[must_use]
    pub fn new(http: &Http, clock: Arc<dyn Clock>, url: Url) -> Self {
        Self { http: http.only([&url]), clock, url, kept: Mutex::default() }
    }

    /// Keys that hold the one that `signed` names, if it is published. Whoever comes while they are fetched waits.
    ///
    /// # Errors
    /// Retryable: they cannot be fetched, and what we have is no answer.
    pub async fn for_webhook(&self, signed: &Signed<'_>) -> Result<KeySet, Failure> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        let younger = |at: Timestamp, limit: Duration| now.duration_since(at).unsigned_abs() < limit;
        let known = kept.keys.as_ref().filter(|(_, keys)| keys.0.contains_key(signed.key));
        if let Some((_, keys)) = known.filter(|(since, _)| younger(*since, FRESH_FOR)) {
            return Ok(keys.clone());
        }
        if kept.tried.is_none_or(|at| !younger(at, FETCH_AFTER)) {
            kept.tried = Some(now);
            if let Ok(keys) = self.fetch().await {
                kept.keys = Some((now, keys.clone()));
                return Ok(keys);
            }
        }
        // What was fetched since the last try is the truth; older keys must do while there is no newer truth.
        let held = kept.keys.as_ref().filter(|(since, keys)| {
            kept.tried == Some(*since) || (keys.0.contains_key(signed.key) && younger(*since, STALE_FOR))
        });
        let unknown = || Failure::retryable(DURING, "the keys of the sender could not be fetched");
        held.map(|(_, keys)| keys.clone()).ok_or_else(unknown)
    }

    async fn fetch(&self) -> Result<KeySet, Failure> {
        let headers = vec![("accept".to_owned(), "application/json".to_owned())];
        let (method, url) = (Method::GET, self.url.clone());
        let request = Request { method, url, headers, body: Vec::new(), timeout: TIMEOUT };
        let answer = self.http.send(DURING, request).await.answer()?;
        if !answer.is_success() {
            return Err(answer.failure(DURING, self.clock.now()));
        }
        Some(answer.body)
            .filter(|body| body.len() <= MAX_BYTES)
            .and_then(|body| KeySet::read(&body))
            .ok_or_else(|| Failure::retryable(DURING, "answered with no list of RSA keys"))
    }
}
