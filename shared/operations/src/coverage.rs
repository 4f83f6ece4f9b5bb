//! How much of what was sold lately the mapping translates, and what lacks for the rest, the heaviest gap first.

use std::collections::{BTreeMap, BTreeSet};

use domain::connection::Connection;
use domain::mapping::{Gap, Mapping};
use domain::order::Order;
use domain::{ConnectionId, Failure};
use jiff::Timestamp;
use serde::Serialize;

use crate::cure::{Cure, of_gap};
use crate::recent::{Recent, RecentOrders, Span};
use crate::text::{Cell, Style, Table, Tone, count, wrap};

/// So many of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// All.
    pub all: u64,
    /// Those that the mapping translates.
    pub translated: u64,
}

/// What lacks, and how much waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingLine {
    /// What lacks.
    pub gap: String,
    /// Orders in which it lacks.
    pub orders: u64,
    /// Pieces of it, where it is a SKU.
    pub pieces: u64,
    /// What closes it.
    pub cure: Cure,
}

/// How far a mapping reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Its connection.
    pub connection: ConnectionId,
    /// The mapping's version.
    pub version: u64,
    /// Which orders were looked at.
    pub span: Span,
    /// Orders that are to be shipped.
    pub orders: Share,
    /// Their lines.
    pub lines: Share,
    /// Orders that are not to be shipped: unpaid, refunded, digital.
    pub not_shipped: u64,
    /// Orders that could not be read.
    pub unread: u64,
    /// What lacks, by the orders that wait for it.
    pub gaps: Vec<MissingLine>,
}

/// What one gap weighs.
#[derive(Default)]
struct Weight {
    orders: u64,
    pieces: u64,
}

/// Looks at the orders of a span.
///
/// # Errors
/// Those of the store and the ledger.
pub async fn coverage(recent: &Recent<'_>, span: Span, mapping: &Mapping) -> Result<Coverage, Failure> {
    let read = recent.read(span).await?;
    Ok(covered(recent.connection, span, mapping, &read, recent.now))
}

fn covered(
    connection: &Connection,
    span: Span,
    mapping: &Mapping,
    read: &RecentOrders,
    now: Timestamp,
) -> Coverage {
    let mut coverage = Coverage {
        connection: connection.id.clone(),
        version: mapping.version,
        span,
        orders: Share::default(),
        lines: Share::default(),
        not_shipped: 0,
        unread: read.unread,
        gaps: Vec::new(),
    };
    let mut weights: BTreeMap<Gap, Weight> = BTreeMap::new();
    for order in &read.orders {
        if !crate::plan::is_to_be_shipped(order, &connection.policies, now) {
            coverage.not_shipped += 1;
            continue;
        }
        coverage.count(connection, mapping, order, &mut weights);
    }
    let mut gaps: Vec<(Gap, Weight)> = weights.into_iter().collect();
    gaps.sort_by_key(|(_, weight)| std::cmp::Reverse((weight.orders, weight.pieces)));
    let line = |(gap, weight): (Gap, Weight)| MissingLine {
        gap: gap.to_string(),
        orders: weight.orders,
        pieces: weight.pieces,
        cure: of_gap(&gap, &connection.id),
    };
    coverage.gaps = gaps.into_iter().map(line).collect();
    coverage
}

impl Coverage {
    fn count(
        &mut self,
        connection: &Connection,
        mapping: &Mapping,
        order: &Order,
        weights: &mut BTreeMap<Gap, Weight>,
    ) {
        self.orders.all += 1;
        let mut lacking = BTreeSet::new();
        for line in &order.lines {
            self.lines.all += 1;
            match mapping.line(line, &connection.policies) {
                Ok(_) => self.lines.translated += 1,
                Err(gap) => {
                    weights.entry(gap.clone()).or_default().pieces += u64::from(line.quantity);
                    lacking.insert(gap);
                }
            }
        }
        match mapping.resolve(order, &connection.policies) {
            Ok(_) => self.orders.translated += 1,
            Err(gaps) => lacking.extend(gaps),
        }
        for gap in lacking {
            weights.entry(gap).or_default().orders += 1;
        }
    }

    /// Does something lack?
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        !self.gaps.is_empty()
    }

    /// How far it reaches, for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let Self { connection, version, span, .. } = self;
        let mut out = style.heading(&format!("{connection}, mapping version {version}, {span}"));
        out.push_str(&self.shares(style));
        if !self.gaps.is_empty() {
            out.push('\n');
            let mut table = Table::new(&["#ORDERS", "#PIECES", "WHAT LACKS"]);
            for gap in &self.gaps {
                let pieces = if gap.pieces > 0 { gap.pieces.to_string() } else { String::new() };
                table.row([gap.orders.into(), pieces.into(), gap.gap.as_str().into()]);
            }
            out.push_str(&table.text(style));
            out.push_str(&self.cures(style));
        }
        out
    }

    fn shares(&self, style: Style) -> String {
        let mut table = Table::new(&["", "#ALL", "#WOULD SHIP", "#SHARE"]);
        for (what, share) in [("orders", self.orders), ("lines", self.lines)] {
            let tone = if share.all == share.translated { Tone::Good } else { Tone::Bad };
            let percent = Cell::toned(share.percent(), tone);
            table.row([what.into(), share.all.into(), share.translated.into(), percent]);
        }
        let mut out = table.text(style);
        if self.not_shipped > 0 {
            let orders = count(self.not_shipped, "more order is", "more orders are");
            out.push_str(&format!("  {orders} not to be shipped: unpaid, refunded or digital.\n"));
        }
        if self.unread > 0 {
            let orders = count(self.unread, "order", "orders");
            out.push_str(&format!("  {orders} could not be read.\n"));
        }
        out
    }

    /// The rows to add by the file that they belong to, and what else there is to do.
    fn cures(&self, style: Style) -> String {
        let mut out = String::new();
        let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for gap in &self.gaps {
            if let (Some(row), Some(command)) = (&gap.cure.row, &gap.cure.command) {
                files.entry(command).or_default().push(row);
            }
        }
        for (command, rows) in files {
            out.push_str(&format!("\n  Rows that close them, for {command}\n"));
            for row in rows {
                out.push_str(&format!("    {row}\n"));
            }
        }
        let others: BTreeSet<&str> =
            self.gaps.iter().filter(|gap| gap.cure.row.is_none()).map(|gap| gap.cure.what.as_str()).collect();
        for what in others {
            out.push('\n');
            for line in wrap(what, style.width.saturating_sub(2)) {
                out.push_str(&format!("  {line}\n"));
            }
        }
        out
    }
}

impl Share {
    /// In percent with one digit, rounded down: 100 % only when nothing lacks. `-` of nothing.
    fn percent(self) -> String {
        match (self.translated * 1000).checked_div(self.all) {
            Some(tenths) => format!("{}.{} %", tenths / 10, tenths % 10),
            None => "-".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_rounded_up_to_all() {
        for (translated, all, text) in
            [(0, 0, "-"), (0, 3, "0.0 %"), (2, 3, "66.6 %"), (9999, 10_000, "99.9 %"), (7, 7, "100.0 %")]
        {
            assert_eq!(Share { all, translated }.percent(), text);
        }
    }
}
