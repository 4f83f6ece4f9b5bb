//! The kept inputs: `corpus/<target>/`, one file each. What once broke something stays here for good.

use std::path::{Path, PathBuf};

use crate::target::Target;

/// The folder of a target's kept inputs.
#[must_use]
pub fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name)
}

/// The kept inputs of a target with their names, in the order of the names.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn inputs(target: &Target) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder(target))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.push((name, std::fs::read(&path)?));
    }
    found.sort();
    Ok(found)
}
