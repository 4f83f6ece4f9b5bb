//! Connections, their mappings and their partners in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::connection::Connection;
use domain::mapping::{Change, Mapping};
use domain::ports::{Connections, Mappings, Partners, Store};
use domain::warehouse::Warehouse;
use domain::{ConnectionId, Failure};

use super::{Gate, ModelStore, ModelWarehouse, World, inside};

/// The connections in memory. Effects are called `connections.…`.
pub struct ModelConnections {
    gate: Gate,
    all: Mutex<BTreeMap<ConnectionId, Connection>>,
    /// What a cache in front gives, where there is one.
    cached: Mutex<Option<BTreeMap<ConnectionId, Connection>>>,
}

impl ModelConnections {
    /// No connection yet.
    #[must_use]
    pub fn new(world: Arc<dyn World>) -> Self {
        Self { gate: Gate(world), all: Mutex::default(), cached: Mutex::default() }
    }

    /// From now on a cache in front gives the connections as they are now, whatever becomes of them.
    pub fn cache(&self) {
        *inside(&self.cached) = Some(inside(&self.all).clone());
    }

    /// Puts one in or replaces it, past all fates.
    pub fn set(&self, connection: &Connection) {
        inside(&self.all).insert(connection.id.clone(), connection.clone());
    }
}

#[async_trait]
impl Connections for ModelConnections {
    async fn all(&self) -> Result<Vec<Connection>, Failure> {
        self.gate.through("connections.all", || inside(&self.all).values().cloned().collect()).await
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        let cached = || inside(&self.cached).as_ref().map(|cached| cached.get(id).cloned());
        let get = || cached().unwrap_or_else(|| inside(&self.all).get(id).cloned());
        self.gate.through("connections.get", get).await
    }

    async fn fresh(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        self.gate.through("connections.get", || inside(&self.all).get(id).cloned()).await
    }

    async fn put(&self, connection: &Connection) -> Result<(), Failure> {
        self.gate.through("connections.put", || self.set(connection)).await
    }

    async fn swap(&self, before: &Connection, after: &Connection) -> Result<bool, Failure> {
        let swap = || {
            let mut all = inside(&self.all);
            let is_same = all.get(&before.id) == Some(before);
            if is_same {
                all.insert(after.id.clone(), after.clone());
            }
            is_same
        };
        self.gate.through("connections.swap", swap).await
    }
}

/// The versions of one mapping, oldest first.
type Versions = Vec<(Arc<Mapping>, Change)>;

/// The mappings in memory. Effects are called `mappings.…`.
pub struct ModelMappings {
    gate: Gate,
    versions: Mutex<BTreeMap<ConnectionId, Versions>>,
}

impl ModelMappings {
    /// Nobody has mapped anything yet.
    #[must_use]
    pub fn new(world: Arc<dyn World>) -> Self {
        Self { gate: Gate(world), versions: Mutex::default() }
    }

    /// Replaces the mapping, past all fates. False: its version is not the next one.
    pub fn set(&self, connection: &ConnectionId, mapping: &Mapping, change: &Change) -> bool {
        let mut all = inside(&self.versions);
        let versions = all.entry(connection.clone()).or_default();
        let current = versions.last().map_or(0, |(mapping, _)| mapping.version);
        let ours = versions.last().is_some_and(|(there, by)| **there == *mapping && by == change);
        let is_next = mapping.version == current + 1;
        if is_next {
            versions.push((Arc::new(mapping.clone()), change.clone()));
        }
        is_next || ours
    }
}

#[async_trait]
impl Mappings for ModelMappings {
    async fn current(&self, connection: &ConnectionId) -> Result<Arc<Mapping>, Failure> {
        let current = || {
            let all = inside(&self.versions);
            all.get(connection).and_then(|versions| versions.last()).map(|(mapping, _)| mapping.clone())
        };
        Ok(self.gate.through("mappings.current", current).await?.unwrap_or_default())
    }

    async fn replace(
        &self,
        connection: &ConnectionId,
        mapping: &Mapping,
        change: &Change,
    ) -> Result<bool, Failure> {
        self.gate.through("mappings.replace", || self.set(connection, mapping, change)).await
    }

    async fn at(&self, connection: &ConnectionId, version: u64) -> Result<Option<Arc<Mapping>>, Failure> {
        let at = || {
            let all = inside(&self.versions);
            let mut versions = all.get(connection).into_iter().flatten();
            let found = versions.find(|(mapping, _)| mapping.version == version);
            found.map(|(mapping, _)| mapping.clone()).or_else(|| (version == 0).then(Arc::default))
        };
        self.gate.through("mappings.at", at).await
    }

    async fn history(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<(u64, Change)>, Failure> {
        let history = || {
            let all = inside(&self.versions);
            let versions = all.get(connection).into_iter().flatten().rev().take(limit);
            versions.map(|(mapping, change)| (mapping.version, change.clone())).collect()
        };
        self.gate.through("mappings.history", history).await
    }
}

/// The two sides of one connection.
type Sides = (Arc<ModelStore>, Arc<ModelWarehouse>);

/// The stores and warehouses in memory. Effects are called `partners.…`.
pub struct ModelPartners {
    gate: Gate,
    sides: Mutex<BTreeMap<ConnectionId, Sides>>,
}

impl ModelPartners {
    /// No partner yet.
    #[must_use]
    pub fn new(world: Arc<dyn World>) -> Self {
        Self { gate: Gate(world), sides: Mutex::default() }
    }

    /// Joins a store to a warehouse.
    pub fn join(&self, id: &ConnectionId, store: Arc<ModelStore>, warehouse: Arc<ModelWarehouse>) {
        inside(&self.sides).insert(id.clone(), (store, warehouse));
    }

    fn sides(&self, id: &ConnectionId) -> Result<Sides, Failure> {
        let sides = inside(&self.sides).get(id).cloned();
        sides.ok_or_else(|| Failure::permanent("open connection", format!("{id} has no partners")))
    }
}

#[async_trait]
impl Partners for ModelPartners {
    async fn store(&self, connection: &Connection) -> Result<Store, Failure> {
        self.gate
            .through("partners.store", || self.sides(&connection.id))
            .await?
            .map(|(store, _)| store.port())
    }

    async fn warehouse(&self, connection: &Connection) -> Result<Arc<Warehouse>, Failure> {
        let (_, warehouse) = self.gate.through("partners.warehouse", || self.sides(&connection.id)).await??;
        Ok(Arc::new(warehouse.port()))
    }
}
