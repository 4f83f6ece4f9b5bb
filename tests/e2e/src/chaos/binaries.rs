//! Where the functions' binaries are for a test: beside its own, built anew where they are older than their sources.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use super::FUNCTIONS;

/// What the functions are made of, besides themselves.
const SHARED: [&str; 3] = ["shared/adapters/src", "shared/delivery/src", "shared/domain/src"];

/// The directory of the binaries. A run of all tests has built them already; a run of this crate's tests may not have.
///
/// # Panics
/// When they cannot be built.
#[must_use]
pub fn fresh() -> PathBuf {
    let own = std::env::current_exe().expect("a test is a program");
    let dir = own.ancestors().nth(2).expect("target/PROFILE/deps/TEST").to_owned();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let newest = |dir: &str| newest(&root.join(dir));
    let shared = SHARED.iter().filter_map(|dir| newest(dir)).max();
    let is_fresh = |name: &str| {
        let built = std::fs::metadata(dir.join(name)).and_then(|file| file.modified()).ok();
        built.is_some() && built > newest(&format!("functions/{name}/src")).max(shared)
    };
    if !FUNCTIONS.iter().all(|name| is_fresh(name)) {
        build(&root, &dir);
    }
    dir
}

fn build(root: &Path, dir: &Path) {
    let profile = match dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["build", "--locked", "--profile", profile, "--target-dir"]);
    cargo.arg(dir.parent().expect("target"));
    cargo.args(FUNCTIONS.iter().flat_map(|name| ["-p", name]));
    assert!(cargo.status().is_ok_and(|status| status.success()), "the functions cannot be built");
}

/// When anything below a directory was changed last.
fn newest(dir: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(dir).ok()?.flatten();
    let times = entries.filter_map(|entry| {
        let path = entry.path();
        if path.is_dir() { newest(&path) } else { entry.metadata().and_then(|file| file.modified()).ok() }
    });
    times.max()
}
