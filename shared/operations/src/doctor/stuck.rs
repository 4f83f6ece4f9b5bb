//! Attempts whose time is long over and that nobody has taken up again.

use domain::Failure;
use domain::connection::Connection;
use domain::life::later;
use domain::ports::Ledger;
use domain::record::{Record, Stage};
use domain::shipment::Post;
use jiff::Timestamp;

use super::{LATE, bad, good, scan};
use crate::check::Checked;

/// How many orders are named.
const NAMED: usize = 5;

/// Is an attempt at some order over for longer than a sweep needs to see it?
pub(super) async fn attempts(
    ledger: &dyn Ledger,
    connection: &Connection,
    now: Timestamp,
) -> Result<Checked, Failure> {
    let mut stuck = Vec::new();
    scan::each(ledger, &connection.id, |record| {
        if is_stuck(record, now) {
            stuck.push(record.key.to_string());
        }
    })
    .await?;
    if stuck.is_empty() {
        return Ok(good("ledger", "attempts", "none is stuck"));
    }
    let more = stuck.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    stuck.truncate(NAMED);
    let orders = stuck.join(", ");
    Ok(bad(
        "ledger",
        "attempts",
        format!(
            "over and not taken up again: {orders}{more}; does anybody run (cartdock run)? cartdock replay ORDER"
        ),
    ))
}

fn is_stuck(record: &Record, now: Timestamp) -> bool {
    let sending = matches!(&record.stage, Stage::Sending(claim) if later(claim.until, LATE) < now);
    let posting = |post: &Post| matches!(post, Post::Claimed { until, .. } if later(*until, LATE) < now);
    sending || record.due_posts().any(|package| posting(&package.post))
}
