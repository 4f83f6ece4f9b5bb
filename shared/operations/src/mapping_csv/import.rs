//! Importing a file: the whole of it or nothing, as one new version of the mapping that names who, when and what for.

use std::collections::BTreeMap;
use std::fmt;

use domain::mapping::{Change, Mapping, ShippingRule};
use domain::policy::Policies;
use domain::ports::{Ledger, Mappings};
use domain::{ConnectionId, Failure};
use serde::Serialize;

use super::difference::{ChangedRow, changed_rows, rows_text};
use super::suspicion::lost_zeros;
use super::{Content, Kind, Parsed, RowError, parse};
use crate::text::{Style, Tone, count};
use crate::waiting::{self, Waiting};

/// How often an import is tried again when somebody else changes the mapping at the same time.
const TRIES: u32 = 5;

/// An import.
#[derive(Debug, Clone)]
pub struct Import<'a> {
    /// Which connection.
    pub connection: &'a ConnectionId,
    /// The bytes of the file.
    pub file: &'a [u8],
    /// Are listings that the file does not name removed? Otherwise the file is merged by SKU. Shipping rules are always
    /// replaced as a whole, because their order is what decides: this says that those which the file does not have may go.
    pub replace: bool,
    /// Only say what would change?
    pub dry_run: bool,
    /// Who, when, what for.
    pub change: Change,
}

/// How many rows of the table changed: SKUs for listings, rules for shipping rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// New ones.
    pub added: usize,
    /// Known ones with another target or decision.
    pub changed: usize,
    /// Known ones that are gone.
    pub removed: usize,
    /// Known ones that stay as they are.
    pub unchanged: usize,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Which table.
    pub kind: Kind,
    /// What changed.
    pub counts: Counts,
    /// Rules that stay but stand elsewhere than before. Order is what decides.
    pub reordered: bool,
    /// The mapping's version now.
    pub version: u64,
    /// Was a new version written? Not in a dry run, and not when nothing changes.
    pub applied: bool,
    /// What looks wrong and may be right.
    pub warnings: Vec<RowError>,
    /// Rows that say `no` in the column `apply`: they were left.
    pub left: usize,
    /// The rows that go and come.
    pub rows: Vec<ChangedRow>,
    /// In a dry run: what it would do with the orders that wait for a mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// Why nothing of the file was applied.
#[derive(Debug)]
pub enum NotImported {
    /// Rows are wrong: all of them are named.
    Rows(Vec<RowError>),
    /// So many shipping rules would go.
    RulesGo(usize),
    /// Others keep changing the mapping at the same time.
    Contended,
    /// The mapping could not be read or written.
    Failed(Failure),
}

impl fmt::Display for NotImported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(errors) => {
                for error in errors {
                    writeln!(f, "{error}")?;
                }
                f.write_str("nothing of the file was applied")
            }
            Self::RulesGo(rules) => write!(
                f,
                "the file takes the place of all shipping rules, and {} would go that it does not have; put them back in \
                 (cartdock map export rules --out rules.csv writes those in force), or say --replace; nothing was applied",
                count(*rules as u64, "rule", "rules")
            ),
            Self::Contended => {
                f.write_str("somebody else is changing this mapping; nothing was applied, try again")
            }
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for NotImported {}

impl From<Failure> for NotImported {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Import<'_> {
    /// Imports the file. What was changed by others meanwhile stays, where the file is merged.
    ///
    /// # Errors
    /// See [`NotImported`]; then nothing was applied.
    pub async fn run(&self, mappings: &dyn Mappings) -> Result<Imported, NotImported> {
        let Parsed { content, warnings, left } = parse(self.file).map_err(NotImported::Rows)?;
        for _ in 0..TRIES {
            let current = mappings.current(self.connection).await?;
            let next = next(&current, &content, self.replace);
            let mut imported =
                Imported { left, ..compared(&current, &next, content.kind(), warnings.clone()) };
            let lost = lost_zeros(&content, &current).into_iter();
            imported.warnings.extend(lost.map(|reason| RowError::of_row(0, reason)));
            if content.kind() == Kind::Rules && imported.counts.removed > 0 && !self.replace {
                let refused = NotImported::RulesGo(imported.counts.removed);
                if !self.dry_run {
                    return Err(refused);
                }
                imported.warnings.push(RowError::of_row(0, refused.to_string()));
            }
            let changes = next.listings != current.listings || next.rules != current.rules;
            if self.dry_run || !changes {
                return Ok(imported);
            }
            if mappings.replace(self.connection, &next, &self.change).await? {
                return Ok(Imported { version: next.version, applied: true, ..imported });
            }
        }
        Err(NotImported::Contended)
    }

    /// Says what the file would change, and what it would do with the orders that wait for a mapping. Changes nothing.
    ///
    /// # Errors
    /// See [`NotImported`].
    pub async fn rehearse(
        &self,
        mappings: &dyn Mappings,
        ledger: &dyn Ledger,
        policies: &Policies,
    ) -> Result<Imported, NotImported> {
        let told = Import { dry_run: true, ..self.clone() }.run(mappings).await?;
        let current = mappings.current(self.connection).await?;
        let after = applied(&current, self.file, self.replace).map_err(NotImported::Rows)?;
        let waiting = waiting::waiting(ledger, self.connection, policies, &after).await?;
        Ok(Imported { waiting: Some(waiting), ..told })
    }
}

/// The mapping with a file applied to it, as its next version.
///
/// # Errors
/// Every wrong row.
pub fn applied(current: &Mapping, file: &[u8], replace: bool) -> Result<Mapping, Vec<RowError>> {
    Ok(next(current, &parse(file)?.content, replace))
}

fn next(current: &Mapping, content: &Content, replace: bool) -> Mapping {
    let mut next = Mapping { version: current.version + 1, ..current.clone() };
    match content {
        Content::Rules(rules) => next.rules.clone_from(rules),
        Content::Listings(listings) if replace => next.listings.clone_from(listings),
        Content::Listings(listings) => {
            next.listings.extend(listings.iter().map(|(sku, target)| (sku.clone(), target.clone())));
        }
    }
    next
}

fn compared(before: &Mapping, after: &Mapping, kind: Kind, warnings: Vec<RowError>) -> Imported {
    let (counts, reordered) = match kind {
        Kind::Listings => (difference(&before.listings, &after.listings), false),
        Kind::Rules => rule_difference(&before.rules, &after.rules),
    };
    Imported {
        kind,
        counts,
        reordered,
        version: before.version,
        applied: false,
        warnings,
        left: 0,
        rows: changed_rows(before, after),
        waiting: None,
    }
}

fn difference<K: Ord, V: PartialEq>(before: &BTreeMap<K, V>, after: &BTreeMap<K, V>) -> Counts {
    let mut counts =
        Counts { removed: before.keys().filter(|key| !after.contains_key(key)).count(), ..Counts::default() };
    for (key, value) in after {
        match before.get(key) {
            None => counts.added += 1,
            Some(known) if known == value => counts.unchanged += 1,
            Some(_) => counts.changed += 1,
        }
    }
    counts
}

/// Rules are the same when their conditions are; the second of two with equal conditions never decides, and counts by
/// its place among them.
fn rule_difference(before: &[ShippingRule], after: &[ShippingRule]) -> (Counts, bool) {
    let (before, after) = (by_conditions(before), by_conditions(after));
    let order = |rules: &[(String, &ShippingRule)], others: &[(String, &ShippingRule)]| -> Vec<String> {
        let kept = rules.iter().filter(|(key, _)| others.iter().any(|(other, _)| other == key));
        kept.map(|(key, _)| key.clone()).collect()
    };
    let reordered = order(&before, &after) != order(&after, &before);
    (difference(&before.into_iter().collect(), &after.into_iter().collect()), reordered)
}

fn by_conditions(rules: &[ShippingRule]) -> Vec<(String, &ShippingRule)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let key = |rule: &ShippingRule| {
        format!("{:?} {:?} {:?} {:?}", rule.method, rule.countries, rule.min_total, rule.below_total)
    };
    let mut keyed = Vec::new();
    for rule in rules {
        let key = key(rule);
        let nth = seen.entry(key.clone()).or_default();
        *nth += 1;
        keyed.push((format!("{key} {nth}"), rule));
    }
    keyed
}

impl Imported {
    /// What came of it, for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let Counts { added, changed, removed, unchanged } = self.counts;
        let order = if self.reordered { ", in another order" } else { "" };
        let kind = self.kind;
        let mut out = format!(
            "{kind}: {added} added, {changed} changed, {removed} removed, {unchanged} unchanged{order}\n"
        );
        if !self.applied {
            out.push_str(&rows_text(&self.rows, style));
        }
        if self.left > 0 {
            let left = count(self.left as u64, "row says", "rows say");
            out.push_str(&format!("{left} no in the column apply and {} left.\n", was(self.left)));
        }
        for warning in &self.warnings {
            for line in crate::text::wrap(&format!("warning: {warning}"), style.width) {
                out.push_str(&format!("{}\n", style.paint(Tone::Warn, &line)));
            }
        }
        let nothing = self.counts.added + self.counts.changed + self.counts.removed == 0 && !self.reordered;
        out.push_str(&match (self.applied, nothing) {
            (true, _) => format!("The mapping is now at version {}.\n", self.version),
            (false, true) => format!("Nothing changes; the mapping stays at version {}.\n", self.version),
            (false, false) => format!("Nothing was applied; the mapping is at version {}.\n", self.version),
        });
        out.push_str(&self.waiting.map(Waiting::text).unwrap_or_default());
        out
    }
}

fn was(number: usize) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeMappings, now};
    use domain::mapping::Sku;

    async fn import(
        mappings: &FakeMappings,
        file: &str,
        replace: bool,
        dry_run: bool,
    ) -> Result<Imported, NotImported> {
        let change = Change { by: "ada".into(), at: now(), note: "listings.csv".into() };
        let connection = "main".parse().unwrap();
        Import { connection: &connection, file: file.as_bytes(), replace, dry_run, change }
            .run(mappings)
            .await
    }

    fn skus(mappings: &FakeMappings) -> Vec<String> {
        mappings.mapping.lock().unwrap().listings.keys().map(Sku::to_string).collect()
    }

    const FILE: &str = "sku,warehouse_sku\nA,WA\nB,WB\n";

    #[tokio::test]
    async fn listings_are_merged_by_sku_unless_replaced() {
        let mappings = FakeMappings::default();
        let first = import(&mappings, FILE, false, false).await.unwrap();
        assert_eq!((first.version, first.applied, first.counts.added), (1, true, 2));
        let second = import(&mappings, "sku,warehouse_sku\nB,WX\nC,WC\n", false, false).await.unwrap();
        assert_eq!(second.counts, Counts { added: 1, changed: 1, removed: 0, unchanged: 1 });
        assert_eq!(skus(&mappings), ["A", "B", "C"]);
        let third = import(&mappings, "sku,warehouse_sku\nC,WC\n", true, false).await.unwrap();
        assert_eq!(third.counts, Counts { added: 0, changed: 0, removed: 2, unchanged: 1 });
        assert_eq!(skus(&mappings), ["C"]);
        assert_eq!(mappings.changes.lock().unwrap().last().unwrap().by, "ada");
    }

    #[tokio::test]
    async fn one_wrong_row_and_nothing_is_applied() {
        let mappings = FakeMappings::default();
        let refused = import(&mappings, "sku,warehouse_sku\nA,WA\nB,\n", false, false).await.unwrap_err();
        assert!(refused.to_string().contains("row 3, warehouse_sku"), "{refused}");
        assert_eq!(mappings.mapping.lock().unwrap().version, 0);
    }

    #[tokio::test]
    async fn the_same_file_twice_is_one_version() {
        let mappings = FakeMappings::default();
        import(&mappings, FILE, false, false).await.unwrap();
        let again = import(&mappings, FILE, false, false).await.unwrap();
        assert_eq!((again.version, again.applied, again.counts.unchanged), (1, false, 2));
        assert!(again.text(Style::PLAIN).contains("Nothing changes"), "{again:?}");
    }

    #[tokio::test]
    async fn a_dry_run_tells_and_changes_nothing() {
        let mappings = FakeMappings::default();
        let told = import(&mappings, FILE, false, true).await.unwrap();
        assert_eq!((told.counts.added, told.applied, told.version), (2, false, 0));
        assert!(skus(&mappings).is_empty());
    }

    #[tokio::test]
    async fn who_loses_a_race_tries_again_and_gives_up_in_the_end() {
        let mappings = FakeMappings { races: 2.into(), ..FakeMappings::default() };
        assert_eq!(import(&mappings, FILE, false, false).await.unwrap().version, 3);
        let mappings = FakeMappings { races: 99.into(), ..FakeMappings::default() };
        assert!(matches!(import(&mappings, FILE, false, false).await, Err(NotImported::Contended)));
    }

    #[tokio::test]
    async fn rules_are_replaced_and_a_new_order_is_a_change() {
        let header = "match,method,service\n";
        let mappings = FakeMappings::default();
        import(&mappings, &format!("{header}is,UPS,U\nis,DHL,D\n"), false, false).await.unwrap();
        let turned = import(&mappings, &format!("{header}is,DHL,D\nis,UPS,U\n"), false, false).await.unwrap();
        assert_eq!((turned.reordered, turned.applied, turned.counts.unchanged), (true, true, 2));
        let fewer = format!("{header}is,DHL,X\n");
        let refused = import(&mappings, &fewer, false, false).await.unwrap_err().to_string();
        assert!(refused.contains("1 rule would go") && refused.contains("--replace"), "{refused}");
        assert_eq!(mappings.current(&"main".parse().unwrap()).await.unwrap().rules.len(), 2, "nothing went");
        let warned = import(&mappings, &fewer, false, true).await.unwrap();
        assert!(warned.text(Style::PLAIN).contains("1 rule would go"), "{}", warned.text(Style::PLAIN));
        let fewer = import(&mappings, &fewer, true, false).await.unwrap();
        assert_eq!(fewer.counts, Counts { added: 0, changed: 1, removed: 1, unchanged: 0 });
        assert!(skus(&mappings).is_empty(), "rules leave the listings alone");
    }

    #[tokio::test]
    async fn what_a_cure_leaves_to_a_person_is_not_taken_for_a_word_of_the_warehouse() {
        for file in
            ["sku,warehouse_sku\nLAMP,<warehouse SKU>\n", "match,method,service\nis,DRONE,<service>\n"]
        {
            let mappings = FakeMappings::default();
            let refused = import(&mappings, file, false, false).await.unwrap_err().to_string();
            assert!(refused.contains("is a placeholder"), "{refused}");
        }
    }

    #[tokio::test]
    async fn zeros_that_a_spreadsheet_dropped_are_noticed() {
        let mappings = FakeMappings::default();
        import(&mappings, "sku,warehouse_sku\n00123,0045\n", false, false).await.unwrap();
        let warned = import(&mappings, "sku,warehouse_sku\n123,45\n", false, true).await.unwrap();
        assert_eq!(warned.warnings.len(), 2, "{:?}", warned.warnings);
        assert!(warned.text(Style::PLAIN).contains("\"00123\""));
        let fine = import(&mappings, "sku,warehouse_sku\n00123,0045\n", false, true).await.unwrap();
        assert!(fine.warnings.is_empty());
    }
}
