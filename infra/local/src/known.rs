//! Which settings the adapters know: what the settings file is checked against.

use std::path::Path;

use adapters::{one_shopping_cart, wms};

use crate::config::{Adapters, Config, Known, Mistakes, load, parse_empty};

/// Reads a settings file against the adapters of this build.
///
/// # Errors
/// Every mistake in it.
pub(crate) fn read(path: &Path) -> Result<Config, Mistakes> {
    against(|adapters| load(path, adapters))
}

/// Reads the text of a settings file that may have no connection yet.
///
/// # Errors
/// Every mistake in it.
pub(crate) fn read_text(path: &Path, text: &str) -> Result<Config, Mistakes> {
    against(|adapters| parse_empty(&path.display().to_string(), text, adapters))
}

fn against(read: impl FnOnce(&Adapters) -> Result<Config, Mistakes>) -> Result<Config, Mistakes> {
    let kinds: Vec<&str> = wms::ALL.iter().map(|entry| entry.name).collect();
    let warehouse = |kind: &str| {
        wms::ALL.iter().find(|entry| entry.name == kind).map(|entry| Known { keys: entry.keys, secrets: &[] })
    };
    let store = Known { keys: one_shopping_cart::KEYS, secrets: &[] };
    read(&Adapters { store, kinds: &kinds, warehouse: &warehouse })
}
