//! `cartdock run` as an operator meets it: killed at any moment it continues, stopped it finishes, and it runs once.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use simulator::faults::When;
use simulator::shop::{self, Expect, Kind};
use simulator::store::{self, OrderSpec, Store, StoreOptions, WriteBack};
use simulator::warehouse::{Endpoint, Fault, FaultPlan};
use support::{PATIENCE, Shop, in_time, kill, terminate};
use tokio::process::Child;

/// How often the process is killed while orders flow.
const KILLS: usize = 6;

/// Creates at the warehouse between two kills.
const BETWEEN: usize = 5;

fn reference(order: u64) -> String {
    format!("main-{order}")
}

/// The orders that have to be at the warehouse, with their pieces: those that are paid and mapped from the start, those
/// that are paid later too, and those whose listing or rule comes last.
fn shipping(day: &[OrderSpec], include: impl Fn(&OrderSpec) -> bool) -> Vec<(String, u32)> {
    let units = |order: &OrderSpec| match order.cured.unwrap_or(order.expect) {
        Expect::Ship { units } => Some(units),
        _ => None,
    };
    let chosen = day.iter().filter(|order| include(order));
    chosen.filter_map(|order| Some((reference(order.id?), units(order)?))).collect()
}

async fn all_there(shop: &Shop, expected: &[(String, u32)]) {
    let there = shop.warehouse.until(|warehouse| {
        let orders: BTreeSet<String> = warehouse.orders().into_iter().map(|order| order.reference).collect();
        expected.iter().all(|(reference, _)| orders.contains(reference))
    });
    if tokio::time::timeout(PATIENCE, there).await.is_err() {
        let missing: Vec<_> =
            expected.iter().filter(|(reference, _)| shop.warehouse.creates_for(reference) == 0).collect();
        panic!("not at the warehouse: {missing:?}\n{}", shop.log());
    }
}

/// Kills and starts again after every few creates, each time between the warehouse's taking an order and its answer.
async fn kill_while_orders_flow(shop: &Shop, mut run: Child) -> Child {
    for _ in 0..KILLS {
        let enough = shop.warehouse.orders().len() + BETWEEN;
        in_time("orders flow", shop.warehouse.until(|warehouse| warehouse.orders().len() >= enough)).await;
        kill(run).await;
        run = shop.run();
    }
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_sends_every_order_once_and_posts_every_package_once() {
    let shop = Shop::open("run-and-kill", WriteBack::Offered).await;
    shop.map().await;
    let slow = Fault::DoneButSlow(Duration::from_millis(150));
    shop.warehouse.plan_faults(FaultPlan::new().and(Endpoint::Create, When::Always, slow));
    let day = shop::day_from(7, shop.morning);
    for order in day.clone() {
        shop.store.add_order(order);
    }

    let run = kill_while_orders_flow(&shop, shop.run()).await;
    all_there(&shop, &shipping(&day, |order| order.later.is_none() && order.cured.is_none())).await;
    for order in &day {
        if let (Some(id), Some(status)) = (order.id, order.later) {
            shop.store.set_status(id, status);
        }
    }
    all_there(&shop, &shipping(&day, |order| order.cured.is_none())).await;
    shop.write("listings.csv", &support::listings(shop::missing_listings()));
    let rules: shop::Rules = shop::rules().into_iter().chain(shop::missing_rules()).collect();
    shop.write("rules.csv", &support::rules(rules));
    shop.map().await;
    let expected = shipping(&day, |_| true);
    all_there(&shop, &expected).await;

    let run = kill_while_tracking_is_posted(&shop, run).await;
    in_time("the last package is verified and written down", settled(&shop)).await;
    every_order_is_there_once(&shop, &expected);
    every_package_is_shown_once(&shop);
    println!("peak memory of cartdock run: {}", peak_memory(&run));
    assert_eq!(terminate(run).await, Some(0), "{}", shop.log());
    the_books_close(&shop, &day).await;
}

async fn kill_while_tracking_is_posted(shop: &Shop, run: Child) -> Child {
    let parcels = shop.warehouse.ship_everything().len();
    in_time("tracking flows", shop.store.until(|store| store.books().tracking_numbers >= parcels / 4)).await;
    assert!(shop.store.books().tracking_numbers < parcels, "killed too late to prove anything");
    kill(run).await;
    let run = shop.run();
    let all = shop.store.until(|store| store.books().tracking_numbers >= parcels);
    if tokio::time::timeout(PATIENCE, all).await.is_err() {
        panic!("{} of {parcels} posted\n{}", shop.store.books().tracking_numbers, shop.log());
    }
    run
}

fn every_order_is_there_once(shop: &Shop, expected: &[(String, u32)]) {
    assert_eq!(shop.warehouse.books().duplicates, 0, "an order was sent twice");
    let mut there: Vec<(String, u32)> =
        shop.warehouse.orders().iter().map(|order| (order.reference.clone(), order.units())).collect();
    let mut expected = expected.to_vec();
    there.sort();
    expected.sort();
    assert_eq!(there, expected);
}

fn every_package_is_shown_once(shop: &Shop) {
    let parcels = shop.warehouse.shipments();
    for parcel in &parcels {
        let order = parcel.reference.trim_start_matches("main-").parse().expect("a number");
        let shown = shop.store.tracking(order);
        assert!(
            shown.iter().filter(|tracking| tracking.number == parcel.tracking_number).count() == 1,
            "{parcel:?}: {shown:?}"
        );
    }
    assert_eq!(shop.store.books().tracking_numbers, parcels.len());
    assert_eq!(shop.store.books().repeated_updates, 0, "tracking was posted twice");
}

/// The ledger says what the simulators say.
async fn the_books_close(shop: &Shop, day: &[OrderSpec]) {
    let status = shop.ask(&["status", "--json"]).await.ended(1).json();
    let books = &status[0]["books"];
    assert_eq!(status[0]["closes"], true, "{status}");
    assert_eq!(books["orders"], day.len(), "{status}");
    assert_eq!(support::sum(&books["sent"]), shop.warehouse.orders().len() as u64, "{status}");
    assert_eq!(books["packages"]["posted"], shop.warehouse.shipments().len(), "{status}");
    let may_be_held = |order: &&OrderSpec| order.cured.is_none() && order.expect == Expect::Hold;
    assert_eq!(support::sum(&books["held"]), day.iter().filter(may_be_held).count() as u64, "{status}");
}

/// The state once no package is on its way any more: the store shows a number a moment before we have read it back, and
/// a killed attempt is taken over only after its claim has ended.
async fn settled(shop: &Shop) {
    while shop.ask(&["status", "--json"]).await.ended(1).json()[0]["books"]["packages"]["due"] != 0 {}
}

/// `VmHWM`, as Linux tells it.
fn peak_memory(run: &Child) -> String {
    let status = std::fs::read_to_string(format!("/proc/{}/status", run.id().unwrap_or_default()));
    let status = status.unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap_or("not known here").trim_start_matches("VmHWM:").trim().to_owned()
}

/// One paid order of the day, of this kind.
fn one(shop: &Shop, kind: Kind) -> OrderSpec {
    let mut day = shop::day_from(7, shop.morning).into_iter();
    day.find(|order| order.kind == kind).expect("the day has all kinds")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_signal_lets_it_finish_what_is_in_hand() {
    let shop = Shop::open("term-signal", WriteBack::Offered).await;
    shop.map().await;
    let slow = Fault::DoneButSlow(Duration::from_millis(600));
    shop.warehouse.plan_faults(FaultPlan::new().and(Endpoint::Create, When::Always, slow));
    let order = shop.store.add_order(one(&shop, Kind::Physical));
    let run = shop.run();
    in_time("the order is sent", shop.warehouse.until(|warehouse| warehouse.orders().len() == 1)).await;
    assert_eq!(terminate(run).await, Some(0), "{}", shop.log());
    let explained = shop.ask(&["explain", &order.to_string(), "--json"]).await.ended(0).json();
    assert_eq!(explained["stage"], "accepted", "{explained}");
    assert_eq!(explained["attempts"], 1, "{explained}");
}

/// The settings of a shop with another connection before its own: another store, the same warehouse.
fn with_neighbour(shop: &Shop, neighbour: &Store) -> String {
    let own = shop.settings();
    let (head, main) = own.split_at(own.find("[[connection]]").expect("a connection"));
    let head = head.replace("local_hosts = [", &format!("local_hosts = [\"{}\", ", neighbour.host()));
    let other = main
        .replace("id = \"main\"", "id = \"a-neighbour\"")
        .replace(&shop.store.base_url(), &neighbour.base_url())
        .replace("timeout_seconds = 5", "timeout_seconds = 20");
    format!("{head}{other}{main}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_not_answer_keeps_no_other_waiting() {
    let shop = Shop::open("silent-neighbour", WriteBack::Offered).await;
    let neighbour = Store::start(StoreOptions::default()).await.expect("a loopback port");
    neighbour.stock_shop();
    shop.write("cartdock.toml", &with_neighbour(&shop, &neighbour));
    for connection in ["a-neighbour", "main"] {
        for file in ["listings.csv", "rules.csv"] {
            shop.ask(&["map", "import", file, "--connection", connection]).await.ended(0);
        }
    }
    shop.store.notify_to(None);
    let theirs: Vec<u64> = (0..6)
        .map(|n| neighbour.add_order(OrderSpec { id: Some(700_900_100 + n), ..one(&shop, Kind::Physical) }))
        .collect();
    let ours = shop.store.add_order(one(&shop, Kind::Physical));
    let run = shop.run();
    for order in theirs.into_iter().chain([ours]) {
        shop.explained(order, |order| order["stage"] == "accepted").await;
    }

    neighbour.plan_faults(store::FaultPlan::new().and(
        store::Endpoint::OrderRead,
        When::Always,
        store::Fault::Silence,
    ));
    let reads = || neighbour.counts().order_reads.values().sum::<u64>();
    let before = reads();
    in_time("the neighbour is asked", neighbour.until(|_| reads() > before)).await;
    // Only a look at the order finds that its sale was taken back.
    assert!(shop.store.set_status(ours, "Voided"));
    shop.explained(ours, |order| order["stage"] != "accepted").await;
    assert!(reads() < before + 6, "the other store was waited for: {} reads", reads() - before);
    assert_eq!(terminate(run).await, Some(0), "{}", shop.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_is_refused_and_commands_work_beside_the_first() {
    let shop = Shop::open("beside", WriteBack::Offered).await;
    shop.map().await;
    let lamp = shop.store.add_order(one(&shop, Kind::UnmappedSku));
    let run = shop.run();
    shop.explained(lamp, |order| order["stage"] == "held").await;

    let second = shop.ask(&["run"]).await.ended(2);
    assert!(second.err.contains("is in use") && second.err.contains("stop that one"), "{second:?}");

    let status = shop.ask(&["status"]).await.ended(1);
    assert!(
        status.words().contains("LAMP-NEW") && status.words().contains("cartdock map import"),
        "{status:?}"
    );
    let explained = shop.ask(&["explain", &lamp.to_string()]).await.ended(1);
    assert!(explained.words().contains("LAMP-NEW"), "{explained:?}");

    shop.write("missing.csv", &support::listings(shop::missing_listings()));
    let imported = shop.ask(&["map", "import", "missing.csv"]).await.ended(0);
    assert!(imported.out.contains("1 held order is released"), "{imported:?}");
    in_time("it is sent", shop.warehouse.until(|warehouse| warehouse.creates_for(&reference(lamp)) == 1))
        .await;
    shop.explained(lamp, |order| order["stage"] == "accepted").await;
    assert_eq!(terminate(run).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_got_only_half_way_is_finished_by_importing_again() {
    let shop = Shop::open("half-way", WriteBack::Offered).await;
    shop.map().await;
    let lamp = shop.store.add_order(one(&shop, Kind::UnmappedSku));
    let run = shop.run();
    shop.explained(lamp, |order| order["stage"] == "held").await;
    assert_eq!(terminate(run).await, Some(0));

    shop.write("missing.csv", &support::listings(shop::missing_listings()));
    shop.store.plan_faults(store::FaultPlan::new().and(
        store::Endpoint::OrderRead,
        When::Always,
        store::Fault::Unavailable,
    ));
    let half = shop.ask(&["map", "import", "missing.csv"]).await.ended(2);
    assert!(half.err.contains("cartdock replay --cause unmapped"), "{half:?}");
    shop.store.clear_faults();
    let again = shop.ask(&["map", "import", "missing.csv"]).await.ended(0);
    assert!(again.out.contains("1 held order is released"), "{again:?}");

    let run = shop.run();
    in_time("it is sent", shop.warehouse.until(|warehouse| warehouse.creates_for(&reference(lamp)) == 1))
        .await;
    assert_eq!(terminate(run).await, Some(0));
}
