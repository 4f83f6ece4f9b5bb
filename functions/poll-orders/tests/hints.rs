//! The store's notifications are followed at once, and only what READ returns is believed.

mod common;

use common::{WRITES, known, poll, poller, queued};
use domain::admission::Admission;
use domain::life::Step;
use domain::payment::PaymentStatus;
use domain::record::{Cause, Stage, Wait};
use testkit::build;
use testkit::model::{Class, Fate, Scene};
use testkit::run::run;

fn scene() -> Scene {
    let scene = Scene::new(Class::U);
    scene.store.place(build::order(7));
    scene.store.token("tok", 7);
    scene
}

fn follow(scene: &Scene, token: &str) {
    assert!(run(poller(scene).follow(&scene.connection.id, token)).is_ok());
}

#[test]
fn a_hint_brings_its_order_in_at_once() {
    let scene = scene();
    scene.store.place(build::order(8));
    follow(&scene, "tok");
    assert_eq!((known(&scene), queued(&scene)), (vec![7], vec![7]));
    scene.ledger.assert_all_covered();
    assert_eq!(run(poll(&scene)).unwrap().imported, 2, "the poll comes across it too");
    assert_eq!(scene.record(7).version, 1, "and leaves it alone");
}

#[test]
fn an_unknown_token_and_a_disabled_connection_change_nothing() {
    let mut scene = scene();
    follow(&scene, "nonsense");
    follow(&scene, "99");
    scene.reconnect(|connection| connection.enabled = false);
    follow(&scene, "tok");
    run(poller(&scene).follow(&"other".parse().unwrap(), "tok")).unwrap();
    assert_eq!(scene.script.count_all(&WRITES), 0);
    assert_eq!(known(&scene), Vec::<u64>::new());
}

#[test]
fn the_same_hint_twice_is_one_order() {
    let scene = scene();
    follow(&scene, "tok");
    let record = scene.record(7);
    follow(&scene, "tok");
    assert_eq!(scene.record(7), record);
    assert_eq!(queued(&scene), [7, 7], "its message may come twice");
}

#[test]
fn a_hint_releases_an_order_that_has_been_paid() {
    let scene = scene();
    scene.store.pay(7, PaymentStatus::Pending);
    follow(&scene, "tok");
    assert_eq!(scene.stage(7), Stage::Waiting(Wait::Unpaid("pending".into())));
    assert_eq!(queued(&scene), Vec::<u64>::new());
    scene.store.pay(7, PaymentStatus::Accepted);
    follow(&scene, "tok");
    assert_eq!((scene.stage(7), queued(&scene)), (Stage::Ready { not_before: None }, vec![7]));
}

#[test]
fn a_hint_revives_an_order_that_was_given_up_and_somebody_looks_at_it_again() {
    let scene = scene();
    scene.store.pay(7, PaymentStatus::Declined);
    follow(&scene, "tok");
    assert!(scene.record(7).is_finished());
    scene.pass(std::time::Duration::from_secs(40 * 86_400));
    scene.ledger.with(&scene.connection.id, |books| books.dates.clear());
    scene.store.pay(7, PaymentStatus::Accepted);
    follow(&scene, "tok");
    assert_eq!(scene.stage(7), Stage::Ready { not_before: None });
    scene.ledger.assert_all_covered();
}

#[test]
fn a_hint_that_an_order_was_refunded_cancels_it() {
    let scene = scene();
    follow(&scene, "tok");
    scene.store.pay(7, PaymentStatus::Refunded);
    follow(&scene, "tok");
    assert_eq!(scene.stage(7), Stage::Cancelled);
}

#[test]
fn an_order_that_cannot_be_read_is_held_for_its_hint() {
    let scene = scene();
    scene.store.garble(7);
    follow(&scene, "tok");
    let Stage::Held(Cause::Unreadable(_)) = scene.stage(7) else { panic!("{:?}", scene.stage(7)) };
    scene.store.mend(7);
    follow(&scene, "tok");
    assert_eq!((scene.stage(7), queued(&scene)), (Stage::Ready { not_before: None }, vec![7]));
}

#[test]
fn a_hint_that_fails_comes_again() {
    let scene = scene();
    for what in ["store.read", "ledger.insert", "queue.send"] {
        scene.script.next(what, [Fate::Fails(None)]);
        assert!(run(poller(&scene).follow(&scene.connection.id, "tok")).is_err(), "{what}");
    }
    follow(&scene, "tok");
    assert_eq!((known(&scene), queued(&scene)), (vec![7], vec![7]));
}

#[test]
fn a_hint_that_was_overtaken_does_not_bring_an_old_version_back() {
    let mut scene = scene();
    scene.reconnect(|connection| connection.policies.changed = domain::policy::Changed::Replace);
    follow(&scene, "tok");
    let until = scene.seconds_from_now(480);
    let sent = move |scene: &Scene, order: &domain::order::Order| {
        scene.step(7, Step::Claim { until, units: 3, mapping: 1, digest: Some(order.digest()) });
        scene.step(7, Step::Accept { id: "W-1".parse().unwrap(), how: "" });
    };
    sent(&scene, &build::order(7));
    let scene = std::sync::Arc::new(scene);
    let others = scene.clone();
    // Read by the hint before, changed in the store, and replaced by somebody else.
    scene.script.meanwhile("ledger.load", move || {
        others.store.change(7, |order| order.ship_to.as_mut().unwrap().line1 = "7 New Road".into());
        let mut changed = build::order(7);
        changed.ship_to.as_mut().unwrap().line1 = "7 New Road".into();
        others.step(7, Step::Replace);
        others.step(7, Step::Replaced(Admission::Ready, Some(changed.digest())));
        sent(&others, &changed);
    });
    follow(&scene, "tok");
    let record = scene.record(7);
    assert_eq!((record.stage, record.revision), (Stage::Accepted, 1));
    assert_eq!(scene.script.count("warehouse.cancel"), 0);
}
