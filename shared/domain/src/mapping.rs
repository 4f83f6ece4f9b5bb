//! Shop words to warehouse words: listings for SKUs, rules for shipping methods. Edited by people, versioned.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::fulfillment::RequestLine;
use crate::ids::InvalidId;
use crate::order::{LineItem, Order};
use crate::policy::{NoSku, Policies, UnknownMethod, UnknownSku};

/// A text newtype that is trimmed and must not be empty.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses the text, without its outer blanks.
            ///
            /// # Errors
            /// When nothing is left, it is longer than 200 bytes, or it holds control characters.
            pub fn parse(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                let text = text.as_ref().trim();
                if text.is_empty() || text.len() > 200 || text.chars().any(char::is_control) {
                    return Err(InvalidId { what: $what, rule: "1 to 200 bytes without control characters" });
                }
                Ok(Self(text.to_owned()))
            }

            /// The word as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

word!(
    /// The shop's code of a product.
    Sku, "SKU"
);
word!(
    /// The warehouse's code of the same thing.
    WarehouseSku, "warehouse SKU"
);
word!(
    /// What the buyer chose, as the store words it (free text set by the merchant).
    ShipMethod, "shipping method"
);
word!(
    /// What the warehouse books with the carrier: its code for carrier and service.
    Service, "service"
);

impl ShipMethod {
    /// The form that rules compare: upper case, single blanks, without the cart's "Select Shipping Method - " prefix
    /// (dossier section 9).
    #[must_use]
    pub fn normalized(&self) -> String {
        normalized_method(&self.0)
    }
}

/// The form of a shipping method's text that rules compare.
#[must_use]
pub fn normalized_method(text: &str) -> String {
    let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase();
    spaced.strip_prefix("SELECT SHIPPING METHOD - ").map_or(spaced.clone(), str::to_owned)
}

/// What a listing turns its SKU into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// These warehouse SKUs, so many of each per piece sold: one for a plain listing, several for a kit.
    Ship(Vec<Component>),
    /// Nothing: the product is not shipped.
    DoNotShip,
}

/// One part of a listing's target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// The warehouse's code.
    pub sku: WarehouseSku,
    /// How many per piece sold, at least 1.
    pub quantity: u32,
}

/// How a shipping rule compares the buyer's method (always on the normalised text).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matcher {
    /// The whole text.
    Is(String),
    /// The beginning of the text.
    StartsWith(String),
    /// The whole text, where `*` stands for any characters and `?` for one.
    Like(String),
    /// Every text: the explicit default when placed last.
    Any,
}

impl Matcher {
    fn matches(&self, normalized: &str) -> bool {
        match self {
            Self::Is(text) => normalized_method(text) == normalized,
            Self::StartsWith(text) => normalized.starts_with(normalized_method(text).as_str()),
            Self::Like(pattern) => is_like(&normalized_method(pattern), normalized),
            Self::Any => true,
        }
    }
}

/// Does `text` fit the wildcard `pattern`? Linear in practice: one place to fall back to, no recursion.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut fallback: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                fallback = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match fallback {
                Some((star, taken)) => {
                    fallback = Some((star, taken + 1));
                    p = star + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// What a shipping rule decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Book this service.
    Book(Service),
    /// Hold the order for a person.
    Hold,
}

/// One shipping rule. The first rule whose conditions all hold decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingRule {
    /// Compared with the buyer's method.
    pub method: Matcher,
    /// ISO country codes it is limited to; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// Smallest order total it applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_total: Option<Decimal>,
    /// Order totals from this on are out of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below_total: Option<Decimal>,
    /// What it decides.
    pub decision: Decision,
}

impl ShippingRule {
    fn applies(&self, method: &str, country: &str, total: Decimal) -> bool {
        self.method.matches(method)
            && (self.countries.is_empty() || self.countries.iter().any(|c| c.eq_ignore_ascii_case(country)))
            && self.min_total.is_none_or(|min| total >= min)
            && self.below_total.is_none_or(|below| total < below)
    }
}

/// All listings and shipping rules of one connection, at one version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// Counts up with every change; 0 when nobody has mapped anything yet.
    pub version: u64,
    /// Shop SKU to what is shipped for it. Compared exactly, as the store wrote it (trimmed).
    pub listings: BTreeMap<Sku, Target>,
    /// In order; the first that applies decides.
    pub rules: Vec<ShippingRule>,
}

/// A change of a mapping: who, when, what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Who did it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// In their words, a file name for example.
    pub note: String,
}

/// One thing that is missing to ship an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// No listing for this SKU.
    UnknownSku(Sku),
    /// A product without SKU, by its number in the store (0 unknown).
    NoSku(u64),
    /// No rule for this shipping method (normalised), to this country.
    UnknownMethod {
        /// The normalised text.
        method: String,
        /// ISO code or name.
        country: String,
    },
    /// Goods to ship, and the buyer chose no shipping method.
    NoMethod,
    /// A rule says that a person decides about this method.
    HeldMethod(String),
    /// More pieces than a request can say.
    TooMany(Sku),
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSku(sku) => write!(f, "SKU {sku} has no listing"),
            Self::NoSku(product) => write!(f, "product {product} has no SKU in the store"),
            Self::UnknownMethod { method, country } => {
                write!(f, "no shipping rule for \"{method}\" to {country}")
            }
            Self::NoMethod => f.write_str("the order names no shipping method"),
            Self::HeldMethod(method) => write!(f, "the rule for \"{method}\" asks for a person"),
            Self::TooMany(sku) => write!(f, "the quantity of SKU {sku} is too large"),
        }
    }
}

/// What mapping made of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mapped {
    /// These lines, by this service.
    Ship {
        /// What to ship, in the order of the order's lines.
        lines: Vec<RequestLine>,
        /// What to book.
        service: Service,
    },
    /// No line of it is shipped.
    NothingToShip,
}

impl Mapping {
    /// Translates an order, or names every gap at once.
    ///
    /// # Errors
    /// All gaps, without repetition, in the order of the lines; the method last.
    pub fn resolve(&self, order: &Order, policies: &Policies) -> Result<Mapped, Vec<Gap>> {
        let mut gaps = Vec::new();
        let mut lines = Vec::new();
        for line in &order.lines {
            match self.line(line, policies) {
                Ok(parts) => lines.extend(parts),
                Err(gap) if gaps.contains(&gap) => {}
                Err(gap) => gaps.push(gap),
            }
        }
        if lines.is_empty() && gaps.is_empty() {
            return Ok(Mapped::NothingToShip);
        }
        match (self.service(order, policies), gaps.is_empty()) {
            (Ok(service), true) => Ok(Mapped::Ship { lines, service }),
            (Ok(_), false) => Err(gaps),
            (Err(gap), _) => {
                gaps.push(gap);
                Err(gaps)
            }
        }
    }

    /// What is shipped for one line; nothing for one that is not shipped.
    ///
    /// # Errors
    /// The gap.
    pub fn line(&self, line: &LineItem, policies: &Policies) -> Result<Vec<RequestLine>, Gap> {
        let Some(sku) = &line.sku else {
            return match policies.no_sku {
                NoSku::Hold => Err(Gap::NoSku(line.product)),
                NoSku::Drop => Ok(Vec::new()),
            };
        };
        match (self.listings.get(sku), policies.unknown_sku) {
            (Some(Target::DoNotShip), _) | (None, UnknownSku::Drop) => Ok(Vec::new()),
            (Some(Target::Ship(components)), _) => {
                components.iter().enumerate().map(|(part, c)| component_line(line, sku, part, c)).collect()
            }
            (None, UnknownSku::Pass) => {
                let same = WarehouseSku(sku.as_str().to_owned());
                component_line(line, sku, 0, &Component { sku: same, quantity: 1 }).map(|line| vec![line])
            }
            (None, UnknownSku::Hold) => Err(Gap::UnknownSku(sku.clone())),
        }
    }

    /// The place in the list of the rule that decides about an order's shipping method; none when no rule does.
    #[must_use]
    pub fn deciding_rule(&self, order: &Order) -> Option<usize> {
        let method = order.ship_method.as_ref()?.normalized();
        self.rules.iter().position(|rule| rule.applies(&method, country_of(order), order.total))
    }

    /// What is booked for an order.
    ///
    /// # Errors
    /// The gap.
    pub fn service(&self, order: &Order, policies: &Policies) -> Result<Service, Gap> {
        let Some(method) = &order.ship_method else { return no_method(policies, Gap::NoMethod) };
        let method = method.normalized();
        match self.deciding_rule(order).and_then(|place| self.rules.get(place)) {
            Some(ShippingRule { decision: Decision::Book(service), .. }) => Ok(service.clone()),
            Some(ShippingRule { decision: Decision::Hold, .. }) => Err(Gap::HeldMethod(method)),
            None => {
                let country = country_of(order).to_owned();
                no_method(policies, Gap::UnknownMethod { method, country })
            }
        }
    }
}

/// The country that rules compare: its ISO code, or its name where there is none.
fn country_of(order: &Order) -> &str {
    order.ship_to.as_ref().map_or("", |to| to.country.code_or_name())
}

fn no_method(policies: &Policies, gap: Gap) -> Result<Service, Gap> {
    match &policies.unknown_method {
        UnknownMethod::Use(service) => Ok(service.clone()),
        UnknownMethod::Hold => Err(gap),
    }
}

fn component_line(
    line: &LineItem,
    sku: &Sku,
    part: usize,
    component: &Component,
) -> Result<RequestLine, Gap> {
    let quantity = line.quantity.checked_mul(component.quantity).ok_or_else(|| Gap::TooMany(sku.clone()))?;
    let id = if part == 0 { line.id.to_string() } else { format!("{}-{}", line.id, part + 1) };
    Ok(RequestLine {
        id,
        sku: component.sku.clone(),
        name: line.name.clone(),
        quantity,
        unit_price: line.unit_price,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Address, Place};
    use crate::ids::OrderId;
    use crate::money::Currency;
    use crate::payment::PaymentStatus;

    fn line(id: u64, sku: Option<&str>, quantity: u32) -> LineItem {
        LineItem {
            id,
            product: id,
            sku: sku.map(|s| Sku::parse(s).unwrap()),
            name: format!("Thing {id}"),
            quantity,
            unit_price: Decimal::new(1450, 2),
            recurring: false,
        }
    }

    fn order(lines: Vec<LineItem>, method: Option<&str>, country: &str) -> Order {
        Order {
            id: OrderId(1),
            client: 0,
            ordered_at: None,
            payment: PaymentStatus::Accepted,
            archived: false,
            lines,
            ship_to: Some(Address {
                country: Place { name: country.into(), code: Some(country.into()) },
                ..Address::default()
            }),
            ship_method: method.map(|m| ShipMethod::parse(m).unwrap()),
            shipping_amount: Decimal::ZERO,
            total: Decimal::new(5000, 2),
            currency: Currency::USD,
            comments: String::new(),
            recurring_order: None,
            upsells: Vec::new(),
            tracking_shown: Vec::new(),
            unknown_elements: Vec::new(),
        }
    }

    fn component(sku: &str, quantity: u32) -> Component {
        Component { sku: WarehouseSku::parse(sku).unwrap(), quantity }
    }

    fn rule(method: Matcher, service: &str) -> ShippingRule {
        let decision = Decision::Book(Service::parse(service).unwrap());
        ShippingRule { method, countries: Vec::new(), min_total: None, below_total: None, decision }
    }

    fn mapping() -> Mapping {
        Mapping {
            version: 1,
            listings: BTreeMap::from([
                (Sku::parse("MUG").unwrap(), Target::Ship(vec![component("WH-MUG", 1)])),
                (
                    Sku::parse("KIT").unwrap(),
                    Target::Ship(vec![component("WH-MUG", 2), component("WH-TEA", 1)]),
                ),
                (Sku::parse("EBOOK").unwrap(), Target::DoNotShip),
            ]),
            rules: vec![rule(Matcher::Is("UPS Ground".into()), "UPSG")],
        }
    }

    fn shipped(mapped: Mapped) -> Vec<(String, String, u32)> {
        match mapped {
            Mapped::Ship { lines, .. } => {
                lines.into_iter().map(|l| (l.id, l.sku.as_str().to_owned(), l.quantity)).collect()
            }
            Mapped::NothingToShip => Vec::new(),
        }
    }

    #[test]
    fn a_kit_becomes_its_components_times_the_quantity() {
        let order = order(vec![line(7, Some("KIT"), 3)], Some("UPS Ground"), "US");
        let mapped = mapping().resolve(&order, &Policies::default()).unwrap();
        assert_eq!(shipped(mapped), [("7".into(), "WH-MUG".into(), 6), ("7-2".into(), "WH-TEA".into(), 3)]);
    }

    #[test]
    fn all_gaps_are_told_at_once_and_each_once() {
        let lines =
            vec![line(1, Some("X"), 1), line(2, None, 1), line(3, Some("X"), 1), line(4, Some("MUG"), 1)];
        let gaps = mapping().resolve(&order(lines, Some("Pigeon"), "CA"), &Policies::default()).unwrap_err();
        assert_eq!(
            gaps,
            [
                Gap::UnknownSku(Sku::parse("X").unwrap()),
                Gap::NoSku(2),
                Gap::UnknownMethod { method: "PIGEON".into(), country: "CA".into() },
            ]
        );
    }

    #[test]
    fn the_policy_decides_about_an_unknown_sku() {
        let lines = vec![line(1, Some("X"), 2), line(2, Some("MUG"), 1)];
        let order = order(lines, Some("UPS Ground"), "US");
        let with = |unknown_sku| mapping().resolve(&order, &Policies { unknown_sku, ..Policies::default() });
        assert!(with(UnknownSku::Hold).is_err());
        assert_eq!(shipped(with(UnknownSku::Pass).unwrap())[0], ("1".into(), "X".into(), 2));
        assert_eq!(shipped(with(UnknownSku::Drop).unwrap()), [("2".into(), "WH-MUG".into(), 1)]);
    }

    #[test]
    fn an_order_of_things_that_are_not_shipped_has_nothing_to_ship() {
        let order = order(vec![line(1, Some("EBOOK"), 1)], None, "US");
        assert_eq!(mapping().resolve(&order, &Policies::default()), Ok(Mapped::NothingToShip));
    }

    #[test]
    fn the_first_rule_that_applies_decides() {
        let mut mapping = mapping();
        mapping.rules = vec![
            ShippingRule {
                countries: vec!["ca".into()],
                min_total: Some(Decimal::new(40, 0)),
                below_total: Some(Decimal::new(60, 0)),
                ..rule(Matcher::StartsWith("ups".into()), "UPS-CA")
            },
            rule(Matcher::Like("ups*ground".into()), "UPS-GROUND"),
            ShippingRule { decision: Decision::Hold, ..rule(Matcher::Is("UPS Express".into()), "-") },
            rule(Matcher::Any, "STD"),
        ];
        let service = |method: &str, country: &str, total: i64| {
            let mut order = order(vec![line(1, Some("MUG"), 1)], Some(method), country);
            order.total = Decimal::new(total, 0);
            match mapping.resolve(&order, &Policies::default()) {
                Ok(Mapped::Ship { service, .. }) => service.as_str().to_owned(),
                other => format!("{other:?}"),
            }
        };
        assert_eq!(service("UPS Anything", "CA", 50), "UPS-CA");
        assert_eq!(service("UPS Ground", "CA", 60), "UPS-GROUND");
        assert_eq!(service("Select Shipping Method -  ups  standard ground", "US", 50), "UPS-GROUND");
        assert_eq!(service("Pigeon", "US", 50), "STD");
        assert!(service("UPS Express", "US", 50).contains("HeldMethod"));
    }

    #[test]
    fn the_policy_decides_about_an_unknown_method() {
        let policies = Policies {
            unknown_method: UnknownMethod::Use(Service::parse("STD").unwrap()),
            ..Policies::default()
        };
        for method in [Some("Pigeon"), None] {
            let order = order(vec![line(1, Some("MUG"), 1)], method, "US");
            assert!(mapping().resolve(&order, &policies).is_ok());
            assert!(mapping().resolve(&order, &Policies::default()).is_err());
        }
    }

    #[test]
    fn a_quantity_that_overflows_is_a_gap() {
        let order = order(vec![line(1, Some("KIT"), u32::MAX)], Some("UPS Ground"), "US");
        assert_eq!(
            mapping().resolve(&order, &Policies::default()),
            Err(vec![Gap::TooMany(Sku::parse("KIT").unwrap())])
        );
    }

    #[test]
    fn wildcards_match_the_whole_text() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("A*C", "ABBC", true),
            ("A*C", "ABBD", false),
            ("A?C", "ABC", true),
            ("A?C", "AC", false),
            ("*A*B*", "XXAYYBZZ", true),
            ("", "A", false),
        ] {
            assert_eq!(is_like(pattern, text), fits, "{pattern} {text}");
        }
    }
}
