//! What an order costs in DynamoDB, and that its items stay as small as that price supposes.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use adapters::dynamodb::meter::item_size;
use adapters::dynamodb::tables::Names;
use adapters::dynamodb::{Client, DynamoLedger, Meter};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::admission::Admission;
use domain::life::Step;
use domain::ports::{Cursor, Lease, Ledger, Saved};
use domain::record::{Exclusion, Record, Wait};
use domain::shipment::Post;
use domain::{OrderId, OrderKey, PackageId, Token, WarehouseOrderId};
use testkit::build::{self, at, key, order, package, ready, record, stamp};

struct Bench {
    client: Client,
    names: Names,
    meter: Arc<Meter>,
    ledger: DynamoLedger,
}

async fn bench() -> Bench {
    let (client, names) = common::in_memory().await;
    let meter = Arc::new(Meter::default());
    let ledger = DynamoLedger::new(client.clone(), &names.ledger, Some(meter.clone()));
    Bench { client, names, meter, ledger }
}

impl Bench {
    async fn save(&self, before: &Record, after: &Record) {
        assert_eq!(self.ledger.save(before, after).await.expect("save"), Saved::Done);
    }

    /// The size of an order's item by DynamoDB's rules, the whole of it.
    async fn size(&self, key: &OrderKey, part: &str) -> usize {
        let sk = format!("o#{:020}#{part}", key.order.0);
        let request = self.client.get_item().table_name(&self.names.ledger);
        let request = request.key("pk", AttributeValue::S(key.connection.to_string()));
        let answer = request.key("sk", AttributeValue::S(sk)).send().await.expect("get");
        item_size(&answer.item.expect("it is there"))
    }
}

/// The steps of an order that goes all the way, as the use cases take them.
fn ordinary_life() -> Vec<Step> {
    let parcel = PackageId::parse("shp_01HXAMPLE7Q2").expect("an id");
    vec![
        Step::Claim { until: at("2026-03-01T12:08:00.123456789Z"), units: 3, mapping: 12, digest: None },
        Step::Accept { id: WarehouseOrderId::parse("ord_8f14e45fceea").expect("an id"), how: " (created)" },
        Step::Ship(package(parcel.as_str())),
        Step::ClaimPost { package: parcel.clone(), until: at("2026-03-02T17:00:00.123456789Z") },
        Step::SettlePost { package: parcel, post: Post::Posted, again: None },
    ]
}

#[tokio::test]
async fn an_ordinary_order_costs_six_writes_over_its_whole_life() {
    let bench = bench().await;
    let (here, key) = (build::connection_id("sample-teas"), key("sample-teas", 700_100_201));
    let (new, body) = (ready(&key, 0x1234_5678_9abc_def0), order(key.order.0));
    bench.ledger.insert(&new, Some(&body), at("2026-06-01T00:00:00Z")).await.expect("insert");
    assert!(bench.size(&key, "b").await <= 1024, "{} bytes of body", bench.size(&key, "b").await);

    let opened = bench.ledger.open(&key, false).await.expect("open").expect("it is there");
    let mut now = opened.0;
    for (n, step) in ordinary_life().into_iter().enumerate() {
        if n == 2 {
            now = bench.ledger.load(&key, false).await.expect("load").expect("it is there");
        }
        let after = now.step(step, stamp(0xfedc_ba98_7654_3210 + n as u64)).expect("an ordinary step");
        bench.save(&now, &after).await;
        let size = bench.size(&key, "s").await;
        assert!(size <= 1024, "{size} bytes of state when {}", after.stage.word());
        now = after;
    }
    let used = bench.meter.usage();
    println!("one order, imported to posted: {used}; body {} bytes", bench.size(&key, "b").await);
    assert_eq!(now.story.len(), 6);
    assert_eq!(used.write_halves, 2 * 6, "{used}");
    assert!(used.read_halves <= 2, "{used}");
    assert!(bench.ledger.due(&here, None, at("2030-01-01T00:00:00Z"), 10).await.expect("due").is_empty());
}

#[tokio::test]
async fn an_order_with_a_long_life_stays_under_a_kilobyte() {
    let bench = bench().await;
    let key = key("sample-teas", 700_100_202);
    let mut now = ready(&key, 1);
    bench.ledger.insert(&now, Some(&order(key.order.0)), at("2026-06-01T00:00:00Z")).await.expect("insert");
    let mut largest = 0;
    for attempt in 0..6_u64 {
        let token = 0xfedc_ba98_7654_0000 + 10 * attempt;
        let claim =
            Step::Claim { until: at("2026-03-01T12:08:00.123456789Z"), units: 3, mapping: 12, digest: None };
        let claimed = now.step(claim, stamp(token)).expect("a claim");
        let doubt = Step::Doubt {
            attempt: Token(token),
            ask_at: at("2026-03-01T12:18:00.987654321Z"),
            why: "wms: create order: did not answer in time".to_owned(),
        };
        let doubted = claimed.step(doubt, stamp(token + 1)).expect("a doubt");
        let again = doubted.step(Step::SendAgain("the warehouse does not have it"), stamp(token + 2));
        let again = again.expect("again");
        for (before, after) in [(&now, &claimed), (&claimed, &doubted), (&doubted, &again)] {
            bench.save(before, after).await;
            largest = largest.max(bench.size(&key, "s").await);
        }
        now = again;
    }
    for step in ordinary_life() {
        let after = now.step(step, stamp(0xabcd_ba98_7654_0000 + now.version)).expect("an ordinary step");
        bench.save(&now, &after).await;
        largest = largest.max(bench.size(&key, "s").await);
        now = after;
    }
    println!("the largest state of a long life: {largest} bytes");
    assert!(largest <= 1024, "{largest} bytes");
}

#[tokio::test]
async fn the_first_stage_decides_how_many_writes_an_order_needs() {
    let soon = at("2026-03-01T13:00:00Z");
    for (n, (first, writes)) in [
        (Admission::Ready, 1),
        (Admission::Exclude(Exclusion::Digital), 1),
        (Admission::Wait(Wait::Unpaid("pending".to_owned()), soon), 2),
    ]
    .into_iter()
    .enumerate()
    {
        let bench = bench().await;
        let key = key("sample-teas", n as u64);
        let new = record(&key, &first, 1);
        bench.ledger.insert(&new, Some(&order(key.order.0)), soon).await.expect("insert");
        let used = bench.meter.usage();
        assert_eq!((used.requests, used.write_halves), (writes, 2 * writes), "{first:?}: {used}");
    }
}

#[tokio::test]
async fn a_page_of_orders_is_expected_with_one_write_and_an_idle_poll_writes_nothing() {
    let bench = bench().await;
    let here = build::connection_id("sample-teas");
    let orders: Vec<OrderId> = (0..100).map(|n| OrderId(700_000_000 + 37 * n)).collect();
    let start = bench.meter.usage();
    bench.ledger.expect(&here, build::noon(), &orders).await.expect("expect");
    let page = bench.meter.usage() - start;
    assert_eq!((page.requests, page.write_halves), (1, 2), "{page}");

    let lease = Lease { token: Token(1), until: at("2026-03-01T12:10:00Z") };
    assert!(bench.ledger.lease(&here, lease, build::noon()).await.expect("lease"));
    let cursor = Cursor { version: 0, position: Some(build::noon()), seen: orders.clone() };
    assert!(bench.ledger.move_cursor(&here, &cursor, Token(1)).await.expect("move"));
    let moved = bench.meter.usage() - start - page;
    assert_eq!(moved.write_halves, 4, "a lease and a move, 1 KB each: {moved}");

    let before = bench.meter.usage();
    assert_eq!(bench.ledger.cursor(&here).await.expect("cursor").seen.len(), 100);
    assert_eq!(bench.ledger.load_many(&here, &orders).await.expect("load many"), []);
    let idle = bench.meter.usage() - before;
    println!("an idle poll: {idle}");
    assert_eq!(idle.write_halves, 0);
    assert!(idle.read_halves <= 4, "asking for 100 orders that are not there costs almost nothing: {idle}");
}

#[tokio::test]
async fn orders_that_lie_far_apart_are_read_without_what_is_between() {
    let bench = bench().await;
    let here = build::connection_id("sample-teas");
    for id in 1..=200 {
        let new = ready(&key("sample-teas", id), id);
        bench.ledger.insert(&new, Some(&order(id)), at("2026-06-01T00:00:00Z")).await.expect("insert");
    }
    let before = bench.meter.usage();
    let got = bench.ledger.load_many(&here, &[OrderId(1), OrderId(200)]).await.expect("load many");
    let used = bench.meter.usage() - before;
    assert_eq!(got.len(), 2);
    assert!(used.read_halves <= 8 && used.requests == 2, "{used}");
}

/// The page over neighbours ends between the two items of an order: its state must be seen all the same.
#[tokio::test]
async fn an_order_that_a_page_cuts_in_two_is_read_as_it_stands() {
    let bench = bench().await;
    let here = build::connection_id("sample-teas");
    for id in 1..=18 {
        let new = ready(&key("sample-teas", id), id);
        bench.ledger.insert(&new, None, build::noon()).await.expect("insert");
        if id == 18 {
            let claim = Step::Claim { until: later(), units: 1, mapping: 1, digest: None };
            bench.save(&new, &new.step(claim, stamp(99)).expect("a claim")).await;
        }
    }
    let got = bench.ledger.load_many(&here, &[OrderId(1), OrderId(18)]).await.expect("load many");
    assert_eq!(got.iter().map(|record| record.version).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn an_order_that_seems_absent_is_asked_for_again_with_full_consistency() {
    let bench = bench().await;
    assert_eq!(bench.ledger.load(&key("sample-teas", 5), false).await.expect("load"), None);
    let used = bench.meter.usage();
    assert_eq!((used.requests, used.read_halves), (2, 1 + 2), "half a unit, then a whole one: {used}");
}

#[tokio::test]
async fn a_write_that_loses_is_counted_too() {
    let bench = bench().await;
    let key = key("sample-teas", 5);
    let new = ready(&key, 1);
    bench.ledger.insert(&new, None, build::noon()).await.expect("insert");
    let claim = Step::Claim { until: later(), units: 1, mapping: 1, digest: None };
    bench.save(&new, &new.step(claim.clone(), stamp(2)).expect("a claim")).await;
    let before = bench.meter.usage();
    let lost = bench.ledger.save(&new, &new.step(claim, stamp(3)).expect("a claim")).await.expect("save");
    assert!(matches!(lost, Saved::Conflict(Some(_))));
    let used = bench.meter.usage() - before;
    assert_eq!((used.requests, used.write_halves, used.read_halves), (1, 2, 0), "no second read: {used}");
}

/// Before the date on which the order is expected anyway, so that no date is written.
fn later() -> jiff::Timestamp {
    build::noon().checked_add(Duration::from_secs(60)).expect("an instant")
}
