//! Warehouses by name: the table of adapters, and how a connection's settings open one of them.

mod answers;
mod authorization;
mod caller;
mod document;
mod generic;
mod oauth;
mod shipbob;
mod template;
mod xml;

use std::sync::Arc;

use domain::Failure;
use domain::ports::{Clock, Finding};
use domain::warehouse::Warehouse;

use crate::http::Http;
use crate::settings::{SettingError, Settings};

/// Opens a warehouse: reads its own settings and refuses what is wrong with them. Asks nobody.
pub type Connect = fn(&Settings, Http, Arc<dyn Clock>) -> Result<Warehouse, SettingError>;

/// One adapter.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name, as `kind` in the settings.
    pub name: &'static str,
    /// Opens a warehouse.
    pub connect: Connect,
    /// The names of its settings, besides `kind`. One that ends in `*` stands for all with this beginning.
    pub keys: &'static [&'static str],
}

/// All adapters. A new one is one line here and one file beside the others.
#[rustfmt::skip]
pub const ALL: &[Entry] = &[
    Entry { name: generic::NAME, connect: generic::connect, keys: generic::KEYS },
    Entry { name: shipbob::NAME, connect: shipbob::connect, keys: shipbob::KEYS },
];

impl Entry {
    /// Is this the name of one of its settings?
    #[must_use]
    pub fn knows(&self, key: &str) -> bool {
        key == "kind"
            || self.keys.iter().any(|known| match known.strip_suffix('*') {
                Some(start) => key.len() > start.len() && key.starts_with(start),
                None => key == *known,
            })
    }
}

/// Opens the warehouse of a connection, by its setting `kind`.
///
/// # Errors
/// When there is no such adapter, a setting is not known to it, or one is missing or wrong.
pub fn connect(settings: &Settings, http: Http, clock: Arc<dyn Clock>) -> Result<Warehouse, SettingError> {
    let choices: Vec<(&str, &Entry)> = ALL.iter().map(|entry| (entry.name, entry)).collect();
    settings.text("kind")?;
    let entry = settings.choice("kind", &choices)?;
    if let Some(unknown) = settings.keys().find(|key| !entry.knows(key)) {
        return Err(settings.error(unknown, unknown_key(entry, unknown)));
    }
    (entry.connect)(settings, http, clock)
}

/// What is wrong with an unknown setting, with the known one that looks most like it.
fn unknown_key(entry: &Entry, key: &str) -> String {
    let near = entry.keys.iter().map(|known| (distance(known, key), known)).min();
    match near {
        Some((distance, known)) if distance <= 3 => {
            format!("is not known to the warehouse kind {}; did you mean \"{known}\"?", entry.name)
        }
        _ => format!("is not known to the warehouse kind {}; take it out", entry.name),
    }
}

/// How many letters must be added, dropped or changed to get from one word to the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, a) in one.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], index + 1);
        for (at, b) in other.iter().enumerate() {
            let changed = corner + usize::from(a != *b);
            corner = row[at + 1];
            row[at + 1] = changed.min(corner + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

/// What a try says, for `check`.
fn finding(what: &str, tried: Result<(), Failure>) -> Finding {
    let (ok, detail) = match tried {
        Ok(()) => (true, "works".to_owned()),
        Err(failure) => (false, failure.to_string()),
    };
    Finding { what: what.to_owned(), ok: Some(ok), detail }
}
