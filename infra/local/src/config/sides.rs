//! The `[connection.store]` and `[connection.warehouse]` tables: flat texts by name, as the adapters read them.

use domain::connection::SettingMap;
use domain::limits::SETTINGS_OF_A_SIDE;
use toml::de::DeValue;

use super::node::{Entries, Reading, Span, Value, suggestion, wrong_type};
use super::{Adapters, Known};

pub(super) fn store<'t>(table: &mut Entries<'t>, adapters: &Adapters, reading: &mut Reading) -> SettingMap {
    if is_missing(table, "the store's Merchant ID and API key", reading) {
        return SettingMap::new();
    }
    let mut settings = flat(table, reading);
    name_tables(&mut settings, &adapters.store);
    checked(&settings, table.name(), &adapters.store, reading);
    settings.into_iter().map(|setting| (setting.key, setting.value)).collect()
}

pub(super) fn warehouse<'t>(
    table: &mut Entries<'t>,
    adapters: &Adapters,
    reading: &mut Reading,
) -> SettingMap {
    if is_missing(table, "the warehouse's kind and settings", reading) {
        return SettingMap::new();
    }
    let (span, kinds) = (table.span(), adapters.kinds.join(", "));
    let mut settings = flat(table, reading);
    let kind = settings.iter().find(|setting| setting.key == "kind").map(|kind| kind.value.clone());
    if let Some(known) = kind.and_then(|kind| (adapters.warehouse)(&kind)) {
        name_tables(&mut settings, &known);
    }
    match settings.iter().find(|setting| setting.key == "kind") {
        None => reading.wrong(
            span,
            format!("{} has no kind", table.name()),
            format!("write kind = one of: {kinds}"),
        ),
        Some(kind) => match (adapters.warehouse)(&kind.value) {
            Some(known) => checked(&settings, table.name(), &known, reading),
            None => {
                let problem = format!("there is no warehouse kind \"{}\"", kind.value);
                reading.wrong(kind.at.clone(), problem, format!("known are: {kinds}"));
            }
        },
    }
    settings.into_iter().map(|setting| (setting.key, setting.value)).collect()
}

/// One setting, with the places of its key and of its value.
struct Setting {
    key: String,
    value: String,
    key_at: Span,
    at: Span,
}

/// Is there no such table?
fn is_missing<'t>(table: &mut Entries<'t>, what: &str, reading: &mut Reading) -> bool {
    let entries = table.rest();
    if entries.is_empty() {
        let header = table.name().rsplit('.').next().unwrap_or_default().to_owned();
        let cure = format!("add a table [connection.{header}] with {what}");
        reading.wrong(table.span(), format!("{} is missing", table.name()), cure);
        return true;
    }
    table.put_back(entries);
    false
}

/// The settings as flat texts: nested tables by dots, numbers and flags as they are written.
fn flat<'t>(table: &mut Entries<'t>, reading: &mut Reading) -> Vec<Setting> {
    let mut settings = Vec::new();
    let name = table.name().to_owned();
    for (key, key_at, value) in table.rest() {
        flatten(&name, key, key_at, value, &mut settings, reading);
    }
    settings
}

fn flatten<'t>(
    scope: &str,
    key: String,
    key_at: Span,
    value: Value<'t>,
    settings: &mut Vec<Setting>,
    reading: &mut Reading,
) {
    let at = value.span();
    let value = match value.into_inner() {
        DeValue::String(text) => text.into_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
        DeValue::Table(table) => {
            for (inner, value) in table {
                let key = format!("{key}.{}", inner.get_ref());
                flatten(scope, key, inner.span(), value, settings, reading);
            }
            return;
        }
        other => {
            let expected = "a text in \"quotes\", a whole number, or true or false";
            return wrong_type(reading, &format!("{scope}.{key}"), at, expected, &other).unwrap_or(());
        }
    };
    if settings.len() >= SETTINGS_OF_A_SIDE {
        return reading.wrong(
            key_at,
            format!("{scope} has too many settings"),
            "leave out what is not known",
        );
    }
    if settings.iter().any(|setting| setting.key == key) {
        return reading.wrong(key_at, format!("{scope}.{key} is there twice"), "remove one of them");
    }
    settings.push(Setting { key, value, key_at, at });
}

/// A table cannot be a text as well: `auth.kind` in the file is the setting `auth` of an adapter that knows `auth` and
/// `auth.key`.
fn name_tables(settings: &mut [Setting], known: &Known) {
    let knows = |key: &str| known.keys.contains(&key);
    for setting in settings {
        if let Some(table) = setting.key.strip_suffix(".kind")
            && knows(table)
            && !knows(&setting.key)
        {
            setting.key = table.to_owned();
        }
    }
}

/// Are all settings known, and is no secret written out?
fn checked(settings: &[Setting], scope: &str, known: &Known, reading: &mut Reading) {
    for setting in settings {
        let key = setting.key.as_str();
        if key != "kind" && !known.keys.iter().any(|name| fits(name, key)) {
            let problem = format!("the setting \"{key}\" is not known in {scope}");
            reading.wrong(setting.key_at.clone(), problem, suggestion(key, known.keys.iter().copied()));
            continue;
        }
        let reference = setting.value.trim().strip_prefix('@');
        let is_secret = known.secrets.iter().any(|name| fits(name, key)) || is_secret(key);
        match reference {
            Some(reference) if is_secret => {
                secret(setting, scope, reference, reading);
            }
            None if is_secret && !setting.value.trim().is_empty() => {
                let problem = format!("{scope}.{key} is a secret and must not stand here itself");
                let cure = format!(
                    "put it into an environment variable or a file of yours, and write {key} = \"@env:NAME\" or \"@file:/path\""
                );
                reading.wrong(setting.at.clone(), problem, cure);
            }
            _ => {}
        }
    }
}

fn secret(setting: &Setting, scope: &str, reference: &str, reading: &mut Reading) {
    let named = reference
        .split_once(':')
        .is_some_and(|(source, name)| matches!(source, "env" | "file" | "secret") && !name.trim().is_empty());
    if named {
        reading.secret(setting.at.clone(), format!("{scope}.{}", setting.key), reference);
    } else {
        let problem = format!("{scope}.{} names no secret", setting.key);
        reading.wrong(setting.at.clone(), problem, "write @env:NAME, @file:/path or, on AWS, @secret:NAME");
    }
}

/// Does a known name, perhaps with `*` at its end, stand for this key?
fn fits(name: &str, key: &str) -> bool {
    name.strip_suffix('*').map_or(name == key, |start| key.starts_with(start))
}

/// Does a key say by its name that it is a secret?
pub(super) fn is_secret(key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    matches!(last, "api_key" | "password" | "secret" | "secret_previous" | "token")
        || last.ends_with("_secret")
        || key == "auth.key"
}
