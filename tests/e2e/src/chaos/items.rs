//! Every item of both tables, decoded: what somebody with the console, a backup or an export would read.

use std::fmt::Debug;

use adapters::dynamodb::{Client, Names};
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::canary;

/// What an attribute is at most, once it is decompressed.
const MOST: usize = 16 << 20;

/// What the search through all items found.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// Bytes that were searched.
    pub(super) bytes: u64,
    /// Marks where none may be.
    pub(super) leaks: Vec<String>,
    /// Bodies of orders: the one attribute that may hold personal data.
    pub(super) bodies: u64,
    /// Those in which a mark was found.
    pub(super) marked: u64,
}

impl Items {
    /// Searches both tables.
    pub(super) async fn of(client: &Client, names: &Names) -> Self {
        let mut items = Self::default();
        for table in [&names.ledger, &names.mappings] {
            let mut from = None;
            loop {
                let page = client.scan().table_name(table).set_exclusive_start_key(from).send().await;
                let page = page.expect("the tables can be read");
                for item in page.items() {
                    let sk = item.get("sk").map(|sk| format!("{sk:?}")).unwrap_or_default();
                    let is_body_item = sk.contains("o#") && sk.contains("#b\"");
                    for (name, value) in item {
                        let bytes = value.as_b().ok().map(AsRef::as_ref);
                        let is_body = is_body_item && name == "body" && bytes.is_some();
                        items.attribute(is_body, || format!("{table} {sk} {name}"), &decoded(value, bytes));
                    }
                }
                from = page.last_evaluated_key().cloned();
                if from.is_none() {
                    break;
                }
            }
        }
        items
    }

    fn attribute(&mut self, is_body: bool, place: impl Fn() -> String, text: &[u8]) {
        self.bytes += text.len() as u64;
        let mark = canary::found(text);
        if is_body {
            self.bodies += 1;
            self.marked += u64::from(mark.is_some());
        } else {
            self.leaks.extend(mark.map(|around| format!("{}: {around}", place())));
        }
    }
}

/// An attribute's text; bytes as they are, and decompressed where they are compressed.
fn decoded(value: &impl Debug, bytes: Option<&[u8]>) -> Vec<u8> {
    match bytes {
        None => format!("{value:?}").into_bytes(),
        Some(bytes) => {
            let plain = decompress_to_vec_with_limit(bytes, MOST).unwrap_or_default();
            [bytes, b"\n", &plain].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_seen_in_texts_and_in_compressed_bytes() {
        let packed = adapters::codec::squeeze(b"{\"name\":\"Pat CANARYname1, Pat CANARYname1\"}");
        assert!(canary::found(&packed).is_none(), "compressed, it cannot be read");
        let mut items = Items::default();
        let place = || "ledger o#7#s doc".to_owned();
        items.attribute(false, place, &decoded(&(), Some(&packed)));
        items.attribute(false, place, &decoded(&"Pat CANARYname1", None));
        items.attribute(false, place, &decoded(&"nothing", None));
        items.attribute(true, place, &decoded(&(), Some(&packed)));
        assert_eq!((items.leaks.len(), items.bodies, items.marked), (2, 1, 1), "{items:?}");
    }
}
