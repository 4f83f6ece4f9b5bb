//! What changes when the connections of a settings file are put into a ledger: told before it is done.

use std::collections::{BTreeMap, BTreeSet};

use domain::Failure;
use domain::connection::{Connection, History};
use domain::ports::Connections;
use serde::Serialize;
use serde_json::Value;

use crate::text::{Cell, Style, Table, Tone};

pub mod added;
mod listing;
pub mod preview;
pub mod shown;
pub mod switched;
pub mod waiting;

/// What is to become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The ledger does not have it yet.
    Added,
    /// It changes.
    Changed,
    /// It is in the ledger as the settings say.
    Unchanged,
    /// It is in the ledger and not in the settings, and stays as it is.
    LeftAlone,
}

/// One setting that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its name: `store.api_key`.
    pub setting: String,
    /// What the ledger has; none when it has nothing.
    pub before: Option<String>,
    /// What the settings say; none when they say nothing.
    pub after: Option<String>,
}

/// What changes of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its id.
    pub connection: String,
    /// What is to become of it.
    pub fate: Fate,
    /// The settings that change, by name.
    pub changes: Vec<Change>,
}

impl Difference {
    /// Is there something to be written?
    #[must_use]
    pub fn is_work(&self) -> bool {
        matches!(self.fate, Fate::Added | Fate::Changed)
    }

    /// The difference for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let what = match self.fate {
            Fate::Added => "new: the store is read from its start date on, and nothing is sent before",
            Fate::Changed => "changes; running functions see it within half a minute",
            Fate::Unchanged => "as in the settings",
            Fate::LeftAlone => "not in the settings: left as it is (enabled = false switches one off)",
        };
        let heading = style.heading(&format!("{}: {what}", self.connection));
        if self.changes.is_empty() {
            return heading;
        }
        let mut table = Table::new(&["setting", "is", "becomes"]);
        for change in &self.changes {
            let cell = |value: &Option<String>, tone| Cell::toned(value.clone().unwrap_or("-".into()), tone);
            table.row([
                change.setting.as_str().into(),
                cell(&change.before, Tone::Faint),
                cell(&change.after, Tone::Good),
            ]);
        }
        heading + &table.text(style)
    }
}

/// The connection as it is to be written: what its ledger knows of the time before it stays. A ledger that does not know
/// the connection is new, or the one before it was lost: the store is read and the warehouse asked before anything is sent.
#[must_use]
pub fn entered(wanted: &Connection, known: Option<&Connection>) -> Connection {
    let history = match known.map(|known| known.history).unwrap_or_default() {
        History::Unknown => History::Rebuilding { lost_at: None },
        history => history,
    };
    Connection { history, ..wanted.clone() }
}

/// How often a connection is written anew when somebody else was faster.
const TRIES: u32 = 8;

/// Puts a connection into the ledger, [`entered`] by what the ledger knows at that moment, or with `history`: the end of a
/// rebuild at the same time is not overwritten. Nor is what another person has set, where `shown` says what the one who
/// wants this has seen. Gives what was written.
///
/// # Errors
/// Those of the ledger; retryable, when somebody else was faster each time. Permanent, when a setting is another one than was
/// shown.
pub async fn enter(
    connections: &dyn Connections,
    wanted: &Connection,
    history: Option<History>,
    shown: Option<&Connection>,
) -> Result<Connection, Failure> {
    for _ in 0..TRIES {
        let known = connections.fresh(&wanted.id).await?;
        let entered = entered(wanted, known.as_ref());
        let entered = Connection { history: history.unwrap_or(entered.history), ..entered };
        // An earlier answer of ours may have got lost.
        if known.as_ref() == Some(&entered) {
            return Ok(entered);
        }
        if let (Some(known), Some(shown)) = (&known, shown)
            && *known != (Connection { history: known.history, ..shown.clone() })
        {
            let why =
                format!("somebody has changed connection {} meanwhile; look at it and repeat", wanted.id);
            return Err(Failure::permanent("write connection", why));
        }
        let is_written = match &known {
            Some(known) => connections.swap(known, &entered).await?,
            None => connections.put(&entered).await.map(|()| true)?,
        };
        if is_written {
            return Ok(entered);
        }
    }
    let why = format!("somebody else writes connection {} at the same time; repeat it", wanted.id);
    Err(Failure::retryable("write connection", why))
}

/// What putting `wanted` into a ledger changes, where `known` is there.
///
/// # Errors
/// Permanent: a connection has no JSON form.
pub fn difference(wanted: &Connection, known: Option<&Connection>) -> Result<Difference, Failure> {
    let before = known.map(flat).transpose()?.unwrap_or_default();
    let after = flat(wanted)?;
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changes: Vec<Change> = names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| Change {
            setting: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        })
        .collect();
    let fate = match (known, changes.is_empty()) {
        (None, _) => Fate::Added,
        (Some(_), false) => Fate::Changed,
        (Some(_), true) => Fate::Unchanged,
    };
    Ok(Difference { connection: wanted.id.to_string(), fate, changes })
}

/// A connection that the settings do not name.
#[must_use]
pub fn left_alone(known: &Connection) -> Difference {
    Difference { connection: known.id.to_string(), fate: Fate::LeftAlone, changes: Vec::new() }
}

/// The settings of a connection as texts by their names; what its ledger knows is no setting.
pub(crate) fn flat(connection: &Connection) -> Result<BTreeMap<String, String>, Failure> {
    let value = serde_json::to_value(connection)
        .map_err(|_| Failure::permanent("compare connections", "the connection has no JSON form"))?;
    let mut texts = BTreeMap::new();
    if let Value::Object(fields) = value {
        for (name, value) in fields.into_iter().filter(|(name, _)| name != "id" && name != "history") {
            flatten(name, value, &mut texts);
        }
    }
    for (kept, named) in NAMES {
        texts.remove(kept).map(|text| texts.insert(named.to_owned(), text));
    }
    Ok(texts)
}

/// Settings that a person calls otherwise than the ledger keeps them.
const NAMES: [(&str, &str); 3] = [
    ("policies.targets.accept_minutes", "policies.accept_within_minutes"),
    ("policies.targets.ship_hours", "policies.ship_within_hours"),
    ("policies.targets.post_minutes", "policies.post_within_minutes"),
];

fn flatten(name: String, value: Value, texts: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            fields.into_iter().for_each(|(inner, value)| flatten(format!("{name}.{inner}"), value, texts));
        }
        Value::Null => {}
        Value::String(text) => drop(texts.insert(name, text)),
        Value::Array(items) => {
            let items: Vec<String> =
                items.iter().map(|item| item.as_str().map_or(item.to_string(), str::to_owned)).collect();
            texts.insert(name, items.join(" "));
        }
        other => drop(texts.insert(name, other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    #[test]
    fn a_setting_is_shown_by_the_name_under_which_it_is_set() {
        let texts = flat(&fake::connection("main")).unwrap();
        for name in ["accept_within_minutes", "ship_within_hours", "post_within_minutes"] {
            assert!(texts.contains_key(&format!("policies.{name}")), "{texts:?}");
        }
        assert!(texts.keys().all(|name| !name.contains("targets")), "{texts:?}");
    }

    #[test]
    fn a_difference_names_each_setting_that_changes_and_no_other() {
        let known = fake::connection("main");
        let mut wanted = known.clone();
        assert_eq!(difference(&wanted, Some(&known)).unwrap().fate, Fate::Unchanged);
        wanted.enabled = false;
        wanted.schedule.orders_minutes = 1;
        wanted.store.insert("api_key".to_owned(), "@secret:cartdock/prod/main#store".to_owned());
        let told = difference(&wanted, Some(&known)).unwrap();
        let changes: Vec<_> = told
            .changes
            .iter()
            .map(|c| (c.setting.as_str(), c.before.as_deref(), c.after.as_deref()))
            .collect();
        assert_eq!(
            changes,
            [
                ("enabled", Some("true"), Some("false")),
                ("schedule.orders_minutes", Some("5"), Some("1")),
                ("store.api_key", None, Some("@secret:cartdock/prod/main#store")),
            ]
        );
        assert!(told.is_work() && told.text(Style::PLAIN).contains("store.api_key"), "{told:?}");
    }

    #[test]
    fn a_connection_that_the_ledger_does_not_know_is_read_before_anything_is_sent() {
        let wanted = Connection { history: History::Unknown, ..fake::connection("main") };
        assert_eq!(difference(&wanted, None).unwrap().fate, Fate::Added);
        assert!(!entered(&wanted, None).runs());
        let known = fake::connection("main");
        assert_eq!(entered(&wanted, Some(&known)).history, known.history);
        assert_eq!(entered(&wanted, Some(&wanted)).history, History::Rebuilding { lost_at: None });
    }
}
