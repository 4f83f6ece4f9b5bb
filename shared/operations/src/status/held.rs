//! Held orders by cause: one group per missing word or reason, with the orders that wait and the cure.

use std::collections::BTreeMap;

use domain::ConnectionId;
use domain::arrivals::name_of;
use domain::notes::Mark;
use domain::record::{Cause, Record, Stage};
use jiff::Timestamp;
use serde::Serialize;

use crate::cure::{self, Cure};
use crate::text::{Style, Tone, count, moment, pairs};

/// How many orders a group names.
const NAMED: usize = 5;

/// Orders that wait for the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldGroup {
    /// The id of the issue: the same for the same cause of the same connection.
    pub issue: String,
    /// What they wait for, in words.
    pub cause: String,
    /// The fixed word of the cause.
    pub word: &'static str,
    /// How many. An order that lacks two things is in two groups.
    pub orders: u64,
    /// The one that waits longest.
    pub oldest: String,
    /// Since when.
    pub since: Timestamp,
    /// The numbers of the first of them.
    pub first: Vec<u64>,
    /// What to do.
    pub cure: Cure,
    /// Is it looked at again by itself, so that it may be cured without anybody doing anything here?
    pub heals: bool,
    /// Who takes care of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned: Option<String>,
    /// A person does not want to hear of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ignored: bool,
}

/// The groups under construction.
#[derive(Debug, Clone, Default)]
pub struct HeldGroups(BTreeMap<(&'static str, String), HeldGroup>);

impl HeldGroups {
    /// Puts an order into its groups, if it is held.
    pub fn count(&mut self, record: &Record) {
        let Stage::Held(cause) = &record.stage else { return };
        for (text, cure) in wanted(cause, &record.key.connection) {
            let group = self.0.entry((cause.word(), text.clone())).or_insert_with(|| HeldGroup {
                issue: id_of(&record.key.connection, cause.word(), &text),
                cause: text,
                word: cause.word(),
                orders: 0,
                oldest: record.key.to_string(),
                since: record.since,
                first: Vec::new(),
                cure,
                heals: cause.may_heal(),
                assigned: None,
                ignored: false,
            });
            group.add(record);
        }
    }

    /// The groups, most orders first.
    #[must_use]
    pub fn groups(self) -> Vec<HeldGroup> {
        let mut groups: Vec<HeldGroup> = self.0.into_values().collect();
        groups.sort_by(|a, b| {
            b.orders.cmp(&a.orders).then_with(|| a.since.cmp(&b.since)).then_with(|| a.cause.cmp(&b.cause))
        });
        groups
    }
}

impl HeldGroup {
    fn add(&mut self, record: &Record) {
        self.orders += 1;
        if self.first.len() < NAMED {
            self.first.push(record.key.order.0);
        }
        if record.since < self.since {
            self.since = record.since;
            self.oldest = record.key.to_string();
        }
    }

    /// Takes over what people said about it.
    pub(crate) fn marked(&mut self, mark: &Mark) {
        self.assigned.clone_from(&mark.assigned);
        self.ignored = mark.ignored;
    }

    /// Does it go away without anybody?
    pub(crate) fn heals_by_itself(&self) -> &'static str {
        match (self.heals, self.cure.releases) {
            (true, _) => "the orders are looked at again, at least once a day",
            (false, true) => "once it is put right, the orders go on",
            (false, false) => "no: a person decides each order",
        }
    }

    /// The cure, by rows.
    pub(crate) fn cure_rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![("cure", self.cure.what.clone())];
        rows.extend(self.cure.row.clone().map(|row| ("row", row)));
        rows.extend(self.cure.command.clone().map(|command| ("then", command)));
        rows
    }

    /// The first of its orders, by number.
    pub(crate) fn names(&self) -> String {
        let names: Vec<String> = self.first.iter().map(u64::to_string).collect();
        let more = self.orders.saturating_sub(self.first.len() as u64);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", names.join(", "))
    }
}

/// What a cause waits for: each gap by itself, because each has its own cure.
fn wanted(cause: &Cause, connection: &ConnectionId) -> Vec<(String, Cure)> {
    match cause {
        Cause::Unmapped(gaps) => {
            gaps.iter().map(|gap| (gap.to_string(), cure::of_gap(gap, connection))).collect()
        }
        other => vec![(other.to_string(), cure::of_cause(other, connection))],
    }
}

/// The ids of the issues that an order waits for.
pub(crate) fn issue_ids(record: &Record) -> Vec<String> {
    let Stage::Held(cause) = &record.stage else { return Vec::new() };
    let connection = &record.key.connection;
    let of = |(text, _): (String, Cure)| id_of(connection, cause.word(), &text);
    wanted(cause, connection).into_iter().map(of).collect()
}

/// The id of an issue: short enough to be typed, long enough to be the only one.
pub(crate) fn id_of(connection: &ConnectionId, word: &str, text: &str) -> String {
    name_of(format!("{connection}\n{word}\n{text}").as_bytes()).chars().take(8).collect()
}

/// The groups for people.
pub(crate) fn text(groups: &[HeldGroup], now: Timestamp, style: Style) -> String {
    let mut out = String::new();
    for group in groups {
        let number = count(group.orders, "order", "orders");
        for line in crate::text::wrap(&format!("{number}: {}", group.cause), style.width.saturating_sub(2)) {
            out.push_str(&format!("  {}\n", style.paint(Tone::Bad, &line)));
        }
        let who = match (group.ignored, &group.assigned) {
            (true, _) => " (ignored)".to_owned(),
            (false, Some(who)) => format!(" (assigned to {who})"),
            (false, None) => String::new(),
        };
        let mut rows = vec![
            ("orders", group.names()),
            ("oldest", format!("{} since {}", group.oldest, moment(group.since, now))),
        ];
        rows.extend(group.cure_rows());
        rows.push(("issue", format!("{}{who}", group.issue)));
        let rows: Vec<(String, String)> =
            rows.into_iter().map(|(name, value)| (format!("  {name}"), value)).collect();
        let rows: Vec<(&str, String)> =
            rows.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        out.push_str(&pairs(&rows, style));
    }
    out
}
