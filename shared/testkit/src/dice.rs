//! Dice with a seed: the same seed throws the same numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::Token;
use domain::ports::Randomness;

use crate::numbers::{STEP, mixed};

/// Random numbers that can be repeated.
#[derive(Debug)]
pub struct Dice(AtomicU64);

impl Dice {
    /// Dice that throw the numbers of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Randomness for Dice {
    /// The numbers of a seed, drawn by many: a full period, so that no token comes twice.
    fn token(&self) -> Token {
        Token(mixed(self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_a_token_does_not() {
        let (a, b) = (Dice::new(7), Dice::new(7));
        let thrown: std::collections::BTreeSet<Token> = (0..1000).map(|_| a.token()).collect();
        assert_eq!(thrown.len(), 1000);
        assert!((0..1000).all(|_| thrown.contains(&b.token())));
    }
}
