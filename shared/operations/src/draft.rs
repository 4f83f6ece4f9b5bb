//! A request to a warehouse, laid out for people.

use domain::warehouse::Draft;

use crate::text::{Style, wrap};

/// Its method and address, its headers, and its body.
pub(crate) fn text(request: &Draft, style: Style) -> String {
    let mut out = hanging(&format!("{} {}", request.method, request.url), "  ", style);
    for (name, value) in &request.headers {
        out.push_str(&hanging(&format!("{name}: {value}"), "  ", style));
    }
    out.push('\n');
    for line in laid_out(&request.body).lines() {
        let depth = line.len() - line.trim_start_matches(' ').len();
        out.push_str(&hanging(line.trim_start_matches(' '), &" ".repeat(depth + 2), style));
    }
    out
}

/// A text behind an indent, going on below itself.
pub(crate) fn hanging(text: &str, indent: &str, style: Style) -> String {
    let width = indent.chars().count();
    let lines = wrap(text, style.width.saturating_sub(width).max(20));
    let blank = " ".repeat(width);
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        out.push_str(&format!("{}{line}\n", if number == 0 { indent } else { &blank }));
    }
    out
}

/// JSON on lines of its own, its texts and numbers as they are; anything else as it is.
fn laid_out(body: &str) -> String {
    if !body.starts_with(['{', '[']) {
        return body.to_owned();
    }
    let (mut out, mut depth, mut quoted, mut escaped) = (String::new(), 0_usize, false, false);
    for c in body.chars() {
        if quoted {
            out.push(c);
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                depth += 1;
                out.push(c);
                new_line(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if out.trim_end().ends_with(['{', '[']) {
                    out.truncate(out.trim_end().len());
                } else {
                    new_line(&mut out, depth);
                }
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_whitespace() => {}
            c => {
                quoted = c == '"';
                out.push(c);
            }
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_is_laid_out_with_its_numbers_as_they_are() {
        assert_eq!(
            laid_out(r#"{"a":12.50,"b":[],"c":["x, \"y\" {z}",{"d":null}]}"#),
            "{\n  \"a\": 12.50,\n  \"b\": [],\n  \"c\": [\n    \"x, \\\"y\\\" {z}\",\n    {\n      \"d\": null\n    }\n  ]\n}"
        );
        assert_eq!(laid_out("<Order a=\"1\"/>"), "<Order a=\"1\"/>");
    }

    proptest! {
        #[test]
        fn laid_out_json_is_the_same_json(texts in proptest::collection::vec("\\PC{0,12}", 0..5), number in any::<i32>()) {
            let value = serde_json::json!({"texts": texts, "n": number, "deep": {"a": [[], {}, [number]]}});
            let read: serde_json::Value = serde_json::from_str(&laid_out(&value.to_string())).unwrap();
            prop_assert_eq!(read, value);
        }
    }
}
