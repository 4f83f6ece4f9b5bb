//! Does a webhook come from whom it says? Checked over its raw bytes, in constant time, inside a replay window.
//!
//! Facts of the schemes: warehouse dossier section 7; Standard Webhooks specification 1.0.

mod rsa;
mod verifier;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use domain::warehouse::RawWebhook;
use jiff::Timestamp;
use ring::{digest, hmac, signature};
use subtle::ConstantTimeEq;

pub use rsa::{KeySet, PublishedKeys, Signed};
pub use verifier::Verifier;

/// A shorter key of a signature can be guessed; Standard Webhooks asks for 24 bytes and more.
const MIN_KEY_BYTES: usize = 8;

/// How a sender proves itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// Standard Webhooks v1: HMAC-SHA256 over id, time and body; the key is base64 after `whsec_`. ShipBob, Svix.
    Standard,
    /// Standard Webhooks v1a: the same with Ed25519; our half of the key is base64 after `whpk_`.
    StandardEd25519,
    /// `sha256=` and lower-case hex of HMAC-SHA256 over the body, in this header. Flexport, GitHub-style senders.
    Hub(String),
    /// HMAC-SHA256 over time, dot and body.
    Timestamped {
        /// Where the signature stands: `t=…,v1=…`, or only the signature where the time has its own header.
        header: String,
        /// The header of the time in Unix seconds, where it has its own.
        time: Option<String>,
    },
    /// Base64 of HMAC-SHA256 over the body, in this header. ShipHero.
    BodySha256(String),
    /// Hex or base64 (the vendor does not say which) of HMAC-SHA512 over the body, in this header. ShipMonk.
    BodySha512(String),
    /// HTTP Basic; the secret is the password.
    Basic {
        /// The user's name.
        user: String,
    },
    /// The secret itself, in this header.
    HeaderToken(String),
    /// The secret itself, as what follows the connection in the path. (Never in the query: queries are logged.)
    PathToken,
}

/// Why a check failed. Fixed texts, so that nothing of the sender's or of ours gets into a log.
type Reason = &'static str;

/// The reasons that a secret which has been replaced would give.
const WRONG_SIGNATURE: Reason = "signature is wrong";
const WRONG_CREDENTIALS: Reason = "credentials are wrong";

impl Scheme {
    /// Does `raw` prove that its sender knows `secret`? `window` bounds the age in seconds where the scheme tells it.
    ///
    /// # Errors
    /// Why not, in a fixed sentence.
    pub fn check(&self, raw: &RawWebhook, secret: &str, window: i64, now: Timestamp) -> Result<(), Reason> {
        match self {
            Self::Standard => standard(raw, window, now, &|signed, signatures| {
                let key = key_of(secret, "whsec_")?;
                any_hmac(hmac::HMAC_SHA256, &key, signed, versions(signatures, "v1"))
            }),
            Self::StandardEd25519 => standard(raw, window, now, &|signed, signatures| {
                any_ed25519(&key_of(secret, "whpk_")?, signed, versions(signatures, "v1a"))
            }),
            Self::Hub(header) => {
                let given =
                    header_of(raw, header)?.strip_prefix("sha256=").ok_or("signature is malformed")?;
                let tag = lower_hex(given).ok_or("signature is malformed")?;
                any_hmac(hmac::HMAC_SHA256, secret.as_bytes(), &raw.body, [tag])
            }
            Self::Timestamped { header, time } => {
                timestamped(raw, header, time.as_deref(), secret, window, now)
            }
            Self::BodySha256(header) => {
                let tag = base64(header_of(raw, header)?).ok_or("signature is malformed")?;
                any_hmac(hmac::HMAC_SHA256, secret.as_bytes(), &raw.body, [tag])
            }
            Self::BodySha512(header) => {
                let tag = hex_or_base64(header_of(raw, header)?).ok_or("signature is malformed")?;
                any_hmac(hmac::HMAC_SHA512, secret.as_bytes(), &raw.body, [tag])
            }
            Self::Basic { user } => basic(raw, user, secret),
            Self::HeaderToken(header) => same(header_of(raw, header)?.as_bytes(), secret),
            Self::PathToken => same(raw.path_rest.as_bytes(), secret),
        }
    }
}

fn header_of<'a>(raw: &'a RawWebhook, name: &str) -> Result<&'a str, Reason> {
    raw.header(name).map(str::trim).filter(|value| !value.is_empty()).ok_or("credentials are missing")
}

/// Checks signed bytes against a signature header.
type Check<'a> = &'a dyn Fn(&[u8], &str) -> Result<(), Reason>;

/// Checks the age and hands the signed bytes and the signature header to `check`.
fn standard(raw: &RawWebhook, window: i64, now: Timestamp, check: Check<'_>) -> Result<(), Reason> {
    let (id, time) = (header_of(raw, "webhook-id")?, header_of(raw, "webhook-timestamp")?);
    fresh(time, window, now)?;
    let mut signed = format!("{id}.{time}.").into_bytes();
    signed.extend_from_slice(&raw.body);
    check(&signed, header_of(raw, "webhook-signature")?)
}

/// The signatures of one version in a list that is separated by blanks; other versions are passed over.
fn versions<'a>(list: &'a str, version: &'a str) -> impl Iterator<Item = Vec<u8>> + 'a {
    list.split_ascii_whitespace()
        .filter_map(move |entry| entry.split_once(',').filter(|(name, _)| *name == version))
        .filter_map(|(_, text)| base64(text))
}

fn timestamped(
    raw: &RawWebhook,
    header: &str,
    time_header: Option<&str>,
    secret: &str,
    window: i64,
    now: Timestamp,
) -> Result<(), Reason> {
    let parts: Vec<(&str, &str)> = header_of(raw, header)?
        .split(',')
        .map(|part| part.trim().split_once('=').unwrap_or(("", part.trim())))
        .collect();
    let all = |name: &'static str| parts.iter().filter(move |(key, _)| *key == name).map(|(_, value)| *value);
    let (time, tags): (&str, Vec<Vec<u8>>) = match time_header {
        Some(name) => {
            let whole = header_of(raw, header)?;
            (
                header_of(raw, name)?,
                hex_or_base64(whole.strip_prefix("v1=").unwrap_or(whole)).into_iter().collect(),
            )
        }
        None => {
            let mut times = all("t");
            match (times.next(), times.next()) {
                (Some(time), None) => (time, all("v1").filter_map(hex_or_base64).collect()),
                _ => return Err("signature is malformed"),
            }
        }
    };
    fresh(time, window, now)?;
    let mut signed = format!("{time}.").into_bytes();
    signed.extend_from_slice(&raw.body);
    any_hmac(hmac::HMAC_SHA256, secret.as_bytes(), &signed, tags)
}

/// Is this Unix time within the window around now?
fn fresh(time: &str, window: i64, now: Timestamp) -> Result<(), Reason> {
    let plain = !time.is_empty() && time.bytes().all(|b| b.is_ascii_digit());
    let seconds: i64 = time.parse().ok().filter(|_| plain).ok_or("time is malformed")?;
    within(seconds, window, now)
}

fn within(seconds: i64, window: i64, now: Timestamp) -> Result<(), Reason> {
    let age = now.as_second().saturating_sub(seconds);
    if age.saturating_abs() > window { Err("it is too old, or from the future") } else { Ok(()) }
}

fn key_of(secret: &str, prefix: &str) -> Result<Vec<u8>, Reason> {
    let text = secret.trim();
    let text = text.strip_prefix(prefix).unwrap_or(text).trim_end_matches('=');
    STANDARD_NO_PAD.decode(text).map_err(|_| "our own key is no base64")
}

/// Is one of these tags right? All are tried, whichever is: the time taken tells nothing.
fn any_hmac(
    algorithm: hmac::Algorithm,
    key: &[u8],
    signed: &[u8],
    tags: impl IntoIterator<Item = Vec<u8>>,
) -> Result<(), Reason> {
    if key.len() < MIN_KEY_BYTES {
        return Err("our own key is too short to prove anything");
    }
    let key = hmac::Key::new(algorithm, key);
    let right = tags.into_iter().filter(|tag| hmac::verify(&key, signed, tag).is_ok()).count();
    if right > 0 { Ok(()) } else { Err(WRONG_SIGNATURE) }
}

fn any_ed25519(
    key: &[u8],
    signed: &[u8],
    signatures: impl IntoIterator<Item = Vec<u8>>,
) -> Result<(), Reason> {
    let key = signature::UnparsedPublicKey::new(&signature::ED25519, key);
    let right = signatures.into_iter().filter(|given| key.verify(signed, given).is_ok()).count();
    if right > 0 { Ok(()) } else { Err(WRONG_SIGNATURE) }
}

fn basic(raw: &RawWebhook, user: &str, password: &str) -> Result<(), Reason> {
    let (word, given) =
        header_of(raw, "authorization")?.split_once(' ').ok_or("credentials are malformed")?;
    if !word.eq_ignore_ascii_case("basic") {
        return Err("credentials are malformed");
    }
    if password.is_empty() {
        return Err("our own secret is empty");
    }
    same(&base64(given.trim()).ok_or("credentials are malformed")?, &format!("{user}:{password}"))
}

/// Compares digests, so that neither content nor length can be timed. An empty secret equals nothing.
fn same(given: &[u8], secret: &str) -> Result<(), Reason> {
    if secret.trim().is_empty() {
        return Err("our own secret is empty");
    }
    let of = |bytes: &[u8]| digest::digest(&digest::SHA256, bytes);
    let equal: bool = of(given).as_ref().ct_eq(of(secret.as_bytes()).as_ref()).into();
    if equal { Ok(()) } else { Err(WRONG_CREDENTIALS) }
}

/// Strict: one tag has one spelling.
fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

fn lower_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Hex of either case where all of it is hex, else base64.
fn hex_or_base64(text: &str) -> Option<Vec<u8>> {
    lower_hex(&text.to_ascii_lowercase()).or_else(|| base64(text))
}
