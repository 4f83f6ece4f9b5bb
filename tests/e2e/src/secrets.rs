//! Secrets Manager, as far as a function asks it: the value of a secret by its name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What there is, by name, and how often somebody asked.
#[derive(Default)]
struct Kept {
    secrets: BTreeMap<String, String>,
    asked: u64,
}

type Shared = Arc<Mutex<Kept>>;

fn look(kept: &Shared) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running Secrets Manager. Dropping it closes its port.
pub struct SecretsManager {
    pub(crate) endpoint: String,
    kept: Shared,
    server: JoinHandle<()>,
}

impl SecretsManager {
    pub(crate) async fn start() -> Self {
        let kept = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new().route("/", post(value)).with_state(kept.clone());
        let server =
            tokio::spawn(async move { axum::serve(listener, app).await.expect("the secrets are served") });
        Self { endpoint, kept, server }
    }

    /// Puts a secret in, or replaces it.
    pub fn put(&self, name: &str, secret: &str) {
        look(&self.kept).secrets.insert(name.to_owned(), secret.to_owned());
    }

    /// How often somebody asked.
    #[must_use]
    pub fn asked(&self) -> u64 {
        look(&self.kept).asked
    }
}

impl Drop for SecretsManager {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn value(State(kept): State<Shared>, body: String) -> (StatusCode, String) {
    let call: Value = serde_json::from_str(&body).expect("a call is JSON");
    let name = call["SecretId"].as_str().expect("the name of a secret");
    let mut kept = look(&kept);
    kept.asked += 1;
    match kept.secrets.get(name) {
        Some(secret) => (StatusCode::OK, json!({ "Name": name, "SecretString": secret }).to_string()),
        None => (StatusCode::BAD_REQUEST, json!({ "__type": "ResourceNotFoundException" }).to_string()),
    }
}
