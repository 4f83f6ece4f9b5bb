//! Waiting for what must happen, as long as it takes on a busy machine, and no longer than a test may hang.

use std::time::Duration;

use adapters::clock::SystemClock;
use domain::ports::Clock;

/// So long may anything take. Nearly always it is a matter of seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// Looks again and again, until there is something.
///
/// # Panics
/// When there is nothing in time.
pub(super) async fn until<T>(what: &str, patience: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = SystemClock.now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        let waited = SystemClock.now().duration_since(begin).unsigned_abs();
        assert!(waited < patience, "this did not happen within {} seconds: {what}", patience.as_secs());
        SystemClock.sleep(LOOK).await;
    }
}
