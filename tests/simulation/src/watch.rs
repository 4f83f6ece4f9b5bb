//! What everybody in a history shares: which trouble it has, what was seen of it, and what went wrong.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::coverage::{Fault, Seen, Sometimes};
use crate::dice::Dice;

/// More than so many wrong lines say nothing more.
const ENOUGH: usize = 20;

/// How likely each trouble is in a history, in a thousand occasions.
#[derive(Debug, Clone)]
pub struct Plan(Vec<u32>);

impl Plan {
    /// No trouble at all.
    #[must_use]
    pub fn calm() -> Self {
        Self(vec![0; Fault::ALL.len()])
    }

    /// Each trouble is off, usual or heavy in this history, whatever the others are.
    #[must_use]
    pub fn drawn(dice: &mut Dice) -> Self {
        let chances = Fault::ALL.iter().map(|fault| match dice.below(4) {
            0 | 1 => 0,
            2 => usual(*fault),
            _ => (usual(*fault) * 4).min(600),
        });
        Self(chances.collect())
    }

    /// The same plan with another chance for one trouble.
    #[must_use]
    pub fn with(mut self, fault: Fault, chance: u32) -> Self {
        if let Some(there) = self.0.get_mut(fault as usize) {
            *there = chance;
        }
        self
    }

    /// The chance of a trouble, in a thousand occasions.
    #[must_use]
    pub fn chance(&self, fault: Fault) -> u32 {
        self.0.get(fault as usize).copied().unwrap_or(0)
    }
}

/// How likely a trouble is where it is on, in a thousand of its occasions: a call, a message, a process, an order.
fn usual(fault: Fault) -> u32 {
    use Fault as F;
    match fault {
        // Per call.
        F::StaleRead => 150,
        F::StoreHtml | F::StoreSlow | F::WarehouseSlow => 60,
        F::WarehouseThrottles | F::HangsUp => 150,
        // Per message or notice.
        F::QueueRepeats | F::QueueDelays => 100,
        F::QueueLoses => 40,
        F::WebhookLost => 150,
        F::FiftyNotices => 40,
        F::OldNotice => 120,
        // Per process.
        F::Crash => 60,
        F::Freeze => 30,
        F::LongFreeze => 15,
        F::WrongClock => 150,
        // Per page of a list.
        F::PagesShift | F::ListedTwice => 200,
        // Per firing.
        F::ScheduleTwice | F::ScheduleMissed => 120,
        // Per order.
        F::OrderChanges | F::OrderVanishes | F::OrderUnreadable | F::TakenBack => 150,
        F::Refuses | F::Forgets | F::VoidedParcel => 120,
        F::PaidLate => 250,
        F::ShipsEarly => 200,
        // Per history.
        F::StoreDown | F::WarehouseDown | F::StoreSecret | F::WarehouseSecret => 150,
        F::PoisonMessage | F::UnknownNotice | F::Unmapped => 150,
        F::UnreadableRecord | F::NewerMessage => 150,
        // Seen, or made by the network.
        F::LedgerThrottles
        | F::LedgerUnclear
        | F::StoreUnclear
        | F::QueueUnclear
        | F::QueueReorders
        | F::PollersOverlap
        | F::LateLookup
        | F::NoticeEarly
        | F::OlderMessage
        | F::NewerRecord
        | F::OlderRecord => 0,
    }
}

struct Inside {
    plan: Plan,
    dice: Dice,
    seen: Seen,
    calm: bool,
    wrong: Vec<String>,
}

struct Shared {
    inside: Mutex<Inside>,
    /// When somebody outside has something to do next.
    bell: AtomicU64,
}

/// A handle to it.
#[derive(Clone)]
pub struct Watch(Arc<Shared>);

impl Watch {
    /// Nothing has been seen yet.
    #[must_use]
    pub fn new(seed: u64, plan: Plan) -> Self {
        let dice = Dice::new(seed ^ 0x7761_7463);
        let inside = Inside { plan, dice, seen: Seen::default(), calm: false, wrong: Vec::new() };
        Self(Arc::new(Shared { inside: Mutex::new(inside), bell: AtomicU64::new(u64::MAX) }))
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does this trouble happen on this occasion? It is counted when it does.
    #[must_use]
    pub fn strikes(&self, fault: Fault) -> bool {
        let mut inside = self.inside();
        let chance = inside.plan.chance(fault);
        let strikes = chance > 0 && !inside.calm && inside.dice.per_mille(chance);
        if strikes {
            inside.seen.fault(fault);
        }
        strikes
    }

    /// Would it happen on this occasion? Whoever makes it happen counts it.
    #[must_use]
    pub fn threatens(&self, fault: Fault) -> bool {
        let mut inside = self.inside();
        let chance = inside.plan.chance(fault);
        chance > 0 && !inside.calm && inside.dice.per_mille(chance)
    }

    /// A number of this history below `limit`.
    #[must_use]
    pub fn below(&self, limit: u64) -> u64 {
        self.inside().dice.below(limit)
    }

    /// This trouble has happened.
    pub fn fault(&self, fault: Fault) {
        self.inside().seen.fault(fault);
    }

    /// This good thing has happened.
    pub fn sometimes(&self, what: Sometimes) {
        self.inside().seen.sometimes(what);
    }

    /// How often this good thing has happened.
    #[must_use]
    pub fn times(&self, what: Sometimes) -> u64 {
        self.inside().seen.times_of(what)
    }

    /// An invariant is broken.
    pub fn wrong(&self, line: impl Into<String>) {
        let mut inside = self.inside();
        if inside.wrong.len() < ENOUGH {
            inside.wrong.push(line.into());
        }
    }

    /// Somebody outside has something to do at that time.
    pub fn ring(&self, at: u64) {
        self.0.bell.fetch_min(at, Ordering::Relaxed);
    }

    /// The earliest time for which the bell was rung.
    #[must_use]
    pub fn bell(&self) -> u64 {
        self.0.bell.load(Ordering::Relaxed)
    }

    /// The bell was heard; `next` is what is to be done then.
    pub fn set_bell(&self, next: u64) {
        self.0.bell.store(next, Ordering::Relaxed);
    }

    /// From now on nothing goes wrong any more.
    pub fn calm_down(&self) {
        self.inside().calm = true;
    }

    /// Is it calm?
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.inside().calm
    }

    /// What was seen, and what went wrong.
    #[must_use]
    pub fn told(&self) -> (Seen, Vec<String>) {
        let inside = self.inside();
        (inside.seen.clone(), inside.wrong.clone())
    }
}
