//! What the warehouse has shipped is found by asking, and the bookmark never gets ahead of the ledger.

use std::time::Duration;

use domain::Failure;
use domain::life::Step;
use domain::message::Message;
use domain::ports::Clock;
use domain::record::Stage;
use poll_shipments::PollShipments;
use testkit::build;
use testkit::model::{Class, Fate, Scene};
use testkit::run::{run, until_stuck};

fn poller(scene: &Scene) -> PollShipments {
    PollShipments {
        connections: scene.connections.clone(),
        partners: scene.partners.clone(),
        ledger: scene.ledger.clone(),
        shipments: scene.shipments.clone(),
        clock: scene.clock.clone(),
        dice: scene.dice.clone(),
    }
}

async fn poll(scene: &Scene) -> Result<usize, Failure> {
    poller(scene).poll(&scene.connection, scene.seconds_from_now(60)).await
}

/// A scene whose orders 1 to `count` are being sent, and have left in a package each.
fn shipping(count: u64) -> Scene {
    let scene = Scene::new(Class::U);
    for order in 1..=count {
        scene.ready(order);
        let until = scene.seconds_from_now(480);
        scene.step(order, Step::Claim { until, units: 3, mapping: 1, digest: None });
        scene.warehouse.ship(&format!("main-{order}"), &format!("P-{order}"), &format!("1Z{order}"));
    }
    scene
}

fn bookmark(scene: &Scene) -> Option<String> {
    scene.ledger.with(&scene.connection.id, |books| books.bookmark.clone())
}

fn parked(scene: &Scene) -> usize {
    scene.ledger.with(&scene.connection.id, |books| books.parked.len())
}

fn acknowledged(scene: &Scene) -> Vec<String> {
    scene.warehouse.acknowledged().iter().map(ToString::to_string).collect()
}

#[test]
fn every_page_is_kept_queued_and_acknowledged() {
    let scene = shipping(5);
    scene.warehouse.pages(2);
    assert_eq!(run(poll(&scene)).unwrap(), 5);
    assert!((1..=5).all(|order| scene.stage(order) == Stage::Shipped));
    let posts: Vec<Message> = (1..=5).map(|order| Message::post(&scene.key(order))).collect();
    assert_eq!(scene.shipments.waiting(), posts);
    assert_eq!(acknowledged(&scene), ["P-1", "P-2", "P-3", "P-4", "P-5"]);
    assert_eq!(bookmark(&scene).as_deref(), Some("5"));
    scene.ledger.assert_all_covered();
}

#[test]
fn asking_again_goes_on_where_it_stopped_and_an_idle_poll_writes_nothing() {
    let scene = shipping(3);
    run(poll(&scene)).unwrap();
    let writes = ["ledger.save", "ledger.set_bookmark", "ledger.park", "queue.send", "warehouse.acknowledge"];
    let before = scene.script.count_all(&writes);
    assert_eq!(run(poll(&scene)).unwrap(), 0);
    assert_eq!(scene.script.count_all(&writes), before);
    scene.warehouse.ship("main-1", "P-9", "1Z9");
    assert_eq!(run(poll(&scene)).unwrap(), 1);
    assert_eq!(scene.record(1).packages.len(), 2);
}

#[test]
fn the_bookmark_and_the_acknowledgement_come_after_the_ledger() {
    for what in ["ledger.load", "ledger.save", "queue.send"] {
        let scene = shipping(1);
        scene.script.next(what, [Fate::Fails(None)]);
        assert!(run(poll(&scene)).is_err());
        assert_eq!((bookmark(&scene), acknowledged(&scene)), (None, vec![]), "{what}");
        assert_eq!(run(poll(&scene)).unwrap(), 1, "{what}: the same page comes again");
        assert_eq!(
            (scene.stage(1), acknowledged(&scene)),
            (Stage::Shipped, vec!["P-1".to_owned()]),
            "{what}"
        );
        assert_eq!(scene.shipments.waiting(), [Message::post(&scene.key(1))], "{what}");
    }
}

#[test]
fn a_page_that_is_the_last_one_is_the_last_one_asked_for() {
    let scene = shipping(5);
    scene.warehouse.pages(2);
    assert_eq!(run(poll(&scene)).unwrap(), 5);
    assert_eq!(scene.script.count("warehouse.page"), 3);
}

#[test]
fn a_poll_that_dies_anywhere_is_made_good_by_the_next() {
    for fate in [Fate::Hangs, Fate::HappensAndHangs, Fate::Fails(None), Fate::LosesAnswer] {
        for n in 0.. {
            let scene = shipping(3);
            scene.warehouse.pages(2);
            let before = scene.script.total();
            scene.script.nth(n, fate);
            drop(until_stuck(poll(&scene)));
            if scene.script.total() - before <= n {
                break;
            }
            scene.script.heal();
            run(poll(&scene)).unwrap();
            let what = format!("effect {n}: {fate:?}");
            assert!((1..=3).all(|order| scene.record(order).packages.len() == 1), "{what}");
            let waiting = scene.shipments.waiting();
            assert!((1..=3).all(|order| waiting.contains(&Message::post(&scene.key(order)))), "{what}");
            assert_eq!(bookmark(&scene).as_deref(), Some("3"), "{what}");
        }
    }
}

#[test]
fn a_package_that_is_told_again_is_one_package() {
    let scene = shipping(1);
    scene.warehouse.ship("main-1", "P-1", "1Z1");
    scene.warehouse.ship("main-1", "P-1", "1Z1");
    assert_eq!(run(poll(&scene)).unwrap(), 3);
    assert_eq!(scene.record(1).packages.len(), 1);
    assert_eq!(scene.shipments.waiting().len(), 1, "one message for the whole page");
}

#[test]
fn an_entry_that_cannot_be_read_is_parked_and_the_rest_of_the_page_is_good() {
    let scene = shipping(1);
    scene.warehouse.garble("shipment 44 has no reference");
    scene.warehouse.ship("main-999", "P-9", "1Z9");
    run(poll(&scene)).unwrap();
    run(poll(&scene)).unwrap();
    assert_eq!(scene.stage(1), Stage::Shipped);
    assert_eq!(parked(&scene), 2, "what cannot be read, and the package of a stranger, once each");
}

#[test]
fn a_poll_stops_when_its_time_is_up_and_goes_on_later() {
    let scene = shipping(4);
    scene.warehouse.pages(2);
    assert_eq!(run(poller(&scene).poll(&scene.connection, scene.clock.now())).unwrap(), 2);
    assert_eq!(bookmark(&scene).as_deref(), Some("2"));
    assert_eq!(run(poll(&scene)).unwrap(), 2);
}

#[test]
fn a_warehouse_that_only_pushes_is_not_asked() {
    let scene = shipping(1);
    scene.warehouse.tells(true, false);
    assert_eq!(run(poll(&scene)).unwrap(), 0);
    assert_eq!(scene.script.count("warehouse.page"), 0);
}

#[test]
fn each_connection_has_its_turn_and_the_trouble_of_one_is_its_own() {
    let scene = shipping(1);
    scene.connections.set(&build::connection("alone"));
    let mut off = build::connection("off");
    off.enabled = false;
    scene.connections.set(&off);
    let now = scene.clock.now().as_second() / 60;
    scene.pass(Duration::from_secs(60 * (5 - now.rem_euclid(5)).unsigned_abs()));
    let mut polled = run(poller(&scene).run(scene.seconds_from_now(60))).unwrap();
    polled.sort_by(|(one, _), (two, _)| one.cmp(two));
    let outcomes: Vec<(&str, bool)> =
        polled.iter().map(|(id, polled)| (id.as_str(), polled.is_ok())).collect();
    assert_eq!(outcomes, [("alone", false), ("main", true)]);
    assert_eq!(scene.stage(1), Stage::Shipped);
    scene.pass(Duration::from_secs(60));
    assert!(run(poller(&scene).run(scene.seconds_from_now(60))).unwrap().is_empty(), "not their minute");
}

#[test]
fn what_other_channels_have_sold_through_the_same_account_is_left_alone() {
    let scene = shipping(1);
    scene.warehouse.ship("SHOPIFY-1001", "S-1", "1Z7");
    scene.warehouse.ship("second-1", "S-2", "1Z8");
    scene.warehouse.ship("main-99", "P-99", "1Z9");
    assert_eq!(run(poll(&scene)).unwrap(), 4);
    assert_eq!(scene.stage(1), Stage::Shipped);
    assert_eq!(parked(&scene), 1, "a reference of ours that names no order is for a person");
    assert_eq!(acknowledged(&scene), ["P-1", "P-99"]);
    assert_eq!(bookmark(&scene).as_deref(), Some("4"));
}
