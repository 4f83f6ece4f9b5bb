//! Walks through a document of the store, element by element, within fixed limits; says where it breaks, never what is in it.

use std::borrow::Cow;
use std::fmt;
use std::io::BufRead;

use domain::Failure;
use domain::limits::{STORE_PIECES, STORE_TEXT_BYTES, XML_ATTRIBUTES, XML_DEPTH};
use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};

use super::text;

/// How many unknown elements are remembered.
const MAX_UNKNOWN: usize = 16;

/// Where and why a document cannot be read. Holds nothing of its content but plain element names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// What is wrong.
    pub(super) what: &'static str,
    /// At which byte.
    pub(super) offset: usize,
    /// Inside which elements, `Response/OrderInfo`; empty outside the root.
    pub(super) path: String,
    /// Is it an answer of the store that goes beyond our limits (and will the next time)?
    pub(super) is_over_limit: bool,
}

impl Broken {
    /// A document that is broken outside any element.
    pub(super) fn outside(what: &'static str, offset: usize) -> Box<Self> {
        Box::new(Self { what, offset, path: String::new(), is_over_limit: false })
    }

    /// The failure of a call that was answered like this: the next answer may be whole.
    pub(super) fn failure(&self, during: &'static str) -> Failure {
        Failure::retryable(during, format!("the answer cannot be read: {self}"))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {}", self.what, self.offset)?;
        if self.path.is_empty() { f.write_str(")") } else { write!(f, ", in {})", self.path) }
    }
}

/// What walking may end in. Boxed, because the good case is the one to be fast.
pub(super) type Parsed<T> = Result<T, Box<Broken>>;

/// One piece of a document.
pub(super) enum Step<'a> {
    /// An element begins; it is now the current one.
    Enter(&'a str),
    /// Text of the current element, decoded.
    Text(Cow<'a, str>),
    /// The current element ends; its parent is now the current one.
    Leave,
    /// The document ends.
    End,
}

/// A walk through a document. It stands inside the elements of `path`.
pub(super) struct Document<'a> {
    source: &'a str,
    reader: Reader<&'a [u8]>,
    path: Vec<&'a str>,
    /// The tag of the element that was entered last, from its name on.
    tag: &'a str,
    /// How much of the tag is its name.
    name_bytes: usize,
    events: u32,
    /// Is the current element `<so />`, so that its end comes without a tag?
    is_empty: bool,
    /// Was the reader's last event a text? It has then looked ahead, and expects what it has seen.
    after_text: bool,
    /// Unknown elements by path, a bounded number.
    pub(super) unknown: Vec<String>,
    /// An element that is there twice with different texts, where one is allowed.
    pub(super) conflict: Option<String>,
}

impl<'a> Document<'a> {
    /// Begins a walk and enters the root; gives its name.
    pub(super) fn open(source: &'a str) -> Parsed<(Self, &'a str)> {
        let mut reader = Reader::from_str(source);
        reader.config_mut().allow_dangling_amp = true;
        // The names are compared here, where the path is known anyway; the reader does not see every tag.
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        let mut document = Self {
            source,
            reader,
            path: Vec::with_capacity(XML_DEPTH),
            tag: "",
            name_bytes: 0,
            events: 0,
            is_empty: false,
            after_text: false,
            unknown: Vec::new(),
            conflict: None,
        };
        loop {
            match document.step()? {
                Step::Enter(root) => return Ok((document, root)),
                Step::Text(text) if text.trim().is_empty() => {}
                Step::Text(_) | Step::Leave => return Err(document.broken("is not XML")),
                Step::End => return Err(document.broken("has no element")),
            }
        }
    }

    /// Enters the next child of the current element. None: there is no more, and the element has been left.
    pub(super) fn child(&mut self) -> Parsed<Option<&'a str>> {
        loop {
            match self.step()? {
                Step::Enter(name) => return Ok(Some(name)),
                Step::Leave => return Ok(None),
                Step::Text(_) => {}
                Step::End => return Err(self.broken("ends too early")),
            }
        }
    }

    /// Reads the text of the current element, that of any markup inside it included, and leaves the element.
    pub(super) fn text(&mut self) -> Parsed<Cow<'a, str>> {
        let is_nil = self.has_attributes() && self.attribute("xsi:nil").is_some_and(|nil| nil == "true");
        if let Some(text) = self.plain_text() {
            return Ok(Cow::Borrowed(if is_nil { "" } else { text }));
        }
        let depth = self.path.len();
        let mut text = Cow::Borrowed("");
        loop {
            match self.step()? {
                Step::Text(part) => self.append(&mut text, part)?,
                Step::Leave if self.path.len() < depth => break,
                Step::Enter(_) | Step::Leave => {}
                Step::End => return Err(self.broken("ends too early")),
            }
        }
        Ok(if is_nil { Cow::Borrowed("") } else { text })
    }

    /// Reads the text of the current element into `slot`, without its outer blanks, and leaves the element. A second
    /// element of the same name with another text is a conflict.
    pub(super) fn field(&mut self, slot: &mut Cow<'a, str>) -> Parsed<()> {
        let name = self.path.last().copied().unwrap_or_default();
        let text = trimmed(self.text()?);
        if !slot.is_empty() && !text.is_empty() && *slot != text && self.conflict.is_none() {
            self.conflict = Some(format!("{}/{}", self.path(), plain(name)));
        }
        if !text.is_empty() {
            *slot = text;
        }
        Ok(())
    }

    /// Leaves the current element without looking at what is in it.
    pub(super) fn skip(&mut self) -> Parsed<()> {
        if self.plain_text().is_some() {
            return Ok(());
        }
        let depth = self.path.len();
        loop {
            match self.step()? {
                Step::Leave if self.path.len() < depth => return Ok(()),
                Step::Enter(_) | Step::Text(_) | Step::Leave => {}
                Step::End => return Err(self.broken("ends too early")),
            }
        }
    }

    /// Leaves the current element, which we do not know, and remembers its path.
    pub(super) fn skip_unknown(&mut self) -> Parsed<()> {
        if self.unknown.len() < MAX_UNKNOWN {
            let path = self.path();
            if !self.unknown.contains(&path) {
                self.unknown.push(path);
            }
        }
        self.skip()
    }

    /// Makes sure that nothing follows the root.
    pub(super) fn finish(&mut self) -> Parsed<()> {
        loop {
            match self.step()? {
                Step::End => return Ok(()),
                Step::Text(text) if text.trim().is_empty() => {}
                Step::Enter(_) | Step::Leave | Step::Text(_) => {
                    return Err(self.broken("goes on after its end"));
                }
            }
        }
    }

    /// The value of an attribute of the element that was entered last.
    pub(super) fn attribute(&self, wanted: &str) -> Option<String> {
        let tag = BytesStart::from_content(self.tag, self.name_bytes);
        let found = tag.html_attributes().with_checks(false).flatten().find(|a| a.key.as_ref() == wanted)?;
        Some(found.value.trim().to_owned())
    }

    fn has_attributes(&self) -> bool {
        self.tag.len() > self.name_bytes
    }

    /// A shortcut for most texts: where nothing but plain text and the closing tag follow, takes the text and leaves the
    /// element. Whatever is less plain goes its usual way, through the reader.
    fn plain_text(&mut self) -> Option<&'a str> {
        let name = *self.path.last()?;
        if self.is_empty || !may_cut_short() {
            return None;
        }
        let rest = self.source.get(self.position()..)?;
        let end = rest.bytes().position(|b| matches!(b, b'<' | b'&' | b'\r'))?;
        let (text, tag) = rest.split_at_checked(end).filter(|_| end <= STORE_TEXT_BYTES)?;
        tag.strip_prefix("</")?.strip_prefix(name)?.strip_prefix('>')?;
        self.pass(end + name.len() + 3, 2);
        self.path.pop();
        Some(text)
    }

    /// The same shortcut for tags without attributes: `<Name>`, `<Name />`, and the closing tag of the current element.
    fn plain_tag(&mut self) -> Option<Step<'a>> {
        let current = *self.path.last()?;
        let is_within = self.path.len() < XML_DEPTH && self.events < STORE_PIECES;
        if self.after_text || !is_within || !may_cut_short() {
            return None;
        }
        let rest = self.source.get(self.position()..)?.strip_prefix('<')?;
        let name_bytes = rest.bytes().position(|b| !b.is_ascii_alphanumeric())?;
        let (name, behind) = rest.split_at_checked(name_bytes)?;
        if name.is_empty() {
            behind.strip_prefix('/')?.strip_prefix(current)?.strip_prefix('>')?;
            self.pass(current.len() + 3, 1);
            self.path.pop();
            return Some(Step::Leave);
        }
        let (end, is_empty) = match behind.as_bytes() {
            [b'>', ..] => (1, false),
            [b'/', b'>', ..] => (2, true),
            [b' ', b'/', b'>', ..] => (3, true),
            _ => return None,
        };
        self.pass(1 + name_bytes + end, 1);
        (self.tag, self.name_bytes, self.is_empty) = (name, name_bytes, is_empty);
        self.path.push(name);
        Some(Step::Enter(name))
    }

    /// Takes the reader past bytes that a shortcut has read, worth so many events.
    fn pass(&mut self, bytes: usize, events: u32) {
        self.reader.stream().consume(bytes);
        self.events += events;
    }

    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.path.len()
    }

    /// The open elements as `Response/OrderInfo`.
    pub(super) fn path(&self) -> String {
        const MOST: usize = 200;
        let path = self.path.iter().map(|name| plain(name)).collect::<Vec<_>>().join("/");
        match path.char_indices().rev().nth(MOST) {
            // What is inmost says most.
            Some((cut, _)) => format!("…{}", path.get(cut..).unwrap_or_default()),
            None => path,
        }
    }

    /// An error at this place.
    pub(super) fn broken(&self, what: &'static str) -> Box<Broken> {
        let offset = usize::try_from(self.reader.buffer_position()).unwrap_or_default();
        Box::new(Broken { what, offset, path: self.path(), is_over_limit: false })
    }

    fn over_limit(&self, what: &'static str) -> Box<Broken> {
        let is_answer = self.path.first() == Some(&"Response");
        Box::new(Broken { is_over_limit: is_answer, ..*self.broken(what) })
    }

    /// The next piece. Comments are passed over; a DTD or a processing instruction is refused.
    pub(super) fn step(&mut self) -> Parsed<Step<'a>> {
        if self.is_empty {
            self.is_empty = false;
            self.path.pop();
            return Ok(Step::Leave);
        }
        if let Some(step) = self.plain_tag() {
            return Ok(step);
        }
        loop {
            self.events += 1;
            if self.events > STORE_PIECES {
                return Err(self.over_limit("has too many elements"));
            }
            let begin = self.position();
            let event = self.reader.read_event().map_err(|error| self.ill_formed(&error))?;
            self.after_text = matches!(event, Event::Text(_));
            match event {
                Event::Start(tag) => return self.enter(begin, &tag, false),
                Event::Empty(tag) => return self.enter(begin, &tag, true),
                Event::End(tag) => return self.leave(tag.name().as_ref()),
                Event::Text(text) => return self.bounded(text::with_plain_newlines(text.into_inner())),
                Event::CData(text) => return self.bounded(text::with_plain_newlines(text.into_inner())),
                Event::GeneralRef(_) => return self.bounded(text::resolved(self.between(begin))),
                Event::Comment(comment) if comment.len() <= STORE_TEXT_BYTES => {}
                Event::Comment(_) => return Err(self.over_limit("has too long a comment")),
                Event::Decl(_) if begin == 0 => {}
                Event::Decl(_) | Event::PI(_) => {
                    return Err(self.broken("has a processing instruction, which is not allowed"));
                }
                Event::DocType(_) => {
                    return Err(self.broken("has a document type definition, which is not allowed"));
                }
                Event::Eof if self.path.is_empty() => return Ok(Step::End),
                Event::Eof => return Err(self.broken("ends too early")),
            }
        }
    }

    fn enter(&mut self, begin: usize, tag: &BytesStart<'a>, is_empty: bool) -> Parsed<Step<'a>> {
        let raw = tag.attributes_raw();
        // Each takes two bytes at least.
        if raw.len() > 2 * XML_ATTRIBUTES && has_too_many_attributes(tag) {
            return Err(self.over_limit("has an element with too many attributes"));
        }
        if self.path.len() >= XML_DEPTH {
            return Err(self.over_limit("is nested too deeply"));
        }
        let name_bytes = tag.name().as_ref().len();
        let whole = self.source.get(begin + 1..begin + 1 + name_bytes + raw.len());
        self.tag = whole.ok_or_else(|| self.broken("has a tag that cannot be read"))?;
        let name = self.tag.get(..name_bytes).unwrap_or_default();
        if name.is_empty() {
            return Err(self.broken("has a tag without a name"));
        }
        self.name_bytes = name_bytes;
        self.path.push(name);
        self.is_empty = is_empty;
        Ok(Step::Enter(name))
    }

    fn leave(&mut self, name: &str) -> Parsed<Step<'a>> {
        if self.path.last() != Some(&name) {
            return Err(self.broken("has a closing tag that does not match"));
        }
        self.path.pop();
        Ok(Step::Leave)
    }

    fn bounded(&self, text: Cow<'a, str>) -> Parsed<Step<'a>> {
        if text.len() > STORE_TEXT_BYTES { Err(self.too_long()) } else { Ok(Step::Text(text)) }
    }

    fn append(&self, text: &mut Cow<'a, str>, part: Cow<'a, str>) -> Parsed<()> {
        if text.len() + part.len() > STORE_TEXT_BYTES {
            return Err(self.too_long());
        }
        if text.is_empty() {
            *text = part;
        } else {
            text.to_mut().push_str(&part);
        }
        Ok(())
    }

    fn too_long(&self) -> Box<Broken> {
        self.over_limit("has too long a text")
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// The source from `begin` to where the reader stands.
    fn between(&self, begin: usize) -> &'a str {
        self.source.get(begin..self.position()).unwrap_or_default()
    }

    fn ill_formed(&self, error: &Error) -> Box<Broken> {
        let what = match error {
            Error::Syntax(_) if self.path.is_empty() => "is not XML",
            Error::Syntax(_) => "ends in the middle of a tag",
            _ => "is not well-formed",
        };
        let offset = usize::try_from(self.reader.error_position()).unwrap_or_default();
        Box::new(Broken { offset, ..*self.broken(what) })
    }
}

#[cfg(test)]
thread_local! {
    /// Switches the shortcut off, to compare with and without.
    pub(super) static ONLY_EVENTS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[cfg(test)]
fn may_cut_short() -> bool {
    !ONLY_EVENTS.get()
}

#[cfg(not(test))]
fn may_cut_short() -> bool {
    true
}

/// Counts as far as the limit only: a tag may have hundreds of thousands. HTML's bare and unquoted attributes pass.
fn has_too_many_attributes(tag: &BytesStart<'_>) -> bool {
    tag.html_attributes().with_checks(false).nth(XML_ATTRIBUTES).is_some()
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// An element's name for people. What is no plain name may be anything, a buyer's e-mail address too: it is not shown.
pub(super) fn plain(name: &str) -> &str {
    let is_plain =
        name.len() <= 60 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-:.".contains(&b));
    if is_plain { name } else { "…" }
}
