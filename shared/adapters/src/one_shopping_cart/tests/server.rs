//! A small store on loopback for tests: answers as it is told, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use domain::Failure;
use domain::policy::Policies;
use domain::ports::Clock;
use jiff::Timestamp;

use crate::http::Http;
use crate::one_shopping_cart::{Client, client};
use crate::secret::{Secret, SecretSource, Vault};
use crate::settings::{SettingError, Settings};

/// The key of the store: must never turn up in a failure.
pub(super) const KEY: &str = "0123456789abcdef0123456789abcdef";

/// What the store was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: String,
}

/// The store and what it heard.
pub(super) struct Server {
    pub(super) base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Starts a store that answers with status and body.
    pub(super) async fn start(answer: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, heard) = (Arc::new(answer), asked.clone());
        let router = Router::new().fallback(move |request: Request| {
            let (answer, heard) = (answer.clone(), heard.clone());
            async move {
                let asked = taken(request).await;
                heard.lock().unwrap().push(asked.clone());
                let (status, body) = answer(&asked);
                (StatusCode::from_u16(status).unwrap(), [("retry-after", "7")], body)
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, asked }
    }

    /// Everything it was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// What it was asked at paths that end like this.
    pub(super) fn asked_at(&self, end: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.path.ends_with(end)).collect()
    }
}

async fn taken(request: Request) -> Asked {
    let (parts, body) = request.into_parts();
    Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap(),
    }
}

/// A clock that moves only when somebody sleeps.
pub(super) struct Hand(Mutex<Timestamp>);

impl Hand {
    /// Two in the afternoon of a day in October, in UTC.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-10-05T14:00:00Z".parse().unwrap())))
    }
}

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
    async fn sleep(&self, wait: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(wait).unwrap();
    }
}

/// Hands out the key, or what replaces it, and counts how often.
#[derive(Clone, Default)]
pub(super) struct Keys(pub(super) Arc<Mutex<u32>>, pub(super) Arc<Mutex<Option<String>>>);

#[async_trait]
impl SecretSource for Keys {
    async fn fetch(&self, _: &str) -> Result<Option<Secret>, Failure> {
        *self.0.lock().unwrap() += 1;
        let rotated = self.1.lock().unwrap().clone();
        Ok(Some(Secret::new(rotated.unwrap_or_else(|| KEY.to_owned()))))
    }
}

/// A client of the store at `base`, with some settings more.
pub(super) fn connected(base: &str, more: &[(&str, &str)], clock: &Arc<Hand>, keys: Keys) -> Client {
    configured(base, more, clock, keys).unwrap()
}

pub(super) fn configured(
    base: &str,
    more: &[(&str, &str)],
    clock: &Arc<Hand>,
    keys: Keys,
) -> Result<Client, SettingError> {
    let usual = [("merchant_id", "900001"), ("api_key", "@test:key"), ("base_url", base)];
    let values: BTreeMap<String, String> =
        usual.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let vault = Arc::new(Vault::new(vec![Box::new(keys)], clock.clone()));
    let settings = Settings::new("connection main, store", values, vault);
    client(&settings, &Policies::default(), Http::new(["127.0.0.1".to_owned()]).unwrap(), clock.clone())
}

/// A client with nothing special about it.
pub(super) fn plain(server: &Server) -> Client {
    connected(&server.base, &[], &Hand::new(), Keys::default())
}

/// A failure as a log would show it, with its sources; checks that it keeps the secret.
pub(super) fn shown(failure: &Failure) -> String {
    let text = format!("{failure} {failure:?}");
    assert!(!text.contains(KEY), "{text}");
    assert!(!text.contains("avery@example.com"), "{text}");
    text
}
