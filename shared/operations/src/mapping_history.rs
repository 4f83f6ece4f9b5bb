//! Who changed a mapping, when and how; and an earlier version in force again, as a new version.

use std::fmt;
use std::sync::Arc;

use domain::mapping::{Change, Mapping};
use domain::policy::Policies;
use domain::ports::{Ledger, Mappings};
use domain::{ConnectionId, Failure};
use jiff::Timestamp;
use serde::Serialize;

use crate::mapping_csv::{ChangedRow, changed_rows, rows_text};
use crate::text::{Cell, Style, Table, Tone, count, instant};
use crate::waiting::{self, Waiting};

/// The versions of one mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct History {
    /// Its connection.
    pub connection: ConnectionId,
    /// Newest first; the first one is in force.
    pub versions: Vec<VersionLine>,
    /// Are there older ones that were not asked for?
    pub more: bool,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionLine {
    /// Counts up with every change.
    pub version: u64,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub by: String,
    /// What for, in their words.
    pub note: String,
    /// Rows that came with it.
    pub added: usize,
    /// Rows that went with it.
    pub removed: usize,
}

/// Reads the newest versions, at most `limit`.
///
/// # Errors
/// Those of the mappings.
pub async fn history(
    mappings: &dyn Mappings,
    connection: &ConnectionId,
    limit: usize,
) -> Result<History, Failure> {
    let mut changes = mappings.history(connection, limit.saturating_add(1)).await?;
    let more = changes.len() > limit;
    changes.truncate(limit);
    let mut versions = Vec::new();
    let mut newer: Option<(Arc<Mapping>, Change)> = None;
    for (version, change) in changes {
        let mapping = kept(mappings, connection, version).await?;
        versions.extend(newer.map(|(newer, change)| line(&mapping, &newer, change)));
        newer = Some((mapping, change));
    }
    if let Some((oldest, change)) = newer {
        let before = kept(mappings, connection, oldest.version.saturating_sub(1)).await?;
        versions.push(line(&before, &oldest, change));
    }
    Ok(History { connection: connection.clone(), versions, more })
}

/// A version that the history names.
async fn kept(
    mappings: &dyn Mappings,
    connection: &ConnectionId,
    version: u64,
) -> Result<Arc<Mapping>, Failure> {
    let missing = || Failure::poison("read mapping", format!("version {version} is not there"));
    mappings.at(connection, version).await?.ok_or_else(missing)
}

fn line(before: &Mapping, after: &Mapping, change: Change) -> VersionLine {
    let rows = changed_rows(before, after);
    let added = rows.iter().filter(|row| row.added).count();
    VersionLine {
        version: after.version,
        at: change.at,
        by: change.by,
        note: change.note,
        added,
        removed: rows.len() - added,
    }
}

impl History {
    /// The versions for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        if self.versions.is_empty() {
            return format!("{}: nobody has mapped anything yet.\n", self.connection);
        }
        let mut table = Table::new(&["#VERSION", "WHEN", "WHO", "#ROWS +", "#ROWS -", "WHAT FOR"]);
        for line in &self.versions {
            table.row([
                line.version.into(),
                instant(line.at).into(),
                line.by.as_str().into(),
                Cell::toned(line.added.to_string(), Tone::Good),
                Cell::toned(line.removed.to_string(), Tone::Bad),
                line.note.as_str().into(),
            ]);
        }
        let more = if self.more { "There are older ones: --limit shows more.\n" } else { "" };
        format!("{}{}{more}", style.heading(&self.connection.to_string()), table.text(style))
    }
}

/// Puts an earlier version in force again.
#[derive(Debug, Clone)]
pub struct Rollback<'a> {
    /// Which connection.
    pub connection: &'a ConnectionId,
    /// The version whose content is wanted; none for the one before the present one.
    pub to: Option<u64>,
    /// Who, when, what for; an empty note becomes "back to version N".
    pub change: Change,
}

/// What going back means, or meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RolledBack {
    /// Which connection.
    pub connection: ConnectionId,
    /// The version whose content is in force again.
    pub to: u64,
    /// The version that was in force.
    pub from: u64,
    /// The version in force now.
    pub version: u64,
    /// Was it written? Not in a preview, and not when nothing would change.
    pub applied: bool,
    /// The rows that go and come.
    pub rows: Vec<ChangedRow>,
    /// Do shipping rules only change their order, or their order as well?
    pub reordered: bool,
    /// In a preview: what it would do with the orders that wait for a mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// Why a mapping was not put back.
#[derive(Debug)]
pub enum NotRolledBack {
    /// There is no such version.
    Unknown(u64),
    /// There is no earlier version.
    Nothing,
    /// Somebody changed the mapping since it was shown.
    Changed(u64),
    /// The mapping or the ledger could not be read or written.
    Failed(Failure),
}

impl fmt::Display for NotRolledBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(version) => {
                write!(f, "there is no version {version}; cartdock map history shows which there are")
            }
            Self::Nothing => f.write_str("nobody has mapped anything yet: there is no version to go back to"),
            Self::Changed(version) => write!(
                f,
                "somebody changed the mapping meanwhile, it is at version {version}; nothing was changed, look again"
            ),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for NotRolledBack {}

impl From<Failure> for NotRolledBack {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// The mapping in force, the wanted one as the next version, and whose content that is.
struct Back {
    current: Arc<Mapping>,
    next: Mapping,
    to: u64,
}

impl Rollback<'_> {
    /// Says what going back would change. Changes nothing.
    ///
    /// # Errors
    /// See [`NotRolledBack`].
    pub async fn preview(
        &self,
        mappings: &dyn Mappings,
        ledger: &dyn Ledger,
        policies: &Policies,
    ) -> Result<RolledBack, NotRolledBack> {
        let back = self.look(mappings).await?;
        let waiting = waiting::waiting(ledger, self.connection, policies, &back.next).await?;
        Ok(RolledBack { waiting: Some(waiting), ..self.told(&back, false) })
    }

    /// Writes the wanted content as a new version, if the version in force is still `seen`.
    ///
    /// # Errors
    /// See [`NotRolledBack`]; then nothing was changed.
    pub async fn run(&self, mappings: &dyn Mappings, seen: u64) -> Result<RolledBack, NotRolledBack> {
        let back = self.look(mappings).await?;
        if back.current.version != seen {
            return Err(NotRolledBack::Changed(back.current.version));
        }
        if !back.changes() {
            return Ok(self.told(&back, false));
        }
        let mut change = self.change.clone();
        if change.note.is_empty() {
            change.note = format!("back to version {}", back.to);
        }
        if mappings.replace(self.connection, &back.next, &change).await? {
            return Ok(self.told(&back, true));
        }
        Err(NotRolledBack::Changed(mappings.current(self.connection).await?.version))
    }

    async fn look(&self, mappings: &dyn Mappings) -> Result<Back, NotRolledBack> {
        let current = mappings.current(self.connection).await?;
        if current.version == 0 {
            return Err(NotRolledBack::Nothing);
        }
        let to = self.to.unwrap_or(current.version - 1);
        let wanted = mappings.at(self.connection, to).await?.ok_or(NotRolledBack::Unknown(to))?;
        let next = Mapping { version: current.version + 1, ..Mapping::clone(&wanted) };
        Ok(Back { current, next, to })
    }

    fn told(&self, back: &Back, applied: bool) -> RolledBack {
        let rows = changed_rows(&back.current, &back.next);
        RolledBack {
            connection: self.connection.clone(),
            to: back.to,
            from: back.current.version,
            version: if applied { back.next.version } else { back.current.version },
            applied,
            reordered: back.changes() && rows.is_empty(),
            rows,
            waiting: None,
        }
    }
}

impl Back {
    fn changes(&self) -> bool {
        self.current.listings != self.next.listings || self.current.rules != self.next.rules
    }
}

impl RolledBack {
    /// Would it change, or did it change, anything?
    #[must_use]
    pub fn changes(&self) -> bool {
        self.reordered || !self.rows.is_empty()
    }

    /// What comes of it, for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let Self { to, from, version, .. } = self;
        if !self.changes() {
            return format!("Nothing changes: version {from} has the same content as version {to}.\n");
        }
        if self.applied {
            let rows = count(self.rows.len() as u64, "row", "rows");
            return format!(
                "The mapping is now at version {version}, with the content of version {to} ({rows} changed).\n"
            );
        }
        let heading =
            format!("{}, from version {from} back to the content of version {to}:", self.connection);
        let mut out = style.heading(&heading);
        out.push_str(&rows_text(&self.rows, style));
        if self.reordered {
            out.push_str("  The same shipping rules, in another order.\n");
        }
        out.push_str(&self.waiting.map(Waiting::text).unwrap_or_default());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeLedger, FakeMappings, connection, now};
    use crate::mapping_csv::Import;

    fn by(who: &str, note: &str) -> Change {
        Change { by: who.into(), at: now(), note: note.into() }
    }

    async fn mapped(files: &[&str]) -> FakeMappings {
        let mappings = FakeMappings::default();
        let main = connection("main");
        for (n, file) in files.iter().enumerate() {
            let change = by("ada", &format!("file {n}"));
            let import = Import {
                connection: &main.id,
                file: file.as_bytes(),
                replace: false,
                dry_run: false,
                change,
            };
            import.run(&mappings).await.unwrap();
        }
        mappings
    }

    async fn back(mappings: &FakeMappings, to: Option<u64>, seen: u64) -> Result<RolledBack, NotRolledBack> {
        let main = connection("main");
        Rollback { connection: &main.id, to, change: by("eve", "") }.run(mappings, seen).await
    }

    const FIRST: &str = "sku,warehouse_sku\nA,W1\n";
    const SECOND: &str = "sku,warehouse_sku\nA,W2\nB,W3\n";

    #[tokio::test]
    async fn going_back_writes_a_new_version_and_can_be_taken_back() {
        let mappings = mapped(&[FIRST, SECOND]).await;
        let done = back(&mappings, None, 2).await.unwrap();
        assert_eq!((done.to, done.from, done.version, done.applied), (1, 2, 3, true));
        let main = connection("main");
        let first = mappings.at(&main.id, 1).await.unwrap().unwrap();
        assert_eq!(mappings.current(&main.id).await.unwrap().listings, first.listings);
        back(&mappings, Some(2), 3).await.unwrap();
        let told = history(&mappings, &main.id, 2).await.unwrap();
        assert!(told.more);
        let lines: Vec<_> = told
            .versions
            .iter()
            .map(|line| (line.version, line.by.as_str(), line.note.as_str(), line.added, line.removed))
            .collect();
        assert_eq!(lines, [(4, "eve", "back to version 2", 2, 1), (3, "eve", "back to version 1", 1, 2)]);
        back(&mappings, Some(0), 4).await.unwrap();
        assert!(mappings.current(&main.id).await.unwrap().listings.is_empty(), "as it was before the first");
    }

    #[tokio::test]
    async fn what_was_changed_since_it_was_shown_is_not_overwritten() {
        let mappings = mapped(&[FIRST, SECOND]).await;
        let late = back(&mappings, None, 1).await.unwrap_err();
        assert!(late.to_string().contains("at version 2"), "{late}");
        *mappings.races.lock().unwrap() = 1;
        assert!(matches!(back(&mappings, None, 2).await, Err(NotRolledBack::Changed(3))));
    }

    #[tokio::test]
    async fn there_must_be_something_to_go_back_to() {
        let nothing = back(&FakeMappings::default(), None, 0).await.unwrap_err();
        assert!(matches!(nothing, NotRolledBack::Nothing), "{nothing}");
        let mappings = mapped(&[FIRST]).await;
        assert!(back(&mappings, Some(9), 1).await.unwrap_err().to_string().contains("map history"));
        let same = back(&mappings, Some(1), 1).await.unwrap();
        assert!(!same.applied && same.text(Style::PLAIN).starts_with("Nothing changes"), "{same:?}");
    }

    #[tokio::test]
    async fn a_preview_shows_the_rows_and_changes_nothing() {
        let mappings = mapped(&[FIRST, SECOND]).await;
        let main = connection("main");
        let rollback = Rollback { connection: &main.id, to: None, change: by("eve", "") };
        let told = rollback.preview(&mappings, &FakeLedger::default(), &main.policies).await.unwrap();
        assert_eq!(
            told.text(Style::PLAIN),
            "main, from version 2 back to the content of version 1:\n  - A,W2,1\n  + A,W1,1\n  - B,W3,1\n\
             No order waits for a mapping.\n"
        );
        assert_eq!(mappings.current(&main.id).await.unwrap().version, 2);
    }
}
