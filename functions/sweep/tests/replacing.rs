//! An order that is changed in the store after it was sent, where the connection wants the changed one in its place.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{DAY, accepted, dates, queued, sweep, sweep_after};
use domain::life::{Step, later};
use domain::message::Message;
use domain::payment::PaymentStatus;
use domain::policy::{Changed, Comment};
use domain::ports::Clock;
use domain::record::{Cause, Stage};
use domain::shipment::Contents;
use testkit::build;
use testkit::model::{Class, Fate, Scene};
use testkit::run::until_stuck;

const EVERY_FATE: [Fate; 5] =
    [Fate::Hangs, Fate::HappensAndHangs, Fate::Fails(None), Fate::LosesRequest, Fate::LosesAnswer];

/// Order 7, which the warehouse has, and another address for it in the store.
fn moved() -> Scene {
    let mut scene = Scene::new(Class::U);
    scene.connection.policies.changed = Changed::Replace;
    accepted(&scene, 7);
    scene.store.change(7, |order| order.ship_to.as_mut().unwrap().line1 = "7 New Road".into());
    scene
}

fn told(scene: &Scene) -> String {
    scene.record(7).story.last().unwrap().what.to_string()
}

fn street(scene: &Scene) -> String {
    scene.ledger.with(&scene.connection.id, |books| {
        books.bodies[&scene.key(7).order].0.ship_to.as_ref().unwrap().line1.clone()
    })
}

#[test]
fn the_warehouse_cancels_what_it_has_and_the_changed_order_is_to_be_sent_in_its_place() {
    let scene = moved();
    sweep_after(&scene, DAY);
    let record = scene.record(7);
    assert_eq!(
        (&record.stage, record.revision, record.replace),
        (&Stage::Ready { not_before: None }, 1, false)
    );
    assert_eq!((record.warehouse_order, record.released), (None, None), "nobody overruled a policy");
    assert_eq!((scene.warehouse.live("main-7"), street(&scene).as_str()), (0, "7 New Road"));
    assert_eq!(queued(&scene), [Message::forward(&scene.key(7))]);
    assert_eq!(told(&scene), "cancelled by the warehouse, revision 1: ready");
    let soon = later(scene.clock.now(), 2 * scene.pace.grace);
    assert!(dates(&scene, 7).iter().any(|at| *at <= soon), "should the message get lost");
}

#[test]
fn whoever_dies_anywhere_or_gets_no_answer_is_followed_by_somebody_who_finishes_it() {
    for fate in EVERY_FATE {
        for n in 0.. {
            let scene = moved();
            scene.pass(DAY);
            let before = scene.script.total();
            scene.script.nth(n, fate);
            drop(until_stuck(sweep(&scene)));
            let reached = scene.script.total() - before > n;
            scene.script.heal();
            scene.ledger.assert_all_covered();
            // By then it is in the store as it was sent: what was begun is finished all the same.
            let was_begun = scene.record(7).replace;
            if was_begun {
                scene.store.change(7, |order| *order = build::order(7));
                sweep_after(&scene, 2 * domain::life::SOON);
            }
            sweep_after(&scene, DAY);
            let record = scene.record(7);
            assert_eq!((record.stage.word(), record.revision), ("ready", 1), "effect {n} {fate:?}");
            assert_eq!(scene.warehouse.live("main-7"), 0, "effect {n} {fate:?}");
            assert!(queued(&scene).contains(&Message::forward(&scene.key(7))), "effect {n} {fate:?}");
            let street = street(&scene);
            assert_eq!(street == "7 New Road", !was_begun, "effect {n} {fate:?}: {street}");
            if !reached {
                break;
            }
        }
    }
}

#[test]
fn what_the_warehouse_does_not_cancel_is_shown_to_a_person_with_its_reason() {
    let refusing = moved();
    refusing.warehouse.too_late("it is packed");
    let unable = moved();
    unable.warehouse.cannot_cancel();
    let left = moved();
    left.step(7, Step::Ship(domain::shipment::Package { contents: Contents::Part, ..build::package("P-1") }));
    let mut unwanted = moved();
    unwanted.connection.policies.changed = Changed::Hold;
    for (scene, asked, why) in [
        (
            refusing,
            1,
            "held: changed in the store after it was sent; the warehouse did not cancel it: it is packed",
        ),
        (unable, 0, "held: changed in the store after it was sent"),
        (left, 0, "held: changed in the store after it was sent"),
        (unwanted, 0, "held: changed in the store after it was sent"),
    ] {
        sweep_after(&scene, DAY);
        let record = scene.record(7);
        assert_eq!((record.stage, record.replace), (Stage::Held(Cause::ChangedAfterSending), false));
        assert_eq!((told(&scene).as_str(), scene.script.count("warehouse.cancel")), (why, asked));
        assert_eq!((scene.warehouse.live("main-7"), queued(&scene)), (1, Vec::new()));
        assert_ne!(street(&scene), "7 New Road", "the difference can still be told");
    }
}

#[test]
fn the_changed_order_is_decided_on_as_a_new_one_would_be() {
    let mut remark = moved();
    remark.connection.policies.comment = Comment::Hold;
    remark.store.change(7, |order| order.comments = "ring twice".into());
    sweep_after(&remark, DAY);
    assert_eq!((remark.stage(7), remark.warehouse.live("main-7")), (Stage::Held(Cause::Comment), 0));
    assert!(!remark.record(7).may_be_there(), "a person can let it go");
}

/// A scene in which the wish is written down, and nobody knows whether the warehouse has cancelled.
fn begun() -> Scene {
    let scene = moved();
    scene.script.next("warehouse.cancel", [Fate::LosesAnswer]);
    scene.pass(DAY);
    drop(until_stuck(sweep(&scene)));
    assert!(scene.record(7).replace);
    scene
}

#[test]
fn a_wish_is_finished_when_the_order_is_taken_back_has_vanished_or_has_left_meanwhile() {
    let refunded = begun();
    refunded.store.pay(7, PaymentStatus::Refunded);
    sweep_after(&refunded, DAY);
    assert_eq!((refunded.stage(7), refunded.warehouse.live("main-7")), (Stage::Cancelled, 0));
    let vanished = begun();
    vanished.store.lose(7);
    sweep_after(&vanished, DAY);
    assert_eq!((vanished.stage(7), vanished.warehouse.live("main-7")), (Stage::Held(Cause::Vanished), 0));
    vanished.store.mend(7);
    sweep_after(&vanished, DAY);
    assert_eq!(vanished.record(7).stage.word(), "ready", "it is back, and goes out by itself");
    let left = begun();
    left.step(7, Step::Ship(domain::shipment::Package { contents: Contents::Part, ..build::package("P-1") }));
    sweep_after(&left, DAY);
    assert_eq!(left.stage(7), Stage::Held(Cause::ChangedAfterSending));
    assert!(told(&left).ends_with("a package has left"), "{}", told(&left));
}

#[test]
fn what_leaves_as_a_whole_while_its_replacement_or_its_cancellation_is_begun_is_shown_to_a_person() {
    let replaced = begun();
    let recalled = Scene::new(Class::U);
    accepted(&recalled, 7);
    recalled.step(7, Step::Recall("refunded in the store".into()));
    for (scene, cause) in [
        (replaced, Cause::ChangedAfterSending),
        (recalled, Cause::NotCancelled("it has left; the order is refunded in the store".into())),
    ] {
        let date = scene.record(7).wake;
        let record = scene.step(7, Step::Ship(build::package("P-1")));
        assert_eq!((&record.stage, record.replace, record.recall), (&Stage::Held(cause), false, None));
        assert_eq!(record.wake, date, "what has left is posted all the same");
        let second = scene.step(7, Step::Ship(build::package("P-2")));
        assert_eq!(second.stage, record.stage, "the next package settles nothing");
        sweep_after(&scene, DAY);
        assert!(scene.shipments.waiting().contains(&Message::post(&scene.key(7))));
    }
}

#[test]
fn a_wish_outlasts_the_days_of_the_watch_and_the_policy() {
    let mut scene = begun();
    scene.connection.policies.changed = Changed::Hold;
    let days = scene.connection.policies.watch_days;
    sweep_after(&scene, DAY * (days + 1));
    assert_eq!((scene.record(7).stage.word(), scene.record(7).revision), ("ready", 1));
}
