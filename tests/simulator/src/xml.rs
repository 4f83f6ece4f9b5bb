//! Just enough XML for a store: a writer for its compact documents and a reader for the requests it gets.

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;

/// Writes elements one behind the other, without any white space.
#[derive(Default)]
pub(crate) struct Writer {
    text: String,
}

impl Writer {
    /// A document: the declaration directly followed by the root, as the store writes it.
    pub(crate) fn document() -> Self {
        Self { text: r#"<?xml version="1.0" encoding="utf-8"?>"#.to_owned() }
    }

    pub(crate) fn open(&mut self, name: &str) -> &mut Self {
        self.raw(&format!("<{name}>"))
    }

    /// Opens an element; attribute values are escaped.
    pub(crate) fn open_with(&mut self, name: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.raw(&format!("<{name}{}>", written(attributes)))
    }

    pub(crate) fn close(&mut self, name: &str) -> &mut Self {
        self.raw(&format!("</{name}>"))
    }

    /// An element with text, or the empty element when there is none.
    pub(crate) fn leaf(&mut self, name: &str, value: &str) -> &mut Self {
        self.leaf_with(name, &[], value)
    }

    pub(crate) fn leaf_with(&mut self, name: &str, attributes: &[(&str, &str)], value: &str) -> &mut Self {
        let attributes = written(attributes);
        if value.is_empty() {
            return self.raw(&format!("<{name}{attributes} />"));
        }
        self.raw(&format!("<{name}{attributes}>{}</{name}>", escape(value)))
    }

    pub(crate) fn empty(&mut self, name: &str) -> &mut Self {
        self.leaf(name, "")
    }

    pub(crate) fn raw(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

fn written(attributes: &[(&str, &str)]) -> String {
    attributes.iter().map(|(name, value)| format!(r#" {name}="{}""#, escape(*value))).collect()
}

/// An element of a request: its name, its text and what is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Reads a request; none when it is not well formed.
    pub(crate) fn read(document: &str) -> Option<Self> {
        let mut reader = Reader::from_str(document.trim_start_matches('\u{feff}').trim());
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) => open.push(Self::named(tag.name().as_ref())),
                Event::Empty(tag) => open.last_mut()?.children.push(Self::named(tag.name().as_ref())),
                Event::End(_) => {
                    let done = open.pop()?;
                    open.last_mut()?.children.push(done);
                }
                Event::Text(text) => open.last_mut()?.text.push_str(&text),
                Event::CData(text) => open.last_mut()?.text.push_str(&text),
                Event::GeneralRef(entity) => open.last_mut()?.text.push_str(&resolved(&entity)?),
                Event::Eof => break,
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
        let [document] = <[Self; 1]>::try_from(open).ok()?;
        let [root] = <[Self; 1]>::try_from(document.children).ok()?;
        Some(root)
    }

    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of this name, empty when there is none.
    pub(crate) fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.trim())
    }
}

fn resolved(entity: &quick_xml::events::BytesRef<'_>) -> Option<String> {
    if let Some(letter) = entity.resolve_char_ref().ok()? {
        return Some(letter.to_string());
    }
    quick_xml::escape::resolve_predefined_entity(entity).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let nasty = "a < b & \"c\" 'd' > é 🎁 ]]>";
        let mut writer = Writer::document();
        writer.open("Request").leaf("Key", nasty).empty("Nothing").close("Request");
        let root = Element::read(&writer.finish()).expect("well formed");
        assert_eq!((root.text_of("Key"), root.text_of("Nothing"), root.text_of("Absent")), (nasty, "", ""));
    }

    #[test]
    fn what_is_not_well_formed_is_not_read() {
        for text in ["", "<a>", "<a></b>", "hello", "<a/><b/>", "<a>&nosuch;</a>"] {
            assert_eq!(Element::read(text), None, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives_being_written_and_read(text in "[^\\p{C}]*") {
            let mut writer = Writer::document();
            writer.open("Request").leaf("Key", &text).close("Request");
            let root = Element::read(&writer.finish()).expect("well formed");
            proptest::prop_assert_eq!(root.text_of("Key"), text.trim());
        }

        #[test]
        fn no_request_makes_the_reader_panic(text in "(<[a-z/!?]{0,3}>?|&[a-z#0-9]{0,4};?|\\PC{0,5}){0,20}") {
            drop(Element::read(&text));
        }
    }
}
