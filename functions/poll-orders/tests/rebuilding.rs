//! A ledger that is new, or follows a lost one, is filled before anything is sent, and knows what may have been sent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use common::{known, poll, poll_as, poller, queued};
use domain::connection::{Connection, History};
use domain::life::later;
use domain::payment::PaymentStatus;
use domain::ports::{Clock, Connections};
use domain::record::{Exclusion, Stage, Wait};
use domain::{ConnectionId, Failure};
use jiff::Timestamp;
use poll_orders::PollOrders;
use testkit::build;
use testkit::model::{Class, Fate, ModelConnections, Scene};
use testkit::run::{run, until_stuck};

/// When the ledger was lost. Order `n` was placed `n` minutes after ten; orders 1 to 5 before the loss.
fn lost_at() -> Timestamp {
    placed_at(5)
}

fn placed_at(order: u64) -> Timestamp {
    later(build::at("2026-03-01T10:00:00Z"), Duration::from_secs(60 * order))
}

fn scene(history: History, orders: u64) -> Scene {
    let mut scene = Scene::new(Class::U);
    scene.reconnect(|connection| connection.history = history);
    (1..=orders).for_each(|id| place(&scene, id));
    scene
}

fn place(scene: &Scene, id: u64) {
    let mut order = build::order(id);
    order.ordered_at = Some(placed_at(id));
    scene.store.place(order);
}

fn history(scene: &Scene) -> History {
    run(scene.connections.get(&scene.connection.id)).unwrap().unwrap().history
}

fn in_doubt(scene: &Scene, order: u64) -> bool {
    matches!(scene.stage(order), Stage::InDoubt { .. })
}

#[test]
fn everything_that_may_have_been_sent_is_in_doubt_and_the_rest_is_not() {
    let scene = scene(History::Rebuilding { lost_at: Some(lost_at()) }, 4);
    scene.store.pay(2, PaymentStatus::Pending);
    scene.store.pay(3, PaymentStatus::Declined);
    scene.store.pay(4, PaymentStatus::Refunded);
    // The store's clock may be ten minutes ahead.
    place(&scene, 14);
    place(&scene, 16);
    assert!(run(poll(&scene)).unwrap().caught_up);
    assert_eq!([1, 4, 14].map(|order| in_doubt(&scene, order)), [true; 3]);
    assert_eq!(scene.stage(2), Stage::Waiting(Wait::Unpaid("pending".into())));
    assert!(matches!(scene.stage(3), Stage::Excluded(Exclusion::NotPaid(_))));
    assert!(matches!(scene.stage(16), Stage::Ready { .. }));
    assert_eq!(history(&scene), History::Known { since: lost_at() });
    scene.ledger.assert_all_covered();
}

#[test]
fn without_a_time_of_the_loss_every_order_that_is_listed_is_in_doubt() {
    let scene = scene(History::Rebuilding { lost_at: None }, 3);
    run(poll(&scene)).unwrap();
    assert_eq!([1, 2, 3].map(|order| in_doubt(&scene, order)), [true; 3]);
    assert_eq!(history(&scene), History::Known { since: scene.clock.now() });
}

#[test]
fn an_order_that_the_store_did_not_show_then_is_in_doubt_when_it_does() {
    let mut scene = scene(History::Known { since: lost_at() }, 4);
    place(&scene, 6);
    run(poll(&scene)).unwrap();
    assert!(in_doubt(&scene, 4));
    assert!(matches!(scene.stage(6), Stage::Ready { .. }));
    assert_eq!(queued(&scene), [1, 2, 3, 4, 6], "somebody asks at once");
    scene.reconnect(|connection| connection.enabled = true);
    assert_eq!(history(&scene), History::Known { since: lost_at() });
}

#[test]
fn a_rebuild_that_dies_anywhere_is_continued_and_ends_complete() {
    let mut deaths = 0;
    for dies_at in 0..30 {
        let scene = scene(History::Rebuilding { lost_at: Some(lost_at()) }, 4);
        scene.store.pages(2, 0);
        let calls =
            ["store.read", "ledger.insert", "ledger.expect", "ledger.move_cursor", "connections.swap"];
        let (call, before) = (calls[dies_at % calls.len()], dies_at / calls.len());
        scene.script.next(call, [vec![Fate::Happens; before], vec![Fate::Hangs]].concat());
        if until_stuck(poll(&scene)).is_some() {
            continue;
        }
        deaths += 1;
        scene.pass(Duration::from_secs(600));
        run(poll(&scene)).unwrap();
        assert_eq!(known(&scene), [1, 2, 3, 4], "dies in {call} after {before}");
        assert!((1..=4).all(|order| in_doubt(&scene, order)), "dies in {call} after {before}");
        assert_eq!(history(&scene), History::Known { since: lost_at() });
        scene.ledger.assert_all_covered();
    }
    assert!(deaths >= 11, "{deaths}: four reads, four inserts, a date, the cursor, the end");
}

#[test]
fn hints_wait_until_the_ledger_is_complete_and_nothing_is_read_before_anybody_has_said_so() {
    let rebuilding = scene(History::Rebuilding { lost_at: None }, 1);
    run(poller(&rebuilding).follow(&rebuilding.connection.id, "1")).unwrap();
    assert!(known(&rebuilding).is_empty());
    let unknown = scene(History::Unknown, 1);
    let polls = run(poller(&unknown).run(unknown.seconds_from_now(60))).unwrap();
    assert!(polls.is_empty());
    assert!(known(&unknown).is_empty());
}

#[test]
fn a_hint_that_meets_a_connection_kept_since_before_the_loss_takes_nothing_for_new() {
    let mut scene = scene(History::Known { since: Timestamp::UNIX_EPOCH }, 1);
    scene.connections.cache();
    scene.reconnect(|connection| connection.history = History::Rebuilding { lost_at: Some(lost_at()) });
    run(poller(&scene).follow(&scene.connection.id, "1")).unwrap();
    assert!(known(&scene).is_empty(), "the lost ledger may have sent it");
    scene.reconnect(|connection| connection.history = History::Known { since: lost_at() });
    run(poller(&scene).follow(&scene.connection.id, "1")).unwrap();
    assert!(in_doubt(&scene, 1));
}

#[test]
fn the_end_of_a_rebuild_leaves_what_the_owner_changed_meanwhile() {
    let mut scene = scene(History::Rebuilding { lost_at: Some(lost_at()) }, 1);
    scene.connections.cache();
    let before = scene.connection.clone();
    scene.reconnect(|connection| connection.name = "Renamed".to_owned());
    assert!(run(poll_as(&scene, &before)).unwrap().caught_up);
    let now = run(scene.connections.fresh(&scene.connection.id)).unwrap().unwrap();
    assert_eq!((now.name.as_str(), now.history), ("Renamed", History::Known { since: lost_at() }));
}

/// The connections, of which somebody pauses one as soon as it has been read.
struct PausedMeanwhile(Arc<ModelConnections>);

#[async_trait]
impl Connections for PausedMeanwhile {
    async fn all(&self) -> Result<Vec<Connection>, Failure> {
        self.0.all().await
    }
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        self.0.get(id).await
    }
    async fn fresh(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        let read = self.0.fresh(id).await?;
        read.iter().for_each(|read| self.0.set(&Connection { enabled: false, ..read.clone() }));
        Ok(read)
    }
    async fn put(&self, connection: &Connection) -> Result<(), Failure> {
        self.0.put(connection).await
    }
    async fn swap(&self, before: &Connection, after: &Connection) -> Result<bool, Failure> {
        self.0.swap(before, after).await
    }
}

#[test]
fn a_pause_at_the_moment_at_which_a_rebuild_ends_is_kept_and_the_end_comes_later() {
    let scene = scene(History::Rebuilding { lost_at: Some(lost_at()) }, 1);
    let paused = Arc::new(PausedMeanwhile(scene.connections.clone()));
    let poller_beside = PollOrders { connections: paused, ..poller(&scene) };
    assert!(run(poller_beside.poll(&scene.connection, scene.seconds_from_now(60))).unwrap().caught_up);
    let now = run(scene.connections.fresh(&scene.connection.id)).unwrap().unwrap();
    assert_eq!((now.enabled, now.history), (false, History::Rebuilding { lost_at: Some(lost_at()) }));
    scene.connections.set(&Connection { enabled: true, ..now });
    run(poll(&scene)).unwrap();
    assert_eq!(history(&scene), History::Known { since: lost_at() });
}

#[test]
fn a_rebuild_does_not_wait_for_the_turn_of_its_connection() {
    let polled_in_two_minutes = |history: History| {
        let mut scene = scene(history, 1);
        let polls = (0..2).map(|_| {
            scene.reconnect(|connection| {
                connection.history = history;
                connection.schedule.orders_minutes = 60;
            });
            scene.pass(Duration::from_secs(60));
            run(poller(&scene).run(scene.seconds_from_now(60))).unwrap().len()
        });
        polls.sum::<usize>()
    };
    assert_eq!(polled_in_two_minutes(History::Rebuilding { lost_at: Some(lost_at()) }), 2);
    assert!(polled_in_two_minutes(History::Known { since: lost_at() }) < 2, "one turn in an hour");
}
