//! The comparison at the end: the store's and the warehouse's truth, the ledger's books, and what was meant to happen.

use std::collections::BTreeMap;

use adapters::dynamodb::DynamoLedger;
use domain::ConnectionId;
use domain::ports::Ledger;
use domain::record::{Cause, Record, Stage};
use serde_json::Value;
use simulator::warehouse::{Order, Status};

use super::canary;
use super::items::Items;
use super::plan::Class;
use super::shop::{Fate, Shop, number};
use super::world::World;

/// Causes that heal by themselves, once the store answers as it should: the order is read again.
const HEALS: [&str; 3] = ["unmapped", "unreadable", "vanished"];

/// Every order that the warehouse should have is there; where it cannot be asked, the rest is held for a person.
pub(super) fn is_settled(shop: &Shop, status: &Value) -> bool {
    let missing = shop.missing() as u64;
    let (heals, for_a_person): (Vec<_>, Vec<_>) =
        held(status).into_iter().partition(|(word, _)| HEALS.contains(&word.as_str()));
    let held: u64 = for_a_person.into_iter().map(|(_, orders)| orders).sum();
    // Of those that a person is to look for, some are at the warehouse: their number alone says nothing of the others.
    missing == 0 || (shop.class == Class::Cannot && heals.is_empty() && missing <= held)
}

fn held(status: &Value) -> BTreeMap<String, u64> {
    let counts = status["books"]["held"].as_object().cloned().unwrap_or_default();
    counts.into_iter().map(|(word, n)| (word, n.as_u64().unwrap_or(0))).collect()
}

/// All records of a shop's connection.
pub(super) async fn records(ledger: &DynamoLedger, shop: &Shop) -> Vec<Record> {
    let connection = ConnectionId::parse(&shop.id).expect("a slug");
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = ledger.scan(&connection, after, 500).await.expect("the ledger answers");
        let Some(last) = page.last() else { return all };
        after = Some(last.key.order);
        all.extend(page);
    }
}

/// Orders that a ledger has without an attempt of its own, so from a lost one: found at the warehouse, and held.
pub(super) fn rebuilt(records: &BTreeMap<String, Vec<Record>>) -> (u64, u64) {
    let count =
        |is: fn(&Record) -> bool| records.values().flatten().filter(|record| is(record)).count() as u64;
    (
        count(|record| record.attempts == 0 && record.warehouse_order.is_some()),
        count(|record| record.stage == Stage::Held(Cause::OlderThanLedger)),
    )
}

/// Writes down everything that is not as it must be, and the figures.
pub(super) fn judge(world: &mut World, records: &BTreeMap<String, Vec<Record>>, status: &[Value]) {
    let mut wrong = Vec::new();
    for (shop, status) in world.shops.iter().zip(status) {
        let none = Vec::new();
        let records = records.get(&shop.id).unwrap_or(&none);
        let known: BTreeMap<u64, &Record> =
            records.iter().map(|record| (record.key.order.0, record)).collect();
        let mut judge = Judge { shop, known, wrong: &mut wrong };
        judge.orders();
        judge.packages();
        judge.books(status);
        for (word, n) in held(status) {
            *world.report.held.entry(word).or_default() += n;
        }
    }
    if status.len() != world.shops.len() {
        wrong.push("the books cannot be read".to_owned());
    }
    let report = &mut world.report;
    report.wrong.append(&mut wrong);
    if report.rebuilt == (0, 0) {
        report.rebuilt = rebuilt(records);
    }
    report.attempts = records.values().flatten().map(|record| u64::from(record.attempts)).sum();
    for shop in &world.shops {
        let (store, warehouse) = (shop.store.counts(), shop.warehouse.counts());
        for (word, n) in store.faults_met.iter().chain(&warehouse.faults_met) {
            *report.faults.entry(word.clone()).or_default() += n;
        }
        report.sent += shop.warehouse.books().orders;
        report.parcels += shop.warehouse.books().parcels;
        report.posted += shop.store.shown();
        report.deliveries += shop.warehouse.deliveries().len() + shop.store.deliveries().len();
    }
}

struct Judge<'a> {
    shop: &'a Shop,
    known: BTreeMap<u64, &'a Record>,
    wrong: &'a mut Vec<String>,
}

impl Judge<'_> {
    fn say(&mut self, id: u64, what: &str) {
        let stage = self.known.get(&id).map_or("not in the ledger".to_owned(), |record| told(record));
        self.wrong.push(format!("{}: {what}; {stage}", self.shop.reference(id)));
    }

    /// Every order is where it must be, once.
    fn orders(&mut self) {
        let mut there: BTreeMap<u64, Vec<Order>> = BTreeMap::new();
        for order in self.shop.warehouse.orders() {
            there.entry(number(&order.reference).unwrap_or(0)).or_default().push(order);
        }
        for (id, fate) in &self.shop.sold {
            let orders = there.remove(id).unwrap_or_default();
            match (fate, orders.as_slice()) {
                (Fate::Exclude, []) => {}
                (Fate::Exclude, _) => self.say(*id, "was sent and must not be"),
                (_, []) if self.is_held_by_right(*id) => {}
                (_, []) => self.say(*id, "was never sent"),
                (Fate::Ship(units) | Fate::Refund(units), [order]) => self.order(*id, *fate, *units, order),
                (_, several) => self.say(*id, &format!("was sent {} times", several.len())),
            }
            if !self.known.contains_key(id) {
                self.say(*id, "is lost");
            }
            let is_held = |record: &&Record| matches!(record.stage, Stage::Held(_));
            if self.shop.class != Class::Cannot && self.known.get(id).is_some_and(is_held) {
                self.say(*id, "is held");
            }
        }
        for id in there.into_keys() {
            self.say(id, "is at the warehouse and was never sold");
        }
    }

    fn order(&mut self, id: u64, fate: Fate, units: u32, order: &Order) {
        if order.units() != units {
            self.say(id, &format!("{} pieces were sent, {units} were sold", order.units()));
        }
        let is_known = self.known.get(&id).is_some_and(|record| record.warehouse_order.is_some());
        // What was cancelled on both sides may have been cancelled unseen, where the warehouse cannot be asked.
        let cancelled = self.known.get(&id).is_some_and(|record| record.stage == Stage::Cancelled);
        let is_over = cancelled && order.status == Status::Cancelled;
        if !is_known && !is_over && self.shop.class != Class::Cannot {
            self.say(id, &format!("is {:?} at the warehouse, and the ledger does not know it", order.status));
        }
        let wanted = if matches!(fate, Fate::Refund(_)) { Status::Cancelled } else { Status::Shipped };
        if order.status != wanted && self.shop.class != Class::Cannot {
            self.say(id, &format!("is {:?} at the warehouse", order.status));
        }
    }

    /// Where nobody can be asked, an order that may be there is held.
    fn is_held_by_right(&self, id: u64) -> bool {
        let stage = self.known.get(&id).map(|record| &record.stage);
        self.shop.class == Class::Cannot
            && matches!(stage, Some(Stage::Held(Cause::InDoubt | Cause::OlderThanLedger)))
    }

    /// Every package that left is shown by the store, once, at its order.
    fn packages(&mut self) {
        let mut left: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for parcel in self.shop.warehouse.shipments() {
            left.entry(number(&parcel.reference).unwrap_or(0)).or_default().push(parcel.tracking_number);
        }
        for id in self.shop.sold.keys() {
            let mut wanted = left.remove(id).unwrap_or_default();
            let told = self.shop.store.tracking(*id);
            let mut shown: Vec<String> = told
                .iter()
                .filter(|tracking| tracking.stored)
                .map(|tracking| tracking.number.clone())
                .collect();
            wanted.sort();
            shown.sort();
            if wanted != shown {
                self.say(*id, &format!("{wanted:?} left, {shown:?} is shown"));
            }
            if told.iter().any(|tracking| tracking.times_told != 1) {
                self.say(*id, "tracking was posted twice");
            }
        }
    }

    /// The ledger says what the simulators say.
    fn books(&mut self, status: &Value) {
        let books = &status["books"];
        let mut check = |what: &str, ours: &Value, theirs: usize| {
            if *ours != theirs {
                self.wrong.push(format!("{}: {what}: {ours} in our books, {theirs} really", self.shop.id));
            }
        };
        check("orders", &books["orders"], self.shop.sold.len());
        check("posted packages", &books["packages"]["posted"], self.shop.store.shown());
        check("packages to be posted", &books["packages"]["due"], 0);
        if status["closes"] != true {
            self.wrong.push(format!("{}: the books do not close: {books}", self.shop.id));
        }
        if self.shop.class != Class::Cannot && !held(status).is_empty() {
            self.wrong.push(format!("{}: orders are held: {}", self.shop.id, books["held"]));
        }
    }
}

/// An order's state and its story, for whoever looks for the reason.
fn told(record: &Record) -> String {
    let story: Vec<String> =
        record.story.iter().map(|entry| format!("{} {}: {}", entry.at, entry.by, entry.what)).collect();
    format!("{} after {} attempts [{}]", record.stage.word(), record.attempts, story.join(" | "))
}

/// Looks for marks where none may be: files, items of the tables, arguments, and what the simulators were asked for.
pub(super) fn search(world: &mut World, items: Items) {
    let Items { bytes, mut leaks, bodies, marked } = items;
    if bodies == 0 || marked < bodies {
        let problem = format!("the search is blind: it sees marks in {marked} of {bodies} bodies of orders");
        world.report.wrong.push(problem);
    }
    let mut searched = bytes + canary::search(&world.options.dir, &mut leaks);
    let mut look = |place: &str, text: &str| {
        searched += text.len() as u64;
        leaks.extend(canary::found(text.as_bytes()).map(|around| format!("{place}: {around}")));
    };
    for line in &world.usage.arguments {
        look("the arguments of a process", line);
    }
    for shop in &world.shops {
        for target in shop.store.targets().iter().chain(&shop.warehouse.targets()) {
            look("an address that was asked for", target);
        }
    }
    (world.report.searched, world.report.bodies) = (searched, bodies);
    let all = leaks.len();
    world.report.wrong.extend(leaks.into_iter().take(20).map(|leak| format!("a mark in {leak}")));
    if all > 20 {
        world.report.wrong.push(format!("and {} more marks", all - 20));
    }
}
