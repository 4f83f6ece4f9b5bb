//! A copy of the workspace beside its build, where bugs are planted: the real files are never touched.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use simulation::hunt::Found;
use simulation::plants::Bug;

/// What the workspace has that the copy does not need.
const LEFT_OUT: [&str; 5] = ["target", ".git", ".tools", ".run", "cartdock-data"];

/// So long may one hunt take, in seconds.
const HUNT_SECONDS: &str = "300";

/// The copy, and its own build.
pub(crate) struct Scratch {
    source: PathBuf,
    target: PathBuf,
}

/// A file with a bug in it.
pub(crate) struct Planted {
    path: PathBuf,
    clean: String,
}

impl Planted {
    /// Takes the bug out again.
    pub(crate) fn remove(self) -> io::Result<()> {
        std::fs::write(self.path, self.clean)
    }
}

/// What came of a hunt.
pub(crate) enum Hunted {
    /// A history went wrong.
    Wrong(Found),
    /// None of the histories did.
    Nothing,
    /// It took too long: a history did not come to its end.
    Endless,
}

impl Scratch {
    /// A fresh copy of the workspace in `folder`. What is the same already is not written again, so that it need not be
    /// built again.
    pub(crate) fn new(workspace: &Path, folder: &Path) -> io::Result<Self> {
        let scratch = Self { source: folder.join("source"), target: folder.join("target") };
        copy(workspace, &scratch.source, &LEFT_OUT)?;
        Ok(scratch)
    }

    /// Plants a bug. Gives the file as it was.
    pub(crate) fn plant(&self, bug: &Bug) -> Result<Planted, String> {
        let path = self.source.join(&bug.file);
        let failed = |e: io::Error| format!("{}: {e}", bug.file);
        let clean = std::fs::read_to_string(&path).map_err(failed)?;
        std::fs::write(&path, bug.planted_in(&clean)?).map_err(failed)?;
        Ok(Planted { path, clean })
    }

    /// Builds the simulation as it stands in the copy.
    pub(crate) fn build(&self) -> Result<(), String> {
        let output = Command::new("cargo")
            .args(["build", "--locked", "--quiet", "--profile", "planted"])
            .args(["--package", "simulation", "--target-dir"])
            .arg(&self.target)
            .current_dir(&self.source)
            .env("RUSTFLAGS", "--cap-lints warn")
            .output();
        match output {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(first_error(&output)),
            Err(error) => Err(format!("cargo: {error}")),
        }
    }

    /// Plays histories of what was built until one goes wrong.
    pub(crate) fn hunt(&self, limit: u64) -> Result<Hunted, String> {
        self.hunt_in(&limit.to_string())
    }

    /// Plays the schedules with one event of what was built, scene by scene, until one goes wrong.
    pub(crate) fn hunt_schedules(&self) -> Result<Hunted, String> {
        self.hunt_in(crate::commands::hunt::SCHEDULES)
    }

    fn hunt_in(&self, what: &str) -> Result<Hunted, String> {
        let output = Command::new(self.target.join("planted/simulation"))
            .args(["hunt", what, HUNT_SECONDS])
            .stderr(Stdio::null())
            .output()
            .map_err(|e| format!("the hunt does not start: {e}"))?;
        if output.status.code() == Some(crate::commands::hunt::ENDLESS) {
            return Ok(Hunted::Endless);
        }
        let found: Option<Found> = serde_json::from_slice(&output.stdout)
            .map_err(|e| format!("the hunt ended with {} and no answer: {e}", output.status))?;
        Ok(found.map_or(Hunted::Nothing, Hunted::Wrong))
    }
}

fn first_error(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines = text.lines().skip_while(|line| !line.starts_with("error"));
    lines.take(6).collect::<Vec<_>>().join("\n")
}

/// Makes `to` the same as `from`: what is new or other is written, what is gone is removed.
fn copy(from: &Path, to: &Path, left_out: &[&str]) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if left_out.iter().any(|left_out| name == *left_out) {
            continue;
        }
        if kind.is_dir() {
            copy(&entry.path(), &to.join(&name), &[])?;
        } else if kind.is_file() {
            write_if_other(&entry.path(), &to.join(&name))?;
        }
        names.insert(name);
    }
    for entry in std::fs::read_dir(to)? {
        let entry = entry?;
        if names.contains(&entry.file_name()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn write_if_other(from: &Path, to: &Path) -> io::Result<()> {
    let new = std::fs::read(from)?;
    match std::fs::read(to) {
        Ok(old) if old == new => Ok(()),
        _ => std::fs::write(to, new),
    }
}
