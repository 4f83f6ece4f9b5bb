//! How long it takes from the bytes of an order to a checked, typed order; beside it quick-xml's serde on the same bytes.
//!
//! Run with `cargo bench -p adapters --bench order_xml`. The goal is 20 µs for the 5 KB order.
#![expect(clippy::expect_used, reason = "a bench that cannot read its own document has nothing to measure")]

use adapters::one_shopping_cart::{read_list_document, read_order_document};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use domain::money::Currency;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Deserialize;

const PHYSICAL: &str = include_str!("../fixtures/one_shopping_cart/order-read-physical.xml");

fn main() {
    divan::main();
}

/// The sample order with as many lines as make it `bytes` long, or a little longer.
fn order(bytes: usize) -> String {
    let begin = PHYSICAL.find("<LineItemInfo>").expect("the sample has a line");
    let end = PHYSICAL.find("</LineItemInfo>").expect("the sample has a line") + "</LineItemInfo>".len();
    let line = &PHYSICAL[begin..end];
    let mut more = String::new();
    let mut number = 900_300_000;
    while PHYSICAL.len() + more.len() < bytes {
        more.push_str(&line.replace("<Id>800300401<", &format!("<Id>{number}<")));
        number += 1;
    }
    format!("{}{more}{}", &PHYSICAL[..end], &PHYSICAL[end..])
}

fn list(entries: u32) -> String {
    let entries: String = (0..entries)
        .map(|n| {
            let id = 700_100_201 + n;
            format!("<Order xlink:href=\"https://www.mcssl.com/API/900001/Orders/{id}\">{id}</Order>")
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Response success=\"true\" \
         xmlns:xlink=\"http://www.w3.org/1999/xlink\"><NextRecordSet><LimitCount>100</LimitCount>\
         <LimitOffset>100</LimitOffset></NextRecordSet><Orders>{entries}</Orders></Response>"
    )
}

#[divan::bench(args = [5_000, 100_000])]
fn order_by_pull_events_checked_and_typed(bencher: Bencher<'_, '_>, bytes: usize) {
    let body = order(bytes);
    let zone = TimeZone::get("America/New_York").expect("the zone is bundled");
    bencher.counter(BytesCount::of_str(&body)).bench(|| {
        read_order_document(black_box(body.as_bytes()), &zone, Currency::USD).expect("it is an order")
    });
}

#[divan::bench(args = [5_000, 100_000])]
fn order_by_serde_unchecked(bencher: Bencher<'_, '_>, bytes: usize) {
    let body = order(bytes);
    bencher
        .counter(BytesCount::of_str(&body))
        .bench(|| quick_xml::de::from_str::<Response>(black_box(&body)).expect("it is an order"));
}

#[divan::bench]
fn list_of_100_by_pull_events(bencher: Bencher<'_, '_>) {
    let body = list(100);
    bencher
        .counter(BytesCount::of_str(&body))
        .bench(|| read_list_document(black_box(body.as_bytes())).expect("it is a list"));
}

/// What serde is asked for: the same fields, without dates, places, limits and checks.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    #[serde(rename = "@success")]
    _success: String,
    #[serde(rename = "OrderInfo")]
    _order: OrderInfo,
    #[serde(rename = "OrderShippingProfileInfo")]
    _profile: Profile,
}

#[derive(Deserialize)]
struct OrderInfo {
    #[serde(rename = "Id")]
    _id: u64,
    #[serde(rename = "ClientId")]
    _client: Linked,
    #[serde(rename = "Comments")]
    _comments: String,
    #[serde(rename = "GrandTotal")]
    _total: Decimal,
    #[serde(rename = "OrderStatusType")]
    _status: String,
    #[serde(rename = "IsArchived")]
    _archived: bool,
    #[serde(rename = "OrderDate")]
    _date: String,
    #[serde(rename = "LineItems")]
    _lines: LineItems,
    #[serde(rename = "ShippingInfo")]
    _shipping: Shipping,
}

#[derive(Deserialize)]
struct Linked {
    #[serde(rename = "$text")]
    _id: u64,
}

#[derive(Deserialize)]
struct LineItems {
    #[serde(rename = "LineItemInfo")]
    _lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "Id")]
    _id: u64,
    #[serde(rename = "ProductId")]
    _product: Linked,
    #[serde(rename = "Quantity")]
    _quantity: u32,
    #[serde(rename = "ProductName")]
    _name: String,
    #[serde(rename = "Sku")]
    _sku: String,
    #[serde(rename = "UnitPrice")]
    _unit_price: Decimal,
    #[serde(rename = "IsRecurring")]
    _recurring: bool,
}

#[derive(Deserialize)]
struct Shipping {
    #[serde(rename = "ShippingMethodName")]
    _method: String,
    #[serde(rename = "ShippingAmount")]
    _amount: Decimal,
}

#[derive(Deserialize)]
struct Profile {
    #[serde(rename = "Name")]
    _name: String,
    #[serde(rename = "Address1")]
    _line1: String,
    #[serde(rename = "Address2")]
    _line2: String,
    #[serde(rename = "City")]
    _city: String,
    #[serde(rename = "Zip")]
    _zip: String,
    #[serde(rename = "StateName")]
    _region: String,
    #[serde(rename = "CountryName")]
    _country: String,
    #[serde(rename = "IsResidential")]
    _residential: bool,
}
