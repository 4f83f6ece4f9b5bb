//! The connections of this deployment, in the ledger's table.

mod cache;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use domain::connection::Connection;
use domain::ports::Connections;
use domain::{ConnectionId, Failure};

pub use cache::CachedConnections;

use super::keys;
use super::meter::Meter;
use super::table::{Expression, Item, Range, Row, Table, Written, sk, text};

/// Connections as items of their own, readable JSON: secrets are references in them.
pub struct DynamoConnections {
    table: Table,
    /// Does reading all of them see every finished write?
    is_strong: bool,
}

impl DynamoConnections {
    /// The connections in the ledger's table `name`.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>, meter: Option<Arc<Meter>>) -> Self {
        Self { table: Table::new(client, name, meter), is_strong: true }
    }

    /// The same for who reads all of them every minute: what was written in the last second may be seen a minute later, for
    /// half the price.
    #[must_use]
    pub fn relaxed(self) -> Self {
        Self { is_strong: false, ..self }
    }
}

const READ: &str = "ledger: read connections";

const WRITE: &str = "ledger: write connection";

fn row(connection: &Connection) -> Result<Row, Failure> {
    let doc = serde_json::to_string(connection)
        .map_err(|_| Failure::permanent(WRITE, "the connection has no JSON form"))?;
    Ok(Row::new(keys::CONNECTIONS, connection.id.as_str()).text("doc", doc))
}

fn connection(item: &Item) -> Result<Connection, Failure> {
    let doc = text(item, "doc").unwrap_or_default();
    serde_json::from_str(doc).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        Failure::poison(READ, format!("item {} {}: not a connection at {place}", keys::CONNECTIONS, sk(item)))
    })
}

#[async_trait]
impl Connections for DynamoConnections {
    async fn all(&self) -> Result<Vec<Connection>, Failure> {
        let range = Range { strong: self.is_strong, ..Range::new(keys::CONNECTIONS, "-", "~") };
        self.table.all(READ, &range, usize::MAX).await?.iter().map(connection).collect()
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        let item = self.table.get(READ, keys::CONNECTIONS, id.as_str(), true).await?;
        item.as_ref().map(connection).transpose()
    }

    async fn put(&self, wanted: &Connection) -> Result<(), Failure> {
        self.table.put(WRITE, row(wanted)?, None).await.map(|_| ())
    }

    /// Another version may have written what is there in other words: its text is what must not have changed.
    async fn swap(&self, before: &Connection, after: &Connection) -> Result<bool, Failure> {
        let item = self.table.get(READ, keys::CONNECTIONS, before.id.as_str(), true).await?;
        let Some(item) = item.filter(|item| connection(item).is_ok_and(|there| there == *before)) else {
            return Ok(false);
        };
        let doc = text(&item, "doc").unwrap_or_default();
        let still = Expression::new("doc = :before").with(Row::default().text(":before", doc));
        Ok(matches!(self.table.put(WRITE, row(after)?, Some(still)).await?, Written::Done))
    }
}
