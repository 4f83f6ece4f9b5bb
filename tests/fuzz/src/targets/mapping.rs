//! Mapping files that people save from a spreadsheet.

use domain::limits;
use domain::mapping::Mapping;
use operations::mapping_csv::{Content, Parsed, RowError, export, parse};

use crate::target::Verdict;

#[rustfmt::skip]
pub(crate) const WORDS: &[&str] = &[
    "sku,warehouse_sku,quantity\n", "match,method,countries,min_total,below_total,service\n", "sep=;\n", ",", ";", "\t",
    "\"", "\"\"", "\n", "\r\n", "\u{feff}", "-", "HOLD", "is", "starts_with", "like", "any", "US CA", "1.23E+11",
    "1234567890123450", "49.90", "49,90", "=1+1", "A", "WH-1", " ", "*", "?",
];

/// A mapping file. What is read is written and read back as the same.
pub(crate) fn csv(input: &[u8]) -> Verdict {
    match parse(input) {
        Err(errors) => {
            told(&errors);
            Verdict::Refused
        }
        Ok(Parsed { content, warnings, left: _ }) => {
            if !warnings.is_empty() {
                told(&warnings);
            }
            read_back(content);
            Verdict::Accepted
        }
    }
}

/// Mistakes are told, not too many, and none repeats a whole file.
fn told(errors: &[RowError]) {
    assert!(!errors.is_empty(), "a refusal without a reason");
    assert!(errors.len() <= limits::MISTAKES + 1, "{} mistakes at once", errors.len());
    for error in errors {
        let text = error.to_string();
        assert!(text.chars().count() <= 400, "a mistake of {} characters", text.chars().count());
        assert!(!text.contains(char::is_control), "a control character in a mistake: {text:?}");
    }
}

fn read_back(content: Content) {
    let (kind, mut mapping) = (content.kind(), Mapping::default());
    match content.clone() {
        Content::Listings(listings) => mapping.listings = listings,
        Content::Rules(rules) => mapping.rules = rules,
    }
    let again = parse(export(&mapping, kind).as_bytes());
    let is_empty = mapping.listings.is_empty() && mapping.rules.is_empty();
    assert!(is_empty || again.is_ok_and(|again| again.content == content), "read back it is another mapping");
}
