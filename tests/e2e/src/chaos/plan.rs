//! What is played: how many orders, which warehouses, how often something dies.

use std::path::PathBuf;
use std::time::Duration;

use simulator::faults::When;
use simulator::store::{Endpoint as StoreCall, Fault as StoreFault, FaultPlan as StorePlan};
use simulator::warehouse::{Duplicates, Endpoint as Call, Fault, FaultPlan};

/// What a warehouse gives against duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// K: it honours our key.
    Key,
    /// U: it refuses a second order of the same reference.
    Refuses,
    /// L: it can be asked.
    Asked,
    /// L(D): it can be asked, and its answers lag.
    Lagging,
    /// N: nothing.
    Cannot,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Key, Self::Refuses, Self::Asked, Self::Lagging, Self::Cannot];

    /// Its letter in lower case: part of the connection's id.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Key => "k",
            Self::Refuses => "u",
            Self::Asked => "l",
            Self::Lagging => "ld",
            Self::Cannot => "n",
        }
    }

    /// The class that a word names.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }

    /// The settings that say so.
    pub(super) fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Key => &[("repeat", "key")],
            Self::Refuses => &[("repeat", "refuses_duplicates")],
            Self::Asked => &[("repeat", "can_be_asked"), ("lag_seconds", "0")],
            Self::Lagging => &[("repeat", "can_be_asked"), ("lag_seconds", "2")],
            Self::Cannot => &[("repeat", "cannot")],
        }
    }

    pub(super) fn duplicates(self) -> Duplicates {
        match self {
            Self::Key => Duplicates::ByKey,
            Self::Refuses => Duplicates::Refuse,
            Self::Asked | Self::Lagging | Self::Cannot => Duplicates::Accept,
        }
    }

    pub(super) fn lag(self) -> Duration {
        if self == Self::Lagging { Duration::from_millis(1500) } else { Duration::ZERO }
    }
}

/// Where Cartdock runs.
#[derive(Debug, Clone)]
pub enum Setting {
    /// In one process, `cartdock run`.
    Local {
        /// `cartdock`.
        binary: PathBuf,
        /// Is a lost ledger rebuilt by `cartdock rebuild`, or by the next `cartdock run`?
        by_command: bool,
    },
    /// As the six functions, each in several processes, with all that surrounds them on AWS.
    Lambda {
        /// Where their binaries are.
        binaries: PathBuf,
    },
}

/// One run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where Cartdock runs.
    pub setting: Setting,
    /// How many orders are placed, over all shops.
    pub orders: usize,
    /// How often a process is killed.
    pub kills: usize,
    /// How often a process is frozen for a while.
    pub freezes: usize,
    /// Decides everything that is left to chance here.
    pub seed: u64,
    /// Which kinds of warehouses there are.
    pub classes: Vec<Class>,
    /// Shops for each of them. One shop answers 50 requests a second.
    pub stores_per_class: usize,
    /// Is the whole ledger deleted in the middle?
    pub lose_ledger: bool,
    /// An empty directory for settings, data and logs.
    pub dir: PathBuf,
}

/// How long things may take in a run, by the names of the settings, in milliseconds.
pub(crate) const PACE: [(&str, u32); 6] = [
    ("send_within_ms", 3000),
    ("lease_ms", 6000),
    ("grace_ms", 8000),
    ("first_retry_ms", 300),
    ("longest_retry_ms", 2000),
    ("first_watch_ms", 5000),
];
/// Between two sweeps.
pub(super) const SWEEP: Duration = Duration::from_millis(1000);
/// Between two polls of a store or a warehouse.
pub(super) const POLL: Duration = Duration::from_millis(1500);
/// Minutes by which two polls of a store overlap: an hour, shortened as the time between polls is. In a whole hour of a
/// large run lie a hundred pages, and where each page fails one time in forty no poll would ever see the last one.
pub(super) const OVERLAP_MINUTES: u32 = 2;

/// 1 % answered 500, 1 % never answered, 0.5 % done and the connection reset.
pub(super) fn store_faults(seed: u64) -> StorePlan {
    let calls = [
        StoreCall::OrdersList,
        StoreCall::OrderRead,
        StoreCall::ClientRead,
        StoreCall::OrderUpdate,
        StoreCall::Group,
        StoreCall::Methods,
    ];
    let mut plan = StorePlan::new();
    for (n, call) in (0..).zip(calls) {
        let chance = |in_10_000, salt: u64| When::Chance { in_10_000, seed: seed ^ (n * 101 + salt) };
        plan = plan
            .and(call, chance(100, 1), StoreFault::ServerError)
            .and(call, chance(100, 2), StoreFault::Silence)
            .and(call, chance(50, 3), StoreFault::DoneButHangUp);
    }
    plan
}

/// The same at the warehouse, where half of the 500s and silences come after the effect, and some effects come late.
pub(super) fn warehouse_faults(seed: u64) -> FaultPlan {
    let mut plan = FaultPlan::new();
    for (n, call) in (0..).zip([Call::Create, Call::Find, Call::Shipments, Call::Cancel]) {
        let chance = |in_10_000, salt: u64| When::Chance { in_10_000, seed: seed ^ (n * 103 + 7 + salt) };
        plan = plan
            .and(call, chance(50, 1), Fault::ServerError)
            .and(call, chance(50, 2), Fault::DoneButServerError)
            .and(call, chance(50, 3), Fault::Silence)
            .and(call, chance(50, 4), Fault::DoneButSilent)
            .and(call, chance(50, 5), Fault::DoneButHangUp);
    }
    let late = When::Chance { in_10_000: 20, seed: seed ^ 999 };
    plan.and(Call::Create, late, Fault::DoneLate(Duration::from_millis(900)))
}
