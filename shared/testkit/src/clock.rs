//! A clock that a test sets.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use domain::life::later;
use domain::ports::Clock;
use jiff::Timestamp;

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct ManualClock {
    hands: Mutex<Hands>,
    jumps: bool,
}

#[derive(Debug)]
struct Hands {
    now: Timestamp,
    sleepers: Vec<Waker>,
    watchers: Vec<Waker>,
}

impl ManualClock {
    /// A clock on which a sleeper moves the time itself: whoever sleeps has slept at once.
    #[must_use]
    pub fn jumping(now: Timestamp) -> Self {
        Self::new(now, true)
    }

    /// A clock on which a sleeper waits until the test has moved the time far enough.
    #[must_use]
    pub fn waiting(now: Timestamp) -> Self {
        Self::new(now, false)
    }

    fn new(now: Timestamp, jumps: bool) -> Self {
        let hands = Hands { now, sleepers: Vec::new(), watchers: Vec::new() };
        Self { hands: Mutex::new(hands), jumps }
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the time on and wakes who has slept enough.
    pub fn advance(&self, by: Duration) {
        let sleepers = {
            let mut hands = self.hands();
            hands.now = later(hands.now, by);
            std::mem::take(&mut hands.sleepers)
        };
        sleepers.into_iter().for_each(Waker::wake);
    }

    /// Returns once somebody sleeps: from then on [`ManualClock::advance`] reaches them.
    pub async fn until_somebody_sleeps(&self) {
        poll_fn(|context| {
            let mut hands = self.hands();
            if hands.sleepers.is_empty() {
                hands.watchers.push(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }

    async fn sleep_until(&self, end: Timestamp) {
        poll_fn(|context| {
            let mut hands = self.hands();
            if hands.now >= end {
                return Poll::Ready(());
            }
            hands.sleepers.push(context.waker().clone());
            hands.watchers.drain(..).for_each(Waker::wake);
            Poll::Pending
        })
        .await;
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.hands().now
    }

    async fn sleep(&self, wait: Duration) {
        if self.jumps {
            self.advance(wait);
        } else {
            let end = later(self.now(), wait);
            self.sleep_until(end).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use futures_util::future::join;
    use std::pin::pin;

    #[test]
    fn a_sleeper_on_a_jumping_clock_moves_it() {
        let clock = ManualClock::jumping(Timestamp::UNIX_EPOCH);
        assert!(clock.sleep(Duration::from_secs(5)).now_or_never().is_some());
        assert_eq!(clock.now().as_second(), 5);
    }

    #[test]
    fn a_sleeper_on_a_waiting_clock_waits_for_the_test() {
        let clock = ManualClock::waiting(Timestamp::UNIX_EPOCH);
        let mut sleeper = clock.sleep(Duration::from_secs(5));
        assert!((&mut sleeper).now_or_never().is_none());
        clock.advance(Duration::from_secs(4));
        assert!((&mut sleeper).now_or_never().is_none());
        clock.advance(Duration::from_secs(1));
        assert!(sleeper.now_or_never().is_some());
    }

    #[test]
    fn a_test_can_wait_for_a_sleeper() {
        let clock = ManualClock::waiting(Timestamp::UNIX_EPOCH);
        let moves = async {
            clock.until_somebody_sleeps().await;
            clock.advance(Duration::from_secs(5));
        };
        let mut both = pin!(join(moves, clock.sleep(Duration::from_secs(5))));
        assert!(both.as_mut().now_or_never().is_none(), "first it falls asleep");
        assert!(both.now_or_never().is_some(), "then the test moves the time");
    }
}
