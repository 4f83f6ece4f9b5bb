//! A pace that requests to one outside system keep together: so many a second, with a small burst.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::ports::Clock;
use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// A reservation further ahead than this is the trace of a clock that was set back: it is forgotten.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Lets callers pass at an even pace, in the order in which they ask. Share it between all who talk to the same system.
///
/// It is the generic cell rate algorithm: one instant of state, no timer, no task.
pub struct RateLimit {
    clock: Arc<dyn Clock>,
    interval: Duration,
    tolerance: Duration,
    /// When the next caller may pass, had everybody before come evenly.
    next: Mutex<Option<Timestamp>>,
}

impl RateLimit {
    /// One pass per `interval`; after a pause up to `burst` (at least 1) pass at once.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, interval: Duration, burst: u32) -> Self {
        let tolerance = interval.saturating_mul(burst.saturating_sub(1));
        Self { clock, interval, tolerance, next: Mutex::new(None) }
    }

    /// So many passes a second, of which up to `burst` at once. None: the rate is not above zero, or is below one an hour.
    #[must_use]
    pub fn per_second(clock: Arc<dyn Clock>, rate: Decimal, burst: u32) -> Option<Self> {
        let nanos = Decimal::from(1_000_000_000).checked_div(rate)?.to_u64()?;
        let interval = Duration::from_nanos(nanos);
        (rate > Decimal::ZERO && interval <= LONGEST_WAIT).then(|| Self::new(clock, interval, burst))
    }

    /// Returns when it is the caller's turn. A caller that gives up while it waits leaves its turn unused.
    pub async fn acquire(&self) {
        let wait = self.reserve(self.clock.now());
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }

    /// Lets nobody pass before `wait` is over: the other side asked for it (`Retry-After`).
    pub fn back_off(&self, wait: Duration) {
        let until = later(later(self.clock.now(), wait.min(LONGEST_WAIT)), self.tolerance);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(next.map_or(until, |next| next.max(until)));
    }

    /// Takes the next free turn; says how long it is until then.
    fn reserve(&self, now: Timestamp) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let horizon = later(now, LONGEST_WAIT.saturating_add(self.tolerance));
        let turn = next.filter(|next| *next <= horizon).map_or(now, |next| next.max(now));
        *next = Some(later(turn, self.interval));
        let ahead = Duration::try_from(turn.duration_since(now)).unwrap_or_default();
        ahead.saturating_sub(self.tolerance)
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;

    /// A clock that moves only when somebody sleeps.
    struct Hand(Mutex<Timestamp>);

    #[async_trait]
    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
        async fn sleep(&self, wait: Duration) {
            let mut now = self.0.lock().unwrap();
            *now += wait;
        }
    }

    fn hand() -> Arc<Hand> {
        Arc::new(Hand(Mutex::new(Timestamp::UNIX_EPOCH)))
    }

    async fn passes(limit: &RateLimit, clock: &Hand, count: usize) -> Vec<i64> {
        let mut at = Vec::new();
        for _ in 0..count {
            limit.acquire().await;
            at.push(clock.now().as_millisecond());
        }
        at
    }

    #[tokio::test]
    async fn two_a_second_pass_evenly() {
        let clock = hand();
        let limit = RateLimit::per_second(clock.clone(), Decimal::TWO, 1).unwrap();
        assert_eq!(passes(&limit, &clock, 4).await, [0, 500, 1000, 1500]);
        clock.sleep(Duration::from_secs(60)).await;
        assert_eq!(passes(&limit, &clock, 2).await, [61_500, 62_000], "a pause saves nothing up");
    }

    #[tokio::test]
    async fn a_burst_passes_at_once_and_then_evenly() {
        let clock = hand();
        let limit = RateLimit::new(clock.clone(), Duration::from_secs(1), 3);
        assert_eq!(passes(&limit, &clock, 5).await, [0, 0, 0, 1000, 2000]);
    }

    #[tokio::test]
    async fn nobody_passes_before_the_other_side_allows_it() {
        let clock = hand();
        let limit = RateLimit::new(clock.clone(), Duration::from_millis(100), 2);
        limit.back_off(Duration::from_secs(5));
        limit.back_off(Duration::from_secs(1));
        assert_eq!(passes(&limit, &clock, 2).await, [5000, 5100]);
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_stops_nobody() {
        let clock = hand();
        clock.sleep(Duration::from_secs(86_400)).await;
        let limit = RateLimit::new(clock.clone(), Duration::from_secs(1), 1);
        limit.acquire().await;
        *clock.0.lock().unwrap() = Timestamp::UNIX_EPOCH;
        assert_eq!(passes(&limit, &clock, 2).await, [0, 1000]);
    }

    #[test]
    fn a_rate_of_nothing_is_none() {
        for rate in [Decimal::ZERO, Decimal::NEGATIVE_ONE, Decimal::new(1, 6)] {
            assert!(RateLimit::per_second(hand(), rate, 1).is_none(), "{rate}");
        }
    }
}
