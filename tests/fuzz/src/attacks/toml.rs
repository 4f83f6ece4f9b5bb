//! TOML that hurts.

use super::{MIB, Maker};

/// Each is refused.
#[rustfmt::skip]
pub(super) const REFUSED: &[Maker] = &[
    ("nothing", Vec::new),
    ("100,000 lists deep", || format!("a = {}", "[".repeat(100_000)).into_bytes()),
    ("100,000 tables deep", || format!("a = {}", "{a=".repeat(80_000)).into_bytes()),
    ("a key of 100,000 parts", || format!("{}a = 1", "a.".repeat(100_000)).into_bytes()),
    ("a heading of 100,000 parts", || format!("[{}a]", "a.".repeat(100_000)).into_bytes()),
    ("a list heading of 100,000 parts", || format!("[[{}a]]", "a.".repeat(100_000)).into_bytes()),
    ("a key of 60,000 parts among the store's", || format!("[[connection]]\nid='a'\n[connection.store]\n{}a = 1", "a.".repeat(60_000)).into_bytes()),
    ("60 keys of 60 parts", || (0..60).map(|n| format!("{}k{n} = 1\n", format!("n{n}.").repeat(60))).collect::<String>().into_bytes()),
    ("a name of 200 KB", || format!("{} = 1", "a".repeat(200_000)).into_bytes()),
    ("50,000 unknown settings", || (0..24_000).map(|n| format!("a{n} = 1\n")).collect::<String>().into_bytes()),
    ("20,000 unknown settings of a store", || [b"[[connection]]\nid='a'\n[connection.store]\n".as_slice(), (0..20_000).map(|n| format!("a{n} = 1\n")).collect::<String>().as_bytes()].concat()),
    ("16,000 connections", || b"[[connection]]\n".repeat(16_000)),
    ("the same key again and again", || b"a = 1\n".repeat(40_000)),
    ("64 MiB of text", || format!("a = \"{}\"", "x".repeat(64 * MIB)).into_bytes()),
    ("64 MiB of comments", || b"#\n".repeat(32 * MIB)),
    ("a text that never ends", || format!("a = \"\"\"{}", "x\n".repeat(100_000)).into_bytes()),
    ("200,000 opening brackets", || b"[".repeat(200_000)),
    ("200,000 errors", || b"=\n".repeat(100_000)),
    ("a number of 200 KB", || format!("[pace]\nlease_ms = {}", "9".repeat(200_000)).into_bytes()),
    ("a NUL", || b"a = \"\0\"".to_vec()),
    ("NUL", || vec![0; 200_000]),
    ("a secret in the wrong place", || b"\n[[connection]]\nid=\"a\"\n[connection.store]\nmerchant_id=1\napi_key = \"mark@q7.example\"\n".to_vec()),
];
