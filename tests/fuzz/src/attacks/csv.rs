//! CSV that hurts.

use super::{MIB, Maker};

const HEAD: &[u8] = b"sku,warehouse_sku,quantity\n";
const RULES: &[u8] = b"match,method,countries,min_total,below_total,service\n";

/// Each is refused.
#[rustfmt::skip]
pub(super) const REFUSED: &[Maker] = &[
    ("nothing", Vec::new),
    ("a quote of 64 MiB, not closed", || filled(HEAD, b"\"", b"x", 64 * MIB)),
    ("a quote of 7 MiB, not closed", || filled(HEAD, b"\"", b"x", 7 * MIB)),
    ("a quote of line ends, not closed", || filled(HEAD, b"\"", b"\n", 7 * MIB)),
    ("a cell of 7 MiB", || filled(HEAD, b"A,", b"x", 7 * MIB)),
    ("a million columns in the header", || filled(b"", b"sku,warehouse_sku", b",", MIB)),
    ("a million named columns", || filled(b"", b"sku,warehouse_sku", b",a", MIB)),
    ("a million columns in a row", || filled(HEAD, b"A,W", b",", MIB)),
    ("7 million separators", || filled(b"", b"", b",", 7 * MIB)),
    ("two million rows", || filled(HEAD, b"", b"A,B\n", 2 * MIB)),
    ("two million wrong rows", || filled(HEAD, b"", b",,x\n", 2 * MIB)),
    ("90,000 wrong rows", || filled(HEAD, b"", b",,x\n", 90_000)),
    ("90,000 rows that are too wide", || filled(HEAD, b"", b"A,B,1,x\n", 90_000)),
    ("90,000 contradictions", || filled(HEAD, b"", b"A,B,1\nA,B,2\n", 45_000)),
    ("one kit of 90,000 parts", || [HEAD, (0..90_000).map(|n| format!("K,W{n},1\n")).collect::<String>().as_bytes()].concat()),
    ("90,000 rules", || filled(RULES, b"", b"is,UPS,,,,A\n", 90_000)),
    ("a service of 1 MiB", || filled(RULES, b"any,,,,,", b"x", MIB)),
    ("a quantity of 4 KB", || filled(HEAD, b"A,B,", b"9", 4000)),
    ("countries that are none", || filled(RULES, b"any,,\"", b"ZZZ ", 1000)),
    ("7 million empty lines", || filled(b"", b"", b"\n", 7 * MIB)),
    ("NUL", || vec![0; MIB]),
    ("invalid UTF-8", || [HEAD, b"M\xfcnze,W\n"].concat()),
    ("UTF-16 with its mark", || "\u{feff}sku,warehouse_sku\nA,B\n".encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ("three marks", || "\u{feff}\u{feff}\u{feff}sku,warehouse_sku\nA,B\n".into()),
    ("a workbook", || filled(b"PK\x03\x04", b"", b"x", MIB)),
    ("a NUL in a SKU", || [HEAD, b"A\0B,W\n"].concat()),
    ("an escape sequence in a SKU", || [HEAD, b"\x1b[31mA,W\n"].concat()),
    ("a header alone in quotes", || b"\"sku,warehouse_sku\"\nA,B\n".to_vec()),
];

fn filled(head: &[u8], start: &[u8], piece: &[u8], times: usize) -> Vec<u8> {
    [head, start, &piece.repeat(times)].concat()
}

/// As many listings as a file may hold.
pub(super) fn longest() -> Vec<u8> {
    let rows: String = (0..99_000).map(|n| format!("SKU-{n},WH-{n},1\n")).collect();
    [HEAD, rows.as_bytes()].concat()
}
