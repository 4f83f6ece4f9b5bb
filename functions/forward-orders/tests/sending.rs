//! One order is one warehouse order, whatever the warehouse answers and whoever dies on the way.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{EVERY_CLASS, forwarder, settle};
use domain::OrderId;
use domain::admission::Admission;
use domain::life::{Stamp, Step};
use domain::payment::PaymentStatus;
use domain::policy::{UnknownMethod, UnknownSku};
use domain::ports::Ledger;
use domain::record::{Cause, Exclusion, Stage};
use testkit::build;
use testkit::model::{Class, Fate, Scene};
use testkit::run::{run, until_stuck};

#[test]
fn a_ready_order_is_sent_with_the_words_of_the_warehouse() {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    let record = scene.record(7);
    assert_eq!(record.stage, Stage::Accepted);
    assert_eq!((record.attempts, record.units, record.mapping), (1, 3, 1));
    let there = scene.warehouse.orders();
    assert_eq!(there.len(), 1);
    assert_eq!(record.warehouse_order.as_ref(), Some(&there[0].id));
    let request = &there[0].request;
    assert_eq!(request.reference.as_str(), "main-7");
    assert_eq!(request.service.as_str(), "USPS-PM");
    let lines: Vec<(&str, u32)> = request.lines.iter().map(|l| (l.sku.as_str(), l.quantity)).collect();
    assert_eq!(lines, [("WH-1001", 2), ("WH-2001", 1)]);
    scene.ledger.assert_all_covered();
}

#[test]
fn an_order_that_is_not_to_be_sent_is_left_alone() {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    let record = scene.record(7);
    for count in 1..5 {
        run(forwarder(&scene).forward(&key, count)).unwrap();
    }
    run(forwarder(&scene).forward(&scene.key(8), 1)).unwrap();
    assert_eq!(scene.record(7), record, "an accepted order is not touched by its message");
    assert_eq!(scene.warehouse.orders().len(), 1);
}

#[test]
fn a_disabled_connection_sends_nothing() {
    let mut scene = Scene::new(Class::U);
    let key = scene.ready(7);
    scene.reconnect(|connection| connection.enabled = false);
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    assert_eq!(scene.warehouse.orders(), []);
    assert!(matches!(scene.stage(7), Stage::Ready { .. }));
}

#[test]
fn two_deliveries_at_the_same_moment_send_once() {
    for class in EVERY_CLASS {
        let scene = Scene::interleaved(class);
        let key = scene.ready(7);
        let (one, two) = (forwarder(&scene), forwarder(&scene));
        let both = async { futures_util::join!(one.forward(&key, 1), two.forward(&key, 1)) };
        let (first, second) = run(both);
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(scene.script.count("warehouse.create"), 1, "{class:?}: the claim has one winner");
        assert_eq!(scene.stage(7), Stage::Accepted);
    }
}

#[test]
fn all_gaps_of_an_order_are_held_at_once() {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    scene.remap(|mapping| {
        mapping.listings.clear();
        mapping.rules.clear();
    });
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    let Stage::Held(Cause::Unmapped(gaps)) = scene.stage(7) else { panic!("{:?}", scene.stage(7)) };
    assert_eq!(gaps.len(), 3, "two SKUs and the method: {gaps:?}");
    assert_eq!(scene.warehouse.orders(), []);
    scene.ledger.assert_all_covered();
}

#[test]
fn an_order_without_anything_to_ship_is_excluded() {
    let mut scene = Scene::new(Class::U);
    scene.reconnect(|c| c.policies.unknown_sku = UnknownSku::Drop);
    let key = scene.ready(7);
    scene.remap(|mapping| mapping.listings.clear());
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    assert_eq!(scene.stage(7), Stage::Excluded(Exclusion::Digital));
    assert_eq!(scene.warehouse.orders(), []);
}

#[test]
fn a_policy_sends_what_has_no_listing_and_no_rule() {
    let mut scene = Scene::new(Class::U);
    let service = domain::mapping::Service::parse("ANY").unwrap();
    scene.reconnect(|c| {
        c.policies.unknown_sku = UnknownSku::Pass;
        c.policies.unknown_method = UnknownMethod::Use(service);
    });
    let key = scene.ready(7);
    scene.remap(|mapping| {
        mapping.listings.clear();
        mapping.rules.clear();
    });
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    let there = scene.warehouse.orders();
    assert_eq!(there[0].request.lines[0].sku.as_str(), "TEA-GRN-100");
    assert_eq!(there[0].request.service.as_str(), "ANY");
}

#[test]
fn what_is_too_long_for_the_warehouse_is_held_and_never_cut() {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    let limits = domain::warehouse::Limits { reference: 60, name: 60, street: 5, place: 40, sku: 40 };
    scene.warehouse.limits(limits);
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    let Stage::Held(Cause::TooLong(fields)) = scene.stage(7) else { panic!("{:?}", scene.stage(7)) };
    assert_eq!(fields.len(), 2, "both street lines: {fields:?}");
    assert_eq!(scene.warehouse.orders(), []);
}

#[test]
fn a_body_that_has_expired_is_read_from_the_store() {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    scene.ledger.with(&key.connection, |books| books.bodies.clear());
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    assert_eq!(scene.stage(7), Stage::Accepted);
    assert_eq!(scene.warehouse.live("main-7"), 1);
    assert!(scene.ledger.with(&key.connection, |books| books.bodies.contains_key(&OrderId(7))));
}

#[test]
fn an_expired_order_that_the_store_has_lost_is_not_sent() {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    scene.ledger.with(&key.connection, |books| books.bodies.clear());
    scene.store.lose(7);
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    assert_eq!(scene.stage(7), Stage::Held(Cause::Vanished));
    assert_eq!(scene.warehouse.orders(), []);
    scene.ledger.assert_all_covered();
}

#[test]
fn an_expired_order_that_was_refunded_meanwhile_is_not_sent() {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    scene.ledger.with(&key.connection, |books| books.bodies.clear());
    scene.store.pay(7, PaymentStatus::Refunded);
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    assert_eq!(scene.stage(7), Stage::Cancelled);
    assert_eq!(scene.warehouse.orders(), []);
}

#[test]
fn a_process_that_was_frozen_after_its_claim_does_not_send() {
    let scene = Scene::new(Class::N);
    let key = scene.ready(7);
    // The clock jumps while the claim is being written: the process was frozen there.
    let (clock, long) = (scene.clock.clone(), scene.pace.send_within * 2);
    scene.script.meanwhile("ledger.save", move || clock.advance(long));
    let forwarded = run(forwarder(&scene).forward(&key, 1));
    assert!(forwarded.is_err(), "the message comes again");
    assert_eq!(scene.script.count("warehouse.create"), 0);
    assert_eq!(scene.warehouse.orders(), []);
    let Stage::Ready { not_before: Some(start) } = scene.stage(7) else { panic!("{:?}", scene.stage(7)) };
    scene.pass(start.duration_since(domain::ports::Clock::now(scene.clock.as_ref())).unsigned_abs());
    run(forwarder(&scene).forward(&key, 2)).unwrap();
    assert_eq!(scene.warehouse.live("main-7"), 1);
}

#[test]
fn a_process_that_was_held_up_for_no_longer_than_it_may_sends() {
    let scene = Scene::new(Class::N);
    let key = scene.ready(7);
    let just_enough = scene.pace.send_within - Duration::from_millis(1);
    let clock = scene.clock.clone();
    scene.script.meanwhile("ledger.save", move || clock.advance(just_enough));
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    assert_eq!((scene.stage(7), scene.warehouse.live("main-7")), (Stage::Accepted, 1));
}

#[test]
fn an_expired_order_that_another_has_put_off_meanwhile_is_not_sent_before_its_time() {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    scene.ledger.with(&key.connection, |books| books.bodies.clear());
    scene.pass(scene.pace.grace);
    let (ledger, ours, now) = (scene.ledger.clone(), scene.record(7), scene.seconds_from_now(0));
    let later = scene.seconds_from_now(900);
    scene.script.meanwhile("store.read", move || {
        let claim = Step::Claim { until: later, units: 3, mapping: 1, digest: None };
        let stamp = Stamp { at: now, ..build::stamp(99) };
        let claimed = ours.step(claim, stamp).unwrap();
        let why = "answered 429".to_owned();
        let release = Step::Release { attempt: stamp.token, not_before: later, why };
        let released = claimed.step(release, stamp).unwrap();
        run(ledger.save(&ours, &released)).unwrap();
    });
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    assert_eq!(scene.stage(7), Stage::Ready { not_before: Some(later) });
    assert_eq!(scene.script.count("warehouse.create"), 0);
}

/// Order 7, that goes to another street since it was imported; the ledger has it as it is now.
fn moved_before_it_was_sent() -> (Scene, domain::OrderKey, domain::order::Order) {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    let mut moved = build::order(7);
    moved.ship_to.as_mut().unwrap().line1 = "7 New Road".into();
    scene.ledger.with(&key.connection, |books| books.bodies.get_mut(&key.order).unwrap().0 = moved.clone());
    (scene, key, moved)
}

fn read_again(scene: &Scene, order: domain::order::Order) -> Stage {
    let intake = domain::intake::Intake {
        ledger: scene.ledger.as_ref(),
        clock: scene.clock.as_ref(),
        dice: scene.dice.as_ref(),
        by: "test",
    };
    let read = domain::ports::Read::Order(Box::new(order));
    run(intake.reconsider(&scene.connection, scene.record(7), &read, scene.partners.as_ref())).unwrap();
    scene.stage(7)
}

#[test]
fn what_is_sent_is_what_the_store_is_compared_with_afterwards() {
    let (scene, key, moved) = moved_before_it_was_sent();
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    assert_eq!(scene.record(7).digest, Some(moved.digest()));
    assert_eq!(read_again(&scene, moved), Stage::Accepted, "it was changed before it was sent");
    assert_eq!(read_again(&scene, build::order(7)), Stage::Held(Cause::ChangedAfterSending));

    let (scene, key, moved) = moved_before_it_was_sent();
    scene.warehouse.refuses(Some("no such street"));
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    let refused = Stage::Held(Cause::Refused("no such street".into()));
    assert_eq!((scene.stage(7), read_again(&scene, moved)), (refused.clone(), refused));
    let ready = Stage::Ready { not_before: None };
    assert_eq!(read_again(&scene, build::order(7)), ready, "it is another one than the refused one");
}

#[test]
fn what_may_have_arrived_is_what_the_store_is_compared_with_until_it_is_known() {
    let scene = Scene::new(Class::K);
    let key = scene.ready(7);
    scene.script.next("warehouse.create", [Fate::LosesAnswer]);
    drop(run(forwarder(&scene).forward(&key, 1)));
    let sent = scene.record(7).digest;
    let mut moved = build::order(7);
    moved.ship_to.as_mut().unwrap().line1 = "7 New Road".into();
    scene.ledger.with(&key.connection, |books| books.bodies.get_mut(&key.order).unwrap().0 = moved.clone());
    settle(&scene);
    assert_eq!((scene.stage(7), scene.record(7).digest), (Stage::Accepted, sent));
    assert_eq!(read_again(&scene, moved), Stage::Held(Cause::ChangedAfterSending));
}

#[test]
fn nothing_is_sent_before_its_time() {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    scene.script.next("warehouse.create", [Fate::Fails(Some(std::time::Duration::from_secs(90)))]);
    assert!(run(forwarder(&scene).forward(&key, 1)).is_err());
    scene.pass(std::time::Duration::from_secs(60));
    run(forwarder(&scene).forward(&key, 2)).unwrap();
    assert_eq!(scene.warehouse.orders(), [], "they asked for 90 seconds");
    scene.pass(std::time::Duration::from_secs(31));
    run(forwarder(&scene).forward(&key, 3)).unwrap();
    assert_eq!(scene.warehouse.live("main-7"), 1);
}

#[test]
fn the_queue_repeats_the_first_failures_and_the_ledger_the_others() {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    scene.script.always("warehouse.create", Fate::Fails(None));
    let mut waits = Vec::new();
    for count in 1..=4 {
        let before = domain::ports::Clock::now(scene.clock.as_ref());
        let forwarded = run(forwarder(&scene).forward(&key, count));
        let Stage::Ready { not_before: Some(start) } = scene.stage(7) else { panic!() };
        let wait = start.duration_since(before).unsigned_abs();
        match forwarded {
            Err(failure) => {
                assert!(count < 3, "delivery {count}");
                assert_eq!(failure.wait(), Some(wait), "not before the ledger allows it");
            }
            Ok(()) => assert!(count >= 3, "delivery {count}"),
        }
        let dates: Vec<_> =
            scene.ledger.with(&key.connection, |books| books.dates.keys().copied().collect::<Vec<_>>());
        assert!(dates.contains(&start), "the ledger has somebody look when it may be sent again");
        waits.push(wait);
        scene.pass(wait);
    }
    assert!(waits.is_sorted() && waits[0] < waits[3], "longer and longer: {waits:?}");
    assert_eq!(scene.record(7).attempts, 4);
}

#[test]
fn an_attempt_that_dies_anywhere_leads_to_one_order_or_to_a_person() {
    for class in EVERY_CLASS {
        for fate in [Fate::Hangs, Fate::HappensAndHangs, Fate::Fails(None), Fate::LosesAnswer] {
            for n in 0.. {
                if !dies_and_recovers(class, fate, n) {
                    break;
                }
            }
        }
    }
}

/// Lets the `n`-th effect of a first attempt meet its fate, and others try until the order rests. False: there is no
/// such effect.
fn dies_and_recovers(class: Class, fate: Fate, n: usize) -> bool {
    let scene = Scene::new(class);
    let key = scene.ready(7);
    scene.script.nth(n, fate);
    drop(until_stuck(forwarder(&scene).forward(&key, 1)));
    let reached = scene.script.total() > n;
    scene.script.heal();
    scene.ledger.assert_all_covered();
    for _ in 0..6 {
        scene.pass_lease();
        scene.pass(common::LAG);
        let done = run(forwarder(&scene).forward(&key, 4));
        assert!(done.is_ok(), "{class:?}, effect {n} {fate:?}: {done:?}");
    }
    let (there, stage) = (scene.warehouse.live("main-7"), scene.stage(7));
    match stage {
        Stage::Accepted => assert_eq!(there, 1, "{class:?}, effect {n} {fate:?}"),
        Stage::Held(Cause::InDoubt) => {
            assert!(class == Class::N && there <= 1, "{class:?}, effect {n} {fate:?}");
        }
        other => panic!("{class:?}, effect {n} {fate:?}: {other:?}"),
    }
    scene.ledger.assert_all_covered();
    reached
}

#[test]
fn an_answer_that_comes_when_its_order_was_sent_anew_settles_nothing() {
    let scene = std::sync::Arc::new(Scene::new(Class::U));
    let key = scene.ready(7);
    let others = scene.clone();
    scene.script.meanwhile("warehouse.create", move || {
        others.step(7, Step::Accept { id: "W-1".parse().unwrap(), how: ", found there" });
        others.step(7, Step::Replace);
        others.step(7, Step::Replaced(Admission::Ready, None));
        let until = others.seconds_from_now(480);
        let claimed = others.step(7, Step::Claim { until, units: 3, mapping: 1, digest: None });
        let Stage::Sending(claim) = claimed.stage else { panic!("{claimed:?}") };
        others.step(7, Step::Doubt { attempt: claim.token, ask_at: until, why: "no answer".into() });
    });
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    let record = scene.record(7);
    assert!(
        matches!(record.stage, Stage::InDoubt { .. }),
        "the second one is still to be asked about: {record:?}"
    );
    assert_eq!((record.revision, record.warehouse_order), (1, None));
}
