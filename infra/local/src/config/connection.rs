//! The `[[connection]]` tables.

use domain::ConnectionId;
use domain::connection::{Connection, History, Schedule};
use toml::Spanned;
use toml::de::DeValue;

use super::node::{Entries, Reading, wrong_type};
use super::{Adapters, policies, sides};

/// All connections. There must be one at least, and no two with the same id.
pub(super) fn all<'t>(root: &mut Entries<'t>, adapters: &Adapters, reading: &mut Reading) -> Vec<Connection> {
    let mut found: Vec<Connection> = Vec::new();
    for mut table in tables(root, reading) {
        let id_at = table.text_at("id", reading);
        let at = id_at.as_ref().map_or_else(|| table.span(), |(_, at)| at.clone());
        let id = id(id_at, &table, reading);
        let Some(connection) = one(id, table, adapters, reading) else { continue };
        if found.iter().any(|known| known.id == connection.id) {
            let problem = format!("there is another connection \"{}\" above", connection.id);
            reading.wrong(at, problem, "give each connection its own id");
        } else {
            found.push(connection);
        }
    }
    found
}

fn tables<'t>(root: &mut Entries<'t>, reading: &mut Reading) -> Vec<Entries<'t>> {
    const CURE: &str = "begin each connection with a line [[connection]]";
    const ADD: &str = "run cartdock connection add NAME, or write one that begins with a line [[connection]]";
    let Some(value) = root.take("connection") else {
        if !reading.may_be_empty() {
            reading.wrong_file("there is no connection", ADD);
        }
        return Vec::new();
    };
    let span = value.span();
    let items = match value.into_inner() {
        DeValue::Array(items) => items,
        DeValue::Table(table) => {
            reading.wrong(span.clone(), "connection stands in single brackets", CURE);
            return vec![Entries::new(Spanned::new(span, table), "connection")];
        }
        other => {
            return wrong_type(reading, "connection", span, "[[connection]]", &other).unwrap_or_default();
        }
    };
    let mut tables = Vec::new();
    for item in items {
        let span = item.span();
        match item.into_inner() {
            DeValue::Table(table) => tables.push(Entries::new(Spanned::new(span, table), "connection")),
            other => wrong_type(reading, "connection", span, "[[connection]]", &other).unwrap_or(()),
        }
    }
    tables
}

/// The connection's id.
fn id(
    found: Option<(String, std::ops::Range<usize>)>,
    table: &Entries,
    reading: &mut Reading,
) -> Option<ConnectionId> {
    const CURE: &str =
        "choose lower-case letters, digits and hyphens, as in id = \"main\"; it becomes part of references";
    let Some((text, at)) = found else {
        reading.wrong(table.span(), "this connection has no id", CURE);
        return None;
    };
    match text.parse() {
        Ok(id) => Some(id),
        Err(error) => {
            reading.wrong(at, format!("the id \"{text}\" cannot be used: {error}"), CURE);
            None
        }
    }
}

/// One connection; without an id it is read all the same, for its mistakes.
fn one<'t>(
    id: Option<ConnectionId>,
    mut table: Entries<'t>,
    adapters: &Adapters,
    reading: &mut Reading,
) -> Option<Connection> {
    table.rename(id.as_ref().map_or("connection".to_owned(), |id| format!("connection {id}")));
    let name = table.text("name", reading);
    let enabled = table.flag("enabled", reading).unwrap_or(false);
    let (mut store, mut warehouse) = (table.table("store", reading), table.table("warehouse", reading));
    let (store, warehouse) =
        (sides::store(&mut store, adapters, reading), sides::warehouse(&mut warehouse, adapters, reading));
    let policies = table.table("policies", reading);
    let policies = policies::read(policies, reading);
    if !policies.test_emails.is_empty() && store.get("contact").is_some_and(|contact| contact == "skip") {
        let problem = "test_emails needs the buyer's address, and contact = \"skip\" does not read it: test orders would be sent";
        reading.wrong(
            table.span(),
            problem,
            "take contact out of the store's settings, or mark test orders otherwise",
        );
    }
    let schedule_table = table.table("schedule", reading);
    let schedule = schedule(schedule_table, reading);
    table.nothing_else(reading);
    let id = id?;
    let name = name.unwrap_or_else(|| id.to_string());
    // The settings cannot know; the ledger does.
    let history = History::Unknown;
    Some(Connection { id, name, enabled, store, warehouse, policies, schedule, history })
}

/// The longest time between two polls: a day.
const DAY: u32 = 24 * 60;

fn schedule<'t>(mut table: Entries<'t>, reading: &mut Reading) -> Schedule {
    let usual = Schedule::default();
    let schedule = Schedule {
        orders_minutes: table.number("orders_minutes", 1..=DAY, reading).unwrap_or(usual.orders_minutes),
        shipments_minutes: table
            .number("shipments_minutes", 1..=DAY, reading)
            .unwrap_or(usual.shipments_minutes),
        overlap_minutes: table
            .number("overlap_minutes", 60..=30 * DAY, reading)
            .unwrap_or(usual.overlap_minutes),
    };
    table.nothing_else(reading);
    schedule
}
