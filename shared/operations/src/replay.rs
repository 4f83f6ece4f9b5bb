//! Which orders a person means by what they wait for, or when they came in.

use domain::ports::Ledger;
use domain::record::{Record, Stage};
use domain::{ConnectionId, Failure};
use jiff::Timestamp;

use crate::scan;
use crate::status::issue_ids;

/// A choice among the orders that are not finished; every part of it narrows it down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The id of the issue that they wait for.
    pub issue: Option<String>,
    /// The word of the cause that they are held for.
    pub cause: Option<String>,
    /// Imported at this instant or later.
    pub since: Option<Timestamp>,
    /// Imported before this instant.
    pub until: Option<Timestamp>,
}

impl Chosen {
    /// The orders of a connection that are meant.
    ///
    /// # Errors
    /// Those of the ledger.
    pub async fn of(&self, ledger: &dyn Ledger, connection: &ConnectionId) -> Result<Vec<Record>, Failure> {
        let mut chosen = Vec::new();
        scan::each(ledger, connection, |record| {
            if self.means(record) {
                chosen.push(record.clone());
            }
        })
        .await?;
        Ok(chosen)
    }

    fn means(&self, record: &Record) -> bool {
        // As `issues show` takes it: its beginning is enough.
        let is_meant = |id: &String| {
            issue_ids(record).iter().any(|known| !id.is_empty() && known.starts_with(id.as_str()))
        };
        let by_issue = self.issue.as_ref().is_none_or(is_meant);
        let by_cause = self.cause.as_ref().is_none_or(|word| match &record.stage {
            Stage::Held(cause) => cause.word() == word,
            stage => stage.word() == word,
        });
        let after = self.since.is_none_or(|since| record.imported_at >= since);
        let before = self.until.is_none_or(|until| record.imported_at < until);
        !record.is_finished() && by_issue && by_cause && after && before
    }
}
