//! Every order of the store comes into the ledger, each once, whatever fails or dies on the way.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use common::{WRITES, known, poll, poll_as, poller, queued};
use domain::connection::Connection;
use domain::ports::{Clock, Cursor, ListPage, OrderSource, Partners, Read, Store, Window};
use domain::record::{Cause, Exclusion, Stage};
use domain::warehouse::Warehouse;
use domain::{Failure, OrderId};
use jiff::Timestamp;
use poll_orders::PollOrders;
use testkit::build;
use testkit::model::{Class, Fate, ModelStore, Scene};
use testkit::run::{run, until_stuck};

/// A scene whose store has orders 1 to `count`, a second apart.
fn shop(count: u64) -> Scene {
    let scene = Scene::new(Class::U);
    (1..=count).for_each(|id| place(&scene, id));
    scene
}

fn place(scene: &Scene, id: u64) {
    let mut order = build::order(id);
    order.ordered_at = Some(ordered_at(id));
    scene.store.place(order);
}

fn ordered_at(id: u64) -> Timestamp {
    domain::life::later(build::at("2026-03-01T10:00:00Z"), Duration::from_secs(id))
}

fn cursor(scene: &Scene) -> Cursor {
    scene.ledger.with(&scene.connection.id, |books| books.cursor.clone())
}

#[test]
fn a_poll_takes_in_what_the_ledger_does_not_have() {
    let scene = shop(3);
    let polled = run(poll(&scene)).unwrap();
    assert_eq!((polled.listed, polled.imported, polled.complete, polled.busy), (3, 3, true, false));
    assert_eq!((known(&scene), queued(&scene)), (vec![1, 2, 3], vec![1, 2, 3]));
    assert!(matches!(scene.stage(1), Stage::Ready { .. }));
    assert_eq!(cursor(&scene).position, Some(ordered_at(3)));
    scene.ledger.assert_all_covered();

    place(&scene, 4);
    let polled = run(poll(&scene)).unwrap();
    assert_eq!((polled.listed, polled.imported), (4, 1));
    assert_eq!(queued(&scene), [1, 2, 3, 4]);
    assert_eq!(scene.script.count("store.read"), 4, "each order is read once");
}

#[test]
fn an_idle_poll_writes_nothing() {
    let scene = shop(3);
    run(poll(&scene)).unwrap();
    let before = scene.script.count_all(&WRITES);
    for _ in 0..3 {
        scene.pass(Duration::from_secs(300));
        let polled = run(poll(&scene)).unwrap();
        assert_eq!((polled.listed, polled.imported, polled.complete), (3, 0, true));
    }
    assert_eq!(scene.script.count_all(&WRITES), before);
}

#[test]
fn the_cursor_moves_only_when_the_whole_window_is_in_the_ledger() {
    let scene = shop(120);
    let polled = run(poller(&scene).poll(&scene.connection, scene.clock.now())).unwrap();
    assert_eq!((polled.imported, polled.complete), (1, false), "no time left after the first order");
    let part = cursor(&scene);
    assert_eq!((part.position, part.seen), (None, vec![OrderId(1)]));
    let polled = run(poll(&scene)).unwrap();
    assert_eq!((polled.listed, polled.imported, polled.complete), (120, 119, true));
    assert_eq!(cursor(&scene).position, Some(ordered_at(120)));
    assert_eq!(scene.script.count("store.read"), 120);
}

#[test]
fn a_list_whose_orders_are_not_all_in_the_ledger_moves_nothing() {
    let scene = shop(3);
    let polled = run(poller(&scene).poll(&scene.connection, scene.clock.now())).unwrap();
    assert_eq!((polled.listed, polled.imported, polled.complete), (3, 1, false), "listed, but not all read");
    assert_eq!(cursor(&scene).position, None);
    assert_eq!(run(poll(&scene)).unwrap().imported, 2);
}

#[test]
fn a_list_that_is_longer_than_the_time_allows_is_not_complete() {
    let scene = shop(9);
    scene.store.pages(3, 0);
    for imported in [1, 1, 1, 0] {
        let polled = run(poller(&scene).poll(&scene.connection, scene.clock.now())).unwrap();
        assert_eq!((polled.listed, polled.imported), (3, imported), "one page, and no time left");
        assert!(!polled.complete && !polled.caught_up, "also when all that was listed is known: {polled:?}");
    }
    assert_eq!(cursor(&scene).position, None);
    let polled = run(poll(&scene)).unwrap();
    assert_eq!((polled.listed, polled.imported, polled.complete), (9, 6, true));
}

/// A store whose pages point to themselves.
struct RoundAndRound(Arc<ModelStore>, AtomicUsize);

#[async_trait]
impl OrderSource for RoundAndRound {
    async fn list(&self, window: Window, offset: u32) -> Result<ListPage, Failure> {
        assert!(self.1.fetch_add(1, Ordering::Relaxed) < 5, "it is listed for ever");
        Ok(ListPage {
            next_offset: Some(offset),
            ..OrderSource::list(self.0.as_ref(), window, offset).await?
        })
    }

    async fn read(&self, which: &str) -> Result<Read, Failure> {
        OrderSource::read(self.0.as_ref(), which).await
    }
}

struct Joined(Store);

#[async_trait]
impl Partners for Joined {
    async fn store(&self, _: &Connection) -> Result<Store, Failure> {
        Ok(self.0.clone())
    }

    async fn warehouse(&self, _: &Connection) -> Result<Arc<Warehouse>, Failure> {
        Err(Failure::permanent("open warehouse", "there is none"))
    }
}

#[test]
fn a_store_whose_pages_never_end_is_not_listed_for_ever() {
    let scene = shop(3);
    let store = run(scene.partners.store(&scene.connection)).unwrap();
    let orders = Arc::new(RoundAndRound(scene.store.clone(), AtomicUsize::new(0)));
    let partners = Arc::new(Joined(Store { orders, ..store }));
    let poller = PollOrders { partners, ..poller(&scene) };
    let polled = run(poller.poll(&scene.connection, scene.seconds_from_now(60))).unwrap();
    assert_eq!((polled.listed, polled.imported, polled.complete), (3, 3, true));
}

#[test]
fn orders_that_come_twice_over_two_pages_are_taken_in_once() {
    let scene = shop(9);
    scene.store.pages(3, 2);
    let polled = run(poll(&scene)).unwrap();
    assert_eq!((polled.listed, polled.imported, polled.complete), (9, 9, true));
    assert_eq!(scene.script.count("store.read"), 9);
    assert_eq!(queued(&scene).len(), 9);
}

#[test]
fn one_page_that_fails_does_not_throw_away_those_before_it() {
    let scene = shop(5);
    scene.store.pages(2, 0);
    let fails = || Fate::Fails(None);
    scene.script.next("store.list", [Fate::Happens, Fate::Happens, fails(), fails()]);
    let polled = run(poll(&scene)).unwrap();
    assert_eq!((polled.listed, polled.complete), (5, true));

    let away = Fate::Fails(Some(Duration::from_secs(60)));
    for fates in [vec![fails()], vec![Fate::Happens, fails(), fails(), fails()], vec![Fate::Happens, away]] {
        let scene = shop(5);
        scene.store.pages(2, 0);
        let asked = fates.len();
        scene.script.next("store.list", fates);
        assert!(run(poll(&scene)).is_err());
        assert_eq!(scene.script.count("store.list"), asked, "a store that is down is left alone");
    }
}

#[test]
fn a_list_whose_pages_shift_while_it_is_read_is_listed_again() {
    let scene = shop(9);
    scene.store.pages(3, 0);
    // While the second page is on its way, two orders of the first one go from the list: 4 moves to where nobody looks.
    let store = scene.store.clone();
    scene.script.meanwhile("store.list", || {});
    scene.script.meanwhile("store.list", move || {
        (1..=2).for_each(|order| store.change(order, |order| order.ordered_at = Some(Timestamp::MAX)));
    });
    let polled = run(poll(&scene)).unwrap();
    assert_eq!((polled.complete, cursor(&scene).position), (false, None));
    assert!(!known(&scene).contains(&4), "{:?}", known(&scene));
    let polled = run(poll(&scene)).unwrap();
    assert!(polled.complete && known(&scene).contains(&4), "{polled:?}, {:?}", known(&scene));
}

#[test]
fn an_order_that_cannot_be_read_gets_its_own_row_and_the_feed_goes_on() {
    let scene = shop(6);
    scene.store.garble(2);
    scene.store.fail(3);
    scene.store.fail(4);
    scene.store.lose(5);
    let polled = run(poll(&scene)).unwrap();
    assert_eq!((polled.imported, polled.complete), (6, true));
    for (order, word) in [(2, "unreadable"), (3, "unreadable"), (4, "unreadable"), (5, "vanished")] {
        let Stage::Held(cause) = scene.stage(order) else { panic!("{:?}", scene.stage(order)) };
        assert_eq!(cause.word(), word);
    }
    assert_eq!(queued(&scene), [1, 6]);
    scene.ledger.assert_all_covered();
}

#[test]
fn three_failures_in_a_row_are_the_store_and_nothing_is_marked_as_seen() {
    let scene = shop(8);
    (3..=5).for_each(|order| scene.store.fail(order));
    assert!(run(poll(&scene)).is_err());
    assert_eq!((known(&scene), queued(&scene)), (vec![1, 2], vec![1, 2]), "what was read is in");
    let stopped = cursor(&scene);
    assert_eq!((stopped.position, stopped.seen), (None, vec![OrderId(1), OrderId(2)]));
    (3..=5).for_each(|order| scene.store.mend(order));
    let polled = run(poll(&scene)).unwrap();
    assert_eq!((polled.imported, polled.complete), (6, true));
    assert!((1..=8).all(|order| matches!(scene.stage(order), Stage::Ready { .. })), "none is held");
}

#[test]
fn a_poll_that_dies_or_fails_anywhere_is_made_good_by_the_next() {
    for fate in [Fate::Hangs, Fate::HappensAndHangs, Fate::Fails(None), Fate::LosesAnswer] {
        for n in 0.. {
            let scene = shop(3);
            scene.script.nth(n, fate);
            let died = until_stuck(poll(&scene));
            if scene.script.total() <= n {
                assert!(matches!(died, Some(Ok(_))));
                break;
            }
            scene.script.heal();
            scene.ledger.assert_all_covered();
            scene.pass(scene.pace.lease + Duration::from_secs(120));
            run(poll(&scene)).unwrap();
            let what = format!("effect {n}: {fate:?}");
            assert_eq!(known(&scene), [1, 2, 3], "{what}");
            for order in 1..=3 {
                // The one order whose reading failed has its own row, and is read again by itself.
                let held = matches!(scene.stage(order), Stage::Held(Cause::Unreadable(_)));
                assert!(queued(&scene).contains(&order) != held, "{what}, order {order}");
            }
            let end = cursor(&scene);
            assert!(end.position >= Some(ordered_at(2)) && end.seen.len() == 3, "{what}: {end:?}");
            assert!(scene.ledger.with(&scene.connection.id, |books| books.lease.is_none()), "{what}");
        }
    }
}

#[test]
fn two_polls_at_the_same_moment_take_each_order_in_once() {
    let scene = Scene::interleaved(Class::U);
    (1..=3).for_each(|id| place(&scene, id));
    let both = async { futures_util::join!(poll(&scene), poll(&scene)) };
    let (one, two) = run(both);
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.imported + two.imported, 3);
    assert!(one.busy != two.busy, "one of them has the lease");
    assert_eq!(scene.script.count("store.read"), 3);
}

#[test]
fn a_poll_that_was_overtaken_gives_the_lease_back_and_leaves_the_cursor() {
    let scene = std::sync::Arc::new(shop(3));
    let other = scene.clone();
    scene.script.meanwhile("ledger.lease", move || {
        run(poll(&other)).unwrap();
    });
    run(poll(&scene)).unwrap();
    let books = scene.ledger.with(&scene.connection.id, |books| books.clone());
    assert_eq!(books.lease, None);
    assert_eq!((books.cursor.position, books.cursor.seen.len()), (Some(ordered_at(3)), 3));
    assert!((1..=3).all(|order| scene.record(order).version == 1));
}

#[test]
fn what_was_ordered_before_the_start_date_is_excluded() {
    let mut scene = shop(3);
    scene.reconnect(|connection| connection.policies.start = Some(ordered_at(2)));
    run(poll(&scene)).unwrap();
    assert_eq!(scene.stage(1), Stage::Excluded(Exclusion::BeforeStart));
    assert_eq!(queued(&scene), [2, 3]);
}

#[test]
fn a_long_history_is_taken_in_slice_by_slice() {
    let mut scene = Scene::new(Class::U);
    scene.reconnect(|connection| connection.policies.start = Some(build::at("2025-10-01T00:00:00Z")));
    for (id, day) in [(1, "2025-10-02"), (2, "2025-12-24"), (3, "2026-02-28")] {
        let mut order = build::order(id);
        order.ordered_at = Some(build::at(&format!("{day}T10:00:00Z")));
        scene.store.place(order);
    }
    let mut taken_in = Vec::new();
    let mut positions = Vec::new();
    for _ in 0..6 {
        taken_in.push(run(poll(&scene)).unwrap().imported);
        positions.push(cursor(&scene).position);
    }
    assert_eq!(taken_in, [1, 0, 1, 0, 0, 1], "five slices of thirty days, then the present");
    assert!(positions.is_sorted());
    assert_eq!(known(&scene), [1, 2, 3]);
    let before = scene.script.count_all(&WRITES);
    run(poll(&scene)).unwrap();
    assert_eq!(scene.script.count_all(&WRITES), before, "and then it is idle");
}

#[test]
fn an_order_from_the_future_hides_none_that_come_after_it() {
    let mut scene = shop(1);
    scene.reconnect(|connection| connection.schedule.overlap_minutes = 60);
    let mut early = build::order(2);
    early.ordered_at = Some(scene.seconds_from_now(86_400));
    scene.store.place(early);
    assert_eq!(run(poll(&scene)).unwrap().imported, 2);
    scene.pass(Duration::from_secs(2 * 3600));
    let mut next = build::order(3);
    next.ordered_at = Some(scene.clock.now());
    scene.store.place(next);
    assert_eq!(run(poll(&scene)).unwrap().imported, 1);
    assert_eq!(known(&scene), [1, 2, 3]);
}

#[test]
fn every_enabled_connection_has_its_turn_and_the_trouble_of_one_is_its_own() {
    let scene = shop(2);
    for (id, enabled) in [("main", true), ("off", false), ("alone", true)] {
        let mut connection = build::connection(id);
        connection.enabled = enabled;
        connection.schedule.orders_minutes = 1;
        scene.connections.set(&connection);
    }
    let mut polled = run(poller(&scene).run(scene.seconds_from_now(60))).unwrap();
    polled.sort_by(|(one, _), (two, _)| one.cmp(two));
    let outcomes: Vec<(&str, bool)> =
        polled.iter().map(|(id, polled)| (id.as_str(), polled.is_ok())).collect();
    assert_eq!(outcomes, [("alone", false), ("main", true)], "a connection without a store fails alone");
    assert_eq!(known(&scene), [1, 2]);
}

#[test]
fn an_order_that_waits_is_not_queued() {
    let mut scene = shop(2);
    scene.reconnect(|connection| connection.policies.cooling_off_minutes = 24 * 60);
    scene.store.pay(2, domain::payment::PaymentStatus::Declined);
    run(poll_as(&scene, &scene.connection)).unwrap();
    assert!(matches!(scene.stage(1), Stage::Waiting(_)));
    assert!(matches!(scene.stage(2), Stage::Excluded(Exclusion::NotPaid(_))));
    assert_eq!(queued(&scene), Vec::<u64>::new());
    let wake = scene.record(1).wake.unwrap();
    let dates = scene.ledger.with(&scene.connection.id, |books| books.dates.clone());
    assert!(dates.get(&wake).is_some_and(|orders| orders.contains(&OrderId(1))), "it is looked at in time");
}
