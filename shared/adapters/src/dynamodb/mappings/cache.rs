//! Mappings kept in the process: fresh for half a minute, and the last good ones for a day when DynamoDB cannot be read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::mapping::{Change, Mapping};
use domain::ports::{Clock, Mappings};
use domain::{ConnectionId, Failure};
use jiff::Timestamp;

/// How long a mapping is used before it is read again: what a person changes counts after this.
const FRESH: Duration = Duration::from_secs(30);
/// How long the last good mapping is used when it cannot be read: orders go on while DynamoDB is away.
const USABLE: Duration = Duration::from_secs(24 * 3600);

/// Mappings behind a cache.
pub struct CachedMappings {
    behind: Arc<dyn Mappings>,
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<ConnectionId, (Timestamp, Arc<Mapping>)>>,
    /// One asks; the others of its batch wait for what it learns.
    asking: tokio::sync::Mutex<()>,
}

impl CachedMappings {
    /// A cache in front of `behind`.
    #[must_use]
    pub fn new(behind: Arc<dyn Mappings>, clock: Arc<dyn Clock>) -> Self {
        Self { behind, clock, kept: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// What is kept, when it is no older than `age`.
    fn kept(&self, connection: &ConnectionId, age: Duration) -> Option<Arc<Mapping>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, mapping) = kept.get(connection)?;
        (self.clock.now().duration_since(*since).unsigned_abs() < age).then(|| mapping.clone())
    }

    fn keep(&self, connection: &ConnectionId, mapping: Arc<Mapping>) {
        let kept = (self.clock.now(), mapping);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(connection.clone(), kept);
    }
}

#[async_trait]
impl Mappings for CachedMappings {
    async fn current(&self, connection: &ConnectionId) -> Result<Arc<Mapping>, Failure> {
        if let Some(mapping) = self.kept(connection, FRESH) {
            return Ok(mapping);
        }
        let _asking = self.asking.lock().await;
        if let Some(mapping) = self.kept(connection, FRESH) {
            return Ok(mapping);
        }
        match self.behind.current(connection).await {
            Ok(mapping) => {
                self.keep(connection, mapping.clone());
                Ok(mapping)
            }
            Err(failure) => match self.kept(connection, USABLE) {
                Some(mapping) => {
                    let (kind, during) = (failure.kind.word(), failure.during);
                    tracing::warn!(
                        connection.id = %connection, failure.kind = kind, failure.during = during,
                        "the mapping of {connection} cannot be read, version {} goes on: {failure}", mapping.version
                    );
                    Ok(mapping)
                }
                None => Err(failure),
            },
        }
    }

    async fn replace(
        &self,
        connection: &ConnectionId,
        mapping: &Mapping,
        change: &Change,
    ) -> Result<bool, Failure> {
        let replaced = self.behind.replace(connection, mapping, change).await;
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).entry(connection.clone()).and_modify(
            // No longer fresh, still usable: what is in force now is for the next read to say.
            |(since, _)| *since = since.checked_sub(FRESH).unwrap_or(*since),
        );
        replaced
    }

    async fn at(&self, connection: &ConnectionId, version: u64) -> Result<Option<Arc<Mapping>>, Failure> {
        self.behind.at(connection, version).await
    }

    async fn history(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<(u64, Change)>, Failure> {
        self.behind.history(connection, limit).await
    }
}
