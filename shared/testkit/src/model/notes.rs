//! What is noted about connections, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::notes::{Daily, Mark, Notes, Told};
use domain::{ConnectionId, Failure};

use super::{Gate, World, inside};

/// The notes in memory. Effects are called `notes.…`.
pub struct ModelNotes {
    gate: Gate,
    daily: Mutex<BTreeMap<ConnectionId, Daily>>,
    marks: Mutex<BTreeMap<(ConnectionId, String), Mark>>,
    told: Mutex<BTreeMap<ConnectionId, Told>>,
}

impl ModelNotes {
    /// Nothing is noted yet.
    #[must_use]
    pub fn new(world: Arc<dyn World>) -> Self {
        Self { gate: Gate(world), daily: Mutex::default(), marks: Mutex::default(), told: Mutex::default() }
    }

    fn replace(&self, connection: &ConnectionId, mark: &Mark) -> bool {
        let mut marks = inside(&self.marks);
        let key = (connection.clone(), mark.issue.clone());
        let fits = marks.get(&key).map_or(0, |known| known.version) == mark.version;
        if fits {
            marks.insert(key, Mark { version: mark.version + 1, ..mark.clone() });
        }
        fits
    }
}

#[async_trait]
impl Notes for ModelNotes {
    async fn daily(&self, connection: &ConnectionId) -> Result<Option<Daily>, Failure> {
        self.gate.through("notes.daily", || inside(&self.daily).get(connection).cloned()).await
    }

    async fn set_daily(&self, connection: &ConnectionId, daily: &Daily) -> Result<(), Failure> {
        let set = || {
            inside(&self.daily).insert(connection.clone(), daily.clone());
        };
        self.gate.through("notes.set_daily", set).await
    }

    async fn marks(&self, connection: &ConnectionId) -> Result<Vec<Mark>, Failure> {
        let marks = || {
            let marks = inside(&self.marks);
            marks.iter().filter(|((of, _), _)| of == connection).map(|(_, mark)| mark.clone()).collect()
        };
        self.gate.through("notes.marks", marks).await
    }

    async fn set_mark(&self, connection: &ConnectionId, mark: &Mark) -> Result<bool, Failure> {
        self.gate.through("notes.set_mark", || self.replace(connection, mark)).await
    }

    async fn told(&self, connection: &ConnectionId) -> Result<Option<Told>, Failure> {
        self.gate.through("notes.told", || inside(&self.told).get(connection).cloned()).await
    }

    async fn set_told(&self, connection: &ConnectionId, told: &Told) -> Result<(), Failure> {
        let set = || {
            inside(&self.told).insert(connection.clone(), told.clone());
        };
        self.gate.through("notes.set_told", set).await
    }
}
