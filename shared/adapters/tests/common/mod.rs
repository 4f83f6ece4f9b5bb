//! What the adapters' tests share: a DynamoDB in this process, and the endpoints that a person may name.
#![allow(dead_code, reason = "each test uses its own part")]
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests fail by panicking and say what they skip"
)]

pub(crate) mod sqs_server;

use std::path::Path;

use adapters::dynamodb::Client;
use adapters::dynamodb::tables::{self, Names};

/// Starts DynamoDB's API on a SQLite file, or in memory, on a free port of this machine. Returns its address.
pub(crate) async fn start(path: Option<&Path>) -> String {
    let database = match path {
        Some(path) => dynoxide::Database::new(path.to_str().expect("a path in UTF-8")),
        None => dynoxide::Database::memory(),
    };
    let database = database.expect("a database");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    format!("http://{address}")
}

/// A client for an endpoint, with both tables there.
pub(crate) async fn client(endpoint: &str) -> (Client, Names) {
    let client = Client::new(&adapters::aws::local(endpoint));
    let names = Names::default();
    tables::create(&client, &names).await.expect("tables");
    (client, names)
}

/// A client of an engine of its own, in memory.
pub(crate) async fn in_memory() -> (Client, Names) {
    client(&start(None).await).await
}

/// An endpoint that a person named in the environment; says so when there is none.
#[expect(clippy::disallowed_methods, reason = "a test's own switch")]
pub(crate) fn named_endpoint(variable: &str) -> Option<String> {
    let endpoint = std::env::var(variable).ok();
    if endpoint.is_none() {
        println!("skipped: {variable} is not set, so nothing was tried against a real service");
    }
    endpoint
}

/// A word that is new for every run: what the contracts write under.
pub(crate) fn run() -> String {
    use domain::ports::Randomness;
    format!("t{}", adapters::clock::SystemRandomness::default().token())
}
