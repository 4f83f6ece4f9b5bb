//! Each package's tracking is in the store at most once, and what the store shows comes first.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use domain::intake::Intake;
use domain::life::Step;
use domain::message::Message;
use domain::ports::{Clock, SinkMode};
use domain::record::{Cause, Stage};
use domain::shipment::{Contents, Package, Post};
use domain::{Failure, OrderKey, PackageId, Reference, WarehouseOrderId};
use testkit::build;
use testkit::model::{Class, Fate, Scene};
use testkit::run::{run, until_stuck};
use write_tracking::WriteTracking;

fn writer(scene: &Scene) -> WriteTracking {
    WriteTracking {
        connections: scene.connections.clone(),
        partners: scene.partners.clone(),
        ledger: scene.ledger.clone(),
        shipments: scene.shipments.clone(),
        clock: scene.clock.clone(),
        dice: scene.dice.clone(),
        pace: scene.pace,
    }
}

fn post(scene: &Scene, count: u32) -> Result<(), Failure> {
    run(writer(scene).post(&scene.key(7), count))
}

fn package(id: &str, number: &str) -> Package {
    Package { tracking: Some(build::tracking(number)), contents: Contents::Everything, ..build::package(id) }
}

/// Makes a scene one whose order 7 has left in one package, `1Z5`.
fn ship(scene: &Scene) -> OrderKey {
    let key = scene.ready(7);
    let until = scene.seconds_from_now(480);
    scene.step(7, Step::Claim { until, units: 3, mapping: 1, digest: None });
    scene.step(7, Step::Accept { id: WarehouseOrderId::parse("W-1").unwrap(), how: "" });
    scene.step(7, Step::Ship(package("P-1", "1Z5")));
    key
}

fn shipped() -> Scene {
    let scene = Scene::new(Class::U);
    ship(&scene);
    scene
}

/// The numbers that the store got from us.
fn numbers(scene: &Scene) -> Vec<String> {
    scene.store.posts().into_iter().map(|post| post.number).collect()
}

fn posts(scene: &Scene) -> Vec<Post> {
    scene.record(7).packages.into_iter().map(|package| package.post).collect()
}

/// What hears of a package while something else is under way.
fn arrives(scene: &Scene, package: &'static str, number: &'static str) -> impl FnOnce() + Send + use<> {
    let notice = scene.warehouse.ship("main-7", package, number);
    let (ledger, clock, dice) = (scene.ledger.clone(), scene.clock.clone(), scene.dice.clone());
    let connection = scene.connection.id.clone();
    move || {
        let intake =
            Intake { ledger: ledger.as_ref(), clock: clock.as_ref(), dice: dice.as_ref(), by: "test" };
        run(intake.arrive(&connection, &notice)).unwrap();
    }
}

#[test]
fn a_package_is_posted_and_the_order_is_finished() {
    let scene = shipped();
    post(&scene, 1).unwrap();
    assert_eq!((numbers(&scene), posts(&scene)), (vec!["1Z5".to_owned()], vec![Post::Posted]));
    assert!(scene.stage(7) == Stage::Posted && scene.record(7).is_finished());
}

#[test]
fn a_message_that_comes_twice_posts_once() {
    let scene = shipped();
    (1..=5).for_each(|count| post(&scene, count).unwrap());
    assert_eq!(numbers(&scene), ["1Z5"]);
}

#[test]
fn two_deliveries_at_the_same_moment_post_once() {
    let scene = Scene::interleaved(Class::U);
    let key = ship(&scene);
    scene.store.shows(false, false);
    let (one, two) = (writer(&scene), writer(&scene));
    let (first, second) = run(async { futures_util::join!(one.post(&key, 1), two.post(&key, 1)) });
    assert!(first.is_ok() && second.is_ok());
    assert_eq!((numbers(&scene), posts(&scene)), (vec!["1Z5".to_owned()], vec![Post::Posted]));
}

#[test]
fn what_the_store_shows_already_is_not_posted() {
    let scene = shipped();
    scene.store.change(7, |order| order.tracking_shown = vec![" 1z5".to_owned()]);
    post(&scene, 1).unwrap();
    assert_eq!((numbers(&scene).len(), scene.stage(7)), (0, Stage::Posted));
}

#[test]
fn a_connection_that_does_not_want_it_posted_finishes_without() {
    let scene = shipped();
    scene.store.mode(SinkMode::Off);
    post(&scene, 1).unwrap();
    assert_eq!((numbers(&scene).len(), posts(&scene)), (0, vec![Post::NotNeeded]));
    assert!(scene.record(7).is_finished());
}

#[test]
fn what_the_store_cannot_take_waits_in_the_outbox_and_is_never_counted_as_posted() {
    let outbox = |scene: &Scene, reason: &str, reached: usize| {
        post(scene, 1).unwrap();
        post(scene, 2).unwrap();
        let posts = posts(scene);
        let [Post::Outbox { why }] = posts.as_slice() else { panic!("{posts:?}") };
        assert!(why.contains(reason), "{why}");
        assert_eq!((numbers(scene).len(), scene.stage(7)), (reached, Stage::Shipped));
        assert!(!scene.record(7).is_finished());
        scene.ledger.assert_all_covered();
    };
    let scene = shipped();
    scene.store.mode(SinkMode::Outbox("this plan has no API for it".to_owned()));
    outbox(&scene, "no API", 0);
    let scene = shipped();
    scene.store.refuses("order is closed");
    outbox(&scene, "order is closed", 0);
    let scene = shipped();
    scene.store.shows(false, true);
    outbox(&scene, "does not show", 1);
}

#[test]
fn a_store_that_shows_nothing_is_believed_where_that_is_known() {
    let scene = shipped();
    scene.store.shows(false, false);
    post(&scene, 1).unwrap();
    assert_eq!((numbers(&scene).len(), posts(&scene)), (1, vec![Post::Posted]));
}

#[test]
fn tracking_of_an_order_that_the_store_no_longer_has_waits_in_the_outbox() {
    let scene = shipped();
    scene.store.lose(7);
    post(&scene, 1).unwrap();
    assert!(
        matches!(&posts(&scene)[..], [Post::Outbox { why }] if why.contains("no order 7")),
        "{:?}",
        posts(&scene)
    );
    assert_eq!(numbers(&scene), Vec::<String>::new());
}

#[test]
fn a_post_whose_answer_is_lost_is_not_repeated_before_its_lease_has_ended() {
    let late = Fate::Late(Duration::from_secs(5 * 60));
    for (fate, at_once) in [(Fate::LosesAnswer, 1), (Fate::LosesRequest, 0), (late, 0)] {
        let scene = shipped();
        scene.script.next("store.post", [fate]);
        let failure = post(&scene, 1).unwrap_err();
        assert!(failure.is_retryable() && failure.wait() == Some(scene.pace.lease), "{failure:?}");
        let claimed = scene.record(7);
        let until = domain::life::later(scene.clock.now(), scene.pace.lease);
        let dates = scene.ledger.with(&scene.connection.id, |books| books.dates.clone());
        assert!(dates.contains_key(&until), "{fate:?}: somebody looks when the lease has ended");
        post(&scene, 2).unwrap();
        assert_eq!((numbers(&scene).len(), scene.record(7)), (at_once, claimed), "{fate:?}");
        scene.pass_lease();
        post(&scene, 3).unwrap();
        assert_eq!(
            (numbers(&scene), posts(&scene)),
            (vec!["1Z5".to_owned()], vec![Post::Posted]),
            "{fate:?}"
        );
    }
}

#[test]
fn a_store_that_cannot_be_asked_is_asked_again_and_nothing_is_posted() {
    let scene = shipped();
    scene.script.always("store.shown", Fate::Fails(Some(Duration::from_secs(77))));
    for count in 1..=4 {
        let before = scene.clock.now();
        let posted = post(&scene, count);
        assert_eq!(posted.is_err(), count < 3, "the ledger takes over from the queue");
        let wake = scene.record(7).wake.unwrap();
        assert!(wake.duration_since(before).unsigned_abs() >= Duration::from_secs(77));
        assert_eq!(posts(&scene), [Post::Due]);
        scene.ledger.assert_all_covered();
    }
    assert_eq!(numbers(&scene), Vec::<String>::new());
    scene.script.heal();
    post(&scene, 5).unwrap();
    assert_eq!(numbers(&scene), ["1Z5"]);
}

#[test]
fn a_process_that_was_frozen_after_its_claim_does_not_post() {
    let scene = shipped();
    let (clock, long) = (scene.clock.clone(), scene.pace.send_within * 2);
    scene.script.meanwhile("store.shown", move || clock.advance(long));
    assert!(post(&scene, 1).is_err());
    assert_eq!((numbers(&scene).len(), posts(&scene)), (0, vec![Post::Due]));
    post(&scene, 2).unwrap();
    assert_eq!(numbers(&scene), ["1Z5"]);
}

#[test]
fn a_process_that_was_held_up_for_no_longer_than_it_may_posts() {
    let scene = shipped();
    let just_enough = scene.pace.send_within - Duration::from_millis(1);
    let clock = scene.clock.clone();
    scene.script.meanwhile("store.shown", move || clock.advance(just_enough));
    post(&scene, 1).unwrap();
    assert_eq!((numbers(&scene), posts(&scene)), (vec!["1Z5".to_owned()], vec![Post::Posted]));
}

#[test]
fn the_queue_repeats_the_first_lost_answers_and_the_ledger_the_others() {
    for count in 1..=4 {
        let scene = shipped();
        scene.script.next("store.post", [Fate::LosesAnswer]);
        assert_eq!(post(&scene, count).is_err(), count < 3, "delivery {count}");
        scene.ledger.assert_all_covered();
    }
}

#[test]
fn a_claim_that_has_ended_leaves_no_date_behind() {
    let scene = shipped();
    let until = scene.seconds_from_now(8 * 60);
    scene.step(7, Step::ClaimPost { package: PackageId::parse("P-1").unwrap(), until });
    let dates = || scene.ledger.with(&scene.connection.id, |books| books.dates.clone());
    let before = dates();
    scene.pass(scene.pace.lease);
    post(&scene, 1).unwrap();
    assert_eq!((posts(&scene), dates()), (vec![Post::Posted], before));
}

#[test]
fn every_package_of_an_order_is_posted() {
    let scene = shipped();
    scene.step(7, Step::Ship(package("P-2", "1Z6")));
    post(&scene, 1).unwrap();
    assert_eq!((numbers(&scene), scene.stage(7)), (vec!["1Z5".to_owned(), "1Z6".to_owned()], Stage::Posted));
}

#[test]
fn a_package_that_comes_while_another_is_posted_does_not_make_it_post_twice() {
    let scene = shipped();
    scene.store.shows(false, false);
    scene.script.meanwhile("store.post", arrives(&scene, "P-2", "1Z6"));
    post(&scene, 1).unwrap();
    assert_eq!(posts(&scene), [Post::Posted, Post::Due], "the outcome is written into the changed record");
    for count in 1..4 {
        scene.pass_lease();
        post(&scene, count).unwrap();
    }
    assert_eq!((numbers(&scene), scene.stage(7)), (vec!["1Z5".to_owned(), "1Z6".to_owned()], Stage::Posted));
}

#[test]
fn a_number_that_changes_while_the_old_one_is_posted_is_posted_too() {
    let scene = shipped();
    scene.script.meanwhile("store.post", arrives(&scene, "P-1", "1Z6"));
    post(&scene, 1).unwrap();
    assert_eq!(posts(&scene), [Post::Due], "what was posted is not the number that it has now");
    post(&scene, 2).unwrap();
    assert_eq!(
        (numbers(&scene), posts(&scene)),
        (vec!["1Z5".to_owned(), "1Z6".to_owned()], vec![Post::Posted])
    );
}

#[test]
fn an_attempt_that_dies_anywhere_leads_to_one_post() {
    for fate in [Fate::Hangs, Fate::HappensAndHangs, Fate::Fails(None), Fate::LosesAnswer] {
        for n in 0.. {
            let scene = shipped();
            scene.script.nth(n, fate);
            drop(until_stuck(writer(&scene).post(&scene.key(7), 1)));
            if scene.script.total() <= n {
                break;
            }
            scene.script.heal();
            scene.ledger.assert_all_covered();
            for count in 2..5 {
                scene.pass_lease();
                drop(post(&scene, count));
            }
            let what = format!("effect {n}: {fate:?}");
            assert_eq!(
                (numbers(&scene), posts(&scene)),
                (vec!["1Z5".to_owned()], vec![Post::Posted]),
                "{what}"
            );
        }
    }
}

#[test]
fn a_post_whose_attempt_has_died_is_looked_at_when_its_lease_has_ended() {
    let scene = shipped();
    let until = scene.seconds_from_now(8 * 60);
    let package = PackageId::parse("P-1").unwrap();
    scene.step(7, Step::ClaimPost { package, until });
    post(&scene, 2).unwrap();
    assert_eq!(numbers(&scene), Vec::<String>::new());
    let dates = scene.ledger.with(&scene.connection.id, |books| books.dates.clone());
    assert!(dates.contains_key(&until));
}

#[test]
fn what_has_left_is_posted_for_a_cancelled_and_for_a_held_order() {
    for step in [Step::Cancel("refunded".to_owned()), Step::Flag(Cause::ChangedAfterSending)] {
        let scene = Scene::new(Class::U);
        scene.ready(7);
        let until = scene.seconds_from_now(480);
        scene.step(7, Step::Claim { until, units: 3, mapping: 1, digest: None });
        scene.step(7, Step::Ship(Package { contents: Contents::Part, ..package("P-1", "1Z5") }));
        let stage = scene.step(7, step).stage;
        post(&scene, 1).unwrap();
        assert_eq!((numbers(&scene), scene.stage(7)), (vec!["1Z5".to_owned()], stage));
    }
}

#[test]
fn nothing_is_done_for_strangers_and_disabled_connections() {
    let mut scene = shipped();
    run(writer(&scene).post(&scene.key(8), 1)).unwrap();
    scene.reconnect(|connection| connection.enabled = false);
    post(&scene, 1).unwrap();
    assert_eq!((numbers(&scene).len(), posts(&scene)), (0, vec![Post::Due]));
}

#[test]
fn a_reread_brings_in_what_the_warehouse_has_shipped() {
    let scene = Scene::new(Class::U);
    let key = scene.ready(7);
    let until = scene.seconds_from_now(480);
    scene.step(7, Step::Claim { until, units: 3, mapping: 1, digest: None });
    scene.warehouse.ship("main-7", "P-1", "1Z5");
    scene.warehouse.ship("main-7", "P-2", "1Z6");
    let reference = Reference::parse("main-7").unwrap();
    for _ in 0..3 {
        run(writer(&scene).reread(&scene.connection.id, &reference)).unwrap();
    }
    assert_eq!((scene.record(7).packages.len(), scene.stage(7)), (2, Stage::Shipped));
    assert!(scene.shipments.waiting().iter().all(|message| *message == Message::post(&key)));
    assert_eq!(scene.shipments.waiting().len(), 3, "one for each time, not for each package");
    scene.script.next("warehouse.shipments", [Fate::Fails(None)]);
    assert!(run(writer(&scene).reread(&scene.connection.id, &reference)).is_err(), "it comes again");
}
