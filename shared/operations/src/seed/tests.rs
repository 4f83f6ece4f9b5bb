//! What a seed proposes, and that an import takes nothing of it that nobody agreed to.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::mapping::{Decision, Mapping, Matcher, Service, ShipMethod, ShippingRule};
use domain::order::Order;
use domain::ports::{ListPage, OrderSource, Product, ProductPage, ProductSource, Read, Window};
use domain::warehouse::{StockFeed, StockLevel};
use domain::{Failure, OrderId};
use testkit::build;

use super::*;
use crate::fake::{FakeLedger, connection, now};
use crate::mapping_csv::{Content, parse};
use crate::recent::Silent;
use crate::text::Style;

/// A shop and a warehouse that hold still.
#[derive(Default)]
struct Still {
    orders: BTreeMap<OrderId, Order>,
    products: BTreeMap<u64, Product>,
    stock: Vec<&'static str>,
    is_stock_away: bool,
}

#[async_trait]
impl OrderSource for Still {
    async fn list(&self, _: Window, offset: u32) -> Result<ListPage, Failure> {
        // Two a page, the last one repeated on the next page.
        let from = usize::try_from(offset).unwrap().saturating_sub(1);
        let orders: Vec<OrderId> = self.orders.keys().copied().skip(from).take(2).collect();
        let next = offset + 2;
        let more = usize::try_from(next).unwrap() < self.orders.len() + 2;
        Ok(ListPage { orders, next_offset: more.then_some(next) })
    }
    async fn read(&self, which: &str) -> Result<Read, Failure> {
        let order = self.orders.get(&which.parse().unwrap());
        Ok(order.map_or(Read::Absent, |order| Read::Order(Box::new(order.clone()))))
    }
}

#[async_trait]
impl ProductSource for Still {
    async fn page(&self, _: u32) -> Result<ProductPage, Failure> {
        Ok(ProductPage { products: self.products.keys().copied().collect(), next_offset: None })
    }
    async fn product(&self, id: u64) -> Result<Option<Product>, Failure> {
        Ok(self.products.get(&id).cloned())
    }
}

#[async_trait]
impl StockFeed for Still {
    async fn levels(&self) -> Result<Vec<StockLevel>, Failure> {
        if self.is_stock_away {
            return Err(Failure::retryable("read stock", "away"));
        }
        Ok(self.stock.iter().map(|sku| StockLevel { sku: build::warehouse_sku(sku), available: 0 }).collect())
    }
}

fn order(id: u64, skus: &[Option<&str>], method: &str) -> Order {
    let line = |(n, sku): (u64, &Option<&str>)| {
        let line = build::line(n, sku.unwrap_or("none"), "A thing", 2, 100);
        domain::order::LineItem { sku: sku.map(build::sku), product: 40 + n, ..line }
    };
    Order {
        lines: (1..).zip(skus).map(line).collect(),
        ship_method: Some(ShipMethod::parse(method).unwrap()),
        ..build::order(id)
    }
}

fn shop(orders: Vec<Order>, stock: &[&'static str]) -> Still {
    let orders = orders.into_iter().map(|order| (order.id, order)).collect();
    Still { orders, stock: stock.to_vec(), ..Still::default() }
}

async fn seeded(shop: &Still, mapping: &Mapping, services: &str) -> Seed {
    let (main, ledger) = (connection("main"), FakeLedger::default());
    let recent = Recent { connection: &main, store: shop, ledger: &ledger, now: now(), progress: &Silent };
    let services = (!services.is_empty()).then_some(services.as_bytes());
    let seeding = Seeding {
        recent,
        span: Span::Days(30),
        products: Some(shop),
        stock: Some(shop),
        warehouse_skus: None,
        services,
        mapping,
    };
    seeding.seed().await.unwrap()
}

fn proposals(seed: &Seed) -> Vec<(&str, &str, Certainty, u64)> {
    seed.listings
        .iter()
        .map(|l| (l.sku.as_str(), l.warehouse_sku.as_str(), l.certainty, l.sold.orders))
        .collect()
}

#[tokio::test]
async fn exact_codes_are_proposed_guesses_marked_and_the_most_sold_comes_first() {
    let orders = vec![
        order(1, &[Some("TEA 1"), Some("MUG")], "UPS"),
        order(2, &[Some("TEA 1"), Some("TEA 1")], "UPS"),
        order(3, &[Some("TEA 1"), Some("PEN"), Some("KNOWN")], "UPS"),
    ];
    let mut mapping = build::mapping(1);
    mapping.listings.insert(build::sku("KNOWN"), Target::DoNotShip);
    let seed = seeded(&shop(orders, &["MUG", "tea-1", "P EN", "PE-N"]), &mapping, "").await;
    assert_eq!(
        proposals(&seed),
        [
            ("TEA 1", "tea-1", Certainty::Guess, 3),
            ("MUG", "MUG", Certainty::Exact, 1),
            ("PEN", "", Certainty::Open, 1)
        ]
    );
    assert_eq!((seed.orders, seed.mapped, seed.listings[0].sold.pieces), (3, 1, 8));
    let Content::Listings(read) = parse(seed.listings_csv().as_bytes()).unwrap().content else { panic!() };
    assert_eq!(read.keys().map(Sku::as_str).collect::<Vec<_>>(), ["MUG"], "a guess is not applied");
    let agreed = seed.listings_csv().replace("TEA 1,tea-1,1,no", "TEA 1,tea-1,1,yes");
    let Content::Listings(read) = parse(agreed.as_bytes()).unwrap().content else { panic!() };
    assert_eq!(read.len(), 2, "somebody wrote yes");
    assert!(seed.needs_attention() && seed.text(Style::PLAIN).contains("tea-1"));
}

#[tokio::test]
async fn products_that_were_never_sold_are_seen_and_those_without_sku_are_named() {
    let mut shop = shop(vec![order(1, &[None, Some("MUG")], "UPS")], &["MUG"]);
    let product = |id, sku: Option<&str>, has_shipping| Product {
        id,
        name: format!("Product {id}"),
        sku: sku.map(build::sku),
        has_shipping,
        weight: None,
    };
    for (id, sku, physical) in
        [(41, None, true), (50, Some("EBOOK-2"), false), (51, Some("NEW"), true), (52, None, false)]
    {
        shop.products.insert(id, product(id, sku, physical));
    }
    let seed = seeded(&shop, &Mapping::default(), "").await;
    let without: Vec<_> = seed.without_sku.iter().map(|p| (p.product, p.sold.orders)).collect();
    assert_eq!(without, [(41, 1)], "what is digital and does not sell is no trouble");
    assert!(proposals(&seed).contains(&("EBOOK-2", "-", Certainty::Guess, 0)), "{seed:?}");
    assert!(proposals(&seed).contains(&("NEW", "", Certainty::Open, 0)), "{seed:?}");
}

#[tokio::test]
async fn rules_in_force_stay_first_and_a_method_is_proposed_for_where_it_was_used() {
    let rule = |text: &str, service: &str| ShippingRule {
        method: Matcher::Is(text.into()),
        countries: Vec::new(),
        min_total: None,
        below_total: None,
        decision: Decision::Book(Service::parse(service).unwrap()),
    };
    let mapping = Mapping { version: 1, rules: vec![rule("UPS Ground", "UPSG")], ..Mapping::default() };
    let methods = ["UPS Ground", "UPS-Ground", "Express", "express", "2nd Day", "Pigeon"];
    let orders = (1..).zip(methods).map(|(id, method)| order(id, &[Some("MUG")], method)).collect();
    let seed = seeded(&shop(orders, &[]), &mapping, "service\nExpress\n2ND-DAY\n").await;
    let rules: Vec<_> = seed
        .rules
        .iter()
        .map(|rule| (rule.method.as_str(), rule.service.as_str(), rule.certainty, rule.used.orders))
        .collect();
    assert_eq!(
        rules,
        [
            ("Express", "Express", Certainty::Exact, 2),
            ("2nd Day", "2ND-DAY", Certainty::Guess, 1),
            ("Pigeon", "", Certainty::Open, 1),
            ("UPS-Ground", "UPSG", Certainty::Guess, 1),
        ]
    );
    assert_eq!(seed.rules[0].countries, ["US"]);
    let Content::Rules(read) = parse(seed.rules_csv().as_bytes()).unwrap().content else { panic!() };
    let services: Vec<_> = read.iter().map(|rule| (&rule.method, rule.countries.len())).collect();
    assert_eq!(
        services,
        [(&Matcher::Is("UPS Ground".into()), 0), (&Matcher::Is("Express".into()), 1)],
        "those in force are kept, a guess is not applied"
    );
}

#[tokio::test]
async fn a_warehouse_that_cannot_be_asked_is_no_reason_to_give_up() {
    let mut shop = shop(vec![order(1, &[Some("MUG")], "UPS")], &[]);
    shop.is_stock_away = true;
    let seed = seeded(&shop, &Mapping::default(), "").await;
    assert!(seed.notes.iter().any(|note| note.contains("--warehouse-skus")), "{:?}", seed.notes);
    assert_eq!(proposals(&seed), [("MUG", "", Certainty::Open, 1)]);
}

#[test]
fn codes_are_read_from_lines_and_from_the_first_column() {
    let read = |file: &str| first_column(file.as_bytes()).unwrap();
    assert_eq!(read("A\nB 1\n\n C \n"), ["A", "B 1", "C"]);
    assert_eq!(read("\u{feff}SKU;Name\r\nA,1;x\r\nB;y\r\n"), ["A,1", "B"]);
    assert_eq!(read("Warehouse SKU,Stock\n\"A,1\",5\n"), ["A,1"]);
    assert!(first_column(b"PK\x03\x04").unwrap_err().to_string().contains("workbook"));
}
