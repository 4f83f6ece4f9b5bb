//! DynamoDB's API in memory, behind an HTTP endpoint, with the two tables made.

use adapters::dynamodb::{Client, Names, tables};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running database. Dropping it closes its port.
pub(crate) struct Database {
    pub(crate) endpoint: String,
    pub(crate) client: Client,
    pub(crate) names: Names,
    server: JoinHandle<()>,
}

impl Database {
    pub(crate) async fn start() -> Self {
        let engine = dynoxide::Database::memory().expect("a database in memory");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move {
            let served =
                dynoxide::server::serve_with_shutdown(listener, engine, std::future::pending()).await;
            served.expect("the database is served");
        });
        let client = Client::new(&adapters::aws::local(&endpoint).await);
        let names = Names::default();
        tables::create(&client, &names).await.expect("the tables are made");
        Self { endpoint, client, names, server }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.server.abort();
    }
}
