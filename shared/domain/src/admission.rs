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
    /// An earlier ledger may have sent it: ask the warehouse, from the given instant on, and decide then.
    AskFirst(Timestamp),
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
            Self::AskFirst(at) => Stage::InDoubt { ask_at: *at },
        }
    }

    /// When somebody should look again because of it.
    #[must_use]
    pub fn wake(&self) -> Option<Timestamp> {
        match self {
            Self::Wait(_, at) | Self::Hold(_, at) => Some(*at),
            Self::Ready | Self::Exclude(_) | Self::Cancel | Self::AskFirst(_) => None,
        }
    }

    /// May an order about which this is decided today have been sent some time ago? One that is still unpaid, that is
    /// not ours or has nothing to ship cannot.
    #[must_use]
    pub fn may_have_been_sent(&self, order: Option<&Order>) -> bool {
        match self {
            Self::Ready | Self::Hold(..) | Self::AskFirst(_) | Self::Exclude(Exclusion::Archived) => true,
            Self::Exclude(Exclusion::NotPaid(_)) => order.is_some_and(|order| order.payment.is_taken_back()),
            Self::Exclude(_) | Self::Wait(..) | Self::Cancel => false,
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
    if let Some(marker) = policies.test_marker(order) {
        return Admission::Exclude(Exclusion::Test(marker));
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Address, Place};
    use crate::ids::OrderId;
    use crate::money::Currency;
    use rust_decimal::Decimal;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn noon() -> Timestamp {
        at("2026-03-01T12:00:00Z")
    }

    fn order() -> Order {
        let to = Address {
            name: "Avery Example".into(),
            line1: "100 Sample Street".into(),
            city: "Springfield".into(),
            country: Place { name: "United States".into(), code: Some("US".into()) },
            ..Address::default()
        };
        Order {
            id: OrderId(7),
            client: 0,
            ordered_at: Some(at("2026-03-01T11:00:00Z")),
            payment: PaymentStatus::Accepted,
            archived: false,
            lines: Vec::new(),
            ship_to: Some(to),
            ship_method: None,
            shipping_amount: Decimal::ZERO,
            total: Decimal::ZERO,
            currency: Currency::USD,
            comments: String::new(),
            recurring_order: None,
            upsells: Vec::new(),
            tracking_shown: Vec::new(),
            unknown_elements: Vec::new(),
        }
    }

    fn decided(change: impl FnOnce(&mut Order, &mut Policies)) -> Admission {
        let (mut order, mut policies) = (order(), Policies::default());
        change(&mut order, &mut policies);
        decide(&order, &policies, noon(), noon())
    }

    fn excluded(rule: Exclusion) -> Admission {
        Admission::Exclude(rule)
    }

    #[test]
    fn a_paid_order_with_an_address_is_ready() {
        assert_eq!(decided(|_, _| {}), Admission::Ready);
    }

    #[test]
    fn each_status_says_whether_to_ship_to_wait_or_to_leave_it() {
        use PaymentStatus::*;
        for status in [Pending, Authorized, Undetermined, Other("In Review".into())] {
            let word = status.word().to_owned();
            let wait = Admission::Wait(Wait::Unpaid(word), at("2026-03-01T12:01:00Z"));
            assert_eq!(decided(|order, _| order.payment = status), wait);
        }
        for status in [Declined, Voided, Refunded, PartlyRefunded] {
            let word = status.word().to_owned();
            assert_eq!(decided(|order, _| order.payment = status), excluded(Exclusion::NotPaid(word)));
        }
        assert_eq!(decided(|order, _| order.payment = Archived), excluded(Exclusion::Archived));
        assert_eq!(decided(|order, _| order.archived = true), excluded(Exclusion::Archived));
    }

    #[test]
    fn a_policy_may_ship_other_statuses() {
        let shipped = decided(|order, policies| {
            order.payment = PaymentStatus::Authorized;
            policies.ship_statuses.push("authorized".into());
        });
        assert_eq!(shipped, Admission::Ready);
        let strict = decided(|_, policies| policies.ship_statuses = vec!["authorized".into()]);
        assert_eq!(strict, excluded(Exclusion::NotPaid("accepted".into())));
    }

    #[test]
    fn what_was_ordered_before_the_start_is_not_ours_and_what_was_ordered_at_it_is() {
        for (start, admission) in [
            ("2026-03-01T11:00:00Z", Admission::Ready),
            ("2026-03-01T11:00:01Z", excluded(Exclusion::BeforeStart)),
        ] {
            assert_eq!(decided(|_, policies| policies.start = Some(at(start))), admission);
        }
        let undated = |order: &mut Order, policies: &mut Policies| {
            order.ordered_at = None;
            policies.start = Some(at("2026-03-01T11:59:00Z"));
        };
        assert_eq!(decided(undated), Admission::Ready, "its import stands in for its date");
    }

    #[test]
    fn nothing_to_ship_is_digital_but_only_once_paid() {
        assert_eq!(decided(|order, _| order.ship_to = None), excluded(Exclusion::Digital));
        let unpaid = decided(|order, _| {
            order.ship_to = None;
            order.payment = PaymentStatus::Pending;
        });
        assert!(matches!(unpaid, Admission::Wait(..)));
    }

    #[test]
    fn a_new_order_cools_off() {
        let cooling = |minutes| decided(|_, policies| policies.cooling_off_minutes = minutes);
        assert_eq!(cooling(61), Admission::Wait(Wait::CoolingOff, at("2026-03-01T12:01:00Z")));
        assert_eq!(cooling(60), Admission::Ready);
    }

    #[test]
    fn a_remark_is_held_where_the_policy_is_to_read_it() {
        let remark = |text: &str, comment| {
            decided(|order, policies| {
                order.comments = text.into();
                policies.comment = comment;
            })
        };
        assert_eq!(remark("leave it at the door", Comment::Ship), Admission::Ready);
        assert_eq!(remark("  ", Comment::Hold), Admission::Ready);
        assert!(matches!(remark("hello", Comment::Hold), Admission::Hold(Cause::Comment, _)));
    }

    #[test]
    fn an_address_that_no_carrier_can_use_is_held() {
        let held = decided(|order, _| order.ship_to = Some(Address::default()));
        let Admission::Hold(Cause::BadAddress(missing), _) = held else { panic!("{held:?}") };
        assert_eq!(missing.len(), 4);
    }

    #[test]
    fn a_test_order_is_known_by_its_sku_its_remark_or_its_buyer_and_is_never_sent() {
        use crate::record::TestMarker;
        let marked = |change: &dyn Fn(&mut Order)| {
            decided(|order, policies| {
                policies.test_skus = vec!["TEST-1".into()];
                policies.test_comments = vec!["cartdock test".into()];
                policies.test_emails = vec!["Tester@Example.com".into()];
                order.comments = "a gift".into();
                change(order);
            })
        };
        let line = |sku: &str| -> crate::order::LineItem {
            serde_json::from_value(serde_json::json!({
                "id": 1, "sku": sku, "name": "A thing", "quantity": 1, "unit_price": "1"
            }))
            .unwrap()
        };
        let email = |email: &str| {
            let email = Some(email.to_owned());
            move |order: &mut Order| order.ship_to.as_mut().unwrap().email.clone_from(&email)
        };
        assert_eq!(marked(&|_| {}), Admission::Ready);
        assert_eq!(marked(&|order| order.lines = vec![line("TEST-10")]), Admission::Ready);
        assert_eq!(marked(&email("a-tester@example.com")), Admission::Ready);
        for (is, marker) in [
            (marked(&|order| order.lines = vec![line("MUG"), line("test-1")]), TestMarker::Sku),
            (marked(&|order| order.comments = "this is a Cartdock TEST!".into()), TestMarker::Comment),
            (marked(&email("tester@example.COM")), TestMarker::Email),
        ] {
            assert_eq!(is, excluded(Exclusion::Test(marker)));
            assert!(!crate::ruling::may_be_let_go(&is), "no person can have it sent");
        }
        let unpaid = marked(&|order| {
            order.lines = vec![line("TEST-1")];
            order.payment = PaymentStatus::Pending;
        });
        assert_eq!(unpaid, excluded(Exclusion::Test(TestMarker::Sku)), "whatever else is true of it");
        let blank = decided(|_, policies| policies.test_comments = vec![" ".into()]);
        assert_eq!(blank, Admission::Ready, "an empty marker marks nothing");
    }

    #[test]
    fn an_unpaid_order_is_given_up_after_its_days() {
        let mut order = order();
        order.payment = PaymentStatus::Pending;
        let after = |hours: u32| {
            let now = noon().checked_add(HOUR * hours).unwrap();
            decide(&order, &Policies::default(), noon(), now)
        };
        assert!(matches!(after(30 * 24 - 1), Admission::Wait(..)));
        assert_eq!(after(30 * 24), excluded(Exclusion::NeverPaid));
    }

    #[test]
    fn looks_grow_apart_between_a_minute_and_their_cap() {
        for (age, wait) in [(0, 60), (100, 60), (400, 100), (4 * 3600, 3600), (400 * 3600, 6 * 3600)] {
            let now = noon().checked_add(Duration::from_secs(age)).unwrap();
            let next = look_again(noon(), now, 6 * HOUR);
            assert_eq!(next.duration_since(now).unsigned_abs(), Duration::from_secs(wait), "age {age} s");
        }
        assert_eq!(look_again(noon(), Timestamp::MAX, HOUR), Timestamp::MAX);
    }

    #[test]
    fn every_decision_but_an_end_has_a_stage_with_a_date() {
        for admission in [Admission::Wait(Wait::CoolingOff, noon()), Admission::Hold(Cause::Comment, noon())]
        {
            assert_eq!(admission.wake(), Some(noon()));
        }
        assert_eq!(Admission::Cancel.stage(), Stage::Cancelled);
        assert_eq!(Admission::Ready.stage(), Stage::Ready { not_before: None });
    }
}
