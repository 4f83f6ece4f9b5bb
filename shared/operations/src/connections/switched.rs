//! A connection that was enabled, paused or resumed: what it was, what it is now, and when that counts.

use serde::Serialize;

use super::preview::Preview;
use super::shown::State;
use super::waiting::Waiting;
use crate::text::{Style, wrap};

/// What became of a wish to enable, pause or resume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Switched {
    /// The connection.
    pub connection: String,
    /// What it was.
    pub before: State,
    /// What it is now.
    pub after: State,
    /// Was something written?
    pub changed: bool,
    /// What enabling it imports and sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
    /// What waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// When it counts.
    pub counts: &'static str,
}

impl Switched {
    /// The outcome for people. What was shown before it was asked for is not repeated.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let what = match (self.changed, self.before == self.after) {
            (true, _) => self.counts.to_owned(),
            (false, true) => "nothing to do".to_owned(),
            (false, false) => "nothing was changed".to_owned(),
        };
        let mut text = style.heading(&format!("{}: {what}", self.connection));
        for line in wrap(&self.after.sentence(&self.connection), style.width.saturating_sub(2)) {
            text.push_str(&format!("  {line}\n"));
        }
        text
    }
}
