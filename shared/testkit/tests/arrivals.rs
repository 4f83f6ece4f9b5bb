//! A package is written into its order's record once, however often and in whatever order we hear of it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::intake::Intake;
use domain::life::Step;
use domain::message::Message;
use domain::record::Stage;
use domain::shipment::{Contents, Post, ShipmentNotice};
use testkit::model::{Class, Fate, Scene};
use testkit::run::run;

fn intake(scene: &Scene) -> Intake<'_> {
    Intake {
        ledger: scene.ledger.as_ref(),
        clock: scene.clock.as_ref(),
        dice: scene.dice.as_ref(),
        by: "test",
    }
}

/// A scene whose order 7, of three pieces, is being sent.
fn sending() -> Scene {
    let scene = Scene::new(Class::U);
    scene.ready(7);
    let until = scene.seconds_from_now(480);
    scene.step(7, Step::Claim { until, units: 3, mapping: 1, digest: None });
    scene
}

fn arrive(scene: &Scene, notice: &ShipmentNotice) -> Option<Message> {
    run(intake(scene).arrive(&scene.connection.id, notice)).unwrap()
}

fn of(scene: &Scene, package: &str, number: &str, pieces: u32) -> ShipmentNotice {
    let contents = Contents::Lines(vec![(testkit::build::warehouse_sku("WH-1001"), pieces)]);
    ShipmentNotice { contents, ..scene.warehouse.ship("main-7", package, number) }
}

#[test]
fn packages_in_any_order_add_up_to_the_order() {
    let scene = sending();
    let (first, second) = (of(&scene, "P-1", "1Z5", 2), of(&scene, "P-2", "1Z6", 1));
    for notice in [&second, &first, &second, &first] {
        assert_eq!(arrive(&scene, notice), Some(Message::post(&scene.key(7))));
    }
    let record = scene.record(7);
    assert_eq!((record.stage, record.packages.len(), record.version), (Stage::Shipped, 2, 4));
}

#[test]
fn a_part_is_no_whole() {
    let scene = sending();
    arrive(&scene, &of(&scene, "P-1", "1Z5", 2));
    assert_eq!(scene.stage(7), Stage::PartlyShipped);
}

#[test]
fn a_package_that_is_taken_back_has_not_left() {
    let scene = sending();
    let notice = of(&scene, "P-1", "1Z5", 3);
    arrive(&scene, &notice);
    let back = ShipmentNotice { voided: true, tracking: None, ..notice };
    assert_eq!(arrive(&scene, &back), None, "there is nothing to post");
    assert_eq!(scene.stage(7), Stage::Accepted);
}

#[test]
fn an_old_notice_does_not_bring_back_a_package_that_was_taken_back() {
    let scene = sending();
    let notice = of(&scene, "P-1", "1Z5", 3);
    let back = ShipmentNotice { voided: true, ..notice.clone() };
    for told in [&notice, &back] {
        arrive(&scene, told);
    }
    let record = scene.record(7);
    for _ in 0..3 {
        assert_eq!(arrive(&scene, &notice), None, "nothing is to be posted");
    }
    assert_eq!(scene.record(7), record, "and nothing is written");
    arrive(&scene, &of(&scene, "P-2", "1Z6", 3));
    assert_eq!(scene.stage(7), Stage::Shipped);
}

#[test]
fn a_number_that_comes_later_is_posted_and_one_that_is_missing_takes_none_away() {
    let scene = sending();
    let bare = of(&scene, "P-1", "Pickup", 3);
    assert_eq!(arrive(&scene, &bare), None);
    assert_eq!(scene.stage(7), Stage::Posted, "there is nothing to post");
    let numbered = of(&scene, "P-1", "1Z5", 3);
    assert_eq!(arrive(&scene, &numbered), Some(Message::post(&scene.key(7))));
    arrive(&scene, &bare);
    let record = scene.record(7);
    assert_eq!((record.stage, &record.packages[0].post), (Stage::Shipped, &Post::Due));
    assert_eq!(record.packages[0].number().map(|number| number.as_str()), Some("1Z5"));
}

#[test]
fn a_finished_order_that_gets_one_more_package_has_a_date_again() {
    let scene = sending();
    arrive(&scene, &of(&scene, "P-1", "Pickup", 3));
    assert!(scene.record(7).is_finished());
    scene.pass(std::time::Duration::from_secs(30 * 86_400));
    scene.ledger.with(&scene.connection.id, |books| books.dates.clear());
    arrive(&scene, &of(&scene, "P-2", "1Z6", 1));
    assert!(!scene.record(7).is_finished());
    scene.ledger.assert_all_covered();
}

#[test]
fn a_record_that_changes_meanwhile_is_tried_again_on_what_it_is_then() {
    let scene = std::sync::Arc::new(sending());
    let (first, second) = (of(&scene, "P-1", "1Z5", 2), of(&scene, "P-2", "1Z6", 1));
    let other = scene.clone();
    scene.script.meanwhile("ledger.save", move || drop(arrive(&other, &second)));
    arrive(&scene, &first);
    assert_eq!(scene.record(7).packages.len(), 2);
}

#[test]
fn a_record_that_others_keep_changing_is_left_for_later() {
    let scene = std::sync::Arc::new(sending());
    let notice = of(&scene, "P-1", "1Z5", 3);
    for n in 0..20 {
        let (other, id) = (scene.clone(), format!("X-{n}"));
        let theirs = of(&scene, &id, "Pickup", 1);
        scene.script.meanwhile("ledger.save", move || {
            other
                .step(7, Step::Ship(domain::shipment::Package::from_notice(&theirs, testkit::build::noon())));
        });
    }
    let failure = run(intake(&scene).arrive(&scene.connection.id, &notice)).unwrap_err();
    assert!(failure.is_retryable());
}

#[test]
fn a_write_whose_answer_is_lost_is_one_package() {
    let scene = sending();
    let notice = of(&scene, "P-1", "1Z5", 3);
    scene.script.next("ledger.save", [Fate::LosesAnswer]);
    assert!(run(intake(&scene).arrive(&scene.connection.id, &notice)).is_err());
    assert_eq!(arrive(&scene, &notice), Some(Message::post(&scene.key(7))), "its message is made good");
    assert_eq!(scene.record(7).packages.len(), 1);
}
