//! What waits for a warehouse waits on its date, costs nothing meanwhile, holds nobody up, and is let go in its order.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{DAY, decided, sweep, sweep_after, sweeper};
use domain::OrderId;
use domain::admission::Admission;
use domain::circuit::{Away, Circuit};
use domain::life::{Step, later};
use domain::message::Message;
use domain::ports::Clock;
use domain::record::Wait;
use testkit::model::{Class, Scene};
use testkit::run::run;

const MINUTE: Duration = Duration::from_secs(60);

/// Orders 1 to 500, one date for each ten of them, and a warehouse that is away; its next probe is far.
fn waiting() -> Scene {
    let scene = Scene::new(Class::U);
    for order in 1..=500 {
        scene.ready(order);
        if order % 10 == 0 {
            scene.pass(Duration::from_secs(1));
        }
    }
    set_away(&scene, Some(DAY));
    scene
}

/// The warehouse is away, and will be probed after so long; or it is there.
fn set_away(scene: &Scene, probe_in: Option<Duration>) {
    let now = scene.clock.now();
    let away = probe_in.map(|wait| Away { since: now, probes: 3, probe_at: later(now, wait) });
    scene.ledger.with(&scene.connection.id, |books| {
        let circuit = Circuit { away, ..books.circuit.clone() };
        books.circuit = if circuit.away.is_none() { circuit.closed() } else { circuit };
    });
}

fn pushed(scene: &Scene) -> Vec<u64> {
    let number = |message: Message| match message {
        Message::Forward { order, .. } => Some(order.0),
        _ => None,
    };
    let mut orders: Vec<u64> = scene.orders.take_all().into_iter().filter_map(number).collect();
    orders.sort_unstable();
    orders.dedup();
    orders
}

/// The warehouse takes these orders.
fn take(scene: &Scene, orders: &[u64]) {
    use domain::WarehouseOrderId;
    for order in orders {
        let until = later(scene.clock.now(), scene.pace.lease);
        scene.step(*order, Step::Claim { until, units: 3, mapping: 1, digest: None });
        scene.step(*order, Step::Accept { id: WarehouseOrderId::parse("W-1").unwrap(), how: "" });
    }
}

fn backlog(scene: &Scene) -> Option<domain::circuit::Backlog> {
    scene.ledger.with(&scene.connection.id, |books| books.circuit.backlog.clone())
}

#[test]
fn while_the_warehouse_is_away_everybody_stays_on_his_date() {
    let scene = waiting();
    let dates = |scene: &Scene| scene.ledger.with(&scene.connection.id, |books| books.dates.clone());
    let before = dates(&scene);
    sweep_after(&scene, scene.pace.grace);
    let writes = scene.script.count_all(&["ledger.expect", "ledger.settle", "ledger.save"]);
    assert_eq!((pushed(&scene), dates(&scene) == before, writes), (vec![], true, 0));
    let loads = scene.script.count("ledger.load_many");
    sweep_after(&scene, MINUTE);
    assert!(scene.script.count("ledger.load_many") <= loads + 2, "who was passed is not read again");
}

#[test]
fn one_order_is_let_go_to_probe_the_next_time_another() {
    let scene = waiting();
    set_away(&scene, Some(Duration::ZERO));
    sweep_after(&scene, scene.pace.grace);
    assert_eq!(pushed(&scene), [1]);
    sweep_after(&scene, MINUTE);
    assert_eq!(pushed(&scene), [2], "the first is on its way");
}

#[test]
fn a_probe_that_got_through_ends_the_outage_whoever_sent_it() {
    let scene = waiting();
    set_away(&scene, Some(Duration::ZERO));
    sweep_after(&scene, scene.pace.grace);
    take(&scene, &pushed(&scene));
    set_away(&scene, Some(DAY));
    sweep_after(&scene, MINUTE);
    assert_eq!(scene.ledger.with(&scene.connection.id, |books| books.circuit.away.clone()), None);
    assert_eq!(pushed(&scene).len(), 100);
}

#[test]
fn a_backlog_goes_oldest_first_and_faster_while_the_warehouse_keeps_up() {
    let scene = waiting();
    sweep_after(&scene, scene.pace.grace);
    set_away(&scene, None);
    sweep_after(&scene, MINUTE);
    let first = pushed(&scene);
    assert_eq!(first, (1..=100).collect::<Vec<_>>());
    sweep_after(&scene, Duration::from_secs(15));
    assert_eq!(pushed(&scene), [0_u64; 0], "the first are on their way");
    take(&scene, &first);
    sweep_after(&scene, Duration::from_secs(45));
    let second = pushed(&scene);
    assert_eq!(second, (101..=300).collect::<Vec<_>>(), "taken in fifteen seconds: twice as many");
    take(&scene, &second[..50]);
    sweep_after(&scene, MINUTE);
    assert_eq!(pushed(&scene), [0_u64; 0], "a hundred may be on their way, and more are");
    scene.pass(5 * MINUTE);
    sweep_after(&scene, MINUTE);
    assert_eq!(pushed(&scene), (301..=400).collect::<Vec<_>>(), "the others were lost on their way");
}

#[test]
fn in_the_end_everybody_has_gone_and_nothing_is_left_of_the_backlog() {
    let scene = waiting();
    sweep_after(&scene, scene.pace.grace);
    assert!(backlog(&scene).is_some());
    set_away(&scene, None);
    let mut gone = Vec::new();
    for _ in 0..6 {
        sweep_after(&scene, MINUTE);
        let orders = pushed(&scene);
        take(&scene, &orders);
        gone.extend(orders);
    }
    assert_eq!(gone, (1..=500).collect::<Vec<_>>());
    assert_eq!(backlog(&scene), None);
}

#[test]
fn other_orders_are_looked_at_past_the_backlog() {
    let scene = waiting();
    let soon = later(scene.clock.now(), scene.pace.grace * 2);
    decided(&scene, 900, &Admission::Wait(Wait::CoolingOff, soon));
    sweep_after(&scene, scene.pace.grace + MINUTE);
    assert!(backlog(&scene).is_some(), "from now on the sweep passes by");
    sweep_after(&scene, scene.pace.grace);
    assert!(!matches!(scene.stage(900), domain::record::Stage::Waiting(_)), "{:?}", scene.stage(900));
    scene.ledger.assert_all_covered();
}

#[test]
fn who_shares_a_date_with_the_backlog_does_not_come_back_with_it() {
    let scene = Scene::new(Class::U);
    (1..=10).for_each(|order| drop(scene.ready(order)));
    set_away(&scene, Some(DAY));
    take(&scene, &[3, 4]);
    sweep_after(&scene, scene.pace.grace + MINUTE);
    let named: Vec<Vec<OrderId>> = scene.ledger.with(&scene.connection.id, |books| {
        let now = scene.clock.now();
        books.dates.range(..=now).map(|(_, orders)| orders.iter().copied().collect()).collect()
    });
    let others = (1..=10).filter(|order| ![3, 4].contains(order)).map(OrderId).collect::<Vec<_>>();
    assert_eq!(named, [others]);
    scene.ledger.assert_all_covered();
}

#[test]
fn a_stalled_order_goes_at_once_where_nothing_waits() {
    let scene = Scene::new(Class::U);
    (1..=3).for_each(|order| drop(scene.ready(order)));
    sweep_after(&scene, scene.pace.grace);
    assert_eq!(pushed(&scene), [1, 2, 3]);
    assert_eq!(scene.script.count("ledger.set_circuit"), 0, "nothing to remember");
}

#[test]
fn a_sweep_that_fails_in_the_middle_still_remembers_whom_it_let_go() {
    let scene = waiting();
    sweep_after(&scene, scene.pace.grace);
    set_away(&scene, None);
    scene.pass(MINUTE);
    scene.script.next("ledger.settle", [testkit::model::Fate::Happens, testkit::model::Fate::Fails(None)]);
    assert!(run(sweep(&scene)).is_err());
    assert_eq!(backlog(&scene).unwrap().released.len(), pushed(&scene).len());
}

#[test]
fn a_new_process_does_not_fill_its_queue_with_the_backlog() {
    let scene = waiting();
    sweep_after(&scene, scene.pace.grace);
    scene.ready(700);
    run(sweeper(&scene).refill(&scene.connection)).unwrap();
    assert_eq!(pushed(&scene), [700]);
}
