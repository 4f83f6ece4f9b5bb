//! Orders with every awkward character, to try templates out before the first real order comes.

use domain::address::{Address, Place};
use domain::fulfillment::{FulfillmentRequest, RequestLine};
use domain::mapping::{Service, WarehouseSku};
use domain::money::{Currency, Money};
use domain::{Reference, ids::InvalidId};
use jiff::Timestamp;
use rust_decimal::Decimal;

const AWKWARD: &str = "É<&>\"'\\\n{x}";

/// One order with everything, and one with nothing that may be missing.
pub(super) fn requests() -> Vec<FulfillmentRequest> {
    [AWKWARD, ""].into_iter().filter_map(|text| request(text).ok()).collect()
}

fn request(text: &str) -> Result<FulfillmentRequest, InvalidId> {
    let full = !text.is_empty();
    let place = || Place { name: text.to_owned(), code: full.then(|| "XX".to_owned()) };
    let line = RequestLine {
        id: "1".to_owned(),
        sku: WarehouseSku::parse("A&\"B")?,
        name: text.to_owned(),
        quantity: 2,
        unit_price: Decimal::new(1250, 2),
    };
    Ok(FulfillmentRequest {
        reference: Reference::parse("sample-1")?,
        order_number: text.to_owned(),
        ordered_at: Timestamp::UNIX_EPOCH,
        ship_to: Address {
            name: text.to_owned(),
            line1: text.to_owned(),
            line2: text.to_owned(),
            city: text.to_owned(),
            region: place(),
            postal_code: text.to_owned(),
            country: place(),
            residential: full.then_some(true),
            phone: full.then(|| text.to_owned()),
            email: full.then(|| text.to_owned()),
        },
        lines: vec![line.clone(), RequestLine { id: "2".to_owned(), ..line }],
        service: Service::parse("S&\"1")?,
        comments: text.to_owned(),
        total: Money { amount: Decimal::new(2500, 2), currency: Currency::USD },
    })
}
