//! What came of comparing the ledger with the store and the warehouse, order by order: counts that must sum, and the
//! orders that differ, by name.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, PackageId, WarehouseOrderId};
use crate::record::{Cause, Record, Stage};

/// From one daily reconciliation to the next.
pub const EVERY: Duration = Duration::from_secs(86_400);

/// How many orders that differ are named; the others are counted.
pub const NAMED: usize = 200;

/// What a record says about the warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The warehouse has it.
    There,
    /// It was never sent.
    NotThere,
    /// It is on its way, being settled, or done with: neither would be wrong.
    Either,
}

/// What the ledger expects the warehouse to say about an order.
#[must_use]
pub fn expected(record: &Record) -> Expected {
    match &record.stage {
        Stage::Cancelled if record.may_be_there() => Expected::Either,
        _ if record.recall.is_some() || record.replace => Expected::Either,
        stage if stage.is_sent() => Expected::There,
        Stage::Held(Cause::ChangedAfterSending | Cause::NotCancelled(_)) => Expected::There,
        Stage::Ready { .. } | Stage::Sending(_) | Stage::InDoubt { .. } => Expected::Either,
        _ if record.may_be_there() => Expected::Either,
        _ => Expected::NotThere,
    }
}

/// One thing about an order on which the ledger and an outside system do not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// The store has had it for some time, and the ledger does not have it.
    Missing,
    /// The ledger says that it was sent, and the warehouse does not have it.
    NotAtWarehouse,
    /// The ledger says that it was sent, and the warehouse has cancelled it.
    CancelledAtWarehouse,
    /// The ledger says that it was never sent, and the warehouse has it.
    AtWarehouse(WarehouseOrderId),
    /// The warehouse shipped a package that the ledger does not know, or knows otherwise.
    NotTold(PackageId),
    /// Tracking counts as posted, and the store does not show it.
    NotShown(PackageId),
}

/// An order that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differing {
    /// Its number.
    pub order: OrderId,
    /// In what.
    pub differences: Vec<Difference>,
    /// Was everything about it put right at once?
    pub fixed: bool,
}

/// What came of one order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What differs; nothing when all agree.
    pub differences: Vec<Difference>,
    /// Not polled yet, or between two states, so that nothing can be said.
    pub on_its_way: bool,
    /// Was all that differs put right?
    pub fixed: bool,
}

/// The store's orders against the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreLeg {
    /// In the ledger.
    pub known: u64,
    /// So young that no poll has had to see them yet.
    pub not_yet: u64,
    /// Not in the ledger.
    pub missing: u64,
    /// Gone from the store between the list and the look.
    pub gone: u64,
}

/// The ledger's orders against the warehouse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarehouseLeg {
    /// There, as they should be.
    pub there: u64,
    /// Not there, as they should be.
    pub not_sent: u64,
    /// On their way, being settled, or done with.
    pub on_the_way: u64,
    /// The warehouse cannot be asked for an order, or need not be.
    pub not_asked: u64,
    /// Not as the ledger says.
    pub differing: u64,
}

/// What left the warehouse against what the store shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageLeg {
    /// The store shows their tracking.
    pub shown: u64,
    /// Posted, and the store cannot be asked whether it shows them, or need not be.
    pub not_asked: u64,
    /// To be posted.
    pub due: u64,
    /// In the outbox.
    pub outbox: u64,
    /// Nothing to post.
    pub not_needed: u64,
    /// Shipped and not known, or posted and not shown.
    pub differing: u64,
}

/// What came of comparing, so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// When it was begun.
    pub at: Timestamp,
    /// Orders placed from this instant on were compared.
    pub since: Timestamp,
    /// Orders that the store listed.
    pub listed: u64,
    /// Was the list read to its end, without moving meanwhile?
    pub listed_all: bool,
    /// Orders on which all agree.
    pub agree: u64,
    /// Orders of which nothing can be said yet.
    pub on_the_way: u64,
    /// Orders that differ.
    pub differ: u64,
    /// Orders of which the store or the warehouse did not answer; they are among those on the way.
    #[serde(default)]
    pub unanswered: u64,
    /// Store against ledger.
    pub store: StoreLeg,
    /// Ledger against warehouse.
    pub warehouse: WarehouseLeg,
    /// Shipped against posted.
    pub packages: PackageLeg,
    /// The orders that differ, by number; at most [`NAMED`].
    pub differing: Vec<Differing>,
    /// The last order that was compared, while not all have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<OrderId>,
}

impl Reconciliation {
    /// Nothing is compared yet.
    #[must_use]
    pub fn begun(at: Timestamp, since: Timestamp) -> Self {
        Self {
            at,
            since,
            listed: 0,
            listed_all: true,
            agree: 0,
            on_the_way: 0,
            differ: 0,
            unanswered: 0,
            store: StoreLeg::default(),
            warehouse: WarehouseLeg::default(),
            packages: PackageLeg::default(),
            differing: Vec::new(),
            after: None,
        }
    }

    /// Counts one order.
    pub fn count(&mut self, order: OrderId, verdict: Verdict) {
        if verdict.differences.is_empty() {
            let counter = if verdict.on_its_way { &mut self.on_the_way } else { &mut self.agree };
            *counter += 1;
            return;
        }
        self.differ += 1;
        if self.differing.len() < NAMED {
            let Verdict { differences, fixed, .. } = verdict;
            self.differing.push(Differing { order, differences, fixed });
        }
    }

    /// Orders that differ and were not put right.
    #[must_use]
    pub fn unsettled(&self) -> u64 {
        let fixed = self.differing.iter().filter(|differing| differing.fixed).count();
        self.differ.saturating_sub(u64::try_from(fixed).unwrap_or(u64::MAX))
    }

    /// Does every count sum up to what was listed?
    #[must_use]
    pub fn sums(&self) -> bool {
        let StoreLeg { known, not_yet, missing, gone } = self.store;
        let WarehouseLeg { there, not_sent, on_the_way, not_asked, differing } = self.warehouse;
        let all = self.listed;
        self.agree + self.on_the_way + self.differ == all
            && known + not_yet + missing + gone == all
            && there + not_sent + on_the_way + not_asked + differing == known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::Admission;
    use crate::ids::{OrderKey, Token};
    use crate::life::{Stamp, Step};
    use crate::record::Exclusion;

    fn at() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn record(first: &Admission, steps: &[Step]) -> Record {
        let stamp = Stamp { by: "test", at: at(), token: Token(1) };
        let key: OrderKey = "main/7".parse().unwrap();
        let record = Record::imported(key, first, None, at(), stamp);
        steps.iter().fold(record, |record, step| record.step(step.clone(), stamp).unwrap())
    }

    fn sent() -> Vec<Step> {
        let id = WarehouseOrderId::parse("WO-1").unwrap();
        vec![
            Step::Claim { until: at(), units: 1, mapping: 1, digest: None },
            Step::Accept { id, how: "it said so" },
        ]
    }

    #[test]
    fn what_was_sent_is_expected_there_and_what_was_not_is_not() {
        let mut recalled = sent();
        recalled.push(Step::Recall("refunded".into()));
        let mut cancelled = recalled.clone();
        cancelled.push(Step::Cancel("refunded".into()));
        let held = Admission::Hold(Cause::Comment, at());
        let with = |more: Step| [sent(), vec![more]].concat();
        let doubt = Step::Doubt { attempt: Token(1), ask_at: at(), why: "lost".into() };
        let given_up = [sent()[..1].to_vec(), vec![doubt, Step::GiveUp]].concat();
        let changed = with(Step::Flag(Cause::ChangedAfterSending));
        let kept_there = with(Step::Flag(Cause::NotCancelled("packed".into())));
        for (record, is) in [
            (record(&Admission::Ready, &given_up), Expected::Either),
            (record(&Admission::Ready, &changed), Expected::There),
            (record(&Admission::Ready, &kept_there), Expected::There),
            (record(&Admission::Ready, &with(Step::Replace)), Expected::Either),
            (record(&Admission::Ready, &sent()), Expected::There),
            (record(&Admission::Ready, &sent()[..1]), Expected::Either),
            (record(&Admission::Ready, &[]), Expected::Either),
            (record(&Admission::Ready, &recalled), Expected::Either),
            (record(&Admission::Ready, &cancelled), Expected::Either),
            (record(&held, &[]), Expected::NotThere),
            (record(&held, &[Step::Cancel("by hand".into())]), Expected::NotThere),
            (record(&Admission::Exclude(Exclusion::Digital), &[]), Expected::NotThere),
        ] {
            assert_eq!(expected(&record), is, "{:?}", record.stage);
        }
    }

    #[test]
    fn orders_are_counted_once_and_the_rest_of_many_only_counted() {
        let mut all = Reconciliation::begun(at(), at());
        for order in 0..300_u64 {
            let differences = if order < 250 { vec![Difference::Missing] } else { Vec::new() };
            let verdict = Verdict { differences, on_its_way: order == 299, fixed: order < 20 };
            all.listed += 1;
            *(if order < 250 { &mut all.store.missing } else { &mut all.store.not_yet }) += 1;
            all.count(OrderId(order), verdict);
        }
        assert_eq!((all.differ, all.agree, all.on_the_way, all.differing.len()), (250, 49, 1, NAMED));
        assert_eq!(all.unsettled(), 230);
        assert!(all.sums());
        all.store.not_yet -= 1;
        assert!(!all.sums(), "an order that nobody counts is seen");
    }
}
