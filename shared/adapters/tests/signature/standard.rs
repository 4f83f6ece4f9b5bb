//! The cases that the published Standard Webhooks libraries test, and the bypass that one of them once had.

use adapters::signature::Scheme;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::warehouse::RawWebhook;
use jiff::Timestamp;

use crate::senders::standard_message;
use crate::vectors::{NOW, WINDOW, vector};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn genuine() -> RawWebhook {
    standard_message(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", NOW, br#"{"test": 2432232314}"#)
}

fn check(raw: &RawWebhook, secret: &str) -> Result<(), &'static str> {
    Scheme::Standard.check(raw, secret, WINDOW, Timestamp::from_second(NOW).unwrap())
}

/// The message with one header set to something else, or taken away.
fn with(name: &str, value: Option<&str>) -> RawWebhook {
    let mut raw = genuine();
    raw.headers.retain(|(header, _)| header != name);
    raw.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    raw
}

#[test]
fn the_published_vector_is_signed_as_it_was_published() {
    let vector = vector("standard_webhooks_v1");
    let time = vector.now.as_second();
    let ours = standard_message(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", time, &vector.raw.body);
    assert_eq!(ours.header("webhook-signature"), vector.raw.header("webhook-signature"));
    assert_eq!(ours.header("webhook-signature"), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
}

#[test]
fn the_secret_may_stand_with_its_prefix_or_without_and_nothing_else_will_do() {
    assert_eq!(check(&genuine(), SECRET), Ok(()));
    assert_eq!(check(&genuine(), SECRET.trim_start_matches("whsec_")), Ok(()));
    for (secret, why) in [
        ("", "our own key is too short to prove anything"),
        ("whsec_", "our own key is too short to prove anything"),
        ("whsec_AAAA", "our own key is too short to prove anything"),
        ("whsec_!!!!", "our own key is no base64"),
        ("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "signature is wrong"),
    ] {
        assert_eq!(check(&genuine(), secret), Err(why), "{secret:?}");
    }
}

#[test]
fn a_missing_or_empty_header_is_no_proof() {
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        for value in [None, Some(""), Some("  ")] {
            assert_eq!(check(&with(name, value), SECRET), Err("credentials are missing"), "{name} {value:?}");
        }
    }
}

#[test]
fn a_time_that_is_no_plain_number_or_outside_the_window_is_refused() {
    for time in ["hello", "-1", "+1795399500", "1795399500.0", "0x6b", "１７９５３９９５００", "17953995e2"]
    {
        assert_eq!(check(&with("webhook-timestamp", Some(time)), SECRET), Err("time is malformed"), "{time}");
    }
    for (age, fresh) in [(300, true), (301, false), (-300, true), (-301, false), (NOW, false)] {
        let raw = standard_message(SECRET, "msg_1", NOW - age, b"{}");
        assert_eq!(check(&raw, SECRET).is_ok(), fresh, "{age} s old");
    }
    let huge = with("webhook-timestamp", Some("99999999999999999999"));
    assert_eq!(check(&huge, SECRET), Err("time is malformed"));
    let far = standard_message(SECRET, "msg_1", i64::MAX, b"{}");
    assert_eq!(check(&far, SECRET), Err("it is too old, or from the future"));
}

#[test]
fn a_signature_counts_only_whole_and_under_its_version() {
    let right = genuine().header("webhook-signature").unwrap().to_owned();
    let tag = right.strip_prefix("v1,").unwrap();
    let short = STANDARD.encode(&STANDARD.decode(tag).unwrap()[..16]);
    for (list, believed) in [
        (right.clone(), true),
        (format!("v1,AAAA {right}"), true),
        (format!("{right} v1,AAAA"), true),
        (format!("v2,{tag} v1a,{tag} {right}"), true),
        (format!("   {right}   "), true),
        // RUSTSEC-2024-0010: compared only up to the shorter one, nothing equals everything.
        ("v1,".to_owned(), false),
        ("v1, v1, v1,".to_owned(), false),
        ("v1".to_owned(), false),
        (",".to_owned(), false),
        (format!("v1,{short}"), false),
        (format!("v1,{}", &tag[..8]), false),
        (format!("v1,{tag}AAAA"), false),
        (format!("v1,{}", tag.trim_end_matches('=')), false),
        (tag.to_owned(), false),
        (format!("v1a,{tag}"), false),
        (format!("V1,{tag}"), false),
        (format!("v1,{right}"), false),
        (format!("v1,{}", crate::senders::hex(&STANDARD.decode(tag).unwrap())), false),
        (format!("v1,{}", STANDARD.encode([0; 32])), false),
    ] {
        assert_eq!(check(&with("webhook-signature", Some(&list)), SECRET).is_ok(), believed, "{list}");
    }
}

#[test]
fn a_body_is_verified_as_bytes_whether_or_not_it_is_text() {
    for body in [&b"\xff\xfe\x00\x80"[..], b"", b"\xc3\x28", "é".as_bytes(), b"e\xcc\x81"] {
        let raw = standard_message(SECRET, "msg_1", NOW, body);
        assert_eq!(check(&raw, SECRET), Ok(()), "{body:?}");
        let lossy = String::from_utf8_lossy(body).into_owned().into_bytes();
        if lossy != body {
            assert!(check(&RawWebhook { body: lossy, ..raw.clone() }, SECRET).is_err(), "{body:?}");
        }
        let composed = RawWebhook { body: [body, b" "].concat(), ..raw };
        assert!(check(&composed, SECRET).is_err(), "{body:?}");
    }
}

#[test]
fn the_dots_between_id_time_and_body_cannot_be_moved() {
    let raw = standard_message(SECRET, "msg_1", NOW, b"{}");
    let moved = |id: &str, time: &str, body: &str| {
        let mut raw = RawWebhook { body: body.into(), ..raw.clone() };
        raw.headers[0].1 = id.to_owned();
        raw.headers[1].1 = time.to_owned();
        raw
    };
    assert_eq!(check(&moved("msg_1", &NOW.to_string(), "{}"), SECRET), Ok(()));
    for (id, time, body) in [
        (format!("msg_1.{NOW}"), "{}".to_owned(), String::new()),
        ("msg_1".to_owned(), format!("{NOW}.{{}}"), String::new()),
        (format!("msg_1.{NOW}"), NOW.to_string(), "{}".to_owned()),
    ] {
        assert!(check(&moved(&id, &time, &body), SECRET).is_err(), "{id} {time} {body}");
    }
}
