//! What a target is: a reader with its promises, tried with one input.

use rust_decimal::Decimal;

/// What a reader made of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was read, and what was read keeps every promise.
    Accepted,
    /// It was refused, with a reason that is fit for a log.
    Refused,
}

/// One reader of bytes from outside.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its folder in `corpus/` too.
    pub name: &'static str,
    /// Reads an input. Panics when a promise is broken.
    pub read: fn(&[u8]) -> Verdict,
    /// Words that its inputs are made of, for mutations; some targets share a list.
    pub words: &'static [&'static [&'static str]],
}

/// Stands in the kept inputs wherever a buyer's data would. No refusal may repeat it.
pub const MARK: &str = "mark@q7.example";

/// The longest refusal of a single input, in characters: one line of a log.
const LONGEST_REFUSAL: usize = 700;

/// Checks a refusal: it says something, is short, is one line, and repeats nothing personal.
pub fn refusal(why: &str) -> Verdict {
    assert!(!why.is_empty(), "a refusal without a reason");
    let length = why.chars().count();
    assert!(length <= LONGEST_REFUSAL, "a refusal of {length} characters");
    assert!(!why.contains(char::is_control), "a control character in a refusal: {why:?}");
    assert!(!why.contains(MARK), "personal data in a refusal: {why}");
    Verdict::Refused
}

/// Is this amount in the input as it was read, digit for digit? (Zero may stand for nothing.)
pub fn is_exact(amount: Decimal, input: &[u8]) -> bool {
    // References, markup and dropped characters inside a number hide it from this simple look.
    let is_plain = |byte: &u8| !matches!(byte, b'&' | b'[' | b'!' | ..=8 | 11 | 12 | 14..=31 | 0xef);
    let digits = amount.abs().to_string();
    let digits = digits.trim_start_matches("0.").trim_start_matches('0');
    digits.is_empty()
        || !input.iter().all(is_plain)
        || input.windows(digits.len()).any(|window| window == digits.as_bytes())
}
