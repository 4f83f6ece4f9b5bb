//! Whether the warehouse of a connection is there, and what waits for it, in one item. Most connections have none.

use domain::circuit::Circuit;
use domain::limits::RECORD_BYTES;
use domain::{ConnectionId, Failure};

use crate::codec;
use crate::dynamodb::keys;
use crate::dynamodb::table::{Expression, Row, Table, Written, bytes, number};

pub(super) async fn circuit(table: &Table, connection: &ConnectionId) -> Result<Circuit, Failure> {
    const DURING: &str = "ledger: read circuit";
    let Some(item) = table.get(DURING, connection.as_str(), keys::CIRCUIT, true).await? else {
        return Ok(Circuit::default());
    };
    let known: Circuit = codec::unpack(bytes(&item, "doc").unwrap_or_default(), RECORD_BYTES)
        .map_err(|e| e.at(DURING, connection.as_str(), keys::CIRCUIT))?;
    Ok(Circuit { version: number(&item, "v").unwrap_or(0), ..known })
}

pub(super) async fn set(
    table: &Table,
    connection: &ConnectionId,
    circuit: &Circuit,
) -> Result<bool, Failure> {
    const DURING: &str = "ledger: write circuit";
    let row = Row::new(connection.as_str(), keys::CIRCUIT)
        .number("v", circuit.version + 1)
        .bytes("doc", codec::pack(DURING, circuit, RECORD_BYTES)?);
    let still = if circuit.version == 0 { "attribute_not_exists(pk)" } else { "v = :before" };
    let mut still = Expression::new(still);
    if circuit.version > 0 {
        still = still.with(Row::default().number(":before", circuit.version));
    }
    Ok(matches!(table.put(DURING, row, Some(still)).await?, Written::Done))
}
