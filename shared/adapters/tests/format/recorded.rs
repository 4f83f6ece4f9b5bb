//! The recorded items: files of readable JSON, bytes in base64. Compressed bytes are compared by what is in them.

use std::collections::HashMap;
use std::path::PathBuf;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::OrderId;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde_json::{Map, Value, json};

/// An item: its attributes as JSON, bytes as `{"bytes": "…"}`.
pub(crate) type Item = Map<String, Value>;

/// The version that is recorded.
const VERSION: &str = "v1";

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/ledger").join(VERSION).join(file)
}

/// Did a person ask for the files to be written?
#[expect(clippy::disallowed_methods, reason = "a test's own switch")]
pub(crate) fn is_to_be_recorded() -> bool {
    std::env::var("RECORD_FORMAT").is_ok_and(|value| value == "yes")
}

pub(crate) fn state_key(order: OrderId) -> String {
    format!("o#{:020}#s", order.0)
}

pub(crate) fn read(file: &str) -> Vec<Item> {
    let text = std::fs::read_to_string(path(file)).expect("the file is recorded");
    serde_json::from_str(&text).expect("a list of items")
}

pub(crate) fn write(file: &str, items: &[Item]) {
    std::fs::create_dir_all(path("")).expect("the folder");
    let text = serde_json::to_string_pretty(items).expect("JSON") + "\n";
    std::fs::write(path(file), text).expect("the file");
}

/// One message a line, as it goes over a queue.
pub(crate) fn messages() -> Vec<String> {
    let text = std::fs::read_to_string(path("messages.jsonl")).expect("the file is recorded");
    text.lines().map(str::to_owned).collect()
}

pub(crate) fn write_messages(messages: &[String]) {
    std::fs::write(path("messages.jsonl"), messages.join("\n") + "\n").expect("the file");
}

/// All items of a table, by their keys.
pub(crate) async fn dump(client: &Client, table: &str) -> Vec<Item> {
    let scanned = client.scan().table_name(table).consistent_read(true).send().await.expect("the items");
    assert!(scanned.last_evaluated_key.is_none(), "one page holds them");
    let mut items: Vec<Item> = scanned.items.unwrap_or_default().into_iter().map(readable).collect();
    items.sort_by_key(|item| (item["pk"].to_string(), item["sk"].to_string()));
    items
}

fn readable(item: HashMap<String, AttributeValue>) -> Item {
    item.into_iter().map(|(name, value)| (name, value_of(&value))).collect()
}

fn value_of(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!(text),
        AttributeValue::N(number) => serde_json::from_str(number).expect("a number"),
        AttributeValue::B(bytes) => json!({ "bytes": STANDARD.encode(bytes.as_ref()) }),
        other => panic!("an attribute of another kind: {other:?}"),
    }
}

/// Puts recorded items into a table.
pub(crate) async fn put(client: &Client, table: &str, items: &[Item]) {
    for item in items {
        let attributes = item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
        client.put_item().table_name(table).set_item(Some(attributes)).send().await.expect("it is taken");
    }
}

fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::Object(fields) => AttributeValue::B(Blob::new(bytes(&fields["bytes"]))),
        other => panic!("no attribute: {other}"),
    }
}

fn bytes(encoded: &Value) -> Vec<u8> {
    STANDARD.decode(encoded.as_str().expect("base64")).expect("base64")
}

/// The items with what their compressed bytes hold in place of them.
fn opened(items: &[Item]) -> Vec<Item> {
    let open = |value: &Value| match value {
        Value::Object(fields) => match decompress_to_vec_with_limit(&bytes(&fields["bytes"]), 1 << 20) {
            Ok(plain) => json!({ "packed": String::from_utf8_lossy(&plain) }),
            Err(_) => value.clone(),
        },
        other => other.clone(),
    };
    let item = |item: &Item| item.iter().map(|(name, value)| (name.clone(), open(value))).collect();
    items.iter().map(item).collect()
}

pub(crate) fn assert_same(today: &[Item], recorded: &[Item], why: &str) {
    for (today, recorded) in opened(today).iter().zip(opened(recorded)) {
        assert_eq!(*today, recorded, "{why}");
    }
    assert_eq!(today.len(), recorded.len(), "{why}");
}
