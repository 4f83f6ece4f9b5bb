//! May this order be sent? Decided from the order, the connection's policies and the clock, before any mapping.

use std::time::Duration;

use jiff::Timestamp;

use crate::order::Order;
use crate::payment::PaymentStatus;
use crate::policy::{Comment, Policies};
use crate::record::{Cause, Exclusion, Stage, Wait};

/// The decision about an order that has not been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Send it.
    Ready,
    /// Look again at the given instant.
    Wait(Wait, Timestamp),
    /// Never send it.
    Exclude(Exclusion),
    /// Ask a person; look again at the given instant where the cause may heal by itself.
    Hold(Cause, Timestamp),
    /// It was admitted once and has been taken back since.
    Cancel,
}

impl Admission {
    /// The stage that it leads to.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Ready => Stage::Ready { not_before: None },
            Self::Wait(why, _) => Stage::Waiting(why.clone()),
            Self::Exclude(rule) => Stage::Excluded(rule.clone()),
            Self::Hold(cause, _) => Stage::Held(cause.clone()),
            Self::Cancel => Stage::Cancelled,
        }
    }

    /// When somebody should look again because of it.
    #[must_use]
    pub fn wake(&self) -> Option<Timestamp> {
        match self {
            Self::Wait(_, at) | Self::Hold(_, at) => Some(*at),
            Self::Ready | Self::Exclude(_) | Self::Cancel => None,
        }
    }
}

/// How long until a waiting or held order is looked at again: a quarter of its age, between a minute and `cap`.
#[must_use]
pub fn look_again(since: Timestamp, now: Timestamp, cap: Duration) -> Timestamp {
    let age = now.duration_since(since).unsigned_abs();
    let wait = (age / 4).clamp(Duration::from_secs(60), cap);
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// The longest wait between two looks at an unpaid order.
const UNPAID_CAP: Duration = Duration::from_secs(6 * 3600);

/// Decides about an order that was imported at `since`.
#[must_use]
pub fn decide(order: &Order, policies: &Policies, since: Timestamp, now: Timestamp) -> Admission {
    let placed = order.ordered_at.unwrap_or(since);
    if policies.start.is_some_and(|start| placed < start) {
        return Admission::Exclude(Exclusion::BeforeStart);
    }
    if order.archived {
        return Admission::Exclude(Exclusion::Archived);
    }
    if !policies.ship_statuses.iter().any(|word| word == order.payment.word()) {
        return unpaid(order, policies, since, now);
    }
    if !order.has_shipping() {
        return Admission::Exclude(Exclusion::Digital);
    }
    let calm = placed.checked_add(policies.cooling_off()).unwrap_or(now);
    if policies.cooling_off_minutes > 0 && now < calm {
        return Admission::Wait(Wait::CoolingOff, calm);
    }
    if policies.comment == Comment::Hold && !order.comments.trim().is_empty() {
        return Admission::Hold(Cause::Comment, look_again(since, now, Policies::days(1)));
    }
    let missing = order.ship_to.as_ref().map(crate::address::Address::missing).unwrap_or_default();
    if !missing.is_empty() {
        let missing = missing.into_iter().map(str::to_owned).collect();
        return Admission::Hold(Cause::BadAddress(missing), look_again(since, now, Policies::days(1)));
    }
    Admission::Ready
}

fn unpaid(order: &Order, policies: &Policies, since: Timestamp, now: Timestamp) -> Admission {
    let word = order.payment.word().to_owned();
    if order.payment == PaymentStatus::Archived {
        return Admission::Exclude(Exclusion::Archived);
    }
    if !order.payment.may_become_paid() {
        return Admission::Exclude(Exclusion::NotPaid(word));
    }
    let patience = Policies::days(policies.unpaid_days);
    if now.duration_since(since).unsigned_abs() >= patience {
        return Admission::Exclude(Exclusion::NeverPaid);
    }
    Admission::Wait(Wait::Unpaid(word), look_again(since, now, UNPAID_CAP))
}
