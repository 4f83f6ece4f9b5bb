//! DynamoDB's API in memory, behind an HTTP endpoint, with the two tables made.

use adapters::clock::SystemClock;
use adapters::dynamodb::{Client, DynamoConnections, DynamoMappings, Names, tables};
use domain::connection::Connection;
use domain::mapping::{Change, Mapping};
use domain::ports::{Clock, Connections, Mappings};
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
        let client = Client::new(&adapters::aws::local(&endpoint));
        let database = Self { endpoint, client, names: Names::default(), server };
        database.create().await;
        database
    }

    /// Puts a connection and its mapping, which is the first one, into the tables.
    pub(crate) async fn enter(&self, connection: &Connection, mapping: &Mapping) {
        self.put(connection).await;
        let mappings = DynamoMappings::new(self.client.clone(), &self.names.mappings, None);
        let change = Change { by: "test".to_owned(), at: SystemClock.now(), note: String::new() };
        let replaced = mappings.replace(&connection.id, mapping, &change).await;
        assert!(replaced.expect("the mapping is in the table"));
    }

    /// Puts a connection into the table, or replaces it.
    pub(crate) async fn put(&self, connection: &Connection) {
        let connections = DynamoConnections::new(self.client.clone(), &self.names.ledger, None);
        connections.put(connection).await.expect("the connection is in the table");
    }

    /// Bytes in the ledger's table: names and values of all attributes.
    pub(crate) async fn stored(&self) -> u64 {
        let mut pages = self.client.scan().table_name(&self.names.ledger).into_paginator().items().send();
        let mut bytes = 0;
        while let Some(item) = pages.next().await {
            let item = item.expect("the database answers");
            for (name, value) in &item {
                let text = value.as_s().map(String::len);
                let size = text.or_else(|_| value.as_b().map(|bytes| bytes.as_ref().len()));
                let digits = value.as_n().map_or(0, |digits| digits.len().div_ceil(2) + 1);
                bytes += (name.len() + size.unwrap_or(digits)) as u64;
            }
        }
        bytes
    }

    /// Deletes both tables with everything in them.
    pub(crate) async fn delete(&self) {
        for name in [&self.names.ledger, &self.names.mappings] {
            self.client.delete_table().table_name(name).send().await.expect("the table is deleted");
        }
    }

    /// Makes both tables, empty.
    pub(crate) async fn create(&self) {
        tables::create(&self.client, &self.names).await.expect("the tables are made");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.server.abort();
    }
}
