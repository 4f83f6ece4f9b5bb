//! The preview counts what the import would do, and writes nothing.

use std::sync::Mutex;

use domain::connection::History;
use domain::mapping::Sku;
use domain::payment::PaymentStatus;
use domain::ports::Connections as _;
use testkit::build;
use testkit::model::{Class, Scene};
use testkit::run::run;

use super::*;

/// A store with an order of each fate: one that is sent, one unpaid, one unmapped, one refunded, one that cannot be read.
fn scene() -> Scene {
    let mut scene = Scene::new(Class::N);
    scene.reconnect(|connection| connection.enabled = false);
    for number in 1..=5 {
        scene.store.place(build::order(number));
    }
    scene.store.pay(2, PaymentStatus::Pending);
    scene.store.change(3, |order| order.lines[0].sku = Some(Sku::parse("LAMP-NEW").unwrap()));
    scene.store.pay(4, PaymentStatus::Refunded);
    scene.store.garble(5);
    scene
}

fn preview(scene: &Scene, connection: &Connection, limit: usize) -> (Preview, Vec<(usize, usize)>) {
    let told = Mutex::new(Vec::new());
    let progress = |read: usize, all: usize| told.lock().unwrap().push((read, all));
    let look = Look {
        partners: scene.partners.as_ref(),
        ledger: scene.ledger.as_ref(),
        mappings: scene.mappings.as_ref(),
        now: build::noon(),
        limit,
        progress: &progress,
    };
    let preview = run(look.preview(connection)).unwrap();
    (preview, told.into_inner().unwrap())
}

#[test]
fn each_order_is_counted_where_the_import_would_put_it_and_nothing_is_written() {
    let scene = scene();
    let (told, progress) = preview(&scene, &scene.connection, 50);
    assert_eq!((told.listed, told.known, told.read, told.unread), (5, 0, 5, 0));
    assert_eq!(
        told.books.line(),
        "5 = 0 sent + 2 held + 1 excluded + 1 waiting + 1 on the way + 0 cancelled"
    );
    assert!(told.held.iter().any(|group| group.cause.contains("LAMP-NEW")), "{:?}", told.held);
    assert_eq!(progress, [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]);
    assert_eq!(scene.script.count_all(&["ledger.insert", "ledger.save", "ledger.expect", "warehouse."]), 0);
    let known = run(scene.connections.get(&scene.connection.id)).unwrap().unwrap();
    assert!(!known.enabled);
    let text = told.text(Style::PLAIN);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn what_an_earlier_ledger_may_have_sent_is_told_besides() {
    let scene = scene();
    let fresh = Connection { history: History::Rebuilding { lost_at: None }, ..scene.connection.clone() };
    let (told, _) = preview(&scene, &fresh, 50);
    assert_eq!((told.asked_first, told.to_send()), (1, 1), "the mapping is looked at all the same");
    assert!(told.text(Style::PLAIN).contains("--new"));
    let (told, _) = preview(&scene, &scene.connection, 50);
    assert_eq!(told.asked_first, 0);
}

#[test]
fn more_than_the_limit_is_counted_and_not_read() {
    let scene = scene();
    let (told, _) = preview(&scene, &scene.connection, 2);
    assert_eq!((told.listed, told.read, told.unread), (5, 2, 3));
    let text = told.text(Style::PLAIN);
    assert!(text.contains("the oldest 2, and not the other 3"), "{text}");
    scene.keep(&build::ready(&scene.key(1), 1));
    let (told, _) = preview(&scene, &scene.connection, 0);
    assert_eq!((told.known, told.read, told.unread), (1, 0, 4));
}

#[test]
fn an_order_that_alone_cannot_be_read_is_held_and_a_store_that_is_down_is_told() {
    let scene = scene();
    scene.store.fail(1);
    let (told, _) = preview(&scene, &scene.connection, 50);
    assert_eq!((told.read, told.books.held["unreadable"]), (5, 2), "{:?}", told.books);
    for order in [2, 3] {
        scene.store.fail(order);
    }
    let look = Look {
        partners: scene.partners.as_ref(),
        ledger: scene.ledger.as_ref(),
        mappings: scene.mappings.as_ref(),
        now: build::noon(),
        limit: 50,
        progress: &|_, _| (),
    };
    run(look.preview(&scene.connection)).unwrap_err();
}
