//! What is noted about a connection beside its orders: the daily reconciliation, what people said about issues, and what
//! people were told.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::ids::ConnectionId;
use crate::reconciliation::Reconciliation;

/// Where the daily reconciliation of a connection stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daily {
    /// When the next one begins.
    pub due: Timestamp,
    /// The one that has begun and is not finished, because its time was up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Reconciliation>,
    /// The last one that was finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Reconciliation>,
}

/// What people said about an issue: about everything that waits for one cause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The issue's id.
    #[serde(skip)]
    pub issue: String,
    /// Counts up with every write; 0 when nobody has said anything yet.
    #[serde(skip)]
    pub version: u64,
    /// Who takes care of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<String>,
    /// Nobody wants to hear of it: its orders wait, and it does not count as something that needs attention.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignored: bool,
    /// What was said, oldest first; the last of them are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Said>,
}

/// One thing that a person said about an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What.
    pub text: String,
}

/// What the people who look after a connection were told, and have not been told the end of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When they were last told something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What is open, by its id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<String, Opened>,
    /// When the store was last asked whether its orders are in the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polled_at: Option<Timestamp>,
}

/// Something that people were told is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Since when it is so.
    pub since: Timestamp,
    /// What was said of it.
    pub sentence: String,
}

/// Keeps what is noted about connections.
#[async_trait]
pub trait Notes: Send + Sync {
    /// Where the daily reconciliation stands; none before the first look.
    async fn daily(&self, connection: &ConnectionId) -> Result<Option<Daily>, Failure>;
    /// Replaces that. The last writer counts: two that reconcile at the same time come to the same.
    async fn set_daily(&self, connection: &ConnectionId, daily: &Daily) -> Result<(), Failure>;
    /// What people said about the issues of a connection, by the issues' ids. Sees every finished write.
    async fn marks(&self, connection: &ConnectionId) -> Result<Vec<Mark>, Failure>;
    /// Replaces what was said about one issue, if `mark.version` is still what is there, and counts that up. False: it
    /// was not.
    async fn set_mark(&self, connection: &ConnectionId, mark: &Mark) -> Result<bool, Failure>;
    /// What people were told; none before they were told anything. Sees every finished write.
    async fn told(&self, connection: &ConnectionId) -> Result<Option<Told>, Failure>;
    /// Replaces that. The last writer counts: two that tell at the same time tell the same.
    async fn set_told(&self, connection: &ConnectionId, told: &Told) -> Result<(), Failure>;
}
