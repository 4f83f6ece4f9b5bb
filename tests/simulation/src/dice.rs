//! One seed decides everything: a small, fast, splittable random number generator (SplitMix64).

use testkit::numbers::Numbers;

/// Random numbers from a seed.
#[derive(Debug, Clone)]
pub struct Dice(Numbers);

impl Dice {
    /// The numbers of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // Mixed, so that neighbouring seeds have nothing in common.
        Self(Numbers::of(Numbers::of(seed).draw()))
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0.draw()
    }

    /// A number below `limit` (0 for a limit of 0).
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0.below(limit)
    }

    /// A number from `low` up to and without `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low))
    }

    /// True so many times in a thousand.
    pub fn per_mille(&mut self, chance: u32) -> bool {
        self.0.per_mille(chance.into())
    }
}
