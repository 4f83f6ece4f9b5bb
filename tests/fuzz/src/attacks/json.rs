//! JSON that hurts.

use super::{MIB, Maker};

/// Each is refused, by whoever reads JSON.
#[rustfmt::skip]
pub(super) const REFUSED: &[Maker] = &[
    ("nothing", Vec::new),
    ("100,000 arrays deep", || nested("[", "]", 100_000)),
    ("100,000 arrays deep, not closed", || "[".repeat(100_000).into_bytes()),
    ("100,000 objects deep", || nested("{\"a\":", "}", 100_000)),
    ("40 levels", || nested("{\"a\":", "}", 40)),
    ("4 MiB of [", || vec![b'['; 4 * MIB - 64]),
    ("2,000,000 numbers", || listed("0", 2_000_000)),
    ("1,000,000 texts", || listed("\"\"", 1_000_000)),
    ("1,000,000 arrays", || listed("[]", 1_000_000)),
    ("400,000 objects", || listed("{\"a\":0}", 400_000)),
    ("400,000 entries", || format!("{{{}\"id\":7}}", (0..300_000).map(|n| format!("\"{n}\":0,")).collect::<String>()).into_bytes()),
    ("64 MiB of text", || format!("{{\"id\":\"{}\"}}", "x".repeat(64 * MIB)).into_bytes()),
    ("64 MiB of blanks", || " ".repeat(64 * MIB).into_bytes()),
    ("64 MiB of NUL", || vec![0; 64 * MIB]),
    ("a text of 3 MiB, not closed", || format!("{{\"id\":\"{}", "x".repeat(3 * MIB)).into_bytes()),
    ("a text of escapes, not closed", || format!("{{\"id\":\"{}", "\\\"".repeat(MIB)).into_bytes()),
    ("a number of 3 MiB", || format!("{{\"id\":{}}}", "9".repeat(3 * MIB)).into_bytes()),
    ("1e999", || b"{\"id\":1e999}".to_vec()),
    ("an exponent without end", || format!("{{\"id\":1e{}}}", "9".repeat(100_000)).into_bytes()),
    ("a lone surrogate", || b"{\"id\":\"\\ud800\"}".to_vec()),
    ("a control character in a text", || b"{\"id\":\"a\x01b\"}".to_vec()),
    ("invalid UTF-8", || b"{\"id\":\"\xff\"}".to_vec()),
    ("UTF-16 with its mark", || "\u{feff}{\"id\":7}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ("NaN", || b"{\"id\":NaN}".to_vec()),
    ("a comma too many", || b"{\"id\":7,}".to_vec()),
    ("a comment", || b"{\"id\":7 /* mark@q7.example */}".to_vec()),
    ("two documents", || b"{\"id\":7}{\"id\":8}".to_vec()),
    ("truncated", || b"{\"id\":\"mark@q7.exam".to_vec()),
    ("a web page", || b"<!DOCTYPE html><html>mark@q7.example</html>".to_vec()),
];

fn nested(open: &str, close: &str, levels: usize) -> Vec<u8> {
    format!("{}0{}", open.repeat(levels), close.repeat(levels)).into_bytes()
}

fn listed(entry: &str, count: usize) -> Vec<u8> {
    format!("[{}{entry}]", format!("{entry},").repeat(count)).into_bytes()
}

pub(super) fn thousand_shipments() -> Vec<u8> {
    let one = |n| {
        format!(
            "{{\"id\":\"{n}\",\"reference\":\"main-{n}\",\"carrier\":\"UPS\",\"tracking_number\":\"1Z{n}\",\
             \"shipped_at\":\"2026-11-23T10:00:00Z\",\"items\":[{{\"sku\":\"A\",\"quantity\":1}},{{\"sku\":\"B\",\"quantity\":2}}]}}"
        )
    };
    let entries: Vec<String> = (0..1000).map(one).collect();
    format!("feed 200\n{{\"shipments\":[{}],\"next\":\"n\",\"more\":true}}", entries.join(",")).into_bytes()
}
