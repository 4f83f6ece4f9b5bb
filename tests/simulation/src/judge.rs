//! Judges a history that has come to rest: nothing lost, nothing twice, nothing silent.

use std::collections::BTreeMap;

use domain::OrderKey;
use domain::payment::PaymentStatus;
use domain::record::{Cause, Record, Stage};

use crate::history::Deployment;
use crate::net::Tally;
use crate::wms::Class;

/// What a history showed.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Its seed.
    pub seed: u64,
    /// The warehouse's class.
    pub class: Class,
    /// What is wrong; nothing, when all is well.
    pub wrong: Vec<String>,
    /// Everything that happened on the network.
    pub tally: Tally,
    /// Processes that were killed.
    pub crashes: u64,
    /// Processes that were frozen.
    pub freezes: u64,
    /// How the orders ended, by word.
    pub ends: BTreeMap<String, u64>,
}

pub(crate) fn judge(seed: u64, class: Class, world: &Deployment, crashes: u64, freezes: u64) -> Verdict {
    let mut wrong = Vec::new();
    let mut ends = BTreeMap::new();
    let truth = world.cart.truth();
    for (id, sold) in &truth.orders {
        let key = OrderKey::new(world.connection.id.clone(), *id);
        let Some(record) = world.model.record(&key) else {
            wrong.push(format!("I1 lost: order {id} is in the store and not in the ledger"));
            continue;
        };
        *ends.entry(end_of(&record)).or_default() += 1;
        if !is_at_rest(class, &sold.order.payment, &record) {
            wrong
                .push(format!("I1 not at rest: order {id}, {:?}, is {:?}", sold.order.payment, record.stage));
        }
        for (number, writes) in &sold.writes {
            if *writes > 1 {
                wrong.push(format!("I3 posted {writes} times: {number} of order {id}"));
            }
        }
    }
    let warehouse = world.wms.truth();
    let mut references = BTreeMap::new();
    for order in &warehouse.orders {
        *references.entry(order.reference.to_string()).or_insert(0) += 1;
    }
    for (reference, count) in references.iter().filter(|(_, count)| **count > 1) {
        wrong.push(format!("I2 sent {count} times: {reference}"));
    }
    for notice in &warehouse.shipped {
        let number = notice.tracking.as_ref().map_or("", |tracking| tracking.number.as_str());
        if !truth.orders.values().any(|sold| sold.shown.iter().any(|shown| shown == number)) {
            wrong.push(format!("I3 never posted: {number} of {}", notice.reference));
        }
    }
    for key in world.model.uncovered() {
        wrong.push(format!("I6 silent: nobody will look at {key} again"));
    }
    Verdict { seed, class, wrong, tally: world.net.tally(), crashes, freezes, ends }
}

fn end_of(record: &Record) -> String {
    match &record.stage {
        Stage::Held(cause) => format!("held, {}", cause.word()),
        stage => stage.word().to_owned(),
    }
}

/// Has this order come to an end that its payment allows?
fn is_at_rest(class: Class, payment: &PaymentStatus, record: &Record) -> bool {
    match &record.stage {
        Stage::Posted => true,
        Stage::Held(Cause::InDoubt) => class == Class::N,
        Stage::Held(Cause::NotCancelled(_)) => payment.is_taken_back(),
        Stage::Cancelled | Stage::Excluded(_) => *payment != PaymentStatus::Accepted,
        Stage::Waiting(_) => *payment == PaymentStatus::Pending,
        _ => false,
    }
}
