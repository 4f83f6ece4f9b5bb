//! The binaries as they are shipped: profile `release`, each with the features that it has when it is built for AWS.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::FLOOR;
use crate::chaos::FUNCTIONS;

/// Where cargo puts the release binaries of the target folder that this program is in.
pub(super) fn dir() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let target = own.ancestors().nth(2).ok_or("this program is in no target folder")?;
    Ok(target.join("release"))
}

/// Builds all of them in one command: another set of packages might give them other features.
pub(super) fn build(dir: &Path) -> Result<(), String> {
    let target = dir.parent().unwrap_or(dir);
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    cargo.args(["build", "--locked", "--release", "--target-dir"]).arg(target);
    cargo.args(FUNCTIONS.iter().chain([&FLOOR]).flat_map(|name| ["-p", name]));
    match cargo.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("the functions cannot be built".to_owned()),
    }
}

/// What to do when a binary is not there.
pub(super) fn missing(binary: &Path) -> String {
    format!("{} is not there: build it first, or leave out --no-build", binary.display())
}
