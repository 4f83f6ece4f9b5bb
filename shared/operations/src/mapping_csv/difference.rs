//! What differs between two mappings, as rows of the CSV files: those that go and those that come.

use domain::mapping::{Mapping, ShippingRule};
use serde::Serialize;

use super::{csv_line, listings, rules};
use crate::text::{Style, Tone, count, wrap};

/// So many rows are shown to people; programs get all.
const SHOWN: usize = 40;

/// A row that goes or comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedRow {
    /// Does it come, or go?
    pub added: bool,
    /// The row, as it stands in a file.
    pub row: String,
}

/// The rows that differ: listings by SKU, the old row before the new one; then the rules.
#[must_use]
pub fn changed_rows(before: &Mapping, after: &Mapping) -> Vec<ChangedRow> {
    let mut changed = Vec::new();
    let skus: std::collections::BTreeSet<_> = before.listings.keys().chain(after.listings.keys()).collect();
    for sku in skus {
        let (old, new) = (before.listings.get(sku), after.listings.get(sku));
        if old == new {
            continue;
        }
        for (target, added) in [(old, false), (new, true)] {
            let rows = target.into_iter().flat_map(|target| listings::listing_rows(sku, target));
            changed.extend(rows.map(|cells| row(added, &cells)));
        }
    }
    changed.extend(other_rules(&before.rules, &after.rules, false));
    changed.extend(other_rules(&after.rules, &before.rules, true));
    changed
}

/// The rules that the others do not have.
fn other_rules(rules: &[ShippingRule], others: &[ShippingRule], added: bool) -> Vec<ChangedRow> {
    let other = rules.iter().filter(|rule| !others.contains(rule));
    other.map(|rule| row(added, &rules::rule_row(rule))).collect()
}

fn row(added: bool, cells: &[String]) -> ChangedRow {
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    ChangedRow { added, row: csv_line(&cells) }
}

/// The rows for people: `+` comes, `-` goes.
#[must_use]
pub fn rows_text(rows: &[ChangedRow], style: Style) -> String {
    let mut out = String::new();
    for changed in rows.iter().take(SHOWN) {
        let (sign, tone) = if changed.added { ('+', Tone::Good) } else { ('-', Tone::Bad) };
        for (number, line) in wrap(&changed.row, style.width.saturating_sub(4)).iter().enumerate() {
            let sign = if number == 0 { sign } else { ' ' };
            out.push_str(&format!("  {}\n", style.paint(tone, &format!("{sign} {line}"))));
        }
    }
    let more = rows.len().saturating_sub(SHOWN);
    if more > 0 {
        out.push_str(&format!("  … and {} (--json shows all)\n", count(more as u64, "row", "rows")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Content, parse};
    use super::*;

    fn mapping(listings: &str, rules: &str) -> Mapping {
        let mut mapping = Mapping::default();
        for file in [
            format!("sku,warehouse_sku,quantity\n{listings}"),
            format!("match,method,countries,min_total,below_total,service\n{rules}"),
        ] {
            match parse(file.as_bytes()).unwrap().content {
                Content::Listings(listings) => mapping.listings = listings,
                Content::Rules(rules) => mapping.rules = rules,
            }
        }
        mapping
    }

    #[test]
    fn what_goes_stands_before_what_comes_in_its_place() {
        let before = mapping("A,W1,1\nB,W2,1\nSAME,W,1\n", "is,UPS,,,,U\nis,DHL,,,,D\n");
        let after = mapping("A,W1,2\nC,-,\nSAME,W,1\n", "is,DHL,,,,D\nis,UPS,US,,,U\n");
        assert_eq!(
            rows_text(&changed_rows(&before, &after), Style::PLAIN),
            "  - A,W1,1\n  + A,W1,2\n  - B,W2,1\n  + C,-,\n  - is,UPS,,,,U\n  + is,UPS,US,,,U\n"
        );
        assert!(changed_rows(&before, &before).is_empty());
    }

    #[test]
    fn a_long_difference_says_how_much_more_there_is() {
        let many: String = (0..50).map(|n| format!("S{n:02},W,1\n")).collect();
        let text = rows_text(&changed_rows(&Mapping::default(), &mapping(&many, "")), Style::PLAIN);
        assert!(text.ends_with("  … and 10 rows (--json shows all)\n"), "{text}");
    }
}
