//! What a spreadsheet does to codes that look like numbers: it drops leading zeros and writes long ones as 1.23E+11.

use std::collections::BTreeSet;

use domain::mapping::{Mapping, Target};

use super::{Content, shown};

/// Why this code looks as if a spreadsheet had ruined it, seen by itself.
pub(super) fn looks_eaten(code: &str) -> Option<String> {
    let ruined = is_scientific(code) || is_rounded(code);
    ruined.then(|| {
        format!(
            "{} looks like a number that a spreadsheet has shortened; format the column as text and enter the \
             code again",
            shown(code)
        )
    })
}

/// `1.23E+11`, also with a decimal comma.
fn is_scientific(code: &str) -> bool {
    let Some((mantissa, exponent)) = code.split_once(['E', 'e']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    whole.len() == 1 && digits(whole) && digits(fraction) && exponent.strip_prefix('+').is_some_and(digits)
}

/// More digits than the 15 that a spreadsheet keeps, and nothing but zeros after them.
fn is_rounded(code: &str) -> bool {
    code.len() > 15
        && code.bytes().all(|byte| byte.is_ascii_digit())
        && code.get(15..).is_some_and(|rest| rest.bytes().all(|byte| byte == b'0'))
}

/// Codes of the file that are codes of the mapping without their leading zeros, which the mapping does not have as such.
pub(super) fn lost_zeros(content: &Content, mapping: &Mapping) -> Vec<String> {
    let Content::Listings(listings) = content else { return Vec::new() };
    let (old, new) = (codes(&mapping.listings), codes(listings));
    let stripped = |code: &str| code.starts_with('0').then(|| code.trim_start_matches('0').to_owned());
    let is_number = |code: &str| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
    let lost = old.iter().filter(|code| is_number(code)).filter_map(|code| Some((code, stripped(code)?)));
    lost.filter(|(_, short)| new.contains(short.as_str()) && !old.contains(short.as_str()))
        .map(|(code, short)| {
            format!(
                "\"{short}\" may be \"{code}\" of the present mapping, whose zeros a spreadsheet has dropped"
            )
        })
        .collect()
}

/// All shop and warehouse SKUs of some listings.
fn codes<'a>(
    listings: impl IntoIterator<Item = (&'a domain::mapping::Sku, &'a Target)>,
) -> BTreeSet<&'a str> {
    let mut codes = BTreeSet::new();
    for (sku, target) in listings {
        codes.insert(sku.as_str());
        if let Target::Ship(components) = target {
            codes.extend(components.iter().map(|component| component.sku.as_str()));
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_ruined_is_pointed_out() {
        for code in ["1.23E+11", "1,23456e+11", "9E+14", "1234567890123450", "12345678901234500000"] {
            assert!(looks_eaten(code).is_some(), "{code}");
        }
        for code in ["", "E+1", "1E5", "12E+3", "SKU1E+3", "123456789012345", "1234567890123456", "00012"] {
            assert!(looks_eaten(code).is_none(), "{code}");
        }
    }
}
