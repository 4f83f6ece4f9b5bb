//! What the calls cost: requests and capacity units, as DynamoDB bills them.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity};

/// Counts requests and units. Shared by everything that should be counted together.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    write_halves: AtomicU64,
    read_halves: AtomicU64,
}

/// What was used. Units are counted in halves, because an eventually consistent read costs half of one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Calls over the network, without the SDK's own repetitions.
    pub requests: u64,
    /// Halves of a write unit (1 KB written).
    pub write_halves: u64,
    /// Halves of a read unit (4 KB read with strong consistency).
    pub read_halves: u64,
}

/// Which of the two is billed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Read,
    Write,
}

impl Meter {
    /// What was used since the start.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage {
            requests: self.requests.load(Ordering::Relaxed),
            write_halves: self.write_halves.load(Ordering::Relaxed),
            read_halves: self.read_halves.load(Ordering::Relaxed),
        }
    }

    pub(super) fn count(&self, side: Side, used: &[ConsumedCapacity]) {
        self.count_halves(side, used.iter().filter_map(ConsumedCapacity::capacity_units).map(halves).sum());
    }

    /// A write whose condition did not hold is billed by the item that is there, and no units are reported.
    pub(super) fn count_refused(&self, there: Option<&HashMap<String, AttributeValue>>) {
        let bytes = there.map_or(0, item_size);
        self.count_halves(Side::Write, 2 * (bytes.div_ceil(1024).max(1) as u64));
    }

    fn count_halves(&self, side: Side, halves: u64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let units = match side {
            Side::Read => &self.read_halves,
            Side::Write => &self.write_halves,
        };
        units.fetch_add(halves, Ordering::Relaxed);
    }
}

#[expect(clippy::float_arithmetic, reason = "the SDK gives units as a float; they are multiples of a half")]
#[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "units are small and positive")]
fn halves(units: f64) -> u64 {
    (units * 2.0).round().max(0.0) as u64
}

impl std::ops::Sub for Usage {
    type Output = Self;
    fn sub(self, earlier: Self) -> Self {
        Self {
            requests: self.requests - earlier.requests,
            write_halves: self.write_halves - earlier.write_halves,
            read_halves: self.read_halves - earlier.read_halves,
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |halves: u64| format!("{}.{}", halves / 2, if halves.is_multiple_of(2) { 0 } else { 5 });
        let (writes, reads) = (text(self.write_halves), text(self.read_halves));
        write!(f, "{} requests, {writes} write units, {reads} read units", self.requests)
    }
}

/// The size of an item by DynamoDB's rules: names and values in bytes, a number about a byte for two digits.
#[must_use]
pub fn item_size(item: &HashMap<String, AttributeValue>) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        // Nothing else is written by us; a list or a map costs at least this.
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_printed_with_its_halves() {
        let usage = Usage { requests: 3, write_halves: 4, read_halves: 3 };
        assert_eq!(usage.to_string(), "3 requests, 2.0 write units, 1.5 read units");
    }

    #[test]
    fn a_refused_write_costs_what_is_there() {
        let meter = Meter::default();
        meter.count_refused(None);
        let large = HashMap::from([("pk".to_owned(), AttributeValue::S("x".repeat(1500)))]);
        meter.count_refused(Some(&large));
        assert_eq!(meter.usage(), Usage { requests: 2, write_halves: 2 + 4, read_halves: 0 });
    }
}
