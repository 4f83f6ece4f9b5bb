//! An order is decided and translated from what the store, the policies and the mapping say, and from nothing else.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::admission::{Admission, decide};
use domain::fulfillment::{FulfillmentRequest, RequestLine, reference};
use domain::life::later;
use domain::mapping::{
    Decision, Gap, Mapped, Mapping, Matcher, Service, ShippingRule, Sku, Target, WarehouseSku,
};
use domain::money::{Currency, Money};
use domain::order::Order;
use domain::policy::{NoSku, Policies, UnknownSku};
use domain::record::{Exclusion, Wait};
use domain::warehouse::{Limits, OrderLookup, RawWebhook, Repeat, WarehouseOrder, Webhook};
use domain::{Failure, OrderId, PackageId, Reference, Token};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A paid order of two mugs to Springfield, with other fields where a test names them.
fn order(fields: Value) -> Order {
    let mut order = json!({
        "id": 7, "payment": "accepted", "total": "50.00", "currency": "USD", "ship_method": "UPS Ground",
        "lines": [{"id": 1, "product": 12, "sku": "MUG", "name": "Mug", "quantity": 2, "unit_price": "14.50"}],
        "ship_to": {
            "name": "Avery Example", "line1": "100 Sample Street", "city": "Springfield",
            "region": {"name": "Illinois", "code": "IL"}, "postal_code": "62701",
            "country": {"name": "United States", "code": "US"},
        },
    });
    for (name, value) in fields.as_object().unwrap() {
        order[name.as_str()] = value.clone();
    }
    serde_json::from_value(order).unwrap()
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

#[test]
fn an_unpaid_order_is_looked_at_four_times_a_day_at_last() {
    let unpaid = order(json!({"payment": "pending"}));
    let now = later(NOW, days(20));
    let look = later(now, Duration::from_secs(6 * 3600));
    let wait = Admission::Wait(Wait::Unpaid("pending".to_owned()), look);
    assert_eq!(decide(&unpaid, &Policies::default(), NOW, now), wait);
}

#[test]
fn an_order_cools_off_to_the_second() {
    let policies = Policies { cooling_off_minutes: 90, ..Policies::default() };
    let placed = order(json!({"ordered_at": NOW.to_string()}));
    let after = |seconds: u64| decide(&placed, &policies, NOW, later(NOW, Duration::from_secs(seconds)));
    let calm = later(NOW, Duration::from_secs(5400));
    assert_eq!(after(0), Admission::Wait(Wait::CoolingOff, calm));
    assert_eq!(after(5399), Admission::Wait(Wait::CoolingOff, calm));
    assert_eq!(after(5400), Admission::Ready);
    let at_once = Policies::default();
    let ahead = order(json!({"ordered_at": later(NOW, days(1)).to_string()}));
    assert_eq!(decide(&ahead, &at_once, NOW, NOW), Admission::Ready, "a store's clock ahead delays nothing");
}

#[test]
fn what_was_ordered_at_the_start_is_ours() {
    let policies = Policies { start: Some(NOW), ..Policies::default() };
    let placed = |at: Timestamp| order(json!({"ordered_at": at.to_string()}));
    let earlier = "1969-12-31T23:59:59Z".parse().unwrap();
    assert_eq!(decide(&placed(earlier), &policies, NOW, NOW), Admission::Exclude(Exclusion::BeforeStart));
    assert_eq!(decide(&placed(NOW), &policies, NOW, NOW), Admission::Ready);
    assert_eq!(decide(&placed(later(NOW, days(1))), &policies, NOW, NOW), Admission::Ready);
}

fn rule(method: Matcher, service: &str) -> ShippingRule {
    let decision = Decision::Book(Service::parse(service).unwrap());
    ShippingRule { method, countries: Vec::new(), min_total: None, below_total: None, decision }
}

fn mapping(rules: Vec<ShippingRule>) -> Mapping {
    let mug = WarehouseSku::parse("WH-MUG").unwrap();
    let one = domain::mapping::Component { sku: mug, quantity: 1 };
    let listings = BTreeMap::from([(Sku::parse("MUG").unwrap(), Target::Ship(vec![one]))]);
    Mapping { version: 1, listings, rules }
}

/// The service that is booked for an order.
fn booked(mapping: &Mapping, order: &Order) -> String {
    match mapping.resolve(order, &Policies::default()) {
        Ok(Mapped::Ship { service, .. }) => service.as_str().to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_rule_applies_only_where_all_its_conditions_hold() {
    let special = ShippingRule {
        countries: vec!["ca".into(), "US".into()],
        min_total: Some("40".parse().unwrap()),
        below_total: Some("60".parse().unwrap()),
        ..rule(Matcher::StartsWith("ups".into()), "SPECIAL")
    };
    let mapping = mapping(vec![special, rule(Matcher::Any, "STANDARD")]);
    let country = |code: &str| {
        json!({"name": "A", "line1": "B", "city": "C", "region": {"name": ""},
                                      "postal_code": "", "country": {"name": code, "code": code}})
    };
    for (method, code, total, service) in [
        ("UPS Ground", "CA", "50.00", "SPECIAL"),
        ("ups  2nd day", "US", "50.00", "SPECIAL"),
        ("UPS Ground", "CA", "40.00", "SPECIAL"),
        ("UPS Ground", "CA", "59.99", "SPECIAL"),
        ("FedEx", "CA", "50.00", "STANDARD"),
        ("UPS Ground", "DE", "50.00", "STANDARD"),
        ("UPS Ground", "CA", "39.99", "STANDARD"),
        ("UPS Ground", "CA", "60.00", "STANDARD"),
        ("UPS Ground", "CA", "60.01", "STANDARD"),
        ("by UPS", "CA", "50.00", "STANDARD"),
    ] {
        let order = order(json!({"ship_method": method, "total": total, "ship_to": country(code)}));
        assert_eq!(booked(&mapping, &order), service, "{method} to {code} for {total}");
    }
}

#[test]
fn a_whole_method_is_more_than_its_beginning() {
    let mapping = mapping(vec![rule(Matcher::Is("ups ground".into()), "UPSG")]);
    for (method, service) in [
        ("UPS Ground", Some("UPSG")),
        ("Select Shipping Method - UPS  Ground", Some("UPSG")),
        ("UPS Ground Saver", None),
        ("UPS", None),
    ] {
        let order = order(json!({"ship_method": method}));
        let gap = Gap::UnknownMethod { method: method.to_uppercase(), country: "US".into() };
        match mapping.resolve(&order, &Policies::default()) {
            Ok(mapped) => assert_eq!(
                Some(mapped),
                service.map(|service| Mapped::Ship {
                    lines: vec![line("1", "WH-MUG", 2)],
                    service: Service::parse(service).unwrap(),
                })
            ),
            Err(gaps) => assert_eq!((gaps, service), (vec![gap], None)),
        }
    }
}

fn line(id: &str, sku: &str, quantity: u32) -> RequestLine {
    let sku = WarehouseSku::parse(sku).unwrap();
    RequestLine { id: id.into(), sku, name: "Mug".into(), quantity, unit_price: "14.50".parse().unwrap() }
}

/// What `*` and `?` mean, said as plainly as possible.
fn fits(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) if fits(rest, text) => true,
        (Some(('*', _)), Some((_, shorter))) => fits(pattern, shorter),
        (Some((c, rest)), Some((d, shorter))) => (*c == '?' || c == d) && fits(rest, shorter),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wildcards_mean_what_they_say(pattern in "[AB*?]{1,8}", text in "[AB]{1,10}") {
        let chars = |text: &str| text.chars().collect::<Vec<char>>();
        let mapping = mapping(vec![rule(Matcher::Like(pattern.clone()), "WILD"), rule(Matcher::Any, "REST")]);
        let order = order(json!({"ship_method": text}));
        let service = if fits(&chars(&pattern), &chars(&text)) { "WILD" } else { "REST" };
        prop_assert_eq!(booked(&mapping, &order), service);
    }
}

#[test]
fn a_line_without_sku_or_listing_is_left_out_only_where_the_policy_says_so() {
    let lines = json!([
        {"id": 1, "product": 12, "sku": "MUG", "name": "Mug", "quantity": 2, "unit_price": "14.50"},
        {"id": 2, "product": 13, "name": "E-book", "quantity": 1, "unit_price": "5"},
        {"id": 3, "product": 14, "sku": "NEW", "name": "Tea", "quantity": 3, "unit_price": "5"},
    ]);
    let order = order(json!({"lines": lines}));
    let mapping = mapping(vec![rule(Matcher::Any, "STD")]);
    let resolved = |no_sku, unknown_sku| {
        mapping.resolve(&order, &Policies { no_sku, unknown_sku, ..Policies::default() })
    };
    let new = || Gap::UnknownSku(Sku::parse("NEW").unwrap());
    assert_eq!(resolved(NoSku::Hold, UnknownSku::Hold), Err(vec![Gap::NoSku(13), new()]));
    assert_eq!(resolved(NoSku::Drop, UnknownSku::Hold), Err(vec![new()]));
    assert_eq!(resolved(NoSku::Hold, UnknownSku::Drop), Err(vec![Gap::NoSku(13)]));
    let Ok(Mapped::Ship { lines, .. }) = resolved(NoSku::Drop, UnknownSku::Drop) else {
        panic!("the mugs are shipped")
    };
    assert_eq!(lines, [line("1", "WH-MUG", 2)]);
}

#[test]
fn a_gap_is_named_although_another_line_could_be_shipped() {
    let order = order(json!({"ship_method": "Pigeon"}));
    let gap = Gap::UnknownMethod { method: "PIGEON".into(), country: "US".into() };
    assert_eq!(mapping(Vec::new()).resolve(&order, &Policies::default()), Err(vec![gap]));
    let held = ShippingRule { decision: Decision::Hold, ..rule(Matcher::Any, "STD") };
    let gap = Gap::HeldMethod("PIGEON".into());
    assert_eq!(mapping(vec![held]).resolve(&order, &Policies::default()), Err(vec![gap]));
}

#[test]
fn a_digest_changes_with_what_the_warehouse_acts_on_and_with_nothing_else() {
    let plain = order(json!({})).digest();
    for same in [json!({"payment": "refunded"}), json!({"comments": "Hello"}), json!({"total": "51"})] {
        assert_eq!(order(same.clone()).digest(), plain, "{same}");
    }
    let mut there = json!({"name": "Avery Example", "line1": "100 Sample Street", "city": "Springfield",
        "region": {"name": "Illinois"}, "postal_code": "62701", "country": {"name": "United States"}});
    assert_eq!(order(json!({"ship_to": there})).digest(), plain, "a code is no address");
    there["line2"] = json!("Flat 2");
    for other in [
        json!({"id": 8}),
        json!({"ship_method": "UPS 2nd Day"}),
        json!({"ship_to": there}),
        json!({"ship_to": null}),
        json!({"lines": []}),
        json!({"lines": [{"id": 1, "sku": "MUG", "name": "Mug", "quantity": 3, "unit_price": "14.50"}]}),
        json!({"lines": [{"id": 1, "sku": "CUP", "name": "Mug", "quantity": 2, "unit_price": "14.50"}]}),
    ] {
        assert_ne!(order(other.clone()).digest(), plain, "{other}");
    }
    assert_eq!(plain.0.len(), 16);
}

fn request(lines: Vec<RequestLine>) -> FulfillmentRequest {
    let order = order(json!({}));
    FulfillmentRequest {
        reference: Reference::parse("main-7").unwrap(),
        order_number: "7".into(),
        ordered_at: NOW,
        ship_to: order.ship_to.unwrap(),
        lines,
        service: Service::parse("UPSG").unwrap(),
        comments: String::new(),
        total: Money { amount: order.total, currency: Currency::USD },
    }
}

#[test]
fn a_request_counts_its_pieces() {
    assert_eq!(request(Vec::new()).units(), 0);
    assert_eq!(request(vec![line("1", "WH-MUG", 2), line("2", "WH-TEA", 3)]).units(), 5);
    let many = vec![line("1", "WH-MUG", u32::MAX), line("2", "WH-TEA", 3)];
    assert_eq!(request(many).units(), u32::MAX, "and never wraps round");
}

#[test]
fn a_field_that_is_too_long_is_named_and_one_that_just_fits_is_not() {
    let mut asked = request(vec![line("1", "WH-MUG", 2)]);
    asked.ship_to.line2 = "Flat 2".into();
    let fits = Limits { reference: 6, name: 13, street: 17, place: 11, sku: 6 };
    assert!(fits.exceeded(&asked).is_empty());
    for (limits, fields) in [
        (Limits { name: 12, ..fits }, vec!["name (13 of 12 characters)"]),
        (Limits { street: 16, ..fits }, vec!["address line 1 (17 of 16 characters)"]),
        (Limits { place: 10, ..fits }, vec!["city (11 of 10 characters)"]),
        (Limits { sku: 5, ..fits }, vec!["SKU (6 of 5 characters)"]),
        (
            Limits { street: 5, place: 1, ..fits },
            vec![
                "address line 1 (17 of 5 characters)",
                "address line 2 (6 of 5 characters)",
                "city (11 of 1 characters)",
                "region (2 of 1 characters)",
                "postal code (5 of 1 characters)",
            ],
        ),
    ] {
        assert_eq!(limits.exceeded(&asked), fields);
    }
    asked.ship_to.name = "Ævery Éxample".into();
    assert!(fits.exceeded(&asked).is_empty(), "characters are counted, not bytes");
}

#[test]
fn a_reference_is_as_long_as_the_warehouse_allows_and_not_a_character_longer() {
    let key = "main/700100201".parse().unwrap();
    let made = |max| reference(&key, 0, max).map(|reference| reference.to_string());
    assert_eq!(made(14).unwrap(), "main-700100201");
    assert!(made(13).is_err(), "the short form has 18");
    let long = "a-long-name-of-a-connection/700100201".parse().unwrap();
    let made = |max| reference(&long, 0, max).map(|reference| reference.to_string().len());
    assert_eq!((made(37), made(36), made(18)), (Ok(37), Ok(18), Ok(18)));
    assert!(made(17).unwrap_err().to_string().contains("too short"));
}

#[test]
fn a_name_of_the_warehouse_is_plain_text_within_its_length() {
    for good in ["W", "W 1/ä", &"x".repeat(200)] {
        assert_eq!(PackageId::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", " W", "W ", "W\n1", "\t", &"x".repeat(201)] {
        assert!(PackageId::parse(bad).is_err(), "{bad:?}");
    }
    assert_eq!(domain::ConnectionId::parse("x".repeat(40)).unwrap().as_str().len(), 40);
    assert_eq!(OrderId(700_100_201).to_string(), "700100201");
    assert_eq!(serde_json::to_string(&Token(255)).unwrap(), r#""00000000000000ff""#);
    assert_eq!(serde_json::from_str::<Token>(r#""00000000000000ff""#).unwrap(), Token(255));
    assert!(serde_json::from_str::<Token>(r#""a word""#).is_err());
}

#[test]
fn a_header_is_found_by_its_name() {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let raw = RawWebhook {
        headers: vec![header("content-type", "text/xml"), header("signature", "abc")],
        path_rest: String::new(),
        body: b"<x/>".to_vec(),
    };
    assert_eq!((raw.header("signature"), raw.header("date")), (Some("abc"), None));
    assert_eq!(Webhook::verified(raw).raw().body, b"<x/>");
}

#[test]
fn what_cannot_be_read_has_a_name_of_its_own_that_is_the_same_each_time() {
    let name = domain::arrivals::name_of;
    assert_eq!(name(b"<x/>"), name(b"<x/>"));
    assert_ne!(name(b"<x/>"), name(b"<y/>"), "two notices must not be parked as one");
    let hex = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(hex(&name(b"")) && hex(&name(&[0xff; 1000])));
}

/// A warehouse that can be asked, and has nothing.
struct Empty;

#[async_trait]
impl OrderLookup for Empty {
    async fn find(&self, _: &Reference) -> Result<Option<WarehouseOrder>, Failure> {
        Ok(None)
    }
}

#[test]
fn each_class_of_warehouse_says_what_becomes_of_an_unclear_send() {
    let lookup: Arc<dyn OrderLookup> = Arc::new(Empty);
    for (repeat, words, can_be_asked) in [
        (Repeat::HonoursKey, "repeating is safe", false),
        (Repeat::RefusesDuplicates(lookup.clone()), "repeating is safe", true),
        (Repeat::CanBeAsked { lookup, lag: days(1) }, "is looked up before it is repeated", true),
        (Repeat::Cannot, "waits for a person", false),
    ] {
        assert!(repeat.sentence().ends_with(words), "{}", repeat.sentence());
        assert_eq!(repeat.lookup().is_some(), can_be_asked, "{}", repeat.sentence());
    }
}

#[test]
fn what_changed_after_sending_is_told_without_personal_data() {
    let sent = order(json!({}));
    assert_eq!(sent.differences(&sent), Vec::<String>::new());
    let line = |sku: &str, quantity: u32| json!({"id": 1, "sku": sku, "name": "x", "quantity": quantity, "unit_price": "1"});
    let mut now = order(json!({"lines": [line("MUG", 3), line("NEW", 1)], "ship_method": "Pigeon"}));
    if let Some(to) = &mut now.ship_to {
        (to.city, to.line1) = ("Elsewhere".into(), "1 Other Street".into());
    }
    assert_eq!(
        now.differences(&sent),
        [
            "shipping method: Pigeon instead of UPS Ground",
            "address: another address line 1, city",
            "MUG: 3 instead of 2",
            "NEW: 1 instead of 0",
        ]
    );
    assert_ne!(now.digest(), sent.digest());
    now.ship_to = None;
    assert!(now.differences(&sent).contains(&"address: none any more".to_owned()));
}
