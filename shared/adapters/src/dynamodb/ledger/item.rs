//! The items of an order, and what two of them together say.

use domain::order::Order;
use domain::ports::Inserted;
use domain::record::Record;
use domain::{Failure, OrderId};
use jiff::Timestamp;

use crate::codec::{self, Doc};
use crate::dynamodb::keys::{self, Part};
use crate::dynamodb::table::{Item, Row, bytes, number, sk, text};

/// The attributes that make a record.
pub(super) const RECORD_ONLY: &str = "pk, sk, v, w, doc";

/// Adds a record's attributes to a row.
fn with_record(row: Row, during: &'static str, record: &Record) -> Result<Row, Failure> {
    let row = row
        .number("v", record.version)
        .text("w", record.written.to_string())
        .text("stage", record.stage.word());
    Ok(match codec::doc(during, record)? {
        Doc::Text(doc) => row.text("doc", doc),
        Doc::Packed(doc) => row.bytes("doc", doc),
    })
}

/// The item that a new order comes in with. Without a body it never expires.
pub(super) fn first(
    during: &'static str,
    record: &Record,
    body: Option<&Order>,
    expires: Timestamp,
) -> Result<Row, Failure> {
    let row = Row::new(record.key.connection.as_str(), keys::body(record.key.order));
    let row = with_record(row, during, record)?;
    Ok(match body {
        Some(body) => row.bytes("body", codec::pack_order(during, body)?).expires(expires),
        None => row,
    })
}

/// The item of an order's state.
pub(super) fn state(during: &'static str, record: &Record) -> Result<Row, Failure> {
    with_record(Row::new(record.key.connection.as_str(), keys::state(record.key.order)), during, record)
}

/// Reads the record in an item; none where it holds none, as a body that came later than its record.
pub(super) fn record(during: &'static str, item: &Item) -> Result<Option<Record>, Failure> {
    let (pk, sk) = (text(item, "pk").unwrap_or_default(), sk(item));
    let doc = match (text(item, "doc"), bytes(item, "doc")) {
        (Some(doc), _) => Doc::Text(doc.to_owned()),
        (_, Some(doc)) => Doc::Packed(doc.to_vec()),
        (None, None) => return Ok(None),
    };
    let wrong = || codec::Unreadable("its key, version or writer is not understood").at(during, pk, sk);
    let key = keys::parse_key(pk, sk).ok_or_else(wrong)?;
    let version = number(item, "v").ok_or_else(wrong)?;
    let written = text(item, "w").ok_or_else(wrong)?;
    codec::record(&doc, &key, version, written).map(Some).map_err(|e| e.at(during, pk, sk))
}

/// Reads the body in an item, where it has one.
pub(super) fn body(during: &'static str, item: &Item) -> Result<Option<Order>, Failure> {
    let packed = bytes(item, "body");
    packed
        .map(codec::order)
        .transpose()
        .map_err(|e| e.at(during, text(item, "pk").unwrap_or_default(), sk(item)))
}

/// Did an insert that found `there` write it itself, in an earlier try?
pub(super) fn found(there: Option<&Item>, record: &Record) -> Inserted {
    let ours = there.and_then(|item| text(item, "w")) == Some(record.written.to_string().as_str());
    if ours { Inserted::New } else { Inserted::Exists }
}

/// The items of one order, as far as they were read.
#[derive(Default)]
pub(super) struct Pair {
    pub(super) body: Option<Item>,
    state: Option<Item>,
}

impl Pair {
    pub(super) fn add(&mut self, part: Part, item: Item) {
        match part {
            Part::Body => self.body = Some(item),
            Part::State => self.state = Some(item),
            Part::Story => {}
        }
    }

    /// The record as it stands: the state's, or the first one while nothing has changed yet.
    pub(super) fn record(&self, during: &'static str) -> Result<Option<Record>, Failure> {
        match self.state.as_ref().or(self.body.as_ref()) {
            Some(item) => record(during, item),
            None => Ok(None),
        }
    }
}

/// Puts items that come in the order of their keys together, order by order.
#[derive(Default)]
pub(super) struct Pairs {
    pub(super) done: Vec<(OrderId, Pair)>,
    open: Option<(OrderId, Pair)>,
}

impl Pairs {
    pub(super) fn add(&mut self, item: Item) {
        let Some((order, part)) = keys::parse_order(sk(&item)) else { return };
        if self.open.as_ref().is_some_and(|(open, _)| *open != order) {
            self.done.extend(self.open.take());
        }
        self.open.get_or_insert_with(|| (order, Pair::default())).1.add(part, item);
    }

    /// Nothing more comes: the last order is whole as well.
    pub(super) fn close(&mut self) {
        self.done.extend(self.open.take());
    }

    /// Takes the records of the orders that are whole.
    pub(super) fn records(&mut self, during: &'static str) -> Result<Vec<Record>, Failure> {
        let done = std::mem::take(&mut self.done);
        done.iter().filter_map(|(_, pair)| pair.record(during).transpose()).collect()
    }
}
