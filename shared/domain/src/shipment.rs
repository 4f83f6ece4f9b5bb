//! What the warehouse says it shipped (X12 945, warehouse shipping advice), and what became of it in the store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::carrier::Tracking;
use crate::ids::{PackageId, Reference, Token, WarehouseOrderId};
use crate::mapping::WarehouseSku;

/// What a package holds, as far as the warehouse tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contents {
    /// The warehouse does not say, or says that it is the whole order (or its last part).
    Everything,
    /// It says that more will follow, not what this one holds.
    Part,
    /// These pieces.
    Lines(Vec<(WarehouseSku, u32)>),
}

/// One package, as a warehouse reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipmentNotice {
    /// Our reference, which names the order.
    pub reference: Reference,
    /// The warehouse's id of the order, where it tells.
    pub warehouse_order: Option<WarehouseOrderId>,
    /// The warehouse's id of the package.
    pub package: PackageId,
    /// When it left; when we heard of it, where the warehouse does not tell.
    pub shipped_at: Option<Timestamp>,
    /// Carrier and number; none for a package without tracking.
    pub tracking: Option<Tracking>,
    /// What it holds.
    pub contents: Contents,
    /// Was it taken back (label voided, refunded)?
    pub voided: bool,
}

/// What became of a package's tracking in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Post {
    /// To be posted.
    Due,
    /// Somebody is posting it; until the lease ends nobody else may.
    Claimed {
        /// Names the attempt.
        token: Token,
        /// When a late request can no longer land.
        until: Timestamp,
    },
    /// The store shows it.
    Posted,
    /// The store cannot take it: it waits in the outbox for a person. Never counted as posted.
    Outbox {
        /// Why, in our words.
        why: String,
    },
    /// Nothing to post: write-back is off, or there is no number.
    NotNeeded,
}

/// One package in the ledger: what was shipped, and its post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The warehouse's id of it.
    pub id: PackageId,
    /// Carrier and number.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Tracking>,
    /// When it left.
    #[serde(rename = "at")]
    pub shipped_at: Timestamp,
    /// What it holds.
    #[serde(rename = "in")]
    pub contents: Contents,
    /// Was it taken back?
    #[serde(rename = "void", default, skip_serializing_if = "std::ops::Not::not")]
    pub voided: bool,
    /// What became of its tracking.
    pub post: Post,
}

impl Package {
    /// The package that a notice tells of; `now` stands in for a missing shipping time.
    #[must_use]
    pub fn from_notice(notice: &ShipmentNotice, now: Timestamp) -> Self {
        Self {
            id: notice.package.clone(),
            tracking: notice.tracking.clone(),
            shipped_at: notice.shipped_at.unwrap_or(now),
            contents: notice.contents.clone(),
            voided: notice.voided,
            post: if notice.tracking.is_some() && !notice.voided { Post::Due } else { Post::NotNeeded },
        }
    }

    /// Must somebody still post it?
    #[must_use]
    pub fn is_due(&self) -> bool {
        !self.voided && matches!(self.post, Post::Due | Post::Claimed { .. })
    }

    /// May an attempt to post it start now?
    #[must_use]
    pub fn is_free(&self, now: Timestamp) -> bool {
        match &self.post {
            Post::Due => !self.voided,
            Post::Claimed { until, .. } => !self.voided && now >= *until,
            Post::Posted | Post::Outbox { .. } | Post::NotNeeded => false,
        }
    }

    /// Is nothing left to do for it?
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.voided || matches!(self.post, Post::Posted | Post::NotNeeded)
    }

    /// How many pieces it says it holds; none when it does not say.
    fn pieces(&self) -> Option<u32> {
        match &self.contents {
            Contents::Lines(lines) => Some(lines.iter().fold(0, |sum, (_, n)| sum.saturating_add(*n))),
            Contents::Everything | Contents::Part => None,
        }
    }
}

/// Do these packages hold the whole order of `units` pieces?
#[must_use]
pub fn is_complete(packages: &[Package], units: u32) -> bool {
    let mut live = packages.iter().filter(|package| !package.voided).peekable();
    if live.peek().is_none() {
        return false;
    }
    let mut pieces: u32 = 0;
    for package in live {
        if package.contents == Contents::Everything {
            return true;
        }
        pieces = pieces.saturating_add(package.pieces().unwrap_or(0));
    }
    pieces >= units && pieces > 0
}
