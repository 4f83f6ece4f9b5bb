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
