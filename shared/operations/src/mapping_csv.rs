//! Mappings as CSV files that people edit in a spreadsheet: one file for listings, one for shipping rules.
//!
//! ```text
//! sku,warehouse_sku,quantity                        one row per listing; several rows of one sku are a kit;
//! MUG,WH-0012,1                                     `-` as warehouse_sku means: this is not shipped
//!
//! match,method,countries,min_total,below_total,service      in order: the first row that fits decides
//! is,UPS Ground,US CA,,100.00,UPSG                          match: is, starts_with, like (* and ?), any
//! any,,,,,HOLD                                              service HOLD: a person decides
//! ```
//!
//! Two more columns may follow, as `map seed` writes them: `apply` (a row that says `no` is left), and `note` (for people).
//!
//! The header says which of the two it is. `-` and `HOLD` are taken: no warehouse SKU and no service can be called so.
//! What is written is exact, so that it is read back as it was; a SKU that begins with `=` is therefore written as it is.

use std::collections::BTreeMap;
use std::fmt;

use domain::limits::MISTAKES;
use domain::mapping::{Mapping, ShippingRule, Sku, Target};
use serde::Serialize;

mod difference;
mod import;
mod list;
mod listings;
pub(crate) mod rules;
pub(crate) mod sheet;
mod suspicion;

pub use difference::{ChangedRow, changed_rows, rows_text};
pub use import::{Counts, Import, Imported, NotImported, applied};
pub use list::{ListedComponent, ListedListing, ListedMapping, ListedRule, list};

/// Which of the two tables a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Shop SKU to warehouse SKUs.
    Listings,
    /// Shipping method to service.
    Rules,
}

impl Kind {
    /// The columns of its file, in the order in which they are written.
    #[must_use]
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Listings => &["sku", "warehouse_sku", "quantity"],
            Self::Rules => &["match", "method", "countries", "min_total", "below_total", "service"],
        }
    }

    /// The columns that a file must have to be of this kind.
    fn needed(self) -> &'static [&'static str] {
        match self {
            Self::Listings => &["sku", "warehouse_sku"],
            Self::Rules => &["match", "method", "service"],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Listings => "listings",
            Self::Rules => "shipping rules",
        })
    }
}

/// Columns that every file may have besides: whether a row is to be applied, and what people note.
pub(crate) const ALSO_READ: &[&str] = &["apply", "note"];

/// What is wrong with a row, or only looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowError {
    /// The row in the file, as a spreadsheet counts: the header is row 1. 0 for the file as a whole.
    pub row: usize,
    /// The column's name, where one is to blame.
    pub column: Option<&'static str>,
    /// What is wrong and what was expected.
    pub reason: String,
}

impl RowError {
    fn new(row: usize, column: &'static str, reason: impl Into<String>) -> Self {
        Self { row, column: Some(column), reason: reason.into() }
    }

    /// After so many mistakes the rest of the file is not looked at.
    fn and_more() -> Self {
        let why = format!("{MISTAKES} mistakes are shown; the rest of the file was not looked at");
        Self::of_row(0, why)
    }

    fn of_row(row: usize, reason: impl Into<String>) -> Self {
        Self { row, column: None, reason: reason.into() }
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.row, self.column) {
            (0, _) => {}
            (row, None) => write!(f, "row {row}: ")?,
            (row, Some(column)) => write!(f, "row {row}, {column}: ")?,
        }
        f.write_str(&crate::text::clean(&self.reason))
    }
}

/// What stands in a cell, in quotes, shortened.
fn shown(cell: &str) -> String {
    const MOST: usize = 40;
    let short: String = cell.chars().take(MOST).collect();
    if short.len() < cell.len() { format!("\"{short}…\"") } else { format!("\"{short}\"") }
}

/// Mistakes or warnings, a bounded number.
#[derive(Default)]
struct Noted(Vec<RowError>);

impl Noted {
    fn extend(&mut self, errors: impl IntoIterator<Item = RowError>) {
        for error in errors {
            match self.0.len() {
                ..MISTAKES => self.0.push(error),
                MISTAKES => self.0.push(RowError::and_more()),
                _ => {}
            }
        }
    }

    fn is_full(&self) -> bool {
        self.0.len() > MISTAKES
    }
}

/// The table that a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Listings by SKU.
    Listings(BTreeMap<Sku, Target>),
    /// Shipping rules in order.
    Rules(Vec<ShippingRule>),
}

impl Content {
    /// Which of the two it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Listings(_) => Kind::Listings,
            Self::Rules(_) => Kind::Rules,
        }
    }
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The table.
    pub content: Content,
    /// What looks wrong and may be right.
    pub warnings: Vec<RowError>,
    /// Rows that say that they are not to be applied.
    pub left: usize,
}

/// Reads a file: UTF-8, with or without a byte order mark; commas, semicolons or tabs; any line ends.
///
/// # Errors
/// Everything that is wrong, all rows at once. A file with one wrong row has no content.
pub fn parse(file: &[u8]) -> Result<Parsed, Vec<RowError>> {
    let sheet = sheet::read(file)?;
    match sheet.kind {
        Kind::Listings => listings::parse(sheet),
        Kind::Rules => rules::parse(sheet),
    }
}

/// Writes one table of a mapping as a file that [`parse`] reads back.
#[must_use]
pub fn export(mapping: &Mapping, kind: Kind) -> String {
    let rows = match kind {
        Kind::Listings => listings::rows(mapping),
        Kind::Rules => rules::rows(mapping),
    };
    let header = kind.columns().iter().map(|column| (*column).to_owned()).collect();
    lines(std::iter::once(header).chain(rows))
}

/// One line of CSV, without its end.
pub(crate) fn csv_line(fields: &[&str]) -> String {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    lines(std::iter::once(fields)).trim_end_matches("\r\n").to_owned()
}

pub(crate) fn lines(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        // Writing into memory cannot fail.
        drop(writer.write_record(row));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// What is wrong with a cell that [`is_placeholder`].
const PLACEHOLDER: &str = "is a placeholder; write the warehouse's own word in its place";

/// Is it what a cure shows where only a person knows the word: `<service>`?
fn is_placeholder(text: &str) -> bool {
    text.starts_with('<') && text.ends_with('>')
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::mapping::{Component, Decision, Matcher, Service, WarehouseSku};
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    const WORD: &str = "[!-~à-ÿ]([ -~à-ÿ]{0,20}[!-~à-ÿ])?";

    fn target() -> impl Strategy<Value = Target> {
        let component = (WORD.prop_filter("taken", |sku| sku != "-"), 1_u32..)
            .prop_map(|(sku, quantity)| Component { sku: WarehouseSku::parse(sku).unwrap(), quantity });
        let distinct = |components: &Vec<Component>| {
            components.iter().map(|c| &c.sku).collect::<std::collections::BTreeSet<_>>().len()
                == components.len()
        };
        let kit = proptest::collection::vec(component, 1..4).prop_filter("distinct", distinct);
        prop_oneof![Just(Target::DoNotShip), kit.prop_map(Target::Ship)]
    }

    fn amount() -> impl Strategy<Value = Decimal> {
        (0_i64..1_000_000, 0_u32..4).prop_map(|(units, scale)| Decimal::new(units, scale))
    }

    fn rule() -> impl Strategy<Value = ShippingRule> {
        let method = prop_oneof![
            WORD.prop_map(Matcher::Is),
            WORD.prop_map(Matcher::StartsWith),
            WORD.prop_map(Matcher::Like),
            Just(Matcher::Any)
        ];
        let service = WORD.prop_filter("taken", |text| !text.eq_ignore_ascii_case("hold"));
        let decision = prop_oneof![
            Just(Decision::Hold),
            service.prop_map(|text| Decision::Book(Service::parse(text).unwrap()))
        ];
        let countries = proptest::collection::vec("[A-Z]{2}", 0..3);
        (method, countries, proptest::option::of(amount()), proptest::option::of(amount()), decision)
            .prop_filter("applies to something", |(_, _, min, below, _)| {
                below.is_none_or(|below| below > Decimal::ZERO && min.is_none_or(|min| min < below))
            })
            .prop_map(|(method, countries, min_total, below_total, decision)| ShippingRule {
                method,
                countries,
                min_total,
                below_total,
                decision,
            })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            listings in proptest::collection::btree_map(WORD.prop_map(|w| Sku::parse(w).unwrap()), target(), 0..8),
            rules in proptest::collection::vec(rule(), 0..6),
        ) {
            let mapping = Mapping { version: 1, listings, rules };
            let read = parse(export(&mapping, Kind::Listings).as_bytes()).unwrap();
            prop_assert_eq!(read.content, Content::Listings(mapping.listings.clone()));
            let read = parse(export(&mapping, Kind::Rules).as_bytes()).unwrap();
            prop_assert_eq!(read.content, Content::Rules(mapping.rules));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _either = parse(&bytes);
        }

        #[test]
        fn no_cells_panic(
            header in prop_oneof![Just("sku,warehouse_sku,quantity"), Just("match;method;countries;min_total;below_total;service")],
            cells in "[-a-zA-Z0-9,;\"\t\r\n.*? é]{0,200}",
        ) {
            let _either = parse(format!("{header}\n{cells}").as_bytes());
        }
    }
}
