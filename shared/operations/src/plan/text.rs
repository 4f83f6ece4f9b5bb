//! A plan for people, with the request laid out.

use super::{Fate, Plan};
use crate::text::{Style, Table, Tone, wrap};

impl Fate {
    /// The tone of what becomes of it.
    pub(super) fn tone(&self) -> Tone {
        match self.word {
            "sent" => Tone::Good,
            "held" => Tone::Bad,
            "waiting" | "excluded" => Tone::Warn,
            _ => Tone::Strong,
        }
    }

    /// What would become of it, or became of it, in two or three words.
    fn phrase(&self, past: bool) -> String {
        match self.word {
            stage if past => format!("is {stage}"),
            "sent" | "held" | "excluded" => format!("would be {}", self.word),
            "waiting" => "would wait".to_owned(),
            stage => format!("is {stage}"),
        }
    }
}

impl Plan {
    /// The order's whole way, for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let phrase = style.paint(self.outcome.tone(), &self.outcome.phrase(self.past));
        let mut out = format!("{}  {phrase}\n", style.paint(Tone::Strong, &self.order));
        for line in wrap(&self.outcome.what, style.width.saturating_sub(2)) {
            out.push_str(&format!("  {line}\n"));
        }
        for cure in &self.cures {
            let parts = [Some(&cure.what), cure.row.as_ref(), cure.command.as_ref()];
            for (part, indent) in parts.into_iter().flatten().zip(["  cure: ", "    row: ", "    "]) {
                out.push_str(&hanging(part, indent, style));
            }
        }
        out.push('\n');
        out.push_str(&style.heading("Decisions"));
        let mut table = Table::new(&["ABOUT", "DECIDED", "BY"]);
        for decision in &self.decisions {
            table.row([
                decision.about.as_str().into(),
                decision.decided.as_str().into(),
                decision.rule.as_str().into(),
            ]);
        }
        out.push_str(&table.text(style));
        out.push_str(&self.request_text(style));
        out.push_str("\nNothing was sent and nothing was written.\n");
        out
    }

    fn request_text(&self, style: Style) -> String {
        let Some(request) = &self.request else { return String::new() };
        let masked = if self.masked { ", the buyer masked (--show-personal-data)" } else { "" };
        let title = format!("Request to {}, mapping version {}{masked}", self.warehouse, self.mapping);
        let mut out = format!("\n{}", style.heading(&title));
        out.push_str(&hanging(&format!("{} {}", request.method, request.url), "  ", style));
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
}

/// A text behind an indent, going on below itself.
fn hanging(text: &str, indent: &str, style: Style) -> String {
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
