//! The demo's day, in the deployed stack: what happens in the shop and at the warehouse, and that the stack follows.

use std::path::Path;
use std::time::Duration;

use adapters::clock::SystemClock;
use domain::Reference;
use domain::message::Message;
use domain::ports::Clock;
use domain::record::Stage;
use operations::status::Books;
use serde_json::json;
use simulator::faults::When;
use simulator::shop::{self, Expect, Kind};
use simulator::store::{self, OrderSpec};
use simulator::warehouse::{Endpoint, Fault, FaultPlan, Manner, Parcels};

use super::grants::Comparison;
use super::shop::{Shop, reference};
use super::stack::Stack;
use super::wait::{PATIENCE, until};

/// Between two sweeps beside those of the schedule, which comes by once a minute.
const SWEEP: Duration = Duration::from_secs(2);

/// The day in its parts.
pub(super) struct Day {
    /// There when the first poll comes.
    pub(super) morning: Vec<OrderSpec>,
    /// Sold while the store notifies.
    pub(super) afternoon: Vec<OrderSpec>,
    /// Plain orders that the rest of the test needs, one at a time.
    pub(super) late: Vec<OrderSpec>,
    /// Orders that nobody tells of. Their numbers lie far apart.
    pub(super) untold: Vec<OrderSpec>,
}

impl Day {
    /// The demo's day, the same each time.
    pub(super) fn beginning(shop: &Shop) -> Self {
        let mut morning = shop::day_from(7, shop.morning);
        let mut untold = morning.split_off(morning.len() - 2);
        let late = morning.split_off(morning.len() - 3);
        let afternoon = morning.split_off(morning.len() * 3 / 4);
        let early = OrderSpec { ordered_at: untold[0].ordered_at, ..morning.remove(1) };
        untold.insert(0, early);
        let is_sent = |order: &OrderSpec| matches!(order.ends_as(), Expect::Ship { .. });
        assert!(late.iter().chain(&untold).all(is_sent), "{late:?}{untold:?}");
        Self { morning, afternoon, late, untold }
    }
}

/// The morning's orders come in by a poll. The answer to one of them gets lost: it is found at the warehouse.
pub(super) async fn morning(stack: &Stack<'_>, shop: &Shop, orders: &[OrderSpec]) {
    let doubtful = orders.iter().find(|order| order.kind == Kind::SeveralLines).and_then(|order| order.id);
    let doubtful = doubtful.expect("an order of several lines");
    let lost = FaultPlan::new();
    let lost = lost.and_about(reference(doubtful), Endpoint::Create, When::Next(1), Fault::DoneButSilent);
    shop.warehouse.plan_faults(lost);
    shop.notify(None);
    let all = shop.sell(orders.to_vec()).len() as u64;
    shop.notify(Some(stack));
    stack.run("poll-orders").await.expect("the poll runs");
    let is_done = |books: &Books| books.orders == all && books.on_the_way.is_empty();
    books_until(stack, shop, "the morning's orders are where they belong", is_done).await;
    let record = shop.record(doubtful).await.expect("the order is in the ledger");
    let was_in_doubt = record.story.iter().any(|entry| entry.what.starts_with("in doubt"));
    assert!(was_in_doubt && record.warehouse_order.is_some(), "{:?}", record.story);
    assert_eq!(shop.warehouse.creates_for(&reference(doubtful)), 1, "the doubtful order is there once");
    let held: u64 = shop.books().await.held.values().sum();
    assert_eq!(held, 5, "what has no listing, rule or SKU, or cannot be read, is held");
}

/// More orders, each with a notification that comes through the HTTP API; the store asks for patience at first. What was
/// pending is paid or declined.
pub(super) async fn afternoon(stack: &Stack<'_>, shop: &Shop, day: &Day) {
    let stumbles = store::FaultPlan::new();
    let too_many = store::Fault::TooMany { retry_after: 1 };
    let stumbles = stumbles.and(store::Endpoint::OrderRead, When::Next(3), too_many);
    shop.store.plan_faults(stumbles);
    let all = (day.morning.len() + shop.sell(day.afternoon.clone()).len()) as u64;
    let is_done = |books: &Books| books.orders >= all && books.on_the_way.is_empty();
    books_until(stack, shop, "the afternoon's orders are where they belong", is_done).await;
    for order in shop.store.orders() {
        if let (Some(id), Some(status)) = (order.id, order.later) {
            shop.store.set_status(id, status);
        }
    }
}

/// Orders that nobody tells of, and no poll but that of the schedule finds. The sweep comes by on the date that it wrote.
pub(super) async fn by_schedule(stack: &Stack<'_>, shop: &Shop, decisions: &Path, orders: &[u64]) {
    sweep_until(stack, "the schedule fires", async || {
        for order in orders {
            shop.record(*order).await?;
        }
        Some(())
    })
    .await;
    sweep_until(stack, "the sweep looks at orders that lie far apart", async || {
        let used = Comparison::of(stack, decisions).await.used;
        used.iter().any(|used| used.action == "dynamodb:BatchGetItem").then_some(())
    })
    .await;
}

/// The warehouse asks for patience, and meanwhile the order's body expires, as DynamoDB has it: it is read again.
pub(super) async fn expired_body(stack: &Stack<'_>, shop: &Shop, order: OrderSpec) {
    let id = order.id.expect("a number");
    let fault = Fault::TooMany { retry_after: 3 };
    shop.warehouse.plan_faults(FaultPlan::new().and_about(
        reference(id),
        Endpoint::Create,
        When::Next(1),
        fault,
    ));
    shop.sell(vec![order]);
    until("the order waits for the warehouse", PATIENCE, async || {
        let stage = shop.record(id).await?.stage;
        matches!(stage, Stage::Ready { not_before: Some(_) }).then_some(())
    })
    .await;
    let key = json!({"pk": {"S": "main"}, "sk": {"S": format!("o#{id:020}#b")}});
    let item = json!({"TableName": stack.resource("LedgerTable"), "Key": key});
    stack.aws.json("dynamodb", "DynamoDB_20120810.DeleteItem", &item).await;
    sweep_until(stack, "the order is sent", async || {
        (shop.warehouse.creates_for(&reference(id)) > 0).then_some(())
    })
    .await;
}

/// The warehouse ships one piece of an order without telling anybody, and the feed is read; another one is asked about.
pub(super) async fn lost_webhooks(stack: &Stack<'_>, shop: &Shop, decisions: &Path) {
    let quiet = |silent| shop.warehouse.set_manner(Manner { silent, ..Manner::default() });
    quiet(true);
    let orders = shop.warehouse.orders();
    let part =
        orders.iter().find_map(|order| Some((order, order.items.iter().find(|item| item.quantity > 1)?)));
    let (order, item) = part.expect("an order of several pieces");
    shop.warehouse.ship(&order.id, &Parcels::Some(vec![(item.sku.clone(), 1)]));
    stack.run("poll-shipments").await.expect("the poll runs");
    assert!(shop.books().await.packages.shipped >= 1, "the feed has told of it");
    for order in orders.iter().rev().filter(|other| other.id != order.id) {
        let before = shop.books().await.packages.shipped;
        shop.warehouse.ship(&order.id, &Parcels::One);
        let reference = Reference::parse(&order.reference).expect("a reference");
        let question = Message::Reread { connection: shop.connection.id.clone(), reference };
        stack.send(stack.resource("ShipmentsQueue"), &question.encode()).await;
        until("the warehouse is asked", PATIENCE, async || {
            (shop.books().await.packages.shipped > before).then_some(())
        })
        .await;
        // The schedule's own look at the feed may have been faster.
        let used = Comparison::of(stack, decisions).await.used;
        if used.iter().any(|used| used.role == "WriteTrackingRole" && used.action == "sqs:SendMessage") {
            break;
        }
    }
    quiet(false);
}

/// Everything else leaves the warehouse, some of it in two parcels. The store hangs up on the first posts: on so many that some
/// are brought back by the sweep and not by their messages.
pub(super) async fn shipping(stack: &Stack<'_>, shop: &Shop) {
    let hangs_up = store::FaultPlan::new();
    let hangs_up = hangs_up.and(store::Endpoint::OrderUpdate, When::Next(12), store::Fault::HangUp);
    shop.store.plan_faults(hangs_up);
    for (position, order) in shop.warehouse.orders().iter().enumerate() {
        let parcels = if position % 7 == 3 { Parcels::Split(2) } else { Parcels::One };
        shop.warehouse.ship(&order.id, &parcels);
    }
    let all = shop.warehouse.shipments().len() as u64;
    books_until(stack, shop, "all tracking is posted", |books| books.packages.posted == all).await;
}

/// Everything that is to be sent is at the warehouse, what was cured too.
pub(super) async fn all_sent(stack: &Stack<'_>, shop: &Shop) {
    let orders = shop.store.orders();
    let all = orders.iter().filter(|order| matches!(order.ends_as(), Expect::Ship { .. })).count() as u64;
    let is_done = |books: &Books| books.at_warehouse == all && books.on_the_way.is_empty();
    books_until(stack, shop, "everything is sent that is to be sent", is_done).await;
}

async fn books_until(stack: &Stack<'_>, shop: &Shop, what: &str, is_done: impl Fn(&Books) -> bool) {
    let mut last = Books::default();
    let look = async || {
        last = shop.books().await;
        is_done(&last).then_some(())
    };
    sweep_until(stack, what, look).await;
}

/// Waits, and sweeps meanwhile.
pub(super) async fn sweep_until(stack: &Stack<'_>, what: &str, mut look: impl AsyncFnMut() -> Option<()>) {
    let mut swept = SystemClock.now();
    until(what, PATIENCE, async || {
        if SystemClock.now().duration_since(swept).unsigned_abs() > SWEEP {
            stack.run("sweep").await.expect("the sweep runs");
            swept = SystemClock.now();
        }
        look().await
    })
    .await;
}
