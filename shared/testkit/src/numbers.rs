//! Numbers that look random and follow from a seed (SplitMix64): what a test made of them, it can make again.

pub(crate) const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A source of numbers. The same seed gives the same numbers.
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// The numbers of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    #[inline]
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// A number below `end`; 0 where there is none.
    #[inline]
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.draw() % end }
    }

    /// A place in something with so many places; 0 where it has none.
    pub fn place(&mut self, places: usize) -> usize {
        usize::try_from(self.below(places as u64)).unwrap_or(0)
    }

    /// Any byte.
    pub fn byte(&mut self) -> u8 {
        self.draw().to_le_bytes()[0]
    }

    /// True so many times in a thousand.
    #[inline]
    pub fn per_mille(&mut self, times: u64) -> bool {
        self.below(1000) < times
    }
}

/// Nothing of what made a number is to be seen in it.
#[inline]
pub(crate) fn mixed(number: u64) -> u64 {
    let z = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the published generator (Vigna's `splitmix64.c`): seeds in the tests go on meaning what they mean.
    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let mut numbers = Numbers::of(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| numbers.draw()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn limits_are_kept_and_nothing_is_chosen_where_there_is_nothing() {
        let mut numbers = Numbers::of(7);
        assert!((0..1000).all(|_| numbers.below(7) < 7 && numbers.place(3) < 3));
        assert_eq!((numbers.below(0), numbers.place(0)), (0, 0));
        assert!(!numbers.per_mille(0) && numbers.per_mille(1000));
    }
}
