//! What is stored in the ledger, however damaged: records, orders, lists of order numbers.

use adapters::codec::{self, Doc};
use domain::{OrderId, OrderKey, Token};

use crate::target::{Verdict, refusal};

#[rustfmt::skip]
pub(crate) const WORDS: &[&str] = &[
    "{", "}", "[", "]", ",", ":", "\"", "null", "true", "\"stage\":", "\"ready\"", "\"sending\"", "\"held\"", "\"in_doubt\"",
    "\"packages\":[", "\"story\":[", "\"lines\":[", "\"total\":\"1.10\"", "\"payment\":\"accepted\"", "\"ship_to\":{",
    "\"2026-11-23T00:00:00Z\"", "\"0000000000000007\"", "\\u0000", "\\ud800", "mark@q7.example",
];

/// What an item of DynamoDB holds at most.
const ITEM_BYTES: usize = 400 * 1024;

/// A record, as text or packed.
pub(crate) fn record(input: &[u8]) -> Verdict {
    let input = input.get(..ITEM_BYTES).unwrap_or(input);
    let doc = match std::str::from_utf8(input) {
        Ok(text) => Doc::Text(text.to_owned()),
        Err(_) => Doc::Packed(input.to_vec()),
    };
    let key: OrderKey = "main/7".parse().unwrap_or_else(|e| panic!("{e}"));
    match codec::record(&doc, &key, 3, &Token(7).to_string()) {
        Err(unreadable) => refusal(&unreadable.to_string()),
        Ok(record) => {
            assert_eq!(
                (&record.key, record.version, record.written),
                (&key, 3, Token(7)),
                "another's record"
            );
            let again = codec::doc("fuzz", &record).unwrap_or_else(|e| panic!("{e}"));
            let again = codec::record(&again, &key, 3, &Token(7).to_string());
            assert_eq!(again, Ok(record), "read back it is another record");
            Verdict::Accepted
        }
    }
}

/// An order's body, packed or as the JSON that is packed.
pub(crate) fn order(input: &[u8]) -> Verdict {
    let packed = if input.first() == Some(&b'{') { codec::squeeze(input) } else { input.to_vec() };
    match codec::order(&packed) {
        Err(unreadable) => refusal(&unreadable.to_string()),
        Ok(order) => {
            let again = codec::pack_order("fuzz", &order).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(codec::order(&again), Ok(order), "read back it is another order");
            Verdict::Accepted
        }
    }
}

/// A list of order numbers.
pub(crate) fn ids(input: &[u8]) -> Verdict {
    match codec::decode_ids(input) {
        Err(unreadable) => refusal(&unreadable.to_string()),
        Ok(ids) => {
            let ascending =
                ids.iter().zip(ids.iter().skip(1)).all(|(OrderId(one), OrderId(next))| one < next);
            assert!(ascending, "not ascending, or twice");
            assert_eq!(codec::decode_ids(&codec::encode_ids(&ids)), Ok(ids), "read back it is another list");
            Verdict::Accepted
        }
    }
}
