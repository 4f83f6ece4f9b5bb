//! Variations of inputs: small damage, words of the format, pieces of other inputs. Everything follows from a seed.

/// A source of numbers that a seed decides (SplitMix64).
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// The numbers of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let number = usize::try_from(self.draw() >> 1).unwrap_or(usize::MAX);
        number.checked_rem(end).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.draw().to_le_bytes()[0]
    }

    /// A piece of `bytes`, mostly a short one.
    fn piece(&mut self, bytes: usize) -> std::ops::Range<usize> {
        let longest = match self.below(4) {
            0 => bytes,
            1 => 64,
            _ => 12,
        };
        let start = self.below(bytes + 1);
        start..(start + self.below(longest.min(bytes) + 1)).min(bytes)
    }
}

/// The largest variation, in bytes. Size itself is what the attacks are for.
const LARGEST: usize = 16 * 1024;

/// Bytes and texts that parsers stumble over.
const AWKWARD: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xef\xbf\xbe",
    b"\xed\xa0\x80",
    b"\xc2\x85",
    b"\xe2\x80\xae",
    b"\r\n",
    b"\r",
    b"\n",
    b"\x7f",
    b"\x1b[31m",
    b"0",
    b"-0",
    b"-1",
    b"1e999",
    b"+1",
    b"0.1",
    b"1.0000000000000000000000000000000000001",
    b"4294967295",
    b"4294967296",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551615",
    b"18446744073709551616",
    b"79228162514264337593543950335",
    b"79228162514264337593543950336",
    b"9999-12-31T23:59:59",
    b"0000-00-00",
];

/// A variation of `input`, with words of its format and pieces of `other`.
#[must_use]
pub fn vary(input: &[u8], other: &[u8], words: &[&str], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=numbers.below(5) {
        damage(&mut bytes, other, words, numbers);
    }
    bytes.truncate(LARGEST);
    bytes
}

fn damage(bytes: &mut Vec<u8>, other: &[u8], words: &[&str], numbers: &mut Numbers) {
    let at = numbers.below(bytes.len() + 1);
    match numbers.below(12) {
        0 => flip(bytes, numbers),
        1 => change(bytes, numbers),
        2 => drop(bytes.drain(numbers.piece(bytes.len()))),
        3 => bytes.truncate(at),
        4 => insert(bytes, at, &[numbers.byte()]),
        5 | 6 => insert(bytes, at, word(words, numbers)),
        7 => insert(bytes, at, AWKWARD[numbers.below(AWKWARD.len())]),
        8 => replace_number(bytes, numbers),
        9 => repeat(bytes, at, numbers),
        10 => insert(bytes, at, &other[numbers.piece(other.len())]),
        _ => overwrite(bytes, &other[numbers.piece(other.len())], numbers),
    }
}

fn flip(bytes: &mut [u8], numbers: &mut Numbers) {
    let (at, bit) = (numbers.below(bytes.len()), numbers.below(8));
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << bit;
    }
}

fn change(bytes: &mut [u8], numbers: &mut Numbers) {
    let at = numbers.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte = numbers.byte();
    }
}

fn word<'w>(words: &[&'w str], numbers: &mut Numbers) -> &'w [u8] {
    words.get(numbers.below(words.len())).map_or(b" ", |word| word.as_bytes())
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

/// Copies a piece to another place, sometimes many times.
fn repeat(bytes: &mut Vec<u8>, at: usize, numbers: &mut Numbers) {
    let piece = bytes[numbers.piece(bytes.len())].to_vec();
    let times = if numbers.below(8) == 0 { 1 + numbers.below(200) } else { 1 };
    if piece.len() * times <= LARGEST {
        insert(bytes, at, &piece.repeat(times));
    }
}

fn overwrite(bytes: &mut Vec<u8>, piece: &[u8], numbers: &mut Numbers) {
    let start = numbers.below(bytes.len() + 1);
    let end = (start + piece.len()).min(bytes.len());
    bytes.splice(start..end, piece.iter().copied());
}

/// Puts something awkward in the place of a run of digits.
fn replace_number(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    let from = numbers.below(bytes.len() + 1);
    let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return };
    let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let awkward = AWKWARD[numbers.below(AWKWARD.len())];
    bytes.splice(start..start + digits, awkward.iter().copied());
}
