//! The contract's part about orders: inserting, reading, replacing, the story, scanning.
#![expect(clippy::expect_used, reason = "a contract fails by panicking")]

use domain::admission::Admission;
use domain::life::Step;
use domain::ports::{Inserted, Ledger, Saved};
use domain::record::{Cause, Exclusion, Record, Stage, Wait};
use domain::{OrderId, OrderKey, Token};
use jiff::Timestamp;

use crate::build::{at, connection_id, key, noon, order, package, ready, record, stamp};

fn expires() -> Timestamp {
    at("2026-06-01T00:00:00Z")
}

fn claim(record: &Record, token: u64) -> Record {
    let step = Step::Claim { until: at("2026-03-01T12:08:00Z"), units: 3, mapping: 1, digest: None };
    record.step(step, stamp(token)).expect("a ready order can be claimed")
}

pub(super) async fn check(ledger: &dyn Ledger, run: &str) {
    what_was_inserted_is_read_back(ledger, run).await;
    an_order_is_inserted_once(ledger, run).await;
    every_stage_can_be_the_first(ledger, run).await;
    the_second_of_two_writers_loses_and_sees_why(ledger, run).await;
    ones_own_earlier_write_is_done(ledger, run).await;
    a_body_is_replaced_alone(ledger, run).await;
    the_story_is_kept_whole(ledger, run).await;
    many_are_read_at_once(ledger, run).await;
    a_scan_goes_through_all_in_order(ledger, run).await;
}

async fn loaded(ledger: &dyn Ledger, key: &OrderKey) -> Option<Record> {
    ledger.load(key, true).await.expect("load")
}

async fn saved(ledger: &dyn Ledger, before: &Record, after: &Record) {
    assert_eq!(ledger.save(before, after).await.expect("save"), Saved::Done);
}

async fn what_was_inserted_is_read_back(ledger: &dyn Ledger, run: &str) {
    let key = key(&format!("{run}-read"), 5);
    for strong in [true, false] {
        assert_eq!(ledger.load(&key, strong).await.expect("load"), None, "nothing yet");
        assert_eq!(ledger.open(&key, strong).await.expect("open"), None, "nothing yet");
    }
    let new = ready(&key, 1);
    assert_eq!(ledger.insert(&new, Some(&order(5)), expires()).await.expect("insert"), Inserted::New);
    for strong in [true, false] {
        assert_eq!(ledger.load(&key, strong).await.expect("load"), Some(new.clone()));
        let opened = ledger.open(&key, strong).await.expect("open");
        assert_eq!(opened, Some((new.clone(), Some(order(5)))), "to the nanosecond and the last cent");
    }
}

async fn an_order_is_inserted_once(ledger: &dyn Ledger, run: &str) {
    for (n, first) in first_admissions().into_iter().enumerate() {
        let key = key(&format!("{run}-once-{n}"), 5);
        let (ours, theirs) = (record(&key, &first, 1), record(&key, &Admission::Ready, 2));
        let body = order(5);
        assert_eq!(ledger.insert(&ours, Some(&body), expires()).await.expect("insert"), Inserted::New);
        assert_eq!(
            ledger.insert(&ours, Some(&body), expires()).await.expect("insert"),
            Inserted::New,
            "our own write whose answer got lost"
        );
        assert_eq!(ledger.insert(&theirs, Some(&body), expires()).await.expect("insert"), Inserted::Exists);
        let excluded = record(&key, &Admission::Exclude(Exclusion::Digital), 3);
        assert_eq!(ledger.insert(&excluded, None, expires()).await.expect("insert"), Inserted::Exists);
        let held = record(&key, &Admission::Hold(Cause::Vanished, noon()), 4);
        assert_eq!(ledger.insert(&held, None, expires()).await.expect("insert"), Inserted::Exists);
        assert_eq!(loaded(ledger, &key).await, Some(ours), "nothing was changed");
    }
}

fn first_admissions() -> Vec<Admission> {
    let soon = at("2026-03-01T13:00:00Z");
    vec![
        Admission::Ready,
        Admission::Wait(Wait::Unpaid("pending".to_owned()), soon),
        Admission::Wait(Wait::CoolingOff, soon),
        Admission::Hold(Cause::Comment, soon),
        Admission::Hold(Cause::Unreadable("line 3: not a number".to_owned()), soon),
        Admission::Exclude(Exclusion::Digital),
    ]
}

async fn every_stage_can_be_the_first(ledger: &dyn Ledger, run: &str) {
    for (n, first) in first_admissions().into_iter().enumerate() {
        for body in [true, false] {
            let key = key(&format!("{run}-first-{n}-{body}"), 5);
            let new = record(&key, &first, 1);
            let body = body.then(|| order(5));
            ledger.insert(&new, body.as_ref(), expires()).await.expect("insert");
            let opened = ledger.open(&key, true).await.expect("open").expect("it is there");
            assert_eq!(opened.0, new);
            if !matches!(new.stage, Stage::Excluded(_)) {
                assert_eq!(opened.1, body, "an order that may still be sent keeps its body");
            }
            let after = new.step(Step::Cancel("test".to_owned()), stamp(2)).expect("can be cancelled");
            saved(ledger, &new, &after).await;
            assert_eq!(loaded(ledger, &key).await, Some(after));
        }
    }
}

async fn the_second_of_two_writers_loses_and_sees_why(ledger: &dyn Ledger, run: &str) {
    let key = key(&format!("{run}-race"), 5);
    let new = ready(&key, 1);
    ledger.insert(&new, Some(&order(5)), expires()).await.expect("insert");
    let (winner, loser) = (claim(&new, 2), claim(&new, 3));
    saved(ledger, &new, &winner).await;
    let conflict = Saved::Conflict(Some(Box::new(winner.clone())));
    assert_eq!(ledger.save(&new, &loser).await.expect("save"), conflict, "the first write of all");

    let accept =
        Step::Accept { id: domain::WarehouseOrderId::parse("W-1").expect("an id"), how: " (created)" };
    let accepted = winner.step(accept, stamp(4)).expect("can be accepted");
    saved(ledger, &winner, &accepted).await;
    let doubt = Step::Doubt { attempt: Token(2), ask_at: noon(), why: "time-out".to_owned() };
    let late = winner.step(doubt, stamp(5)).expect("can be doubted");
    let conflict = Saved::Conflict(Some(Box::new(accepted.clone())));
    assert_eq!(ledger.save(&winner, &late).await.expect("save"), conflict, "a later write");
    assert_eq!(ledger.save(&new, &loser).await.expect("save"), conflict, "a reader who is far behind");
    assert_eq!(loaded(ledger, &key).await, Some(accepted));
}

async fn ones_own_earlier_write_is_done(ledger: &dyn Ledger, run: &str) {
    let key = key(&format!("{run}-own"), 5);
    let new = ready(&key, 1);
    ledger.insert(&new, Some(&order(5)), expires()).await.expect("insert");
    let claimed = claim(&new, 2);
    for _ in 0..2 {
        saved(ledger, &new, &claimed).await;
    }
    let shipped = claimed.step(Step::Ship(package("P1")), stamp(3)).expect("can be shipped");
    for _ in 0..2 {
        saved(ledger, &claimed, &shipped).await;
    }
    assert_eq!(loaded(ledger, &key).await, Some(shipped));
}

async fn a_body_is_replaced_alone(ledger: &dyn Ledger, run: &str) {
    let mut changed = order(5);
    changed.comments = "Please ring – twice. ☎".to_owned();
    for (n, first) in [Admission::Ready, Admission::Hold(Cause::Vanished, noon())].into_iter().enumerate() {
        let key = key(&format!("{run}-body-{n}"), 5);
        let new = record(&key, &first, 1);
        let body = order(5);
        ledger.insert(&new, (n == 0).then_some(&body), expires()).await.expect("insert");
        ledger.revise(&key, &changed, expires()).await.expect("revise");
        let opened = ledger.open(&key, true).await.expect("open");
        assert_eq!(opened, Some((new, Some(changed.clone()))), "the record is as it was");
    }
}

async fn the_story_is_kept_whole(ledger: &dyn Ledger, run: &str) {
    let key = key(&format!("{run}-story"), 5);
    let mut now = ready(&key, 1);
    ledger.insert(&now, Some(&order(5)), expires()).await.expect("insert");
    assert_eq!(ledger.older_story(&key).await.expect("story"), []);
    let mut told = now.story.clone();
    for token in 2..15 {
        let step = match now.stage {
            Stage::Ready { .. } => {
                Step::Claim { until: at("2026-03-01T12:08:00Z"), units: 3, mapping: token, digest: None }
            }
            _ => Step::Release { attempt: now.written, not_before: noon(), why: "answered 503".to_owned() },
        };
        let after = now.step(step, stamp(token)).expect("a retry is allowed");
        told.extend(after.story.last().cloned());
        saved(ledger, &now, &after).await;
        now = after;
    }
    // A writer that loses leaves nothing behind, though it may have made room in the story before.
    let ahead = Record { version: now.version + 1, ..now.clone() };
    let step = Step::Release { attempt: now.written, not_before: noon(), why: "too early".to_owned() };
    let lost = ahead.step(step, stamp(99)).expect("the attempt can be given up");
    assert_eq!(
        ledger.save(&ahead, &lost).await.expect("save"),
        Saved::Conflict(Some(Box::new(loaded(ledger, &key).await.expect("it is there"))))
    );
    let mut read = ledger.older_story(&key).await.expect("story");
    read.extend(loaded(ledger, &key).await.expect("it is there").story);
    assert_eq!(read, told, "every entry once, oldest first");
}

async fn many_are_read_at_once(ledger: &dyn Ledger, run: &str) {
    let connection = format!("{run}-many");
    let here = connection_id(&connection);
    let there: Vec<u64> = (1..=30).map(|n| n * 7).collect();
    for id in &there {
        let (key, body) = (key(&connection, *id), order(*id));
        let new = ready(&key, *id);
        ledger.insert(&new, Some(&body), expires()).await.expect("insert");
        if id % 2 == 0 {
            saved(ledger, &new, &claim(&new, id + 1000)).await;
        }
    }
    let asked: Vec<OrderId> =
        [(1..=230).collect(), vec![u64::MAX, 7, 7]].concat().into_iter().map(OrderId).collect();
    let mut got = ledger.load_many(&here, &asked).await.expect("load many");
    got.sort_by_key(|record| record.key.order);
    let ids: Vec<u64> = got.iter().map(|record| record.key.order.0).collect();
    assert_eq!(ids, there, "those that are there, once each");
    for record in got {
        let claimed = record.key.order.0 % 2 == 0;
        assert_eq!(matches!(record.stage, Stage::Sending(_)), claimed, "as it stands now");
    }
    let far_apart = [OrderId(7), OrderId(210)];
    assert_eq!(ledger.load_many(&here, &far_apart).await.expect("load many").len(), 2);
    assert_eq!(ledger.load_many(&here, &[]).await.expect("load many"), []);
}

async fn a_scan_goes_through_all_in_order(ledger: &dyn Ledger, run: &str) {
    let connection = format!("{run}-scan");
    let here = connection_id(&connection);
    let ids = [3, 20, 100, 1_000_000_007, u64::MAX];
    for (n, id) in ids.into_iter().enumerate() {
        let first = &first_admissions()[n];
        let (new, body) = (record(&key(&connection, id), first, id), order(id));
        ledger.insert(&new, Some(&body), expires()).await.expect("insert");
        let mut now = new;
        for token in 0..n as u64 {
            let step = Step::Admit(Admission::Wait(Wait::CoolingOff, noon()), None);
            let after = now.step(step, stamp(500 + token)).expect("can be decided anew");
            saved(ledger, &now, &after).await;
            now = after;
        }
    }
    let scan = async |after: Option<u64>, limit| {
        let records = ledger.scan(&here, after.map(OrderId), limit).await.expect("scan");
        records.into_iter().map(|record| (record.key.order.0, record.version)).collect::<Vec<_>>()
    };
    let all = vec![(3, 1), (20, 2), (100, 3), (1_000_000_007, 4), (u64::MAX, 5)];
    assert_eq!(scan(None, 100).await, all, "ascending by number, each as it stands");
    assert_eq!(scan(None, 2).await, all[..2], "limited");
    assert_eq!(scan(Some(20), 2).await, all[2..4], "after the given one");
    assert_eq!(scan(Some(21), 100).await, all[2..], "which need not exist");
    assert_eq!(scan(Some(u64::MAX), 100).await, []);
    assert_eq!(scan(None, 0).await, []);
}
