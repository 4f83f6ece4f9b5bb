//! What every adapter of [`Notes`] must do.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::life::later;
use domain::notes::{Daily, Mark, Notes, Opened, Said, Told};
use domain::reconciliation::{Difference, Reconciliation, Verdict};
use domain::{ConnectionId, OrderId};
use jiff::Timestamp;

use crate::build::connection_id;

/// Runs the whole contract.
///
/// # Panics
/// When a promise is not kept.
pub async fn notes(notes: &dyn Notes, run: &str) {
    let (here, there) = (connection_id(&format!("{run}-here")), connection_id(&format!("{run}-there")));
    the_last_reconciliation_counts(notes, &here, &there).await;
    a_mark_is_replaced_only_by_who_has_seen_it(notes, &here, &there).await;
    what_was_told_last_counts(notes, &here, &there).await;
}

#[expect(clippy::expect_used, reason = "a contract fails by panicking")]
async fn what_was_told_last_counts(notes: &dyn Notes, here: &ConnectionId, there: &ConnectionId) {
    let read = async |of: &ConnectionId| notes.told(of).await.expect("told");
    assert_eq!(read(here).await, None, "nobody was told anything yet");
    let at = Timestamp::UNIX_EPOCH;
    let opened = Opened { since: at, sentence: "SKU Ü has no listing".into() };
    let open = BTreeMap::from([("3fa9c011".to_owned(), opened)]);
    for told in [Told { at: Some(at), open, polled_at: Some(at) }, Told::default()] {
        notes.set_told(here, &told).await.expect("set told");
        assert_eq!(read(here).await, Some(told), "the last one counts");
    }
    assert_eq!(read(there).await, None, "each connection has its own");
}

#[expect(clippy::expect_used, reason = "a contract fails by panicking")]
async fn the_last_reconciliation_counts(notes: &dyn Notes, here: &ConnectionId, there: &ConnectionId) {
    let read = async |of: &ConnectionId| notes.daily(of).await.expect("daily");
    assert_eq!(read(here).await, None, "nothing is noted yet");
    let due = Timestamp::UNIX_EPOCH;
    let mut running = Reconciliation::begun(due, due);
    running.listed = 1;
    let differences = vec![Difference::Missing];
    running.count(OrderId(7), Verdict { differences, ..Verdict::default() });
    for daily in [
        Daily { due, running: Some(running.clone()), last: None },
        Daily { due: later(due, Duration::from_secs(60)), running: None, last: Some(running) },
    ] {
        notes.set_daily(here, &daily).await.expect("set daily");
        assert_eq!(read(here).await, Some(daily), "the last one counts");
    }
    assert_eq!(read(there).await, None, "each connection has its own");
}

#[expect(clippy::expect_used, reason = "a contract fails by panicking")]
async fn a_mark_is_replaced_only_by_who_has_seen_it(
    notes: &dyn Notes,
    here: &ConnectionId,
    there: &ConnectionId,
) {
    let read = async || notes.marks(here).await.expect("marks");
    let set = async |mark: &Mark| notes.set_mark(here, mark).await.expect("set mark");
    let said = |text: &str| Said { at: Timestamp::UNIX_EPOCH, by: "ada".into(), text: text.into() };
    let first = |issue: &str| Mark { issue: issue.into(), ignored: true, ..Mark::default() };
    assert!(set(&first("b")).await && set(&first("a")).await);
    assert!(!set(&first("a")).await, "somebody has said something meanwhile");
    let all = read().await;
    assert_eq!(all, [Mark { version: 1, ..first("a") }, Mark { version: 1, ..first("b") }], "by their ids");
    let next =
        Mark { assigned: Some("ada".into()), ignored: false, said: vec![said("é")], ..all[0].clone() };
    assert!(set(&next).await);
    assert!(!set(&next).await, "the version is another one by now");
    assert_eq!(read().await[0], Mark { version: 2, ..next });
    assert_eq!(notes.marks(there).await.expect("marks"), []);
}
