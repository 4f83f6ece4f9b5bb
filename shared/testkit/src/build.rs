//! Sample data: an order, its record, a connection, a mapping. Plain values that a test changes where it matters.

use std::collections::BTreeMap;

use domain::address::{Address, Place};
use domain::admission::Admission;
use domain::carrier::{Carrier, Tracking, TrackingNumber};
use domain::connection::{Connection, History, Schedule};
use domain::fulfillment::FulfillmentRequest;
use domain::ids::InvalidId;
use domain::life::Stamp;
use domain::mapping::{
    Change, Component, Decision, Mapping, Matcher, ShippingRule, Sku, Target, WarehouseSku,
};
use domain::money::{Currency, Money};
use domain::order::{LineItem, Order};
use domain::payment::PaymentStatus;
use domain::policy::Policies;
use domain::record::Record;
use domain::shipment::{Contents, Package, Post};
use domain::{ConnectionId, OrderId, OrderKey, Token};
use jiff::Timestamp;
use rust_decimal::Decimal;

/// The instant at which sample data was made: 2026-03-01, with digits down to the nanosecond.
#[must_use]
pub fn noon() -> Timestamp {
    at("2026-03-01T12:00:00.123456789Z")
}

/// An instant from its text.
///
/// # Panics
/// When it is none.
#[must_use]
#[expect(clippy::expect_used, reason = "only tests call it, with constants")]
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// A connection's id from its text.
///
/// # Panics
/// When it is none.
#[must_use]
#[expect(clippy::expect_used, reason = "only tests call it, with constants")]
pub fn connection_id(text: &str) -> ConnectionId {
    text.parse().expect("a connection id")
}

/// The key of an order.
///
/// # Panics
/// When the connection's id is none.
#[must_use]
pub fn key(connection: &str, order: u64) -> OrderKey {
    OrderKey::new(connection_id(connection), OrderId(order))
}

/// A word that the test knows to be good.
#[expect(clippy::expect_used, reason = "only tests call it, with constants")]
fn parsed<T: TryFrom<String, Error = InvalidId>>(text: &str) -> T {
    T::try_from(text.to_owned()).expect("a good word")
}

/// A SKU of the shop.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn sku(text: &str) -> Sku {
    parsed(text)
}

/// A SKU of the warehouse.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn warehouse_sku(text: &str) -> WarehouseSku {
    parsed(text)
}

/// A line of an order.
#[must_use]
pub fn line(id: u64, code: &str, name: &str, quantity: u32, cents: i64) -> LineItem {
    LineItem {
        id,
        product: 8_640_000 + id,
        sku: Some(sku(code)),
        name: name.to_owned(),
        quantity,
        unit_price: Decimal::new(cents, 2),
        recurring: false,
    }
}

/// Where the sample order goes.
#[must_use]
pub fn address() -> Address {
    Address {
        name: "Avery Example".to_owned(),
        line1: "100 Sample Street".to_owned(),
        line2: "Unit 4B".to_owned(),
        city: "Springfield".to_owned(),
        region: Place { name: "Illinois".to_owned(), code: Some("IL".to_owned()) },
        postal_code: "62704-1234".to_owned(),
        country: Place { name: "United States".to_owned(), code: Some("US".to_owned()) },
        residential: Some(true),
        phone: Some("555-010-0199".to_owned()),
        email: Some("avery.example@example.com".to_owned()),
    }
}

/// A paid order of two lines that goes to one address.
#[must_use]
pub fn order(id: u64) -> Order {
    Order {
        id: OrderId(id),
        client: 91_700_344,
        ordered_at: Some(at("2026-03-01T10:41:07Z")),
        payment: PaymentStatus::Accepted,
        archived: false,
        lines: vec![
            line(1, "TEA-GRN-100", "Green Tea, loose leaf, 100 g", 2, 1_295),
            line(2, "MUG-BLUE-L", "Large blue mug", 1, 1_850),
        ],
        ship_to: Some(address()),
        ship_method: Some(parsed("USPS Priority Mail (2-3 days)")),
        shipping_amount: Decimal::new(795, 2),
        total: Decimal::new(5_235, 2),
        currency: Currency::USD,
        comments: String::new(),
        recurring_order: None,
        upsells: Vec::new(),
        tracking_shown: Vec::new(),
        unknown_elements: Vec::new(),
    }
}

/// What the warehouse is asked for with that order, as far as its models look at it.
///
/// # Panics
/// When the key is too long for a reference in full.
#[must_use]
pub fn request(key: &OrderKey) -> FulfillmentRequest {
    let body = order(key.order.0);
    FulfillmentRequest {
        reference: parsed(&format!("{}-{}", key.connection, key.order)),
        order_number: key.order.to_string(),
        ordered_at: noon(),
        ship_to: address(),
        lines: Vec::new(),
        service: parsed("GROUND"),
        comments: String::new(),
        total: Money { amount: body.total, currency: body.currency },
    }
}

/// A stamp of the sample instant.
#[must_use]
pub fn stamp(token: u64) -> Stamp<'static> {
    Stamp { by: "poll-orders", at: noon(), token: Token(token) }
}

/// The record of an order that has just been imported.
#[must_use]
pub fn record(key: &OrderKey, to: &Admission, token: u64) -> Record {
    let wake = at("2026-03-01T12:10:00Z");
    Record::imported(key.clone(), to, Some(order(key.order.0).digest()), wake, stamp(token))
}

/// The record of an order that is ready to be sent.
#[must_use]
pub fn ready(key: &OrderKey, token: u64) -> Record {
    record(key, &Admission::Ready, token)
}

/// A package with everything in it, its tracking still to be posted.
#[must_use]
pub fn package(id: &str) -> Package {
    Package {
        id: parsed(id),
        tracking: Some(tracking("9400111899223197428497")),
        shipped_at: at("2026-03-02T16:20:00Z"),
        contents: Contents::Everything,
        voided: false,
        post: Post::Due,
        earlier: Vec::new(),
    }
}

/// A tracking number of USPS.
///
/// # Panics
/// When it is no number.
#[must_use]
#[expect(clippy::expect_used, reason = "only tests call it, with constants")]
pub fn tracking(number: &str) -> Tracking {
    let number = TrackingNumber::read(number).expect("a tracking number");
    Tracking { carrier: Carrier::read("USPS"), number, given_url: None }
}

/// A connection with policies as they come.
#[must_use]
pub fn connection(id: &str) -> Connection {
    let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    Connection {
        id: connection_id(id),
        name: "Sample Teas".to_owned(),
        enabled: true,
        store: pairs(&[("merchant_id", "123456"), ("api_key", "@env:STORE_KEY")]),
        warehouse: pairs(&[("kind", "http"), ("base_url", "http://127.0.0.1:9/wms")]),
        policies: Policies::default(),
        schedule: Schedule::default(),
        history: History::Known { since: Timestamp::UNIX_EPOCH },
    }
}

/// A mapping with a plain listing, a kit, a product that is not shipped, and two shipping rules.
#[must_use]
pub fn mapping(version: u64) -> Mapping {
    let part = |code: &str, quantity| Component { sku: warehouse_sku(code), quantity };
    let rule = |method, service: &str| ShippingRule {
        method,
        countries: Vec::new(),
        min_total: None,
        below_total: None,
        decision: Decision::Book(parsed(service)),
    };
    Mapping {
        version,
        listings: BTreeMap::from([
            (sku("TEA-GRN-100"), Target::Ship(vec![part("WH-1001", 1)])),
            (sku("KIT-TEA-MUG"), Target::Ship(vec![part("WH-1001", 2), part("WH-2001", 1)])),
            (sku("EBOOK"), Target::DoNotShip),
        ]),
        rules: vec![
            rule(Matcher::StartsWith("USPS PRIORITY".to_owned()), "USPS-PM"),
            rule(Matcher::Any, "GROUND"),
        ],
    }
}

/// A change of a mapping.
#[must_use]
pub fn change(note: &str) -> Change {
    Change { by: "sam".to_owned(), at: noon(), note: note.to_owned() }
}
