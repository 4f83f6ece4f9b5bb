//! Notices that could not be read, kept for a person until they expire.

use domain::limits::RECORD_BYTES;
use domain::ports::Parked;
use domain::{ConnectionId, Failure};
use jiff::Timestamp;

use crate::codec::{self, Unreadable};
use crate::dynamodb::keys;
use crate::dynamodb::table::{Expression, Item, Range, Row, Table, bytes, sk, text};

pub(super) async fn park(
    table: &Table,
    connection: &ConnectionId,
    parked: &Parked,
    expires: Timestamp,
) -> Result<(), Failure> {
    const DURING: &str = "ledger: park notice";
    let row = Row::new(keys::parked(connection), &parked.id)
        .text("at", parked.at.to_string())
        .text("why", &parked.why)
        .bytes("raw", codec::squeeze(&parked.raw))
        .expires(expires);
    table.put(DURING, row, Some(Expression::new("attribute_not_exists(pk)"))).await.map(|_| ())
}

pub(super) async fn parked(
    table: &Table,
    connection: &ConnectionId,
    limit: usize,
) -> Result<Vec<Parked>, Failure> {
    const DURING: &str = "ledger: read parked notices";
    let pk = keys::parked(connection);
    // Named by their ids, so that the same one is kept once: their order comes from reading all of them.
    let range = Range::new(&pk, " ", "\u{10ffff}");
    let (mut newest, mut start) = (Vec::new(), None);
    loop {
        let page = table.page(DURING, &range, start).await?;
        for item in page.items {
            newest.push(read(&item).map_err(|e| e.at(DURING, &pk, sk(&item)))?);
        }
        newest.sort_by(|a: &Parked, b: &Parked| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
        newest.truncate(limit);
        start = page.next;
        if start.is_none() {
            return Ok(newest);
        }
    }
}

fn read(item: &Item) -> Result<Parked, Unreadable> {
    let at = text(item, "at").and_then(|at| at.parse().ok());
    Ok(Parked {
        id: sk(item).to_owned(),
        at: at.ok_or(Unreadable("its date is not an instant"))?,
        why: text(item, "why").unwrap_or_default().to_owned(),
        raw: codec::stretch(bytes(item, "raw").unwrap_or_default(), RECORD_BYTES)?,
    })
}

pub(super) async fn unpark(table: &Table, connection: &ConnectionId, id: &str) -> Result<(), Failure> {
    table.delete("ledger: unpark notice", &keys::parked(connection), id).await
}
