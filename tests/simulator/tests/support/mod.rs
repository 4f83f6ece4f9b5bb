//! What the simulator's tests share: a client, and a receiver of notifications and webhooks.
#![allow(dead_code, reason = "each test file uses its part")]
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use simulator::store::{Store, StoreOptions};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// No test waits longer than this for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for a fact, but not for ever.
pub(crate) async fn soon<T>(fact: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, fact).await.expect("it should have happened by now")
}

pub(crate) fn client() -> reqwest::Client {
    let _installed_by_another_test = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client")
}

/// Status and text of a GET.
pub(crate) async fn get(url: &str) -> (u16, String) {
    let response = client().get(url).send().await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("a body"))
}

/// Status and text of a POST.
pub(crate) async fn post(url: &str, body: &str) -> (u16, String) {
    let response = client().post(url).body(body.to_owned()).send().await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("a body"))
}

/// A store of default options.
pub(crate) async fn store() -> Store {
    Store::start(StoreOptions::default()).await.expect("a port")
}

/// POSTs a request document with the right key and more elements.
pub(crate) async fn call(store: &Store, path: &str, more: &str) -> String {
    let url = format!("{}/API/{}/{path}", store.base_url(), store.merchant_id());
    let body = format!("<Request><Key>{}</Key>{more}</Request>", store.key());
    let (status, text) = post(&url, &body).await;
    assert_eq!(status, 200, "{text}");
    text
}

/// The texts of all elements of this name, in order.
pub(crate) fn texts<'a>(document: &'a str, element: &str) -> Vec<&'a str> {
    let close = format!("</{element}>");
    let mut found = Vec::new();
    for (end, _) in document.match_indices(&close) {
        let start = document[..end].rfind('>').map_or(0, |start| start + 1);
        found.push(&document[start..end]);
    }
    found
}

/// A request that the receiver got.
#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }
}

/// A server that keeps what it gets and answers with the given statuses, then with 200.
pub(crate) struct Receiver {
    pub(crate) url: String,
    got: watch::Receiver<Vec<Received>>,
}

impl Receiver {
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let statuses = Arc::new(Mutex::new(statuses.iter().copied().collect::<VecDeque<u16>>()));
        let (sender, got) = watch::channel(Vec::new());
        let answer = move |request: Request| {
            let (statuses, sender) = (Arc::clone(&statuses), sender.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
                sender.send_modify(|got| got.push(Received { headers: parts.headers, body }));
                let status = statuses.lock().expect("unpoisoned").pop_front().unwrap_or(200);
                StatusCode::from_u16(status).expect("a status")
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        Self { url, got }
    }

    /// The first so many requests, once they are there.
    pub(crate) async fn first(&self, count: usize) -> Vec<Received> {
        let mut got = self.got.clone();
        let got = soon(got.wait_for(|got| got.len() >= count)).await.expect("the receiver lives");
        got.clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.got.borrow().len()
    }
}
