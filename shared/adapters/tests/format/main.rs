//! What is kept can be read by the version before and by the one after: items and messages of version 1, recorded as they
//! are in the tables, are read today, and what is written today is what was recorded.
//!
//! When `what_is_written_today_is_what_was_recorded` fails, the format has changed. `shared/ARCHITECTURE.md`, "How the
//! format may change", says which changes are allowed; after an allowed one, record anew with
//! `RECORD_FORMAT=yes cargo test -p adapters --test format`.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod recorded;
mod sample;

use adapters::dynamodb::{
    Client, DynamoConnections, DynamoLedger, DynamoMappings, DynamoNotes, tables::Names,
};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Kind;
use domain::connection::History;
use domain::message::Message;
use domain::notes::Notes;
use domain::ports::{Connections, Inserted, Ledger, Mappings, Saved};
use jiff::Timestamp;
use testkit::build;

/// The adapters on an engine of its own.
struct Bench {
    client: Client,
    names: Names,
    ledger: DynamoLedger,
    notes: DynamoNotes,
    connections: DynamoConnections,
    mappings: DynamoMappings,
}

impl Bench {
    async fn empty() -> Self {
        let (client, names) = common::in_memory().await;
        Self {
            ledger: DynamoLedger::new(client.clone(), &names.ledger, None),
            notes: DynamoNotes::new(client.clone(), &names.ledger),
            connections: DynamoConnections::new(client.clone(), &names.ledger, None),
            mappings: DynamoMappings::new(client.clone(), &names.mappings, None),
            client,
            names,
        }
    }

    /// With the recorded items in its tables.
    async fn recorded() -> Self {
        let bench = Self::empty().await;
        for (table, file) in [(&bench.names.ledger, "ledger.json"), (&bench.names.mappings, "mappings.json")]
        {
            recorded::put(&bench.client, table, &recorded::read(file)).await;
        }
        bench
    }

    async fn item(&self, pk: &str, sk: &str) -> std::collections::HashMap<String, AttributeValue> {
        let s = |text: &str| AttributeValue::S(text.to_owned());
        let request = self.client.get_item().table_name(&self.names.ledger).consistent_read(true);
        request.key("pk", s(pk)).key("sk", s(sk)).send().await.unwrap().item.expect("it is there")
    }

    /// Changes the text of an attribute, as another version would have written it.
    async fn rewrite(&self, pk: &str, sk: &str, attribute: &str, change: impl FnOnce(&str) -> String) {
        let mut item = self.item(pk, sk).await;
        let text = change(item[attribute].as_s().expect("a text"));
        item.insert(attribute.to_owned(), AttributeValue::S(text));
        self.client.put_item().table_name(&self.names.ledger).set_item(Some(item)).send().await.unwrap();
    }
}

#[tokio::test]
async fn what_was_recorded_is_read() {
    let bench = Bench::recorded().await;
    let main = build::connection_id("main");
    for (record, body) in sample::orders() {
        let read = bench.ledger.open(&record.key, true).await.unwrap();
        assert_eq!(read, Some((record.clone(), body)), "{}", record.stage.word());
    }
    assert_eq!(bench.ledger.older_story(&sample::spilled().key).await.unwrap(), sample::spilled().spilled);
    assert_eq!(bench.connections.all().await.unwrap(), [sample::connection()]);
    assert_eq!(bench.ledger.cursor(&main).await.unwrap(), sample::cursor());
    assert_eq!(bench.ledger.bookmark(&main).await.unwrap().as_deref(), Some(sample::BOOKMARK));
    assert_eq!(bench.ledger.circuit(&main).await.unwrap(), sample::circuit());
    assert_eq!(bench.ledger.parked(&main, 10).await.unwrap(), [sample::parked()]);
    assert_eq!(bench.notes.daily(&main).await.unwrap(), Some(sample::daily()));
    assert_eq!(bench.notes.marks(&main).await.unwrap(), [sample::mark()]);
    assert_eq!(bench.notes.told(&main).await.unwrap(), Some(sample::told()));
    let due = bench.ledger.due(&main, None, Timestamp::MAX, 1000).await.unwrap();
    let several = due.iter().find(|due| due.at == sample::together()).expect("the date of several");
    assert_eq!(several.orders, sample::expected());
    assert_eq!(*bench.mappings.current(&main).await.unwrap(), sample::mapping());
    let history = bench.mappings.history(&main, 10).await.unwrap();
    assert_eq!(history, [(2, sample::change("second")), (1, sample::change("first"))]);
    for (text, message) in recorded::messages().into_iter().zip(sample::messages()) {
        assert_eq!(Message::decode(&text).unwrap(), message);
    }
}

#[tokio::test]
async fn what_is_written_today_is_what_was_recorded() {
    let bench = Bench::empty().await;
    sample::write(&bench.ledger, &bench.notes, &bench.connections, &bench.mappings).await;
    let ledger = recorded::dump(&bench.client, &bench.names.ledger).await;
    let mappings = recorded::dump(&bench.client, &bench.names.mappings).await;
    let messages: Vec<String> = sample::messages().iter().map(Message::encode).collect();
    if recorded::is_to_be_recorded() {
        recorded::write("ledger.json", &ledger);
        recorded::write("mappings.json", &mappings);
        recorded::write_messages(&messages);
    }
    let why = "the format has changed: see \"How the format may change\" in shared/ARCHITECTURE.md";
    recorded::assert_same(&ledger, &recorded::read("ledger.json"), why);
    recorded::assert_same(&mappings, &recorded::read("mappings.json"), why);
    assert_eq!(messages, recorded::messages(), "{why}");
}

#[tokio::test]
async fn what_a_newer_version_adds_is_read_past() {
    let bench = Bench::recorded().await;
    let (record, _) = sample::orders().into_iter().next().unwrap();
    let (pk, sk) = ("main", recorded::state_key(record.key.order));
    bench.rewrite(pk, &sk, "doc", |doc| doc.replacen('{', r#"{"something_new":{"deep":[1]},"#, 1)).await;
    assert_eq!(bench.ledger.load(&record.key, true).await.unwrap(), Some(record));
    let add = |doc: &str| {
        let doc = doc.replacen('{', r#"{"something_new":1,"#, 1);
        doc.replacen(r#""policies":{"#, r#""policies":{"hold_everything":true,"#, 1).replacen(
            r#""schedule":{"#,
            r#""schedule":{"moon_phase":"full","#,
            1,
        )
    };
    bench.rewrite("!connections", "main", "doc", add).await;
    assert_eq!(bench.connections.all().await.unwrap(), [sample::connection()]);
}

#[tokio::test]
async fn a_record_of_a_version_that_is_too_new_is_named_and_left_as_it_is() {
    let bench = Bench::recorded().await;
    let (record, body) = sample::orders().into_iter().next().unwrap();
    let sk = recorded::state_key(record.key.order);
    let replace = |doc: &str| {
        let mut doc: serde_json::Value = serde_json::from_str(doc).unwrap();
        doc["st"] = serde_json::json!({ "teleported": { "to": "moon" } });
        doc.to_string()
    };
    bench.rewrite("main", &sk, "doc", replace).await;
    let newer = bench.item("main", &sk).await;
    let failure = bench.ledger.load(&record.key, true).await.unwrap_err();
    assert!(failure.kind == Kind::Poison && failure.message.contains(&sk), "{failure}");
    // Nobody who cannot read it replaces it, neither as a new order nor as the next version of the one it was.
    let again = build::ready(&record.key, 999);
    let inserted = bench.ledger.insert(&again, body.as_ref(), Timestamp::MAX).await.unwrap();
    assert_eq!(inserted, Inserted::Exists);
    let earlier = build::ready(&record.key, 999);
    let saved = bench.ledger.save(&earlier, &earlier).await;
    assert!(!matches!(saved, Ok(Saved::Done)), "{saved:?}");
    assert_eq!(bench.item("main", &sk).await, newer);
    // The others are read.
    let (other, _) = sample::orders().into_iter().nth(1).unwrap();
    assert_eq!(bench.ledger.load(&other.key, true).await.unwrap(), Some(other));
}

#[tokio::test]
async fn a_connection_of_a_version_that_is_too_new_is_named_and_left_as_it_is() {
    let bench = Bench::recorded().await;
    let history = |doc: &str| doc.replace(r#""known""#, r#""foretold""#);
    bench.rewrite("!connections", "main", "doc", history).await;
    assert!(matches!(sample::connection().history, History::Known { .. }));
    let failure = bench.connections.all().await.unwrap_err();
    assert!(failure.kind == Kind::Poison && failure.message.contains("!connections main"), "{failure}");
}

#[test]
fn a_message_of_a_newer_version_is_given_up_with_a_reason() {
    for text in recorded::messages() {
        let failure = Message::decode(&text.replacen("\"v\":1", "\"v\":2", 1)).unwrap_err();
        assert!(failure.kind == Kind::Poison && failure.message.contains("version 2"), "{failure}");
    }
}
