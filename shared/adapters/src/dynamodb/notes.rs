//! What is noted about connections, in the ledger's table beside their orders.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use domain::limits::RECORD_BYTES;
use domain::notes::{Daily, Mark, Notes, Told};
use domain::{ConnectionId, Failure};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys;
use super::table::{Expression, Range, Row, Table, Written, bytes, number, sk};
use crate::codec;

/// Notes as items of the connection's partition: who erases that erases them.
pub struct DynamoNotes {
    table: Table,
}

impl DynamoNotes {
    /// The notes in the ledger's table `name`.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { table: Table::new(client, name, None) }
    }

    /// The one note of a connection with this key.
    async fn read<T: DeserializeOwned>(
        &self,
        during: &'static str,
        connection: &ConnectionId,
        key: &str,
        strong: bool,
    ) -> Result<Option<T>, Failure> {
        let pk = connection.as_str();
        let Some(item) = self.table.get(during, pk, key, strong).await? else { return Ok(None) };
        let read = codec::unpack(bytes(&item, "doc").unwrap_or_default(), RECORD_BYTES);
        read.map(Some).map_err(|e| e.at(during, pk, key))
    }

    async fn write<T: Serialize + Sync>(
        &self,
        during: &'static str,
        connection: &ConnectionId,
        key: &str,
        note: &T,
    ) -> Result<(), Failure> {
        let row = Row::new(connection.as_str(), key).bytes("doc", codec::pack(during, note, RECORD_BYTES)?);
        self.table.put(during, row, None).await.map(|_| ())
    }
}

#[async_trait]
impl Notes for DynamoNotes {
    async fn daily(&self, connection: &ConnectionId) -> Result<Option<Daily>, Failure> {
        self.read("notes: read reconciliation", connection, keys::DAILY, false).await
    }

    async fn set_daily(&self, connection: &ConnectionId, daily: &Daily) -> Result<(), Failure> {
        self.write("notes: write reconciliation", connection, keys::DAILY, daily).await
    }

    async fn marks(&self, connection: &ConnectionId) -> Result<Vec<Mark>, Failure> {
        const DURING: &str = "notes: read issues";
        let pk = connection.as_str();
        let range = Range { strong: true, ..Range::new(pk, keys::ISSUES_START, keys::ISSUES_END) };
        let mut marks = Vec::new();
        for item in self.table.all(DURING, &range, usize::MAX).await? {
            let read: Mark = codec::unpack(bytes(&item, "doc").unwrap_or_default(), RECORD_BYTES)
                .map_err(|e| e.at(DURING, pk, sk(&item)))?;
            let issue = sk(&item).strip_prefix(keys::ISSUES_START).unwrap_or_default().to_owned();
            marks.push(Mark { issue, version: number(&item, "v").unwrap_or(0), ..read });
        }
        Ok(marks)
    }

    async fn set_mark(&self, connection: &ConnectionId, mark: &Mark) -> Result<bool, Failure> {
        const DURING: &str = "notes: write issue";
        let row = Row::new(connection.as_str(), keys::issue(&mark.issue))
            .number("v", mark.version + 1)
            .bytes("doc", codec::pack(DURING, mark, RECORD_BYTES)?);
        let still = match mark.version {
            0 => Expression::new("attribute_not_exists(pk)"),
            version => Expression::new("v = :before").with(Row::default().number(":before", version)),
        };
        Ok(matches!(self.table.put(DURING, row, Some(still)).await?, Written::Done))
    }

    async fn told(&self, connection: &ConnectionId) -> Result<Option<Told>, Failure> {
        self.read("notes: read what was told", connection, keys::TOLD, true).await
    }

    async fn set_told(&self, connection: &ConnectionId, told: &Told) -> Result<(), Failure> {
        self.write("notes: write what was told", connection, keys::TOLD, told).await
    }
}
