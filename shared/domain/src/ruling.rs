//! What a person has said about an order outlasts the policies, for as long as it is the order that they saw.

use jiff::Timestamp;

use crate::admission::{Admission, look_again};
use crate::order::Order;
use crate::policy::Policies;
use crate::record::{Cause, Exclusion, Record, Stage, Wait};

impl Record {
    /// The decision about this order, given what the policies say about what the store has now (`order`; none when it
    /// cannot be read) and what a person has said.
    ///
    /// A person's hold and exclusion stay until a person lifts them, unless the sale is taken back. An order that a
    /// person has let go is not held again by what only asks a person, while address, lines and method are the same.
    #[must_use]
    pub fn ruled(&self, says: Admission, order: Option<&Order>, now: Timestamp) -> Admission {
        let taken_back = order.is_some_and(|order| order.payment.is_taken_back());
        match &self.stage {
            Stage::Held(cause @ Cause::ByPerson(_)) if !taken_back => {
                Admission::Hold(cause.clone(), look_again(self.since, now, Policies::days(1)))
            }
            Stage::Excluded(rule @ Exclusion::ByPerson(_)) => Admission::Exclude(rule.clone()),
            _ if may_be_let_go(&says) && self.was_let_go(order) => Admission::Ready,
            _ => says,
        }
    }

    fn was_let_go(&self, order: Option<&Order>) -> bool {
        self.released.is_some() && order.map(Order::digest) == self.released
    }
}

/// Can a person let an order go about which the policies say this? Not where nothing is there to be sent, or the money has
/// gone back.
#[must_use]
pub fn may_be_let_go(says: &Admission) -> bool {
    match says {
        Admission::Ready
        | Admission::Wait(Wait::Unpaid(_) | Wait::CoolingOff, _)
        | Admission::Exclude(Exclusion::BeforeStart | Exclusion::Archived | Exclusion::NeverPaid)
        | Admission::Hold(Cause::Comment | Cause::BadAddress(_), _) => true,
        Admission::Hold(..) | Admission::Exclude(_) | Admission::Cancel | Admission::AskFirst(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{OrderKey, Token};
    use crate::life::{Stamp, Step};
    use crate::payment::PaymentStatus;

    fn now() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn order(name: &str, payment: PaymentStatus) -> Order {
        let mut order: Order = serde_json::from_value(serde_json::json!({
            "id": 7, "payment": "accepted", "lines": [], "total": "0", "currency": "USD"
        }))
        .unwrap();
        order.payment = payment;
        order.ship_to = Some(crate::address::Address { name: name.into(), ..Default::default() });
        order
    }

    fn record(first: &Admission, step: Option<Step>) -> Record {
        let stamp = Stamp { by: "ada", at: now(), token: Token(1) };
        let key: OrderKey = "main/7".parse().unwrap();
        let record = Record::imported(key, first, None, now(), stamp);
        step.map_or(record.clone(), |step| record.step(step, stamp).unwrap())
    }

    fn let_go(first: &Admission, order: &Order) -> Record {
        record(first, Some(Step::LetGo { digest: order.digest(), why: "read".into() }))
    }

    #[test]
    fn what_was_let_go_is_not_held_again_for_what_only_asks_a_person() {
        let (paid, remark) = (order("A", PaymentStatus::Accepted), Admission::Hold(Cause::Comment, now()));
        let released = let_go(&remark, &paid);
        for says in [
            remark.clone(),
            Admission::Hold(Cause::BadAddress(vec!["a city".into()]), now()),
            Admission::Wait(Wait::CoolingOff, now()),
            Admission::Wait(Wait::Unpaid("pending".into()), now()),
            Admission::Exclude(Exclusion::BeforeStart),
            Admission::Exclude(Exclusion::Archived),
            Admission::Exclude(Exclusion::NeverPaid),
        ] {
            assert_eq!(released.ruled(says.clone(), Some(&paid), now()), Admission::Ready, "{says:?}");
            assert_eq!(
                record(&remark, None).ruled(says.clone(), Some(&paid), now()),
                says,
                "nobody let it go"
            );
        }
        for says in [
            Admission::Exclude(Exclusion::NotPaid("refunded".into())),
            Admission::Exclude(Exclusion::Digital),
            Admission::Hold(Cause::Vanished, now()),
            Admission::Cancel,
        ] {
            assert_eq!(released.ruled(says.clone(), Some(&paid), now()), says, "no person can overrule that");
        }
        let moved = order("B", PaymentStatus::Accepted);
        assert_eq!(released.ruled(remark.clone(), Some(&moved), now()), remark, "it is another order by now");
        assert_eq!(released.ruled(remark.clone(), None, now()), remark);
    }

    #[test]
    fn a_persons_hold_stays_until_a_person_lifts_it_or_the_money_goes_back() {
        let hold = Admission::Hold(Cause::ByPerson("ada".into()), now());
        let held = record(&hold, None);
        let moved = order("B", PaymentStatus::Accepted);
        assert_eq!(held.ruled(Admission::Ready, Some(&moved), now()).stage(), held.stage);
        assert_eq!(held.ruled(Admission::Ready, None, now()).stage(), held.stage);
        let gone = Admission::Exclude(Exclusion::NotPaid("refunded".into()));
        let refunded = order("B", PaymentStatus::Refunded);
        assert_eq!(held.ruled(gone.clone(), Some(&refunded), now()), gone);
        let excluded = record(&Admission::Exclude(Exclusion::ByPerson("ada".into())), None);
        assert_eq!(excluded.ruled(Admission::Ready, Some(&moved), now()).stage(), excluded.stage);
    }
}
