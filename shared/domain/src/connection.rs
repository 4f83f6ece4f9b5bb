//! A connection: one store joined to one warehouse, with its settings and policies.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::ConnectionId;
use crate::life::later;
use crate::policy::Policies;

/// Settings of one side, by name. Secrets are references (`@env:NAME`, `@file:PATH`, `@secret:NAME`), never values.
pub type SettingMap = BTreeMap<String, String>;

/// How often a connection is polled, in minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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

/// By how much the store's clock may be ahead of the one that said when a ledger was lost.
const SKEW: Duration = Duration::from_secs(10 * 60);

/// What the ledger knows of the time before it. A ledger that was lost leaves orders behind that it had sent, so a new one
/// must not take them for new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// Nobody has said: nothing is imported, sent or posted.
    #[default]
    Unknown,
    /// The ledger is new, or an earlier one was lost: the store is read from the start date on, and nothing is sent or
    /// posted before all of it is in the ledger.
    Rebuilding {
        /// Orders placed later cannot have been sent. None: every order that the store lists may have been.
        lost_at: Option<Timestamp>,
    },
    /// Whatever was sent for an order is in the ledger.
    Known {
        /// But for orders placed before this instant that the store did not show while it was read.
        since: Timestamp,
    },
}

impl History {
    /// An order placed before this instant that the ledger does not have may have been sent all the same.
    #[must_use]
    pub fn doubtful_before(self) -> Timestamp {
        match self {
            Self::Unknown => Timestamp::MAX,
            Self::Rebuilding { lost_at } => lost_at.map_or(Timestamp::MAX, |at| later(at, SKEW)),
            Self::Known { since } => since,
        }
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
    /// What its ledger knows of the time before it.
    #[serde(default)]
    pub history: History,
}

impl Connection {
    /// May its orders be sent and its tracking posted?
    #[must_use]
    pub fn runs(&self) -> bool {
        self.enabled && self.is_complete()
    }

    /// Is everything in the ledger that was sent, so that news of orders find their orders?
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self.history, History::Known { .. })
    }

    /// May its store be read into the ledger?
    #[must_use]
    pub fn imports(&self) -> bool {
        self.enabled && self.history != History::Unknown
    }
}
