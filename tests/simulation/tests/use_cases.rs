//! The use cases' own tests and a few histories in one program, built without the cloud: quick enough to judge mutants.

#[path = "../../../shared/testkit/tests/arrivals.rs"]
mod arrivals;
#[path = "../../../shared/testkit/tests/reconsider.rs"]
mod reconsider;

#[path = "../../../functions/forward-orders/tests/doubt.rs"]
mod doubt;
#[path = "../../../functions/forward-orders/tests/sending.rs"]
mod sending;

#[path = "../../../functions/poll-orders/tests/hints.rs"]
mod hints;
#[path = "../../../functions/poll-orders/tests/polling.rs"]
mod polling;

#[path = "../../../functions/poll-shipments/tests/asking.rs"]
mod asking;
#[path = "../../../functions/receive-notices/tests/receiving.rs"]
mod receiving;
#[path = "../../../functions/write-tracking/tests/posting.rs"]
mod posting;

#[path = "../../../functions/sweep/tests/curing.rs"]
mod curing;
#[path = "../../../functions/sweep/tests/sweeping.rs"]
mod sweeping;

mod histories;
