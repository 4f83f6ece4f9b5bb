//! The settings file as a whole: read, changed in one place, read again, and only then put in the place of the old one.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use domain::ConnectionId;
use domain::connection::Connection;

use super::edit::Stuck;
use crate::config::{Config, text_of};
use crate::known;

/// The head of a file that nobody has written yet.
const HEAD: &str = "# Settings of Cartdock. Secrets never stand here: @env:NAME is an environment variable, @file:/path a file\n\
    # that only its owner may read. cartdock init writes a file with every setting explained.\n\
    data_dir = \"cartdock-data\"\n";

/// A settings file and what it says.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    path: PathBuf,
    /// None: it is not there yet.
    before: Option<String>,
    text: String,
    /// What the text says.
    pub(crate) config: Config,
}

impl SettingsFile {
    /// Reads the file. One that is not there is one without connections.
    ///
    /// # Errors
    /// When it cannot be read, and every mistake in it.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        // Behind a link is the file that is to be changed.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let before = match std::fs::exists(&path) {
            Ok(false) => None,
            _ => Some(text_of(&path).map_err(|mistakes| mistakes.to_string())?),
        };
        let text = before.clone().unwrap_or_else(|| HEAD.to_owned());
        let config = known::read_text(&path, &text).map_err(|mistakes| mistakes.to_string())?;
        Ok(Self { path, before, text, config })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The connection of this id.
    pub(crate) fn connection(&self, id: &ConnectionId) -> Option<&Connection> {
        self.config.connections.iter().find(|connection| connection.id == *id)
    }

    /// Changes the text. What comes of it has to be settings again, in which nothing but this connection is different.
    ///
    /// # Errors
    /// When that is not so: the file is changed by hand then.
    pub(crate) fn change(
        &mut self,
        id: &ConnectionId,
        edit: impl FnOnce(&str) -> Result<String, Stuck>,
    ) -> Result<(), String> {
        let shown = self.path.display();
        let stuck =
            format!("{shown} is written in a form that this command does not change; change it by hand");
        let text = edit(&self.text).map_err(|Stuck| stuck.clone())?;
        let config = known::read_text(&self.path, &text)
            .map_err(|mistakes| format!("nothing was changed, because it would be wrong:\n{mistakes}"))?;
        if others(&config, id) != others(&self.config, id) {
            return Err(stuck);
        }
        (self.text, self.config) = (text, config);
        Ok(())
    }

    /// Writes it: whoever reads the file sees the old one or the new one. Its permissions stay; a new one is its owner's.
    ///
    /// # Errors
    /// When it cannot be written, or somebody else has changed it meanwhile.
    pub(crate) fn save(&self) -> Result<(), String> {
        let shown = self.path.display();
        let refused = |error: std::io::Error| format!("{shown} cannot be written: {}", error.kind());
        let now = match std::fs::exists(&self.path) {
            Ok(true) => text_of(&self.path).ok(),
            _ => None,
        };
        if now != self.before {
            return Err(format!("nothing was changed: somebody else has just changed {shown}; repeat it"));
        }
        if self.before.as_ref() == Some(&self.text) {
            return Ok(());
        }
        let draft = self.draft();
        let written = self.write_draft(&draft).and_then(|()| std::fs::rename(&draft, &self.path));
        written.map_err(|error| {
            drop(std::fs::remove_file(&draft));
            refused(error)
        })
    }

    fn draft(&self) -> PathBuf {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.path.with_file_name(format!(".{name}.{}.new", std::process::id()))
    }

    fn write_draft(&self, draft: &Path) -> std::io::Result<()> {
        let mut file = private(draft)?;
        file.write_all(self.text.as_bytes())?;
        if self.before.is_some() {
            file.set_permissions(std::fs::metadata(&self.path)?.permissions())?;
        }
        file.sync_all()
    }
}

/// Everything that a file says but for one connection. Places of secrets move when something is put before them.
fn others(config: &Config, id: &ConnectionId) -> Config {
    let mut rest = config.clone();
    rest.connections.retain(|connection| connection.id != *id);
    rest.secrets.clear();
    rest
}

/// A new file that only its owner may read.
pub(crate) fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    owner_only(&mut options);
    options.open(path)
}

#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn owner_only(_: &mut OpenOptions) {}
