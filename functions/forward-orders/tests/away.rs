//! A warehouse that is away is left alone, but for one probe at a time, and nobody waits longer than that once it is back.

mod common;

use std::time::Duration;

use common::forwarder;
use domain::Failure;
use domain::record::Stage;
use forward_orders::ForwardOrders;
use testkit::model::{Class, Fate, Scene};
use testkit::run::run;

const CREATE: &str = "warehouse.create";

/// A scene with orders 1 to 40, and a warehouse of which every request fails.
fn silent() -> Scene {
    silenced(Scene::new(Class::U))
}

fn silenced(scene: Scene) -> Scene {
    for order in 1..=40 {
        scene.ready(order);
    }
    scene.script.always(CREATE, Fate::Fails(None));
    scene
}

fn forward(scene: &Scene, process: &ForwardOrders, order: u64, count: u32) -> Result<(), Failure> {
    run(process.forward(&scene.key(order), count))
}

/// A process to which ten orders have failed.
fn that_knows(scene: &Scene) -> ForwardOrders {
    let process = forwarder(scene);
    for order in 1..=10 {
        drop(forward(scene, &process, order, 1));
    }
    process
}

/// A process that has learnt it from one order.
fn that_has_heard(scene: &Scene, order: u64) -> ForwardOrders {
    let process = forwarder(scene);
    drop(forward(scene, &process, order, 1));
    process
}

fn away(scene: &Scene) -> Option<domain::circuit::Away> {
    scene.ledger.with(&scene.connection.id, |books| books.circuit.away.clone())
}

#[test]
fn after_ten_orders_have_failed_the_next_is_not_sent() {
    let scene = silent();
    let process = that_knows(&scene);
    assert!(away(&scene).is_some());
    let (before, requests, asked) = (scene.record(11), scene.script.count(CREATE), scene.script.total());
    let soon = forward(&scene, &process, 11, 1).unwrap_err();
    let probe = away(&scene).unwrap().probe_at.duration_since(scene.seconds_from_now(0)).unsigned_abs();
    assert!(
        soon.wait().unwrap() >= probe.max(Duration::from_secs(25)),
        "a short outage is waited out on the queue: {soon}"
    );
    forward(&scene, &process, 12, 3).unwrap();
    assert_eq!((scene.script.count(CREATE), scene.record(11)), (requests, before));
    assert_eq!(scene.script.total() - asked, 2, "the connection is read, and nothing else");
    scene.ledger.assert_all_covered();
}

#[test]
fn one_order_that_fails_again_and_again_is_not_the_warehouse() {
    let scene = silent();
    let process = forwarder(&scene);
    for _ in 0..20 {
        drop(forward(&scene, &process, 1, 1));
        scene.pass(Duration::from_secs(3600));
    }
    for order in 2..=9 {
        drop(forward(&scene, &process, order, 1));
    }
    scene.script.heal();
    forward(&scene, &process, 20, 1).unwrap();
    scene.script.always(CREATE, Fate::Fails(None));
    drop(forward(&scene, &process, 10, 1));
    assert_eq!(away(&scene), None, "nine failed, then one went well");
}

#[test]
fn an_order_that_goes_well_does_not_ask_whether_the_warehouse_is_there() {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    assert_eq!(scene.script.count_all(&["ledger.circuit", "ledger.set_circuit"]), 0);
}

#[test]
fn a_process_that_knows_nothing_learns_it_from_its_first_failure() {
    let scene = silent();
    drop(that_knows(&scene));
    let (stranger, before) = (forwarder(&scene), scene.script.count(CREATE));
    for order in 11..=20 {
        drop(forward(&scene, &stranger, order, 1));
    }
    assert_eq!(scene.script.count(CREATE) - before, 1);
}

#[test]
fn one_order_probes_for_all_processes() {
    let scene = silent();
    let processes = [that_knows(&scene), that_has_heard(&scene, 11), that_has_heard(&scene, 12)];
    scene.pass(Duration::from_secs(45));
    let before = scene.script.count(CREATE);
    for (n, process) in processes.iter().cycle().take(12).enumerate() {
        drop(forward(&scene, process, 20 + n as u64, 3));
    }
    assert_eq!(scene.script.count(CREATE) - before, 1, "the probe");
    assert_eq!(away(&scene).map(|away| away.probes), Some(1));
    for minute in 0..60 {
        scene.pass(Duration::from_secs(60));
        for (n, process) in processes.iter().enumerate() {
            drop(forward(&scene, process, 30 + (minute + n as u64) % 10, 3));
        }
    }
    let probes = scene.script.count(CREATE) - before;
    assert!((20..=32).contains(&probes), "{probes} probes in an hour");
}

#[test]
fn two_that_come_for_the_probe_at_the_same_moment_send_one() {
    let scene = silenced(Scene::interleaved(Class::U));
    let (one, other) = (that_knows(&scene), that_has_heard(&scene, 11));
    scene.pass(Duration::from_secs(45));
    let before = scene.script.count(CREATE);
    let (first, second) = (scene.key(21), scene.key(22));
    let both = async { futures_util::join!(one.forward(&first, 3), other.forward(&second, 3)) };
    let _either = run(both);
    assert_eq!(scene.script.count(CREATE) - before, 1);
}

#[test]
fn when_the_probe_gets_through_everybody_sends_again() {
    let scene = silent();
    let (one, other) = (that_knows(&scene), that_has_heard(&scene, 11));
    scene.script.heal();
    forward(&scene, &one, 20, 3).unwrap();
    assert!(matches!(scene.stage(20), Stage::Ready { .. }), "not before a probe is due");
    scene.pass(Duration::from_secs(45));
    forward(&scene, &one, 21, 3).unwrap();
    assert_eq!(scene.stage(21), Stage::Accepted, "the probe");
    assert_eq!(away(&scene), None);
    for (process, order) in [(&one, 22), (&other, 23), (&other, 24)] {
        forward(&scene, process, order, 1).unwrap();
        assert_eq!(scene.stage(order), Stage::Accepted);
    }
}

#[test]
fn a_message_that_has_nothing_to_do_does_not_use_up_the_probe() {
    let scene = silent();
    let process = that_knows(&scene);
    scene.script.heal();
    scene.pass(Duration::from_secs(45));
    scene.step(30, domain::life::Step::Cancel("by a person".to_owned()));
    forward(&scene, &process, 30, 3).unwrap();
    scene.pass(Duration::from_secs(6));
    forward(&scene, &process, 31, 3).unwrap();
    assert_eq!(scene.stage(31), Stage::Accepted);
}

#[test]
fn a_look_up_that_fails_counts_and_one_that_succeeds_ends_the_outage() {
    let scene = silent();
    scene.script.always(CREATE, Fate::LosesAnswer);
    scene.script.always("warehouse.find", Fate::Fails(None));
    let process = that_knows(&scene);
    assert!(away(&scene).is_some());
    scene.script.heal();
    scene.pass(Duration::from_secs(120));
    forward(&scene, &process, 1, 3).unwrap();
    assert_eq!((scene.stage(1), away(&scene)), (Stage::Accepted, None));
    assert_eq!(scene.warehouse.live("main-1"), 1);
}
