//! A clock for tests of this folder: time stands still but for those who sleep.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::Clock;
use jiff::Timestamp;

/// Sleeping moves it on at once.
pub(crate) struct StillClock(Mutex<Timestamp>);

impl Default for StillClock {
    fn default() -> Self {
        Self(Mutex::new(Timestamp::from_second(1_795_399_500).unwrap()))
    }
}

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, wait: Duration) {
        let mut now = self.0.lock().unwrap();
        *now += wait;
    }
}
