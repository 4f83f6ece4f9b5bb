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
    let written = run(enter(scene.connections.as_ref(), &paused, None, None)).unwrap();
    let there = run(scene.connections.get(&paused.id)).unwrap().unwrap();
    assert_eq!((there.enabled, there.history), (false, done));
    assert_eq!(written, there);
}

#[test]
fn what_is_new_is_read_from_the_store_first_and_a_person_may_say_otherwise() {
    let scene = Scene::new(Class::U);
    let stranger = build::connection("stranger-7");
    let entered = run(enter(scene.connections.as_ref(), &stranger, None, None)).unwrap();
    assert_eq!(entered.history, History::Rebuilding { lost_at: None });
    let known = History::Known { since: Timestamp::UNIX_EPOCH };
    let entered = run(enter(scene.connections.as_ref(), &stranger, Some(known), None)).unwrap();
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
    let beaten = run(enter(scene.connections.as_ref(), &paused, None, None)).unwrap_err();
    assert!(beaten.to_string().contains("at the same time; repeat it"), "{beaten}");
    scene.script.next("connections.swap", [Fate::Fails(None)]);
    assert!(run(enter(scene.connections.as_ref(), &paused, None, None)).is_err());
    assert!(run(scene.connections.get(&before.id)).unwrap().unwrap().enabled, "nothing was written");
}

#[test]
fn what_another_person_has_set_since_it_was_shown_is_not_overwritten() {
    let scene = Scene::new(Class::U);
    let shown = rebuilding(&scene);
    let ended = Connection { history: History::Known { since: Timestamp::UNIX_EPOCH }, ..shown.clone() };
    scene.connections.set(&ended);
    let renamed = Connection { name: "Another name".into(), ..shown.clone() };
    let written = run(enter(scene.connections.as_ref(), &renamed, None, Some(&shown))).unwrap();
    assert_eq!(
        (written.name.as_str(), written.history),
        ("Another name", ended.history),
        "what was learned stays"
    );

    scene.connections.set(&Connection { enabled: false, ..written.clone() });
    let edited = Connection { name: "A third name".into(), ..written.clone() };
    let refused = run(enter(scene.connections.as_ref(), &edited, None, Some(&written))).unwrap_err();
    assert!(refused.to_string().contains("meanwhile; look at it and repeat"), "{refused}");
    assert!(!run(scene.connections.get(&shown.id)).unwrap().unwrap().enabled, "it stays paused");
}

#[test]
fn a_write_whose_answer_was_lost_is_not_taken_for_that_of_another() {
    let scene = Scene::new(Class::U);
    let shown = rebuilding(&scene);
    let wanted = Connection { name: "Another name".into(), ..shown.clone() };
    scene.connections.set(&wanted);
    assert_eq!(run(enter(scene.connections.as_ref(), &wanted, None, Some(&shown))).unwrap(), wanted);
}
