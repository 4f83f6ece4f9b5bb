//! Items that are broken or half written, answers that get lost, an engine that is away.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use adapters::dynamodb::tables::Names;
use adapters::dynamodb::{CachedMappings, Client, DynamoConnections, DynamoLedger, DynamoMappings};
use async_trait::async_trait;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::admission::Admission;
use domain::life::Step;
use domain::mapping::{Change, Mapping};
use domain::ports::{Connections, Inserted, Ledger, Mappings, Saved};
use domain::record::Wait;
use domain::{ConnectionId, Failure, Kind};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use testkit::build::{at, change, connection_id, key, mapping, noon, order, ready, record, stamp};
use testkit::clock::ManualClock;

const BODY: &str = "o#00000000000000000005#b";
const STATE: &str = "o#00000000000000000005#s";

struct Bench {
    client: Client,
    names: Names,
    ledger: DynamoLedger,
}

async fn bench() -> Bench {
    let (client, names) = common::in_memory().await;
    let ledger = DynamoLedger::new(client.clone(), &names.ledger, None);
    Bench { client, names, ledger }
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

impl Bench {
    async fn set(&self, pk: &str, sk: &str, attribute: &str, value: AttributeValue) {
        let request = self.client.update_item().table_name(&self.names.ledger);
        let request = request.key("pk", s(pk)).key("sk", s(sk)).update_expression("SET #a = :v");
        let request = request.expression_attribute_names("#a", attribute);
        request.expression_attribute_values(":v", value).send().await.expect("update");
    }

    async fn delete(&self, pk: &str, sk: &str) {
        let request = self.client.delete_item().table_name(&self.names.ledger);
        request.key("pk", s(pk)).key("sk", s(sk)).send().await.expect("delete");
    }
}

/// A value that an attribute might have when somebody has edited it.
fn any_value() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![
        ".{0,40}".prop_map(AttributeValue::S),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(|bytes| AttributeValue::B(Blob::new(bytes))),
        any::<u32>().prop_map(|n| AttributeValue::N(n.to_string())),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(s(r#"{"st":"accepted"}"#)),
    ]
}

#[tokio::test]
async fn a_broken_item_is_poison_that_names_it_and_nothing_panics() {
    let bench = bench().await;
    let (new, key) = (ready(&key("main", 5), 1), key("main", 5));
    bench.ledger.insert(&new, Some(&order(5)), noon()).await.expect("insert");
    let claim = Step::Claim { until: noon(), units: 1, mapping: 1, digest: None };
    bench.ledger.save(&new, &new.step(claim, stamp(2)).expect("a claim")).await.expect("save");
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let attributes = [(STATE, "doc"), (STATE, "v"), (STATE, "w"), (BODY, "body")];
    let mut refused = 0;
    for n in 0..120 {
        let (sk, attribute) = attributes[n % attributes.len()];
        let value = any_value().new_tree(&mut runner).expect("a value").current();
        bench.set("main", sk, attribute, value).await;
        if let Err(failure) = bench.ledger.open(&key, true).await {
            refused += 1;
            assert_eq!(failure.kind, Kind::Poison);
            assert!(failure.message.contains("main o#00000000000000000005#"), "{failure}");
        }
    }
    assert!(refused > 50, "{refused} of 120 were refused");
    bench.set("main", STATE, "doc", s("{")).await;
    for failure in [
        bench.ledger.load(&key, false).await.expect_err("broken"),
        bench.ledger.load_many(&key.connection, &[key.order]).await.expect_err("broken"),
        bench.ledger.scan(&key.connection, None, 10).await.expect_err("broken"),
    ] {
        assert!(failure.message.contains(STATE), "{failure}");
    }
}

#[tokio::test]
async fn broken_dates_cursors_notices_and_connections_are_named() {
    let bench = bench().await;
    let here = connection_id("main");
    bench.set("main!due", "not a date", "ids", AttributeValue::B(Blob::new([0x80]))).await;
    bench
        .set("main!due", "2026-01-01T00:00:00.000000000Z#x", "ids", AttributeValue::B(Blob::new([0x80])))
        .await;
    bench.set("main", "cursor", "pos", s("yesterday")).await;
    bench.set("main!parked", "n1", "at", s("yesterday")).await;
    bench.set("!connections", "main", "doc", s("{\n\"id\": secret")).await;
    let connections = DynamoConnections::new(bench.client.clone(), &bench.names.ledger, None);
    for (failure, item) in [
        (bench.ledger.due(&here, None, noon(), 10).await.expect_err("broken"), "main!due 2026-01-01"),
        (bench.ledger.cursor(&here).await.expect_err("broken"), "main cursor"),
        (bench.ledger.parked(&here, 10).await.expect_err("broken"), "main!parked n1"),
        (connections.get(&here).await.expect_err("broken"), "!connections main: not a connection at line 2"),
        (connections.all().await.expect_err("broken"), "!connections main"),
    ] {
        assert_eq!(failure.kind, Kind::Poison);
        assert!(failure.message.contains(item), "{failure}");
        assert!(!failure.message.contains("secret"), "{failure}");
    }
}

/// An insert that dies between its two writes leaves an order that is there, and can go on.
#[tokio::test]
async fn an_insert_that_died_half_way_is_whole() {
    let bench = bench().await;
    let wait = Admission::Wait(Wait::Unpaid("pending".to_owned()), noon());
    let new = record(&key("main", 5), &wait, 1);
    bench.ledger.insert(&new, Some(&order(5)), noon()).await.expect("insert");
    bench.delete("main", STATE).await;
    let found = bench.ledger.open(&new.key, true).await.expect("open");
    assert_eq!(found, Some((new.clone(), Some(order(5)))));
    let theirs = record(&new.key, &Admission::Ready, 9);
    let inserted = bench.ledger.insert(&theirs, Some(&order(5)), noon()).await.expect("insert");
    assert_eq!(inserted, Inserted::Exists);
    let after = new.step(Step::Admit(Admission::Ready, None), stamp(2)).expect("paid");
    assert_eq!(bench.ledger.save(&new, &after).await.expect("save"), Saved::Done);
    assert_eq!(bench.ledger.load(&new.key, true).await.expect("load"), Some(after));
}

/// The body's time is up: the record stays.
#[tokio::test]
async fn an_order_outlives_its_body() {
    let bench = bench().await;
    let wait = Admission::Wait(Wait::Unpaid("pending".to_owned()), noon());
    for first in [Admission::Ready, wait] {
        let new = record(&key("main", 5), &first, 1);
        bench.ledger.insert(&new, Some(&order(5)), noon()).await.expect("insert");
        let after = new.step(Step::Cancel("refunded".to_owned()), stamp(2)).expect("cancelled");
        bench.ledger.save(&new, &after).await.expect("save");
        bench.delete("main", BODY).await;
        assert_eq!(bench.ledger.open(&new.key, true).await.expect("open"), Some((after.clone(), None)));
        assert_eq!(bench.ledger.scan(&new.key.connection, None, 10).await.expect("scan"), [after]);
        bench.delete("main", STATE).await;
    }
}

#[tokio::test]
async fn of_many_writers_at_once_exactly_one_wins() {
    let bench = bench().await;
    let new = ready(&key("main", 5), 1);
    bench.ledger.insert(&new, Some(&order(5)), noon()).await.expect("insert");
    let claims = (2..12).map(|token| {
        let claim = Step::Claim { until: at("2026-03-01T12:08:00Z"), units: 1, mapping: 1, digest: None };
        new.step(claim, stamp(token)).expect("a claim")
    });
    let claims: Vec<_> = claims.collect();
    let saves = claims.iter().map(|claim| bench.ledger.save(&new, claim));
    let outcomes = futures_util::future::join_all(saves).await;
    let won = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Saved::Done))).count();
    assert_eq!(won, 1, "{outcomes:?}");
}

#[tokio::test]
async fn an_engine_that_is_away_or_empty_is_worth_another_try() {
    let away = Client::new(&adapters::aws::local("http://127.0.0.1:1"));
    let empty = Client::new(&adapters::aws::local(&common::start(None).await));
    for (client, word) in [(away, "cannot be reached"), (empty, "create it")] {
        let ledger = DynamoLedger::new(client, "ledger", None);
        let failure = ledger.load(&key("main", 5), true).await.expect_err("no table");
        assert!(failure.is_retryable() && failure.message.contains(word), "{failure}");
        let failure = ledger.insert(&ready(&key("main", 5), 1), None, noon()).await.expect_err("no table");
        assert!(failure.is_retryable(), "{failure}");
    }
}

#[tokio::test]
async fn a_mapping_whose_part_is_missing_is_poison() {
    let bench = bench().await;
    let mappings = DynamoMappings::new(bench.client.clone(), &bench.names.mappings, None);
    let here = connection_id("main");
    mappings.replace(&here, &mapping(1), &change("first")).await.expect("replace");
    let request = bench.client.update_item().table_name(&bench.names.mappings).key("pk", s("main"));
    let request = request.key("sk", s("v#00000000000000000001")).update_expression("REMOVE doc");
    request.send().await.expect("update");
    let failure = mappings.current(&here).await.expect_err("its parts are not there");
    assert!(failure.kind == Kind::Poison && failure.message.contains("v#00000000000000000001"), "{failure}");
}

/// Mappings that can be switched off, and count how often they are read.
struct Flaky {
    version: AtomicU32,
    reads: AtomicU32,
}

const OFF: u32 = u32::MAX;

#[async_trait]
impl Mappings for Flaky {
    async fn current(&self, _: &ConnectionId) -> Result<Arc<Mapping>, Failure> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        match self.version.load(Ordering::SeqCst) {
            OFF => Err(Failure::retryable("test: read", "away")),
            version => Ok(Arc::new(mapping(version.into()))),
        }
    }
    async fn replace(&self, _: &ConnectionId, mapping: &Mapping, _: &Change) -> Result<bool, Failure> {
        self.version.store(u32::try_from(mapping.version).expect("small"), Ordering::SeqCst);
        Ok(true)
    }
    async fn at(&self, _: &ConnectionId, version: u64) -> Result<Option<Arc<Mapping>>, Failure> {
        Ok(Some(Arc::new(mapping(version))))
    }
    async fn history(&self, _: &ConnectionId, _: usize) -> Result<Vec<(u64, Change)>, Failure> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn a_mapping_is_fresh_for_half_a_minute_and_usable_for_a_day() {
    let clock = Arc::new(ManualClock::jumping(noon()));
    let flaky = Arc::new(Flaky { version: AtomicU32::new(1), reads: AtomicU32::new(0) });
    let cached = CachedMappings::new(flaky.clone(), clock.clone());
    let here = connection_id("main");
    let version = async || cached.current(&here).await.map(|mapping| mapping.version).ok();
    let seconds = |n| clock.advance(Duration::from_secs(n));

    assert_eq!(version().await, Some(1));
    flaky.version.store(2, Ordering::SeqCst);
    seconds(29);
    assert_eq!((version().await, flaky.reads.load(Ordering::SeqCst)), (Some(1), 1), "fresh");
    seconds(1);
    assert_eq!(version().await, Some(2), "read again");
    assert!(cached.replace(&here, &mapping(3), &change("third")).await.expect("replace"));
    assert_eq!(version().await, Some(3), "one's own change counts at once");
    flaky.version.store(OFF, Ordering::SeqCst);
    seconds(86_399);
    assert_eq!(version().await, Some(3), "the last good one goes on");
    seconds(1);
    assert_eq!(version().await, None, "but not for ever");
}
