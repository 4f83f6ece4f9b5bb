//! How a simulated warehouse behaves: who may call, what it does with duplicates, how it sends webhooks.

use std::time::Duration;

use crate::clock::{Now, wall};
use crate::shop;

/// How callers prove who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Header `X-Api-Key` with this value.
    ApiKey(String),
    /// `Authorization: Bearer` with this token.
    Bearer(String),
    /// `Authorization: Basic` with this user and password.
    Basic {
        /// The user's name.
        user: String,
        /// The password.
        password: String,
    },
    /// OAuth 2 client credentials at `POST /oauth/token`, in the form or as Basic; then bearer tokens.
    OAuth2 {
        /// The client's id.
        client_id: String,
        /// The client's secret.
        client_secret: String,
        /// How long a token is good for.
        lifetime: Duration,
    },
}

/// What the warehouse does with a second order of the same reference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// 409 with the id of the first.
    #[default]
    Refuse,
    /// Takes it as another order: the duplicate shows in the books.
    Accept,
    /// Answers with the first order when the `Idempotency-Key` header is the same; otherwise takes another.
    ByKey,
}

/// Where and how webhooks are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The receiver, `http://127.0.0.1:port/path`.
    pub url: String,
    /// The secret, `whsec_` and base64.
    pub secret: String,
}

/// How webhooks differ from what they should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    /// How often each is sent, at least once.
    pub times: u32,
    /// Keep every first one back and send it after the second.
    pub reorder: bool,
    /// Sign with another secret.
    pub wrong_signature: bool,
    /// A timestamp of an hour ago, signed properly.
    pub stale: bool,
    /// A body that is no JSON, signed properly.
    pub garbage: bool,
    /// Ship at once, and send the webhook before the create is answered.
    pub before_create_answer: bool,
    /// Send none: the shipments are to be found by asking.
    pub silent: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            times: 1,
            reorder: false,
            wrong_signature: false,
            stale: false,
            garbage: false,
            before_create_answer: false,
            silent: false,
        }
    }
}

/// A service that the warehouse books, with the carrier behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The code that orders name.
    pub code: String,
    /// The carrier that its shipments name.
    pub carrier: String,
}

/// How to start a [`super::Warehouse`].
#[derive(Clone)]
pub struct WarehouseOptions {
    /// The warehouse's clock.
    pub now: Now,
    /// How callers prove who they are.
    pub auth: Auth,
    /// The services it knows; an order with another one is refused.
    pub services: Vec<Service>,
    /// Pieces on the shelf by SKU, as `GET /v1/stock` shows them. Orders take from it and may go below zero.
    pub stock: Vec<(String, i64)>,
    /// Refuse an order with a SKU that is not in the stock list.
    pub refuse_unknown_skus: bool,
    /// What it does with a second order of the same reference.
    pub duplicates: Duplicates,
    /// A new order is invisible to look-ups by reference for this long.
    pub lookup_lag: Duration,
    /// Where webhooks go.
    pub webhook: Option<Webhook>,
    /// The waits between the attempts of a webhook; when they are used up it gives up.
    pub retry_delays: Vec<Duration>,
}

impl Default for WarehouseOptions {
    fn default() -> Self {
        let service =
            |(code, carrier): (&str, &str)| Service { code: code.to_owned(), carrier: carrier.to_owned() };
        Self {
            now: wall(),
            auth: Auth::ApiKey("simulated-warehouse-key".to_owned()),
            services: shop::services().into_iter().map(service).collect(),
            stock: stock(),
            refuse_unknown_skus: true,
            duplicates: Duplicates::default(),
            lookup_lag: Duration::ZERO,
            webhook: None,
            retry_delays: [5, 300, 1800, 7200].map(Duration::from_secs).to_vec(),
        }
    }
}

/// A thousand of everything that the shop's listings name.
fn stock() -> Vec<(String, i64)> {
    let listings = shop::listings().into_iter().chain(shop::missing_listings());
    let mut skus: Vec<&str> = listings.flat_map(|(_, parts)| parts).map(|(sku, _)| sku).collect();
    skus.sort_unstable();
    skus.dedup();
    skus.into_iter().map(|sku| (sku.to_owned(), 1000)).collect()
}
