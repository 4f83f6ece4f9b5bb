//! A small XML tree, read with limits: no document type, bounded depth and number of elements.

use domain::limits::{ANSWER_BYTES, XML_ATTRIBUTES, XML_DEPTH, XML_ELEMENTS};
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// An element with its attributes, its own text and its children. Names are without their prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

/// Reads a document. What comes back is nameless and holds the root element as its only child.
///
/// # Errors
/// Where and why it cannot be read, without its content.
pub(super) fn read(bytes: &[u8]) -> Result<Element, String> {
    if bytes.len() > ANSWER_BYTES {
        return Err(format!("larger than {ANSWER_BYTES} bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| format!("no UTF-8 after byte {}", e.valid_up_to()))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open = vec![Element::default()];
    let mut count = 0;
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position();
        let event = event.map_err(|_| format!("no well-formed XML near byte {at}"))?;
        if matches!(event, Event::Eof) {
            break;
        }
        if matches!(event, Event::Start(_) | Event::Empty(_)) {
            count += 1;
        }
        if count > XML_ELEMENTS || open.len() > XML_DEPTH {
            return Err(format!("too large or too deep near byte {at}"));
        }
        take(event, &mut open).ok_or_else(|| format!("no well-formed XML near byte {at}"))?;
    }
    match open.pop() {
        Some(document) if open.is_empty() && document.children.len() == 1 => Ok(document),
        _ => Err("no single complete XML element".to_owned()),
    }
}

/// Adds an event to the innermost open element. None when it does not fit.
fn take(event: Event<'_>, open: &mut Vec<Element>) -> Option<()> {
    match event {
        Event::Start(start) => open.push(element(&start)?),
        Event::Empty(start) => {
            let child = element(&start)?;
            open.last_mut()?.children.push(child);
        }
        Event::End(_) => {
            let child = open.pop()?;
            open.last_mut()?.children.push(child);
        }
        Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
        Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
        Event::GeneralRef(reference) => open.last_mut()?.text.push(character(&reference)?),
        Event::DocType(_) => return None,
        Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => {}
    }
    Some(())
}

fn element(start: &BytesStart<'_>) -> Option<Element> {
    let mut attributes = Vec::new();
    // Without checks first, which remember every name.
    if start.attributes().with_checks(false).nth(XML_ATTRIBUTES).is_some() {
        return None;
    }
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?;
        attributes.push((attribute.key.local_name().into_inner().to_owned(), value.into_owned()));
    }
    let name = start.local_name().into_inner().to_owned();
    Some(Element { name, attributes, ..Element::default() })
}

/// The character of `&amp;`, `&#233;` and so on; no other entities are known.
fn character(reference: &BytesRef<'_>) -> Option<char> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok().flatten();
    }
    match reference.xml10_content().as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// Writes text so that it stands for itself, in an element as well as in an attribute. What XML 1.0 cannot hold at all
/// (control characters) is left out.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c < ' ' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tree_has_names_texts_and_attributes() {
        let document =
            read(b"<?xml version=\"1.0\"?><n:a b='1 &amp; 2'> x<c/>&#233;<![CDATA[<]]></n:a>").unwrap();
        let root = &document.children[0];
        assert_eq!((root.name.as_str(), root.text.trim()), ("a", "x\u{e9}<"));
        assert_eq!(root.attributes, [("b".to_owned(), "1 & 2".to_owned())]);
        assert_eq!(root.children[0].name, "c");
    }

    #[test]
    fn what_is_dangerous_or_incomplete_is_refused() {
        let deep = "<a>".repeat(100);
        for bad in ["", "x", "<a>", "<a></b>", "<a/><b/>", "<!DOCTYPE a><a/>", "<a>&x;</a>", &deep] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _either = read(&bytes);
        }

        #[test]
        fn markup_like_text_is_read_or_refused(text in "[<>/a&;!\\[\\]?= \"-]{0,80}") {
            let _either = read(text.as_bytes());
        }

        #[test]
        fn escaped_text_is_read_back(text in "\\PC*") {
            let document = read(format!("<a b=\"{0}\">{0}</a>", escape(&text)).as_bytes()).unwrap();
            let kept: String = text.chars().filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}')).collect();
            prop_assert_eq!(&document.children[0].text, &kept);
            prop_assert_eq!(&document.children[0].attributes[0].1, &kept);
        }
    }
}
