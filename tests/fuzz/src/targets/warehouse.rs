//! Warehouses: every call whose answer is read, and every webhook, of the generic adapter in both notations and of ShipBob.

use std::sync::LazyLock;

use adapters::http::Answer;
use adapters::wms;
use domain::address::{Address, Place};
use domain::fulfillment::{FulfillmentRequest, RequestLine};
use domain::mapping::{Service, WarehouseSku};
use domain::money::{Currency, Money};
use domain::shipment::{Contents, ShipmentNotice};
use domain::warehouse::{Cancellation, Creation, FeedPage, Heard, RawWebhook, Warehouse, Webhook};
use domain::{Failure, Reference, limits};
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::outside::{self, Exchange, Given, give, outcome};
use crate::target::{MARK, Verdict, refusal};

/// The calls, with how they are answered.
pub(crate) const CALLS: &[&str] = &[
    "create 201\n",
    "create 409\n",
    "create 422\n",
    "create 400\n",
    "create 500 7\n",
    "create 503 7\n",
    "create 429 7\n",
    "find 200\n",
    "cancel 200\n",
    "feed 200\n",
    "shipments 200\n",
    "stock 200\n",
    "webhook 200\n",
    "check 200\n",
];

/// What all JSON is made of.
pub(crate) const JSON_MARKS: &[&str] = &["{", "}", "[", "]", ",", ":", "null"];

/// The generic adapter's settings for JSON read these.
pub(crate) const JSON: &[&str] = &[
    "\"id\":\"W1\"",
    "\"orders\":[",
    "\"reference\":\"main-7\"",
    "\"status\":\"cancelled\"",
    "\"reason\":\"mark@q7.example\"",
    "\"shipments\":[",
    "\"tracking_number\":\"1Z9\"",
    "\"carrier\":\"UPS\"",
    "\"items\":[",
    "\"sku\":\"A\"",
    "\"quantity\":1",
    "\"voided\":true",
    "\"complete\":false",
    "\"next\":\"n\"",
    "\"more\":true",
    "\"stock\":[",
    "\"available\":1",
    "\"event\":\"shipment.created\"",
    "\"shipment\":{",
    "\\u0000",
    "\\ud800",
    "true",
    "\"shipped_at\":\"2026-11-23T00:00:00Z\"",
    "\"tracking_url\":\"https://x\"",
    "mark@q7.example",
];

/// Its settings for XML read these.
pub(crate) const XML: &[&str] = &[
    "<Response success=\"true\">",
    "</Response>",
    "<OrderId>",
    "</OrderId>",
    "<Error>",
    "</Error>",
    "<Orders>",
    "</Orders>",
    "<Order id='7' ref='main-7'>",
    "</Order>",
    "<Status>cancelled</Status>",
    "<Shipments>",
    "</Shipments>",
    "<Shipment id='1'>",
    "</Shipment>",
    "<OrderRef>main-7</OrderRef>",
    "<Carrier>",
    "</Carrier>",
    "<Tracking url='https://x'><Number>1Z9</Number></Tracking>",
    "<Items>",
    "</Items>",
    "<Item sku='A' qty='1'/>",
    "<Notice>",
    "</Notice>",
    "<a:b xmlns:a='c'>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?a b?>",
    "<!DOCTYPE a>",
    "&amp;",
    "&#0;",
    "&#x10ffff;",
    "&a;",
    " a='1'",
    "mark@q7.example",
];

/// What ShipBob says.
pub(crate) const SHIPBOB: &[&str] = &[
    "\"id\":7",
    "\"reference_id\":\"main-7\"",
    "\"channel\":{\"id\":433}",
    "\"status\":\"Fulfilled\"",
    "\"products\":[",
    "\"recipient\":{\"name\":\"mark@q7.example\"}",
    "\"shipments\":[",
    "\"tracking\":{",
    "\"tracking_number\":\"1Z9\"",
    "\"is_tracking_uploaded\":false",
    "\"inventory_items\":[{\"id\":1,\"quantity\":2}]",
    "\"items\":[",
    "\"next\":\"?a\"",
    "\"sku\":\"A\"",
    "\"total_sellable_quantity\":1",
    "\"title\":\"x\"",
    "\"detail\":\"mark@q7.example\"",
    "\"errors\":{",
    "\"order\":{",
    "\"scopes\":[\"orders_write\"]",
    "-1",
    "1.5",
];

/// A warehouse over the network of inputs.
struct Lab {
    warehouse: Warehouse,
    given: Given,
    /// Has this reference at the warehouse.
    request: FulfillmentRequest,
}

impl Lab {
    fn open(lines: &str) -> Self {
        let (http, given) = outside::network(&[]);
        let warehouse = wms::connect(&outside::settings_of(lines), http, outside::clock());
        Self { warehouse: warehouse.unwrap_or_else(|e| panic!("{e}")), given, request: request() }
    }
}

macro_rules! settings {
    ($folder:literal) => {
        include_str!(concat!("../../../../shared/adapters/fixtures/wms/", $folder, "/settings.env"))
    };
}

/// The generic adapter on JSON.
pub(crate) fn json(input: &[u8]) -> Verdict {
    static LAB: LazyLock<Lab> =
        LazyLock::new(|| Lab::open(&settings!("http").replace("=@fixture:", "=@given:")));
    call(&LAB, input)
}

/// The generic adapter on XML.
pub(crate) fn xml(input: &[u8]) -> Verdict {
    static LAB: LazyLock<Lab> = LazyLock::new(|| Lab::open(settings!("http-xml")));
    call(&LAB, input)
}

/// ShipBob.
pub(crate) fn shipbob(input: &[u8]) -> Verdict {
    static LAB: LazyLock<Lab> = LazyLock::new(|| Lab::open(settings!("shipbob")));
    call(&LAB, input)
}

/// One call, answered with the input: `operation status retry-after`, then the body.
fn call(lab: &Lab, input: &[u8]) -> Verdict {
    let Some(Exchange { operation, answer }) = Exchange::read(input) else { return Verdict::Refused };
    let (warehouse, reference) = (&lab.warehouse, &lab.request.reference);
    if operation == "webhook" {
        return webhook(warehouse, answer);
    }
    give(&lab.given, answer);
    match operation.as_str() {
        "find" => match warehouse.repeat.lookup() {
            Some(lookup) => verdict(outcome(lookup.find(reference)), |_| {}),
            None => Verdict::Refused,
        },
        "cancel" => match &warehouse.cancel {
            Some(desk) => verdict(outcome(desk.cancel(reference, None)), |cancellation| {
                if let Cancellation::Refused(why) = cancellation {
                    reason(why);
                }
            }),
            None => Verdict::Refused,
        },
        "feed" => match warehouse.notices.feed() {
            Some(feed) => verdict(outcome(feed.page(None)), page),
            None => Verdict::Refused,
        },
        "shipments" => match &warehouse.shipments {
            Some(lookup) => verdict(outcome(lookup.shipments(reference)), |notices| {
                assert!(
                    notices.iter().all(|notice| notice.reference == *reference),
                    "shipments of another order"
                );
                notices.iter().for_each(kept_promises);
            }),
            None => Verdict::Refused,
        },
        "check" => {
            outcome(warehouse.probe.check()).iter().for_each(|finding| {
                refusal(&finding.detail);
            });
            Verdict::Accepted
        }
        _ => create(lab),
    }
}

fn create(lab: &Lab) -> Verdict {
    match outcome(lab.warehouse.orders.create(&lab.request)) {
        Creation::Accepted(_) | Creation::Duplicate(_) => Verdict::Accepted,
        Creation::Refused(why) => {
            reason(&why);
            // It was read, and it was a no.
            Verdict::Accepted
        }
        Creation::NotApplied(failure) | Creation::Unclear(failure) => refused(&failure),
    }
}

/// The warehouse's own words, as they are kept: short, one line, without the buyer's data.
fn reason(why: &str) {
    assert!(!why.is_empty() && why.chars().count() <= 300, "a reason of {} characters", why.chars().count());
    assert!(!why.contains(char::is_control), "a control character in a reason: {why:?}");
    // Inside a longer word it is no whole word, and not found.
    for (at, found) in why.match_indices(MARK) {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let inside = letter(why[..at].chars().next_back()) || letter(why[at + found.len()..].chars().next());
        assert!(inside, "personal data in a reason: {why}");
    }
}

fn webhook(warehouse: &Warehouse, answer: Answer) -> Verdict {
    let Some(reader) = warehouse.notices.reader() else { return Verdict::Refused };
    let headers = vec![("x-webhook-topic".to_owned(), "order.shipped".to_owned())];
    let raw = RawWebhook { headers, path_rest: String::new(), body: answer.body };
    let read = reader.read(&Webhook::verified(raw));
    if let Err(failure) = &read {
        assert_eq!(failure.kind.word(), "poison", "what was sent will be the same the next time");
    }
    verdict(read, |heard| {
        assert!(heard.len() <= limits::WEBHOOK_SHIPMENTS, "{} shipments in one webhook", heard.len());
        for one in heard {
            if let Heard::Shipped(notice) = one {
                kept_promises(notice);
            }
        }
    })
}

fn page(page: &FeedPage) {
    page.notices.iter().for_each(kept_promises);
    for why in &page.unreadable {
        refusal(why);
    }
    assert!(
        page.bookmark.as_ref().is_none_or(|mark| mark.len() <= limits::BOOKMARK_BYTES),
        "a bookmark without end"
    );
}

/// What every notice promises.
fn kept_promises(notice: &ShipmentNotice) {
    for word in [notice.reference.as_str(), notice.package.as_str()] {
        assert!(!word.is_empty() && word.len() <= 200 && !word.contains(char::is_control), "{word:?}");
    }
    if let Some(tracking) = &notice.tracking {
        let number = tracking.number.as_str();
        assert!(number.len() <= 100 && !number.contains(char::is_control), "a number like {number:?}");
        let name = &tracking.carrier.name;
        assert!(name.chars().count() <= 60 && !name.contains(char::is_control), "a carrier like {name:?}");
        let url = tracking.given_url.as_deref().unwrap_or("https://");
        assert!(
            url.starts_with("https://") && url.len() <= 2000 && !url.contains(char::is_control),
            "{url:?}"
        );
    }
    if let Contents::Lines(lines) = &notice.contents {
        assert!(!lines.is_empty(), "lines that are none");
        assert!(lines.iter().all(|(_, pieces)| *pieces > 0), "a line of nothing");
    }
}

fn verdict<T>(outcome: Result<T, Failure>, check: impl Fn(&T)) -> Verdict {
    match outcome {
        Err(failure) => refused(&failure),
        Ok(value) => {
            check(&value);
            Verdict::Accepted
        }
    }
}

fn refused(failure: &Failure) -> Verdict {
    assert!(failure.wait().is_none_or(|wait| wait.as_secs() <= 86_400), "it asks for {:?}", failure.wait());
    refusal(&failure.to_string())
}

/// An order of a buyer who is all mark.
fn request() -> FulfillmentRequest {
    let place = |name: &str| Place { name: name.to_owned(), code: None };
    let line = RequestLine {
        id: "1".to_owned(),
        sku: word(WarehouseSku::parse("A")),
        name: "Mug".to_owned(),
        quantity: 1,
        unit_price: Decimal::ONE,
    };
    FulfillmentRequest {
        reference: word(Reference::parse("main-7")),
        order_number: "7".to_owned(),
        ordered_at: Timestamp::UNIX_EPOCH,
        ship_to: Address {
            name: MARK.to_owned(),
            line1: "1 Main Street".to_owned(),
            region: place("Ohio"),
            country: place("US"),
            email: Some(MARK.to_owned()),
            ..Address::default()
        },
        lines: vec![line],
        service: word(Service::parse("GROUND")),
        comments: "please ring twice".to_owned(),
        total: Money { amount: Decimal::TEN, currency: Currency::USD },
    }
}

fn word<T, E: std::fmt::Display>(word: Result<T, E>) -> T {
    word.unwrap_or_else(|e| panic!("{e}"))
}
