//! Orders in the ledger: inserting, reading, replacing.

use std::collections::BTreeMap;

use domain::limits::RECORD_BYTES;
use domain::order::Order;
use domain::ports::{Inserted, Saved};
use domain::record::{Entry, Record, Stage};
use domain::{ConnectionId, Failure, OrderId, OrderKey};
use jiff::Timestamp;

use super::item::{self, Pair, Pairs, RECORD_ONLY};
use crate::codec;
use crate::dynamodb::keys;
use crate::dynamodb::table::{Expression, Item, Range, Row, Table, Written, bytes, sk, text};

const ABSENT: &str = "attribute_not_exists(pk)";

pub(super) async fn insert(
    table: &Table,
    record: &Record,
    body: Option<&Order>,
    expires: Timestamp,
) -> Result<Inserted, Failure> {
    const DURING: &str = "ledger: insert order";
    // Whoever will never be sent leaves no personal data behind.
    let body = body.filter(|_| !matches!(record.stage, Stage::Excluded(_)));
    let first = item::first(DURING, record, body, expires)?;
    if let Written::Refused(there) = table.put(DURING, first, Some(Expression::new(ABSENT))).await?
        && item::found(there.as_ref(), record) == Inserted::Exists
    {
        return Ok(Inserted::Exists);
    }
    if body.is_some() && !matches!(record.stage, Stage::Ready { .. }) {
        // A second try may find it there, or find it changed already: both are well.
        table.put(DURING, item::state(DURING, record)?, Some(Expression::new(ABSENT))).await?;
    }
    Ok(Inserted::New)
}

pub(super) async fn save(table: &Table, before: &Record, after: &Record) -> Result<Saved, Failure> {
    const DURING: &str = "ledger: save order";
    if let Some(oldest) = after.spilled.first() {
        spill(table, after, oldest.seq).await?;
    }
    // The first record of an order may have no state item yet; nobody has changed it then.
    let condition =
        if before.version == 1 { "attribute_not_exists(pk) OR v = :before" } else { "v = :before" };
    let condition = Expression::new(condition).with(Row::default().number(":before", before.version));
    match table.put(DURING, item::state(DURING, after)?, Some(condition)).await? {
        Written::Done => Ok(Saved::Done),
        Written::Refused(there) => conflict(table, after, there).await,
    }
}

/// Our own earlier write is no conflict. Where no state is there, the first record still counts.
async fn conflict(table: &Table, after: &Record, there: Option<Item>) -> Result<Saved, Failure> {
    const DURING: &str = "ledger: save order";
    let there = match there {
        Some(item) => item::record(DURING, &item)?,
        None => load(table, &after.key, true).await?,
    };
    match there {
        Some(record) if record.written == after.written => Ok(Saved::Done),
        there => Ok(Saved::Conflict(there.map(Box::new))),
    }
}

/// Keeps entries of the story that the record has no room for. Several writers write the same.
async fn spill(table: &Table, after: &Record, oldest: u32) -> Result<(), Failure> {
    const DURING: &str = "ledger: keep story";
    let row = Row::new(after.key.connection.as_str(), keys::story(after.key.order, oldest))
        .bytes("story", codec::pack(DURING, &after.spilled, RECORD_BYTES)?);
    table.put(DURING, row, None).await.map(|_| ())
}

pub(super) async fn older_story(table: &Table, key: &OrderKey) -> Result<Vec<Entry>, Failure> {
    const DURING: &str = "ledger: read story";
    let (from, to) = (keys::body(key.order), keys::order_end(key.order));
    let range = Range::new(key.connection.as_str(), &from, &to);
    let items = table.all(DURING, &range, usize::MAX).await?;
    let mut entries: BTreeMap<u32, Entry> = BTreeMap::new();
    let mut pairs = Pairs::default();
    for item in items {
        if let Some(packed) = bytes(&item, "story") {
            let told: Vec<Entry> = codec::unpack(packed, RECORD_BYTES)
                .map_err(|e| e.at(DURING, key.connection.as_str(), sk(&item)))?;
            entries.extend(told.into_iter().map(|entry| (entry.seq, entry)));
        }
        pairs.add(item);
    }
    pairs.close();
    // A writer that lost may have spilled an entry that the record still holds.
    let kept = pairs.records(DURING)?.first().and_then(|record| record.story.first().map(|entry| entry.seq));
    Ok(entries.into_values().filter(|entry| kept.is_none_or(|kept| entry.seq < kept)).collect())
}

/// Reads the one or two items of an order. Nothing found with half consistency is asked again with all of it.
async fn pair(
    table: &Table,
    key: &OrderKey,
    strong: bool,
    only: Option<&'static str>,
) -> Result<Pair, Failure> {
    const DURING: &str = "ledger: read order";
    let (from, to) = (keys::body(key.order), keys::state(key.order));
    let mut range = Range { strong, only, ..Range::new(key.connection.as_str(), &from, &to) };
    let mut items = table.all(DURING, &range, usize::MAX).await?;
    if items.is_empty() && !strong {
        range.strong = true;
        items = table.all(DURING, &range, usize::MAX).await?;
    }
    let mut pair = Pair::default();
    for item in items {
        if let Some((_, part)) = keys::parse_order(sk(&item)) {
            pair.add(part, item);
        }
    }
    Ok(pair)
}

pub(super) async fn load(table: &Table, key: &OrderKey, strong: bool) -> Result<Option<Record>, Failure> {
    pair(table, key, strong, Some(RECORD_ONLY)).await?.record("ledger: read order")
}

pub(super) async fn open(
    table: &Table,
    key: &OrderKey,
    strong: bool,
) -> Result<Option<(Record, Option<Order>)>, Failure> {
    const DURING: &str = "ledger: read order";
    let pair = pair(table, key, strong, None).await?;
    let Some(record) = pair.record(DURING)? else { return Ok(None) };
    let body = pair.body.as_ref().map(|item| item::body(DURING, item)).transpose()?.flatten();
    Ok(Some((record, body)))
}

pub(super) async fn revise(
    table: &Table,
    key: &OrderKey,
    body: &Order,
    expires: Timestamp,
) -> Result<(), Failure> {
    const DURING: &str = "ledger: revise body";
    let values = Row::default()
        .bytes(":body", codec::pack_order(DURING, body)?)
        .number(":expires", expires.as_second());
    let update = Expression::new("SET body = :body, expires = :expires").with(values);
    table.update(DURING, key.connection.as_str(), &keys::body(key.order), update, None).await.map(|_| ())
}

pub(super) async fn load_many(
    table: &Table,
    connection: &ConnectionId,
    orders: &[OrderId],
) -> Result<Vec<Record>, Failure> {
    let mut wanted = orders.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let (mut records, left) = neighbours(table, connection, &wanted).await?;
    for chunk in left.chunks(50) {
        records.extend(scattered(table, connection, chunk).await?);
    }
    Ok(records)
}

const READ_MANY: &str = "ledger: read orders";

/// Orders asked for together mostly lie side by side: one page over their range reads them for a quarter of the price
/// of single items, and costs nothing for those that are not there. Gives back which orders the page did not reach.
async fn neighbours<'a>(
    table: &Table,
    connection: &ConnectionId,
    wanted: &'a [OrderId],
) -> Result<(Vec<Record>, &'a [OrderId]), Failure> {
    let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok((Vec::new(), &[])) };
    let (from, to) = (keys::body(*first), keys::state(*last));
    let limit = Some(4 * wanted.len() + 10);
    let range = Range { only: Some(RECORD_ONLY), limit, ..Range::new(connection.as_str(), &from, &to) };
    let page = table.page(READ_MANY, &range, None).await?;
    // The last order of a page may go on in the next one.
    let end = page.next.as_ref().and_then(|key| keys::parse_order(sk(key))).map(|(order, _)| order);
    let reached = end.map_or(wanted.len(), |end| wanted.partition_point(|order| *order < end));
    let (mine, left) = wanted.split_at(reached);
    let mut pairs = Pairs::default();
    page.items.into_iter().for_each(|item| pairs.add(item));
    pairs.close();
    pairs.done.retain(|(order, _)| mine.binary_search(order).is_ok());
    Ok((pairs.records(READ_MANY)?, left))
}

/// Orders that lie far apart: both items of each.
async fn scattered(
    table: &Table,
    connection: &ConnectionId,
    orders: &[OrderId],
) -> Result<Vec<Record>, Failure> {
    let keys = orders
        .iter()
        .flat_map(|order| [keys::body(*order), keys::state(*order)])
        .map(|sk| Row::new(connection.as_str(), sk).0)
        .collect();
    let mut items = table.get_many(READ_MANY, keys, RECORD_ONLY).await?;
    items.sort_by(|a, b| text(a, "sk").cmp(&text(b, "sk")));
    let mut pairs = Pairs::default();
    items.into_iter().for_each(|item| pairs.add(item));
    pairs.close();
    pairs.records(READ_MANY)
}

pub(super) async fn scan(
    table: &Table,
    connection: &ConnectionId,
    after: Option<OrderId>,
    limit: usize,
) -> Result<Vec<Record>, Failure> {
    const DURING: &str = "ledger: scan";
    let from = after.map_or(keys::ORDERS_START.to_owned(), keys::order_end);
    let range = Range {
        only: Some(RECORD_ONLY),
        limit: Some((2 * limit + 2).min(1000)),
        ..Range::new(connection.as_str(), &from, keys::ORDERS_END)
    };
    let (mut records, mut pairs, mut start) = (Vec::new(), Pairs::default(), None);
    while records.len() < limit {
        let page = table.page(DURING, &range, start).await?;
        page.items.into_iter().for_each(|item| pairs.add(item));
        start = page.next;
        if start.is_none() {
            pairs.close();
        }
        records.extend(pairs.records(DURING)?);
        if start.is_none() {
            break;
        }
    }
    records.truncate(limit);
    Ok(records)
}
