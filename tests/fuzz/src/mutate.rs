//! Variations of inputs: small damage, words of the format, pieces of other inputs. Everything follows from a seed.

use std::ops::Range;

use testkit::numbers::Numbers;

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

/// A piece of so many bytes, mostly a short one.
fn piece(bytes: usize, numbers: &mut Numbers) -> Range<usize> {
    let longest = match numbers.below(4) {
        0 => bytes,
        1 => 64,
        _ => 12,
    };
    let start = numbers.place(bytes + 1);
    start..(start + numbers.place(longest.min(bytes) + 1)).min(bytes)
}

fn damage(bytes: &mut Vec<u8>, other: &[u8], words: &[&str], numbers: &mut Numbers) {
    let at = numbers.place(bytes.len() + 1);
    match numbers.below(12) {
        0 => flip(bytes, numbers),
        1 => change(bytes, numbers),
        2 => drop(bytes.drain(piece(bytes.len(), numbers))),
        3 => bytes.truncate(at),
        4 => insert(bytes, at, &[numbers.byte()]),
        5 | 6 => insert(bytes, at, word(words, numbers)),
        7 => insert(bytes, at, AWKWARD[numbers.place(AWKWARD.len())]),
        8 => replace_number(bytes, numbers),
        9 => repeat(bytes, at, numbers),
        10 => insert(bytes, at, &other[piece(other.len(), numbers)]),
        _ => overwrite(bytes, &other[piece(other.len(), numbers)], numbers),
    }
}

fn flip(bytes: &mut [u8], numbers: &mut Numbers) {
    let (at, bit) = (numbers.place(bytes.len()), numbers.below(8));
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << bit;
    }
}

fn change(bytes: &mut [u8], numbers: &mut Numbers) {
    let at = numbers.place(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte = numbers.byte();
    }
}

fn word<'w>(words: &[&'w str], numbers: &mut Numbers) -> &'w [u8] {
    words.get(numbers.place(words.len())).map_or(b" ", |word| word.as_bytes())
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

/// Copies a piece to another place, sometimes many times.
fn repeat(bytes: &mut Vec<u8>, at: usize, numbers: &mut Numbers) {
    let piece = bytes[piece(bytes.len(), numbers)].to_vec();
    let times = if numbers.below(8) == 0 { 1 + numbers.place(200) } else { 1 };
    if piece.len() * times <= LARGEST {
        insert(bytes, at, &piece.repeat(times));
    }
}

fn overwrite(bytes: &mut Vec<u8>, piece: &[u8], numbers: &mut Numbers) {
    let start = numbers.place(bytes.len() + 1);
    let end = (start + piece.len()).min(bytes.len());
    bytes.splice(start..end, piece.iter().copied());
}

/// Puts something awkward in the place of a run of digits.
fn replace_number(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    let from = numbers.place(bytes.len() + 1);
    let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return };
    let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let awkward = AWKWARD[numbers.place(AWKWARD.len())];
    bytes.splice(start..start + digits, awkward.iter().copied());
}
