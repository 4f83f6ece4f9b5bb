//! A known order is decided anew only while the warehouse cannot have it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::admission::Admission;
use domain::intake::Intake;
use domain::life::{Step, later};
use domain::message::Message;
use domain::payment::PaymentStatus;
use domain::ports::{Clock, Read};
use domain::reconsider::Looked;
use domain::record::{Cause, Exclusion, Record, Stage, Wait};
use domain::{Failure, WarehouseOrderId};
use testkit::build;
use testkit::model::{Class, Fate, Scene};
use testkit::run::run;

fn look(scene: &Scene, read: &Read) -> Result<Looked, Failure> {
    let intake = Intake {
        ledger: scene.ledger.as_ref(),
        clock: scene.clock.as_ref(),
        dice: scene.dice.as_ref(),
        by: "test",
    };
    let looked = run(intake.reconsider(&scene.connection, scene.record(7), read, scene.partners.as_ref()));
    scene.ledger.assert_all_covered();
    looked
}

fn read(payment: PaymentStatus) -> Read {
    Read::Order(Box::new(domain::order::Order { payment, ..build::order(7) }))
}

/// A scene with order 7 as it was decided, an hour ago.
fn decided(admission: &Admission) -> Scene {
    let scene = Scene::new(Class::U);
    let mut record: Record = build::record(&scene.key(7), admission, 7);
    record.wake = Some(later(scene.clock.now(), scene.pace.grace));
    scene.keep(&record);
    scene.pass(std::time::Duration::from_secs(3600));
    scene
}

fn hold(cause: Cause) -> Admission {
    Admission::Hold(cause, build::noon())
}

fn waiting() -> Admission {
    Admission::Wait(Wait::Unpaid("pending".into()), build::noon())
}

#[test]
fn what_may_still_change_its_mind_is_decided_by_what_is_read_now() {
    let paid = PaymentStatus::Accepted;
    for (was, payment, stage) in [
        (waiting(), paid.clone(), "ready"),
        (waiting(), PaymentStatus::Pending, "waiting"),
        (waiting(), PaymentStatus::Declined, "excluded"),
        (Admission::Ready, PaymentStatus::Pending, "waiting"),
        (Admission::Ready, PaymentStatus::Refunded, "cancelled"),
        (Admission::Exclude(Exclusion::NotPaid("declined".into())), paid.clone(), "ready"),
        (hold(Cause::Vanished), paid.clone(), "ready"),
        (hold(Cause::Unreadable("line 3".into())), paid.clone(), "ready"),
        (hold(Cause::Refused("no".into())), paid.clone(), "held"),
        (hold(Cause::ByPerson("wait".into())), paid.clone(), "held"),
        (hold(Cause::Refused("no".into())), PaymentStatus::Refunded, "excluded"),
        (hold(Cause::Unmapped(Vec::new())), paid, "held"),
    ] {
        let scene = decided(&was);
        let looked = look(&scene, &read(payment.clone())).unwrap();
        assert_eq!(looked.record.stage.word(), stage, "{was:?} read as {payment:?}");
        assert_eq!(scene.stage(7).word(), stage, "{was:?} read as {payment:?}");
        let push = (stage == "ready").then(|| Message::forward(&scene.key(7)));
        assert_eq!(looked.push, push, "{was:?} read as {payment:?}");
    }
}

#[test]
fn what_cannot_be_read_any_more_is_held() {
    for (now, word) in
        [(Read::Absent, "vanished"), (Read::Unreadable { order: None, why: "line 3".into() }, "unreadable")]
    {
        let scene = decided(&Admission::Ready);
        let Stage::Held(cause) = look(&scene, &now).unwrap().record.stage else { panic!("{now:?}") };
        assert_eq!(cause.word(), word);
    }
}

#[test]
fn a_changed_body_takes_the_place_of_the_old_one() {
    let scene = decided(&hold(Cause::Refused("no".into())));
    let mut changed = build::order(7);
    changed.lines.truncate(1);
    let looked = look(&scene, &Read::Order(Box::new(changed.clone()))).unwrap();
    assert_eq!(looked.record.stage, Stage::Ready { not_before: None });
    assert_eq!(looked.record.digest, Some(changed.digest()));
    let body = scene.ledger.with(&scene.connection.id, |books| books.bodies[&changed.id].0.clone());
    assert_eq!(body, changed);
}

#[test]
fn an_order_that_still_waits_is_kept_as_the_store_has_it_now() {
    let pending = domain::order::Order { payment: PaymentStatus::Pending, ..build::order(7) };
    let mut moved = pending.clone();
    moved.ship_to.as_mut().unwrap().line1 = "7 New Road".into();
    for (now, writes) in [(pending, 0), (moved, 1)] {
        let scene = decided(&waiting());
        look(&scene, &Read::Order(Box::new(now.clone()))).unwrap();
        assert_eq!(scene.script.count("ledger.revise"), writes);
        let body = scene.ledger.with(&scene.connection.id, |books| books.bodies[&now.id].0.clone());
        assert_eq!(body.ship_to, now.ship_to);
    }
}

#[test]
fn a_body_is_kept_for_the_days_that_the_connection_allows() {
    let mut scene = decided(&waiting());
    scene.reconnect(|connection| connection.policies.retention_days = 40);
    look(&scene, &read(PaymentStatus::Accepted)).unwrap();
    let end = scene.ledger.with(&scene.connection.id, |books| books.bodies[&domain::OrderId(7)].1);
    assert_eq!(end, scene.seconds_from_now(40 * 86_400));
}

#[test]
fn an_order_whose_date_has_come_gets_a_new_one() {
    let scene = Scene::new(Class::U);
    let mut record: Record = build::record(&scene.key(7), &waiting(), 7);
    record.wake = Some(scene.seconds_from_now(3600));
    scene.keep(&record);
    scene.pass(std::time::Duration::from_secs(3599));
    let early = look(&scene, &read(PaymentStatus::Pending)).unwrap();
    assert_eq!(early.record, record, "its date is still to come");
    scene.pass(std::time::Duration::from_secs(1));
    let looked = look(&scene, &read(PaymentStatus::Pending)).unwrap();
    assert!(looked.record.wake > Some(scene.clock.now()));
}

/// A scene whose order 7 the warehouse may have.
fn sent(step: Option<Step>) -> Scene {
    let scene = decided(&Admission::Ready);
    let until = scene.seconds_from_now(480);
    scene.step(7, Step::Claim { until, units: 3, mapping: 1, digest: None });
    if let Some(step) = step {
        scene.step(7, step);
    }
    scene
}

fn accept() -> Step {
    Step::Accept { id: WarehouseOrderId::parse("W-1").unwrap(), how: "" }
}

#[test]
fn what_the_warehouse_may_have_is_never_decided_anew() {
    let doubt = |scene: &Scene| Step::Doubt {
        attempt: scene.record(7).written,
        ask_at: scene.seconds_from_now(60),
        why: "time-out".into(),
    };
    let sending = sent(None);
    let in_doubt = sent(None);
    in_doubt.step(7, doubt(&in_doubt));
    let given_up = sent(None);
    given_up.step(7, doubt(&given_up));
    given_up.step(7, Step::GiveUp);
    for scene in [sending, in_doubt, given_up] {
        let before = scene.record(7);
        let mut changed = build::order(7);
        changed.lines.truncate(1);
        let changed = Read::Order(Box::new(changed));
        for read in [read(PaymentStatus::Accepted), read(PaymentStatus::Refunded), Read::Absent, changed] {
            let looked = look(&scene, &read).unwrap();
            assert_eq!((looked.record, looked.push), (before.clone(), None), "{read:?}");
        }
    }
}

#[test]
fn an_accepted_order_is_left_alone_while_nothing_has_changed() {
    let scene = sent(Some(accept()));
    let before = scene.record(7);
    look(&scene, &read(PaymentStatus::Accepted)).unwrap();
    look(&scene, &Read::Absent).unwrap();
    assert_eq!(scene.record(7), before);
}

#[test]
fn the_wish_to_cancel_is_written_before_the_warehouse_is_asked() {
    let scene = sent(Some(accept()));
    let before = scene.record(7);
    scene.script.next("ledger.save", [Fate::Fails(None)]);
    assert!(look(&scene, &read(PaymentStatus::Refunded)).is_err());
    assert_eq!((scene.record(7), scene.script.count("warehouse.cancel")), (before, 0));
    scene.script.next("warehouse.cancel", [Fate::Fails(None)]);
    assert!(look(&scene, &read(PaymentStatus::Refunded)).is_err());
    let wish = scene.record(7);
    assert_eq!(
        (wish.stage.clone(), wish.recall.as_deref()),
        (Stage::Accepted, Some("refunded in the store"))
    );
    let soon = scene.seconds_from_now(30 * 60);
    assert!(wish.wake <= Some(soon), "somebody asks again soon, should this one die");
    // Whatever the store shows by then, and the wish is not written again.
    let looked = look(&scene, &read(PaymentStatus::Accepted)).unwrap().record;
    assert_eq!(looked.version, wish.version + 1);
    let Stage::Held(Cause::NotCancelled(_)) = looked.stage else { panic!("it has no such order") };
    assert_eq!(looked.recall, None, "it is a person's now");
}

#[test]
fn what_has_left_as_a_whole_is_not_cancelled_any_more_and_a_person_is_told() {
    let scene = sent(Some(accept()));
    scene.step(7, Step::Recall("refunded".into()));
    scene.step(7, Step::Ship(build::package("P-1")));
    let before = scene.record(7);
    let told = "it has left; the order is refunded".to_owned();
    assert_eq!(before.stage, Stage::Held(Cause::NotCancelled(told)));
    look(&scene, &read(PaymentStatus::Refunded)).unwrap();
    assert_eq!((scene.record(7), scene.script.count("warehouse.cancel")), (before, 0));
}

#[test]
fn a_wish_to_cancel_is_written_by_one_and_asked_for_by_both() {
    let scene = std::sync::Arc::new(sent(Some(accept())));
    let other = scene.clone();
    scene.script.meanwhile("ledger.save", move || drop(other.step(7, Step::Recall("refunded".into()))));
    let looked = look(&scene, &read(PaymentStatus::Refunded)).unwrap();
    assert!(matches!(looked.record.stage, Stage::Held(Cause::NotCancelled(_))), "{:?}", looked.record);
}

#[test]
fn an_order_that_changed_and_was_taken_back_is_not_called_changed() {
    let scene = std::sync::Arc::new(sent(Some(accept())));
    let mut order = domain::order::Order { payment: PaymentStatus::Refunded, ..build::order(7) };
    order.lines.truncate(1);
    let other = scene.clone();
    let part =
        domain::shipment::Package { contents: domain::shipment::Contents::Part, ..build::package("P-1") };
    scene.script.meanwhile("ledger.save", move || drop(other.step(7, Step::Ship(part))));
    let looked = look(&scene, &Read::Order(Box::new(order.clone()))).unwrap();
    assert_eq!(looked.record.stage, Stage::PartlyShipped, "who lost the race leaves it to the next look");
    let looked = look(&scene, &Read::Order(Box::new(order))).unwrap();
    assert!(matches!(looked.record.stage, Stage::Held(Cause::NotCancelled(_))), "{:?}", looked.record);
}

#[test]
fn who_loses_the_race_leaves_it_to_the_winner() {
    let scene = std::sync::Arc::new(decided(&waiting()));
    let other = scene.clone();
    scene.script.meanwhile("ledger.save", move || drop(other.step(7, Step::Cancel("by a person".into()))));
    let looked = look(&scene, &read(PaymentStatus::Accepted)).unwrap();
    assert_eq!((looked.record.stage, looked.push), (Stage::Cancelled, None));
    assert_eq!(scene.stage(7), Stage::Cancelled);
}

#[test]
fn an_order_placed_in_the_moment_in_which_the_ledger_begins_is_its_own() {
    let since = build::noon();
    let history = domain::connection::History::Known { since };
    let connection = domain::connection::Connection { history, ..build::connection("main") };
    let placed = |seconds: i64| {
        let at = since.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        let order = domain::order::Order { ordered_at: Some(at), ..build::order(7) };
        domain::intake::admit(&connection, &Read::Order(Box::new(order)), since)
    };
    assert_eq!((placed(-1), placed(0)), (Admission::AskFirst(since), Admission::Ready));
}
