//! Listings as rows: one per component, several of one SKU are a kit.

use std::collections::BTreeMap;

use domain::limits::KIT_PARTS;
use domain::mapping::{Component, Mapping, Sku, Target, WarehouseSku};

use super::sheet::{Row, Sheet};
use super::suspicion::looks_eaten;
use super::{Content, Noted, PLACEHOLDER, Parsed, RowError, is_placeholder, shown};

/// The warehouse SKU that says: this is not shipped.
pub(super) const NOT_SHIPPED: &str = "-";

/// A listing under construction, with the rows that its parts came from.
#[derive(Default)]
struct Draft {
    components: Vec<(usize, Component)>,
    not_shipped: Option<usize>,
}

pub(super) fn parse(sheet: Sheet<'_>) -> Result<Parsed, Vec<RowError>> {
    let mut drafts: BTreeMap<Sku, Draft> = BTreeMap::new();
    let (mut errors, mut warnings, mut left) = (Noted::default(), Noted::default(), 0);
    for row in sheet {
        if errors.is_full() {
            break;
        }
        let row = match row {
            Ok(row) => row,
            Err(wrong) => {
                errors.extend([wrong]);
                continue;
            }
        };
        match row.is_left() {
            Ok(false) => {}
            Ok(true) => {
                left += 1;
                continue;
            }
            Err(wrong) => {
                errors.extend([wrong]);
                continue;
            }
        }
        for column in ["sku", "warehouse_sku"] {
            warnings.extend(looks_eaten(row.cell(column)).map(|why| RowError::new(row.number, column, why)));
        }
        match line(&row) {
            Err(wrong) => errors.extend(wrong),
            Ok((sku, part)) => {
                let draft = drafts.entry(sku).or_default();
                match draft.add(row.number, part) {
                    Ok(warning) => warnings.extend(warning),
                    Err(error) => errors.extend([error]),
                }
            }
        }
    }
    if !errors.0.is_empty() {
        return Err(errors.0);
    }
    let listings = drafts.into_iter().map(|(sku, draft)| (sku, draft.target())).collect();
    Ok(Parsed { content: Content::Listings(listings), warnings: warnings.0, left })
}

impl Draft {
    /// Adds a part (none: not shipped); a warning when it is there already, an error when it contradicts.
    fn add(&mut self, row: usize, part: Option<Component>) -> Result<Option<RowError>, RowError> {
        let contradiction = |other: usize| {
            let reason = format!(
                "the same sku is \"{NOT_SHIPPED}\" (not shipped) in one row and shipped in row {other}"
            );
            RowError::new(row, "warehouse_sku", reason)
        };
        let Some(part) = part else {
            return match (self.components.first(), self.not_shipped.replace(row)) {
                (Some((other, _)), _) => Err(contradiction(*other)),
                (None, Some(first)) => Ok(Some(repeated(row, first))),
                (None, None) => Ok(None),
            };
        };
        if let Some(other) = self.not_shipped {
            let reason = format!("row {other} says that this sku is not shipped");
            return Err(RowError::new(row, "warehouse_sku", reason));
        }
        match self.components.iter().find(|(_, known)| known.sku == part.sku) {
            Some((first, known)) if known.quantity == part.quantity => Ok(Some(repeated(row, *first))),
            Some((first, known)) => {
                let reason =
                    format!("row {first} says {} of the same warehouse SKU for this sku", known.quantity);
                Err(RowError::new(row, "quantity", reason))
            }
            None if self.components.len() >= KIT_PARTS => {
                let reason = format!("a kit of more than {KIT_PARTS} parts");
                Err(RowError::new(row, "sku", reason))
            }
            None => {
                self.components.push((row, part));
                Ok(None)
            }
        }
    }

    fn target(self) -> Target {
        if self.not_shipped.is_some() {
            return Target::DoNotShip;
        }
        Target::Ship(self.components.into_iter().map(|(_, component)| component).collect())
    }
}

fn repeated(row: usize, first: usize) -> RowError {
    RowError::of_row(row, format!("repeats row {first}; it is counted once"))
}

/// The SKU and the part of one row, or everything that is wrong with it.
fn line(row: &Row) -> Result<(Sku, Option<Component>), Vec<RowError>> {
    let wrong = |column: &'static str, reason: String| RowError::new(row.number, column, reason);
    let sku = Sku::parse(row.cell("sku")).map_err(|e| wrong("sku", e.to_string()));
    let quantity = quantity(row.cell("quantity")).map_err(|reason| wrong("quantity", reason));
    let target = match row.cell("warehouse_sku") {
        NOT_SHIPPED => Ok(None),
        "" => Err(wrong("warehouse_sku", format!("is empty; write {NOT_SHIPPED} if this is not shipped"))),
        text if is_placeholder(text) => Err(wrong("warehouse_sku", PLACEHOLDER.to_owned())),
        text => WarehouseSku::parse(text).map(Some).map_err(|e| wrong("warehouse_sku", e.to_string())),
    };
    match (sku, target, quantity) {
        (Ok(sku), Ok(target), Ok(quantity)) => {
            Ok((sku, target.map(|warehouse| Component { sku: warehouse, quantity })))
        }
        (sku, target, quantity) => {
            Err(sku.err().into_iter().chain(target.err()).chain(quantity.err()).collect())
        }
    }
}

/// A quantity; nothing means one.
fn quantity(text: &str) -> Result<u32, String> {
    if text.is_empty() {
        return Ok(1);
    }
    let whole = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| whole && *number >= 1);
    number.ok_or_else(|| format!("{} is no whole number from 1 to {}", shown(text), u32::MAX))
}

/// The rows of a mapping's listings.
pub(super) fn rows(mapping: &Mapping) -> Vec<Vec<String>> {
    mapping.listings.iter().flat_map(|(sku, target)| listing_rows(sku, target)).collect()
}

pub(super) fn listing_rows(sku: &Sku, target: &Target) -> Vec<Vec<String>> {
    let not_shipped = vec![vec![sku.to_string(), NOT_SHIPPED.to_owned(), String::new()]];
    match target {
        Target::Ship(components) if !components.is_empty() => {
            let row = |c: &Component| vec![sku.to_string(), c.sku.to_string(), c.quantity.to_string()];
            components.iter().map(row).collect()
        }
        Target::Ship(_) | Target::DoNotShip => not_shipped,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn errors(rows: &str) -> Vec<String> {
        let file = format!("sku,warehouse_sku,quantity\n{rows}");
        parse(file.as_bytes()).unwrap_err().iter().map(ToString::to_string).collect()
    }

    fn listings(rows: &str) -> (BTreeMap<Sku, Target>, Vec<String>) {
        let parsed = parse(format!("sku,warehouse_sku,quantity\n{rows}").as_bytes()).unwrap();
        let Content::Listings(listings) = parsed.content else { panic!("no listings") };
        (listings, parsed.warnings.iter().map(ToString::to_string).collect())
    }

    fn component(sku: &str, quantity: u32) -> Component {
        Component { sku: WarehouseSku::parse(sku).unwrap(), quantity }
    }

    #[test]
    fn several_rows_of_a_sku_are_a_kit_wherever_they_stand() {
        let (listings, warnings) = listings("KIT,WH-MUG,2\nEBOOK,-,\nKIT,WH-TEA,\n");
        let get = |sku: &str| &listings[&Sku::parse(sku).unwrap()];
        assert_eq!(get("KIT"), &Target::Ship(vec![component("WH-MUG", 2), component("WH-TEA", 1)]));
        assert_eq!(get("EBOOK"), &Target::DoNotShip);
        assert!(warnings.is_empty());
    }

    #[test]
    fn every_wrong_cell_is_named_at_once() {
        assert_eq!(
            errors("A,,1\n,WB,0\nC,WC,1.5\nD,WD,1\n"),
            [
                "row 2, warehouse_sku: is empty; write - if this is not shipped",
                "row 3, sku: not a SKU: 1 to 200 bytes without control characters",
                "row 3, quantity: \"0\" is no whole number from 1 to 4294967295",
                "row 4, quantity: \"1.5\" is no whole number from 1 to 4294967295",
            ]
        );
    }

    #[test]
    fn rows_that_contradict_each_other_are_refused_and_repeats_are_counted_once() {
        assert_eq!(
            errors("A,W,1\nA,W,2\nB,-,\nB,W,1\nC,W,1\nC,-,\n"),
            [
                "row 3, quantity: row 2 says 1 of the same warehouse SKU for this sku",
                "row 5, warehouse_sku: row 4 says that this sku is not shipped",
                "row 7, warehouse_sku: the same sku is \"-\" (not shipped) in one row and shipped in row 6",
            ]
        );
        let (listings, warnings) = listings("A,W,1\nA,W,1\nB,-,\nB,-,\n");
        assert_eq!(listings.len(), 2);
        assert_eq!(
            warnings,
            ["row 3: repeats row 2; it is counted once", "row 5: repeats row 4; it is counted once"]
        );
    }

    #[test]
    fn a_number_that_a_spreadsheet_has_ruined_is_pointed_out() {
        let (_, warnings) = listings("1.23E+11,W,1\n\"4,5e+12\",W,1\nE-1,W,1\n1E5X,W,1\n");
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].starts_with("row 2, sku: \"1.23E+11\""), "{warnings:?}");
    }
}
