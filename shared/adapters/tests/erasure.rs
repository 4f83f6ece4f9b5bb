//! What is kept of a connection can be taken out: all of it, and nothing of another one; or the body of one order.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use adapters::dynamodb::tables::Names;
use adapters::dynamodb::{Client, DynamoConnections, DynamoErasure, DynamoLedger, DynamoMappings};
use domain::circuit::{Away, Circuit};
use domain::life::Step;
use domain::ports::{Connections, Erasure, Inserted, Kept, Lease, Ledger, Mappings, Parked};
use domain::{OrderKey, Token};
use jiff::Timestamp;
use testkit::build;

/// Everything that a ledger can hold of a connection: more than one page of deletions.
async fn fill(client: &Client, names: &Names, id: &str) {
    let ledger = DynamoLedger::new(client.clone(), &names.ledger, None);
    let connection = build::connection(id);
    DynamoConnections::new(client.clone(), &names.ledger, None).put(&connection).await.unwrap();
    let mappings = DynamoMappings::new(client.clone(), &names.mappings, None);
    for version in 1..=2 {
        assert!(
            mappings.replace(&connection.id, &build::mapping(version), &build::change("x")).await.unwrap()
        );
    }
    for order in 1..=40 {
        order_of(&ledger, &build::key(id, order)).await;
    }
    let lease = Lease { token: Token(1), until: build::noon() };
    assert!(ledger.lease(&connection.id, lease, Timestamp::MIN).await.unwrap());
    ledger.set_bookmark(&connection.id, "page 7").await.unwrap();
    let away = Away { since: build::noon(), probes: 1, probe_at: build::noon() };
    let circuit = Circuit { away: Some(away), ..Circuit::default() };
    assert!(ledger.set_circuit(&connection.id, &circuit).await.unwrap());
    let parked =
        Parked { id: "n-1".to_owned(), at: build::noon(), why: "unreadable".to_owned(), raw: b"?".to_vec() };
    ledger.park(&connection.id, &parked, Timestamp::MAX).await.unwrap();
}

/// An order with its body, a state, and a date.
async fn order_of(ledger: &DynamoLedger, key: &OrderKey) {
    let record = build::ready(key, key.order.0);
    let body = build::order(key.order.0);
    let inserted = ledger.insert(&record, Some(&body), Timestamp::MAX).await.unwrap();
    assert_eq!(inserted, Inserted::New);
    if key.order.0.is_multiple_of(2) {
        let claim = Step::Claim { until: build::noon(), units: 3, mapping: 1, digest: None };
        let claimed = record.step(claim, build::stamp(99)).unwrap();
        ledger.save(&record, &claimed).await.unwrap();
    }
    ledger.expect(&key.connection, build::noon(), &[key.order]).await.unwrap();
}

async fn items(client: &Client, names: &Names) -> usize {
    let mut all = 0;
    for name in [&names.ledger, &names.mappings] {
        let scanned = client.scan().table_name(name).send().await.unwrap();
        assert!(scanned.last_evaluated_key.is_none(), "the test fits into one page");
        all += scanned.items().len();
    }
    all
}

#[tokio::test]
async fn nothing_of_an_erased_connection_remains_and_nothing_of_another_one_goes() {
    let (client, names) = common::in_memory().await;
    fill(&client, &names, "main").await;
    let of_main = items(&client, &names).await;
    // Neighbours whose names begin like it.
    fill(&client, &names, "main-2").await;
    fill(&client, &names, "mai").await;
    let erasure = DynamoErasure::new(client.clone(), &names);
    let (main, other) = (build::connection_id("main"), build::connection_id("main-2"));
    let kept = erasure.kept(&main).await.unwrap();
    assert_eq!(
        (kept.orders, kept.bodies, kept.dates >= 40, kept.parked, kept.mappings),
        (40, 40, true, 1, 2)
    );
    assert_eq!(kept.items, of_main as u64, "{kept:?}");
    let before = (items(&client, &names).await, erasure.kept(&other).await.unwrap());

    erasure.erase(&main).await.unwrap();
    assert_eq!(erasure.kept(&main).await.unwrap(), Kept::default());
    assert_eq!(items(&client, &names).await, before.0 - of_main, "and nothing else went");
    assert_eq!(erasure.kept(&other).await.unwrap(), before.1);
    erasure.erase(&main).await.unwrap();
}

#[tokio::test]
async fn the_body_of_an_order_goes_and_its_record_stays() {
    let (client, names) = common::in_memory().await;
    let ledger = DynamoLedger::new(client.clone(), &names.ledger, None);
    let erasure = DynamoErasure::new(client, &names);
    for order in [1, 2] {
        let key = build::key("main", order);
        order_of(&ledger, &key).await;
        let (before, body) = ledger.open(&key, true).await.unwrap().unwrap();
        assert!(body.is_some());
        assert!(erasure.erase_body(&key).await.unwrap());
        assert_eq!(ledger.open(&key, true).await.unwrap(), Some((before.clone(), None)));
        assert!(!erasure.erase_body(&key).await.unwrap(), "it is gone");
        // A body that came later than its record.
        ledger.revise(&key, &build::order(order), Timestamp::MAX).await.unwrap();
        assert!(erasure.erase_body(&key).await.unwrap());
        assert_eq!(ledger.open(&key, true).await.unwrap(), Some((before, None)));
    }
    assert!(!erasure.erase_body(&build::key("main", 3)).await.unwrap());
    assert_eq!(erasure.kept(&build::connection_id("main")).await.unwrap().bodies, 0);
}
