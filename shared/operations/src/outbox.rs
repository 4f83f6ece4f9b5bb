//! Packages whose tracking the store cannot take: listed, and given out as CSV for a person. Nothing is marked as posted.

use domain::connection::Connection;
use domain::ports::Ledger;
use domain::record::Record;
use domain::shipment::{Package, Post};
use domain::{ConnectionId, Failure};
use jiff::Timestamp;
use serde::Serialize;

use crate::scan;
use crate::text::{Style, Table, count, instant, utc};

/// The columns of the CSV.
const COLUMNS: [&str; 8] =
    ["connection", "order", "package", "carrier", "tracking_number", "tracking_url", "shipped_at", "why"];

/// One package that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutboxRow {
    /// Its connection.
    pub connection: ConnectionId,
    /// Its order's number in the store.
    pub order: u64,
    /// The warehouse's id of the package.
    pub package: String,
    /// Who carries it.
    pub carrier: String,
    /// Its number.
    pub tracking_number: String,
    /// Its tracking page, empty when there is none.
    pub tracking_url: String,
    /// When it left.
    pub shipped_at: Timestamp,
    /// Why the store cannot take it.
    pub why: String,
}

/// All packages that are in the outbox of some connections, by connection and order.
///
/// # Errors
/// Those of the ledger.
pub async fn list(ledger: &dyn Ledger, connections: &[Connection]) -> Result<Vec<OutboxRow>, Failure> {
    let mut rows = Vec::new();
    for connection in connections {
        scan::each(ledger, &connection.id, |record| {
            rows.extend(record.packages.iter().filter_map(|package| row(record, package)));
        })
        .await?;
    }
    Ok(rows)
}

fn row(record: &Record, package: &Package) -> Option<OutboxRow> {
    let Post::Outbox { why } = &package.post else { return None };
    if package.voided {
        return None;
    }
    let tracking = package.tracking.as_ref();
    Some(OutboxRow {
        connection: record.key.connection.clone(),
        order: record.key.order.0,
        package: package.id.to_string(),
        carrier: tracking.map(|tracking| tracking.carrier.name.clone()).unwrap_or_default(),
        tracking_number: tracking.map(|tracking| tracking.number.as_str().to_owned()).unwrap_or_default(),
        tracking_url: tracking.and_then(domain::carrier::Tracking::url).unwrap_or_default(),
        shipped_at: package.shipped_at,
        why: why.clone(),
    })
}

/// The rows as CSV (RFC 4180: commas, CRLF, quotes where needed; UTF-8).
///
/// The texts come from warehouses, and spreadsheets run a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage
/// return as a formula. Such a cell gets an apostrophe in front, the usual protection.
#[must_use]
pub fn csv(rows: &[OutboxRow]) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing into memory cannot fail.
    let mut write = |fields: [&str; 8]| drop(writer.write_record(fields.map(harmless)));
    write(COLUMNS);
    for row in rows {
        write([
            row.connection.as_str(),
            &row.order.to_string(),
            &row.package,
            &row.carrier,
            &row.tracking_number,
            &row.tracking_url,
            &utc(row.shipped_at),
            &row.why,
        ]);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn harmless(field: &str) -> String {
    let runs = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if runs { format!("'{field}") } else { field.to_owned() }
}

/// The rows for people.
#[must_use]
pub fn text(rows: &[OutboxRow], style: Style) -> String {
    if rows.is_empty() {
        return "The outbox is empty.\n".to_owned();
    }
    let mut table = Table::new(&["ORDER", "TRACKING", "LEFT", "WHY"]);
    for row in rows {
        table.row([
            format!("{}/{}", row.connection, row.order).into(),
            format!("{} {}", row.carrier, row.tracking_number).into(),
            instant(row.shipped_at).into(),
            row.why.as_str().into(),
        ]);
    }
    let number = count(rows.len() as u64, "package waits", "packages wait");
    format!("{}{number} for a person to enter the tracking in the store.\n", table.text(style))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeLedger, connection, now, shipped};
    use domain::record::Stage;
    use proptest::prelude::*;

    fn outbox(why: &str) -> Post {
        Post::Outbox { why: why.into() }
    }

    #[tokio::test]
    async fn only_what_the_store_cannot_take_is_listed() {
        let mut voided = shipped(3, Stage::Shipped, &[outbox("no")]);
        voided.packages[0].voided = true;
        let ledger = FakeLedger::with([
            shipped(1, Stage::Posted, &[Post::Posted]),
            shipped(2, Stage::Shipped, &[Post::Due, outbox("no call, says the store")]),
            voided,
        ]);
        let before = ledger.records.clone();
        let rows = list(&ledger, &[connection("main")]).await.unwrap();
        assert_eq!(
            csv(&rows),
            "connection,order,package,carrier,tracking_number,tracking_url,shipped_at,why\r\n\
             main,2,P1,UPS,1Z21,https://wwwapps.ups.com/WebTracking/track?track=yes&trackNums=1Z21,\
             2026-11-23T09:00:00Z,\"no call, says the store\"\r\n"
        );
        assert_eq!(ledger.records, before, "giving out is not posting");
        assert!(text(&rows, Style::PLAIN).contains("1 package waits"));
    }

    fn row_with(text: &str) -> OutboxRow {
        OutboxRow {
            connection: "main".parse().unwrap(),
            order: 1,
            package: text.into(),
            carrier: text.into(),
            tracking_number: text.into(),
            tracking_url: String::new(),
            shipped_at: now(),
            why: text.into(),
        }
    }

    proptest! {
        #[test]
        fn no_cell_runs_and_every_cell_is_read_back(text in "[=+@\\-\t\r\n,;\"a-z ]{0,12}") {
            let csv = csv(&[row_with(&text)]);
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            for cell in [&record[2], &record[3], &record[4], &record[7]] {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
                prop_assert!(cell == text || *cell == format!("'{text}"), "{cell:?}");
            }
        }
    }
}
