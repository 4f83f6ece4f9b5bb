//! What is recorded: one of everything that is kept, always the same.

use domain::circuit::{Away, Backlog, Circuit};
use domain::connection::{Connection, History};
use domain::mapping::{Change, Gap, Mapping};
use domain::message::Message;
use domain::notes::{Daily, Mark, Notes, Opened, Said, Told};
use domain::order::Order;
use domain::ports::{Connections, Cursor, Inserted, Lease, Ledger, Mappings, Parked, Saved};
use domain::reconciliation::{Difference, Reconciliation, Verdict};
use domain::record::{Cause, Claim, Entry, Exclusion, Record, Stage, TestMarker, Wait};
use domain::shipment::{Contents, Package, Post};
use domain::{OrderId, Reference, Token, WarehouseOrderId};
use jiff::Timestamp;
use testkit::build;

pub(crate) const BOOKMARK: &str = "page 7";

fn later(minutes: i64) -> Timestamp {
    build::noon() + jiff::SignedDuration::from_mins(minutes)
}

/// Every stage, and every reason for it.
fn stages() -> Vec<Stage> {
    let words = || vec!["country".to_owned()];
    let held = [
        Cause::Unmapped(vec![Gap::UnknownSku(build::sku("TEA-OLD"))]),
        Cause::BadAddress(words()),
        Cause::TooLong(words()),
        Cause::Refused("no such SKU".to_owned()),
        Cause::Comment,
        Cause::Unreadable("line 3".to_owned()),
        Cause::Vanished,
        Cause::InDoubt,
        Cause::OlderThanLedger,
        Cause::ChangedAfterSending,
        Cause::NotCancelled("packed".to_owned()),
        Cause::ByPerson("asked".to_owned()),
    ];
    let excluded = [
        Exclusion::BeforeStart,
        Exclusion::Digital,
        Exclusion::NotPaid("declined".to_owned()),
        Exclusion::NeverPaid,
        Exclusion::Archived,
        Exclusion::ByPerson("test".to_owned()),
    ];
    let mut stages = vec![
        Stage::Accepted,
        Stage::PartlyShipped,
        Stage::Shipped,
        Stage::Posted,
        Stage::Cancelled,
        Stage::Ready { not_before: None },
        Stage::Ready { not_before: Some(later(1)) },
        Stage::Sending(Claim { token: Token(77), until: later(15), repeats: false }),
        Stage::InDoubt { ask_at: later(20) },
        Stage::Waiting(Wait::CoolingOff),
        Stage::Waiting(Wait::Unpaid("pending".to_owned())),
    ];
    stages.extend(held.into_iter().map(Stage::Held));
    stages.extend(excluded.into_iter().map(Stage::Excluded));
    stages.push(Stage::Sending(Claim { token: Token(78), until: later(15), repeats: true }));
    stages.push(Stage::Excluded(Exclusion::Test(TestMarker::Sku)));
    stages
}

/// The first record of an order, and the one that it has now.
fn two_records(order: u64, stage: Stage) -> (Record, Record) {
    let first = build::ready(&build::key("main", order), order);
    let sent = stage.is_sent();
    let now = Record {
        version: 2,
        written: Token(1000 + order),
        stage,
        since: later(2),
        attempts: u32::from(sent),
        wake: order.is_multiple_of(2).then(|| later(60)),
        units: if sent { 3 } else { 0 },
        mapping: u64::from(sent),
        warehouse_order: sent.then(|| WarehouseOrderId::parse(format!("WO-{order}")).unwrap()),
        ..first.clone()
    };
    (first, now)
}

/// A record with everything that a record can have.
fn full() -> (Record, Record) {
    let (first, now) = two_records(900, Stage::PartlyShipped);
    let posts = [
        Post::Due,
        Post::Claimed { token: Token(5), until: later(3) },
        Post::Posted,
        Post::Outbox { why: "the store offers no call for it".to_owned() },
        Post::NotNeeded,
    ];
    let contents =
        [Contents::Everything, Contents::Part, Contents::Lines(vec![(build::warehouse_sku("WH-1"), 2)])];
    let packages = posts.into_iter().enumerate().map(|(n, post)| Package {
        post,
        contents: contents[n % contents.len()].clone(),
        voided: n == 4,
        earlier: if n == 0 { vec![build::tracking("1Z999AA10123456784").number] } else { Vec::new() },
        ..build::package(&format!("P-{n}"))
    });
    let now =
        Record { packages: packages.collect(), recall: Some("refunded".to_owned()), revision: 1, ..now };
    (first, now)
}

/// A record whose story was too long for it.
fn spilled_records() -> (Record, Record) {
    let (first, now) = two_records(901, Stage::Accepted);
    let entry =
        |seq: u32| Entry { seq, at: later(i64::from(seq)), by: "sweep".into(), what: "looked".into() };
    (first, Record { story: (2..8).map(entry).collect(), spilled: (0..2).map(entry).collect(), ..now })
}

/// A record of an order whose changed version is to take its place.
fn to_be_replaced() -> (Record, Record) {
    let (first, now) = two_records(902, Stage::Accepted);
    (first, Record { replace: true, ..now })
}

pub(crate) fn spilled() -> Record {
    spilled_records().1
}

fn records() -> Vec<(Record, Record)> {
    let stages = stages().into_iter().zip(1..).map(|(stage, order)| two_records(order, stage));
    stages.chain([full(), spilled_records(), to_be_replaced()]).collect()
}

/// The orders as they are read: the newest record, and the body. The last one has never changed.
pub(crate) fn orders() -> Vec<(Record, Option<Order>)> {
    let body = |record: &Record| Some(build::order(record.key.order.0));
    let mut orders: Vec<_> = records()
        .into_iter()
        .map(|(_, now)| (body(&now), Record { spilled: Vec::new(), ..now }))
        .map(|(body, record)| (record, body))
        .collect();
    let fresh = build::ready(&build::key("main", 999), 999);
    orders.push((fresh.clone(), body(&fresh)));
    orders
}

pub(crate) fn connection() -> Connection {
    Connection { history: History::Known { since: build::noon() }, ..build::connection("main") }
}

pub(crate) fn cursor() -> Cursor {
    Cursor { version: 1, position: Some(build::noon()), seen: expected() }
}

pub(crate) fn circuit() -> Circuit {
    let backlog =
        Backlog { passed: "x#1".to_owned(), window: 100, released_at: later(4), released: vec![OrderId(5)] };
    let away = Away { since: build::noon(), probes: 3, probe_at: later(5) };
    Circuit { version: 1, away: Some(away), backlog: Some(backlog) }
}

pub(crate) fn parked() -> Parked {
    Parked { id: "n-1".to_owned(), at: build::noon(), why: "not JSON".to_owned(), raw: b"<oops>".to_vec() }
}

/// Orders that are expected together.
pub(crate) fn expected() -> Vec<OrderId> {
    [1, 2, 300, 700_100_304].map(OrderId).to_vec()
}

/// When they are.
pub(crate) fn together() -> Timestamp {
    later(600)
}

pub(crate) fn mapping() -> Mapping {
    build::mapping(2)
}

pub(crate) fn change(note: &str) -> Change {
    build::change(note)
}

pub(crate) fn messages() -> Vec<Message> {
    let key = build::key("main", 700_100_304);
    vec![
        Message::forward(&key),
        Message::post(&key),
        Message::Reread {
            connection: key.connection.clone(),
            reference: Reference::parse("main-700100304").unwrap(),
        },
        Message::Hint { connection: key.connection, token: "a1b2".to_owned() },
    ]
}

pub(crate) fn daily() -> Daily {
    let mut last = Reconciliation::begun(build::noon(), later(1));
    (last.listed, last.store.missing) = (1, 1);
    let differences = vec![Difference::Missing, Difference::NotTold(build::package("P1").id)];
    last.count(OrderId(7), Verdict { differences, fixed: true, on_its_way: false });
    Daily {
        due: later(9),
        running: Some(Reconciliation { after: Some(OrderId(7)), ..last.clone() }),
        last: Some(last),
    }
}

pub(crate) fn mark() -> Mark {
    let said = Said { at: build::noon(), by: "ada".into(), text: "supplier asked".into() };
    Mark {
        issue: "3fa9c011".into(),
        version: 1,
        assigned: Some("ada".into()),
        ignored: true,
        said: vec![said],
    }
}

pub(crate) fn told() -> Told {
    let opened = Opened { since: build::noon(), sentence: "SKU LAMP has no listing".into() };
    Told { at: Some(later(1)), open: [("3fa9c011".to_owned(), opened)].into(), polled_at: Some(later(2)) }
}

/// Writes all of it.
pub(crate) async fn write(
    ledger: &dyn Ledger,
    notes: &dyn Notes,
    connections: &dyn Connections,
    mappings: &dyn Mappings,
) {
    let connection = connection();
    let (main, expires) = (&connection.id, build::at("2026-06-01T00:00:00Z"));
    connections.put(&connection).await.unwrap();
    for (first, now) in records() {
        let body = build::order(first.key.order.0);
        assert_eq!(ledger.insert(&first, Some(&body), expires).await.unwrap(), Inserted::New);
        assert_eq!(ledger.save(&first, &now).await.unwrap(), Saved::Done);
    }
    let fresh = build::ready(&build::key("main", 999), 999);
    ledger.insert(&fresh, Some(&build::order(999)), expires).await.unwrap();
    let lease = Lease { token: Token(8), until: later(5) };
    assert!(ledger.lease(main, lease, build::noon()).await.unwrap());
    assert!(ledger.move_cursor(main, &Cursor { version: 0, ..cursor() }, Token(8)).await.unwrap());
    ledger.set_bookmark(main, BOOKMARK).await.unwrap();
    assert!(ledger.set_circuit(main, &Circuit { version: 0, ..circuit() }).await.unwrap());
    ledger.expect(main, together(), &expected()).await.unwrap();
    ledger.park(main, &parked(), expires).await.unwrap();
    notes.set_daily(main, &daily()).await.unwrap();
    assert!(notes.set_mark(main, &Mark { version: 0, ..mark() }).await.unwrap());
    notes.set_told(main, &told()).await.unwrap();
    for (version, note) in [(1, "first"), (2, "second")] {
        assert!(mappings.replace(main, &build::mapping(version), &change(note)).await.unwrap());
    }
}
