//! The clock of the outside world: the only place of the simulator that asks for the time or waits.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time to a simulated service. A test that runs under a clock of its own passes that one.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The wall clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the outside world has a clock of its own")]
pub fn wall() -> Now {
    Arc::new(Timestamp::now)
}

/// Waits, as a slow server does.
#[expect(
    clippy::disallowed_methods,
    reason = "a simulated service is slow for real, so that time-outs are real"
)]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
