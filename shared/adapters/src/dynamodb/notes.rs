//! What is noted about connections, in the ledger's table beside their orders.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use domain::limits::RECORD_BYTES;
use domain::notes::{Daily, Mark, Notes};
use domain::{ConnectionId, Failure};

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
}

#[async_trait]
impl Notes for DynamoNotes {
    async fn daily(&self, connection: &ConnectionId) -> Result<Option<Daily>, Failure> {
        const DURING: &str = "notes: read reconciliation";
        let pk = connection.as_str();
        let Some(item) = self.table.get(DURING, pk, keys::DAILY, false).await? else { return Ok(None) };
        let read = codec::unpack(bytes(&item, "doc").unwrap_or_default(), RECORD_BYTES);
        read.map(Some).map_err(|e| e.at(DURING, pk, keys::DAILY))
    }

    async fn set_daily(&self, connection: &ConnectionId, daily: &Daily) -> Result<(), Failure> {
        const DURING: &str = "notes: write reconciliation";
        let doc = codec::pack(DURING, daily, RECORD_BYTES)?;
        let row = Row::new(connection.as_str(), keys::DAILY).bytes("doc", doc);
        self.table.put(DURING, row, None).await.map(|_| ())
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
}
