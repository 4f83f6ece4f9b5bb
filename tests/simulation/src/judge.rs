//! Judges a history that has come to rest: nothing lost, nothing twice, nothing silent, and the books close.
//!
//! What truth may demand where the outside breaks its own word:
//! - **The warehouse forgets** an order that it took: when we were still in doubt, it is asked (or sent to again) and gets
//!   the order once more; when it had said yes, nobody asks it again, and the order stays open, sent and without package,
//!   where people see it. It is never sent twice to a warehouse that still has it.
//! - **The store loses an order** for good: what was not sent is held as vanished; what was sent is shipped, and its
//!   tracking, which the store refuses, waits in the outbox or stays due.
//! - **A person** may keep an order back, take it back, or take it out of the warehouse by hand: then that is its end.
//! - **A warehouse of class N** may leave an unclear order to a person.
//! - **I9 (rate windows)** is no part of these histories: the limiter lives inside the adapters, one in each process for
//!   each side of a connection. Its windows are proved by the tests of `adapters::rate_limit`; that a store is asked one
//!   by one and at its pace by `adapters::one_shopping_cart` (`whoever_asks_the_store_together…`), a warehouse by the
//!   tests of the generic one (`requests_to_a_warehouse…`). What several processes do together is not limited. Here is
//!   checked what the use cases can do about it: requests per order (I8, I12).
//! - **I11 (stock)** has no part in the product: 1ShoppingCart has no stock that could be read or written.

use std::collections::BTreeMap;

use domain::fulfillment::{order_of, reference};
use domain::ids::Reference;
use domain::payment::PaymentStatus;
use domain::record::{Cause, Exclusion, Record, Stage};
use domain::shipment::Post;
use domain::{OrderId, OrderKey};

use crate::cart::Sold;
use crate::coverage::{Fault, Seen};
use crate::history::Deployment;
use crate::net::{Fate, Tally};
use crate::rules::canaries;
use crate::site::Site;
use crate::wms::{Class, Sends};

/// How often one order may be sent to its warehouse, whatever becomes of the requests: I8. The back-off lets about five
/// go soon after each other, clocks that differ some more, and then one goes in every longest wait. Seen are up to 6.
/// It notices who sends again at once; that the waits get longer is for the tests of `domain::life`.
const SENDS_AT_ONCE: u64 = 10;

/// The most often that one order may be read in its store in one history: I12. Seen are up
/// to 37.
const MOST_READS: u32 = 80;

/// What waits for a person is read so often a day, at most.
const READS_A_DAY: u32 = 1;

/// A day in milliseconds.
const DAY: u64 = 24 * 60 * 60_000;

/// What a history showed.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Its seed.
    pub seed: u64,
    /// The class of the first warehouse.
    pub class: Class,
    /// What is wrong; nothing, when all is well.
    pub wrong: Vec<String>,
    /// Everything that happened on the network.
    pub tally: Tally,
    /// What was seen of trouble and of its end.
    pub seen: Seen,
    /// How the orders ended, by word.
    pub ends: BTreeMap<String, u64>,
}

/// Judges everything that is not judged on the way.
pub(crate) fn judge(seed: u64, world: &Deployment) -> Verdict {
    let watch = world.net.watch();
    let mut ends = BTreeMap::new();
    for site in world.sites.iter() {
        AtRest { world, site }.judge(&mut ends);
        canaries(watch, &world.model, site);
    }
    let (mut seen, wrong) = watch.told();
    let tally = world.net.tally();
    count_fates(&tally, &mut seen);
    let class = world.sites.first().map_or(Class::N, |site| site.wms.class);
    Verdict { seed, class, wrong, tally, seen, ends }
}

/// The network's own troubles, by what they hit.
fn count_fates(tally: &Tally, seen: &mut Seen) {
    for ((what, fate), times) in &tally.effects {
        let fault = match (what.split_once(':').map_or("", |(system, _)| system), fate) {
            (_, Fate::Done) => continue,
            ("ledger", Fate::NotDone) => Fault::LedgerThrottles,
            ("ledger", _) => Fault::LedgerUnclear,
            ("queue", _) => Fault::QueueUnclear,
            ("warehouse", Fate::AnswerLost) if *what == "warehouse: create" => Fault::HangsUp,
            ("store", Fate::AnswerLost | Fate::Late) => Fault::StoreUnclear,
            _ => continue,
        };
        (0..*times).for_each(|_| seen.fault(fault));
    }
}

/// One connection at rest.
struct AtRest<'a> {
    world: &'a Deployment,
    site: &'a Site,
}

impl AtRest<'_> {
    fn wrong(&self, line: String) {
        self.world.net.watch().wrong(line);
    }

    fn judge(&self, ends: &mut BTreeMap<String, u64>) {
        let id = &self.site.connection.id;
        let sold = self.site.cart.truth().orders.clone();
        for (order, sold) in &sold {
            let key = OrderKey::new(id.clone(), *order);
            match self.world.model.record(&key) {
                Some(record) => {
                    *ends.entry(end_of(&record)).or_default() += 1;
                    self.order(sold, &record);
                }
                None if self.may_be_unknown(sold) => *ends.entry("never listed".to_owned()).or_default() += 1,
                None => self.wrong(format!("I1 lost: {key} is in the store and not in the ledger")),
            }
        }
        self.warehouse(&sold);
        self.books(&sold);
        for key in self.world.model.uncovered() {
            self.wrong(format!("I6 silent: nobody will look at {key} again"));
        }
    }

    /// An order that went before anybody could see it, or that the list did not show until the overlap was over.
    fn may_be_unknown(&self, sold: &Sold) -> bool {
        let id = &self.site.connection.id;
        let overlap = i64::from(self.site.connection.schedule.overlap_minutes) * 60;
        let position = self.world.model.with(id, |books| books.cursor.position);
        let passed = position
            .zip(sold.order.ordered_at)
            .is_some_and(|(position, at)| at.as_second() <= position.as_second().saturating_sub(overlap));
        sold.vanished || ((sold.unlisted_until > 0 || sold.ever_vanished) && passed)
    }

    fn order(&self, sold: &Sold, record: &Record) {
        if !self.is_at_rest(sold, record) {
            let (key, payment) = (&record.key, &sold.order.payment);
            self.wrong(format!("I1 not at rest: {key}, {payment:?}, is {:?}", record.stage));
        }
        let days = u32::try_from(self.world.time.millis() / DAY).unwrap_or(u32::MAX);
        if sold.reads > MOST_READS.saturating_add(days.saturating_mul(READS_A_DAY)) {
            self.wrong(format!("I12 {} was read {} times", record.key, sold.reads));
        }
    }

    /// The reference under which the warehouse has an order, if it has it.
    fn reference(&self, record: &Record) -> Option<Reference> {
        reference(&record.key, record.revision, 40).ok()
    }

    /// Has this order come to an end that the truth outside allows?
    fn is_at_rest(&self, sold: &Sold, record: &Record) -> bool {
        let payment = &sold.order.payment;
        let Some(reference) = self.reference(record) else { return false };
        let truth = self.site.wms.truth();
        let now = self.world.time.millis();
        let was_taken = truth.orders.iter().any(|order| order.reference == reference);
        let is_known = truth.known(&reference, now).next().is_some();
        let is_forgotten = was_taken && !is_known;
        let street = sold.order.ship_to.as_ref().map_or("", |to| to.line1.as_str());
        let by_hand = truth.known(&reference, now).any(|order| order.by_hand);
        let has_left = truth.known(&reference, now).any(|order| order.shipped);
        let unwanted = self.world.people.unwanted(&record.key);
        let is_refused = truth.refused.get(&reference).is_some_and(|disliked| disliked == street);
        match &record.stage {
            Stage::Posted => true,
            Stage::Held(Cause::InDoubt) => self.site.wms.class == Class::N,
            Stage::Held(Cause::NotCancelled(_)) => payment.is_taken_back() || unwanted,
            Stage::Held(Cause::ByPerson(_)) | Stage::Excluded(Exclusion::ByPerson(_)) => true,
            Stage::Held(Cause::Refused(_)) => is_refused || sold.vanished || payment.is_taken_back(),
            Stage::Held(Cause::Vanished) => sold.vanished,
            Stage::Held(Cause::ChangedAfterSending) => is_forgotten || by_hand || has_left,
            Stage::Accepted => is_forgotten,
            Stage::Cancelled if unwanted => true,
            Stage::Cancelled | Stage::Excluded(_) => *payment != PaymentStatus::Accepted,
            Stage::Waiting(_) => *payment == PaymentStatus::Pending,
            Stage::Shipped => sold.ever_vanished,
            _ => false,
        }
    }

    /// I2, I3 and I8, from the warehouse's side.
    fn warehouse(&self, sold: &BTreeMap<OrderId, Sold>) {
        let truth = self.site.wms.truth();
        let now = self.world.time.millis();
        for reference in truth.asked.keys() {
            let known = truth.known(reference, now).count();
            if known > 1 {
                self.wrong(format!("I2 {known} orders at the warehouse: {reference}"));
            }
        }
        let wait = u64::try_from(self.world.pace.longest_retry.as_millis()).unwrap_or(u64::MAX);
        for (reference, Sends { times, first, last }) in &truth.asked {
            let span = last - first;
            if u64::from(*times) > SENDS_AT_ONCE + span / wait {
                self.wrong(format!("I8 {reference} was sent {times} times in {} s", span / 1000));
            }
        }
        for notice in truth.packages().into_values().filter(|notice| !notice.voided) {
            let number = notice.tracking.as_ref().map_or("", |tracking| tracking.number.as_str());
            let order = order_of(&notice.reference, &self.site.connection.id);
            let sold = order.and_then(|order| sold.get(&order));
            let excused = sold.is_some_and(|sold| sold.ever_vanished);
            let shown = sold.is_some_and(|sold| sold.shown.iter().any(|shown| shown == number));
            if !shown && !excused {
                self.wrong(format!("I3 never posted: {number} of {}", notice.reference));
            }
        }
    }

    /// The books close: ours beside those of the store and of the warehouse.
    fn books(&self, sold: &BTreeMap<OrderId, Sold>) {
        let records: Vec<Record> = self
            .world
            .model
            .with(&self.site.connection.id, |books| books.records.values().cloned().collect());
        let truth = self.site.wms.truth();
        let now = self.world.time.millis();
        let packages = truth.packages();
        for record in &records {
            let id = &record.key;
            let Some(reference) = self.reference(record).filter(|_| sold.contains_key(&id.order)) else {
                self.wrong(format!("books: {id} is not in the store"));
                continue;
            };
            let ours = record.warehouse_order.is_some() || !record.packages.is_empty();
            let theirs = truth.known(&reference, now).any(|order| !order.by_hand);
            if record.stage == Stage::Cancelled && truth.known(&reference, now).any(|order| !order.cancelled)
            {
                self.wrong(format!("I2 {id} is cancelled, and the warehouse is to ship it"));
            }
            let given_up = record.stage == Stage::Held(Cause::InDoubt);
            if theirs && !ours && !given_up {
                self.wrong(format!("books: the warehouse has {id}, we say it is {}", record.stage.word()));
            }
            let left = packages.values().filter(|notice| notice.reference == reference && !notice.voided);
            let known = record.packages.iter().filter(|package| !package.voided);
            let (left, known) = (left.count(), known.count());
            if left != known {
                self.wrong(format!("books: {left} packages of {id} left, we know of {known}"));
            }
            let posted = record.packages.iter().filter(|package| package.post == Post::Posted);
            let shown = sold.get(&id.order).map_or(0, |sold| sold.shown.len());
            let posted = posted.count();
            if posted > shown {
                self.wrong(format!("books: {posted} packages of {id} posted, the store shows {shown}"));
            }
        }
    }
}

fn end_of(record: &Record) -> String {
    match &record.stage {
        Stage::Held(cause) => format!("held, {}", cause.word()),
        stage => stage.word().to_owned(),
    }
}
