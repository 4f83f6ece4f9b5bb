//! A warehouse's answer, JSON or XML, and the paths by which settings point into it.

use domain::limits::ANSWER_BYTES;
use serde_json::Value;

use super::xml::{self, Element};
use crate::json;

/// The two notations that warehouses speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Xml,
}

/// A whole answer.
pub(super) enum Document {
    Json(Value),
    Xml(Element),
}

/// A place in an answer.
#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    Json(&'a Value),
    Xml(&'a Element),
    /// The value of an attribute.
    Text(&'a str),
}

/// Where something stands: relative to the document, or to the entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Path {
    /// `.`: the place itself.
    Here,
    /// A JSON Pointer (RFC 6901).
    Json(String),
    /// Element names, then perhaps an attribute: `/Answer/Order@id`, `@id`.
    Xml { steps: Vec<String>, attribute: Option<String> },
}

impl Path {
    /// Reads a path of a setting.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(super) fn parse(format: Format, text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text == "." {
            return Ok(Self::Here);
        }
        match format {
            Format::Json if text.starts_with('/') => Ok(Self::Json(text.to_owned())),
            Format::Json => Err("must be a JSON Pointer such as /order/id, or . for the place itself"),
            Format::Xml => Self::parse_xml(text),
        }
    }

    fn parse_xml(text: &str) -> Result<Self, &'static str> {
        const RULE: &str =
            "must be a path such as /Answer/Order/Id, /Order@id or @id, or . for the place itself";
        let (elements, attribute) = match text.split_once('@') {
            Some((elements, name)) => (elements, Some(name)),
            None => (text, None),
        };
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        let steps: Vec<String> = match elements.strip_prefix('/') {
            Some(steps) => steps.split('/').map(str::to_owned).collect(),
            None if elements.is_empty() && attribute.is_some() => Vec::new(),
            None => return Err(RULE),
        };
        if steps.iter().map(String::as_str).chain(attribute).all(is_name) {
            Ok(Self::Xml { steps, attribute: attribute.map(str::to_owned) })
        } else {
            Err(RULE)
        }
    }
}

impl Document {
    /// Reads an answer.
    ///
    /// # Errors
    /// Where and why it cannot be read, without its content.
    pub(super) fn parse(format: Format, bytes: &[u8]) -> Result<Self, String> {
        match format {
            Format::Json => json::read(bytes, ANSWER_BYTES).map(Self::Json),
            Format::Xml => xml::read(bytes).map(Self::Xml),
        }
    }

    /// The place where it begins.
    pub(super) fn top(&self) -> Node<'_> {
        match self {
            Self::Json(value) => Node::Json(value),
            Self::Xml(element) => Node::Xml(element),
        }
    }
}

impl<'a> Node<'a> {
    /// The (first) place at a path.
    pub(super) fn at(self, path: &Path) -> Option<Self> {
        match (self, path) {
            (node, Path::Here) => Some(node),
            (Self::Json(value), Path::Json(pointer)) => value.pointer(pointer).map(Self::Json),
            (Self::Xml(element), Path::Xml { steps, attribute }) => {
                let element = elements(element, steps).into_iter().next()?;
                match attribute {
                    None => Some(Self::Xml(element)),
                    Some(name) => {
                        element.attributes.iter().find(|(key, _)| key == name).map(|(_, v)| Self::Text(v))
                    }
                }
            }
            _ => None,
        }
    }

    /// The entries of the list at a path. None when there is no list: in XML, where an empty list leaves no trace, when
    /// the document is another one.
    pub(super) fn list(self, path: &Path) -> Option<Vec<Self>> {
        if let (Self::Xml(element), Path::Xml { steps, .. }) = (self, path) {
            let other = element.name.is_empty() && elements(element, steps.get(..1)?).is_empty();
            return (!other).then(|| elements(element, steps).into_iter().map(Self::Xml).collect());
        }
        match self.at(path)? {
            Self::Json(Value::Array(entries)) => Some(entries.iter().map(Self::Json).collect()),
            Self::Json(Value::Null) => Some(Vec::new()),
            Self::Json(Value::Object(_)) | Self::Xml(_) => self.at(path).map(|entry| vec![entry]),
            Self::Json(_) | Self::Text(_) => None,
        }
    }

    /// The text at a path: of a string, a number, a truth value, an element or an attribute; none when it is empty.
    pub(super) fn text(self, path: &Path) -> Option<String> {
        let text = match self.at(path)? {
            Self::Json(Value::String(text)) => text.trim().to_owned(),
            Self::Json(Value::Number(number)) => number.to_string(),
            Self::Json(Value::Bool(flag)) => flag.to_string(),
            Self::Json(_) => return None,
            Self::Xml(element) => element.text.trim().to_owned(),
            Self::Text(text) => text.trim().to_owned(),
        };
        (!text.is_empty()).then_some(text)
    }

    /// The truth at a path, where it is one.
    pub(super) fn flag(self, path: &Path) -> Option<bool> {
        match self.text(path)?.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "y" => Some(true),
            "false" | "0" | "no" | "n" => Some(false),
            _ => None,
        }
    }
}

fn elements<'a>(from: &'a Element, steps: &[String]) -> Vec<&'a Element> {
    steps.iter().fold(vec![from], |level, step| {
        level
            .into_iter()
            .flat_map(|element| element.children.iter().filter(move |c| c.name == *step))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JSON: &[u8] =
        br#"{"orders":[{"id":7,"a/b":" x ","ok":true,"no":null}],"one":{"id":"8"},"none":null}"#;
    const XML: &[u8] = b"<R ok='1'><Orders><Order id='7'><N> x </N></Order><Order id='8'/></Orders></R>";

    fn texts(format: Format, bytes: &[u8], list: &str, item: &str) -> Option<Vec<Option<String>>> {
        let document = Document::parse(format, bytes).unwrap();
        let (list, item) = (Path::parse(format, list).unwrap(), Path::parse(format, item).unwrap());
        Some(document.top().list(&list)?.into_iter().map(|node| node.text(&item)).collect())
    }

    fn found(texts: &[Option<&str>]) -> Option<Vec<Option<String>>> {
        Some(texts.iter().map(|text| text.map(str::to_owned)).collect())
    }

    #[test]
    fn json_is_pointed_into() {
        assert_eq!(texts(Format::Json, JSON, "/orders", "/id"), found(&[Some("7")]));
        assert_eq!(texts(Format::Json, JSON, "/orders", "/a~1b"), found(&[Some("x")]));
        assert_eq!(texts(Format::Json, JSON, "/orders", "/no"), found(&[None]));
        assert_eq!(texts(Format::Json, JSON, "/one", "/id"), found(&[Some("8")]));
        assert_eq!(texts(Format::Json, JSON, "/none", "/id"), found(&[]));
        assert_eq!(texts(Format::Json, JSON, "/missing", "/id"), None);
    }

    #[test]
    fn xml_is_pointed_into() {
        assert_eq!(texts(Format::Xml, XML, "/R/Orders/Order", "@id"), found(&[Some("7"), Some("8")]));
        assert_eq!(texts(Format::Xml, XML, "/R/Orders/Order", "/N"), found(&[Some("x"), None]));
        assert_eq!(texts(Format::Xml, XML, "/R/Empty/Order", "/N"), found(&[]));
        assert_eq!(texts(Format::Xml, XML, "/Other/Order", "/N"), None);
    }

    #[test]
    fn a_wrong_path_is_refused() {
        for (format, text) in [
            (Format::Json, "id"),
            (Format::Json, ""),
            (Format::Xml, "Id"),
            (Format::Xml, "/a//b"),
            (Format::Xml, "/a@"),
        ] {
            assert!(Path::parse(format, text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), path in "/[a-z/@]{0,8}") {
            for format in [Format::Json, Format::Xml] {
                if let (Ok(document), Ok(path)) = (Document::parse(format, &bytes), Path::parse(format, &path)) {
                    let _any = (document.top().list(&path).is_some(), document.top().text(&path));
                }
            }
        }
    }
}
