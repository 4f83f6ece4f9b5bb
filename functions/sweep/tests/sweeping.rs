//! Nothing unfinished is ever forgotten: what stalled is put back, what waits is read again.

mod common;

use std::time::Duration;

use common::{DAY, accepted, claimed, dates, decided, queued, sweep, sweep_after, sweep_often, sweeper};
use domain::admission::Admission;
use domain::life::Step;
use domain::message::Message;
use domain::payment::PaymentStatus;
use domain::ports::{Clock, Connections, Ledger};
use domain::record::{Cause, Exclusion, Stage, Wait};
use domain::shipment::{Contents, Package, Post};
use testkit::build;
use testkit::model::{Class, Fate, Scene};
use testkit::run::{run, until_stuck};

/// What changes the ledger.
const WRITES: [&str; 7] = [
    "ledger.insert",
    "ledger.expect",
    "ledger.save",
    "ledger.revise",
    "ledger.settle",
    "ledger.park",
    "ledger.lease",
];

fn scene() -> Scene {
    Scene::new(Class::U)
}

fn forward(scene: &Scene, order: u64) -> Message {
    Message::forward(&scene.key(order))
}

#[test]
fn an_order_whose_message_was_lost_is_put_back_on_the_queue() {
    let scene = scene();
    scene.ready(7);
    let early = sweep_after(&scene, Duration::from_secs(60));
    assert_eq!((early.looked, early.pushed), (0, 0), "its grace is not over");
    for _ in 0..3 {
        let swept = sweep_after(&scene, scene.pace.grace * 2);
        assert_eq!((swept.looked, swept.pushed), (1, 1));
        assert_eq!(scene.orders.take_all(), [forward(&scene, 7)], "again and again, until somebody takes it");
        assert_eq!(dates(&scene, 7).len(), 1, "the old date is taken off");
    }
    assert_eq!(scene.script.count("store.read"), 0, "the store is not asked");
}

#[test]
fn an_attempt_that_died_is_put_back_on_the_queue_when_its_lease_has_ended() {
    let scene = scene();
    claimed(&scene, 7);
    sweep_after(&scene, scene.pace.lease - Duration::from_secs(1));
    assert_eq!(queued(&scene), []);
    sweep_after(&scene, scene.pace.grace);
    assert_eq!(queued(&scene), [forward(&scene, 7)]);
}

#[test]
fn an_order_in_doubt_is_put_back_when_its_answer_can_be_trusted() {
    let scene = scene();
    claimed(&scene, 7);
    let (attempt, ask_at) = (scene.record(7).written, scene.seconds_from_now(1200));
    scene.step(7, Step::Doubt { attempt, ask_at, why: "time-out".into() });
    sweep_after(&scene, Duration::from_secs(1100));
    assert_eq!(queued(&scene), []);
    sweep_after(&scene, Duration::from_secs(100));
    assert_eq!(queued(&scene), [forward(&scene, 7)]);
}

/// What was put on the queue of shipments; an order with several dates is asked about on each.
fn questions(scene: &Scene) -> Vec<Message> {
    let mut questions = scene.shipments.take_all();
    questions.dedup();
    questions
}

#[test]
fn a_shipment_whose_webhook_was_lost_is_asked_for_where_there_is_no_feed() {
    let reference = domain::Reference::parse("main-7").unwrap();
    let question = Message::Reread { connection: scene().connection.id, reference };
    for (polls, asked) in [(false, vec![question]), (true, vec![])] {
        let scene = scene();
        scene.warehouse.tells(true, polls);
        accepted(&scene, 7);
        sweep_after(&scene, DAY);
        assert_eq!(questions(&scene), asked);
        // Where the store cannot take its tracking, it is never done with.
        let package = build::package("P-1");
        let (id, post) = (package.id.clone(), Post::Outbox { why: "no such field".into() });
        scene.step(7, Step::Ship(Package { contents: Contents::Everything, ..package }));
        scene.step(7, Step::SettlePost { package: id, post, again: None });
        assert_eq!(scene.stage(7), Stage::Shipped);
        sweep_after(&scene, DAY);
        assert_eq!(questions(&scene), asked);
        // Done with: it is asked about on the date that is left of it, and once more a day later, should the first get lost.
        let package = scene.record(7).packages[0].id.clone();
        scene.step(7, Step::SettlePost { package, post: Post::Posted, again: None });
        assert!(scene.record(7).is_finished());
        let left = scene.seconds_from_now(600);
        scene.ledger.with(&scene.connection.id, |books| {
            books.dates.clear();
            books.dates.entry(left).or_default().insert(domain::OrderId(7));
        });
        for _ in 0..2 {
            assert_eq!(questions(&scene), []);
            sweep_after(&scene, Duration::from_secs(86_400 / 2));
            assert_eq!(questions(&scene), asked);
            sweep_after(&scene, Duration::from_secs(86_400 / 4));
        }
        assert_eq!((questions(&scene), dates(&scene, 7)), (vec![], vec![]));
    }
}

#[test]
fn an_order_that_is_paid_at_last_is_released() {
    let scene = scene();
    let soon = scene.seconds_from_now(60);
    decided(&scene, 7, &Admission::Wait(Wait::Unpaid("pending".into()), soon));
    scene.store.pay(7, PaymentStatus::Pending);
    for _ in 0..4 {
        sweep_after(&scene, Duration::from_secs(3600));
        assert!(matches!(scene.stage(7), Stage::Waiting(_)));
        assert_eq!(dates(&scene, 7).len(), 1, "its own and no other");
    }
    scene.store.pay(7, PaymentStatus::Accepted);
    sweep_after(&scene, Duration::from_secs(6 * 3600));
    assert_eq!(scene.stage(7), Stage::Ready { not_before: None });
    assert_eq!(queued(&scene), [forward(&scene, 7)]);
}

#[test]
fn an_order_that_is_paid_when_its_date_comes_has_another_one() {
    let scene = scene();
    let soon = scene.seconds_from_now(60);
    decided(&scene, 7, &Admission::Wait(Wait::Unpaid("pending".into()), soon));
    sweep_after(&scene, Duration::from_secs(60));
    assert_eq!((scene.stage(7), scene.orders.take_all().len()), (Stage::Ready { not_before: None }, 1));
    sweep_after(&scene, scene.pace.grace * 2);
    assert_eq!(queued(&scene), [forward(&scene, 7)], "should its message be lost");
}

#[test]
fn an_order_that_is_released_is_queued_at_once_and_not_by_the_next_sweep() {
    let scene = std::sync::Arc::new(scene());
    let soon = scene.seconds_from_now(60);
    decided(&scene, 7, &Admission::Wait(Wait::Unpaid("pending".into()), soon));
    let world = scene.clone();
    scene.script.meanwhile("store.read", move || world.pass(Duration::from_secs(1)));
    assert_eq!(sweep_after(&scene, DAY).pushed, 1);
    assert_eq!(queued(&scene), [forward(&scene, 7)]);
}

#[test]
fn an_order_that_is_never_paid_is_excluded_and_nobody_looks_again() {
    let scene = scene();
    let soon = scene.seconds_from_now(60);
    decided(&scene, 7, &Admission::Wait(Wait::Unpaid("pending".into()), soon));
    scene.store.pay(7, PaymentStatus::Pending);
    sweep_often(&scene, 40, DAY);
    assert_eq!(scene.stage(7), Stage::Excluded(Exclusion::NeverPaid));
    assert_eq!(dates(&scene, 7), []);
    assert_eq!(queued(&scene), []);
}

#[test]
fn an_order_that_was_unreadable_is_read_again_until_it_can_be() {
    let scene = scene();
    let soon = scene.seconds_from_now(60);
    decided(&scene, 7, &Admission::Hold(Cause::Unreadable("line 3".into()), soon));
    scene.store.garble(7);
    sweep_often(&scene, 3, DAY);
    assert!(matches!(scene.stage(7), Stage::Held(Cause::Unreadable(_))));
    scene.store.mend(7);
    sweep_after(&scene, DAY);
    assert_eq!(queued(&scene), [forward(&scene, 7)]);
}

#[test]
fn an_order_that_is_held_for_a_person_stays_held_until_it_is_another_one() {
    let scene = scene();
    let soon = scene.seconds_from_now(60);
    decided(&scene, 7, &Admission::Hold(Cause::Refused("no such SKU".into()), soon));
    sweep_often(&scene, 3, DAY);
    assert!(matches!(scene.stage(7), Stage::Held(Cause::Refused(_))));
    scene.store.change(7, |order| order.lines.truncate(1));
    sweep_after(&scene, DAY);
    assert_eq!(queued(&scene), [forward(&scene, 7)]);
}

#[test]
fn tracking_whose_message_was_lost_is_put_back_on_its_queue() {
    for flagged in [false, true] {
        let scene = scene();
        accepted(&scene, 7);
        let part = domain::shipment::Package { contents: Contents::Part, ..build::package("P-1") };
        scene.step(7, Step::Ship(part));
        if flagged {
            scene.step(7, Step::Flag(Cause::ChangedAfterSending));
        }
        sweep_after(&scene, DAY);
        assert_eq!(scene.shipments.waiting(), [Message::post(&scene.key(7))], "held or not: {flagged}");
        let soon = scene.clock.now()..=scene.seconds_from_now(1_860);
        assert!(
            matches!(&dates(&scene, 7)[..], [date] if soon.contains(date)),
            "should this one be lost too"
        );
    }
}

#[test]
fn tracking_that_waits_for_its_store_does_not_fill_the_queue() {
    let scene = scene();
    accepted(&scene, 7);
    let leaves = |id| {
        let package = build::package(id);
        Step::Ship(Package { contents: Contents::Part, shipped_at: scene.clock.now(), ..package })
    };
    scene.step(7, leaves("P-1"));
    let mut messages = Vec::new();
    for _ in 0..72 {
        sweep_after(&scene, Duration::from_secs(300));
        messages.push(scene.shipments.take_all().len());
    }
    let (first_hour, all): (usize, usize) = (messages.iter().take(12).sum(), messages.iter().sum());
    assert!((2..=4).contains(&first_hour), "a message that was lost is soon made up for: {messages:?}");
    assert!(
        (first_hour + 8..=16).contains(&all),
        "one in half an hour at least, not one in ten minutes: {messages:?}"
    );
    let package = "P-1".parse().unwrap();
    scene.step(7, Step::SettlePost { package, post: Post::Posted, again: None });
    scene.ledger.with(&scene.connection.id, |books| books.dates.clear());
    scene.step(7, leaves("P-2"));
    let mut messages = Vec::new();
    for _ in 0..12 {
        sweep_after(&scene, Duration::from_secs(300));
        messages.push(scene.shipments.take_all().len());
    }
    assert!(
        messages.iter().sum::<usize>() >= 2,
        "another package is as new as the first one was: {messages:?}"
    );
}

#[test]
fn a_post_that_is_claimed_is_left_alone_until_its_lease_has_ended() {
    let scene = scene();
    accepted(&scene, 7);
    scene.step(7, Step::Ship(build::package("P-1")));
    scene.pass(scene.pace.lease);
    let until = scene.seconds_from_now(480);
    scene.step(7, Step::ClaimPost { package: "P-1".parse().unwrap(), until });
    let swept = sweep_after(&scene, Duration::from_secs(1));
    assert_eq!((swept.looked, scene.shipments.waiting()), (1, vec![]));
    sweep_after(&scene, scene.pace.grace);
    assert_eq!(scene.shipments.waiting(), [Message::post(&scene.key(7))]);
}

#[test]
fn a_finished_order_loses_its_date() {
    let scene = scene();
    decided(&scene, 7, &Admission::Exclude(Exclusion::Digital));
    let swept = sweep_after(&scene, DAY);
    assert_eq!((swept.looked, dates(&scene, 7)), (0, vec![]));
}

#[test]
fn an_order_that_is_expected_and_never_came_is_fetched() {
    let scene = scene();
    scene.store.place(build::order(7));
    scene.store.place(build::order(8));
    scene.store.lose(8);
    let soon = scene.seconds_from_now(60);
    for order in [7, 8] {
        let id = domain::OrderId(order);
        assert!(scene.ledger.with(&scene.connection.id, |b| b.dates.entry(soon).or_default().insert(id)));
    }
    let swept = sweep_after(&scene, DAY);
    assert_eq!((swept.looked, swept.pushed), (2, 1));
    assert_eq!(queued(&scene), [forward(&scene, 7)]);
    assert_eq!(scene.stage(8), Stage::Held(Cause::Vanished));
}

#[test]
fn a_fetched_order_whose_insert_lands_unnoticed_keeps_a_date() {
    let scene = scene();
    scene.store.place(build::order(7));
    let soon = scene.seconds_from_now(60);
    scene.ledger.with(&scene.connection.id, |b| b.dates.entry(soon).or_default().insert(domain::OrderId(7)));
    scene.script.next("ledger.insert", [Fate::LosesAnswer]);
    scene.script.next("ledger.expect", [Fate::Fails(None)]);
    scene.pass(Duration::from_secs(120));
    assert!(run(sweep(&scene)).is_err());
    for _ in 0..3 {
        sweep_after(&scene, Duration::from_secs(60));
    }
    sweep_after(&scene, scene.pace.grace * 2);
    assert_eq!(queued(&scene), [forward(&scene, 7)]);
}

#[test]
fn a_record_that_cannot_be_read_keeps_no_other_from_being_looked_at() {
    let scene = scene();
    (6..=8).for_each(|order| drop(scene.ready(order)));
    scene.ledger.with(&scene.connection.id, |books| books.unreadable.insert(domain::OrderId(7)));
    scene.pass(scene.pace.grace * 2);
    let failure = run(sweep(&scene)).unwrap_err();
    assert!(failure.message.contains("item 7"), "somebody is told: {failure}");
    assert_eq!(queued(&scene), [forward(&scene, 6), forward(&scene, 8)]);
    scene.ledger.assert_all_covered();
    scene.ledger.with(&scene.connection.id, |books| books.unreadable.clear());
    sweep_after(&scene, scene.pace.longest_retry * 2);
    assert!(scene.orders.waiting().contains(&forward(&scene, 7)), "it is looked at once it can be read");
}

#[test]
fn a_stale_read_loses_no_order() {
    let scene = scene();
    scene.ready(7);
    claimed(&scene, 8);
    scene.script.chooses("stale read", 1);
    sweep_often(&scene, 3, scene.pace.grace * 2);
    let waiting = scene.orders.waiting();
    assert!(waiting.contains(&forward(&scene, 7)) && waiting.contains(&forward(&scene, 8)), "{waiting:?}");
}

/// The next sweep is overtaken by a parcel of order 7 that leaves: somebody looks at it again all the same.
fn a_parcel_overtakes_the_sweep(scene: &std::sync::Arc<Scene>) {
    let other = scene.clone();
    let part = domain::shipment::Package { contents: Contents::Part, ..build::package("P-1") };
    scene.script.meanwhile("ledger.save", move || drop(other.step(7, Step::Ship(part))));
    sweep_after(scene, DAY);
    assert_eq!(scene.stage(7), Stage::PartlyShipped);
    assert!(dates(scene, 7).iter().any(|date| *date > scene.clock.now()), "somebody will look");
}

#[test]
fn an_order_that_is_shipped_while_it_is_looked_at_has_a_date_again() {
    let scene = std::sync::Arc::new(scene());
    let soon = scene.seconds_from_now(60);
    decided(&scene, 7, &Admission::Wait(Wait::Unpaid("pending".into()), soon));
    a_parcel_overtakes_the_sweep(&scene);
}

#[test]
fn an_order_that_is_shipped_while_it_is_excluded_has_a_date_again() {
    let scene = std::sync::Arc::new(scene());
    let soon = scene.seconds_from_now(60);
    decided(&scene, 7, &Admission::Wait(Wait::Unpaid("pending".into()), soon));
    scene.store.pay(7, PaymentStatus::Declined);
    a_parcel_overtakes_the_sweep(&scene);
}

#[test]
fn an_order_that_cannot_be_looked_at_keeps_no_other_from_it() {
    let scene = scene();
    let soon = scene.seconds_from_now(60);
    for order in [7, 8] {
        decided(&scene, order, &Admission::Wait(Wait::Unpaid("pending".into()), soon));
    }
    scene.store.fail(7);
    sweep_after(&scene, DAY);
    assert_eq!(queued(&scene), [forward(&scene, 8)]);
    assert!(dates(&scene, 7).iter().all(|at| *at > scene.clock.now()), "and is looked at a little later");
}

#[test]
fn a_sweep_without_time_forgets_nothing() {
    let scene = scene();
    (1..=3).for_each(|order| drop(scene.ready(order)));
    scene.pass(DAY);
    let swept = run(sweeper(&scene).sweep(&scene.connection, scene.clock.now())).unwrap();
    assert_eq!(swept.pushed, 0);
    scene.ledger.assert_all_covered();
    sweep_after(&scene, scene.pace.grace);
    assert_eq!(scene.orders.waiting().len(), 3);
}

#[test]
fn one_sweep_looks_at_everything_that_is_due() {
    let scene = scene();
    // Each has a date of its own, and there are more of them than are asked for at once.
    for order in 1..=120 {
        scene.ready(order);
        scene.pass(Duration::from_secs(1));
    }
    let swept = sweep_after(&scene, DAY);
    assert_eq!((swept.looked, swept.pushed), (120, 100), "and lets go only so many together");
    assert_eq!(scene.orders.waiting().len(), 100);
    scene.ledger.assert_all_covered();
}

#[test]
fn a_sweep_whose_time_is_up_leaves_the_other_dates_as_they_are() {
    let scene = scene();
    for order in 1..=3 {
        scene.ready(order);
        scene.pass(Duration::from_secs(60));
    }
    scene.pass(DAY);
    let due = dates(&scene, 3);
    let swept = run(sweeper(&scene).sweep(&scene.connection, scene.clock.now())).unwrap();
    assert_eq!((swept.looked, swept.pushed), (1, 0));
    assert_eq!(dates(&scene, 3), due);
    scene.ledger.assert_all_covered();
}

#[test]
fn orders_that_wait_for_about_as_long_share_a_date() {
    let scene = scene();
    for order in 1..=3 {
        scene.ready(order);
        scene.pass(Duration::from_secs(7));
    }
    sweep_after(&scene, scene.pace.grace);
    let shared = dates(&scene, 1);
    assert_eq!((dates(&scene, 2), dates(&scene, 3)), (shared.clone(), shared.clone()));
    assert_eq!(shared[0].as_millisecond() % 60_000, 0, "a whole tenth of the grace");
    let wait = shared[0].duration_since(scene.clock.now()).unsigned_abs();
    assert!(wait > scene.pace.grace && wait <= scene.pace.grace * 11 / 10, "{wait:?}");
}

#[test]
fn a_sweep_that_dies_anywhere_is_made_good_by_the_next() {
    for fate in [Fate::Hangs, Fate::HappensAndHangs, Fate::Fails(None), Fate::LosesAnswer] {
        for n in 0.. {
            let scene = busy();
            scene.pass(DAY);
            let before = scene.script.total();
            scene.script.nth(n, fate);
            drop(until_stuck(sweep(&scene)));
            if scene.script.total() - before <= n {
                break;
            }
            scene.script.heal();
            scene.ledger.assert_all_covered();
            sweep_often(&scene, 4, scene.pace.grace);
            let what = format!("effect {n}: {fate:?}");
            let orders = scene.orders.waiting();
            for order in [1, 2, 3, 4] {
                assert!(orders.contains(&forward(&scene, order)), "{what}: order {order}");
            }
            assert!(scene.shipments.waiting().contains(&Message::post(&scene.key(5))), "{what}");
            let gone = scene.stage(6) == Stage::Cancelled && scene.warehouse.live("main-6") == 0;
            assert!(gone, "{what}: {:?}", scene.stage(6));
        }
    }
}

/// A scene with an order for every reason to look at one.
fn busy() -> Scene {
    let scene = scene();
    let soon = scene.seconds_from_now(60);
    scene.ready(1);
    claimed(&scene, 2);
    decided(&scene, 3, &Admission::Wait(Wait::Unpaid("pending".into()), soon));
    decided(&scene, 4, &Admission::Hold(Cause::Unmapped(Vec::new()), soon));
    accepted(&scene, 5);
    scene.step(5, Step::Ship(build::package("P-5")));
    accepted(&scene, 6);
    scene.store.pay(6, PaymentStatus::Refunded);
    scene
}

#[test]
fn a_host_that_lost_its_queues_fills_them_again_without_touching_the_ledger() {
    let scene = busy();
    scene.pass_lease();
    let before = scene.script.count_all(&WRITES);
    let ledger = scene.ledger.with(&scene.connection.id, |books| books.records.clone());
    assert_eq!(run(sweeper(&scene).refill(&scene.connection)).unwrap(), 3);
    assert_eq!(queued(&scene), [forward(&scene, 1), forward(&scene, 2)]);
    assert_eq!(scene.shipments.waiting(), [Message::post(&scene.key(5))]);
    assert_eq!(scene.script.count_all(&WRITES), before);
    assert_eq!(scene.ledger.with(&scene.connection.id, |books| books.records.clone()), ledger);
}

#[test]
fn a_host_that_lost_its_queues_queues_nothing_before_its_time() {
    let scene = scene();
    claimed(&scene, 1);
    claimed(&scene, 2);
    let until = scene.seconds_from_now(900);
    let release =
        |not_before| Step::Release { attempt: scene.record(2).written, not_before, why: "busy".into() };
    scene.step(2, release(until));
    claimed(&scene, 3);
    let attempt = scene.record(3).written;
    scene.step(3, Step::Doubt { attempt, ask_at: until, why: "time-out".into() });
    scene.pass(Duration::from_secs(899));
    assert_eq!(run(sweeper(&scene).refill(&scene.connection)).unwrap(), 0);
    scene.pass(Duration::from_secs(1));
    assert_eq!(run(sweeper(&scene).refill(&scene.connection)).unwrap(), 3);
}

#[test]
fn every_enabled_connection_is_swept_and_the_trouble_of_one_is_its_own() {
    let scene = scene();
    scene.ready(7);
    scene.connections.set(&build::connection("alone"));
    let mut off = build::connection("off");
    off.enabled = false;
    scene.connections.set(&off);
    scene.pass(DAY);
    let all = run(scene.connections.all()).unwrap();
    let mut swept = run(sweeper(&scene).run(all, scene.seconds_from_now(60)));
    swept.sort_by(|(one, _), (two, _)| one.cmp(two));
    let outcomes: Vec<(&str, bool)> = swept.iter().map(|(id, swept)| (id.as_str(), swept.is_ok())).collect();
    assert_eq!(outcomes, [("alone", false), ("main", true)]);
    assert_eq!(queued(&scene), [forward(&scene, 7)]);
}

/// Order 7 with a package that somebody is posting, and a date of its own that is far away. When that attempt ends.
fn being_posted(scene: &Scene) -> jiff::Timestamp {
    accepted(scene, 7);
    let mut package = build::package("P-1");
    package.contents = Contents::Part;
    scene.step(7, Step::Ship(package.clone()));
    let until = domain::life::later(scene.clock.now(), scene.pace.lease);
    let mut record = scene.step(7, Step::ClaimPost { package: package.id, until });
    record.wake = Some(domain::life::later(scene.clock.now(), DAY));
    scene.ledger.with(&scene.connection.id, |books| books.dates.clear());
    scene.keep(&record);
    until
}

#[test]
fn a_package_whose_poster_died_does_not_wait_for_the_date_of_its_order() {
    let scene = scene();
    let until = being_posted(&scene);
    // What a later delivery of the message leaves behind.
    run(scene.ledger.expect(&scene.connection.id, until, &[domain::OrderId(7)])).unwrap();
    sweep_after(&scene, scene.pace.lease + Duration::from_secs(1));
    assert_eq!(scene.shipments.waiting(), [Message::post(&scene.key(7))]);
}

#[test]
fn a_package_whose_poster_died_with_the_process_gets_a_date_at_the_next_start() {
    let scene = scene();
    let until = being_posted(&scene);
    run(sweeper(&scene).refill(&scene.connection)).unwrap();
    assert!(scene.shipments.waiting().is_empty(), "it may still be at work");
    assert!(dates(&scene, 7).contains(&until));
    sweep_after(&scene, scene.pace.lease + Duration::from_secs(1));
    assert_eq!(scene.shipments.waiting(), [Message::post(&scene.key(7))]);
}
