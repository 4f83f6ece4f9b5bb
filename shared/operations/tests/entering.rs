//! A connection that somebody else writes at the same moment is not overwritten unseen.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use domain::connection::{Connection, History};
use domain::ports::Connections;
use jiff::Timestamp;
use operations::connections::enter;
use testkit::build;
use testkit::model::{Class, Fate, Scene};
use testkit::run::run;

fn rebuilding(scene: &Scene) -> Connection {
    let history = History::Rebuilding { lost_at: None };
    let connection = Connection { history, ..scene.connection.clone() };
    run(scene.connections.put(&connection)).unwrap();
    connection
}

#[test]
fn a_pause_at_the_end_of_a_rebuild_pauses_and_the_rebuild_has_ended() {
    let scene = Arc::new(Scene::new(Class::U));
    let before = rebuilding(&scene);
    let done = History::Known { since: Timestamp::UNIX_EPOCH };
    let ended = Connection { history: done, ..before.clone() };
    let other = scene.clone();
    scene.script.meanwhile("connections.swap", move || other.connections.set(&ended));
    let paused = Connection { enabled: false, ..before };
    let written = run(enter(scene.connections.as_ref(), &paused, None)).unwrap();
    let there = run(scene.connections.get(&paused.id)).unwrap().unwrap();
    assert_eq!((there.enabled, there.history), (false, done));
    assert_eq!(written, there);
}

#[test]
fn what_is_new_is_read_from_the_store_first_and_a_person_may_say_otherwise() {
    let scene = Scene::new(Class::U);
    let stranger = build::connection("stranger-7");
    let entered = run(enter(scene.connections.as_ref(), &stranger, None)).unwrap();
    assert_eq!(entered.history, History::Rebuilding { lost_at: None });
    let known = History::Known { since: Timestamp::UNIX_EPOCH };
    let entered = run(enter(scene.connections.as_ref(), &stranger, Some(known))).unwrap();
    assert_eq!(entered.history, known);
    assert_eq!(run(scene.connections.get(&stranger.id)).unwrap(), Some(entered));
}

#[test]
fn who_is_beaten_each_time_says_so_and_a_ledger_that_fails_is_told() {
    let scene = Arc::new(Scene::new(Class::U));
    let before = rebuilding(&scene);
    for n in 0..8_u32 {
        let (other, mut another) = (scene.clone(), before.clone());
        another.name = format!("name {n}");
        scene.script.meanwhile("connections.swap", move || other.connections.set(&another));
    }
    let paused = Connection { enabled: false, ..before.clone() };
    let beaten = run(enter(scene.connections.as_ref(), &paused, None)).unwrap_err();
    assert!(beaten.to_string().contains("at the same time; repeat it"), "{beaten}");
    scene.script.next("connections.swap", [Fate::Fails(None)]);
    assert!(run(enter(scene.connections.as_ref(), &paused, None)).is_err());
    assert!(run(scene.connections.get(&before.id)).unwrap().unwrap().enabled, "nothing was written");
}
