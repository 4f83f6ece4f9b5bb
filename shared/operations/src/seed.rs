//! A first mapping: what the shop sells and how it ships, with what the warehouse calls it where that is plain to see.
//!
//! Only the very same code on both sides is proposed as it stands. Everything else is a guess or open: its row says `no` in
//! the column `apply`, and an import leaves it until a person writes `yes`.

use std::collections::BTreeSet;

use domain::mapping::{Mapping, Sku, Target};
use domain::ports::ProductSource;
use domain::warehouse::StockFeed;
use domain::{ConnectionId, Failure};
use serde::Serialize;

use crate::mapping_csv::sheet::first_column;
use crate::mapping_csv::{ALSO_READ, Kind, RowError, lines, rules::rule_row};
use crate::recent::{Recent, Span};

mod alike;
mod methods;
mod shelf;
mod text;

pub use alike::{Certainty, plain};
use alike::{Codes, Found};
use shelf::{Seen, Shelf};

/// So many products in a row that cannot be read are no accident any more.
const IN_A_ROW: u32 = 5;

/// What a seed is made from.
pub struct Seeding<'a> {
    /// The store's orders.
    pub recent: Recent<'a>,
    /// Which of them.
    pub span: Span,
    /// The store's products; without them only what was sold is seen.
    pub products: Option<&'a dyn ProductSource>,
    /// The warehouse's SKUs, where it tells.
    pub stock: Option<&'a dyn StockFeed>,
    /// A file with the warehouse's SKUs.
    pub warehouse_skus: Option<&'a [u8]>,
    /// A file with the warehouse's services.
    pub services: Option<&'a [u8]>,
    /// The mapping in force: what it has is left out.
    pub mapping: &'a Mapping,
}

/// How often something occurs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Use {
    /// In so many orders.
    pub orders: u64,
    /// In so many pieces, where it is a product.
    pub pieces: u64,
}

/// A listing to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProposedListing {
    /// The shop's SKU.
    pub sku: String,
    /// The product's name.
    pub name: String,
    /// The warehouse's SKU, `-` for not shipped; empty where a person has to find it.
    pub warehouse_sku: String,
    /// How sure that is.
    pub certainty: Certainty,
    /// Why.
    pub why: String,
    /// How much of it was sold.
    pub sold: Use,
}

/// A shipping rule to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProposedRule {
    /// The buyer's method, as the store words it.
    pub method: String,
    /// Where it was used; empty when a country has no code.
    pub countries: Vec<String>,
    /// The warehouse's service; empty where a person has to find it.
    pub service: String,
    /// How sure that is.
    pub certainty: Certainty,
    /// Why.
    pub why: String,
    /// How often it was used.
    pub used: Use,
}

/// A product that cannot be mapped before it has a SKU in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WithoutSku {
    /// The store's number of it.
    pub product: u64,
    /// Its name.
    pub name: String,
    /// How much of it was sold.
    pub sold: Use,
}

/// A first mapping, to be looked through by a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seed {
    /// For which connection.
    pub connection: ConnectionId,
    /// From which orders.
    pub span: Span,
    /// How many orders were read.
    pub orders: u64,
    /// How many products were read.
    pub products: u64,
    /// How many codes of the warehouse are known.
    pub warehouse_skus: u64,
    /// SKUs of the shop that the mapping has already.
    pub mapped: u64,
    /// Products without SKU, the most sold first.
    pub without_sku: Vec<WithoutSku>,
    /// SKUs without listing, the most sold first.
    pub listings: Vec<ProposedListing>,
    /// Methods without rule, the most used first.
    pub rules: Vec<ProposedRule>,
    /// The rules in force, as rows: an import replaces all of them.
    #[serde(skip)]
    kept: Vec<Vec<String>>,
    /// What could not be read, and what that means.
    pub notes: Vec<String>,
}

impl Seeding<'_> {
    /// Reads the store and the warehouse, and proposes. Changes nothing.
    ///
    /// # Errors
    /// Those of the store and the ledger; a list of products or stock that cannot be read is only noted.
    pub async fn seed(&self) -> Result<Seed, Failure> {
        let mut notes = Vec::new();
        let codes = self.codes(&mut notes).await;
        let read = self.recent.read(self.span).await?;
        if let Some(why) = &read.why {
            notes.push(format!("{} orders could not be read, the last one because: {why}", read.unread));
        }
        let mut shelf = Shelf::default();
        read.orders.iter().for_each(|order| shelf.sold(order));
        if let Some(products) = self.products {
            self.stock_up(products, &mut shelf, &mut notes).await?;
        }
        let connection = self.recent.connection.id.clone();
        let mapped = shelf.skus.keys().filter(|sku| self.mapping.listings.contains_key(*sku)).count() as u64;
        let products = shelf.products;
        let without_sku = shelf.without();
        let rules = self.rules(&read, &mut notes);
        Ok(Seed {
            connection,
            span: self.span,
            orders: read.orders.len() as u64,
            products,
            warehouse_skus: codes.len() as u64,
            mapped,
            without_sku,
            listings: self.listings(shelf, &codes),
            rules,
            kept: self.mapping.rules.iter().map(rule_row).collect(),
            notes,
        })
    }

    /// Every code of the warehouse that can be known.
    async fn codes(&self, notes: &mut Vec<String>) -> Codes {
        let mut codes = Codes::default();
        for target in self.mapping.listings.values() {
            if let Target::Ship(components) = target {
                components.iter().for_each(|component| codes.add(component.sku.as_str()));
            }
        }
        let from_file = self.warehouse_skus.is_some();
        if let Some(Ok(skus)) = self.warehouse_skus.map(first_column) {
            skus.iter().for_each(|sku| codes.add(sku));
        }
        match self.stock {
            None if from_file => {}
            None => notes.push(
                "this warehouse does not list its SKUs: give them with --warehouse-skus FILE".to_owned(),
            ),
            Some(stock) => match stock.levels().await {
                Ok(levels) => levels.iter().for_each(|level| codes.add(level.sku.as_str())),
                Err(_) if from_file => {}
                Err(failure) => notes.push(format!(
                    "the warehouse's SKUs could not be read ({failure}): give them with --warehouse-skus FILE"
                )),
            },
        }
        codes
    }

    /// Reads the store's products: what is for sale, sold or not.
    async fn stock_up(
        &self,
        source: &dyn ProductSource,
        shelf: &mut Shelf,
        notes: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let (mut ids, mut offset) = (BTreeSet::new(), Some(0));
        while let Some(at) = offset {
            let page = source.page(at).await?;
            ids.extend(page.products);
            offset = page.next_offset.filter(|next| *next > at);
        }
        let (mut unread, mut in_a_row) = (0_u64, 0);
        for (done, id) in (0_u64..).zip(&ids) {
            self.recent.progress.at("products", done, ids.len() as u64);
            match source.product(*id).await {
                Ok(product) => {
                    product.into_iter().for_each(|product| shelf.offered(product));
                    in_a_row = 0;
                }
                Err(failure) if in_a_row + 1 >= IN_A_ROW => return Err(failure),
                Err(_) => (unread, in_a_row) = (unread + 1, in_a_row + 1),
            }
        }
        if unread > 0 {
            notes.push(format!("{unread} of {} products could not be read", ids.len()));
        }
        Ok(())
    }

    fn listings(&self, shelf: Shelf, codes: &Codes) -> Vec<ProposedListing> {
        let open = shelf.skus.into_iter().filter(|(sku, _)| !self.mapping.listings.contains_key(sku));
        let mut listings: Vec<_> = open.map(|(sku, seen)| proposed_listing(&sku, seen, codes)).collect();
        listings.sort_by_key(|listing| std::cmp::Reverse((listing.sold.orders, listing.sold.pieces)));
        listings
    }
}

const SAME_BUT: &str = "guess: the same but for case, blanks or hyphens";

fn proposed_listing(sku: &Sku, seen: Seen, codes: &Codes) -> ProposedListing {
    let (warehouse_sku, certainty, why) = match codes.find(sku.as_str()) {
        Found::Exact(code) => (code, Certainty::Exact, "the warehouse has this very SKU".to_owned()),
        Found::Alike(code) => (code, Certainty::Guess, SAME_BUT.to_owned()),
        Found::Several(several) => {
            (String::new(), Certainty::Open, format!("several SKUs look like it: {}", several.join(", ")))
        }
        Found::Nothing if seen.digital == Some(true) => {
            ("-".to_owned(), Certainty::Guess, "guess: the store calculates no shipping for it".to_owned())
        }
        Found::Nothing => (String::new(), Certainty::Open, "nothing looks like it".to_owned()),
    };
    ProposedListing { sku: sku.to_string(), name: seen.name, warehouse_sku, certainty, why, sold: seen.sold }
}

/// Refuses a file of codes that cannot be read, before anything slow begins.
///
/// # Errors
/// What is wrong with it.
pub fn check_codes(file: &[u8]) -> Result<(), RowError> {
    first_column(file).map(drop)
}

impl Seed {
    /// Is there something that a person has to decide?
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        let open = |certainty: Certainty| certainty != Certainty::Exact;
        !self.without_sku.is_empty()
            || self.listings.iter().any(|listing| open(listing.certainty))
            || self.rules.iter().any(|rule| open(rule.certainty))
    }

    /// The listings as a file for `map import`.
    #[must_use]
    pub fn listings_csv(&self) -> String {
        let row = |listing: &ProposedListing| {
            let sold = text::sold(listing.sold);
            let note = format!("{}; {sold}; {}", listing.why, listing.name);
            let cells = [listing.sku.as_str(), &listing.warehouse_sku, "1", apply(listing.certainty), &note];
            cells.map(str::to_owned).to_vec()
        };
        file(Kind::Listings, self.listings.iter().map(row))
    }

    /// The rules as a file for `map import`: those in force first, because an import replaces all of them.
    #[must_use]
    pub fn rules_csv(&self) -> String {
        let kept = self.kept.iter().map(|cells| {
            let mut cells = cells.clone();
            cells.extend(["yes".to_owned(), "in force".to_owned()]);
            cells
        });
        let row = |rule: &ProposedRule| {
            let note = format!("{}; {}", rule.why, text::used(rule.used));
            let countries = rule.countries.join(" ");
            let cells = ["is", &rule.method, &countries, "", "", &rule.service, apply(rule.certainty), &note];
            cells.map(str::to_owned).to_vec()
        };
        file(Kind::Rules, kept.chain(self.rules.iter().map(row)))
    }
}

/// Is a row applied as it stands?
fn apply(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Exact => "yes",
        Certainty::Guess | Certainty::Open => "no",
    }
}

fn file(kind: Kind, rows: impl Iterator<Item = Vec<String>>) -> String {
    let header = kind.columns().iter().chain(ALSO_READ).map(|column| (*column).to_owned()).collect();
    lines(std::iter::once(header).chain(rows))
}

#[cfg(test)]
mod tests;
