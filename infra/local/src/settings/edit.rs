//! Changes one thing in the text of a settings file and leaves every other byte where it is: comments, order, blanks.
//!
//! Where the reader finds a value is where it is replaced; what is new goes behind the last setting of its table. Nobody
//! believes the outcome before it has been read again as settings.

use std::collections::BTreeMap;
use std::ops::Range;

use domain::ConnectionId;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A text that cannot be changed here: it is no TOML, or is written in a form that is changed by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stuck;

type Table<'t> = Spanned<DeTable<'t>>;
type Inner<'a, 't> = &'a DeTable<'t>;

/// The text, cut at its headers.
struct Layout<'t> {
    text: &'t str,
    root: Table<'t>,
    /// Where each table with a header of its own begins, and for which connection (by its place in the list) it is.
    headers: BTreeMap<usize, Option<usize>>,
    /// Where settings end.
    ends: Vec<usize>,
}

/// Sets one setting of a connection to a literal of TOML: `["enabled"]`, `["store", "merchant_id"]`.
///
/// # Errors
/// When the text cannot be changed here, or has no such connection.
pub(crate) fn set(text: &str, id: &ConnectionId, path: &[&str], literal: &str) -> Result<String, Stuck> {
    let layout = Layout::of(text)?;
    let (number, mut table, top) = layout.connection(id)?;
    let (mut home, mut home_path) = ((table, top.clone()), path);
    let is_new_side = path.len() > 1 && !table.iter().any(|(name, _)| name.get_ref() == path[0]);
    for (depth, key) in path.iter().enumerate() {
        let Some((_, value)) = table.iter().find(|(name, _)| name.get_ref() == key) else { break };
        let rest = &path[depth + 1..];
        match value.get_ref() {
            DeValue::Table(inner) if !rest.is_empty() => {
                table = inner;
                if layout.has_home(&value.span()) {
                    (home, home_path) = ((table, value.span()), rest);
                }
            }
            _ if rest.is_empty() => return Ok(replaced(text, value.span(), literal)),
            _ => return Err(Stuck),
        }
    }
    let line = format!("{} = {literal}", dotted(home_path));
    if is_new_side {
        let header = format!("[connection.{}]", dotted(&path[..1]));
        let lines = [String::new(), header, format!("{} = {literal}", dotted(&path[1..]))];
        return Ok(layout.behind(layout.last_header(number).ok_or(Stuck)?, &lines));
    }
    if text[home.1.start..].starts_with('{') {
        return layout.inside_braces(&home, &line);
    }
    Ok(layout.behind(home.1.start, &[line]))
}

/// Takes one setting of a connection out. A setting that is not there is no mistake.
///
/// # Errors
/// As [`set`].
pub(crate) fn unset(text: &str, id: &ConnectionId, path: &[&str]) -> Result<String, Stuck> {
    let layout = Layout::of(text)?;
    let (_, mut table, _) = layout.connection(id)?;
    for (depth, name) in path.iter().enumerate() {
        let Some((key, value)) = table.iter().find(|(known, _)| known.get_ref() == name) else {
            return Ok(text.to_owned());
        };
        match value.get_ref() {
            DeValue::Table(inner) if depth + 1 < path.len() => table = inner,
            _ if depth + 1 == path.len() => return cut_setting(text, key.span().start..value.span().end),
            _ => return Ok(text.to_owned()),
        }
    }
    Ok(text.to_owned())
}

/// Puts a connection behind everything else.
pub(crate) fn add(text: &str, block: &str) -> String {
    let newline = newline(text);
    let mut whole = text.to_owned();
    if !whole.is_empty() && !whole.ends_with('\n') {
        whole.push_str(newline);
    }
    if !whole.trim().is_empty() {
        whole.push_str(newline);
    }
    for line in block.lines() {
        whole.push_str(line);
        whole.push_str(newline);
    }
    whole
}

/// Takes a connection out, with the comments that stand directly above its tables or between its settings.
///
/// # Errors
/// As [`set`].
pub(crate) fn remove(text: &str, id: &ConnectionId) -> Result<String, Stuck> {
    let layout = Layout::of(text)?;
    let (number, ..) = layout.connection(id)?;
    let starts: Vec<(usize, bool)> =
        layout.headers.iter().map(|(at, whose)| (*at, *whose == Some(number))).collect();
    if !starts.iter().any(|(_, is_its)| *is_its) {
        return Err(Stuck);
    }
    let mut kept = String::new();
    let mut from = 0;
    for (index, (at, is_its)) in starts.iter().enumerate() {
        let was_its = index > 0 && starts[index - 1].1;
        if *is_its && !was_its {
            kept.push_str(&text[from..layout.with_comments(*at)]);
        }
        let next_is_its = starts.get(index + 1).is_some_and(|(_, next)| *next);
        if *is_its && !next_is_its {
            from = layout.end_of(*at);
        }
    }
    Ok(joined(&kept, &text[from..]))
}

impl<'t> Layout<'t> {
    fn of(text: &'t str) -> Result<Self, Stuck> {
        let root = DeTable::parse(text).map_err(|_| Stuck)?;
        let (mut headers, mut ends) = (BTreeMap::new(), Vec::new());
        for (key, value) in root.get_ref() {
            match value.get_ref() {
                DeValue::Array(items) if key.get_ref() == "connection" => {
                    for (number, item) in items.iter().enumerate() {
                        walk(text, item, Some(number), &mut headers, &mut ends);
                    }
                }
                _ => walk(text, value, None, &mut headers, &mut ends),
            }
        }
        Ok(Self { text, root, headers, ends })
    }

    /// A connection: its place in the list, and its table.
    fn connection(&self, id: &ConnectionId) -> Result<(usize, Inner<'_, 't>, Range<usize>), Stuck> {
        let list = self.root.get_ref().iter().find(|(key, _)| key.get_ref() == "connection");
        let Some(DeValue::Array(items)) = list.map(|(_, value)| value.get_ref()) else { return Err(Stuck) };
        for (number, item) in items.iter().enumerate() {
            let DeValue::Table(table) = item.get_ref() else { continue };
            let named = table.iter().find(|(key, _)| key.get_ref() == "id").map(|(_, value)| value.get_ref());
            if named.is_some_and(|name| matches!(name, DeValue::String(name) if name == id.as_str())) {
                return Ok((number, table, item.span()));
            }
        }
        Err(Stuck)
    }

    /// Has a table a header, or braces? The others are made by the dots of their keys.
    fn has_home(&self, span: &Range<usize>) -> bool {
        self.headers.contains_key(&span.start) || self.text[span.start..].starts_with('{')
    }

    fn last_header(&self, number: usize) -> Option<usize> {
        self.headers.iter().filter(|(_, whose)| **whose == Some(number)).map(|(at, _)| *at).next_back()
    }

    /// Where the lines of the settings end that stand under a header.
    fn end_of(&self, header: usize) -> usize {
        let next = self.headers.range(header + 1..).next().map_or(self.text.len(), |(at, _)| *at);
        let last = self.ends.iter().copied().filter(|end| (header..=next).contains(end)).max();
        let mut end = self.line_end(last.unwrap_or(header));
        if last.is_none() {
            // A table of comments alone: they are its own until the first empty line.
            while end < next && self.text[end..].trim_start_matches([' ', '\t']).starts_with('#') {
                end = self.line_end(end);
            }
        }
        end
    }

    /// The end of the line in which `at` lies, its newline included.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    /// Where the comments begin that stand directly above a header.
    fn with_comments(&self, header: usize) -> usize {
        let mut start = self.text[..header].rfind('\n').map_or(0, |newline| newline + 1);
        loop {
            let before = &self.text[..start];
            let above = before.trim_end_matches('\n').rfind('\n').map_or(0, |newline| newline + 1);
            let line = before[above..].trim();
            if start == 0 || !line.starts_with('#') || before.ends_with("\n\n") {
                return start;
            }
            start = above;
        }
    }

    /// The text with lines behind the last setting of a header.
    fn behind(&self, header: usize, lines: &[String]) -> String {
        let (at, newline) = (self.end_of_settings(header), newline(self.text));
        let (before, after) = self.text.split_at(at);
        let mut whole = before.to_owned();
        if !whole.ends_with('\n') {
            whole.push_str(newline);
        }
        for line in lines {
            whole.push_str(line);
            whole.push_str(newline);
        }
        whole + after
    }

    /// As [`Layout::end_of`], but before the comments of an empty table.
    fn end_of_settings(&self, header: usize) -> usize {
        let next = self.headers.range(header + 1..).next().map_or(self.text.len(), |(at, _)| *at);
        let last = self.ends.iter().copied().filter(|end| (header..=next).contains(end)).max();
        self.line_end(last.unwrap_or(header))
    }

    /// The text with a setting in a table in braces.
    fn inside_braces(
        &self,
        (table, span): &(Inner<'_, 't>, Range<usize>),
        line: &str,
    ) -> Result<String, Stuck> {
        let last = self.ends.iter().copied().filter(|end| *end > span.start && *end < span.end).max();
        match last {
            _ if table.is_empty() => Ok(replaced(self.text, span.clone(), &format!("{{ {line} }}"))),
            Some(at) => Ok(replaced(self.text, at..at, &format!(", {line}"))),
            None => Err(Stuck),
        }
    }
}

/// Notes the headers of a table and of those in it, and the ends of all settings.
fn walk(
    text: &str,
    value: &Spanned<DeValue>,
    whose: Option<usize>,
    headers: &mut BTreeMap<usize, Option<usize>>,
    ends: &mut Vec<usize>,
) {
    let span = value.span();
    match value.get_ref() {
        DeValue::Table(table) => {
            match text[span.start..].chars().next() {
                Some('[') => drop(headers.insert(span.start, whose)),
                Some('{') => ends.push(span.end),
                _ => {}
            }
            table.iter().for_each(|(_, inner)| walk(text, inner, whose, headers, ends));
        }
        _ => ends.push(span.end),
    }
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn replaced(text: &str, span: Range<usize>, by: &str) -> String {
    format!("{}{by}{}", &text[..span.start], &text[span.end..])
}

/// Keys with dots between them, in quotes where they need them.
fn dotted(keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| super::render::key(key)).collect();
    keys.join(".")
}

/// Cuts a setting out: its line, or what it is in a table in braces.
fn cut_setting(text: &str, setting: Range<usize>) -> Result<String, Stuck> {
    let start = text[..setting.start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[setting.end..].find('\n').map_or(text.len(), |newline| setting.end + newline + 1);
    let (before, after) = (text[start..setting.start].trim(), text[setting.end..end].trim());
    let is_alone = !before.contains(['{', '=']) && (after.is_empty() || after.starts_with('#'));
    if is_alone {
        return Ok(replaced(text, start..end, ""));
    }
    let behind = &text[setting.end..];
    let comma = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    if behind[comma..].starts_with(',') {
        let gap = behind[comma + 1..].len() - behind[comma + 1..].trim_start_matches([' ', '\t']).len();
        return Ok(replaced(text, setting.start..setting.end + comma + 1 + gap, ""));
    }
    let ahead = text[..setting.start].trim_end_matches([' ', '\t']);
    match ahead.strip_suffix(',') {
        Some(rest) => Ok(replaced(text, rest.len()..setting.end, "")),
        None if ahead.ends_with('{') => Ok(replaced(text, setting, "")),
        None => Err(Stuck),
    }
}

/// Two ends of a text, with one empty line between them where something was cut out.
fn joined(before: &str, after: &str) -> String {
    let rest = after.trim_start_matches(['\n', '\r']);
    if before.trim().is_empty() {
        return format!("{before}{rest}");
    }
    if rest.is_empty() {
        return format!("{}{}", before.trim_end_matches(['\n', '\r']), newline(before));
    }
    let apart = before.ends_with("\n\n") || before.ends_with("\n\r\n") || rest.len() == after.len();
    format!("{before}{}{rest}", if apart { "" } else { newline(before) })
}

#[cfg(test)]
mod tests;
