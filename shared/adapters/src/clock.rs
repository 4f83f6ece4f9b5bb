//! The real clock and the real dice.

use std::time::Duration;

use async_trait::async_trait;
use domain::Token;
use domain::ports::{Clock, Randomness};
use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port's real side")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Clock port's real side")]
    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

/// The operating system's random numbers.
#[derive(Debug, Clone)]
pub struct SystemRandomness(SystemRandom);

impl Default for SystemRandomness {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl Randomness for SystemRandomness {
    fn token(&self) -> Token {
        let mut bytes = [0; 8];
        // The system's source fails only where there is none at all; a process without randomness must not go on.
        #[expect(clippy::expect_used, reason = "without randomness no claim is safe: stop at once")]
        self.0.fill(&mut bytes).expect("the operating system gives random numbers");
        Token(u64::from_le_bytes(bytes))
    }
}
