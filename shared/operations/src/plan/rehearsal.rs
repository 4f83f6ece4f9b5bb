//! Recent orders as if they came in now: what would become of each, and of which another mapping would make something else.

use std::collections::BTreeMap;

use domain::admission::{Admission, decide};
use domain::connection::Connection;
use domain::fulfillment::Making;
use domain::mapping::Mapping;
use domain::order::Order;
use domain::warehouse::Limits;
use domain::{ConnectionId, Failure, OrderKey};
use jiff::Timestamp;
use serde::Serialize;

use super::{Fate, as_new};
use crate::recent::{Recent, Span};
use crate::text::{Cell, Style, Table, Tone, count, instant};

/// So many orders are shown to people; programs get all.
const SHOWN: usize = 200;

/// One order of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rehearsed {
    /// Which order.
    pub order: String,
    /// When it was placed.
    pub placed: Option<Timestamp>,
    /// What would become of it.
    pub outcome: Fate,
}

/// Recent orders as if they came in now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rehearsal {
    /// Their connection.
    pub connection: ConnectionId,
    /// Which orders.
    pub span: Span,
    /// The mapping's version.
    pub mapping: u64,
    /// How many become what.
    pub counts: BTreeMap<&'static str, u64>,
    /// Orders that could not be read.
    pub unread: u64,
    /// Each of them, oldest first.
    pub orders: Vec<Rehearsed>,
}

/// An order that another mapping would make something else of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Which order.
    pub order: String,
    /// When it was placed.
    pub placed: Option<Timestamp>,
    /// By the mapping in force.
    pub now: Fate,
    /// By the other one.
    pub then: Fate,
}

/// What another mapping would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// The connection.
    pub connection: ConnectionId,
    /// Which orders were looked at.
    pub span: Span,
    /// How many.
    pub compared: u64,
    /// Orders that could not be read.
    pub unread: u64,
    /// Those whose outcome would change, oldest first.
    pub changed: Vec<Changed>,
}

/// Rehearses the orders of a span.
///
/// # Errors
/// Those of the store and the ledger.
pub async fn rehearse(
    recent: &Recent<'_>,
    span: Span,
    mapping: &Mapping,
    limits: &Limits,
) -> Result<Rehearsal, Failure> {
    let read = recent.read(span).await?;
    let mut rehearsal = Rehearsal {
        connection: recent.connection.id.clone(),
        span,
        mapping: mapping.version,
        counts: BTreeMap::new(),
        unread: read.unread,
        orders: Vec::new(),
    };
    for order in &read.orders {
        let outcome = fate(recent.connection, order, mapping, limits, recent.now);
        *rehearsal.counts.entry(outcome.word).or_default() += 1;
        rehearsal.orders.push(Rehearsed { order: order.id.to_string(), placed: order.ordered_at, outcome });
    }
    Ok(rehearsal)
}

/// Compares what two mappings make of the orders of a span.
///
/// # Errors
/// Those of the store and the ledger.
pub async fn changes(
    recent: &Recent<'_>,
    span: Span,
    mappings: [&Mapping; 2],
    limits: &Limits,
) -> Result<Changes, Failure> {
    let read = recent.read(span).await?;
    let mut changed = Vec::new();
    for order in &read.orders {
        let [now, then] = mappings.map(|mapping| fate(recent.connection, order, mapping, limits, recent.now));
        if now != then {
            changed.push(Changed { order: order.id.to_string(), placed: order.ordered_at, now, then });
        }
    }
    Ok(Changes {
        connection: recent.connection.id.clone(),
        span,
        compared: read.orders.len() as u64,
        unread: read.unread,
        changed,
    })
}

/// What would become of an order if it came in now.
fn fate(connection: &Connection, order: &Order, mapping: &Mapping, limits: &Limits, now: Timestamp) -> Fate {
    let policies = as_new(&connection.policies);
    let key = OrderKey::new(connection.id.clone(), order.id);
    match decide(order, &policies, now, now) {
        Admission::Ready => {
            let making = Making {
                key: &key,
                revision: 0,
                imported_at: now,
                mapping,
                policies: &policies,
                limits,
                now,
            };
            Fate::of(&making.request(order))
        }
        admission => Fate::decided(&admission),
    }
}

const AS_NEW: &str = "As if they came in now: the start date and the cooling-off delay do not count.\n";

impl Rehearsal {
    /// Would something be held?
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        self.counts.contains_key("held")
    }

    /// The orders for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let mut out =
            style.heading(&format!("{}, mapping version {}, {}", self.connection, self.mapping, self.span));
        let mut table = Table::new(&["ORDER", "PLACED", "", "WHAT"]);
        for order in self.orders.iter().take(SHOWN) {
            table.row([
                order.order.as_str().into(),
                order.placed.map(instant).unwrap_or_default().into(),
                Cell::toned(order.outcome.word, order.outcome.tone()),
                order.outcome.what.as_str().into(),
            ]);
        }
        if !table.is_empty() {
            out.push_str(&table.text(style));
        }
        out.push_str(&more(self.orders.len()));
        let counts: Vec<String> =
            self.counts.iter().map(|(word, orders)| format!("{orders} {word}")).collect();
        let orders = count(self.orders.len() as u64, "order", "orders");
        let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
        out.push_str(&format!("{orders}{counts}. Nothing was sent.\n{AS_NEW}{}", unread(self.unread)));
        out
    }
}

impl Changes {
    /// The orders for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let compared = count(self.compared, "order", "orders");
        let mut out = style.heading(&format!("{}, {compared} of {}", self.connection, self.span));
        let mut table = Table::new(&["ORDER", "PLACED", "BY THE MAPPING NOW", "WITH THE FILE"]);
        for order in self.changed.iter().take(SHOWN) {
            table.row([
                order.order.as_str().into(),
                order.placed.map(instant).unwrap_or_default().into(),
                Cell::toned(order.now.told(), Tone::Plain),
                Cell::toned(order.then.told(), order.then.tone()),
            ]);
        }
        if !table.is_empty() {
            out.push_str(&table.text(style));
        }
        out.push_str(&more(self.changed.len()));
        let changed = match self.changed.len() {
            0 => "No outcome would change".to_owned(),
            n => format!("The outcome of {} would change", count(n as u64, "order", "orders")),
        };
        out.push_str(&format!("{changed}. Nothing was sent or imported.\n{AS_NEW}{}", unread(self.unread)));
        out
    }
}

impl Fate {
    /// Word and sentence together.
    fn told(&self) -> String {
        format!("{}: {}", self.word, self.what)
    }
}

fn more(orders: usize) -> String {
    match orders.saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("  … and {} (--json shows all)\n", count(more as u64, "order", "orders")),
    }
}

fn unread(orders: u64) -> String {
    match orders {
        0 => String::new(),
        orders => format!("{} could not be read.\n", count(orders, "order", "orders")),
    }
}
