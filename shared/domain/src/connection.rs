//! A connection: one store joined to one warehouse, with its settings and policies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::ConnectionId;
use crate::policy::Policies;

/// Settings of one side, by name. Secrets are references (`@env:NAME`, `@file:PATH`, `@secret:NAME`), never values.
pub type SettingMap = BTreeMap<String, String>;

/// How often a connection is polled, in minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Minutes between two polls of the store.
    pub orders_minutes: u32,
    /// Minutes between two polls of the warehouse's shipments.
    pub shipments_minutes: u32,
    /// Minutes of overlap of two windows; orders that the store lists late are still found (dossier section 2).
    pub overlap_minutes: u32,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { orders_minutes: 5, shipments_minutes: 5, overlap_minutes: 48 * 60 }
    }
}

/// One store joined to one warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its id, part of every key.
    pub id: ConnectionId,
    /// What people call it.
    pub name: String,
    /// Does it run? A new connection does not.
    pub enabled: bool,
    /// Settings of the store, for its adapter.
    pub store: SettingMap,
    /// Settings of the warehouse, for its adapter; `kind` names the adapter.
    pub warehouse: SettingMap,
    /// What it decides for itself.
    #[serde(default)]
    pub policies: Policies,
    /// How often it is polled.
    #[serde(default)]
    pub schedule: Schedule,
}
