//! A change of a connection before it is written: what it will be, and the settings file that will say so.

use std::path::Path;

use domain::connection::{Connection, History};
use operations::connections::enter;

use crate::commands::{Desk, Problem};
use crate::config::{Mistake, Mistakes};
use crate::known;
use crate::settings::edit::Stuck;
use crate::settings::file::SettingsFile;
use crate::settings::render;

/// See the module.
pub(super) struct Draft {
    /// None on a deployment: its ledger is the truth.
    file: Option<SettingsFile>,
    /// The connection as it is to be.
    pub(super) wanted: Connection,
    /// On a deployment: as it was when the change was begun.
    shown: Option<Connection>,
}

impl Desk<'_> {
    /// The change that `edit` makes in the text of a connection's settings, checked and not written.
    pub(super) fn draft(
        &self,
        connection: &Connection,
        edit: impl FnOnce(&str) -> Result<String, Stuck>,
    ) -> Result<Draft, Problem> {
        if self.cli.stack.is_some() {
            return in_ledger(connection, edit);
        }
        let mut file = SettingsFile::open(&self.cli.config)?;
        file.change(&connection.id, edit)?;
        let wanted = file.connection(&connection.id).cloned().ok_or_else(|| {
            Problem(format!("{} has no connection {} any more", file.path().display(), connection.id))
        })?;
        Ok(Draft { file: Some(file), wanted, shown: None })
    }

    /// Switches a connection on or off. On a deployment no other setting is looked at, so that one can be switched off
    /// whatever is wrong with it.
    pub(super) fn switched(&self, connection: &Connection, enabled: bool) -> Result<Draft, Problem> {
        if self.cli.stack.is_some() {
            let wanted = Connection { enabled, ..connection.clone() };
            return Ok(Draft { file: None, wanted, shown: Some(connection.clone()) });
        }
        let literal = if enabled { "true" } else { "false" };
        self.draft(connection, |text| crate::settings::edit::set(text, &connection.id, &["enabled"], literal))
    }

    /// Writes a change: into the settings file first, so that the next start agrees, and into the ledger, where whoever is at
    /// work sees it.
    pub(super) async fn write(&self, draft: Draft, history: Option<History>) -> Result<Connection, Problem> {
        if let Some(file) = &draft.file {
            file.save()?;
        }
        Ok(enter(self.host.connections.as_ref(), &draft.wanted, history, draft.shown.as_ref()).await?)
    }

    /// When a change counts.
    pub(super) fn counts(&self) -> &'static str {
        match (self.cli.stack.is_some(), self.host.is_shared()) {
            (true, _) => "written: the functions see it within half a minute",
            (false, true) => "written: the cartdock run that is at work sees it within seconds",
            (false, false) => "written: the next cartdock run begins with it",
        }
    }
}

/// The same rules as for a settings file, for a connection of which only the ledger knows.
fn in_ledger(
    connection: &Connection,
    edit: impl FnOnce(&str) -> Result<String, Stuck>,
) -> Result<Draft, Problem> {
    let wrong =
        |problem: String| Problem(format!("nothing was changed, because it would be wrong:\n{problem}"));
    let text = edit(&render::connection(connection)).map_err(|Stuck| wrong(STUCK.to_owned()))?;
    let wanted = one_alone(&text)?.ok_or_else(|| wrong(STUCK.to_owned()))?;
    let wanted = Connection { history: connection.history, ..wanted };
    Ok(Draft { file: None, wanted, shown: Some(connection.clone()) })
}

/// The connection of a text that no file has, by the same rules; its lines mean nothing to anybody.
///
/// # Errors
/// Every mistake in it.
pub(super) fn one_alone(text: &str) -> Result<Option<Connection>, Problem> {
    let told = |mistake: &Mistake| format!("{}; {}", mistake.problem, mistake.cure);
    let config = known::read_text(Path::new("connection"), text).map_err(|Mistakes(mistakes)| {
        let lines: Vec<String> = mistakes.iter().map(told).collect();
        Problem(format!("nothing was changed, because it would be wrong:\n{}", lines.join("\n")))
    })?;
    Ok(config.connections.into_iter().next())
}

const STUCK: &str =
    "the setting cannot be put beside the others; take out what is in its way first (--unset)";
