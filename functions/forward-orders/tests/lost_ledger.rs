//! After a ledger was lost, an order that it may have sent is asked about before anything is sent.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{EVERY_CLASS, LAG, forwarder, settle};
use domain::Reference;
use domain::admission::Admission;
use domain::connection::History;
use domain::fulfillment::FulfillmentRequest;
use domain::life::{Step, later};
use domain::payment::PaymentStatus;
use domain::ports::Clock;
use domain::record::{Cause, Stage};
use domain::warehouse::OrderDesk;
use testkit::build;
use testkit::model::{Class, Scene};
use testkit::run::run;

/// A new ledger that has order 7 as a rebuild takes it in, a moment after the loss. `sent`: the lost one had sent it.
fn rebuilt(class: Class, sent: bool) -> Scene {
    let mut scene = Scene::new(class);
    if sent {
        let key = scene.ready(7);
        run(forwarder(&scene).forward(&key, 1)).unwrap();
    }
    scene.store.place(build::order(7));
    let since = scene.clock.now();
    scene.reconnect(|connection| connection.history = History::Known { since });
    let mut record = build::record(&scene.key(7), &Admission::AskFirst(since), 7);
    record.wake = Some(later(since, scene.pace.grace));
    scene.keep(&record);
    scene
}

#[test]
fn what_was_sent_is_found_and_what_was_not_is_sent_once() {
    for class in EVERY_CLASS {
        for sent in [true, false] {
            let scene = rebuilt(class, sent);
            settle(&scene);
            let there = scene.warehouse.live("main-7");
            if class == Class::N {
                assert_eq!(scene.stage(7), Stage::Held(Cause::OlderThanLedger), "sent: {sent}");
                assert_eq!(there, usize::from(sent), "never sent by itself");
            } else {
                assert_eq!((scene.stage(7), there), (Stage::Accepted, 1), "{class:?}, sent: {sent}");
                assert_eq!(
                    scene.record(7).units,
                    3,
                    "{class:?}, sent: {sent}: whether all has left must show"
                );
            }
        }
    }
}

#[test]
fn nothing_is_sent_while_an_attempt_of_the_lost_ledger_may_still_arrive() {
    let scene = rebuilt(Class::L(LAG), false);
    let (key, forward) = (scene.key(7), forwarder(&scene));
    let lost_at = scene.clock.now();
    run(forward.forward(&key, 1)).unwrap();
    let end = later(lost_at, scene.pace.lease + LAG);
    assert_eq!(scene.stage(7), Stage::InDoubt { ask_at: end });
    scene.pass(scene.pace.lease + LAG - Duration::from_secs(1));
    run(forward.forward(&key, 2)).unwrap();
    assert_eq!(scene.warehouse.live("main-7"), 0);
    scene.pass(Duration::from_secs(1));
    run(forward.forward(&key, 3)).unwrap();
    assert_eq!((scene.stage(7), scene.warehouse.live("main-7")), (Stage::Accepted, 1));
}

#[test]
fn a_process_that_has_kept_the_connection_since_before_the_loss_waits_as_well() {
    let mut scene = rebuilt(Class::L(LAG), false);
    let (key, lost_at) = (scene.key(7), scene.clock.now());
    scene.reconnect(|connection| connection.history = History::Known { since: jiff::Timestamp::UNIX_EPOCH });
    scene.connections.cache();
    for history in [History::Rebuilding { lost_at: Some(lost_at) }, History::Known { since: lost_at }] {
        scene.reconnect(|connection| connection.history = history);
        run(forwarder(&scene).forward(&key, 1)).unwrap();
        let ask_at = later(lost_at, scene.pace.lease + LAG);
        assert_eq!(scene.stage(7), Stage::InDoubt { ask_at }, "{history:?}");
        assert_eq!(scene.script.count("warehouse.create"), 0, "{history:?}");
    }
}

#[test]
fn finding_out_sends_nothing() {
    for class in [Class::K, Class::U, Class::L(Duration::ZERO)] {
        let scene = rebuilt(class, false);
        scene.pass_lease();
        run(forwarder(&scene).find_out(&scene.key(7))).unwrap();
        assert!(matches!(scene.stage(7), Stage::Ready { .. }), "{class:?}: {:?}", scene.stage(7));
        assert_eq!(scene.script.count("warehouse.create"), 0, "{class:?}");
        run(forwarder(&scene).find_out(&scene.key(7))).unwrap();
        assert_eq!(
            scene.script.count("warehouse.create"),
            0,
            "{class:?}: an order that is ready is no question"
        );
    }
}

#[test]
fn a_sale_that_was_taken_back_is_not_sent_and_not_held_when_the_warehouse_has_cancelled_it() {
    // A process of the lost ledger may have cancelled it after our body was read.
    for (sent, cancelled_there, body) in [
        (false, false, PaymentStatus::Refunded),
        (true, true, PaymentStatus::Refunded),
        (true, true, PaymentStatus::Accepted),
    ] {
        let scene = rebuilt(Class::L(Duration::ZERO), sent);
        scene.store.pay(7, PaymentStatus::Refunded);
        let mut order = build::order(7);
        order.payment = body;
        scene.ledger.with(&scene.connection.id, |books| {
            books.bodies.insert(domain::OrderId(7), (order, jiff::Timestamp::MAX));
        });
        if cancelled_there {
            scene.warehouse.cancel_there("main-7");
        }
        settle(&scene);
        assert_eq!(scene.stage(7), Stage::Cancelled, "sent: {sent}");
        assert_eq!(scene.warehouse.live("main-7"), 0, "sent: {sent}");
        assert_eq!(scene.record(7).warehouse_order.is_some(), cancelled_there, "what it had is in the books");
    }
}

#[test]
fn an_order_that_is_paid_and_that_the_warehouse_has_cancelled_is_for_a_person() {
    let scene = rebuilt(Class::L(Duration::ZERO), true);
    scene.warehouse.cancel_there("main-7");
    settle(&scene);
    let Stage::Held(Cause::Refused(why)) = scene.stage(7) else { panic!("{:?}", scene.stage(7)) };
    assert!(why.ends_with(", cancelled"), "{why}");
    assert_eq!(scene.warehouse.orders().len(), 1, "nothing is sent beside it");
}

/// A warehouse that honours our key cannot be asked whether it has an order.
#[test]
fn a_sale_that_was_taken_back_is_cancelled_at_a_warehouse_that_may_have_it() {
    let refunded = |scene: &Scene| {
        scene.store.pay(7, PaymentStatus::Refunded);
        let mut order = build::order(7);
        order.payment = PaymentStatus::Refunded;
        scene.ledger.with(&scene.connection.id, |books| {
            books.bodies.insert(domain::OrderId(7), (order, jiff::Timestamp::MAX));
        });
    };
    let scene = rebuilt(Class::K, true);
    refunded(&scene);
    scene.pass_lease();
    run(forwarder(&scene).find_out(&scene.key(7))).unwrap();
    assert!(
        matches!(scene.stage(7), Stage::InDoubt { .. }),
        "who only asks changes nothing at the warehouse"
    );
    assert_eq!(scene.warehouse.live("main-7"), 1);
    settle(&scene);
    assert_eq!((scene.stage(7), scene.warehouse.live("main-7")), (Stage::Cancelled, 0));
    let scene = rebuilt(Class::K, false);
    refunded(&scene);
    settle(&scene);
    assert!(matches!(scene.stage(7), Stage::Held(Cause::NotCancelled(_))), "{:?}", scene.stage(7));
    assert_eq!(scene.script.count("warehouse.create"), 0);
}

/// Between finding out and deciding a process may die, and a person may say that nothing was ever sent.
#[test]
fn a_sale_that_was_taken_back_is_not_sent_although_nobody_lived_to_decide_on_it() {
    for class in EVERY_CLASS {
        let scene = rebuilt(class, false);
        let mut order = build::order(7);
        order.payment = PaymentStatus::Voided;
        scene.ledger.with(&scene.connection.id, |books| {
            books.bodies.insert(domain::OrderId(7), (order, jiff::Timestamp::MAX));
        });
        scene.step(7, Step::SendAgain("the warehouse does not have it"));
        settle(&scene);
        assert_eq!(scene.stage(7), Stage::Cancelled, "{class:?}");
        assert_eq!(scene.script.count("warehouse.create"), 0, "{class:?}");
    }
}

#[test]
fn nothing_is_sent_before_the_ledger_is_complete() {
    for history in [History::Unknown, History::Rebuilding { lost_at: None }] {
        let mut scene = Scene::new(Class::K);
        let key = scene.ready(7);
        scene.reconnect(|connection| connection.history = history);
        run(forwarder(&scene).forward(&key, 1)).unwrap();
        assert_eq!(scene.script.count("warehouse.create"), 0, "{history:?}");
    }
}

/// Order 7 as a rebuild takes it in, when the lost ledger had sent it, had it cancelled, and had sent it anew.
fn sent_anew(class: Class) -> Scene {
    let scene = rebuilt(class, true);
    scene.warehouse.cancel_there("main-7");
    let request = build::request(&scene.key(7));
    let anew = FulfillmentRequest { reference: Reference::parse("main-7-r1").unwrap(), ..request };
    run(scene.warehouse.create(&anew));
    scene
}

#[test]
fn what_the_lost_ledger_had_sent_anew_is_found_under_its_later_reference() {
    for class in [Class::U, Class::L(LAG)] {
        let scene = sent_anew(class);
        settle(&scene);
        let record = scene.record(7);
        assert_eq!((&record.stage, record.revision), (&Stage::Accepted, 1), "{class:?}");
        let there = scene.warehouse.orders();
        assert_eq!(record.warehouse_order.as_ref(), there.last().map(|order| &order.id), "{class:?}");
        assert_eq!((there.len(), scene.warehouse.live("main-7-r1")), (2, 1), "{class:?}");
    }
}

#[test]
fn what_was_cancelled_under_each_reference_is_for_a_person_and_can_be_confirmed_or_sent_under_the_next_one() {
    for class in [Class::U, Class::L(LAG)] {
        let scene = sent_anew(class);
        scene.warehouse.cancel_there("main-7-r1");
        settle(&scene);
        let record = scene.record(7);
        assert!(matches!(record.stage, Stage::Held(Cause::Refused(_))), "{record:?}");
        assert_eq!((record.revision, scene.warehouse.orders().len()), (1, 2), "{class:?}");
        let id = Some("W-9".parse().unwrap());
        let stamp = build::stamp(9);
        let confirm = Step::Confirm { id: id.clone(), digest: None, why: "seen there".into() };
        let confirmed = record.step(confirm, stamp).unwrap();
        assert_eq!((confirmed.stage, confirmed.warehouse_order), (Stage::Accepted, id), "{class:?}");
        let anew = Step::SendAnew { digest: build::order(7).digest(), why: "gone".into() };
        assert_eq!(record.step(anew, build::stamp(10)).unwrap().revision, 2, "{class:?}");
    }
}

#[test]
fn a_later_reference_is_found_where_the_first_one_never_got_there() {
    for class in [Class::U, Class::L(LAG)] {
        let scene = rebuilt(class, false);
        let request = build::request(&scene.key(7));
        let anew = FulfillmentRequest { reference: Reference::parse("main-7-r1").unwrap(), ..request };
        run(scene.warehouse.create(&anew));
        settle(&scene);
        let record = scene.record(7);
        assert_eq!((&record.stage, record.revision), (&Stage::Accepted, 1), "{class:?}");
        assert_eq!(scene.warehouse.orders().len(), 1, "{class:?}");
    }
}
