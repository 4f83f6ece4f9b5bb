//! Connections kept in the process for half a minute, so that a message costs no read of its connection.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::connection::Connection;
use domain::ports::{Clock, Connections};
use domain::{ConnectionId, Failure};
use jiff::Timestamp;

/// How long a connection is used before it is read again: what a person changes counts after this.
const FRESH: Duration = Duration::from_secs(30);

/// Connections behind a cache. Strangers may ask for as many ids as they like: that costs two reads in half a minute, and
/// no memory.
pub struct CachedConnections {
    behind: Arc<dyn Connections>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
    /// One asks; the others of its batch wait for what it learns.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    connections: HashMap<ConnectionId, (Timestamp, Connection)>,
    /// All ids that there are, as of then.
    ids: Option<(Timestamp, HashSet<ConnectionId>)>,
}

impl Kept {
    /// What is known of this id; none when it must be asked for.
    fn find(&self, id: &ConnectionId, now: Timestamp) -> Option<Option<Connection>> {
        let is_fresh = |since: Timestamp| now.duration_since(since).unsigned_abs() < FRESH;
        match (self.connections.get(id), &self.ids) {
            (Some((since, connection)), _) if is_fresh(*since) => Some(Some(connection.clone())),
            (_, Some((since, ids))) if is_fresh(*since) && !ids.contains(id) => Some(None),
            _ => None,
        }
    }

    fn forget(&mut self, id: &ConnectionId) {
        self.connections.remove(id);
        self.ids = None;
    }
}

impl CachedConnections {
    /// A cache in front of `behind`.
    #[must_use]
    pub fn new(behind: Arc<dyn Connections>, clock: Arc<dyn Clock>) -> Self {
        Self { behind, clock, kept: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Connections for CachedConnections {
    async fn all(&self) -> Result<Vec<Connection>, Failure> {
        self.behind.all().await
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        let now = self.clock.now();
        if let Some(known) = self.kept().find(id, now) {
            return Ok(known);
        }
        let _asking = self.asking.lock().await;
        let now = self.clock.now();
        if let Some(known) = self.kept().find(id, now) {
            return Ok(known);
        }
        let connection = self.behind.get(id).await?;
        match &connection {
            Some(connection) => {
                self.kept().connections.insert(id.clone(), (now, connection.clone()));
            }
            None => {
                let ids = self.behind.all().await?.into_iter().map(|connection| connection.id).collect();
                self.kept().ids = Some((now, ids));
            }
        }
        Ok(connection)
    }

    async fn fresh(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        self.kept().forget(id);
        self.behind.get(id).await
    }

    async fn put(&self, connection: &Connection) -> Result<(), Failure> {
        self.kept().forget(&connection.id);
        self.behind.put(connection).await
    }

    async fn swap(&self, before: &Connection, after: &Connection) -> Result<bool, Failure> {
        self.kept().forget(&after.id);
        self.behind.swap(before, after).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::build;
    use testkit::clock::ManualClock;
    use testkit::model::{ModelConnections, Script};

    #[tokio::test]
    async fn strangers_cost_two_reads_in_half_a_minute_whatever_they_ask_for() {
        let script = Arc::new(Script::default());
        let behind = Arc::new(ModelConnections::new(script.clone()));
        behind.set(&build::connection("main"));
        let clock = Arc::new(ManualClock::jumping(build::noon()));
        let cache = CachedConnections::new(behind.clone(), clock.clone());
        let ask = async |id: &str| cache.get(&id.parse().unwrap()).await.unwrap().is_some();
        for round in 1..=3 {
            for number in 0..500 {
                assert!(!ask(&format!("stranger-{number}")).await);
                assert!(ask("main").await);
            }
            assert_eq!(script.count_all(&["connections."]), 3 * round);
            clock.advance(FRESH);
        }
        assert!(ask("main").await);
        behind.set(&Connection { enabled: false, ..build::connection("main") });
        assert!(cache.get(&"main".parse().unwrap()).await.unwrap().is_some_and(|kept| kept.enabled));
        let fresh = cache.fresh(&"main".parse().unwrap()).await.unwrap();
        assert!(fresh.is_some_and(|now| !now.enabled), "nothing that was kept");
        assert!(cache.get(&"main".parse().unwrap()).await.unwrap().is_some_and(|now| !now.enabled));
        cache.put(&build::connection("stranger-7")).await.unwrap();
        assert!(ask("stranger-7").await, "what is new here counts at once");
    }

    #[tokio::test]
    async fn a_batch_reads_its_connection_once() {
        let script = Arc::new(Script::default());
        script.interleaves();
        let behind = Arc::new(ModelConnections::new(script.clone()));
        behind.set(&build::connection("main"));
        let cache = CachedConnections::new(behind, Arc::new(ManualClock::jumping(build::noon())));
        let id = "main".parse().unwrap();
        let batch = (0..10).map(|_| cache.get(&id));
        assert!(futures_util::future::join_all(batch).await.into_iter().all(|got| got.unwrap().is_some()));
        assert_eq!(script.count_all(&["connections."]), 1);
    }
}
