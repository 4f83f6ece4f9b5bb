//! The models keep the same contracts as the adapters, and let a test decide what becomes of an effect.

use std::sync::Arc;
use std::time::Duration;

use domain::life::Step;
use domain::ports::{Incoming, Inserted, Ledger, OrderSource, Outgoing, Read, Saved, TrackingSink, Window};
use domain::warehouse::{Creation, OrderDesk, OrderLookup};
use futures_util::FutureExt;
use testkit::model::{
    Class, Fate, Kindly, ModelConnections, ModelLedger, ModelMappings, ModelNotes, ModelQueue, Scene, Script,
};
use testkit::run::{run, until_stuck};
use testkit::{build, contracts};

#[test]
fn the_ledger_in_memory_keeps_the_contract() {
    run(contracts::ledger::ledger(&ModelLedger::new(Arc::new(Kindly)), "model"));
}

#[test]
fn mappings_connections_and_notes_in_memory_keep_their_contracts() {
    run(contracts::mappings::mappings(&ModelMappings::new(Arc::new(Kindly)), "model"));
    run(contracts::connections::connections(&ModelConnections::new(Arc::new(Kindly)), "model"));
    run(contracts::notes::notes(&ModelNotes::new(Arc::new(Kindly)), "model"));
}

#[test]
fn the_queue_in_memory_keeps_the_contract() {
    let clock = Arc::new(testkit::clock::ManualClock::jumping(build::noon()));
    let visibility = Duration::from_secs(30);
    let queue = ModelQueue::new(Arc::new(Kindly), clock.clone(), visibility, 3);
    let dead = || async { queue.take_dead() }.boxed();
    run(contracts::queue::queue(&contracts::queue::Queue {
        outgoing: &queue,
        incoming: &queue,
        clock: clock.as_ref(),
        visibility,
        max_receive: 3,
        dead_letters: &dead,
    }));
}

#[test]
fn every_fate_is_what_it_says() {
    for (fate, done, answered) in [
        (Fate::Happens, true, Some(true)),
        (Fate::Fails(None), false, Some(false)),
        (Fate::LosesRequest, false, Some(false)),
        (Fate::LosesAnswer, true, Some(false)),
        (Fate::Hangs, false, None),
        (Fate::HappensAndHangs, true, None),
    ] {
        let scene = Scene::new(Class::U);
        scene.script.next("queue.send", [fate]);
        let sent = until_stuck(scene.orders.send(&[domain::message::Message::forward(&scene.key(1))]));
        assert_eq!(sent.map(|sent| sent.is_ok()), answered, "{fate:?}");
        assert_eq!(!scene.orders.waiting().is_empty(), done, "{fate:?}");
    }
}

#[test]
fn a_read_is_stale_only_where_it_may_be() {
    let script = Arc::new(Script::default());
    let ledger = ModelLedger::new(script.clone());
    let new = build::ready(&build::key("main", 5), 1);
    assert_eq!(run(ledger.insert(&new, None, build::noon())).unwrap(), Inserted::New);
    let claim = Step::Claim { until: build::noon(), units: 1, mapping: 1, digest: None };
    let after = new.step(claim, build::stamp(2)).unwrap();
    assert_eq!(run(ledger.save(&new, &after)).unwrap(), Saved::Done);
    script.chooses("stale read", 1);
    assert_eq!(run(ledger.load(&new.key, false)).unwrap(), Some(new.clone()));
    assert_eq!(run(ledger.load(&new.key, true)).unwrap(), Some(after));
}

#[test]
fn an_unfinished_order_without_a_date_is_found() {
    let ledger = ModelLedger::new(Arc::new(Kindly));
    let new = build::ready(&build::key("main", 5), 1);
    run(ledger.insert(&new, None, build::noon())).unwrap();
    assert_eq!(ledger.uncovered(), std::slice::from_ref(&new.key));
    run(ledger.expect(&new.key.connection, build::noon(), &[new.key.order])).unwrap();
    ledger.assert_all_covered();
}

#[test]
fn only_a_warehouse_that_gives_nothing_against_duplicates_has_two() {
    let lag = Duration::from_secs(60);
    for (class, orders) in [(Class::K, 1), (Class::U, 1), (Class::L(lag), 2), (Class::N, 2)] {
        let scene = Scene::new(class);
        let request = build::request(&scene.key(7));
        for _ in 0..2 {
            run(scene.warehouse.create(&request));
        }
        assert_eq!(scene.warehouse.live("main-7"), orders, "{class:?}");
    }
}

#[test]
fn a_look_up_lags_and_a_late_request_lands() {
    let scene = Scene::new(Class::L(Duration::from_secs(60)));
    let request = build::request(&scene.key(7));
    scene.script.next("warehouse.create", [Fate::Late(Duration::from_secs(30))]);
    assert!(until_stuck(scene.warehouse.create(&request)).is_none());
    assert_eq!(scene.warehouse.live("main-7"), 0);
    scene.pass(Duration::from_secs(31));
    assert_eq!(scene.warehouse.live("main-7"), 1);
    assert_eq!(run(scene.warehouse.find(&request.reference)).unwrap(), None, "it lags");
    scene.pass(Duration::from_secs(60));
    assert!(run(scene.warehouse.find(&request.reference)).unwrap().is_some());
    assert!(matches!(run(scene.warehouse.create(&request)), Creation::Accepted(_)));
}

#[test]
fn a_store_lists_a_window_by_date_in_pages_that_may_repeat_orders() {
    let scene = Scene::new(Class::U);
    for id in 1..=5 {
        let mut order = build::order(id);
        order.ordered_at = Some(build::at(&format!("2026-03-0{}T00:00:00Z", 6 - id)));
        scene.store.place(order);
    }
    scene.store.pages(2, 1);
    let window =
        Window { from: Some(build::at("2026-03-02T00:00:00Z")), to: build::at("2026-03-05T00:00:00Z") };
    let first = run(scene.store.list(window, 0)).unwrap();
    let ids = |page: &domain::ports::ListPage| page.orders.iter().map(|id| id.0).collect::<Vec<_>>();
    assert_eq!((ids(&first), first.next_offset), (vec![4, 3], Some(2)));
    let second = run(scene.store.list(window, 2)).unwrap();
    assert_eq!((ids(&second), second.next_offset), (vec![3, 2, 1], None));
    assert_eq!(run(scene.store.read("9")).unwrap(), Read::Absent);
}

#[test]
fn a_post_that_lands_late_is_seen_late() {
    let scene = Scene::new(Class::U);
    scene.store.place(build::order(7));
    scene.script.next("store.post", [Fate::Late(Duration::from_secs(30))]);
    let order = domain::OrderId(7);
    assert!(run(scene.store.post(order, &build::tracking("1Z5"), build::noon())).is_err());
    assert!(run(scene.store.shown(order)).unwrap().is_empty());
    scene.pass(Duration::from_secs(31));
    assert_eq!(run(scene.store.shown(order)).unwrap(), ["1Z5"]);
}

#[test]
fn what_is_received_from_a_queue_can_be_delayed() {
    let scene = Scene::new(Class::U);
    run(scene.orders.send(&[domain::message::Message::forward(&scene.key(1))])).unwrap();
    let got = run(scene.orders.receive(10, Duration::ZERO)).unwrap();
    run(scene.orders.delay(&got[0], Duration::from_secs(5))).unwrap();
    let again = run(scene.orders.receive(10, Duration::from_secs(5))).unwrap();
    assert_eq!(again.len(), 1, "a waiting receiver gets it");
}
