//! Runs a future to its end on the spot: no threads, no time, the same every time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The outcome of a future, or none when it waits for something that nobody will bring: then it is dropped where it
/// stands, as a process is that dies.
pub fn until_stuck<T>(future: impl Future<Output = T>) -> Option<T> {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
        if !bell.0.swap(false, Ordering::Relaxed) {
            return None;
        }
    }
}

/// The outcome of a future that ends without anybody's help.
///
/// # Panics
/// When it is stuck.
#[expect(clippy::expect_used, reason = "only tests call it")]
pub fn run<T>(future: impl Future<Output = T>) -> T {
    until_stuck(future).expect("it does not wait for anybody")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_that_nobody_will_wake_is_stuck() {
        assert_eq!(until_stuck(std::future::pending::<()>()), None);
        assert_eq!(run(async { 7 }), 7);
    }
}
