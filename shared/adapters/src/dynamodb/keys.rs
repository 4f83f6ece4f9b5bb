//! The keys of the ledger's items. A connection's id is a slug, so `!` and `#` part it from everything else.
//!
//! ```text
//! <connection>          o#<order>#b        the order: its first record, and its body while that is kept
//!                       o#<order>#s        the record as it stands, once it has changed
//!                       o#<order>#t#<seq>  older entries of its story
//!                       cursor             how far the store was read, and who may import
//!                       circuit            whether the warehouse is there, and what waits for it
//!                       bookmark           how far the warehouse's shipments were read
//!                       daily              where the daily reconciliation stands
//!                       i#<issue>          what people said about an issue
//!                       told               what people were told, and have not been told the end of
//! <connection>!due      <time>#<which>     somebody should look at these orders again
//! <connection>!parked   <id>               a notice that could not be read
//! !connections          <connection>       the connection itself
//! ```

use domain::{ConnectionId, OrderId, OrderKey};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};

pub(super) const CONNECTIONS: &str = "!connections";
pub(super) const CURSOR: &str = "cursor";
pub(super) const BOOKMARK: &str = "bookmark";
pub(super) const CIRCUIT: &str = "circuit";
pub(super) const DAILY: &str = "daily";
pub(super) const TOLD: &str = "told";
/// What the keys of all issues begin with; sorts before them.
pub(super) const ISSUES_START: &str = "i#";
/// Sorts after every issue of a connection.
pub(super) const ISSUES_END: &str = "i#~";
/// Sorts after every order's items of a connection.
pub(super) const ORDERS_END: &str = "o#~";

/// Sorts before the first order's items of a connection.
pub(super) const ORDERS_START: &str = "o#";

pub(super) fn body(order: OrderId) -> String {
    format!("o#{:020}#b", order.0)
}

pub(super) fn state(order: OrderId) -> String {
    format!("o#{:020}#s", order.0)
}

pub(super) fn story(order: OrderId, seq: u32) -> String {
    format!("o#{:020}#t#{seq:010}", order.0)
}

pub(super) fn issue(id: &str) -> String {
    format!("{ISSUES_START}{id}")
}

/// Sorts after everything of an order and before the next one.
pub(super) fn order_end(order: OrderId) -> String {
    format!("o#{:020}#~", order.0)
}

/// What an item of an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Body,
    State,
    Story,
}

/// Reads the sort key of an order's item; none when it is something else.
pub(super) fn parse_order(sk: &str) -> Option<(OrderId, Part)> {
    let (digits, part) = sk.strip_prefix("o#")?.split_once('#')?;
    let part = match part {
        "b" => Part::Body,
        "s" => Part::State,
        other if other.starts_with("t#") => Part::Story,
        _ => return None,
    };
    (digits.len() == 20).then(|| digits.parse().ok()).flatten().map(|order| (order, part))
}

/// Reads the whole key of an order's item.
pub(super) fn parse_key(pk: &str, sk: &str) -> Option<OrderKey> {
    let connection = ConnectionId::parse(pk).ok()?;
    parse_order(sk).map(|(order, _)| OrderKey::new(connection, order))
}

pub(super) fn due(connection: &ConnectionId) -> String {
    format!("{connection}!due")
}

pub(super) fn parked(connection: &ConnectionId) -> String {
    format!("{connection}!parked")
}

/// An instant as text of fixed width that sorts by time, to the nanosecond: an entry must never seem to lie before the
/// instant that a record names. Instants before 1970 count as 1970.
pub(super) fn time(at: Timestamp) -> String {
    let at = at.max(Timestamp::UNIX_EPOCH);
    format!("{at:.9}")
}

/// The entry that one order has at one instant: the same however often it is written.
pub(super) fn due_one(at: Timestamp, order: OrderId) -> String {
    format!("{}#{:020}", time(at), order.0)
}

/// The entry of several orders: named by what it holds, so that writing it again changes nothing.
pub(super) fn due_many(at: Timestamp, encoded: &[u8]) -> String {
    let hash = digest(&SHA256, encoded);
    let hex: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}#p{hex}", time(at))
}

/// The instant in the key of an entry.
pub(super) fn parse_due(sk: &str) -> Option<Timestamp> {
    sk.split_once('#')?.0.parse().ok()
}

/// Sorts right after the entry `id`: no other begins with the whole of it.
pub(super) fn due_after(id: &str) -> String {
    format!("{id}!")
}

/// Sorts after every entry up to `until`, that instant included.
pub(super) fn due_until(until: Timestamp) -> String {
    format!("{}#~", time(until))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_parts_of_an_order_sort_as_they_are_read() {
        let order = OrderId(7);
        let keys = [
            body(order),
            state(order),
            story(order, 0),
            story(order, 10),
            order_end(order),
            body(OrderId(8)),
        ];
        assert!(keys.is_sorted(), "{keys:?}");
        assert!(keys.iter().all(|key| key.as_str() < ORDERS_END && key.as_str() > ORDERS_START));
        assert_eq!(parse_order(&story(order, 3)), Some((order, Part::Story)));
    }

    proptest! {
        #[test]
        fn times_sort_as_instants(a in 0_i128..253_000_000_000_000_000_000, b in 0_i128..253_000_000_000_000_000_000) {
            let (a, b) = (Timestamp::from_nanosecond(a).unwrap(), Timestamp::from_nanosecond(b).unwrap());
            prop_assert_eq!(time(a).cmp(&time(b)), a.cmp(&b));
            prop_assert_eq!(parse_due(&due_one(a, OrderId(1))), Some(a));
            prop_assert!(due_one(a, OrderId(u64::MAX)) < due_until(a));
            prop_assert!(due_one(a, OrderId(7)) < due_after(&due_one(a, OrderId(7))));
            prop_assert!(due_after(&due_one(a, OrderId(7))) < due_one(a, OrderId(8)));
            prop_assert!(due_after(&due_one(a, OrderId(7))) < due_many(a, b"x"));
        }

        #[test]
        fn orders_sort_as_numbers(a: u64, b: u64) {
            prop_assert_eq!(state(OrderId(a)).cmp(&state(OrderId(b))), a.cmp(&b));
            prop_assert_eq!(parse_order(&state(OrderId(a))), Some((OrderId(a), Part::State)));
        }

        #[test]
        fn no_key_panics(pk in ".{0,60}", sk in ".{0,60}") {
            let _ignored = (parse_key(&pk, &sk), parse_due(&sk));
        }
    }
}
