//! The mapping in force, to be looked at.

use domain::mapping::{Mapping, ShippingRule, Target};
use domain::ports::Mappings;
use domain::{ConnectionId, Failure};
use serde::Serialize;

use super::rules::{decision_word, matcher_words};
use crate::text::{Style, Table, count};

/// A mapping, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedMapping {
    /// Its connection.
    pub connection: ConnectionId,
    /// Its version; 0 when nobody has mapped anything.
    pub version: u64,
    /// By SKU.
    pub listings: Vec<ListedListing>,
    /// In order.
    pub rules: Vec<ListedRule>,
}

/// One listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedListing {
    /// The shop's SKU.
    pub sku: String,
    /// What is shipped for it; empty when it is not shipped.
    pub ships: Vec<ListedComponent>,
}

/// One part of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedComponent {
    /// The warehouse's SKU.
    pub warehouse_sku: String,
    /// How many per piece sold.
    pub quantity: u32,
}

/// One shipping rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedRule {
    /// How it compares.
    #[serde(rename = "match")]
    pub compare: &'static str,
    /// With what.
    pub method: String,
    /// Where it is limited to; empty for everywhere.
    pub countries: Vec<String>,
    /// From this order total on.
    pub min_total: Option<String>,
    /// Below this order total.
    pub below_total: Option<String>,
    /// The warehouse's code, or `HOLD`.
    pub service: String,
}

/// Reads the mapping in force.
///
/// # Errors
/// Those of the mappings.
pub async fn list(mappings: &dyn Mappings, connection: &ConnectionId) -> Result<ListedMapping, Failure> {
    Ok(listed(connection, mappings.current(connection).await?.as_ref()))
}

fn listed(connection: &ConnectionId, mapping: &Mapping) -> ListedMapping {
    let listing = |(sku, target): (&domain::mapping::Sku, &Target)| ListedListing {
        sku: sku.to_string(),
        ships: components(target),
    };
    ListedMapping {
        connection: connection.clone(),
        version: mapping.version,
        listings: mapping.listings.iter().map(listing).collect(),
        rules: mapping.rules.iter().map(rule).collect(),
    }
}

fn components(target: &Target) -> Vec<ListedComponent> {
    match target {
        Target::DoNotShip => Vec::new(),
        Target::Ship(components) => components
            .iter()
            .map(|c| ListedComponent { warehouse_sku: c.sku.to_string(), quantity: c.quantity })
            .collect(),
    }
}

fn rule(rule: &ShippingRule) -> ListedRule {
    let (compare, method) = matcher_words(&rule.method);
    ListedRule {
        compare,
        method: method.to_owned(),
        countries: rule.countries.clone(),
        min_total: rule.min_total.map(|amount| amount.to_string()),
        below_total: rule.below_total.map(|amount| amount.to_string()),
        service: decision_word(&rule.decision).to_owned(),
    }
}

impl ListedMapping {
    /// The mapping for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let listings = count(self.listings.len() as u64, "listing", "listings");
        let rules = count(self.rules.len() as u64, "shipping rule", "shipping rules");
        let mut out =
            style.heading(&format!("{}, version {}: {listings}, {rules}", self.connection, self.version));
        let mut table = Table::new(&["SKU", "SHIPS"]);
        for listing in &self.listings {
            table.row([listing.sku.as_str().into(), listing.words().into()]);
        }
        if !table.is_empty() {
            out.push_str(&table.text(style));
        }
        let mut table = Table::new(&["##", "METHOD", "COUNTRIES", "TOTAL", "SERVICE"]);
        for (number, rule) in self.rules.iter().enumerate() {
            table.row([
                (number as u64 + 1).into(),
                format!("{} {}", rule.compare, rule.method).trim_end().into(),
                rule.countries.join(" ").into(),
                rule.totals().into(),
                rule.service.as_str().into(),
            ]);
        }
        if !table.is_empty() {
            out.push('\n');
            out.push_str(&table.text(style));
        }
        out
    }
}

impl ListedListing {
    fn words(&self) -> String {
        let part = |c: &ListedComponent| match c.quantity {
            1 => c.warehouse_sku.clone(),
            quantity => format!("{quantity} x {}", c.warehouse_sku),
        };
        let parts: Vec<String> = self.ships.iter().map(part).collect();
        if parts.is_empty() { "- (not shipped)".to_owned() } else { parts.join(" + ") }
    }
}

impl ListedRule {
    fn totals(&self) -> String {
        let from = self.min_total.iter().map(|min| format!("from {min}"));
        let below = self.below_total.iter().map(|below| format!("below {below}"));
        from.chain(below).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping_csv::{Content, parse};

    #[test]
    fn a_mapping_is_shown_as_it_was_entered() {
        let read = |file: &str| parse(file.as_bytes()).unwrap().content;
        let Content::Listings(listings) = read("sku,warehouse_sku,quantity\nKIT,A,2\nKIT,B,1\nPDF,-,\n")
        else {
            panic!("no listings")
        };
        let Content::Rules(rules) = read(
            "match,method,countries,min_total,below_total,service\nlike,UPS*,US,10,50,UPSG\nany,,,,,HOLD\n",
        ) else {
            panic!("no rules")
        };
        let mapping = Mapping { version: 4, listings, rules };
        let text = listed(&"main".parse().unwrap(), &mapping).text(Style::PLAIN);
        assert_eq!(
            text,
            "main, version 4: 2 listings, 2 shipping rules\n  SKU  SHIPS\n  KIT  2 x A + B\n  PDF  - (not shipped)\n\n  \
             #  METHOD     COUNTRIES  TOTAL             SERVICE\n  1  like UPS*  US         from 10 below 50  UPSG\n  \
             2  any                                     HOLD\n"
        );
    }
}
