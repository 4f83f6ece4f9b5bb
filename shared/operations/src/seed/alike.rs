//! Codes that are the same, or the same but for how they are typed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// How sure a proposal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The other side has exactly this code.
    Exact,
    /// A guess: a person decides.
    Guess,
    /// Nothing fits, or several things do.
    Open,
}

/// The form of a code that is compared when case, blanks (those that do not break, too) and hyphens do not count.
#[must_use]
pub fn plain(code: &str) -> String {
    code.chars().filter(|c| !is_ignored(*c)).flat_map(char::to_lowercase).collect()
}

fn is_ignored(c: char) -> bool {
    let is_hyphen =
        matches!(c, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}');
    c.is_whitespace() || is_hyphen || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// What the other side has for a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Exact(String),
    Alike(String),
    Several(Vec<String>),
    Nothing,
}

/// The codes of the other side.
#[derive(Debug, Default)]
pub(super) struct Codes {
    exact: BTreeSet<String>,
    alike: BTreeMap<String, BTreeSet<String>>,
}

impl Codes {
    pub(super) fn add(&mut self, code: &str) {
        self.alike.entry(plain(code)).or_default().insert(code.to_owned());
        self.exact.insert(code.to_owned());
    }

    pub(super) fn len(&self) -> usize {
        self.exact.len()
    }

    pub(super) fn find(&self, code: &str) -> Found {
        if self.exact.contains(code) {
            return Found::Exact(code.to_owned());
        }
        let alike: Vec<&String> = self.alike.get(&plain(code)).into_iter().flatten().collect();
        match alike.as_slice() {
            [] => Found::Nothing,
            [one] => Found::Alike((*one).clone()),
            several => Found::Several(several.iter().map(|code| (*code).clone()).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(codes: &[&str]) -> Codes {
        let mut all = Codes::default();
        codes.iter().for_each(|code| all.add(code));
        all
    }

    #[test]
    fn only_the_very_same_code_is_no_guess() {
        let there = codes(&["MUG-12", "TEA 01", "tea01", "X\u{a0}Y"]);
        for (code, found) in [
            ("MUG-12", Found::Exact("MUG-12".into())),
            ("mug 12", Found::Alike("MUG-12".into())),
            ("M\u{2011}UG12", Found::Alike("MUG-12".into())),
            ("Tea-01", Found::Several(vec!["TEA 01".into(), "tea01".into()])),
            ("tea01", Found::Exact("tea01".into())),
            ("XY", Found::Alike("X\u{a0}Y".into())),
            ("MUG-13", Found::Nothing),
        ] {
            assert_eq!(there.find(code), found, "{code}");
        }
    }

    #[test]
    fn other_signs_count() {
        for (one, other) in [("A_1", "A1"), ("A.1", "A1"), ("A/1", "A1"), ("A1", "A2"), ("0A", "OA")] {
            assert_ne!(plain(one), plain(other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn how_a_code_is_typed_does_not_count(
            code in "[A-Za-z0-9./_]{1,12}",
            noise in proptest::collection::vec((0_usize..13, "[- \u{a0}\u{2010}\u{2013}\u{202f}\t]"), 0..6),
            upper in any::<bool>(),
        ) {
            let mut typed: Vec<char> = code.chars().collect();
            for (at, sign) in noise {
                let at = at.min(typed.len());
                typed.splice(at..at, sign.chars());
            }
            let typed: String = typed.into_iter().collect();
            let typed = if upper { typed.to_uppercase() } else { typed.to_lowercase() };
            prop_assert_eq!(plain(&typed), plain(&code));
        }

        #[test]
        fn the_plain_form_of_a_plain_form_is_itself(code in "\\PC{0,20}") {
            let once = plain(&code);
            prop_assert_eq!(plain(&once), once);
        }

        #[test]
        fn whatever_is_found_is_there_and_plainly_the_same(
            there in proptest::collection::vec("[ab -]{1,4}", 0..6),
            code in "[abAB -]{1,4}",
        ) {
            let all = codes(&there.iter().map(String::as_str).collect::<Vec<_>>());
            let found = match all.find(&code) {
                Found::Exact(found) => { prop_assert_eq!(&found, &code); vec![found] }
                Found::Alike(found) => { prop_assert_ne!(&found, &code); vec![found] }
                Found::Several(found) => { prop_assert!(found.len() > 1); found }
                Found::Nothing => {
                    prop_assert!(there.iter().all(|other| plain(other) != plain(&code)));
                    Vec::new()
                }
            };
            for one in found {
                prop_assert!(there.contains(&one));
                prop_assert_eq!(plain(&one), plain(&code));
            }
        }
    }
}
