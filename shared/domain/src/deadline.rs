//! An effect that must not begin too late: whoever was held up gives it up.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use jiff::Timestamp;

use crate::ports::Clock;

/// The outcome of `effect`, or none once the clock shows `deadline`. What became of it then is unclear.
///
/// The clock is asked before each step of the effect, not only when a timer rings. A process may freeze in the middle,
/// while its request waits for its turn or for a secret; when it wakes again, whatever wakes it, the request must not
/// leave after the lease that protects it has ended.
pub async fn before<T>(clock: &dyn Clock, deadline: Timestamp, effect: impl Future<Output = T>) -> Option<T> {
    let left = deadline.duration_since(clock.now()).try_into().unwrap_or_default();
    let mut effect = pin!(effect);
    let mut late = pin!(clock.sleep(left));
    poll_fn(|context| {
        if clock.now() >= deadline {
            return Poll::Ready(None);
        }
        match effect.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => late.as_mut().poll(context).map(|()| None),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
    use std::task::{Context, Waker};
    use std::time::Duration;

    /// A clock whose sleepers are woken late, as those of a frozen process are.
    #[derive(Default)]
    struct Hand(AtomicI64);

    #[async_trait]
    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
        }
        async fn sleep(&self, _: Duration) {
            std::future::pending().await
        }
    }

    fn poll<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Poll<T> {
        std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn an_effect_in_time_gives_its_outcome() {
        let clock = Hand::default();
        let deadline = Timestamp::from_second(60).unwrap();
        let mut done = Box::pin(before(&clock, deadline, async { 7 }));
        assert_eq!(poll(&mut done), Poll::Ready(Some(7)));
    }

    #[test]
    fn a_process_that_was_frozen_in_the_middle_takes_no_further_step() {
        let clock = Hand::default();
        let (deadline, steps) = (Timestamp::from_second(60).unwrap(), AtomicU32::new(0));
        let effect = poll_fn(|_| match steps.fetch_add(1, Ordering::Relaxed) {
            0 => Poll::Pending,
            _ => Poll::Ready("sent"),
        });
        let mut done = Box::pin(before(&clock, deadline, effect));
        assert_eq!(poll(&mut done), Poll::Pending, "it waits for its turn");
        clock.0.store(60, Ordering::Relaxed);
        assert_eq!(poll(&mut done), Poll::Ready(None));
        assert_eq!(steps.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_begins_too_late_does_not_begin() {
        let clock = Hand::default();
        let mut done = Box::pin(before(&clock, Timestamp::UNIX_EPOCH, async { unreachable!("it began") }));
        assert_eq!(poll(&mut done), Poll::Ready(None::<()>));
    }
}
