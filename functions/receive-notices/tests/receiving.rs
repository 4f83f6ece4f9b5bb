//! Every webhook gets the right answer, and what it tells is in the ledger before the answer goes out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::arrivals::name_of;
use domain::life::Step;
use domain::message::Message;
use domain::record::Stage;
use domain::shipment::ShipmentNotice;
use domain::warehouse::{Heard, RawWebhook};
use domain::{Reference, WarehouseOrderId};
use receive_notices::{Outcome, ReceiveNotices, Received};
use testkit::build;
use testkit::model::{Class, Fate, Scene};
use testkit::run::run;

fn receiver(scene: &Scene) -> ReceiveNotices {
    ReceiveNotices {
        connections: scene.connections.clone(),
        partners: scene.partners.clone(),
        ledger: scene.ledger.clone(),
        shipments: scene.shipments.clone(),
        hints: scene.hints.clone(),
        clock: scene.clock.clone(),
        dice: scene.dice.clone(),
    }
}

fn send(scene: &Scene, method: &str, path: &str, webhook: RawWebhook) -> Outcome {
    let received = Received { method: method.to_owned(), path: path.to_owned(), webhook };
    run(receiver(scene).receive(received))
}

fn post(scene: &Scene, path: &str, webhook: RawWebhook) -> u16 {
    send(scene, "POST", path, webhook).reply.status
}

/// A scene whose order 7 the warehouse has.
fn accepted() -> Scene {
    let scene = Scene::new(Class::U);
    scene.ready(7);
    sending(&scene);
    scene.step(7, Step::Accept { id: WarehouseOrderId::parse("W-1").unwrap(), how: "" });
    scene
}

fn sending(scene: &Scene) {
    let until = scene.seconds_from_now(480);
    scene.step(7, Step::Claim { until, units: 3, mapping: 1, digest: None });
}

fn shipped(scene: &Scene, package: &str, number: &str) -> RawWebhook {
    let notice = scene.warehouse.ship("main-7", package, number);
    scene.warehouse.webhook(vec![Heard::Shipped(notice)])
}

fn parked(scene: &Scene) -> Vec<domain::ports::Parked> {
    scene.ledger.with(&scene.connection.id, |b| b.parked.values().map(|(parked, _)| parked.clone()).collect())
}

#[test]
fn a_genuine_notice_is_in_the_ledger_and_on_the_queue_before_the_200() {
    let scene = accepted();
    let webhook = shipped(&scene, "P-1", "1Z5");
    let outcome = send(&scene, "POST", "/webhook/main", webhook);
    assert_eq!((outcome.reply.status, outcome.connection), (200, Some(scene.connection.id.clone())));
    assert_eq!(scene.stage(7), Stage::Shipped);
    assert_eq!(scene.shipments.waiting(), [Message::post(&scene.key(7))]);
    scene.ledger.assert_all_covered();
}

#[test]
fn fifty_times_the_same_is_one_package() {
    let scene = accepted();
    let webhook = shipped(&scene, "P-1", "1Z5");
    assert_eq!(post(&scene, "/webhook/main", webhook.clone()), 200);
    let record = scene.record(7);
    for _ in 1..50 {
        assert_eq!(post(&scene, "/webhook/main", webhook.clone()), 200);
    }
    assert_eq!(scene.record(7), record);
    assert_eq!(record.packages.len(), 1);
}

#[test]
fn two_notices_at_the_same_moment_are_both_kept() {
    let scene = Scene::interleaved(Class::U);
    scene.ready(7);
    sending(&scene);
    let webhooks = [shipped(&scene, "P-1", "1Z5"), shipped(&scene, "P-2", "1Z6")];
    let receiver = receiver(&scene);
    let both = webhooks.map(|webhook| {
        receiver.receive(Received { method: "POST".into(), path: "/webhook/main".into(), webhook })
    });
    let outcomes = run(futures_util::future::join_all(both));
    assert!(outcomes.iter().all(|outcome| outcome.reply.status == 200));
    assert_eq!(scene.record(7).packages.len(), 2);
}

#[test]
fn a_notice_that_comes_before_the_warehouses_answer_is_believed() {
    let scene = Scene::new(Class::N);
    scene.ready(7);
    sending(&scene);
    let webhook = shipped(&scene, "P-1", "1Z5");
    assert_eq!(post(&scene, "/webhook/main", webhook), 200);
    assert_eq!(scene.stage(7), Stage::Shipped);
}

#[test]
fn who_is_not_known_gets_401_and_changes_nothing() {
    let scene = accepted();
    let before = scene.record(7);
    let mut forged = shipped(&scene, "P-1", "1Z5");
    forged.headers.clear();
    assert_eq!(post(&scene, "/webhook/main", forged), 401);
    let genuine = shipped(&scene, "P-1", "1Z5");
    for path in ["/webhook/other", "/webhook/NOT-A-SLUG", "/notify/main/wrong", "/notify/main"] {
        assert_eq!(post(&scene, path, genuine.clone()), 401, "{path}");
    }
    let stranger = send(&scene, "POST", "/webhook/other", genuine.clone());
    assert_eq!(
        stranger.note.as_deref(),
        Some("no such connection"),
        "our log says why, the sender hears nothing"
    );
    scene.warehouse.tells(false, true);
    assert_eq!(post(&scene, "/webhook/main", genuine), 401, "a polled warehouse sends none");
    assert_eq!(scene.record(7), before);
    assert_eq!(
        (parked(&scene).len(), scene.shipments.waiting().len(), scene.hints.waiting().len()),
        (0, 0, 0)
    );
}

#[test]
fn a_path_that_is_not_ours_is_404_and_a_look_is_200() {
    let scene = accepted();
    let webhook = shipped(&scene, "P-1", "1Z5");
    for path in ["/", "", "/webhook", "/admin/main", "//"] {
        assert_eq!(post(&scene, path, webhook.clone()), 404, "{path:?}");
    }
    for method in ["GET", "HEAD"] {
        assert_eq!(send(&scene, method, "/webhook/main", webhook.clone()).reply.status, 200);
    }
    assert_eq!(scene.stage(7), Stage::Accepted, "a look changes nothing");
}

#[test]
fn a_body_that_is_too_large_is_413_and_one_that_just_fits_is_read() {
    let scene = accepted();
    let mut webhook = shipped(&scene, "P-1", "1Z5");
    webhook.body = vec![b'x'; 262_145];
    assert_eq!(post(&scene, "/webhook/main", webhook.clone()), 413);
    assert_eq!(parked(&scene), []);
    webhook.body.pop();
    assert_eq!(post(&scene, "/webhook/main", webhook), 200);
    assert_eq!(parked(&scene).len(), 1);
}

#[test]
fn what_cannot_be_read_is_answered_200_and_parked_once_byte_for_byte() {
    let scene = accepted();
    let mut webhook = shipped(&scene, "P-1", "1Z5");
    webhook.body = vec![0xff, b'{', 0];
    for _ in 0..3 {
        assert_eq!(post(&scene, "/webhook/main", webhook.clone()), 200);
    }
    let parked = parked(&scene);
    assert_eq!(parked.len(), 1, "the same bytes are one notice");
    assert_eq!((parked[0].raw.clone(), parked[0].id.clone()), (webhook.body.clone(), name_of(&webhook.body)));
    webhook.path_rest = String::new();
    assert_eq!(post(&scene, "/notify/main/unguessable", webhook), 200);
    assert_eq!(scene.hints.waiting(), []);
}

#[test]
fn a_notice_for_an_order_that_we_do_not_know_is_parked() {
    let scene = accepted();
    for reference in ["main-999", "other-7", "nonsense"] {
        let notice = scene.warehouse.ship(reference, "P-9", "1Z9");
        let webhook = scene.warehouse.webhook(vec![Heard::Shipped(notice)]);
        assert_eq!(post(&scene, "/webhook/main", webhook), 200);
    }
    let parked = parked(&scene);
    assert_eq!(parked.len(), 3);
    assert!(parked.iter().all(|parked| parked.why.contains("shipment notice")));
    assert_eq!(scene.shipments.waiting(), []);
}

#[test]
fn a_record_that_a_stale_read_does_not_show_yet_is_not_a_stranger() {
    let scene = Scene::new(Class::U);
    scene.ready(7);
    scene.script.chooses("stale read", 1);
    let webhook = shipped(&scene, "P-1", "1Z5");
    assert_eq!(post(&scene, "/webhook/main", webhook), 200);
    assert_eq!((parked(&scene).len(), scene.record(7).packages.len()), (0, 1));
}

#[test]
fn when_the_ledger_or_the_queue_fail_the_sender_is_asked_to_send_again() {
    for what in ["connections.get", "partners.warehouse", "ledger.load", "ledger.save", "queue.send"] {
        let scene = accepted();
        let webhook = shipped(&scene, "P-1", "1Z5");
        scene.script.next(what, [Fate::Fails(None)]);
        assert_eq!(post(&scene, "/webhook/main", webhook.clone()), 503, "{what}");
        assert_eq!(post(&scene, "/webhook/main", webhook), 200, "{what}");
        assert_eq!(scene.record(7).packages.len(), 1, "{what}");
        assert_eq!(scene.shipments.waiting(), [Message::post(&scene.key(7))], "{what}");
    }
}

#[test]
fn a_changed_order_is_asked_about() {
    let scene = accepted();
    let reference = Reference::parse("main-7").unwrap();
    let webhook = scene.warehouse.webhook(vec![Heard::Changed(reference.clone())]);
    assert_eq!(post(&scene, "/webhook/main", webhook), 200);
    let connection = scene.connection.id.clone();
    assert_eq!(scene.shipments.waiting(), [Message::Reread { connection, reference }]);
}

#[test]
fn a_webhook_with_several_packages_makes_one_message() {
    let scene = accepted();
    let heard: Vec<Heard> = ["P-1", "P-2", "P-3"]
        .into_iter()
        .map(|package| -> ShipmentNotice { scene.warehouse.ship("main-7", package, &format!("1Z{package}")) })
        .map(Heard::Shipped)
        .collect();
    let webhook = scene.warehouse.webhook(heard);
    assert_eq!(post(&scene, "/webhook/main", webhook), 200);
    assert_eq!(scene.record(7).packages.len(), 3);
    assert_eq!(scene.shipments.waiting().len(), 1);
}

#[test]
fn the_stores_notification_becomes_hints() {
    let scene = accepted();
    let raw = scene.store.hint("ignored, the path says it", &["tok-1", "700100201"]);
    assert_eq!(post(&scene, "/notify/main/unguessable", raw), 200);
    let hint =
        |token: &str| Message::Hint { connection: scene.connection.id.clone(), token: token.to_owned() };
    assert_eq!(scene.hints.waiting(), [hint("tok-1"), hint("700100201")]);
    scene.script.next("queue.send", [Fate::Fails(None)]);
    let raw = scene.store.hint("", &["tok-2"]);
    assert_eq!(post(&scene, "/notify/main/unguessable", raw), 503);
    assert_eq!(build::connection("main").id, scene.connection.id);
}

#[test]
fn what_a_webhook_only_hints_at_is_in_the_ledger_too_where_no_feed_tells_of_it() {
    for polled in [false, true] {
        let scene = accepted();
        scene.warehouse.tells(true, polled);
        let reference = Reference::parse("main-7").unwrap();
        let hint = scene.warehouse.webhook(vec![Heard::Changed(reference)]);
        let dates = |scene: &Scene| scene.ledger.with(&scene.connection.id, |books| books.dates.len());
        let before = dates(&scene);
        assert_eq!(post(&scene, "/webhook/main", hint), 200);
        assert_eq!(scene.shipments.waiting().len(), 1);
        assert_eq!(dates(&scene) - before, usize::from(!polled));
    }
}

/// Order 7 as it was cancelled at the warehouse and is to be sent anew.
fn sent_anew() -> Scene {
    let scene = accepted();
    scene.step(7, Step::Replace);
    scene.step(7, Step::Replaced(domain::admission::Admission::Ready, None));
    scene
}

#[test]
fn a_package_of_what_was_cancelled_says_nothing_of_the_order_that_takes_its_place() {
    for voided in [true, false] {
        let scene = sent_anew();
        let before = scene.record(7);
        let notice = ShipmentNotice {
            voided,
            warehouse_order: Some(WarehouseOrderId::parse("W-1").unwrap()),
            ..scene.warehouse.ship("main-7", "P-1", "1Z5")
        };
        let webhook = scene.warehouse.webhook(vec![Heard::Shipped(notice)]);
        assert_eq!(post(&scene, "/webhook/main", webhook), 200);
        let record = scene.record(7);
        assert!(record.packages.is_empty() && record.warehouse_order.is_none(), "{record:?}");
        if voided {
            assert_eq!(record, before);
        } else {
            let why = "package P-1 left under its earlier reference main-7".to_owned();
            assert_eq!(
                record.stage,
                Stage::Held(domain::record::Cause::NotCancelled(why)),
                "no second parcel"
            );
        }
        let told: Vec<String> = parked(&scene).into_iter().map(|parked| parked.why).collect();
        assert_eq!(told.len(), usize::from(!voided), "what has left all the same is for a person: {told:?}");
        assert!(told.iter().all(|why| why.contains("later reference")), "{told:?}");
    }
}

#[test]
fn a_package_under_a_later_reference_is_one_that_a_lost_ledger_has_sent_anew() {
    let scene = accepted();
    let notice = ShipmentNotice {
        warehouse_order: Some(WarehouseOrderId::parse("W-2").unwrap()),
        ..scene.warehouse.ship("main-7-r1", "P-1", "1Z5")
    };
    let webhook = scene.warehouse.webhook(vec![Heard::Shipped(notice)]);
    assert_eq!(post(&scene, "/webhook/main", webhook), 200);
    let record = scene.record(7);
    let id = record.warehouse_order.as_ref().map(WarehouseOrderId::as_str);
    assert_eq!((record.stage, record.revision, id), (Stage::Shipped, 1, Some("W-2")));
}
