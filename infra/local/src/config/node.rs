//! A TOML table that is emptied while it is read: what is left at the end is unknown. Every mistake is noted at its place.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use domain::limits::{MISTAKES, SETTINGS_BYTES, SETTINGS_SIGNS};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Mistake, NamedSecret, Place};

/// Where something stands, in bytes of the text.
pub(super) type Span = Range<usize>;

/// A value and its place.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// The reading of one file: its text, the mistakes and the secrets found so far.
pub(super) struct Reading<'t> {
    file: &'t str,
    text: &'t str,
    mistakes: Vec<Mistake>,
    /// Were there more mistakes than are told?
    is_full: bool,
    secrets: Vec<NamedSecret>,
    /// May there be no connection?
    may_be_empty: bool,
}

/// Is a text too large for a settings file?
fn too_much(text: &str) -> Option<&'static str> {
    let parts =
        |byte: &u8| matches!(byte, b'\n' | b'\r' | b'.' | b'=' | b'[' | b'{' | b',' | b'"' | b'\'' | b'#');
    if text.len() > SETTINGS_BYTES {
        Some("the file is larger than 128 KiB")
    } else if text.bytes().filter(parts).count() > SETTINGS_SIGNS {
        Some("the file has too many lines, keys, lists or tables")
    } else {
        None
    }
}

/// A problem that quotes something of the file: one line, and not too long a one.
fn readable(problem: &str) -> String {
    const MOST: usize = 400;
    let mut line: String = problem.chars().map(|c| if c.is_control() { '·' } else { c }).take(MOST).collect();
    if line.len() < problem.len() && line.chars().count() == MOST {
        line.push('…');
    }
    line
}

impl<'t> Reading<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, mistakes: Vec::new(), is_full: false, secrets: Vec::new(), may_be_empty: false }
    }

    /// The same, of a file that may have no connection.
    pub(super) fn without_connections(self) -> Self {
        Self { may_be_empty: true, ..self }
    }

    pub(super) fn may_be_empty(&self) -> bool {
        self.may_be_empty
    }

    /// The settings file.
    pub(super) fn file(&self) -> &'t str {
        self.file
    }

    /// The file's top table; none when it is no TOML. Then nothing else is worth saying.
    pub(super) fn root(&mut self) -> Option<Entries<'t>> {
        if let Some(why) = too_much(self.text) {
            self.wrong_file(why, "leave out what is no setting, or split the connections over two files");
            return None;
        }
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            // The parser's own message quotes nothing of the file.
            let cure = "see https://toml.io for how it is written; texts stand in \"quotes\"";
            let at = error.span().unwrap_or(0..0);
            match placeholder(self.text, at.start) {
                Some(name) => self.wrong(at, format!("is not filled in: {name}"), "write the value there"),
                None => self.wrong(at, format!("is not TOML: {}", error.message()), cure),
            }
        }
        errors.is_empty().then(|| Entries::new(table, ""))
    }

    /// Notes a mistake.
    pub(super) fn wrong(&mut self, at: Span, problem: impl Into<String>, cure: impl Into<String>) {
        if self.mistakes.len() >= MISTAKES {
            self.is_full = true;
            return;
        }
        let place = Some(self.place(at));
        let (problem, cure) = (readable(&problem.into()), cure.into());
        self.mistakes.push(Mistake { file: self.file.to_owned(), place, problem, cure });
    }

    /// Notes a mistake of the file as a whole.
    pub(super) fn wrong_file(&mut self, problem: &str, cure: &str) {
        let (problem, cure) = (problem.to_owned(), cure.to_owned());
        self.mistakes.push(Mistake { file: self.file.to_owned(), place: None, problem, cure });
    }

    /// Notes that a secret is named.
    pub(super) fn secret(&mut self, at: Span, setting: String, reference: &str) {
        let place = self.place(at);
        self.secrets.push(NamedSecret { reference: reference.to_owned(), setting, place });
    }

    pub(super) fn take_secrets(&mut self) -> Vec<NamedSecret> {
        std::mem::take(&mut self.secrets)
    }

    /// The mistakes by line.
    pub(super) fn into_mistakes(mut self) -> Vec<Mistake> {
        self.mistakes.sort_by_key(|mistake| mistake.place);
        if self.is_full {
            self.wrong_file("there are more mistakes than these", "correct these first");
        }
        self.mistakes
    }

    fn place(&self, at: Span) -> Place {
        let before = self.text.as_bytes().get(..at.start).unwrap_or(self.text.as_bytes());
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        // Characters, not bytes: no continuation bytes of UTF-8.
        let column = 1 + before[start..].iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        Place { line, column }
    }
}

/// The entries of a table that have not been read yet.
pub(super) struct Entries<'t> {
    /// What the table is called, for mistakes; empty for the top.
    name: String,
    span: Span,
    entries: Vec<(String, Span, Value<'t>)>,
    known: Vec<&'static str>,
}

impl<'t> Entries<'t> {
    pub(super) fn new(table: Spanned<DeTable<'t>>, name: &str) -> Self {
        let span = table.span();
        let entry = |(key, value): (Spanned<std::borrow::Cow<'t, str>>, Value<'t>)| {
            (key.get_ref().to_string(), key.span(), value)
        };
        let entries = table.into_inner().into_iter().map(entry).collect();
        Self { name: name.to_owned(), span, entries, known: Vec::new() }
    }

    /// Where the table begins.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// What the table is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Is there nothing in it that has not been read?
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Calls it something better, now that more is known.
    pub(super) fn rename(&mut self, name: String) {
        self.name = name;
    }

    /// All entries that have not been read: key, its place, value.
    pub(super) fn rest(&mut self) -> Vec<(String, Span, Value<'t>)> {
        std::mem::take(&mut self.entries)
    }

    /// Puts entries back that were looked at.
    pub(super) fn put_back(&mut self, entries: Vec<(String, Span, Value<'t>)>) {
        self.entries.extend(entries);
    }

    /// Takes an entry out.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Value<'t>> {
        self.known.push(key);
        let at = self.entries.iter().position(|(name, ..)| name == key)?;
        Some(self.entries.swap_remove(at).2)
    }

    /// Takes a table out; an empty one where there is none, or something else.
    pub(super) fn table(&mut self, key: &'static str, reading: &mut Reading) -> Entries<'t> {
        let name = self.path(key);
        let (span, table) = match self.take(key) {
            None => (self.span(), DeTable::new()),
            Some(value) => {
                let span = value.span();
                match value.into_inner() {
                    DeValue::Table(table) => (span, table),
                    other => wrong_type(reading, &name, span.clone(), "a table", &other)
                        .unwrap_or((span, DeTable::new())),
                }
            }
        };
        Entries::new(Spanned::new(span, table), &name)
    }

    /// A text and its place.
    pub(super) fn text_at(&mut self, key: &'static str, reading: &mut Reading) -> Option<(String, Span)> {
        let (name, value) = (self.path(key), self.take(key)?);
        let span = value.span();
        match value.into_inner() {
            DeValue::String(text) => Some((text.into_owned(), span)),
            other => wrong_type(reading, &name, span, "a text in \"quotes\"", &other),
        }
    }

    pub(super) fn text(&mut self, key: &'static str, reading: &mut Reading) -> Option<String> {
        self.text_at(key, reading).map(|(text, _)| text)
    }

    /// A text that is read further; `expected` says as what.
    pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(
        &mut self,
        key: &'static str,
        expected: &str,
        reading: &mut Reading,
    ) -> Option<T> {
        let (text, at) = self.text_at(key, reading)?;
        match text.trim().parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let name = self.path(key);
                reading.wrong(at, format!("{name} cannot be read: {error}"), format!("write {expected}"));
                None
            }
        }
    }

    /// One of some words.
    pub(super) fn choice<T: Clone>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
        reading: &mut Reading,
    ) -> Option<T> {
        let (text, at) = self.text_at(key, reading)?;
        let chosen = words.iter().find(|(word, _)| *word == text).map(|(_, value)| value.clone());
        if chosen.is_none() {
            let names: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            let name = self.path(key);
            reading.wrong(
                at,
                format!("{name} cannot be \"{text}\""),
                format!("write {}", names.join(" or ")),
            );
        }
        chosen
    }

    /// A yes or no.
    pub(super) fn flag(&mut self, key: &'static str, reading: &mut Reading) -> Option<bool> {
        let (name, value) = (self.path(key), self.take(key)?);
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => wrong_type(reading, &name, value.span(), "true or false", other),
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        bounds: std::ops::RangeInclusive<u32>,
        reading: &mut Reading,
    ) -> Option<u32> {
        let (name, value) = (self.path(key), self.take(key)?);
        let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        let DeValue::Integer(digits) = value.get_ref() else {
            return wrong_type(reading, &name, value.span(), &expected, value.get_ref());
        };
        let number = u32::from_str_radix(digits.as_str(), digits.radix()).ok();
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            reading.wrong(value.span(), format!("{name} is out of bounds"), format!("write {expected}"));
        }
        number
    }

    /// A list of texts with their places.
    pub(super) fn texts(&mut self, key: &'static str, reading: &mut Reading) -> Option<Vec<(String, Span)>> {
        let (name, value) = (self.path(key), self.take(key)?);
        let span = value.span();
        let items = match value.into_inner() {
            DeValue::Array(items) => items,
            other => return wrong_type(reading, &name, span, "a list, as in [\"one\", \"two\"]", &other),
        };
        let mut texts = Vec::new();
        for item in items {
            let span = item.span();
            match item.into_inner() {
                DeValue::String(text) => texts.push((text.into_owned(), span)),
                other => wrong_type(reading, &name, span, "texts in \"quotes\"", &other).unwrap_or(()),
            }
        }
        Some(texts)
    }

    /// Notes what has not been read as unknown.
    pub(super) fn nothing_else(self, reading: &mut Reading) {
        for (key, at, _) in self.entries {
            let place = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
            let problem = format!("the setting \"{key}\" is not known{place}");
            reading.wrong(at, problem, suggestion(&key, self.known.iter().copied()));
        }
    }

    /// The key with the table's name before it.
    pub(super) fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

/// Notes that a value is of the wrong type. The value itself is not repeated: it may be a secret.
pub(super) fn wrong_type<T>(
    reading: &mut Reading,
    name: &str,
    at: Span,
    expected: &str,
    found: &DeValue,
) -> Option<T> {
    reading.wrong(at, format!("{name} is {}", kind(found)), format!("write {expected}"));
    None
}

fn kind(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What may have been meant, and what is known.
pub(super) fn suggestion<'k>(key: &str, known: impl Iterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.collect();
    // Nobody means a setting by a text.
    let key = if key.len() <= 60 { key } else { "" };
    let nearest = known.iter().map(|name| (distance(key, name), *name)).min();
    match nearest {
        Some((distance, name)) if distance <= 2 && distance < name.chars().count() => {
            format!("did you mean \"{name}\"?")
        }
        _ if known.is_empty() => "remove it".to_owned(),
        _ => format!("known are: {}", known.join(", ")),
    }
}

/// How many letters have to be changed, added or removed to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let cost = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// What `init` has left for a person to fill in on the line of this place: `start = <FIRST-ORDER-DATE>`.
fn placeholder(text: &str, at: usize) -> Option<&str> {
    let begin = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let (_, value) = text.get(begin..)?.lines().next()?.split_once('=')?;
    let name = value.trim();
    (name.starts_with('<') && name.ends_with('>')).then_some(name)
}
