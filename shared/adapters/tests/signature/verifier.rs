//! A scheme with its secrets as the settings name them: rotation, further proofs, and settings that are refused.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters::http::Http;
use adapters::secret::{Secret, SecretSource, Vault};
use adapters::settings::{SettingError, Settings};
use adapters::signature::Verifier;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Failure;
use domain::ports::Clock;
use domain::warehouse::{RawWebhook, Unverified};
use jiff::Timestamp;

use crate::vectors::{NOW, vector, vectors};

/// A clock that a test moves.
pub(crate) struct Hand(Mutex<Timestamp>);

impl Hand {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Timestamp::from_second(NOW).unwrap())))
    }

    pub(crate) fn pass(&self, seconds: u64) {
        *self.0.lock().unwrap() += Duration::from_secs(seconds);
    }
}

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, wait: Duration) {
        self.pass(wait.as_secs());
    }
}

/// Serves `fixture:value` as `value`, and `kept:name` as it was last put there; counts how often it is asked.
#[derive(Clone, Default)]
pub(crate) struct Spoken(Arc<Mutex<(BTreeMap<String, String>, usize)>>);

impl Spoken {
    pub(crate) fn put(&self, name: &str, value: &str) {
        self.0.lock().unwrap().0.insert(format!("kept:{name}"), value.to_owned());
    }

    pub(crate) fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

#[async_trait]
impl SecretSource for Spoken {
    async fn fetch(&self, reference: &str) -> Result<Option<Secret>, Failure> {
        let mut kept = self.0.lock().unwrap();
        kept.1 += 1;
        Ok(reference.strip_prefix("fixture:").or(kept.0.get(reference).map(String::as_str)).map(Secret::new))
    }
}

/// The verifier of these settings.
pub(crate) fn opened(
    pairs: &[(&str, &str)],
    spoken: &Spoken,
    clock: &Arc<Hand>,
    http: &Http,
) -> Result<Option<Verifier>, SettingError> {
    let values: BTreeMap<_, _> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let vault = Arc::new(Vault::new(vec![Box::new(spoken.clone())], clock.clone()));
    let settings = Settings::new("connection main, warehouse", values, vault);
    let clock: Arc<dyn Clock> = clock.clone();
    Verifier::from_settings(&settings, "webhook", http, &clock)
}

fn verifier(pairs: &[(&str, &str)]) -> Result<Option<Verifier>, SettingError> {
    opened(pairs, &Spoken::default(), &Hand::new(), &Http::new([]).unwrap())
}

#[tokio::test]
async fn both_secrets_are_good_while_one_replaces_the_other() {
    let vectors = vectors();
    let (raw, right) = (&vectors[0].raw, format!("@fixture:{}", vectors[0].secret));
    let wrong = "@fixture:whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let scheme = ("webhook.scheme", "standard_webhooks");
    for (pairs, believed) in [
        (vec![scheme, ("webhook.secret", right.as_str())], true),
        (vec![scheme, ("webhook.secret", wrong), ("webhook.secret_previous", &right)], true),
        (vec![scheme, ("webhook.secret", &right), ("webhook.secret_previous", wrong)], true),
        (vec![scheme, ("webhook.secret", wrong)], false),
        (vec![scheme, ("webhook.secret", "@nobody:serves"), ("webhook.secret_previous", wrong)], false),
        (vec![scheme, ("webhook.secret", "@nobody:serves")], false),
    ] {
        let verifier = verifier(&pairs).unwrap().unwrap();
        assert_eq!(verifier.verify(raw.clone(), vectors[0].now).await.is_ok(), believed, "{pairs:?}");
    }
}

#[tokio::test]
async fn shipmonk_must_send_both_proofs() {
    let vector = vector("hmac_sha512_raw_body");
    let verifier = verifier(&[
        ("webhook.scheme", "shipmonk"),
        ("webhook.secret", "@fixture:shipmonk-test-secret"),
        ("webhook.user", "monk"),
        ("webhook.password", "@fixture:bananas"),
    ]);
    let verifier = verifier.unwrap().unwrap();
    for (password, believed) in [(Some("bananas"), true), (Some("apples"), false), (None, false)] {
        let mut raw = vector.raw.clone();
        let header =
            password.map(|password| format!("Basic {}", STANDARD.encode(format!("monk:{password}"))));
        raw.headers.extend(header.map(|value| ("authorization".to_owned(), value)));
        assert_eq!(verifier.verify(raw, vector.now).await.is_ok(), believed, "{password:?}");
    }
}

#[test]
fn a_scheme_without_its_secret_is_a_wrong_setting_and_no_scheme_is_no_verifier() {
    assert!(verifier(&[]).unwrap().is_none());
    for (pairs, key) in [
        (vec![("webhook.scheme", "standard_webhooks")], "webhook.secret"),
        (vec![("webhook.scheme", "basic"), ("webhook.secret", "@fixture:x")], "webhook.user"),
        (vec![("webhook.scheme", "shipmonk"), ("webhook.secret", "@fixture:x")], "webhook.user"),
        (
            vec![("webhook.scheme", "shipmonk"), ("webhook.secret", "@fixture:x"), ("webhook.user", "u")],
            "webhook.password",
        ),
        (vec![("webhook.scheme", "shipengine")], "webhook.secret"),
        (
            vec![
                ("webhook.scheme", "shipengine"),
                ("webhook.secret", "@fixture:x"),
                ("webhook.jwks_url", "https://user@keys.example/jwks"),
            ],
            "webhook.jwks_url",
        ),
        (
            vec![
                ("webhook.scheme", "hub_sha256"),
                ("webhook.secret", "@fixture:x"),
                ("webhook.jwks_url", "https://keys.example/jwks"),
            ],
            "webhook.jwks_url",
        ),
        (vec![("webhook.scheme", "trust_me")], "webhook.scheme"),
        (vec![("webhook.scheme", "hub_sha256"), ("webhook.secret", "plain-text")], "webhook.secret"),
        (
            vec![
                ("webhook.scheme", "standard_webhooks"),
                ("webhook.secret", "@fixture:x"),
                ("webhook.window_seconds", "0"),
            ],
            "webhook.window_seconds",
        ),
    ] {
        let error = verifier(&pairs).err().unwrap();
        assert_eq!(error.key, key, "{error}");
        assert!(!error.to_string().contains("plain-text"));
    }
}

const ONE: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TWO: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

async fn is_known(verifier: &Verifier, raw: &RawWebhook, now: Timestamp) -> bool {
    match verifier.verify(raw.clone(), now).await {
        Ok(_) => true,
        Err(Unverified::Stranger(_)) => false,
        Err(unsure) => panic!("{unsure:?}"),
    }
}

#[tokio::test]
async fn a_rotated_secret_counts_at_once_and_the_old_one_no_longer() {
    let (spoken, clock) = (Spoken::default(), Hand::new());
    spoken.put("new", ONE);
    let pairs = [("webhook.scheme", "standard_webhooks"), ("webhook.secret", "@kept:new")];
    let verifier = opened(&pairs, &spoken, &clock, &Http::new([]).unwrap()).unwrap().unwrap();
    let old = &vectors()[0];
    assert!(is_known(&verifier, &old.raw, old.now).await);
    spoken.put("new", TWO);
    let new = crate::senders::standard_message(TWO, "msg_1", NOW, b"{}");
    let now = Timestamp::from_second(NOW).unwrap();
    assert!(is_known(&verifier, &new, now).await, "without waiting until the kept secret is old");
    assert!(!is_known(&verifier, &old.raw, old.now).await, "the old one is gone");
    // Strangers cannot make us ask for the secret again and again.
    let asked = spoken.asked();
    for _ in 0..50 {
        assert!(!is_known(&verifier, &old.raw, old.now).await);
    }
    assert_eq!(spoken.asked(), asked);
    clock.pass(30);
    assert!(!is_known(&verifier, &old.raw, old.now).await);
    assert_eq!(spoken.asked(), asked + 1);
}

#[tokio::test]
async fn the_previous_secret_is_refused_once_it_is_removed_from_the_settings() {
    let vector = &vectors()[0];
    let right = format!("@fixture:{ONE}");
    let other = format!("@fixture:{TWO}");
    let mut pairs = vec![("webhook.scheme", "standard_webhooks"), ("webhook.secret", other.as_str())];
    pairs.push(("webhook.secret_previous", right.as_str()));
    assert!(is_known(&verifier(&pairs).unwrap().unwrap(), &vector.raw, vector.now).await);
    pairs.pop();
    assert!(!is_known(&verifier(&pairs).unwrap().unwrap(), &vector.raw, vector.now).await);
}
