//! Dates on which somebody looks at orders again: the ledger's only way to find unfinished work.

use domain::ports::Due;
use domain::{ConnectionId, Failure, OrderId};
use jiff::Timestamp;

use crate::codec;
use crate::dynamodb::keys;
use crate::dynamodb::table::{Item, Range, Row, Table, bytes, sk};

const EXPECT: &str = "ledger: expect orders";
/// Orders in one entry at most: their numbers fit 1 KB when they lie close together.
const TOGETHER: usize = 250;

pub(super) async fn expect_one(
    table: &Table,
    connection: &ConnectionId,
    at: Timestamp,
    order: OrderId,
) -> Result<(), Failure> {
    put(table, connection, keys::due_one(at, order), &codec::encode_ids(&[order])).await
}

pub(super) async fn expect(
    table: &Table,
    connection: &ConnectionId,
    at: Timestamp,
    orders: &[OrderId],
) -> Result<(), Failure> {
    let mut sorted = orders.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    for together in sorted.chunks(TOGETHER) {
        if let [order] = together {
            expect_one(table, connection, at, *order).await?;
        } else {
            let ids = codec::encode_ids(together);
            put(table, connection, keys::due_many(at, &ids), &ids).await?;
        }
    }
    Ok(())
}

async fn put(table: &Table, connection: &ConnectionId, sk: String, ids: &[u8]) -> Result<(), Failure> {
    let row = Row::new(keys::due(connection), sk).bytes("ids", ids.to_vec());
    table.put(EXPECT, row, None).await.map(|_| ())
}

pub(super) async fn due(
    table: &Table,
    connection: &ConnectionId,
    after: Option<&str>,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Due>, Failure> {
    const DURING: &str = "ledger: read dates";
    let (pk, to) = (keys::due(connection), keys::due_until(until));
    let from = after.map_or("0".to_owned(), keys::due_after);
    // A range that ends before it begins is refused.
    if from > to {
        return Ok(Vec::new());
    }
    let range = Range { strong: true, limit: Some(limit), ..Range::new(&pk, &from, &to) };
    table.all(DURING, &range, limit).await?.iter().map(|item| entry(DURING, &pk, item)).collect()
}

fn entry(during: &'static str, pk: &str, item: &Item) -> Result<Due, Failure> {
    let id = sk(item).to_owned();
    let at = keys::parse_due(&id).ok_or(codec::Unreadable("its date is not understood"));
    let orders = codec::decode_ids(bytes(item, "ids").unwrap_or_default());
    match (at, orders) {
        (Ok(at), Ok(orders)) => Ok(Due { id, at, orders }),
        (Err(e), _) | (_, Err(e)) => Err(e.at(during, pk, &id)),
    }
}

pub(super) async fn settle(table: &Table, connection: &ConnectionId, due: &Due) -> Result<(), Failure> {
    table.delete("ledger: settle date", &keys::due(connection), &due.id).await
}
