//! Mappings on DynamoDB: every version is kept, the highest one is in force. In front of it a cache.

mod cache;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use domain::limits::MAPPING_BYTES;
use domain::mapping::{Change, Mapping};
use domain::ports::Mappings;
use domain::{ConnectionId, Failure};
use ring::digest::{SHA256, digest};

pub use cache::CachedMappings;

use super::meter::Meter;
use super::table::{Expression, Item, Range, Row, Table, Written, bytes, number, sk, text};
use crate::codec;

/// Bytes of a compressed mapping in one item; DynamoDB takes 400 KB. Larger ones go into parts.
const PART: usize = 300 * 1024;

/// The mappings in one table. `v#<version>` holds a version with who changed it and why; where it is large,
/// `p#<version>#<hash>#<n>` hold its parts, written before.
pub struct DynamoMappings {
    table: Table,
}

impl DynamoMappings {
    /// The mappings in the table `name`; `meter` counts what the calls cost.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>, meter: Option<Arc<Meter>>) -> Self {
        Self { table: Table::new(client, name, meter) }
    }

    /// The version items of a connection, newest first.
    async fn versions(
        &self,
        during: &'static str,
        connection: &ConnectionId,
        limit: usize,
        strong: bool,
        only: Option<&'static str>,
    ) -> Result<Vec<Item>, Failure> {
        let range = Range {
            strong,
            descending: true,
            limit: Some(limit),
            only,
            ..Range::new(connection.as_str(), "v#", "v#~")
        };
        self.table.all(during, &range, limit).await
    }

    async fn unpacked(&self, connection: &ConnectionId, item: &Item) -> Result<Arc<Mapping>, Failure> {
        let packed = self.packed(connection, item).await?;
        codec::unpack(&packed, MAPPING_BYTES)
            .map(Arc::new)
            .map_err(|e| e.at(READ, connection.as_str(), sk(item)))
    }

    async fn packed(&self, connection: &ConnectionId, item: &Item) -> Result<Vec<u8>, Failure> {
        let (pk, sk) = (connection.as_str(), sk(item));
        if let Some(packed) = bytes(item, "doc") {
            return Ok(packed.to_vec());
        }
        let wrong = |why| codec::Unreadable(why).at(READ, pk, sk);
        let hash = text(item, "hash").ok_or_else(|| wrong("it has neither a mapping nor parts"))?;
        let from = part_key(number(item, "v").unwrap_or(0), hash, 0);
        let to = part_key(number(item, "v").unwrap_or(0), hash, usize::MAX);
        let range = Range { strong: true, ..Range::new(pk, &from, &to) };
        let parts = self.table.all(READ, &range, usize::MAX).await?;
        let whole: Vec<u8> =
            parts.iter().flat_map(|part| bytes(part, "doc").unwrap_or_default()).copied().collect();
        if hash_of(&whole) == hash { Ok(whole) } else { Err(wrong("its parts are not complete")) }
    }
}

const READ: &str = "mappings: read";
const REPLACE: &str = "mappings: replace";

fn version_key(version: u64) -> String {
    format!("v#{version:020}")
}

fn part_key(version: u64, hash: &str, n: usize) -> String {
    format!("p#{version:020}#{hash}#{n:020}")
}

fn hash_of(packed: &[u8]) -> String {
    digest(&SHA256, packed).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn change(during: &'static str, connection: &ConnectionId, item: &Item) -> Result<(u64, Change), Failure> {
    let wrong =
        || codec::Unreadable("its change is not understood").at(during, connection.as_str(), sk(item));
    let change = Change {
        by: text(item, "by").ok_or_else(wrong)?.to_owned(),
        at: text(item, "at").and_then(|at| at.parse().ok()).ok_or_else(wrong)?,
        note: text(item, "note").ok_or_else(wrong)?.to_owned(),
    };
    Ok((number(item, "v").ok_or_else(wrong)?, change))
}

#[async_trait]
impl Mappings for DynamoMappings {
    async fn current(&self, connection: &ConnectionId) -> Result<Arc<Mapping>, Failure> {
        let newest = self.versions(READ, connection, 1, true, None).await?;
        let Some(item) = newest.first() else { return Ok(Arc::default()) };
        self.unpacked(connection, item).await
    }

    async fn at(&self, connection: &ConnectionId, version: u64) -> Result<Option<Arc<Mapping>>, Failure> {
        if version == 0 {
            return Ok(Some(Arc::default()));
        }
        let item = self.table.get(READ, connection.as_str(), &version_key(version), true).await?;
        match &item {
            Some(item) => self.unpacked(connection, item).await.map(Some),
            None => Ok(None),
        }
    }

    async fn replace(
        &self,
        connection: &ConnectionId,
        mapping: &Mapping,
        change: &Change,
    ) -> Result<bool, Failure> {
        let newest = self.versions(REPLACE, connection, 1, true, Some("v")).await?;
        let there = newest.first().and_then(|item| number(item, "v")).unwrap_or(0);
        // The version before must be there; that ours is not, the write itself makes sure of.
        if there.saturating_add(1) < mapping.version || mapping.version == 0 {
            return Ok(false);
        }
        let packed = codec::pack(REPLACE, mapping, MAPPING_BYTES)?;
        let hash = hash_of(&packed);
        let mut row = Row::new(connection.as_str(), version_key(mapping.version))
            .number("v", mapping.version)
            .text("hash", &hash)
            .text("by", &change.by)
            .text("at", change.at.to_string())
            .text("note", &change.note);
        if packed.len() <= PART {
            row = row.bytes("doc", packed);
        } else {
            for (n, part) in packed.chunks(PART).enumerate() {
                let part = Row::new(connection.as_str(), part_key(mapping.version, &hash, n))
                    .bytes("doc", part.to_vec());
                self.table.put(REPLACE, part, None).await?;
            }
        }
        let absent = Expression::new("attribute_not_exists(pk)");
        match self.table.put(REPLACE, row, Some(absent)).await? {
            Written::Done => Ok(true),
            Written::Refused(there) => Ok(there.is_some_and(|item| is_ours(&item, &hash, change))),
        }
    }

    async fn history(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<(u64, Change)>, Failure> {
        const DURING: &str = "mappings: read history";
        let items = self.versions(DURING, connection, limit, false, None).await?;
        items.iter().map(|item| self::change(DURING, connection, item)).collect()
    }
}

/// Is what is there the very change that we are making, written by an earlier try?
fn is_ours(item: &Item, hash: &str, change: &Change) -> bool {
    text(item, "hash") == Some(hash)
        && text(item, "by") == Some(&change.by)
        && text(item, "note") == Some(&change.note)
        && text(item, "at") == Some(&change.at.to_string())
}
