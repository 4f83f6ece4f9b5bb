//! Every published and every self-made signature is believed, and nothing that differs from one by a byte.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use adapters::secret::{Secret, SecretSource, Vault};
use adapters::settings::Settings;
use adapters::signature::{Scheme, Verifier};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Failure;
use domain::ports::Clock;
use domain::warehouse::RawWebhook;
use jiff::Timestamp;
use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::Value;

const WINDOW: i64 = 300;
const NOW: i64 = 1_795_399_500;

/// One vector of the file, as a webhook.
struct Vector {
    name: String,
    scheme: Scheme,
    secret: String,
    raw: RawWebhook,
    now: Timestamp,
    /// The headers whose every byte counts.
    signed_headers: Vec<String>,
}

fn vectors() -> (Vec<Vector>, Vec<String>) {
    let text = include_str!("../fixtures/webhooks/webhook_test_vectors.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let (mut found, mut left) = (Vec::new(), Vec::new());
    for vector in file["vectors"].as_array().unwrap() {
        let word = vector["scheme"].as_str().unwrap();
        match scheme(word, vector) {
            Some(scheme) => found.push(read(word, scheme, vector)),
            None => left.push(word.to_owned()),
        }
    }
    (found, left)
}

fn scheme(word: &str, vector: &Value) -> Option<Scheme> {
    Some(match word {
        "standard_webhooks_v1" => Scheme::Standard,
        "hmac_sha256_base64_raw_body" => Scheme::BodySha256("x-shiphero-hmac-sha256".into()),
        "hmac_sha512_raw_body" => Scheme::BodySha512("x-sm-signature".into()),
        "x_hub_signature_256" => Scheme::Hub("x-hub-signature-256".into()),
        "t_v1_hex" => Scheme::Timestamped { header: "x-signature".into(), time: None },
        "http_basic" => Scheme::Basic { user: vector["username"].as_str()?.into() },
        _ => return None,
    })
}

fn read(name: &str, scheme: Scheme, vector: &Value) -> Vector {
    let headers: Vec<(String, String)> = vector["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let unsigned = ["x-webhook-topic", "x-shiphero-message-id"];
    Vector {
        name: name.to_owned(),
        scheme,
        secret: vector["secret"].as_str().or(vector["password"].as_str()).unwrap().to_owned(),
        now: Timestamp::from_second(vector["valid_at_unix"].as_i64().unwrap_or(NOW)).unwrap(),
        signed_headers: headers
            .iter()
            .map(|(name, _)| name.clone())
            .filter(|name| !unsigned.contains(&name.as_str()))
            .collect(),
        raw: webhook(headers, vector["body"].as_str().unwrap()),
    }
}

fn webhook(headers: Vec<(String, String)>, body: &str) -> RawWebhook {
    RawWebhook { headers, path_rest: String::new(), query: String::new(), body: body.into() }
}

fn believes(vector: &Vector, raw: &RawWebhook) -> bool {
    vector.scheme.check(raw, &vector.secret, WINDOW, vector.now).is_ok()
}

#[test]
fn every_vector_is_believed_and_the_rest_is_named() {
    let (vectors, left) = vectors();
    assert_eq!(vectors.len(), 7);
    for vector in &vectors {
        assert!(believes(vector, &vector.raw), "{}", vector.name);
    }
    // Needs the sender's key set from the network: comes with the warehouse that uses it.
    assert_eq!(left, ["shipengine_rsa_sha256"]);
}

#[test]
fn shipmonks_signature_is_believed_as_hex_of_either_case_and_as_base64() {
    let (vectors, _) = vectors();
    let vector = vectors.iter().find(|v| v.name == "hmac_sha512_raw_body").unwrap();
    let hex = vector.raw.headers[0].1.clone();
    let base64 = "GZQiWH/JcmXBav9GoxNf20O9TufF31lJIlU+rHqUTEZyTv2anPlqQvPmTh0F/8eDW9CnbX6RMt+Q3vtk7AjiJQ==";
    for value in [hex.to_uppercase(), base64.to_owned()] {
        let mut raw = vector.raw.clone();
        raw.headers[0].1 = value;
        assert!(believes(vector, &raw));
    }
}

#[test]
fn no_wrong_secret_and_no_missing_header_is_believed() {
    for vector in vectors().0 {
        for secret in ["", " ", "whsec_", "another-secret", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let passed = vector.scheme.check(&vector.raw, secret, WINDOW, vector.now).is_ok();
            assert!(!passed, "{} with {secret:?}", vector.name);
        }
        for name in &vector.signed_headers {
            for value in
                [None, Some(""), Some("v1,"), Some("v1"), Some("sha256="), Some("t=,v1="), Some("Basic ")]
            {
                let mut raw = vector.raw.clone();
                raw.headers.retain(|(header, _)| header != name);
                raw.headers.extend(value.map(|value| (name.clone(), value.to_owned())));
                assert!(!believes(&vector, &raw), "{} with {name} = {value:?}", vector.name);
            }
        }
    }
}

#[test]
fn what_is_older_or_newer_than_the_window_is_not_believed() {
    for vector in vectors().0 {
        let timed = matches!(vector.scheme, Scheme::Standard | Scheme::Timestamped { .. });
        for (seconds, inside) in
            [(-301, false), (-300, true), (300, true), (301, false), (i64::from(u32::MAX), false)]
        {
            let now = Timestamp::from_second(vector.now.as_second() + seconds).unwrap();
            let passed = vector.scheme.check(&vector.raw, &vector.secret, WINDOW, now).is_ok();
            assert_eq!(passed, inside || !timed, "{} after {seconds} s", vector.name);
        }
    }
}

#[test]
fn extra_blanks_and_foreign_versions_in_the_list_do_not_matter() {
    let (vectors, _) = vectors();
    let vector = &vectors[0];
    let right = vector.raw.header("webhook-signature").unwrap().to_owned();
    let tag = right.strip_prefix("v1,").unwrap().to_owned();
    for (list, believed) in [
        (format!("  v1a,AAAA  v9,zzz   {right}  "), true),
        (format!("v1,{}  {right} v1,%%% v1", STANDARD.encode([0; 32])), true),
        (format!("v1a,{tag}"), false),
        (format!("v2,{tag}"), false),
        (format!("V1,{tag}"), false),
        (tag.clone(), false),
        (format!("v1, {tag}"), false),
        (format!("v1,{}", &tag[..20]), false),
    ] {
        let mut raw = vector.raw.clone();
        raw.headers
            .iter_mut()
            .filter(|(name, _)| name == "webhook-signature")
            .for_each(|(_, v)| *v = list.clone());
        assert_eq!(believes(vector, &raw), believed, "{list}");
    }
}

#[test]
fn an_ed25519_signature_is_believed_with_its_public_key_only() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let key = format!("whpk_{}", STANDARD.encode(pair.public_key()));
    let (id, body) = ("msg_1", "{\"a\":1}");
    let signature = STANDARD.encode(pair.sign(format!("{id}.{NOW}.{body}").as_bytes()));
    let signed = |version: &str, body: &str| {
        webhook(
            vec![
                ("webhook-id".into(), id.into()),
                ("webhook-timestamp".into(), NOW.to_string()),
                ("webhook-signature".into(), format!("v1,AAAA {version},{signature}")),
            ],
            body,
        )
    };
    let now = Timestamp::from_second(NOW).unwrap();
    let check = |raw: &RawWebhook, key: &str| Scheme::StandardEd25519.check(raw, key, WINDOW, now).is_ok();
    assert!(check(&signed("v1a", body), &key));
    assert!(!check(&signed("v1a", "{\"a\":2}"), &key));
    assert!(!check(&signed("v1", body), &key));
    let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    assert!(!check(&signed("v1a", body), &format!("whpk_{}", STANDARD.encode(other.public_key()))));
}

#[test]
fn a_time_in_its_own_header_is_signed_too() {
    let (vectors, _) = vectors();
    let vector = vectors.iter().find(|v| v.name == "t_v1_hex").unwrap();
    let whole = vector.raw.header("x-signature").unwrap();
    let (time, tag) = whole.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let scheme = Scheme::Timestamped { header: "x-sig".into(), time: Some("x-time".into()) };
    let raw = |time: &str| {
        let headers = vec![("x-sig".into(), tag.to_owned()), ("x-time".into(), time.to_owned())];
        RawWebhook { headers, ..vector.raw.clone() }
    };
    assert!(scheme.check(&raw(time), &vector.secret, WINDOW, vector.now).is_ok());
    assert!(scheme.check(&raw("1795399501"), &vector.secret, WINDOW, vector.now).is_err());
    let twice = whole.replace("t=", "t=1795399500,t=");
    let mut doubled = vector.raw.clone();
    doubled.headers[0].1 = twice;
    assert!(!believes(vector, &doubled), "two times");
}

#[test]
fn a_token_is_compared_as_a_whole() {
    let token = "a-long-shared-token";
    let now = Timestamp::from_second(NOW).unwrap();
    for given in [token, "a-long-shared-toke", "a-long-shared-token2", ""] {
        let mut raw = webhook(vec![("x-token".into(), given.into())], "{}");
        raw.path_rest = given.to_owned();
        for scheme in [Scheme::HeaderToken("x-token".into()), Scheme::PathToken] {
            assert_eq!(scheme.check(&raw, token, WINDOW, now).is_ok(), given == token, "{given}");
            assert!(scheme.check(&raw, "", WINDOW, now).is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn one_changed_byte_is_never_believed(which in 0..7_usize, at in any::<prop::sample::Index>(), bit in 0..8_u32, header in any::<prop::sample::Index>(), body in any::<bool>()) {
        let (vectors, _) = vectors();
        let vector = &vectors[which];
        let mut raw = vector.raw.clone();
        if body && !raw.body.is_empty() {
            let at = at.index(raw.body.len());
            raw.body[at] ^= 1 << bit;
            prop_assume!(!matches!(vector.scheme, Scheme::Basic { .. }));
        } else {
            let name = header.get(&vector.signed_headers);
            let value = &mut raw.headers.iter_mut().find(|(header, _)| header == name).unwrap().1;
            let mut bytes = value.clone().into_bytes();
            let at = at.index(bytes.len());
            // Of a list, only the signature that is right is looked at.
            prop_assume!(which != 1 || name != "webhook-signature" || at >= value.rfind("v1,").unwrap());
            bytes[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(bytes) else { return Ok(()) };
            // Blanks around a value, and the case of hex and of the word Basic, mean nothing.
            prop_assume!(changed.trim().to_lowercase() != value.to_lowercase());
            *value = changed;
        }
        prop_assert!(!believes(vector, &raw), "{}: {:?}", vector.name, raw.headers);
    }

    #[test]
    fn any_headers_are_believed_or_not(value in "\\PC*", time in "\\PC*|[0-9+-]{0,30}", body in prop::collection::vec(any::<u8>(), 0..50)) {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature", "authorization", "x-signature", "x-sm-signature", "x-hub-signature-256"];
        for vector in vectors().0 {
            let mut raw = webhook(names.iter().map(|n| ((*n).to_owned(), value.clone())).collect(), "");
            raw.headers[1].1 = time.clone();
            raw.body = body.clone();
            prop_assert!(!believes(&vector, &raw));
        }
    }
}

// ---------------------------------------------------------------- with settings

struct StillClock;

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(NOW).unwrap()
    }

    async fn sleep(&self, _: Duration) {}
}

/// Serves `fixture:value` as `value`.
struct Spoken;

#[async_trait]
impl SecretSource for Spoken {
    async fn fetch(&self, reference: &str) -> Result<Option<Secret>, Failure> {
        Ok(reference.strip_prefix("fixture:").map(Secret::new))
    }
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let values: BTreeMap<_, _> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Settings::new(
        "connection main, warehouse",
        values,
        Arc::new(Vault::new(vec![Box::new(Spoken)], Arc::new(StillClock))),
    )
}

#[tokio::test]
async fn both_secrets_are_good_while_one_replaces_the_other() {
    let (vectors, _) = vectors();
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
        let verifier = Verifier::from_settings(&settings(&pairs), "webhook").unwrap().unwrap();
        assert_eq!(verifier.verify(raw.clone(), vectors[0].now).await.is_ok(), believed, "{pairs:?}");
    }
}

#[tokio::test]
async fn shipmonk_must_send_both_proofs() {
    let (vectors, _) = vectors();
    let vector = vectors.iter().find(|v| v.name == "hmac_sha512_raw_body").unwrap();
    let verifier = Verifier::from_settings(
        &settings(&[
            ("webhook.scheme", "shipmonk"),
            ("webhook.secret", "@fixture:shipmonk-test-secret"),
            ("webhook.user", "monk"),
            ("webhook.password", "@fixture:bananas"),
        ]),
        "webhook",
    );
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
    assert!(Verifier::from_settings(&settings(&[]), "webhook").unwrap().is_none());
    for (pairs, key) in [
        (vec![("webhook.scheme", "standard_webhooks")], "webhook.secret"),
        (vec![("webhook.scheme", "basic"), ("webhook.secret", "@fixture:x")], "webhook.user"),
        (vec![("webhook.scheme", "shipmonk"), ("webhook.secret", "@fixture:x")], "webhook.user"),
        (
            vec![("webhook.scheme", "shipmonk"), ("webhook.secret", "@fixture:x"), ("webhook.user", "u")],
            "webhook.password",
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
        let error = Verifier::from_settings(&settings(&pairs), "webhook").err().unwrap();
        assert_eq!(error.key, key, "{error}");
        assert!(!error.to_string().contains("plain-text"));
    }
}
