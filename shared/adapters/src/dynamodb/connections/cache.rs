//! Connections kept in the process for half a minute, so that a message costs no read of its connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::connection::Connection;
use domain::ports::{Clock, Connections};
use domain::{ConnectionId, Failure};
use jiff::Timestamp;

/// How long a connection is used before it is read again: what a person changes counts after this.
const FRESH: Duration = Duration::from_secs(30);

/// Connections behind a cache.
pub struct CachedConnections {
    behind: Arc<dyn Connections>,
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<ConnectionId, (Timestamp, Option<Connection>)>>,
}

impl CachedConnections {
    /// A cache in front of `behind`.
    #[must_use]
    pub fn new(behind: Arc<dyn Connections>, clock: Arc<dyn Clock>) -> Self {
        Self { behind, clock, kept: Mutex::default() }
    }
}

#[async_trait]
impl Connections for CachedConnections {
    async fn all(&self) -> Result<Vec<Connection>, Failure> {
        self.behind.all().await
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        let now = self.clock.now();
        if let Some((since, connection)) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(id)
            && now.duration_since(*since).unsigned_abs() < FRESH
        {
            return Ok(connection.clone());
        }
        let connection = self.behind.get(id).await?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Strangers' ids in webhook addresses must not fill the memory.
        if kept.len() > 10_000 {
            kept.clear();
        }
        kept.insert(id.clone(), (now, connection.clone()));
        Ok(connection)
    }

    async fn put(&self, connection: &Connection) -> Result<(), Failure> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&connection.id);
        self.behind.put(connection).await
    }
}
