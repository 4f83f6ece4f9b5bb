//! Between the functions and the database: counts what DynamoDB would bill for their calls.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What was used. Units are counted in halves, because an eventually consistent read costs half of one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Halves of a write unit.
    pub write_halves: u64,
    /// Halves of a read unit.
    pub read_halves: u64,
}

impl std::ops::Sub for Used {
    type Output = Self;
    fn sub(self, earlier: Self) -> Self {
        Self {
            write_halves: self.write_halves - earlier.write_halves,
            read_halves: self.read_halves - earlier.read_halves,
        }
    }
}

/// A running meter. Dropping it closes its port.
pub(crate) struct Meter {
    pub(crate) endpoint: String,
    way: Way,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Way {
    behind: String,
    client: reqwest::Client,
    used: Arc<Mutex<Used>>,
}

impl Meter {
    /// A meter in front of the database at `behind`.
    pub(crate) async fn start(behind: &str) -> Self {
        let client = reqwest::Client::builder().tls_backend_preconfigured(adapters::tls::built_in()).build();
        let client = client.expect("a client");
        let way = Way { behind: behind.to_owned(), client, used: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new().fallback(pass_on).with_state(way.clone());
        let server =
            tokio::spawn(async move { axum::serve(listener, app).await.expect("the meter is served") });
        Self { endpoint, way, server }
    }

    pub(crate) fn used(&self) -> Used {
        *self.way.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Passes a call on, asks what it costs, and counts that.
async fn pass_on(State(way): State<Way>, headers: HeaderMap, body: Bytes) -> (StatusCode, Bytes) {
    let mut call: Value = serde_json::from_slice(&body).expect("a call is JSON");
    call["ReturnConsumedCapacity"] = "TOTAL".into();
    let mut request = way.client.post(&way.behind).body(call.to_string());
    for (name, value) in headers.iter().filter(|(name, _)| *name != "content-length" && *name != "host") {
        request = request.header(name, value);
    }
    let response = request.send().await.expect("the database answers");
    let status = response.status();
    let answer = response.bytes().await.expect("a whole answer");
    let action = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let is_write = ["PutItem", "UpdateItem", "DeleteItem"].iter().any(|write| action.ends_with(write));
    let halves = if status.is_success() { halves(&answer) } else { u64::from(is_write) * 2 };
    let mut used = way.used.lock().unwrap_or_else(PoisonError::into_inner);
    match is_write {
        true => used.write_halves += halves,
        false => used.read_halves += halves,
    }
    (status, answer)
}

/// What an answer says that it has used.
fn halves(answer: &Bytes) -> u64 {
    let answer: Value = serde_json::from_slice(answer).expect("an answer is JSON");
    let of = |capacity: &Value| {
        let units = capacity["CapacityUnits"].to_string();
        let (whole, rest) = units.split_once('.').unwrap_or((&units, "0"));
        whole.parse::<u64>().map_or(0, |whole| 2 * whole + u64::from(rest.starts_with('5')))
    };
    match &answer["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().map(of).sum(),
        one => of(one),
    }
}
