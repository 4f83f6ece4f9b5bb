//! Every published and every self-made vector is believed, and what misses or twists a part of it is not.

use adapters::signature::{KeySet, Scheme, Signed};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::warehouse::RawWebhook;
use jiff::Timestamp;
use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::Value;

pub(crate) const WINDOW: i64 = 300;
pub(crate) const NOW: i64 = 1_795_399_500;

/// One vector of the file, as a webhook.
pub(crate) struct Vector {
    pub(crate) name: String,
    scheme: Option<Scheme>,
    pub(crate) secret: String,
    keys: KeySet,
    pub(crate) raw: RawWebhook,
    pub(crate) now: Timestamp,
    /// The headers that the proof needs.
    signed_headers: Vec<String>,
}

pub(crate) fn vectors() -> Vec<Vector> {
    all(include_str!("../../fixtures/webhooks/webhook_test_vectors.json"))
}

pub(crate) fn vector(name: &str) -> Vector {
    vectors().into_iter().find(|vector| vector.name == name).unwrap()
}

fn all(text: &str) -> Vec<Vector> {
    let file: Value = serde_json::from_str(text).unwrap();
    file["vectors"].as_array().unwrap().iter().map(read).collect()
}

/// The scheme of a vector that is proved by a secret.
fn scheme(vector: &Value) -> Option<Scheme> {
    Some(match vector["scheme"].as_str().unwrap() {
        "standard_webhooks_v1" => Scheme::Standard,
        "hmac_sha256_base64_raw_body" => Scheme::BodySha256("x-shiphero-hmac-sha256".into()),
        "hmac_sha512_raw_body" => Scheme::BodySha512("x-sm-signature".into()),
        "x_hub_signature_256" => Scheme::Hub("x-hub-signature-256".into()),
        "t_v1_hex" => Scheme::Timestamped { header: "x-signature".into(), time: None },
        "http_basic" => Scheme::Basic { user: vector["username"].as_str()?.into() },
        "shipengine_rsa_sha256" => return None,
        other => panic!("a scheme that nobody knows: {other}"),
    })
}

fn read(vector: &Value) -> Vector {
    let headers = vector["headers"].as_object().unwrap().iter();
    let headers: Vec<(String, String)> =
        headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
    let unsigned = ["x-webhook-topic", "x-shiphero-message-id"];
    let names = headers.iter().map(|(name, _)| name.clone());
    Vector {
        name: vector["scheme"].as_str().unwrap().to_owned(),
        scheme: scheme(vector),
        secret: vector["secret"].as_str().or(vector["password"].as_str()).unwrap_or_default().to_owned(),
        keys: KeySet::read(vector["jwks"].to_string().as_bytes()).unwrap_or_default(),
        now: Timestamp::from_second(vector["valid_at_unix"].as_i64().unwrap_or(NOW)).unwrap(),
        signed_headers: names.filter(|name| !unsigned.contains(&name.as_str())).collect(),
        raw: webhook(headers, vector["body"].as_str().unwrap()),
    }
}

pub(crate) fn webhook(headers: Vec<(String, String)>, body: &str) -> RawWebhook {
    RawWebhook { headers, path_rest: String::new(), body: body.into() }
}

fn check(vector: &Vector, raw: &RawWebhook, secret: &str, now: Timestamp) -> bool {
    match &vector.scheme {
        Some(scheme) => scheme.check(raw, secret, WINDOW, now).is_ok(),
        None => Signed::read(raw, WINDOW, now).is_ok_and(|signed| signed.check(&vector.keys).is_ok()),
    }
}

fn believes(vector: &Vector, raw: &RawWebhook) -> bool {
    check(vector, raw, &vector.secret, vector.now)
}

#[test]
fn every_vector_is_believed() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 8);
    for vector in &vectors {
        assert!(believes(vector, &vector.raw), "{}", vector.name);
    }
}

/// The vectors here are those of the dossier; where it lies beside the project, it is asked itself.
#[test]
fn the_vectors_of_the_dossier_are_the_ones_that_are_tested() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/reference/specs/webhooks/webhook_test_vectors.json"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("SKIPPED: {path} is not here; its vectors are copied in fixtures/webhooks");
        return;
    };
    let (theirs, ours) = (all(&text), vectors());
    assert_eq!(theirs.len(), ours.len());
    for (theirs, ours) in theirs.iter().zip(&ours) {
        assert!(believes(theirs, &theirs.raw), "{}", theirs.name);
        assert_eq!((&theirs.name, &theirs.raw.body), (&ours.name, &ours.raw.body));
    }
}

#[test]
fn shipmonks_signature_is_believed_as_hex_of_either_case_and_as_base64() {
    let vector = vector("hmac_sha512_raw_body");
    let hex = vector.raw.headers[0].1.clone();
    let base64 = "GZQiWH/JcmXBav9GoxNf20O9TufF31lJIlU+rHqUTEZyTv2anPlqQvPmTh0F/8eDW9CnbX6RMt+Q3vtk7AjiJQ==";
    for value in [hex.to_uppercase(), base64.to_owned()] {
        let mut raw = vector.raw.clone();
        raw.headers[0].1 = value;
        assert!(believes(&vector, &raw));
    }
}

#[test]
fn no_wrong_secret_and_no_missing_header_is_believed() {
    for vector in vectors() {
        for secret in ["", " ", "whsec_", "another-secret", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let passed = check(&vector, &vector.raw, secret, vector.now);
            assert!(!passed || vector.scheme.is_none(), "{} with {secret:?}", vector.name);
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
    for vector in vectors() {
        let timed = matches!(vector.scheme, None | Some(Scheme::Standard | Scheme::Timestamped { .. }));
        for (seconds, inside) in
            [(-301, false), (-300, true), (300, true), (301, false), (i64::from(u32::MAX), false)]
        {
            let now = Timestamp::from_second(vector.now.as_second() + seconds).unwrap();
            let passed = check(&vector, &vector.raw, &vector.secret, now);
            assert_eq!(passed, inside || !timed, "{} after {seconds} s", vector.name);
        }
    }
}

#[test]
fn extra_blanks_and_foreign_versions_in_the_list_do_not_matter() {
    let vector = vector("standard_webhooks_v1");
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
        assert_eq!(believes(&vector, &raw), believed, "{list}");
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
    let vector = vector("t_v1_hex");
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
    assert!(!believes(&vector, &doubled), "two times");
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
    fn any_headers_are_believed_or_not(value in "\\PC*", time in "\\PC*|[0-9+-]{0,30}", body in prop::collection::vec(any::<u8>(), 0..50)) {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature", "authorization", "x-signature", "x-sm-signature", "x-hub-signature-256"];
        for vector in vectors() {
            let mut raw = webhook(names.iter().map(|n| ((*n).to_owned(), value.clone())).collect(), "");
            raw.headers[1].1 = time.clone();
            raw.body = body.clone();
            prop_assert!(!believes(&vector, &raw));
        }
    }
}
