//! ShipStation's signatures: its published keys are fetched when they are needed, kept, and never fetched for a stranger.

use std::sync::{Arc, Mutex};

use adapters::http::Http;
use adapters::signature::Verifier;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use domain::warehouse::{RawWebhook, Unverified};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::senders::shipengine_file;
use crate::vectors::NOW;
use crate::verifier::{Hand, Spoken, opened};

/// A vendor that publishes keys, and counts who reads them.
#[derive(Clone, Default)]
struct Vendor(Arc<Mutex<(u16, String, usize)>>);

impl Vendor {
    async fn start(&self) -> String {
        let vendor = self.clone();
        let answer = async move || {
            let mut state = vendor.0.lock().unwrap();
            state.2 += 1;
            (StatusCode::from_u16(state.0).unwrap(), state.1.clone())
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/jwks", get(answer))).await });
        url
    }

    fn publish(&self, keys: &[&Value]) {
        self.answer(200, &json!({ "keys": keys }).to_string());
    }

    fn answer(&self, status: u16, body: &str) {
        let mut state = self.0.lock().unwrap();
        (state.0, state.1) = (status, body.to_owned());
    }

    fn read(&self) -> usize {
        self.0.lock().unwrap().2
    }
}

struct Scene {
    vendor: Vendor,
    clock: Arc<Hand>,
    verifier: Verifier,
    /// The vendor's two keys.
    keys: [Value; 2],
    /// A message of the first key, and one of the second.
    messages: [RawWebhook; 2],
}

const ADDRESS: &str = "unguessable";

impl Scene {
    /// Only the first key is published.
    async fn new() -> Self {
        let (vendor, clock) = (Vendor::default(), Hand::new());
        let url = vendor.start().await;
        let pairs = [
            ("webhook.scheme", "shipengine"),
            ("webhook.secret", "@fixture:unguessable"),
            ("webhook.jwks_url", url.as_str()),
            ("webhook.window_seconds", "86400"),
        ];
        let http = Http::new(["127.0.0.1".to_owned()]).unwrap();
        let verifier = opened(&pairs, &Spoken::default(), &clock, &http).unwrap().unwrap();
        let (keys, messages) = shipengine_file();
        let at = |index: usize| RawWebhook { path_rest: ADDRESS.to_owned(), ..messages[index].clone() };
        let scene = Self {
            vendor,
            clock,
            verifier,
            keys: [keys[0].clone(), keys[1].clone()],
            messages: [at(0), at(messages.len() - 1)],
        };
        scene.vendor.publish(&[&scene.keys[0]]);
        scene
    }

    /// 200, 401 or 503, as the sender would see it.
    async fn send(&self, raw: &RawWebhook) -> u16 {
        match self.verifier.verify(raw.clone(), Timestamp::from_second(NOW).unwrap()).await {
            Ok(_) => 200,
            Err(Unverified::Stranger(_)) => 401,
            Err(Unverified::Unsure(_)) => 503,
        }
    }
}

#[tokio::test]
async fn the_keys_are_read_once_an_hour() {
    let scene = Scene::new().await;
    let all = futures_util::future::join_all((0..10).map(|_| scene.send(&scene.messages[0]))).await;
    assert_eq!((all, scene.vendor.read()), (vec![200; 10], 1), "those who come together share one look");
    scene.clock.pass(3599);
    assert_eq!((scene.send(&scene.messages[0]).await, scene.vendor.read()), (200, 1));
    scene.clock.pass(1);
    assert_eq!((scene.send(&scene.messages[0]).await, scene.vendor.read()), (200, 2));
}

#[tokio::test]
async fn a_new_key_counts_as_soon_as_it_is_published() {
    let scene = Scene::new().await;
    assert_eq!(scene.send(&scene.messages[0]).await, 200);
    scene.vendor.publish(&[&scene.keys[0], &scene.keys[1]]);
    assert_eq!(scene.send(&scene.messages[1]).await, 401, "asked for not a minute ago");
    scene.clock.pass(60);
    assert_eq!((scene.send(&scene.messages[1]).await, scene.vendor.read()), (200, 2));
    assert_eq!((scene.send(&scene.messages[0]).await, scene.vendor.read()), (200, 2), "both are good");
}

#[tokio::test]
async fn unknown_key_ids_make_us_look_once_a_minute_at_most() {
    let scene = Scene::new().await;
    assert_eq!(scene.send(&scene.messages[0]).await, 200);
    for _ in 0..10 {
        for number in 0..20 {
            let mut forged = scene.messages[0].clone();
            forged.headers[0].1 = format!("guess-{number}");
            assert_eq!(scene.send(&forged).await, 401);
        }
        scene.clock.pass(30);
    }
    assert_eq!(scene.vendor.read(), 5, "in five minutes");
}

#[tokio::test]
async fn a_key_that_is_withdrawn_is_refused_within_the_hour() {
    let scene = Scene::new().await;
    assert_eq!(scene.send(&scene.messages[0]).await, 200);
    scene.vendor.publish(&[&scene.keys[1]]);
    scene.clock.pass(3600);
    assert_eq!(scene.send(&scene.messages[0]).await, 401);
    assert_eq!(scene.send(&scene.messages[1]).await, 200);
}

#[tokio::test]
async fn while_the_keys_cannot_be_read_the_known_ones_do_for_a_day() {
    let scene = Scene::new().await;
    assert_eq!(scene.send(&scene.messages[0]).await, 200);
    let mut many = r#"{"keys":["#.to_owned();
    many.push_str(&" ".repeat(70_000));
    many.push_str("]}");
    for (status, body) in
        [(500, "{}"), (200, "<html>"), (200, r#"{"keys":[]}"#), (200, many.as_str()), (302, "")]
    {
        scene.vendor.answer(status, body);
        scene.clock.pass(3600);
        assert_eq!(scene.send(&scene.messages[0]).await, 200, "{status} {}", body.len());
        assert_eq!(scene.send(&scene.messages[1]).await, 503, "nobody knows whether it is published now");
    }
    scene.clock.pass(20 * 3600);
    assert_eq!(scene.send(&scene.messages[0]).await, 503, "a day is over");
    scene.vendor.publish(&[&scene.keys[0]]);
    scene.clock.pass(60);
    assert_eq!(scene.send(&scene.messages[0]).await, 200);
}

#[tokio::test]
async fn nothing_is_fetched_for_who_does_not_know_the_address_or_comes_with_half_a_proof() {
    let scene = Scene::new().await;
    let genuine = &scene.messages[0];
    let elsewhere = |path: &str| RawWebhook { path_rest: path.to_owned(), ..genuine.clone() };
    let mut refused = vec![elsewhere(""), elsewhere("guessed"), elsewhere("Unguessable")];
    for index in 0..3 {
        let mut without = genuine.clone();
        without.headers.remove(index);
        refused.push(without);
    }
    for (header, value) in
        [(1, "not base64!"), (2, "yesterday"), (2, "2026-11-21T00:00:00Z"), (2, "1795399500")]
    {
        let mut twisted = genuine.clone();
        twisted.headers[header].1 = value.to_owned();
        refused.push(twisted);
    }
    for raw in &refused {
        assert_eq!(scene.send(raw).await, 401, "{raw:?}");
    }
    assert_eq!(scene.vendor.read(), 0);
    assert_eq!((scene.send(genuine).await, scene.vendor.read()), (200, 1));
}

#[tokio::test]
async fn a_key_of_another_kind_or_too_short_proves_nothing() {
    let scene = Scene::new().await;
    let kid = scene.keys[0]["kid"].clone();
    let weak = json!({"kty": "RSA", "kid": kid, "n": "m8asmCFek5bn", "e": "AQAB"});
    let elliptic = json!({"kty": "EC", "kid": kid, "n": scene.keys[0]["n"], "e": "AQAB"});
    scene.vendor.publish(&[&weak]);
    assert_eq!(scene.send(&scene.messages[0]).await, 401);
    scene.vendor.publish(&[&elliptic, &scene.keys[1]]);
    scene.clock.pass(3600);
    assert_eq!(scene.send(&scene.messages[0]).await, 401, "passed over");
}
