//! Walks over all records of a connection, page by page.

use domain::ports::Ledger;
use domain::record::Record;
use domain::{ConnectionId, Failure};

/// How many records are read together.
const PAGE: usize = 200;

/// Shows every record of the connection to `visit`, by ascending order number.
pub(crate) async fn each(
    ledger: &dyn Ledger,
    connection: &ConnectionId,
    mut visit: impl FnMut(&Record),
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = ledger.scan(connection, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.key.order);
        page.iter().for_each(&mut visit);
    }
}
