//! Texts with `{placeholders}`, for the write-back call that a setting describes.

use super::text;

/// The placeholders that may stand in a template.
pub(super) const NAMES: [&str; 8] =
    ["merchant_id", "key", "order_id", "carrier", "service", "tracking_number", "tracking_url", "shipped_at"];

/// A text with placeholders, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(&'static str),
}

/// How a value is made safe for where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// In an XML document.
    Xml,
    /// In a path or a query.
    Url,
}

impl Template {
    /// Reads a template. An unknown placeholder is an error that names it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').ok_or("has a { without its }")?;
            let known = NAMES.iter().find(|known| **known == name).ok_or_else(|| unknown(name))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Place(known));
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The template as it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Does it hold this placeholder?
    pub(super) fn names(&self, name: &str) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Place(place) if *place == name))
    }

    /// The text with its placeholders filled. A value that is not given is empty.
    pub(super) fn fill(&self, values: &[(&str, &str)], escape: Escape) -> String {
        let value = |name: &str| values.iter().find(|(n, _)| *n == name).map_or("", |(_, value)| *value);
        self.parts
            .iter()
            .map(|part| match (part, escape) {
                (Part::Text(text), _) => text.clone(),
                (Part::Place(name), Escape::Xml) => text::escaped(value(name)),
                (Part::Place(name), Escape::Url) => text::percent_encoded(value(name)),
            })
            .collect()
    }
}

fn unknown(name: &str) -> String {
    let name: String = name.chars().take(40).collect();
    format!("holds the unknown placeholder {{{name}}}; known are {{{}}}", NAMES.join("}, {"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_for_where_they_stand() {
        let template = Template::parse("<a>{carrier}</a><b>{order_id}</b>{service}").unwrap();
        let values = [("carrier", "A&B <\"É\">{key}"), ("order_id", "7")];
        assert_eq!(template.fill(&values, Escape::Xml), "<a>A&amp;B &lt;&quot;É&quot;&gt;{key}</a><b>7</b>");
        let path = Template::parse("/x/{carrier}?k").unwrap();
        assert_eq!(path.fill(&[("carrier", "a/../b?")], Escape::Url), "/x/a%2F..%2Fb%3F?k");
    }

    #[test]
    fn an_unknown_placeholder_is_named() {
        assert!(Template::parse("{tracking}").unwrap_err().contains("{tracking}"));
        assert!(Template::parse("{order_id").is_err());
        assert!(Template::parse("{order_id}").unwrap().names("order_id"));
    }
}
