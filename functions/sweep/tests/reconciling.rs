//! Comparing ledger, store and warehouse: every difference is seen and named, what is safe is put right, nothing else is
//! touched.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{DAY, accepted, claimed, decided};
use domain::OrderId;
use domain::admission::Admission;
use domain::life::Step;
use domain::ports::{Clock, SinkMode, TrackingSink};
use domain::reconciliation::{Difference, EVERY, Reconciliation};
use domain::record::{Cause, Exclusion, Stage};
use domain::shipment::{Package, Post};
use domain::warehouse::OrderDesk;
use jiff::Timestamp;
use sweep::reconcile::{Asked, Reconcile};
use testkit::build;
use testkit::model::{Class, Fate, Scene};
use testkit::run::run;

fn use_case(scene: &Scene) -> Reconcile {
    Reconcile {
        partners: scene.partners.clone(),
        ledger: scene.ledger.clone(),
        notes: scene.notes.clone(),
        orders: scene.orders.clone(),
        shipments: scene.shipments.clone(),
        clock: scene.clock.clone(),
        dice: scene.dice.clone(),
    }
}

fn asked(fix: bool) -> Asked {
    Asked { since: Timestamp::UNIX_EPOCH, thorough: true, fix, until: Timestamp::MAX }
}

fn compared(scene: &Scene, fix: bool) -> Reconciliation {
    let use_case = use_case(scene);
    let mut found = use_case.begin(&scene.connection, Timestamp::UNIX_EPOCH);
    run(use_case.go_on(&scene.connection, asked(fix), &mut found, &|_, _| {})).unwrap();
    assert!(found.sums(), "{found:?}");
    found
}

/// What differs, by order.
fn differing(found: &Reconciliation) -> Vec<(u64, Vec<Difference>, bool)> {
    found.differing.iter().map(|d| (d.order.0, d.differences.clone(), d.fixed)).collect()
}

/// An order of the store, placed so long ago.
fn placed(scene: &Scene, order: u64, ago: Duration) {
    let at = scene.clock.now().checked_sub(ago).unwrap();
    scene.store.place(domain::order::Order { ordered_at: Some(at), ..build::order(order) });
}

/// An order whose one package has left, and whose tracking counts as posted.
fn posted(scene: &Scene, order: u64, number: &str) {
    accepted(scene, order);
    let notice = scene.warehouse.ship(&format!("main-{order}"), "P1", number);
    scene.step(order, Step::Ship(Package::from_notice(&notice, scene.clock.now())));
    let settled = Step::SettlePost { package: notice.package.clone(), post: Post::Posted, again: None };
    let until = scene.seconds_from_now(60);
    scene.step(order, Step::ClaimPost { package: notice.package.clone(), until });
    let tracking = notice.tracking.unwrap();
    run(scene.store.post(OrderId(order), &tracking, scene.clock.now())).unwrap();
    scene.step(order, settled);
}

const DAYS: Duration = Duration::from_secs(2 * 86_400);

#[test]
fn sides_that_agree_are_counted_and_nothing_is_written() {
    let scene = Scene::new(Class::U);
    accepted(&scene, 1);
    posted(&scene, 2, "1Z2");
    decided(&scene, 3, &Admission::Exclude(Exclusion::Digital));
    scene.ready(4);
    placed(&scene, 5, Duration::from_secs(60));
    let writes = scene.script.count_all(&["ledger.save", "ledger.insert", "ledger.expect"]);
    let found = compared(&scene, true);
    assert_eq!((found.listed, found.agree, found.on_the_way, found.differ), (5, 3, 2, 0));
    assert_eq!((found.store.known, found.store.not_yet), (4, 1));
    assert_eq!((found.warehouse.there, found.warehouse.not_sent, found.warehouse.on_the_way), (2, 1, 1));
    assert_eq!(found.packages.shown, 1);
    assert_eq!(scene.script.count_all(&["ledger.save", "ledger.insert", "ledger.expect"]), writes);
    assert_eq!(scene.script.count("warehouse.create"), 2, "nothing is sent by it");
}

#[test]
fn an_order_that_slipped_through_is_named_and_taken_in_when_that_is_wanted() {
    let scene = Scene::new(Class::U);
    placed(&scene, 7, DAYS);
    assert_eq!(differing(&compared(&scene, false)), [(7, vec![Difference::Missing], false)]);
    assert_eq!(scene.ledger.record(&scene.key(7)), None, "nobody asked for it");
    assert_eq!(differing(&compared(&scene, true)), [(7, vec![Difference::Missing], true)]);
    assert!(matches!(scene.stage(7), Stage::Ready { .. }));
    assert_eq!(scene.orders.waiting().len(), 1, "it is sent like any other");
    scene.ledger.assert_all_covered();
    assert_eq!(compared(&scene, true).differ, 0);
}

#[test]
fn the_warehouse_is_believed_about_what_it_has() {
    let scene = Scene::new(Class::U);
    accepted(&scene, 1);
    accepted(&scene, 2);
    scene.warehouse.cancel_there("main-2");
    claimed(&scene, 3);
    scene.step(3, Step::Accept { id: build_id("W-9"), how: "" });
    decided(&scene, 4, &Admission::Hold(Cause::Comment, scene.seconds_from_now(60)));
    run(scene.warehouse.create(&build::request(&scene.key(4))));
    claimed(&scene, 5);
    let found = compared(&scene, true);
    let id = scene.warehouse.orders().pop().unwrap().id;
    assert_eq!(
        differing(&found),
        [
            (2, vec![Difference::CancelledAtWarehouse], false),
            (3, vec![Difference::NotAtWarehouse], false),
            (4, vec![Difference::AtWarehouse(id)], false),
        ]
    );
    assert_eq!((found.warehouse.there, found.warehouse.on_the_way, found.warehouse.differing), (1, 1, 3));
}

fn build_id(text: &str) -> domain::WarehouseOrderId {
    domain::WarehouseOrderId::parse(text).unwrap()
}

#[test]
fn a_warehouse_that_cannot_be_asked_is_not_asked() {
    let scene = Scene::new(Class::N);
    accepted(&scene, 1);
    let found = compared(&scene, true);
    assert_eq!((found.agree, found.warehouse.not_asked), (1, 1));
}

#[test]
fn a_warehouse_that_is_slow_to_know_is_not_called_wrong() {
    let lag = Duration::from_secs(300);
    let scene = Scene::new(Class::L(lag));
    claimed(&scene, 3);
    scene.step(3, Step::Accept { id: build_id("W-9"), how: "" });
    assert_eq!(compared(&scene, false).differ, 0);
    scene.pass(lag);
    assert_eq!(compared(&scene, false).differ, 1);
}

#[test]
fn a_package_that_nobody_told_of_is_written_down() {
    let scene = Scene::new(Class::U);
    accepted(&scene, 1);
    let notice = scene.warehouse.ship("main-1", "P1", "1Z1");
    let found = compared(&scene, false);
    assert_eq!(differing(&found), [(1, vec![Difference::NotTold(notice.package.clone())], false)]);
    assert_eq!((found.packages.differing, scene.stage(1)), (1, Stage::Accepted));
    assert_eq!(differing(&compared(&scene, true)), [(1, vec![Difference::NotTold(notice.package)], true)]);
    assert_eq!(scene.stage(1), Stage::Shipped);
    assert_eq!(scene.shipments.waiting().len(), 1, "its tracking is posted like any other");
    assert_eq!(compared(&scene, true).differ, 0);
}

#[test]
fn tracking_that_the_store_does_not_show_is_named() {
    let scene = Scene::new(Class::U);
    posted(&scene, 1, "1Z1");
    assert_eq!(compared(&scene, true).differ, 0);
    scene.store.shows(false, true);
    let found = compared(&scene, true);
    let package = scene.record(1).packages[0].id.clone();
    assert_eq!(differing(&found), [(1, vec![Difference::NotShown(package)], false)]);
    scene.store.mode(SinkMode::Outbox("it cannot".into()));
    let found = compared(&scene, true);
    assert_eq!((found.differ, found.packages.not_asked), (0, 1), "who shows nothing is not asked");
}

#[test]
fn an_order_that_changes_meanwhile_is_on_its_way() {
    let scene = Scene::new(Class::U);
    claimed(&scene, 3);
    scene.step(3, Step::Accept { id: build_id("W-9"), how: "" });
    let (ledger, record) = (scene.ledger.clone(), scene.record(3));
    scene.script.meanwhile("warehouse.find", move || {
        let next = record.step(Step::Recall("refunded".into()), build::stamp(99)).unwrap();
        ledger.with(&next.key.connection, |books| books.records.insert(next.key.order, next.clone()));
    });
    let found = compared(&scene, true);
    assert_eq!((found.differ, found.on_the_way), (0, 1));
}

#[test]
fn one_order_that_nobody_answers_for_does_not_hide_the_others() {
    let scene = Scene::new(Class::U);
    for order in [1, 2] {
        placed(&scene, order, DAYS);
    }
    scene.store.fail(1);
    let found = compared(&scene, true);
    assert_eq!((found.unanswered, found.on_the_way, found.differ), (1, 1, 1));
    let down = Scene::new(Class::U);
    for order in 1..=5 {
        placed(&down, order, DAYS);
        down.store.fail(order);
    }
    let use_case = use_case(&down);
    let mut found = use_case.begin(&down.connection, Timestamp::UNIX_EPOCH);
    let outcome = run(use_case.go_on(&down.connection, asked(true), &mut found, &|_, _| {}));
    assert!(
        outcome.is_err() && found.listed == 0,
        "a store that is down is a failure, and nothing is counted"
    );
}

#[test]
fn it_runs_once_a_day_by_itself_and_leaves_its_line() {
    let scene = Scene::new(Class::U);
    placed(&scene, 7, DAYS);
    let daily = || {
        let differ = run(use_case(&scene).run(vec![scene.connection.clone()], scene.seconds_from_now(60)));
        differ.into_iter().next().unwrap().1.unwrap()
    };
    let note =
        || run(domain::notes::Notes::daily(scene.notes.as_ref(), &scene.connection.id)).unwrap().unwrap();
    assert_eq!((daily(), note().last), (0, None), "the first look only sets the date");
    assert_eq!((daily(), scene.ledger.record(&scene.key(7))), (0, None));
    scene.pass(DAY);
    assert_eq!(daily(), 1, "it was missing");
    assert!(scene.ledger.record(&scene.key(7)).is_some(), "and is not any more");
    assert_eq!(note().last.unwrap().store.missing, 1);
    assert_eq!(daily(), 0, "not twice a day");
    assert!(note().due >= scene.seconds_from_now(EVERY.as_secs() - 60));
}

#[test]
fn a_daily_one_goes_on_where_its_time_was_up_and_asks_only_about_what_is_not_done_with() {
    let scene = Scene::new(Class::U);
    for order in 1..=120 {
        accepted(&scene, order);
    }
    posted(&scene, 200, "1Z200");
    let daily = |seconds: u64| {
        run(use_case(&scene).daily(&scene.connection, EVERY, scene.seconds_from_now(seconds))).unwrap()
    };
    let note =
        || run(domain::notes::Notes::daily(scene.notes.as_ref(), &scene.connection.id)).unwrap().unwrap();
    daily(0);
    scene.pass(DAY);
    daily(0);
    assert_eq!(note().running.unwrap().after, Some(OrderId(50)));
    daily(0);
    daily(0);
    let last = note().last.unwrap();
    assert_eq!((last.listed, last.agree, last.warehouse.not_asked), (121, 121, 1));
    let (finds, shipments) =
        (scene.script.count("warehouse.find"), scene.script.count("warehouse.shipments"));
    assert_eq!((finds, shipments), (120, 0), "order 200 is done with, and the feed tells of packages");
    assert_eq!(scene.script.count("store.shown"), 0, "what was posted was read back then");
}

#[test]
fn a_side_that_is_down_is_asked_again_later() {
    let scene = Scene::new(Class::U);
    placed(&scene, 7, DAYS);
    let daily =
        || run(use_case(&scene).daily(&scene.connection, EVERY, scene.seconds_from_now(60))).map(|_| ());
    daily().unwrap();
    scene.pass(DAY);
    scene.script.always("store.list", Fate::Fails(None));
    assert!(daily().is_err());
    let lists = scene.script.count("store.list");
    assert!(daily().is_ok(), "not at once");
    assert_eq!(scene.script.count("store.list"), lists);
    scene.script.heal();
    scene.pass(Duration::from_secs(16 * 60));
    daily().unwrap();
    assert!(scene.ledger.record(&scene.key(7)).is_some());
}

#[test]
fn a_known_order_about_which_the_warehouse_does_not_answer_is_on_its_way() {
    let scene = Scene::new(Class::U);
    for order in 1..=3 {
        accepted(&scene, order);
    }
    scene.script.next("warehouse.find", [Fate::Fails(None)]);
    let found = compared(&scene, true);
    assert_eq!((found.unanswered, found.on_the_way, found.agree, found.store.known), (1, 1, 2, 3));
    assert_eq!((found.warehouse.on_the_way, found.warehouse.there), (1, 2));
}

#[test]
fn a_store_that_is_polled_seldom_has_three_polls_to_show_an_order() {
    let mut scene = Scene::new(Class::U);
    scene.reconnect(|connection| connection.schedule.orders_minutes = 60);
    placed(&scene, 7, Duration::from_secs(3 * 3600 - 1));
    let found = compared(&scene, false);
    assert_eq!((found.store.not_yet, found.differ), (1, 0));
    scene.pass(Duration::from_secs(2));
    let found = compared(&scene, false);
    assert_eq!((found.store.not_yet, found.store.missing), (0, 1));
}

#[test]
fn a_package_that_nobody_told_of_does_not_hide_the_others_of_its_order() {
    let scene = Scene::new(Class::U);
    posted(&scene, 1, "1Z1");
    scene.warehouse.ship("main-1", "P2", "1Z2");
    let found = compared(&scene, false);
    assert_eq!((found.packages.differing, found.packages.shown), (1, 1));
}

#[test]
fn it_says_how_far_it_is() {
    let scene = Scene::new(Class::N);
    for order in 1..=120 {
        placed(&scene, order, Duration::from_secs(60));
    }
    let (use_case, told) = (use_case(&scene), std::sync::Mutex::new(Vec::new()));
    let mut found = use_case.begin(&scene.connection, Timestamp::UNIX_EPOCH);
    let progress = |done: usize, all: usize| told.lock().unwrap().push((done, all));
    run(use_case.go_on(&scene.connection, asked(false), &mut found, &progress)).unwrap();
    assert_eq!(*told.lock().unwrap(), [(50, 120), (100, 120), (120, 120)]);
}
