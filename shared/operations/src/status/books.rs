//! The counts that must sum: every order that the store has is accounted for, every package that left too.

use std::collections::BTreeMap;

use domain::record::{Exclusion, Record, Stage, Wait};
use domain::shipment::Post;
use serde::Serialize;

use crate::text::{Style, Tone};

/// Counts by word.
type Counts = BTreeMap<&'static str, u64>;

/// How many orders stand where, and what became of the packages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Books {
    /// All orders of the ledger.
    pub orders: u64,
    /// The warehouse has them and is not asked for anything more, by stage.
    pub sent: Counts,
    /// Held for a person, by cause.
    pub held: Counts,
    /// Not ours to send, by rule.
    pub excluded: Counts,
    /// Looked at again by themselves, by reason.
    pub waiting: Counts,
    /// On the way to the warehouse (ready, sending, in doubt), by stage.
    pub on_the_way: Counts,
    /// Taken back.
    pub cancelled: u64,
    /// Orders that the warehouse took at some time, those held or cancelled afterwards included.
    pub at_warehouse: u64,
    /// The packages.
    pub packages: Packages,
}

/// What became of the packages that left (labels taken back are not counted).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Packages {
    /// All of them.
    pub shipped: u64,
    /// The store shows their tracking.
    pub posted: u64,
    /// They wait in the outbox for a person.
    pub outbox: u64,
    /// To be posted, or being posted.
    pub due: u64,
    /// Nothing to post: no tracking number, or write-back is off.
    pub not_needed: u64,
}

impl Books {
    /// Counts one order.
    pub fn count(&mut self, record: &Record) {
        self.orders += 1;
        // A package proves it too, when the answer to the create was lost.
        self.at_warehouse += u64::from(record.warehouse_order.is_some() || !record.packages.is_empty());
        let word = record.stage.word();
        let (counts, word) = match &record.stage {
            Stage::Waiting(wait) => (&mut self.waiting, wait_word(wait)),
            Stage::Ready { .. } | Stage::Sending(_) | Stage::InDoubt { .. } => (&mut self.on_the_way, word),
            Stage::Held(cause) => (&mut self.held, cause.word()),
            Stage::Excluded(rule) => (&mut self.excluded, rule_word(rule)),
            Stage::Accepted | Stage::PartlyShipped | Stage::Shipped | Stage::Posted => (&mut self.sent, word),
            Stage::Cancelled => {
                self.cancelled += 1;
                return self.packages.count(record);
            }
        };
        *counts.entry(word).or_default() += 1;
        self.packages.count(record);
    }

    /// The sum of the parts.
    #[must_use]
    pub fn sum(&self) -> u64 {
        let parts = [&self.sent, &self.held, &self.excluded, &self.waiting, &self.on_the_way];
        parts.into_iter().map(total).sum::<u64>() + self.cancelled
    }

    /// Do the parts add up, for orders and for packages?
    #[must_use]
    pub fn closes(&self) -> bool {
        self.sum() == self.orders && self.packages.sum() == self.packages.shipped
    }

    /// `10 = 3 sent + 3 held + …`: the line that must sum.
    #[must_use]
    pub fn line(&self) -> String {
        format!(
            "{} = {} sent + {} held + {} excluded + {} waiting + {} on the way + {} cancelled",
            self.orders,
            total(&self.sent),
            total(&self.held),
            total(&self.excluded),
            total(&self.waiting),
            total(&self.on_the_way),
            self.cancelled
        )
    }

    /// The parts by word, for those that are not empty.
    #[must_use]
    pub(crate) fn details(&self) -> Vec<(&'static str, String)> {
        let parts = [
            ("sent", &self.sent),
            ("held", &self.held),
            ("excluded", &self.excluded),
            ("waiting", &self.waiting),
            ("on the way", &self.on_the_way),
        ];
        let full = parts.into_iter().filter(|(_, counts)| !counts.is_empty());
        full.map(|(name, counts)| (name, words(counts))).collect()
    }

    /// Compares our counts with those of the outside, leg by leg.
    #[must_use]
    pub fn close(&self, outside: &Outside) -> Closing {
        let legs = [
            ("orders in the store", self.orders, outside.orders_in_store),
            ("orders at the warehouse", self.at_warehouse, outside.orders_at_warehouse),
            ("packages that left", self.packages.shipped, outside.packages_shipped),
            ("packages shown by the store", self.packages.posted, outside.packages_in_store),
        ];
        let told =
            legs.into_iter().filter_map(|(what, ours, theirs)| Some(Leg { what, ours, theirs: theirs? }));
        Closing { line: self.line(), sums: self.closes(), legs: told.collect() }
    }
}

impl Packages {
    fn count(&mut self, record: &Record) {
        for package in record.packages.iter().filter(|package| !package.voided) {
            self.shipped += 1;
            match package.post {
                Post::Posted => self.posted += 1,
                Post::Outbox { .. } => self.outbox += 1,
                Post::Due | Post::Claimed { .. } => self.due += 1,
                Post::NotNeeded => self.not_needed += 1,
            }
        }
    }

    fn sum(&self) -> u64 {
        self.posted + self.outbox + self.due + self.not_needed
    }

    /// `3 shipped = 1 posted + …`: the line that must sum.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { shipped, posted, outbox, due, not_needed } = self;
        let nothing = if *not_needed > 0 { format!(" + {not_needed} without post") } else { String::new() };
        format!("{shipped} shipped = {posted} posted + {outbox} in the outbox + {due} to be posted{nothing}")
    }
}

/// What the outside counts, as far as it can be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outside {
    /// Orders that the store has.
    pub orders_in_store: Option<u64>,
    /// Orders that the warehouse has, cancelled ones included.
    pub orders_at_warehouse: Option<u64>,
    /// Packages that the warehouse shipped.
    pub packages_shipped: Option<u64>,
    /// Packages whose tracking the store shows.
    pub packages_in_store: Option<u64>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leg {
    /// What is counted.
    pub what: &'static str,
    /// Our count.
    pub ours: u64,
    /// Theirs.
    pub theirs: u64,
}

/// The closed books, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closing {
    /// The line that must sum.
    pub line: String,
    /// Does it?
    pub sums: bool,
    /// The comparisons with the outside.
    pub legs: Vec<Leg>,
}

impl Closing {
    /// Does everything agree?
    #[must_use]
    pub fn closes(&self) -> bool {
        self.sums && self.legs.iter().all(|leg| leg.ours == leg.theirs)
    }

    /// The books for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let mut table = crate::text::Table::new(&["", "#OURS", "#THEIRS", ""]);
        for leg in &self.legs {
            let (word, tone) =
                if leg.ours == leg.theirs { ("agrees", Tone::Good) } else { ("DIFFERS", Tone::Bad) };
            table.row([
                leg.what.into(),
                leg.ours.into(),
                leg.theirs.into(),
                crate::text::Cell::toned(word, tone),
            ]);
        }
        let (word, tone) = if self.closes() {
            ("The books close.", Tone::Good)
        } else {
            ("The books do NOT close.", Tone::Bad)
        };
        format!("  orders {}\n{}  {}\n", self.line, table.text(style), style.paint(tone, word))
    }
}

fn total(counts: &Counts) -> u64 {
    counts.values().sum()
}

fn words(counts: &Counts) -> String {
    let words: Vec<String> = counts.iter().map(|(word, number)| format!("{number} {word}")).collect();
    words.join(", ")
}

fn wait_word(wait: &Wait) -> &'static str {
    match wait {
        Wait::Unpaid(_) => "unpaid",
        Wait::CoolingOff => "cooling off",
    }
}

fn rule_word(rule: &Exclusion) -> &'static str {
    match rule {
        Exclusion::BeforeStart => "before start",
        Exclusion::Digital => "digital",
        Exclusion::NotPaid(_) => "not paid",
        Exclusion::NeverPaid => "never paid",
        Exclusion::Archived => "archived",
        Exclusion::ByPerson(_) => "by a person",
        Exclusion::Test(_) => "test",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{record, shipped};

    fn books() -> Books {
        let mut books = Books::default();
        books.count(&shipped(1, Stage::Posted, &[Post::Posted, Post::Posted]));
        books.count(&record(2, Stage::Excluded(Exclusion::Digital), 1));
        books
    }

    #[test]
    fn the_books_close_when_both_sides_agree() {
        let outside = Outside {
            orders_in_store: Some(2),
            orders_at_warehouse: Some(1),
            packages_shipped: Some(2),
            packages_in_store: Some(2),
        };
        let closing = books().close(&outside);
        assert!(closing.closes(), "{closing:?}");
        assert!(closing.text(Style::PLAIN).contains("The books close."));
    }

    #[test]
    fn an_order_that_only_the_store_knows_is_seen() {
        let closing = books().close(&Outside { orders_in_store: Some(3), ..Outside::default() });
        assert!(!closing.closes());
        let text = closing.text(Style::PLAIN);
        assert!(text.contains("DIFFERS") && text.contains("NOT close"), "{text}");
        assert_eq!(closing.legs.len(), 1, "who cannot be asked is not compared");
    }
}
