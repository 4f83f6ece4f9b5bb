//! An order whose answer is lost is settled by what the warehouse gives us against duplicates.

mod common;

use std::time::Duration;

use common::{EVERY_CLASS, LAG, forwarder, settle};
use domain::OrderId;
use domain::intake::Intake;
use domain::life::Step;
use domain::ports::Clock;
use domain::record::{Cause, Stage};
use testkit::model::{Class, Fate, Scene};
use testkit::run::run;

/// What an order must come to: accepted with one warehouse order, or held with so many there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Accepted,
    Held(&'static str, usize),
}

fn end(scene: &Scene) -> End {
    let there = scene.warehouse.live("main-7");
    match scene.stage(7) {
        Stage::Accepted if there == 1 => End::Accepted,
        Stage::Held(cause) => End::Held(cause.word(), there),
        other => panic!("{other:?} with {there} orders at the warehouse"),
    }
}

/// Sends order 7 with the first request meeting `fate`, and lets everything come to rest.
fn sent_with(class: Class, fate: Fate) -> Scene {
    let scene = Scene::new(class);
    scene.ready(7);
    scene.script.next("warehouse.create", [fate]);
    settle(&scene);
    scene
}

#[test]
fn every_loss_ends_with_one_warehouse_order_or_with_a_person() {
    let (accepted, doubt) = (End::Accepted, |there| End::Held("in doubt", there));
    let late = Fate::Late(Duration::from_secs(5 * 60));
    for (fate, for_n) in [
        (Fate::Happens, accepted),
        (Fate::Fails(None), accepted),
        (Fate::LosesRequest, doubt(0)),
        (Fate::LosesAnswer, doubt(1)),
        (Fate::Hangs, doubt(0)),
        (Fate::HappensAndHangs, doubt(1)),
        (late, doubt(1)),
    ] {
        for class in EVERY_CLASS {
            let wanted = if class == Class::N { for_n } else { accepted };
            assert_eq!(end(&sent_with(class, fate)), wanted, "{class:?}, {fate:?}");
        }
    }
}

#[test]
fn a_refusal_is_held_with_its_reason_whatever_the_warehouse() {
    for class in EVERY_CLASS {
        let scene = Scene::new(class);
        let key = scene.ready(7);
        scene.warehouse.refuses(Some("SKU WH-1001 is discontinued"));
        run(forwarder(&scene).forward(&key, 1)).unwrap();
        let Stage::Held(Cause::Refused(reason)) = scene.stage(7) else { panic!("{class:?}") };
        assert!(reason.contains("discontinued"));
        settle(&scene);
        assert_eq!(end(&scene), End::Held("refused", 0), "{class:?}");
        assert_eq!(scene.script.count("warehouse.create"), 1, "{class:?}: a refused order is not repeated");
    }
}

#[test]
fn a_duplicate_is_believed_once_the_look_up_shows_it() {
    for (class, names, wanted) in [
        (Class::K, true, End::Accepted),
        (Class::K, false, End::Held("in doubt", 1)),
        (Class::U, true, End::Accepted),
        (Class::U, false, End::Accepted),
        (Class::L(LAG), true, End::Accepted),
        (Class::L(LAG), false, End::Accepted),
        (Class::N, true, End::Accepted),
        (Class::N, false, End::Held("in doubt", 1)),
    ] {
        let scene = common::with_a_lost_first_attempt(class);
        scene.warehouse.calls_duplicate(names);
        settle(&scene);
        assert_eq!(end(&scene), wanted, "{class:?}, named: {names}");
    }
}

#[test]
fn a_duplicate_that_the_look_up_does_not_show_is_never_taken_for_sent() {
    let scene = Scene::new(Class::U);
    scene.ready(7);
    scene.warehouse.calls_duplicate(true);
    settle(&scene);
    assert!(matches!(scene.stage(7), Stage::InDoubt { .. }), "{:?}", scene.stage(7));
    scene.ledger.assert_all_covered();
}

#[test]
fn a_duplicate_that_was_cancelled_there_is_held() {
    for class in [Class::U, Class::L(LAG)] {
        let scene = common::with_a_lost_first_attempt(class);
        scene.warehouse.calls_duplicate(true);
        scene.warehouse.cancel_there("main-7");
        settle(&scene);
        assert_eq!(end(&scene), End::Held("refused", 0), "{class:?}");
        assert_eq!(scene.warehouse.orders().len(), 1, "{class:?}: nothing new was created");
    }
}

#[test]
fn an_order_in_doubt_that_was_cancelled_there_is_held() {
    for class in [Class::U, Class::L(LAG)] {
        let scene = Scene::new(class);
        let key = scene.ready(7);
        scene.script.next("warehouse.create", [Fate::LosesAnswer]);
        drop(run(forwarder(&scene).forward(&key, 1)));
        scene.warehouse.cancel_there("main-7");
        settle(&scene);
        assert_eq!(end(&scene), End::Held("refused", 0), "{class:?}");
        assert_eq!(scene.warehouse.orders().len(), 1, "{class:?}: nothing new was created");
    }
}

#[test]
fn a_look_up_for_a_duplicate_that_never_answers_ends() {
    let scene = common::with_a_lost_first_attempt(Class::U);
    scene.script.next("warehouse.find", [Fate::Hangs]);
    settle(&scene);
    assert_eq!(end(&scene), End::Accepted);
}

#[test]
fn what_can_be_asked_is_not_asked_before_its_answer_can_be_trusted() {
    let scene = Scene::new(Class::L(LAG));
    let key = scene.ready(7);
    scene.script.next("warehouse.create", [Fate::LosesAnswer]);
    let sent_at = scene.clock.now();
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    let Stage::InDoubt { ask_at } = scene.stage(7) else { panic!("{:?}", scene.stage(7)) };
    assert_eq!(ask_at.duration_since(sent_at).unsigned_abs(), scene.pace.lease + LAG);
    scene.ledger.assert_all_covered();
    scene.pass(ask_at.duration_since(scene.clock.now()).unsigned_abs() - Duration::from_secs(1));
    run(forwarder(&scene).forward(&key, 2)).unwrap();
    assert_eq!(scene.script.count("warehouse.find"), 0, "too early");
    scene.pass(Duration::from_secs(1));
    run(forwarder(&scene).forward(&key, 3)).unwrap();
    assert_eq!(end(&scene), End::Accepted);
    assert_eq!(scene.script.count("warehouse.create"), 1);
}

#[test]
fn an_order_that_the_look_up_does_not_find_is_sent_again_once() {
    for class in [Class::U, Class::L(LAG)] {
        let scene = sent_with(class, Fate::LosesRequest);
        assert_eq!(end(&scene), End::Accepted);
        assert_eq!(scene.script.count("warehouse.create"), 2, "{class:?}");
        assert_eq!(scene.record(7).attempts, 2, "{class:?}");
    }
}

#[test]
fn an_order_that_may_be_sent_again_is_sent_in_the_same_breath() {
    for class in [Class::K, Class::U, Class::L(LAG)] {
        let scene = Scene::new(class);
        let key = scene.ready(7);
        scene.script.next("warehouse.create", [Fate::LosesRequest]);
        drop(run(forwarder(&scene).forward(&key, 1)));
        scene.pass_lease();
        scene.pass(LAG);
        run(forwarder(&scene).forward(&key, 2)).unwrap();
        assert_eq!(end(&scene), End::Accepted, "{class:?}");
    }
}

#[test]
fn a_look_up_that_fails_or_hangs_is_asked_again_later_and_nothing_is_sent() {
    for class in [Class::U, Class::L(LAG)] {
        for fate in [Fate::Fails(None), Fate::Hangs] {
            let scene = Scene::new(class);
            let key = scene.ready(7);
            scene.script.next("warehouse.create", [Fate::LosesAnswer]);
            drop(run(forwarder(&scene).forward(&key, 1)));
            scene.script.always("warehouse.find", fate);
            for _ in 0..5 {
                scene.pass_lease();
                scene.pass(LAG);
                let Stage::InDoubt { ask_at } = scene.stage(7) else { panic!("{:?}", scene.stage(7)) };
                run(forwarder(&scene).forward(&key, 4)).unwrap();
                let Stage::InDoubt { ask_at: later } = scene.stage(7) else { panic!() };
                assert!(later > ask_at && later > scene.clock.now());
                scene.ledger.assert_all_covered();
            }
            assert_eq!(scene.script.count("warehouse.create"), 1, "{class:?}");
            scene.script.heal();
            settle(&scene);
            assert_eq!(end(&scene), End::Accepted, "{class:?}");
        }
    }
}

#[test]
fn an_attempt_is_left_alone_while_its_lease_lives_and_taken_over_afterwards() {
    for class in EVERY_CLASS {
        let scene = Scene::new(class);
        let key = scene.ready(7);
        let until = domain::life::later(scene.clock.now(), scene.pace.lease);
        scene.step(7, Step::Claim { until, units: 3, mapping: 1, digest: None });
        let claimed = scene.record(7);
        scene.pass(scene.pace.lease - Duration::from_secs(1));
        run(forwarder(&scene).forward(&key, 1)).unwrap();
        assert_eq!(scene.record(7), claimed, "{class:?}: it may still be sending");
        settle(&scene);
        let wanted = if class == Class::N { End::Held("in doubt", 0) } else { End::Accepted };
        assert_eq!(end(&scene), wanted, "{class:?}");
    }
}

#[test]
fn an_attempt_that_died_is_asked_about_once_the_answer_can_be_trusted() {
    let scene = Scene::new(Class::L(LAG));
    let key = scene.ready(7);
    let until = domain::life::later(scene.clock.now(), scene.pace.lease);
    scene.step(7, Step::Claim { until, units: 3, mapping: 1, digest: None });
    scene.pass_lease();
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    let ask_at = domain::life::later(until, LAG);
    assert_eq!(scene.stage(7), Stage::InDoubt { ask_at }, "its request may be there and not shown yet");
    assert_eq!(scene.script.count("warehouse.find"), 0);
    scene.pass(LAG);
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    assert_eq!((scene.script.count("warehouse.find"), scene.warehouse.live("main-7")), (1, 1));
}

#[test]
fn who_loses_the_claim_does_not_send() {
    let scene = Scene::new(Class::N);
    let key = scene.ready(7);
    let (ledger, other) = (scene.ledger.clone(), scene.record(7));
    let until = scene.seconds_from_now(480);
    scene.script.meanwhile("ledger.save", move || {
        let claim = Step::Claim { until, units: 3, mapping: 1, digest: None };
        let theirs = other.step(claim, testkit::build::stamp(99)).unwrap();
        run(domain::ports::Ledger::save(ledger.as_ref(), &other, &theirs)).unwrap();
    });
    run(forwarder(&scene).forward(&key, 1)).unwrap();
    assert_eq!(scene.script.count("warehouse.create"), 0);
    assert!(matches!(scene.stage(7), Stage::Sending(claim) if claim.token == domain::Token(99)));
}

#[test]
fn a_notice_that_is_faster_than_the_answer_is_not_overwritten() {
    for class in EVERY_CLASS {
        let scene = Scene::new(class);
        let key = scene.ready(7);
        let (ledger, clock, dice) = (scene.ledger.clone(), scene.clock.clone(), scene.dice.clone());
        let (warehouse, connection) = (scene.warehouse.clone(), key.connection.clone());
        scene.script.meanwhile("warehouse.create", move || {
            let intake =
                Intake { ledger: ledger.as_ref(), clock: clock.as_ref(), dice: dice.as_ref(), by: "test" };
            let notice = warehouse.ship("main-7", "P-1", "1Z5");
            run(intake.arrive(&connection, &notice)).unwrap();
        });
        run(forwarder(&scene).forward(&key, 1)).unwrap();
        assert_eq!(scene.stage(7), Stage::Shipped, "{class:?}");
        assert_eq!(scene.record(7).packages.len(), 1, "{class:?}");
        settle(&scene);
        assert_eq!((scene.stage(7), scene.warehouse.live("main-7")), (Stage::Shipped, 1), "{class:?}");
    }
}

#[test]
fn a_notice_settles_an_order_in_doubt() {
    for class in EVERY_CLASS {
        let scene = Scene::new(class);
        let key = scene.ready(7);
        scene.script.next("warehouse.create", [Fate::LosesAnswer]);
        drop(run(forwarder(&scene).forward(&key, 1)));
        let notice = scene.warehouse.ship("main-7", "P-1", "1Z5");
        let intake = Intake {
            ledger: scene.ledger.as_ref(),
            clock: scene.clock.as_ref(),
            dice: scene.dice.as_ref(),
            by: "test",
        };
        run(intake.arrive(&key.connection, &notice)).unwrap();
        settle(&scene);
        assert_eq!((scene.stage(7), scene.warehouse.live("main-7")), (Stage::Shipped, 1), "{class:?}");
        assert_eq!(scene.key(7).order, OrderId(7));
    }
}

#[test]
fn an_attempt_that_may_have_landed_stays_in_doubt_until_another_one_has_an_answer() {
    for class in [Class::K, Class::U] {
        let scene = Scene::new(class);
        let key = scene.ready(7);
        // It lands five minutes later, and the warehouse takes nothing meanwhile.
        scene.script.next("warehouse.create", [Fate::Late(Duration::from_secs(5 * 60)), Fate::Fails(None)]);
        for _ in 0..2 {
            drop(run(forwarder(&scene).forward(&key, 9)));
            assert_eq!(
                scene.stage(7).word(),
                "in doubt",
                "{class:?}: nobody may cancel it in our books alone"
            );
            let wait = scene.record(7).wake.unwrap().duration_since(scene.clock.now());
            scene.pass(wait.unsigned_abs());
        }
        settle(&scene);
        assert_eq!(end(&scene), End::Accepted, "{class:?}");
    }
}
