//! The use cases' own tests and a few histories in one program, built without the cloud: quick enough to judge mutants.
#![expect(clippy::duplicate_mod, reason = "what the tests of a use case share is shared here too")]

#[path = "../../../shared/testkit/tests/arrivals.rs"]
mod arrivals;
#[path = "../../../shared/testkit/tests/reconsider.rs"]
mod reconsider;

#[path = "../../../shared/operations/tests/acting.rs"]
mod acting;

#[path = "../../../functions/forward-orders/tests/away.rs"]
mod away;
#[path = "../../../functions/forward-orders/tests/doubt.rs"]
mod doubt;
#[path = "../../../functions/forward-orders/tests/lost_ledger.rs"]
mod lost_ledger;
#[path = "../../../functions/forward-orders/tests/sending.rs"]
mod sending;

#[path = "../../../functions/poll-orders/tests/hints.rs"]
mod hints;
#[path = "../../../functions/poll-orders/tests/polling.rs"]
mod polling;
#[path = "../../../functions/poll-orders/tests/rebuilding.rs"]
mod rebuilding;

#[path = "../../../functions/poll-shipments/tests/asking.rs"]
mod asking;
#[path = "../../../functions/write-tracking/tests/posting.rs"]
mod posting;
#[path = "../../../functions/receive-notices/tests/receiving.rs"]
mod receiving;

#[path = "../../../functions/sweep/tests/backlog.rs"]
mod backlog;
#[path = "../../../functions/sweep/tests/curing.rs"]
mod curing;
#[path = "../../../functions/sweep/tests/reconciling.rs"]
mod reconciling;
#[path = "../../../functions/sweep/tests/replacing.rs"]
mod replacing;
#[path = "../../../functions/sweep/tests/sweeping.rs"]
mod sweeping;

mod histories;

// Their own unit tests, with the code that they are about.
#[allow(dead_code, unreachable_pub, reason = "only its tests are called")]
#[path = "../../../functions/poll-orders/src/lib.rs"]
mod poll_orders_inside;
#[allow(dead_code, unreachable_pub, reason = "only its tests are called")]
#[path = "../../../functions/receive-notices/src/lib.rs"]
mod receive_notices_inside;
