//! Senders of every scheme: what each signs, which parts its proof covers, and what else means the same.

use adapters::signature::{KeySet, Scheme, Signed};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::warehouse::RawWebhook;
use jiff::Timestamp;
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::Value;

use crate::vectors::{NOW, WINDOW, webhook};

/// A part of a request that the proof covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Body,
    Path,
    Header(&'static str),
}

/// When is a changed header still the same? (Blanks around a value never mean anything.)
#[derive(Debug, Clone, Copy)]
pub(crate) enum Same {
    /// When all its characters are.
    Exactly,
    /// Hex in either case.
    AnyCase,
    /// A list of signatures that still holds the right one, whole.
    ListWithRight,
    /// `t=…,v1=…` with the same one time and the right signature among its signatures.
    TimedWithRight,
    /// `Basic`, in any case, blanks, and the same credentials.
    Basic,
}

enum Proof {
    Secret(Scheme, String),
    Keys(KeySet),
}

/// One sender with its genuine messages.
pub(crate) struct Sender {
    pub(crate) name: &'static str,
    proof: Proof,
    pub(crate) parts: Vec<(Part, Same)>,
    pub(crate) messages: Vec<RawWebhook>,
}

impl Sender {
    pub(crate) fn is_believed(&self, raw: &RawWebhook) -> bool {
        let now = Timestamp::from_second(NOW).unwrap();
        match &self.proof {
            Proof::Secret(scheme, secret) => scheme.check(raw, secret, WINDOW, now).is_ok(),
            Proof::Keys(keys) => {
                Signed::read(raw, WINDOW, now).is_ok_and(|signed| signed.check(keys).is_ok())
            }
        }
    }
}

impl Same {
    /// Do both values mean the same to anybody who follows the scheme?
    pub(crate) fn holds(self, genuine: &str, changed: &str) -> bool {
        let (genuine, changed) = (genuine.trim(), changed.trim());
        match self {
            Self::Exactly => genuine == changed,
            Self::AnyCase => genuine.eq_ignore_ascii_case(changed),
            Self::ListWithRight => changed.split_ascii_whitespace().any(|entry| entry == genuine),
            Self::TimedWithRight => {
                timed(genuine).0 == timed(changed).0 && {
                    let right = timed(genuine).1;
                    timed(changed).1.iter().any(|tag| tag.eq_ignore_ascii_case(&right[0]))
                }
            }
            Self::Basic => {
                let split = |text: &str| {
                    text.split_once(' ').map(|(word, rest)| (word.to_lowercase(), rest.trim().to_owned()))
                };
                split(genuine) == split(changed)
            }
        }
    }
}

fn timed(text: &str) -> (Vec<String>, Vec<String>) {
    let all = |name: &str| {
        text.split(',')
            .filter_map(|part| part.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
            .collect()
    };
    (all("t"), all("v1"))
}

/// Bodies of every kind: JSON, XML, nothing, blanks, bytes that are no text.
fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = [
        r#"{"id":1,"shipments":[{"tracking_number":"9400111899223033005011"}]}"#,
        "<Shipment><Number>1Z5R89390357567127</Number></Shipment>",
        r#"{"name":"Zoë Ångström 北京","n":0.10}"#,
        "a",
        "\n",
        "{\"a\": 1}\r\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    bodies.extend([vec![0xff, 0xfe, b'{', 0, 0x80], vec![0; 64], (0..=255).collect()]);
    bodies
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tag(algorithm: hmac::Algorithm, secret: &[u8], signed: &[&[u8]]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, secret), &signed.concat()).as_ref().to_vec()
}

fn message(headers: &[(&str, String)], path_rest: &str, body: &[u8]) -> RawWebhook {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    RawWebhook { path_rest: path_rest.to_owned(), body: body.to_vec(), ..webhook(headers, "") }
}

/// A message of Standard Webhooks v1.
pub(crate) fn standard_message(secret: &str, id: &str, time: i64, body: &[u8]) -> RawWebhook {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let tag = tag(hmac::HMAC_SHA256, &key, &[format!("{id}.{time}.").as_bytes(), body]);
    let signature = format!("v1,{}", STANDARD.encode(tag));
    standard_headers(id, time, signature, body)
}

fn standard_headers(id: &str, time: i64, signature: String, body: &[u8]) -> RawWebhook {
    let headers = [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", time.to_string()),
        ("webhook-signature", signature),
    ];
    message(&headers, "", body)
}

/// Every sender, with a handful of genuine messages each.
pub(crate) fn senders() -> Vec<Sender> {
    let mut senders = vec![standard(), ed25519(), hub(), timed_header(), own_time_header(), shiphero()];
    senders.extend([
        shipmonk("hex"),
        shipmonk("base64"),
        basic(),
        header_token(),
        path_token(),
        shipengine(),
    ]);
    senders
}

/// One message per body, with its index.
fn each(sign: impl Fn(usize, &[u8]) -> RawWebhook) -> Vec<RawWebhook> {
    bodies().iter().enumerate().map(|(index, body)| sign(index, body)).collect()
}

fn time(index: usize) -> i64 {
    NOW - 290 + 60 * i64::try_from(index).unwrap()
}

const STANDARD_PARTS: [(Part, Same); 4] = [
    (Part::Body, Same::Exactly),
    (Part::Header("webhook-id"), Same::Exactly),
    (Part::Header("webhook-timestamp"), Same::Exactly),
    (Part::Header("webhook-signature"), Same::ListWithRight),
];

fn standard() -> Sender {
    let secret = format!("whsec_{}", STANDARD.encode((1..=32).collect::<Vec<u8>>()));
    let messages =
        each(|index, body| standard_message(&secret, &format!("msg_{index}aB"), time(index), body));
    let proof = Proof::Secret(Scheme::Standard, secret);
    Sender { name: "standard_webhooks", proof, parts: STANDARD_PARTS.to_vec(), messages }
}

fn ed25519() -> Sender {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let messages = each(|index, body| {
        let (id, time) = (format!("msg_{index}"), time(index));
        let signed = [format!("{id}.{time}.").as_bytes(), body].concat();
        standard_headers(&id, time, format!("v1a,{}", STANDARD.encode(pair.sign(&signed))), body)
    });
    let key = format!("whpk_{}", STANDARD.encode(pair.public_key()));
    let proof = Proof::Secret(Scheme::StandardEd25519, key);
    Sender { name: "standard_webhooks_ed25519", proof, parts: STANDARD_PARTS.to_vec(), messages }
}

const SECRET: &str = "a shared secret of ours";

/// A sender that puts one signature of the body into one header.
fn of_body(
    name: &'static str,
    header: &'static str,
    scheme: Scheme,
    same: Same,
    sign: impl Fn(&[u8]) -> String,
) -> Sender {
    let messages = each(|_, body| message(&[(header, sign(body))], "", body));
    let parts = vec![(Part::Body, Same::Exactly), (Part::Header(header), same)];
    Sender { name, proof: Proof::Secret(scheme, SECRET.to_owned()), parts, messages }
}

fn hub() -> Sender {
    let header = "x-hub-signature-256";
    of_body("hub_sha256", header, Scheme::Hub(header.into()), Same::Exactly, |body| {
        format!("sha256={}", hex(&tag(hmac::HMAC_SHA256, SECRET.as_bytes(), &[body])))
    })
}

fn shiphero() -> Sender {
    let header = "x-shiphero-hmac-sha256";
    of_body("shiphero", header, Scheme::BodySha256(header.into()), Same::Exactly, |body| {
        STANDARD.encode(tag(hmac::HMAC_SHA256, SECRET.as_bytes(), &[body]))
    })
}

fn shipmonk(spelling: &'static str) -> Sender {
    let header = "x-sm-signature";
    let (name, same) = match spelling {
        "hex" => ("shipmonk, hex", Same::AnyCase),
        _ => ("shipmonk, base64", Same::Exactly),
    };
    of_body(name, header, Scheme::BodySha512(header.into()), same, |body| {
        let tag = tag(hmac::HMAC_SHA512, SECRET.as_bytes(), &[body]);
        if spelling == "hex" { hex(&tag) } else { STANDARD.encode(tag) }
    })
}

fn timed_tag(index: usize, body: &[u8]) -> String {
    hex(&tag(hmac::HMAC_SHA256, SECRET.as_bytes(), &[format!("{}.", time(index)).as_bytes(), body]))
}

fn timed_header() -> Sender {
    let header = "x-signature";
    let messages = each(|index, body| {
        message(&[(header, format!("t={},v1={}", time(index), timed_tag(index, body)))], "", body)
    });
    let proof = Proof::Secret(Scheme::Timestamped { header: header.into(), time: None }, SECRET.to_owned());
    let parts = vec![(Part::Body, Same::Exactly), (Part::Header(header), Same::TimedWithRight)];
    Sender { name: "timestamped", proof, parts, messages }
}

fn own_time_header() -> Sender {
    let messages = each(|index, body| {
        message(&[("x-time", time(index).to_string()), ("x-sig", timed_tag(index, body))], "", body)
    });
    let scheme = Scheme::Timestamped { header: "x-sig".into(), time: Some("x-time".into()) };
    let parts = vec![
        (Part::Body, Same::Exactly),
        (Part::Header("x-time"), Same::Exactly),
        (Part::Header("x-sig"), Same::AnyCase),
    ];
    Sender {
        name: "timestamped, time apart",
        proof: Proof::Secret(scheme, SECRET.to_owned()),
        parts,
        messages,
    }
}

fn basic() -> Sender {
    let value = format!("Basic {}", STANDARD.encode(format!("ShipStation:{SECRET}")));
    let messages = each(|_, body| message(&[("authorization", value.clone())], "", body));
    let proof = Proof::Secret(Scheme::Basic { user: "ShipStation".into() }, SECRET.to_owned());
    Sender { name: "basic", proof, parts: vec![(Part::Header("authorization"), Same::Basic)], messages }
}

fn header_token() -> Sender {
    let messages = each(|_, body| message(&[("x-webhook-token", SECRET.to_owned())], "", body));
    let proof = Proof::Secret(Scheme::HeaderToken("x-webhook-token".into()), SECRET.to_owned());
    let parts = vec![(Part::Header("x-webhook-token"), Same::Exactly)];
    Sender { name: "token, header", proof, parts, messages }
}

fn path_token() -> Sender {
    let messages = each(|_, body| message(&[], "unguessable-4711", body));
    let proof = Proof::Secret(Scheme::PathToken, "unguessable-4711".to_owned());
    Sender { name: "token, path", proof, parts: vec![(Part::Path, Same::Exactly)], messages }
}

/// Messages that were signed once by two keys whose private halves nobody has any more.
pub(crate) fn shipengine_file() -> (Value, Vec<RawWebhook>) {
    let text = include_str!("../../fixtures/webhooks/shipengine.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let messages = file["messages"].as_array().unwrap().iter().map(|one| {
        let headers = [
            ("x-shipengine-rsa-sha256-key-id", text(&one["kid"])),
            ("x-shipengine-rsa-sha256-signature", text(&one["signature"])),
            ("x-shipengine-timestamp", text(&one["timestamp"])),
        ];
        message(&headers, "", &STANDARD.decode(text(&one["body_base64"])).unwrap())
    });
    let messages = messages.collect();
    (file["keys"].clone(), messages)
}

fn shipengine() -> Sender {
    let (keys, messages) = shipengine_file();
    let keys = KeySet::read(serde_json::json!({ "keys": keys }).to_string().as_bytes()).unwrap();
    let parts = vec![
        (Part::Body, Same::Exactly),
        (Part::Header("x-shipengine-rsa-sha256-key-id"), Same::Exactly),
        (Part::Header("x-shipengine-rsa-sha256-signature"), Same::Exactly),
        (Part::Header("x-shipengine-timestamp"), Same::Exactly),
    ];
    Sender { name: "shipengine", proof: Proof::Keys(keys), parts, messages }
}
