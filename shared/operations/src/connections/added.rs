//! A connection that was added: what is copied from another one, what was found out, and what comes next.

use std::collections::BTreeMap;

use domain::ConnectionId;
use domain::connection::{Connection, History, Schedule, SettingMap};
use domain::policy::Policies;
use serde::Serialize;

use crate::check::CheckReport;
use crate::text::{Style, count, pairs};

/// What belongs to one store and is never copied: who it is, and what only it and we may know.
const ITS_OWN: [&str; 3] = ["merchant_id", "api_key", "notify_secret"];

/// A connection to begin with: disabled, and like another one where one is named, but for what belongs to its store.
#[must_use]
pub fn copied(id: &ConnectionId, like: Option<&Connection>) -> Connection {
    let shared = |store: &SettingMap| -> SettingMap {
        let is_shared = |(key, _): &(&String, &String)| !ITS_OWN.contains(&key.as_str());
        store.iter().filter(is_shared).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    Connection {
        id: id.clone(),
        name: id.to_string(),
        enabled: false,
        store: like.map(|like| shared(&like.store)).unwrap_or_default(),
        warehouse: like.map(|like| like.warehouse.clone()).unwrap_or_default(),
        policies: like
            .map_or_else(Policies::default, |like| Policies { start: None, ..like.policies.clone() }),
        schedule: like.map_or_else(Schedule::default, |like| like.schedule.clone()),
        history: History::Unknown,
    }
}

/// A connection that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Added {
    /// Its id.
    pub connection: String,
    /// What was found out about both sides before it was saved.
    pub report: CheckReport,
    /// Where the secrets are that were typed, by setting.
    pub secrets: BTreeMap<String, String>,
    /// How many listings and rules were copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<u64>,
    /// The commands that come next.
    pub next: Vec<String>,
}

impl Added {
    /// What is told of a connection that was added, to a deployment or on this machine.
    #[must_use]
    pub fn new(
        connection: &Connection,
        report: CheckReport,
        secrets: BTreeMap<String, String>,
        mapping: Option<u64>,
        stack: Option<&str>,
    ) -> Self {
        let (id, place) = (&connection.id, stack.map_or(String::new(), |stack| format!(" --stack {stack}")));
        let import = |file: &str| format!("cartdock map import {file} --connection {id}{place}");
        let mut next = Vec::new();
        if mapping.is_none() {
            next.extend([import("listings.csv"), import("rules.csv")]);
        }
        next.push(format!("cartdock connection enable {id}{place}"));
        Self { connection: id.to_string(), report, secrets, mapping, next }
    }

    /// The outcome for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let mut text = self.report.text(style);
        text.push('\n');
        text.push_str(&style.heading(&format!("{}: added, disabled", self.connection)));
        // A place is on a line of its own, so that it can be copied whole.
        for (key, place) in &self.secrets {
            text.push_str(&format!("  {key} is kept in\n    {place}\n"));
        }
        let mut rows: Vec<(&str, String)> = Vec::new();
        if let Some(entries) = self.mapping {
            rows.push(("mapping", format!("{} copied", count(entries, "row", "rows"))));
        }
        rows.extend(
            self.next
                .iter()
                .enumerate()
                .map(|(number, command)| (if number == 0 { "next" } else { "then" }, command.clone())),
        );
        text + &pairs(&rows, style)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    #[test]
    fn what_belongs_to_one_store_is_not_copied() {
        let mut main = fake::connection("main");
        for (key, value) in
            [("merchant_id", "1"), ("api_key", "@env:A"), ("notify_secret", "@env:B"), ("verb", "get")]
        {
            main.store.insert(key.into(), value.into());
        }
        main.warehouse.insert("auth.key".into(), "@env:WMS".into());
        main.policies.start = Some(fake::now());
        main.policies.watch_days = 3;
        let copy = copied(&"second".parse().unwrap(), Some(&main));
        assert_eq!(copy.store.keys().collect::<Vec<_>>(), ["verb"]);
        assert_eq!(copy.warehouse, main.warehouse);
        assert!(!copy.enabled, "a new connection does not run");
        assert_eq!((copy.policies.start, copy.policies.watch_days), (None, 3));
    }
}
