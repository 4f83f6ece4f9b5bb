//! The contract's part about dates, the cursor with its lease, the bookmark and parked notices.
#![expect(clippy::expect_used, reason = "a contract fails by panicking")]

use std::time::Duration;

use domain::admission::Admission;
use domain::circuit::{Backlog, Circuit};
use domain::life::{Pace, Step, later};
use domain::ports::{Cursor, Lease, Ledger, Parked, Saved};
use domain::record::Wait;
use domain::{ConnectionId, OrderId, Token};
use jiff::Timestamp;

use crate::build::{at, connection_id, key, noon, order, ready, stamp};

pub(super) async fn check(ledger: &dyn Ledger, run: &str) {
    let here = |case: &str| connection_id(&format!("{run}-{case}"));
    dates_come_in_their_order_until_they_are_settled(ledger, &here("due")).await;
    dates_can_be_read_from_one_of_them_on(ledger, &here("after")).await;
    many_orders_are_expected_at_once(ledger, &here("page")).await;
    a_date_is_there_before_the_state_that_needs_it(ledger, &here("wake")).await;
    a_lease_has_one_holder_until_it_ends(ledger, &here("lease")).await;
    a_cursor_moves_only_from_where_it_is(ledger, &here("cursor")).await;
    a_bookmark_is_kept(ledger, &here("mark")).await;
    a_circuit_is_replaced_only_by_who_has_seen_it(ledger, &here("circuit")).await;
    a_parked_notice_is_kept_once(ledger, &here("parked")).await;
}

async fn due(ledger: &dyn Ledger, here: &ConnectionId, until: Timestamp) -> Vec<(Timestamp, Vec<OrderId>)> {
    let due = ledger.due(here, None, until, 100).await.expect("due");
    due.into_iter().map(|due| (due.at, due.orders)).collect()
}

async fn dates_come_in_their_order_until_they_are_settled(ledger: &dyn Ledger, here: &ConnectionId) {
    let moment = |n: i32| noon().checked_add(Duration::from_nanos(1) * n.unsigned_abs()).expect("a date");
    assert_eq!(due(ledger, here, Timestamp::MAX).await, []);
    for n in [30, 10, 20] {
        for _ in 0..2 {
            ledger.expect(here, moment(n), &[OrderId(n as u64)]).await.expect("expect");
        }
    }
    ledger.expect(here, moment(10), &[]).await.expect("nobody is no failure");
    let entry = |n: i32| (moment(n), vec![OrderId(n as u64)]);
    assert_eq!(due(ledger, here, moment(9)).await, [], "not before its time");
    assert_eq!(due(ledger, here, moment(20)).await, [entry(10), entry(20)], "earliest first, each once");
    let first = ledger.due(here, None, Timestamp::MAX, 1).await.expect("due");
    assert_eq!(first.iter().map(|due| due.at).collect::<Vec<_>>(), [moment(10)], "limited");
    for _ in 0..2 {
        ledger.settle(here, &first[0]).await.expect("settle, twice is harmless");
    }
    assert_eq!(due(ledger, here, Timestamp::MAX).await, [entry(20), entry(30)]);
}

async fn dates_can_be_read_from_one_of_them_on(ledger: &dyn Ledger, here: &ConnectionId) {
    let moment = |n: u64| later(noon(), Duration::from_nanos(n * 500_000_000));
    for n in 0..5 {
        ledger.expect(here, moment(n), &[OrderId(n), OrderId(n + 10)]).await.expect("expect");
    }
    let after = async |after: Option<&str>, until: Timestamp, limit: usize| {
        let due = ledger.due(here, after, until, limit).await.expect("due");
        due.into_iter().map(|due| due.at).collect::<Vec<_>>()
    };
    let all = ledger.due(here, None, Timestamp::MAX, 10).await.expect("due");
    assert!(all.is_sorted_by(|a, b| a.id < b.id), "ids have the order of the entries: {all:?}");
    let second = all[1].id.as_str();
    assert_eq!(after(Some(second), Timestamp::MAX, 2).await, [moment(2), moment(3)]);
    ledger.settle(here, &all[1]).await.expect("settle");
    assert_eq!(after(Some(second), moment(3), 9).await, [moment(2), moment(3)], "it need not be there");
    assert_eq!(after(Some(second), moment(0), 9).await, [], "nothing lies between");
    assert_eq!(after(Some(&all[4].id), Timestamp::MAX, 9).await, []);
}

async fn many_orders_are_expected_at_once(ledger: &dyn Ledger, here: &ConnectionId) {
    let orders: Vec<OrderId> = (0..1500).map(|n| OrderId(700_000_000 + n * n * 3)).collect();
    ledger.expect(here, noon(), &orders).await.expect("expect");
    ledger.expect(here, noon(), &[OrderId(u64::MAX), OrderId(1), OrderId(0)]).await.expect("expect");
    let entries = ledger.due(here, None, noon(), 1000).await.expect("due");
    assert!(entries.iter().all(|due| due.at == noon()));
    let mut got: Vec<OrderId> = entries.into_iter().flat_map(|due| due.orders).collect();
    got.sort();
    let mut wanted = [vec![OrderId(0), OrderId(1), OrderId(u64::MAX)], orders].concat();
    wanted.sort();
    assert_eq!(got, wanted, "all of them, whether or not they exist");
}

async fn a_date_is_there_before_the_state_that_needs_it(ledger: &dyn Ledger, here: &ConnectionId) {
    let key = key(here.as_str(), 5);
    let new = ready(&key, 1);
    ledger.insert(&new, Some(&order(5)), at("2026-06-01T00:00:00Z")).await.expect("insert");
    let soon = at("2026-03-01T13:00:00.000000001Z");
    let wait = Step::Admit(Admission::Wait(Wait::CoolingOff, soon), None);
    let waiting = new.step(wait.clone(), stamp(2)).expect("can wait");
    assert_eq!(ledger.save(&new, &waiting).await.expect("save"), Saved::Done);
    assert_eq!(due(ledger, here, soon).await, [(soon, vec![OrderId(5)])]);

    let after = waiting.step(wait, stamp(3)).expect("can wait");
    assert_eq!(ledger.save(&waiting, &after).await.expect("save"), Saved::Done);
    assert_eq!(due(ledger, here, Timestamp::MAX).await.len(), 1, "the same date needs no second entry");

    let later = at("2026-03-01T14:00:00Z");
    let loser = new
        .step(Step::Claim { until: later, units: 1, mapping: 1, digest: None }, stamp(4))
        .expect("a claim");
    assert_eq!(loser.wake, Some(later));
    let lost = ledger.save(&new, &loser).await.expect("save");
    assert_eq!(lost, Saved::Conflict(Some(Box::new(after))));
    let dates = due(ledger, here, later).await;
    assert!(dates.contains(&(later, vec![OrderId(5)])), "even a write that loses has put its date first");
}

async fn a_lease_has_one_holder_until_it_ends(ledger: &dyn Ledger, here: &ConnectionId) {
    let minute = |n: u64| later(noon(), Duration::from_secs(60 * n));
    let lease = async |token: u64, now: Timestamp, until: Timestamp| {
        ledger.lease(here, Lease { token: Token(token), until }, now).await.expect("lease")
    };
    assert!(lease(1, minute(0), minute(5)).await);
    assert!(!lease(2, minute(4), minute(9)).await, "somebody holds it");
    assert!(lease(1, minute(4), minute(5)).await, "the holder has it");
    assert!(lease(2, minute(5), minute(10)).await, "it has ended");
    assert!(!lease(1, minute(6), minute(11)).await);
    assert_eq!(ledger.cursor(here).await.expect("cursor"), Cursor::default(), "a lease moves nothing");

    let moved = ledger.move_cursor(here, &Cursor::default(), Token(2)).await.expect("move");
    assert!(moved && lease(3, minute(6), minute(11)).await, "who moves the cursor gives the lease back");

    for position in [Some(noon()), None] {
        let cursor = Cursor { position, ..ledger.cursor(here).await.expect("cursor") };
        assert!(ledger.move_cursor(here, &cursor, Token(99)).await.expect("move"));
        assert!(!lease(4, minute(7), minute(12)).await, "and only his own");
    }
    let cursor = Cursor { position: Some(noon()), ..ledger.cursor(here).await.expect("cursor") };
    assert!(ledger.move_cursor(here, &cursor, Token(3)).await.expect("move"));
    assert!(lease(4, minute(7), minute(12)).await, "his own it is");
}

async fn a_cursor_moves_only_from_where_it_is(ledger: &dyn Ledger, here: &ConnectionId) {
    let start = ledger.cursor(here).await.expect("cursor");
    assert_eq!(start, Cursor::default());
    let seen: Vec<OrderId> = (0..500).map(|n| OrderId(700_000_000 + n * 13)).collect();
    let next = Cursor { version: 0, position: Some(noon()), seen: seen.clone() };
    for _ in 0..2 {
        assert!(ledger.move_cursor(here, &next, Token(1)).await.expect("move"), "our own write is done");
    }
    let read = ledger.cursor(here).await.expect("cursor");
    assert_eq!(read, Cursor { version: 1, position: Some(noon()), seen }, "one version further");

    assert!(!ledger.move_cursor(here, &start, Token(2)).await.expect("move"), "somebody was faster");
    let ahead = Cursor { version: 2, ..start };
    assert!(!ledger.move_cursor(here, &ahead, Token(2)).await.expect("move"), "not there yet");
    assert_eq!(ledger.cursor(here).await.expect("cursor"), read, "as it was");

    let cleared = Cursor { version: 1, position: None, seen: Vec::new() };
    assert!(ledger.move_cursor(here, &cleared, Token(3)).await.expect("move"));
    assert_eq!(ledger.cursor(here).await.expect("cursor"), Cursor { version: 2, ..cleared });
}

async fn a_circuit_is_replaced_only_by_who_has_seen_it(ledger: &dyn Ledger, here: &ConnectionId) {
    let read = async || ledger.circuit(here).await.expect("circuit");
    let set = async |circuit: &Circuit| ledger.set_circuit(here, circuit).await.expect("set circuit");
    let start = read().await;
    assert_eq!(start, Circuit::default());
    let away = start.opened(noon(), &Pace::default(), Token(7), None);
    assert!(set(&away).await);
    assert!(!set(&away).await && !set(&start).await, "somebody was faster");
    let there = read().await;
    assert_eq!(there, Circuit { version: 1, ..away });

    let released = (0..2000).map(|n| OrderId(700_000_000 + n * 13)).collect();
    let backlog = Backlog { passed: "x#1".to_owned(), window: 70, released_at: noon(), released };
    let waiting = Circuit { backlog: Some(backlog), ..there };
    assert!(set(&waiting).await);
    assert_eq!(read().await, Circuit { version: 2, ..waiting.clone() });
    assert!(set(&Circuit { version: 2, ..Circuit::default() }).await);
    assert_eq!(read().await, Circuit { version: 3, ..Circuit::default() });
    assert!(!set(&Circuit { version: 9, ..waiting }).await, "not there yet");
}

async fn a_bookmark_is_kept(ledger: &dyn Ledger, here: &ConnectionId) {
    assert_eq!(ledger.bookmark(here).await.expect("bookmark"), None);
    for mark in ["page=2", "2026-03-01T12:00:00Z|é&<"] {
        ledger.set_bookmark(here, mark).await.expect("set");
        assert_eq!(ledger.bookmark(here).await.expect("bookmark").as_deref(), Some(mark));
    }
}

async fn a_parked_notice_is_kept_once(ledger: &dyn Ledger, here: &ConnectionId) {
    let parked = |id: &str, minutes: u64| Parked {
        id: id.to_owned(),
        at: later(noon(), Duration::from_secs(minutes * 60)),
        why: "not JSON at line 1".to_owned(),
        raw: vec![0, 255, b'{', minutes as u8],
    };
    let expires = at("2026-04-01T00:00:00Z");
    for notice in [parked("b", 2), parked("a", 1), parked("c", 3)] {
        ledger.park(here, &notice, expires).await.expect("park");
    }
    ledger.park(here, &parked("a", 9), expires).await.expect("the same id again");
    let all = ledger.parked(here, 10).await.expect("parked");
    assert_eq!(all, [parked("c", 3), parked("b", 2), parked("a", 1)], "newest first, byte for byte");
    assert_eq!(ledger.parked(here, 2).await.expect("parked"), all[..2], "limited");
    for _ in 0..2 {
        ledger.unpark(here, "b").await.expect("unpark, twice is harmless");
    }
    assert_eq!(ledger.parked(here, 10).await.expect("parked"), [parked("c", 3), parked("a", 1)]);
}
