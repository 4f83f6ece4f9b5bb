//! The real clock and the real dice.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::Token;
use domain::ports::{Clock, Randomness};
use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};

/// How many tokens are fetched from the operating system at once.
const AT_ONCE: usize = 32;

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

/// The operating system's random numbers, fetched for many tokens at once: a call of the system for each token would be one
/// in ten of what an order needs. A machine that is copied while it runs has the same numbers ahead, but not the same time: the
/// time is in each token.
#[derive(Debug)]
pub struct SystemRandomness {
    source: SystemRandom,
    /// What has been fetched and not been given away yet.
    ahead: Mutex<Vec<Token>>,
}

impl Default for SystemRandomness {
    fn default() -> Self {
        Self { source: SystemRandom::new(), ahead: Mutex::default() }
    }
}

impl SystemRandomness {
    fn fetch(&self) -> Vec<Token> {
        let mut bytes = [0; AT_ONCE * size_of::<u64>()];
        // The system's source fails only where there is none at all; a process without randomness must not go on.
        #[expect(clippy::expect_used, reason = "without randomness no claim is safe: stop at once")]
        self.source.fill(&mut bytes).expect("the operating system gives random numbers");
        let (tokens, _) = bytes.as_chunks();
        tokens.iter().copied().map(u64::from_le_bytes).map(Token).collect()
    }
}

impl Randomness for SystemRandomness {
    fn token(&self) -> Token {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match ahead.pop() {
                Some(Token(random)) => return Token(random ^ nanos()),
                None => ahead.extend(self.fetch()),
            }
        }
    }
}

/// The nanosecond, as far as it changes.
fn nanos() -> u64 {
    u64::try_from(SystemClock.now().as_nanosecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_copy_of_a_machine_gives_other_tokens() {
        let dice = SystemRandomness::default();
        dice.token();
        let copy = SystemRandomness {
            source: dice.source.clone(),
            ahead: Mutex::new(dice.ahead.lock().unwrap().clone()),
        };
        assert!((1..AT_ONCE).all(|_| dice.token() != copy.token()));
    }

    #[test]
    fn no_token_is_given_twice_by_whomever_it_is_asked_for() {
        let dice = SystemRandomness::default();
        let thrown: Vec<Vec<Token>> = std::thread::scope(|scope| {
            let asks = || (0..5 * AT_ONCE + 1).map(|_| dice.token()).collect();
            let asking: Vec<_> = (0..4).map(|_| scope.spawn(asks)).collect();
            asking.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        let different: BTreeSet<Token> = thrown.iter().flatten().copied().collect();
        assert_eq!(different.len(), 4 * (5 * AT_ONCE + 1));
    }
}
