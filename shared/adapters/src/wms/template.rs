//! Requests by template: texts with `{placeholders}`, whose values are escaped by what surrounds them.

use std::borrow::Cow;

use super::xml;

/// What a template makes, which decides how values are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Inside quotes the text of a value, outside of them a complete JSON value.
    Json,
    /// Text of elements and attributes.
    Xml,
    /// Path or query of a URL.
    Url,
    /// The value of a header.
    Header,
}

/// The value of a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    /// Digits, perhaps with a sign and a decimal point.
    Number(String),
    /// Yes, no, or not known.
    Flag(Option<bool>),
    /// Rendered already.
    Raw(String),
}

impl Value<'_> {
    fn plain(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(text) | Self::Raw(text) => Cow::Borrowed(text),
            Self::Flag(flag) => Cow::Borrowed(flag.map_or("", |flag| if flag { "true" } else { "false" })),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A placeholder; whether it stands inside the quotes of JSON.
    Field(String, bool),
}

/// A template, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    kind: Kind,
    parts: Vec<Part>,
}

impl Template {
    /// Reads a template that may use these placeholders. A brace that begins no `{word}` is a brace.
    ///
    /// # Errors
    /// Which placeholder is not known, and which are.
    pub(super) fn parse(kind: Kind, text: &str, known: &[&[&str]]) -> Result<Self, String> {
        let (mut parts, mut literal, mut quotes) = (Vec::new(), String::new(), Quotes::default());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some((name, after)) = placeholder(rest) {
                if !known.iter().any(|names| names.contains(&name)) {
                    return Err(format!(
                        "has an unknown placeholder {{{name}}}; known are {}",
                        known.concat().join(", ")
                    ));
                }
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(Part::Field(name.to_owned(), quotes.open));
                rest = after;
                continue;
            }
            quotes.see(c);
            literal.push(c);
            rest = &rest[c.len_utf8()..];
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { kind, parts })
    }

    /// The text with its values.
    pub(super) fn render<'v>(&self, value: &dyn Fn(&str) -> Value<'v>) -> String {
        self.parts.iter().fold(String::new(), |mut out, part| {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Field(name, quoted) => out.push_str(&self.escaped(&value(name), *quoted)),
            }
            out
        })
    }

    fn escaped(&self, value: &Value<'_>, quoted: bool) -> String {
        match (self.kind, value) {
            (_, Value::Raw(text)) => text.clone(),
            (Kind::Json, Value::Flag(None)) if !quoted => "null".to_owned(),
            (Kind::Json, Value::Text(text)) if !quoted => json_string(text),
            (Kind::Json, Value::Text(text)) => {
                let whole = json_string(text);
                whole[1..whole.len() - 1].to_owned()
            }
            (Kind::Json, other) => other.plain().into_owned(),
            (Kind::Xml, other) => xml::escape(&other.plain()),
            (Kind::Url, other) => percent_encoded(&other.plain()),
            (Kind::Header, other) => other.plain().chars().filter(|c| !c.is_control()).collect(),
        }
    }

    /// Does it use this placeholder?
    pub(super) fn uses(&self, name: &str) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Field(field, _) if field == name))
    }

    /// Is it nothing but one placeholder, and that one's value empty?
    fn is_blank<'v>(&self, value: &dyn Fn(&str) -> Value<'v>) -> bool {
        matches!(self.parts.as_slice(), [Part::Field(name, _)] if value(name).plain().is_empty())
    }
}

/// Follows the quotes of JSON.
#[derive(Default)]
struct Quotes {
    open: bool,
    escaped: bool,
}

impl Quotes {
    fn see(&mut self, c: char) {
        match c {
            _ if self.escaped => self.escaped = false,
            '\\' if self.open => self.escaped = true,
            '"' => self.open = !self.open,
            _ => {}
        }
    }
}

/// The name of the placeholder that `text` begins with, and what follows it.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let is_name =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
    is_name.then_some((name, after))
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
        out
    })
}

/// Path and query of a URL. A query value that is one empty placeholder is left out with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UrlTemplate {
    path: Template,
    query: Vec<(String, Template)>,
}

impl UrlTemplate {
    /// Reads a template such as `/v1/orders/{id}/cancel?force=1`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str, known: &[&[&str]]) -> Result<Self, String> {
        let text = text.trim();
        if !text.starts_with('/') {
            return Err("must start with a slash; it is added to base_url".to_owned());
        }
        if text.contains('#') {
            return Err("must not hold a #".to_owned());
        }
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((name.to_owned(), Template::parse(Kind::Url, value, known)?))
            })
            .collect::<Result<_, String>>()?;
        Ok(Self { path: Template::parse(Kind::Url, path, known)?, query })
    }

    /// The path and query with their values.
    pub(super) fn render<'v>(&self, value: &dyn Fn(&str) -> Value<'v>) -> String {
        let mut out = self.path.render(value);
        let kept = self.query.iter().filter(|(_, template)| !template.is_blank(value));
        for (index, (name, template)) in kept.enumerate() {
            out.push(if index == 0 { '?' } else { '&' });
            out.push_str(name);
            out.push('=');
            out.push_str(&template.render(value));
        }
        out
    }

    /// Does it use this placeholder?
    pub(super) fn uses(&self, name: &str) -> bool {
        self.path.uses(name) || self.query.iter().any(|(_, template)| template.uses(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KNOWN: &[&[&str]] = &[&["text", "number", "flag", "empty"]];

    fn values<'v>(text: &'v str) -> impl Fn(&str) -> Value<'v> {
        move |name| match name {
            "text" => Value::Text(text.into()),
            "number" => Value::Number("12.50".into()),
            "flag" => Value::Flag(None),
            _ => Value::Text("".into()),
        }
    }

    #[test]
    fn json_values_fit_where_they_stand() {
        let template = Template::parse(
            Kind::Json,
            r#"{"a":"\"{text}","b":{text},"c":{number},"d":"{number}","e":{flag},"f":"{flag}"}"#,
            KNOWN,
        );
        let made = template.unwrap().render(&values("É<&\"\\\n"));
        let read: serde_json::Value = serde_json::from_str(&made).unwrap();
        assert_eq!(read["a"], "\"É<&\"\\\n");
        assert_eq!(read["b"], "É<&\"\\\n");
        assert_eq!((read["d"].as_str(), read["f"].as_str()), (Some("12.50"), Some("")));
        assert!(made.contains("\"c\":12.50") && read["e"].is_null(), "{made}");
    }

    #[test]
    fn an_empty_query_value_is_left_out() {
        let url = UrlTemplate::parse("/v1/x/{text}?after={empty}&limit=1&q=a{empty}", KNOWN).unwrap();
        assert_eq!(url.render(&values("a b/c?É")), "/v1/x/a%20b%2Fc%3F%C3%89?limit=1&q=a");
    }

    #[test]
    fn a_placeholder_that_nobody_knows_is_named() {
        let why = Template::parse(Kind::Json, r#"{"a":"{refrence}"}"#, KNOWN).unwrap_err();
        assert!(why.contains("{refrence}") && why.contains("number"), "{why}");
        assert!(UrlTemplate::parse("v1", KNOWN).is_err());
    }

    proptest! {
        #[test]
        fn any_text_survives_json(text in "\\PC*|.*") {
            let template = Template::parse(Kind::Json, r#"["{text}",{text}]"#, KNOWN).unwrap();
            let read: Vec<String> = serde_json::from_str(&template.render(&values(&text))).unwrap();
            prop_assert_eq!(read, vec![text.clone(), text]);
        }

        #[test]
        fn any_text_survives_a_path(text in "\\PC+") {
            let template = UrlTemplate::parse("/a/{text}?q={text}", KNOWN).unwrap();
            let url = url::Url::parse(&format!("https://h.example{}", template.render(&values(&text)))).unwrap();
            prop_assert_eq!(url.host_str(), Some("h.example"));
            let pairs: Vec<_> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(pairs, vec![("q".to_owned(), text)]);
        }

        #[test]
        fn any_template_is_read_or_refused(text in "\\PC*") {
            let _either = Template::parse(Kind::Xml, &text, KNOWN);
        }
    }
}
