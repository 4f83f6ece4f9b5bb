//! Which settings the adapters know: what the settings file is checked against.

use adapters::{one_shopping_cart, wms};

use crate::config::{Adapters, Config, Known, Mistakes, load};

/// Reads a settings file against the adapters of this build.
///
/// # Errors
/// Every mistake in it.
pub(crate) fn read(path: &std::path::Path) -> Result<Config, Mistakes> {
    let kinds: Vec<&str> = wms::ALL.iter().map(|entry| entry.name).collect();
    let warehouse = |kind: &str| {
        wms::ALL.iter().find(|entry| entry.name == kind).map(|entry| Known { keys: entry.keys, secrets: &[] })
    };
    let store = Known { keys: one_shopping_cart::KEYS, secrets: &[] };
    load(path, &Adapters { store, kinds: &kinds, warehouse: &warehouse })
}
