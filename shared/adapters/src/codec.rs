//! How values become attributes: small, and readable again whatever happened to them.

use std::fmt;

use domain::OrderId;
use domain::limits::RECORD_BYTES;
use domain::order::Order;
use domain::record::Record;
use domain::{Failure, OrderKey};
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::json;

/// A record's text up to this size stays text, which a person can read in the console. A longer one is packed, so that
/// an item stays under 1 KB, the unit in which writes are billed.
const READABLE: usize = 800;

/// Why an attribute cannot be read: our words only, nothing of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub(crate) &'static str);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Unreadable {
    /// The failure that names the item.
    #[cfg(feature = "cloud")]
    pub(crate) fn at(self, during: &'static str, pk: &str, sk: &str) -> Failure {
        Failure::poison(during, format!("item {pk} {sk}: {}", self.0))
    }
}

fn written(during: &'static str, value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|_| Failure::permanent(during, "a value has no JSON form"))
}

/// JSON of at most `most` bytes, compressed.
///
/// # Errors
/// When it is larger: it could not be read again.
pub(crate) fn pack(during: &'static str, value: &impl Serialize, most: usize) -> Result<Vec<u8>, Failure> {
    let json = written(during, value)?;
    let too_large = || Failure::permanent(during, format!("a value is larger than {most} bytes"));
    if json.len() <= most { Ok(squeeze(&json)) } else { Err(too_large()) }
}

/// The body of an order, packed.
///
/// # Errors
/// When it is too large to be kept.
pub fn pack_order(during: &'static str, order: &Order) -> Result<Vec<u8>, Failure> {
    pack(during, order, RECORD_BYTES)
}

/// Reads what [`pack`] wrote.
pub(crate) fn unpack<T: DeserializeOwned>(packed: &[u8], most: usize) -> Result<T, Unreadable> {
    serde_json::from_slice(&stretch(packed, most)?).map_err(|_| Unreadable("its JSON is not understood"))
}

/// Bytes, compressed.
pub fn squeeze(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, 9)
}

/// Reads what [`squeeze`] wrote.
pub(crate) fn stretch(packed: &[u8], most: usize) -> Result<Vec<u8>, Unreadable> {
    decompress_to_vec_with_limit(packed, most).map_err(|_| Unreadable("its compressed bytes cannot be read"))
}

/// A record as it is stored: readable text, or packed when it is long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doc {
    /// Readable text.
    Text(String),
    /// Packed text.
    Packed(Vec<u8>),
}

/// A record without what the item's keys and its other attributes say already.
pub fn doc(during: &'static str, record: &Record) -> Result<Doc, Failure> {
    let mut value = serde_json::to_value(record)
        .map_err(|_| Failure::permanent(during, "the record has no JSON form"))?;
    if let Value::Object(fields) = &mut value {
        for stored_beside in ["key", "v", "w"] {
            fields.remove(stored_beside);
        }
    }
    let text = value.to_string();
    if text.len() > RECORD_BYTES {
        return Err(Failure::permanent(during, "the record is too large to be kept"));
    }
    Ok(if text.len() <= READABLE { Doc::Text(text) } else { Doc::Packed(squeeze(text.as_bytes())) })
}

/// Reads what [`doc`] wrote.
pub fn record(doc: &Doc, key: &OrderKey, version: u64, written: &str) -> Result<Record, Unreadable> {
    const WRONG: Unreadable = Unreadable("its record is not understood");
    let value: Value = match doc {
        Doc::Text(text) => json::read(text.as_bytes(), RECORD_BYTES).map_err(|_| WRONG)?,
        Doc::Packed(packed) => {
            json::read(&stretch(packed, RECORD_BYTES)?, RECORD_BYTES).map_err(|_| WRONG)?
        }
    };
    let Value::Object(mut fields) = value else { return Err(WRONG) };
    fields.insert("key".to_owned(), serde_json::to_value(key).map_err(|_| WRONG)?);
    fields.insert("v".to_owned(), version.into());
    fields.insert("w".to_owned(), written.into());
    serde_json::from_value(Value::Object(fields)).map_err(|_| WRONG)
}

/// The body of an order.
pub fn order(packed: &[u8]) -> Result<Order, Unreadable> {
    unpack(packed, RECORD_BYTES)
}

/// Order numbers, ascending and once each, as differences of 7 bits a byte: two or three bytes for a neighbour.
pub fn encode_ids(ids: &[OrderId]) -> Vec<u8> {
    let mut sorted: Vec<u64> = ids.iter().map(|id| id.0).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut bytes = Vec::new();
    let mut last = 0;
    for id in sorted {
        let mut rest = id - last;
        last = id;
        while rest >= 0x80 {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
    }
    bytes
}

/// Reads what [`encode_ids`] wrote.
pub fn decode_ids(bytes: &[u8]) -> Result<Vec<OrderId>, Unreadable> {
    const WRONG: Unreadable = Unreadable("its list of order numbers is not understood");
    let mut ids = Vec::new();
    let mut last: u64 = 0;
    let (mut rest, mut shift) = (0_u64, 0_u32);
    for byte in bytes {
        let part = u64::from(byte & 0x7f);
        if shift >= 64 || (shift == 63 && part > 1) {
            return Err(WRONG);
        }
        rest |= part << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            if rest == 0 && !ids.is_empty() {
                return Err(WRONG);
            }
            last = last.checked_add(rest).ok_or(WRONG)?;
            ids.push(OrderId(last));
            (rest, shift) = (0, 0);
        }
    }
    if shift == 0 { Ok(ids) } else { Err(WRONG) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Token;
    use proptest::prelude::*;
    use testkit::build;

    fn read_back(record: &Record) -> Record {
        let doc = doc("test", record).unwrap();
        super::record(&doc, &record.key, record.version, &record.written.to_string()).unwrap()
    }

    #[test]
    fn a_record_is_read_back_as_text_and_packed() {
        let mut record = build::ready(&build::key("main", 5), 9);
        assert!(matches!(doc("test", &record).unwrap(), Doc::Text(_)));
        assert_eq!(read_back(&record), record);
        record.packages = (0..10).map(|n| build::package(&format!("P{n}"))).collect();
        assert!(matches!(doc("test", &record).unwrap(), Doc::Packed(_)));
        assert_eq!(read_back(&record), record);
    }

    proptest! {
        #[test]
        fn any_record_is_read_back(version: u64, written: u64, words in prop::collection::vec(".{0,80}", 0..20), attempts: u32) {
            let mut record = build::ready(&build::key("main", 5), 9);
            (record.version, record.written, record.attempts) = (version, Token(written), attempts);
            let entry = record.story[0].clone();
            record.story = words.into_iter().map(|what| domain::record::Entry { what: what.into(), ..entry.clone() }).collect();
            prop_assert_eq!(read_back(&record), record);
        }

        #[test]
        fn any_order_is_read_back(comments in ".{0,300}", cents: i64, quantity: u32, id: u64) {
            let mut order = build::order(id);
            order.comments = comments;
            order.lines.push(build::line(3, "X", "Ünïcode & <Co>", quantity, cents));
            let packed = pack_order("test", &order).unwrap();
            prop_assert_eq!(super::order(&packed).unwrap(), order);
        }

        #[test]
        fn any_numbers_are_read_back(mut ids in prop::collection::vec(any::<u64>(), 0..50)) {
            let encoded = encode_ids(&ids.iter().copied().map(OrderId).collect::<Vec<_>>());
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(decode_ids(&encoded).unwrap(), ids.into_iter().map(OrderId).collect::<Vec<_>>());
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,100}") {
            let key = build::key("main", 5);
            let _ignored = (decode_ids(&bytes), order(&bytes), unpack::<Value>(&bytes, 1000));
            let _ignored = record(&Doc::Packed(bytes), &key, 1, &text);
            let _ignored = record(&Doc::Text(text.clone()), &key, 1, &text);
            let packed = squeeze(text.as_bytes());
            let _ignored = (order(&packed), record(&Doc::Packed(packed), &key, 1, "00"));
        }
    }
}
