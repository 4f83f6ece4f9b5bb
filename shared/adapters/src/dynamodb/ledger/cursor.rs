//! How far a store was read and who may import, in one item; and the bookmark of the warehouse's feed.

use domain::ports::{Cursor, Lease};
use domain::{ConnectionId, Failure, Token};
use jiff::Timestamp;

use crate::codec;
use crate::dynamodb::keys;
use crate::dynamodb::table::{Expression, Item, Row, Table, Written, bytes, number, text};

pub(super) async fn cursor(table: &Table, connection: &ConnectionId) -> Result<Cursor, Failure> {
    const DURING: &str = "ledger: read cursor";
    match table.get(DURING, connection.as_str(), keys::CURSOR, true).await? {
        None => Ok(Cursor::default()),
        Some(item) => read(&item).map_err(|e| e.at(DURING, connection.as_str(), keys::CURSOR)),
    }
}

fn read(item: &Item) -> Result<Cursor, codec::Unreadable> {
    let position = text(item, "pos").map(str::parse).transpose();
    Ok(Cursor {
        version: number(item, "v").unwrap_or(0),
        position: position.map_err(|_| codec::Unreadable("its position is not an instant"))?,
        seen: codec::decode_ids(bytes(item, "seen").unwrap_or_default())?,
    })
}

pub(super) async fn lease(
    table: &Table,
    connection: &ConnectionId,
    lease: Lease,
    now: Timestamp,
) -> Result<bool, Failure> {
    let values = Row::default()
        .text(":l", lease.token.to_string())
        .text(":u", keys::time(lease.until))
        .text(":now", keys::time(now));
    let take = Expression::new("SET l = :l, u = :u").with(values);
    let free = "attribute_not_exists(l) OR u <= :now OR l = :l";
    let pk = connection.as_str();
    let written = table.update("ledger: take lease", pk, keys::CURSOR, take, Some(free)).await?;
    Ok(matches!(written, Written::Done))
}

pub(super) async fn move_cursor(
    table: &Table,
    connection: &ConnectionId,
    cursor: &Cursor,
    holder: Token,
) -> Result<bool, Failure> {
    match write(table, connection, cursor, holder, true).await? {
        Written::Done => Ok(true),
        Written::Refused(there) => {
            let version = there.as_ref().and_then(|item| number(item, "v")).unwrap_or(0);
            let writer = there.as_ref().and_then(|item| text(item, "w"));
            if version == cursor.version {
                // Nobody moved it, but the lease is not ours (any more): move it and leave the lease alone.
                let second = write(table, connection, cursor, holder, false).await?;
                return Ok(matches!(second, Written::Done));
            }
            let ours = holder.to_string();
            Ok(version == cursor.version + 1 && writer == Some(ours.as_str()))
        }
    }
}

/// Moves the cursor from where it was, with our lease (and gives that back) or without.
async fn write(
    table: &Table,
    connection: &ConnectionId,
    cursor: &Cursor,
    holder: Token,
    leased: bool,
) -> Result<Written, Failure> {
    let mut values = Row::default()
        .number(":v", cursor.version)
        .number(":next", cursor.version + 1)
        .text(":w", holder.to_string())
        .bytes(":seen", codec::encode_ids(&cursor.seen));
    if let Some(position) = cursor.position {
        values = values.text(":pos", position.to_string());
    }
    let (update, condition) = expressions(cursor, leased);
    let update = Expression::new(update).with(values);
    table.update("ledger: move cursor", connection.as_str(), keys::CURSOR, update, Some(condition)).await
}

fn expressions(cursor: &Cursor, leased: bool) -> (&'static str, &'static str) {
    let update = match (cursor.position.is_some(), leased) {
        (true, true) => "SET v = :next, w = :w, seen = :seen, pos = :pos REMOVE l, u",
        (true, false) => "SET v = :next, w = :w, seen = :seen, pos = :pos",
        (false, true) => "SET v = :next, w = :w, seen = :seen REMOVE l, u, pos",
        (false, false) => "SET v = :next, w = :w, seen = :seen REMOVE pos",
    };
    let condition = match (cursor.version, leased) {
        (0, true) => "(attribute_not_exists(v) OR v = :v) AND l = :w",
        (0, false) => "(attribute_not_exists(v) OR v = :v) AND (attribute_not_exists(l) OR l <> :w)",
        (_, true) => "v = :v AND l = :w",
        (_, false) => "v = :v AND (attribute_not_exists(l) OR l <> :w)",
    };
    (update, condition)
}

pub(super) async fn bookmark(table: &Table, connection: &ConnectionId) -> Result<Option<String>, Failure> {
    let item = table.get("ledger: read bookmark", connection.as_str(), keys::BOOKMARK, false).await?;
    Ok(item.and_then(|item| text(&item, "mark").map(str::to_owned)))
}

pub(super) async fn set_bookmark(
    table: &Table,
    connection: &ConnectionId,
    bookmark: &str,
) -> Result<(), Failure> {
    let row = Row::new(connection.as_str(), keys::BOOKMARK).text("mark", bookmark);
    table.put("ledger: move bookmark", row, None).await.map(|_| ())
}
