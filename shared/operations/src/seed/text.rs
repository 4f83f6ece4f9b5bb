//! A seed for people: what lacks a SKU, what was found, what is to be decided.

use super::{Certainty, Seed, Use};
use crate::text::{Cell, Style, Table, Tone, count, wrap};

/// So many rows of each table are shown; the files have all.
const SHOWN: usize = 15;

/// How much was sold, in words.
pub(super) fn sold(sold: Use) -> String {
    match sold.orders {
        0 => "not sold lately".to_owned(),
        orders => {
            format!("in {}, {}", count(orders, "order", "orders"), count(sold.pieces, "piece", "pieces"))
        }
    }
}

/// How often something was used, in words.
pub(super) fn used(used: Use) -> String {
    format!("in {}", count(used.orders, "order", "orders"))
}

fn certainty(certainty: Certainty) -> Cell {
    match certainty {
        Certainty::Exact => Cell::toned("exact", Tone::Good),
        Certainty::Guess => Cell::toned("guess", Tone::Warn),
        Certainty::Open => Cell::toned("open", Tone::Bad),
    }
}

/// A reason beside its certainty.
fn short(why: &str) -> Cell {
    why.strip_prefix("guess: ").unwrap_or(why).into()
}

impl Seed {
    /// What was found, for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let read = format!(
            "{}: {} of {}, {}, {} of the warehouse",
            self.connection,
            count(self.orders, "order", "orders"),
            self.span,
            count(self.products, "product", "products"),
            count(self.warehouse_skus, "SKU", "SKUs"),
        );
        let mut out = style.heading(&read);
        for note in &self.notes {
            for line in wrap(&format!("note: {note}"), style.width.saturating_sub(2)) {
                out.push_str(&format!("  {}\n", style.paint(Tone::Warn, &line)));
            }
        }
        out.push_str(&self.without_text(style));
        out.push_str(&self.listings_text(style));
        out.push_str(&self.rules_text(style));
        out
    }

    fn without_text(&self, style: Style) -> String {
        let mut table = Table::new(&["#PRODUCT", "NAME", "#ORDERS", "#PIECES"]);
        for product in self.without_sku.iter().take(SHOWN) {
            let Use { orders, pieces } = product.sold;
            table.row([product.product.into(), product.name.as_str().into(), orders.into(), pieces.into()]);
        }
        let title = "Products without SKU: give each one in the store, or set no_sku = \"drop\"";
        section(title, &table, self.without_sku.len(), style)
    }

    fn listings_text(&self, style: Style) -> String {
        let mut table = Table::new(&["SKU", "WAREHOUSE SKU", "", "#ORDERS", "WHY"]);
        for listing in self.listings.iter().take(SHOWN) {
            table.row([
                listing.sku.as_str().into(),
                listing.warehouse_sku.as_str().into(),
                certainty(listing.certainty),
                listing.sold.orders.into(),
                short(&listing.why),
            ]);
        }
        let mapped = count(self.mapped, "SKU has", "SKUs have");
        let title = format!("SKUs without listing ({mapped} one)");
        section(&title, &table, self.listings.len(), style)
    }

    fn rules_text(&self, style: Style) -> String {
        let mut table = Table::new(&["METHOD", "TO", "SERVICE", "", "#ORDERS", "WHY"]);
        for rule in self.rules.iter().take(SHOWN) {
            table.row([
                rule.method.as_str().into(),
                rule.countries.join(" ").into(),
                rule.service.as_str().into(),
                certainty(rule.certainty),
                rule.used.orders.into(),
                short(&rule.why),
            ]);
        }
        section("Shipping methods without rule", &table, self.rules.len(), style)
    }
}

fn section(title: &str, table: &Table, rows: usize, style: Style) -> String {
    if table.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}{}", style.heading(title), table.text(style));
    let more = rows.saturating_sub(SHOWN);
    if more > 0 {
        out.push_str(&format!("  … and {more} more (--json shows all)\n"));
    }
    out
}
