//! One connection on one screen: its settings with their secrets by name, and whether it works.

use std::collections::BTreeMap;

use domain::Failure;
use domain::connection::Connection;
use domain::ports::{Cursor, Ledger};
use jiff::Timestamp;
use serde::Serialize;

use super::{difference, flat};
use crate::text::{Style, moment, pairs};

/// Whether a connection works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was never enabled: nothing of its store has been read.
    New,
    /// It is disabled, and goes on where it was once it is resumed.
    Paused,
    /// It is enabled, and its ledger is being filled: nothing is sent before its end.
    Filling,
    /// It works.
    Enabled,
}

impl State {
    /// The state of a connection of which the ledger knows this.
    #[must_use]
    pub fn of(connection: &Connection, known: Option<&Connection>, cursor: &Cursor) -> Self {
        let is_complete = known.is_some_and(Connection::is_complete);
        match (connection.enabled, is_complete) {
            (true, true) => Self::Enabled,
            (true, false) => Self::Filling,
            (false, _) if cursor.version > 0 => Self::Paused,
            (false, _) => Self::New,
        }
    }

    /// What it means.
    #[must_use]
    pub fn sentence(self, id: &str) -> String {
        match self {
            Self::New => {
                format!("not enabled yet: nothing is imported or sent (cartdock connection enable {id})")
            }
            Self::Paused => format!(
                "paused: nothing is imported, sent or posted; webhooks are taken (cartdock connection resume {id})"
            ),
            Self::Filling => {
                "enabled; its ledger is being filled, and nothing is sent before its end".to_owned()
            }
            Self::Enabled => "enabled".to_owned(),
        }
    }
}

/// A connection as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its id.
    pub connection: String,
    /// What people call it.
    pub name: String,
    /// Whether it works.
    pub state: State,
    /// Every order of the store placed before this instant is in the ledger; none before the first poll.
    pub read_up_to: Option<Timestamp>,
    /// The version of its mapping; 0 when nobody has mapped anything.
    pub mapping: u64,
    /// All settings by name. Secrets are references.
    pub settings: BTreeMap<String, String>,
    /// Those that the settings file says and the ledger does not: changed by hand, and not in force yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_in_force: Vec<String>,
}

/// Looks at a connection. `is_secret` says which settings hold secrets: of those only references are shown.
///
/// # Errors
/// Those of the ledger.
pub async fn show(
    ledger: &dyn Ledger,
    connection: &Connection,
    known: Option<&Connection>,
    mapping: u64,
    is_secret: impl Fn(&str) -> bool,
) -> Result<Shown, Failure> {
    let cursor = ledger.cursor(&connection.id).await?;
    let hidden = |(name, value): (String, String)| {
        let is_open = value.trim_start().starts_with('@') || !is_secret(side_of(&name));
        (name, if is_open { value } else { "(a value that is not shown)".to_owned() })
    };
    let mut settings: BTreeMap<String, String> = flat(connection)?.into_iter().map(hidden).collect();
    settings.retain(|name, _| name != "name" && name != "enabled");
    let changes = known.map(|known| difference(connection, Some(known))).transpose()?;
    let changes = changes.map(|difference| difference.changes).unwrap_or_default();
    Ok(Shown {
        connection: connection.id.to_string(),
        name: connection.name.clone(),
        state: State::of(connection, known, &cursor),
        read_up_to: cursor.position,
        mapping,
        settings,
        not_in_force: changes.into_iter().map(|change| change.setting).collect(),
    })
}

/// The setting as its side knows it: `api_key` for `store.api_key`.
fn side_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, key)| key)
}

impl Shown {
    /// The connection for people.
    #[must_use]
    pub fn text(&self, now: Timestamp, style: Style) -> String {
        let read =
            self.read_up_to.map_or("nothing yet".to_owned(), |at| format!("up to {}", moment(at, now)));
        let mut rows = vec![
            ("is", self.state.sentence(&self.connection)),
            ("store read", read),
            ("mapping", format!("version {}", self.mapping)),
        ];
        if !self.not_in_force.is_empty() {
            let what = self.not_in_force.join(", ");
            rows.push(("not in force", format!("{what}: changed by hand; restart cartdock run")));
        }
        rows.extend(self.settings.iter().map(|(name, value)| (name.as_str(), value.clone())));
        style.heading(&format!("{} ({})", self.connection, self.name)) + &pairs(&rows, style)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, FakeLedger};

    async fn shown(connection: &Connection) -> Shown {
        let is_secret = |key: &str| key == "api_key" || key == "auth.key";
        show(&FakeLedger::default(), connection, Some(connection), 3, is_secret).await.unwrap()
    }

    #[tokio::test]
    async fn a_secret_is_shown_by_its_name_only() {
        let mut main = fake::connection("main");
        main.store.insert("api_key".into(), "@env:STORE_KEY".into());
        main.warehouse.insert("auth.key".into(), "hunter2".into());
        let shown = shown(&main).await;
        let text = shown.text(fake::now(), Style::PLAIN);
        assert!(text.contains("@env:STORE_KEY"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
        assert!(!serde_json::to_string(&shown).unwrap().contains("hunter2"));
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[tokio::test]
    async fn what_was_changed_by_hand_and_is_not_in_force_is_told() {
        let main = fake::connection("main");
        let by_hand = Connection { enabled: false, ..main.clone() };
        let shown = show(&FakeLedger::default(), &by_hand, Some(&main), 0, |_| false).await.unwrap();
        assert_eq!(shown.not_in_force, ["enabled"]);
        assert!(shown.text(fake::now(), Style::PLAIN).contains("enabled: changed by hand"));
        assert!(
            show(&FakeLedger::default(), &main, Some(&main), 0, |_| false)
                .await
                .unwrap()
                .not_in_force
                .is_empty()
        );
    }

    #[tokio::test]
    async fn the_state_says_whether_it_works() {
        let main = fake::connection("main");
        assert_eq!(shown(&main).await.state, State::Enabled);
        let paused = Connection { enabled: false, ..main.clone() };
        assert_eq!(shown(&paused).await.state, State::Paused);
        assert_eq!(State::of(&paused, None, &Cursor::default()), State::New);
        assert_eq!(State::of(&main, None, &Cursor::default()), State::Filling);
    }
}
