//! The settings file.

use adapters::{one_shopping_cart, wms};
use domain::limits;

use crate::local::config::{Adapters, Config, Known, Mistakes, parse};
use crate::target::{MARK, Verdict};

#[rustfmt::skip]
pub(crate) const WORDS: &[&str] = &[
    "[[connection]]\n", "[connection.store]\n", "[connection.warehouse]\n", "[connection.policies]\n", "[server]\n",
    "[network]\n", "[pace]\n", "id = \"main\"\n", "merchant_id = 900001\n", "api_key = \"mark@q7.example\"\n",
    "api_key = \"@env:KEY\"\n", "kind = \"http\"\n", "start = 2026-11-01\n", "listen = \"127.0.0.1:1\"\n", "auth.key = \"x\"\n",
    "create = { path = \"/\" }\n", "= ", "\"\"\"", "'''", "[", "]", "{", "}", ".", "a.b.c", "true", "0x1f", "1_000", "1e9", "inf",
    "nan", "\\u0000", "\\U0010ffff", "#", "\n", "local_hosts = [\"127.0.0.1:9000\"]\n", "unknown_method = { use = \"X\" }\n",
];

/// The settings file, as `cartdock` reads it.
pub(crate) fn file(input: &[u8]) -> Verdict {
    // More is not read.
    let input = input.get(..=limits::SETTINGS_BYTES).unwrap_or(input);
    // What is no UTF-8 is refused before, by the file's reader.
    let Ok(text) = std::str::from_utf8(input) else { return Verdict::Refused };
    match read(text) {
        Err(Mistakes(mistakes)) => {
            assert!(!mistakes.is_empty(), "a refusal without a reason");
            assert!(mistakes.len() <= limits::MISTAKES + 1, "{} mistakes at once", mistakes.len());
            for mistake in mistakes {
                let told = mistake.to_string();
                assert!(told.chars().count() <= 3000, "a mistake of {} characters", told.chars().count());
                assert!(!told.contains(char::is_control), "a control character in a mistake: {told:?}");
                assert!(!told.contains(MARK) || !is_only_secret(text), "a secret in a mistake: {told}");
            }
            Verdict::Refused
        }
        Ok(config) => kept_promises(&config),
    }
}

fn read(text: &str) -> Result<Config, Mistakes> {
    let kinds: Vec<&str> = wms::ALL.iter().map(|entry| entry.name).collect();
    let warehouse = |kind: &str| {
        wms::ALL.iter().find(|entry| entry.name == kind).map(|entry| Known { keys: entry.keys, secrets: &[] })
    };
    let store = Known { keys: one_shopping_cart::KEYS, secrets: &[] };
    parse("cartdock.toml", text, &Adapters { store, kinds: &kinds, warehouse: &warehouse })
}

/// Does the mark stand only where a secret stands, in the value of `api_key`?
fn is_only_secret(text: &str) -> bool {
    text.matches(MARK).count() == text.matches("\napi_key = \"mark@q7.example\"\n").count()
}

fn kept_promises(config: &Config) -> Verdict {
    assert!(!config.connections.is_empty(), "no connection");
    for (index, connection) in config.connections.iter().enumerate() {
        assert!(connection.policies.start.is_some(), "a connection without a start date");
        assert!(config.connections[..index].iter().all(|other| other.id != connection.id), "an id twice");
        for (key, value) in connection.store.iter().filter(|(key, _)| key.ends_with("api_key")) {
            assert!(
                value.trim().is_empty() || value.trim().starts_with('@'),
                "a secret stands in {key} itself"
            );
        }
    }
    Verdict::Accepted
}
