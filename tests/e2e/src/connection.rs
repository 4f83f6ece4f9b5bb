//! The one connection of the tests: the simulated store joined to the simulated warehouse, and what the shop has mapped.

use std::collections::BTreeMap;

use domain::ConnectionId;
use domain::connection::{Connection, History, Schedule};
use domain::mapping::{
    Component, Decision, Mapping, Matcher, Service, ShippingRule, Sku, Target, WarehouseSku,
};
use domain::policy::Policies;
use jiff::Timestamp;
use simulator::shop;
use simulator::store::Store;
use simulator::warehouse::Warehouse;

/// The last part of the address that the store sends its notifications to.
pub const NOTIFY_SECRET: &str = "notify-path-of-the-tests";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_dGhlLXNlY3JldC1vZi10aGUtdGVzdHMtb25seQ==";
/// What the warehouse lets in.
pub const WAREHOUSE_KEY: &str = "warehouse-key-of-the-tests";

/// The secrets by the variables that the connection names.
pub(crate) fn secrets(store: &Store) -> [(&'static str, String); 4] {
    [
        ("STORE_KEY", store.key().to_owned()),
        ("NOTIFY_SECRET", NOTIFY_SECRET.to_owned()),
        ("WAREHOUSE_KEY", WAREHOUSE_KEY.to_owned()),
        ("WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
    ]
}

/// Its turn comes every minute, so that a schedule's event always finds it due.
pub(crate) fn connection(store: &Store, warehouse: &Warehouse, start: Timestamp) -> Connection {
    Connection {
        id: ConnectionId::parse("main").expect("a slug"),
        name: "Shop of the tests".to_owned(),
        enabled: true,
        store: settings(&[
            ("merchant_id", &store.merchant_id().to_string()),
            ("api_key", "@env:STORE_KEY"),
            ("notify_secret", "@env:NOTIFY_SECRET"),
            ("base_url", &store.base_url()),
            ("requests_per_second", "50"),
        ]),
        warehouse: settings(&[
            ("kind", "http"),
            ("base_url", &warehouse.base_url()),
            ("auth", "header"),
            ("auth.key", "@env:WAREHOUSE_KEY"),
            ("repeat", "can_be_asked"),
            ("lag_seconds", "0"),
            ("requests_per_second", "50"),
            ("webhook.scheme", "standard_webhooks"),
            ("webhook.secret", "@env:WEBHOOK_SECRET"),
        ]),
        policies: Policies { start: Some(start), ..Policies::default() },
        schedule: Schedule { orders_minutes: 1, shipments_minutes: 1, ..Schedule::default() },
        history: History::Known { since: start },
    }
}

/// Settings from pairs of name and value.
pub(crate) fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Everything that the shop sells, the listing and the rule that its people forgot included.
pub(crate) fn mapping() -> Mapping {
    let forgotten = mapping_of(1, shop::missing_listings(), shop::missing_rules());
    let mut mapping = mapping_of(1, shop::listings(), shop::rules());
    mapping.listings.extend(forgotten.listings);
    mapping.rules.extend(forgotten.rules);
    mapping
}

/// A version of a mapping with just these.
pub(crate) fn mapping_of(version: u64, listings: shop::Listings, rules: shop::Rules) -> Mapping {
    let listings = listings.into_iter().map(|(sku, parts)| (Sku::parse(sku).expect("a SKU"), target(&parts)));
    let rules = rules.into_iter().map(|(method, service)| rule(method, service));
    Mapping { version, listings: listings.collect(), rules: rules.collect() }
}

fn target(parts: &[(&str, u32)]) -> Target {
    if parts.is_empty() {
        return Target::DoNotShip;
    }
    let component = |(sku, quantity): &(&str, u32)| Component {
        sku: WarehouseSku::parse(*sku).expect("a SKU"),
        quantity: *quantity,
    };
    Target::Ship(parts.iter().map(component).collect())
}

fn rule(method: &str, service: &str) -> ShippingRule {
    ShippingRule {
        method: Matcher::Is(method.to_owned()),
        countries: Vec::new(),
        min_total: None,
        below_total: None,
        decision: Decision::Book(Service::parse(service).expect("a service")),
    }
}
