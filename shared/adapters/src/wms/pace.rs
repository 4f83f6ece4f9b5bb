//! Keeps a distance between two requests to the same warehouse.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::ports::Clock;
use jiff::Timestamp;

/// Hands out one slot per interval, in the order of asking.
pub(super) struct Pace {
    interval: Duration,
    clock: Arc<dyn Clock>,
    next: Mutex<Option<Timestamp>>,
}

impl Pace {
    /// At most one request per `interval`.
    pub(super) fn new(interval: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { interval, clock, next: Mutex::new(None) }
    }

    /// Returns when it is this caller's turn.
    pub(super) async fn turn(&self) {
        let wait = self.reserve();
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }

    /// Takes the next slot and says how far away it is.
    fn reserve(&self) -> Duration {
        let now = self.clock.now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = next.map_or(now, |next| next.max(now));
        *next = Some(slot.saturating_add(self.interval).unwrap_or(slot));
        Duration::try_from(slot.duration_since(now)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wms::testing::StillClock;

    #[tokio::test]
    async fn requests_that_come_at_once_leave_one_interval_apart() {
        let clock = Arc::new(StillClock::default());
        let pace = Pace::new(Duration::from_millis(400), clock.clone());
        let start = clock.now();
        for _ in 0..3 {
            pace.turn().await;
        }
        assert_eq!(clock.now().duration_since(start).as_millis(), 800);
    }
}
