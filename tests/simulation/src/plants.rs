//! The list of planted bugs: each is one small change of the real code that the simulation must notice.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One bug that can be planted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bug {
    /// Its short name.
    pub name: String,
    /// What is wrong with it, in one sentence.
    pub what: String,
    /// The file that it is planted in, from the root of the workspace.
    pub file: String,
    /// The text that it takes the place of; it occurs exactly once.
    pub find: String,
    /// The text that is put there.
    pub put: String,
    /// The invariants that may notice it first, by their short names.
    pub caught_by: Vec<String>,
    /// Must the schedules of the exhaustive part notice it, too?
    #[serde(default)]
    pub exhaustive: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    bug: Vec<Bug>,
}

impl Bug {
    /// The text of the file with the bug in it.
    ///
    /// # Errors
    /// When the list is stale: the place for the bug is not there any more, or is not the only one.
    pub fn planted_in(&self, text: &str) -> Result<String, String> {
        match text.matches(&self.find).count() {
            1 => Ok(text.replacen(&self.find, &self.put, 1)),
            count => Err(format!("{}: its place occurs {count} times in {}, not once", self.name, self.file)),
        }
    }
}

/// The root of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All bugs of the list, `planted.toml`.
///
/// # Errors
/// When the list cannot be read, or two bugs have the same name.
pub fn list() -> Result<Vec<Bug>, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("planted.toml");
    let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let list: List = toml::from_str(&text).map_err(|e| format!("{}: {e}", file.display()))?;
    let mut names = BTreeSet::new();
    match list.bug.iter().find(|bug| !names.insert(&bug.name)) {
        Some(twice) => Err(format!("two planted bugs are called {}", twice.name)),
        None => Ok(list.bug),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_is_planted_in_the_one_place_that_it_names() {
        let bug = Bug {
            name: "twice".into(),
            what: "It doubles.".into(),
            file: "a.rs".into(),
            find: "x + 1".into(),
            put: "x * 2".into(),
            caught_by: vec!["I2".into()],
            exhaustive: false,
        };
        assert_eq!(bug.planted_in("let y = x + 1;").unwrap(), "let y = x * 2;");
        for stale in ["let y = x;", "x + 1, x + 1"] {
            assert!(bug.planted_in(stale).unwrap_err().contains("not once"));
        }
    }
}
