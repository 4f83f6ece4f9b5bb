//! What was cured is released, what was taken back is cancelled, what was changed is shown to a person.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{DAY, accepted, dates, decided, queued, sweep, sweep_after, sweep_often, sweeper};
use domain::admission::Admission;
use domain::life::Step;
use domain::mapping::Gap;
use domain::message::Message;
use domain::payment::PaymentStatus;
use domain::record::{Cause, Exclusion, Stage, Wait};
use domain::shipment::Contents;
use testkit::build;
use testkit::model::{Class, Fate, Scene};
use testkit::run::{run, until_stuck};

/// A scene whose orders are held because nobody has mapped their tea.
fn unmapped(orders: &[u64]) -> Scene {
    let scene = Scene::new(Class::U);
    let tea = build::sku("TEA-GRN-100");
    scene.remap(|mapping| drop(mapping.listings.remove(&tea)));
    let hold = Admission::Hold(Cause::Unmapped(vec![Gap::UnknownSku(tea)]), scene.seconds_from_now(3600));
    orders.iter().for_each(|order| decided(&scene, *order, &hold));
    scene
}

fn cure(scene: &Scene) {
    let tea = build::mapping(1).listings.remove(&build::sku("TEA-GRN-100")).unwrap();
    scene.remap(|mapping| drop(mapping.listings.insert(build::sku("TEA-GRN-100"), tea)));
}

fn release(scene: &Scene) -> usize {
    let released = run(sweeper(scene).release(&scene.connection)).unwrap();
    scene.ledger.assert_all_covered();
    released
}

fn forward(scene: &Scene, order: u64) -> Message {
    Message::forward(&scene.key(order))
}

#[test]
fn a_new_mapping_releases_what_it_translates_at_once() {
    let scene = unmapped(&[7, 8]);
    scene.store.change(8, |order| order.lines[0].sku = Some(build::sku("STILL-UNKNOWN")));
    let changed = build::order(8);
    scene.ledger.with(&scene.connection.id, |books| {
        let (body, _) = books.bodies.get_mut(&changed.id).unwrap();
        body.lines[0].sku = Some(build::sku("STILL-UNKNOWN"));
    });
    assert_eq!(release(&scene), 0, "nothing is cured yet");
    cure(&scene);
    assert_eq!(release(&scene), 1);
    assert_eq!(
        (scene.stage(7), scene.orders.waiting()),
        (Stage::Ready { not_before: None }, vec![forward(&scene, 7)])
    );
    assert!(matches!(scene.stage(8), Stage::Held(Cause::Unmapped(_))));
    let soon = scene.seconds_from_now(15 * 60);
    assert!(dates(&scene, 7).iter().any(|at| *at <= soon), "the queue may lose it");
}

#[test]
fn a_sweep_releases_it_too() {
    let scene = unmapped(&[7]);
    sweep_after(&scene, DAY);
    assert!(matches!(scene.stage(7), Stage::Held(Cause::Unmapped(_))));
    cure(&scene);
    sweep_after(&scene, DAY);
    assert_eq!(queued(&scene), [forward(&scene, 7)]);
}

#[test]
fn an_order_that_was_refunded_while_it_was_held_is_not_sent() {
    for by_sweep in [false, true] {
        let scene = unmapped(&[7]);
        scene.store.pay(7, PaymentStatus::Refunded);
        cure(&scene);
        if by_sweep {
            sweep_after(&scene, DAY);
        } else {
            assert_eq!(release(&scene), 0);
        }
        assert_eq!(scene.stage(7), Stage::Excluded(Exclusion::NotPaid("refunded".into())));
        assert_eq!(queued(&scene), []);
        sweep_after(&scene, DAY);
        assert_eq!(dates(&scene, 7), [], "nobody has to look again");
    }
}

#[test]
fn only_what_is_held_for_a_gap_is_released() {
    let scene = Scene::new(Class::U);
    let soon = scene.seconds_from_now(3600);
    let unpaid = Admission::Wait(Wait::Unpaid("pending".into()), soon);
    let refused = Admission::Hold(Cause::Refused("no such street".into()), soon);
    let comment = Admission::Hold(Cause::Comment, soon);
    let none = Admission::Exclude(Exclusion::Digital);
    let orders = [(5, &unpaid), (6, &refused), (7, &comment), (8, &none), (9, &Admission::Ready)];
    orders.iter().for_each(|(order, admission)| decided(&scene, *order, admission));
    accepted(&scene, 10);
    let before = scene.ledger.with(&scene.connection.id, |books| books.records.clone());
    assert_eq!(release(&scene), 0);
    assert_eq!(scene.ledger.with(&scene.connection.id, |books| books.records.clone()), before);
    assert_eq!((queued(&scene), scene.script.count("store.read")), (vec![], 0));
}

#[test]
fn who_decides_on_a_held_order_while_it_is_released_is_not_overruled() {
    for during in ["ledger.open", "store.read", "ledger.save"] {
        let scene = std::sync::Arc::new(unmapped(&[7]));
        cure(&scene);
        let (other, cause) = (scene.clone(), Cause::ByPerson("wait".into()));
        let hold = Admission::Hold(cause.clone(), scene.seconds_from_now(3600));
        scene.script.meanwhile(during, move || drop(other.step(7, Step::Admit(hold, None))));
        assert_eq!(release(&scene), 0, "during {during}");
        assert_eq!((scene.stage(7), queued(&scene)), (Stage::Held(cause), vec![]), "during {during}");
    }
}

#[test]
fn an_order_whose_body_has_expired_is_released_as_well() {
    for by_sweep in [false, true] {
        let scene = unmapped(&[7]);
        scene.ledger.with(&scene.connection.id, |books| books.bodies.clear());
        if by_sweep {
            sweep_after(&scene, DAY);
            assert!(matches!(scene.stage(7), Stage::Held(Cause::Unmapped(_))));
            scene.ledger.with(&scene.connection.id, |books| books.bodies.clear());
        }
        cure(&scene);
        if by_sweep {
            sweep_after(&scene, DAY);
        } else {
            assert_eq!(release(&scene), 1);
        }
        assert_eq!(queued(&scene), [forward(&scene, 7)], "by a sweep: {by_sweep}");
    }
}

#[test]
fn an_order_that_cannot_be_read_keeps_no_other_from_being_released() {
    let scene = unmapped(&[6, 7, 8]);
    scene.store.fail(7);
    cure(&scene);
    assert!(run(sweeper(&scene).release(&scene.connection)).is_err(), "and the failure is told");
    assert_eq!(queued(&scene), [forward(&scene, 6), forward(&scene, 8)]);
    scene.ledger.assert_all_covered();
}

#[test]
fn an_order_that_was_taken_back_is_cancelled_at_the_warehouse() {
    for status in [PaymentStatus::Refunded, PaymentStatus::Voided] {
        let scene = Scene::new(Class::U);
        accepted(&scene, 7);
        sweep_after(&scene, DAY);
        assert_eq!((scene.stage(7), scene.warehouse.live("main-7")), (Stage::Accepted, 1));
        scene.store.pay(7, status);
        sweep_after(&scene, DAY);
        assert_eq!((scene.stage(7), scene.warehouse.live("main-7")), (Stage::Cancelled, 0));
    }
}

#[test]
fn a_cancellation_whose_answer_was_lost_is_finished_without_the_store() {
    for fate in [Fate::LosesAnswer, Fate::Fails(None), Fate::Hangs, Fate::HappensAndHangs] {
        let scene = Scene::new(Class::U);
        accepted(&scene, 7);
        scene.store.pay(7, PaymentStatus::Refunded);
        scene.script.next("warehouse.cancel", [fate]);
        scene.pass(DAY);
        drop(until_stuck(sweep(&scene)));
        scene.ledger.assert_all_covered();
        assert_eq!(scene.stage(7), Stage::Accepted, "{fate:?}: nobody knows yet");
        scene.store.lose(7);
        let days = u64::from(scene.connection.policies.watch_days);
        sweep_after(&scene, Duration::from_secs(86_400 * days));
        assert_eq!((scene.stage(7), scene.warehouse.live("main-7")), (Stage::Cancelled, 0), "{fate:?}");
        assert_eq!(scene.script.count("store.read"), 1, "{fate:?}: the store is not asked again");
    }
}

#[test]
fn a_package_that_left_before_its_order_was_cancelled_is_posted_all_the_same() {
    let scene = Scene::new(Class::U);
    accepted(&scene, 7);
    let part = domain::shipment::Package { contents: Contents::Part, ..build::package("P-1") };
    scene.step(7, Step::Ship(part));
    scene.step(7, Step::Recall("refunded".into()));
    sweep_after(&scene, DAY);
    assert_eq!(scene.stage(7), Stage::Cancelled);
    assert_eq!(scene.shipments.waiting(), [Message::post(&scene.key(7))]);
}

#[test]
fn an_order_that_cannot_be_cancelled_any_more_is_shown_to_a_person() {
    for cannot in [false, true] {
        let scene = Scene::new(Class::U);
        accepted(&scene, 7);
        scene.store.pay(7, PaymentStatus::Refunded);
        if cannot {
            scene.warehouse.cannot_cancel();
        } else {
            scene.warehouse.too_late("it is packed");
        }
        sweep_after(&scene, DAY);
        let Stage::Held(Cause::NotCancelled(why)) = scene.stage(7) else { panic!("{:?}", scene.stage(7)) };
        assert!(why.contains(if cannot { "cannot cancel" } else { "packed" }), "{why}");
        assert_eq!(scene.warehouse.live("main-7"), 1);
    }
}

#[test]
fn an_order_that_was_changed_after_it_was_sent_is_shown_to_a_person() {
    let scene = Scene::new(Class::U);
    accepted(&scene, 7);
    scene.store.change(7, |order| order.comments = "thank you".into());
    sweep_after(&scene, DAY);
    assert_eq!(scene.stage(7), Stage::Accepted, "a remark changes nothing that the warehouse acts on");
    scene.store.change(7, |order| order.ship_to.as_mut().unwrap().line1 = "7 New Road".into());
    sweep_after(&scene, DAY);
    assert_eq!(scene.stage(7), Stage::Held(Cause::ChangedAfterSending));
    sweep_after(&scene, DAY * 2);
    assert_eq!(queued(&scene), [], "it is never sent again by itself");
    assert_eq!(scene.warehouse.orders().len(), 1);
}

#[test]
fn an_order_is_watched_for_its_days_and_then_only_its_tracking() {
    let scene = Scene::new(Class::U);
    accepted(&scene, 7);
    sweep_often(&scene, 13, DAY);
    let read = scene.script.count("store.read");
    assert!(read >= 12, "{read}");
    sweep_often(&scene, 10, DAY);
    assert!(scene.script.count("store.read") <= read + 1, "its watch is over");
    assert_eq!(scene.stage(7), Stage::Accepted);
}

#[test]
fn the_watch_over_an_order_ends_to_the_second() {
    for (early, reads) in [(1, 1), (0, 0)] {
        let scene = Scene::new(Class::U);
        accepted(&scene, 7);
        let days = Duration::from_secs(86_400 * u64::from(scene.connection.policies.watch_days));
        sweep_after(&scene, days - Duration::from_secs(early));
        assert_eq!(scene.script.count("store.read"), reads, "{early} s before its end");
        assert!(!dates(&scene, 7).is_empty(), "its tracking is still waited for");
    }
}
