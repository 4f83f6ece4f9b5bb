//! JSON from outside: looked at before it is read, because a few bytes of it can take a hundred times as much memory.

use domain::limits::{JSON_DEPTH, JSON_DIGITS, ROOM_BYTES};
use serde::de::DeserializeOwned;

/// What a value takes in memory, at most: its place in a list that has grown, or in a map with its name.
const VALUE: usize = 128;
/// What an object takes, however little it holds.
const OBJECT: usize = 640;

/// Reads a document of at most `most` bytes.
///
/// # Errors
/// Where and why it cannot be read, without its content.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8], most: usize) -> Result<T, String> {
    if bytes.len() > most {
        return Err(format!("larger than {most} bytes"));
    }
    look(bytes)?;
    serde_json::from_slice(bytes).map_err(|e| format!("no JSON at line {}, column {}", e.line(), e.column()))
}

/// Counts what the values will take, and how deep they lie, without reading them.
fn look(bytes: &[u8]) -> Result<(), String> {
    let room = 4 * bytes.len() + ROOM_BYTES;
    let (mut needed, mut depth) = (0, 0_usize);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at += text(bytes.get(at + 1..).unwrap_or_default()).ok_or("ends inside a text")?,
            b'0'..=b'9' => at += digits(bytes.get(at + 1..).unwrap_or_default())?,
            b',' => needed += VALUE,
            b'[' => (needed, depth) = (needed + VALUE, depth + 1),
            b'{' => (needed, depth) = (needed + OBJECT, depth + 1),
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > JSON_DEPTH {
            return Err(format!("nested too deeply near byte {at}"));
        }
        if needed > room {
            return Err(format!("too many values near byte {at}"));
        }
        at += 1;
    }
    Ok(())
}

/// How many digits follow.
fn digits(rest: &[u8]) -> Result<usize, String> {
    let count = rest.iter().take(JSON_DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
    if count < JSON_DIGITS { Ok(count) } else { Err(format!("a number of more than {JSON_DIGITS} digits")) }
}

/// How many bytes the rest of a text has, its closing quote included. None: it has none.
fn text(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match rest.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn refused(document: &str) -> String {
        read::<Value>(document.as_bytes(), 1 << 20).unwrap_err()
    }

    #[test]
    fn depth_and_density_have_an_end() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read::<Value>(deep(JSON_DEPTH).as_bytes(), 1 << 20).is_ok());
        assert_eq!(refused(&deep(JSON_DEPTH + 1)), "nested too deeply near byte 32");
        assert!(refused(&format!("[{}0]", "0,".repeat(100_000))).starts_with("too many values"));
        assert!(refused(&format!("[{}0]", "{},".repeat(20_000))).starts_with("too many values"));
        assert_eq!(refused(&"9".repeat(JSON_DIGITS + 1)), "a number of more than 1000 digits");
        assert_eq!(refused(&"x".repeat((1 << 20) + 1)), "larger than 1048576 bytes");
    }

    #[test]
    fn what_stands_in_a_text_does_not_count() {
        let text = "[{,".repeat(100_000);
        assert_eq!(read::<String>(format!("\"{text}\"").as_bytes(), 1 << 20).unwrap(), text);
        assert_eq!(read::<String>(br#""\"[\\""#, 100).unwrap(), "\"[\\");
        assert_eq!(refused("\"mark\\\""), "ends inside a text");
    }

    proptest! {
        /// The look refuses nothing small that is JSON.
        #[test]
        fn what_is_json_is_read(value in "[ -~é]{0,40}", number: i64) {
            let document = serde_json::json!({"a": [value, number, null, {"b": value}]});
            let read: Value = read(document.to_string().as_bytes(), 10_000).unwrap();
            prop_assert_eq!(read, document);
        }
    }
}
