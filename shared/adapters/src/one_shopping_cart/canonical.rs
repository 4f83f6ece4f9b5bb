//! From the store's texts to the order as Cartdock knows it, or to the reason why it cannot be one.

use domain::OrderId;
use domain::address::Address;
use domain::limits::ORDER_TEXT_BYTES;
use domain::mapping::{ShipMethod, Sku};
use domain::money::Currency;
use domain::order::{LineItem, Order};
use domain::payment::PaymentStatus;
use domain::ports::Read;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::dates;
use super::envelope::Reply;
use super::order::{self, LineText, OrderText, ProfileText};
use super::places;
use super::text;
use super::xml::Parsed;

/// Reads the answer to a READ of an order. Its yes is an order, or an answer of the store that cannot be one.
///
/// An answer beyond our limits is of the second kind: it will be the same the next time.
pub(super) fn read(body: &[u8], zone: &TimeZone, currency: Currency) -> Parsed<Reply<Read>> {
    let source = text::decoded(body)?;
    match order::walk(&source) {
        Ok(Ok(texts)) => Ok(Reply::Yes(typed(texts, zone, currency))),
        Ok(Err(refusal)) => Ok(Reply::No(refusal)),
        Err(broken) if broken.is_over_limit => {
            Ok(Reply::Yes(Read::Unreadable { order: None, why: broken.to_string() }))
        }
        Err(broken) => Err(broken),
    }
}

/// Reads only the tracking numbers of an order: they are there even where the order itself cannot be read.
pub(super) fn read_tracking(body: &[u8]) -> Parsed<Reply<Vec<String>>> {
    let source = text::decoded(body)?;
    Ok(match order::walk(&source)? {
        Ok(texts) => Reply::Yes(texts.tracking),
        Err(refusal) => Reply::No(refusal),
    })
}

fn typed(mut texts: OrderText<'_>, zone: &TimeZone, currency: Currency) -> Read {
    let id = texts.id.parse::<OrderId>().ok();
    let unknown = std::mem::take(&mut texts.unknown);
    let order = checked_id(&texts).and_then(|id| order_of(id, &texts, zone, currency));
    match order {
        Ok(order) => Read::Order(Box::new(Order { unknown_elements: unknown, ..order })),
        Err(why) => Read::Unreadable { order: id, why },
    }
}

fn checked_id(texts: &OrderText<'_>) -> Result<OrderId, String> {
    if texts.bytes() > ORDER_TEXT_BYTES {
        return Err(format!("the order holds more than {} KiB of text", ORDER_TEXT_BYTES / 1024));
    }
    match texts.orders {
        0 => return Err("the answer holds no OrderInfo".to_owned()),
        1 => {}
        _ => return Err("the answer holds more than one OrderInfo".to_owned()),
    }
    if let Some(path) = &texts.conflict {
        return Err(format!("{path} is there twice, with different values"));
    }
    texts.id.parse().map_err(|_| "OrderInfo/Id is not a whole number".to_owned())
}

fn order_of(
    id: OrderId,
    texts: &OrderText<'_>,
    zone: &TimeZone,
    currency: Currency,
) -> Result<Order, String> {
    Ok(Order {
        id,
        client: number(&texts.client),
        ordered_at: ordered_at(texts, zone),
        payment: PaymentStatus::read(&texts.status),
        archived: truth(&texts.archived) == Some(true),
        lines: lines(&texts.lines)?,
        ship_to: ship_to(&texts.profiles)?,
        ship_method: ship_method(&texts.ship_method)?,
        shipping_amount: amount(&texts.shipping_amount).ok_or("ShippingAmount is not a plain decimal")?,
        total: amount(&texts.total).ok_or("GrandTotal is not a plain decimal")?,
        currency,
        comments: texts.comments.to_string(),
        recurring_order: Some(number(&texts.recurring_order)).filter(|id| *id != 0),
        upsells: texts.upsells.iter().filter_map(|id| id.parse().ok()).collect(),
        tracking_shown: texts.tracking.clone(),
        unknown_elements: Vec::new(),
    })
}

/// `OrderDate`, unless it has no time of day and `OrderedAt` has. A date that cannot be read fails no order.
fn ordered_at(texts: &OrderText<'_>, zone: &TimeZone) -> Option<Timestamp> {
    let first = dates::read(&texts.order_date, zone);
    if let Some(stamp) = first.filter(|stamp| stamp.has_time) {
        return Some(stamp.at);
    }
    let second = dates::read(&texts.ordered_at, zone);
    second.filter(|stamp| stamp.has_time).or(first).or(second).map(|stamp| stamp.at)
}

fn lines(texts: &[LineText<'_>]) -> Result<Vec<LineItem>, String> {
    if texts.is_empty() {
        return Err("LineItems holds no LineItemInfo".to_owned());
    }
    let mut lines: Vec<LineItem> = Vec::with_capacity(texts.len());
    for (line, place) in texts.iter().zip(1..) {
        let item = line_of(line, place).map_err(|why| format!("line {place}: {why}"))?;
        if lines.iter().any(|earlier| earlier.id == item.id) {
            return Err(format!("line {place}: its Id is that of an earlier line"));
        }
        lines.push(item);
    }
    Ok(lines)
}

/// A line; `place` stands in for an id that is missing.
fn line_of(texts: &LineText<'_>, place: u64) -> Result<LineItem, String> {
    let id = Some(number(&texts.id)).filter(|id| *id != 0).unwrap_or(place);
    Ok(LineItem {
        id,
        product: number(&texts.product),
        sku: sku(&texts.sku)?,
        name: texts.name.to_string(),
        quantity: quantity(&texts.quantity)?,
        unit_price: amount(&texts.unit_price).ok_or("UnitPrice is not a plain decimal")?,
        recurring: truth(&texts.recurring) == Some(true),
    })
}

fn sku(text: &str) -> Result<Option<Sku>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    Sku::parse(text).map(Some).map_err(|wrong| format!("Sku is not usable: {}", wrong.rule))
}

/// At least 1. Never guessed: a wrong quantity would ship.
fn quantity(text: &str) -> Result<u32, String> {
    if text.is_empty() {
        return Err("Quantity is missing".to_owned());
    }
    // Decimal places of zero are the same whole number.
    let digits = text.split_once('.').filter(|(_, places)| places.bytes().all(|b| b == b'0'));
    let digits = digits.map_or(text, |(whole, _)| whole);
    let is_plain = digits.bytes().all(|b| b.is_ascii_digit());
    match digits.parse().ok().filter(|_| is_plain) {
        Some(0) => Err("Quantity is 0".to_owned()),
        Some(quantity) => Ok(quantity),
        None => Err("Quantity is not a whole number".to_owned()),
    }
}

fn ship_to(profiles: &[ProfileText<'_>]) -> Result<Option<Address>, String> {
    match profiles {
        [] => Ok(None),
        [profile] => Ok(Some(address(profile))),
        _ => Err("the order has more than one OrderShippingProfileInfo; only one address can be shipped to"
            .to_owned()),
    }
}

fn address(profile: &ProfileText<'_>) -> Address {
    let country = places::country(&profile.country);
    let region = places::region(&profile.region, country.code.as_deref());
    Address {
        name: profile.name.to_string(),
        line1: profile.line1.to_string(),
        line2: profile.line2.to_string(),
        city: profile.city.to_string(),
        region,
        postal_code: profile.zip.to_string(),
        country,
        residential: truth(&profile.residential),
        phone: None,
        email: None,
    }
}

fn ship_method(text: &str) -> Result<Option<ShipMethod>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let method = if text.contains(char::is_control) {
        ShipMethod::parse(text.split_whitespace().collect::<Vec<_>>().join(" "))
    } else {
        ShipMethod::parse(text)
    };
    method.map(Some).map_err(|wrong| format!("ShippingMethodName is not usable: {}", wrong.rule))
}

/// An exact amount; an empty one is zero (dossier section 4.1, `ShippingAmount`). None: it is no plain decimal.
fn amount(text: &str) -> Option<Decimal> {
    if text.is_empty() {
        return Some(Decimal::ZERO);
    }
    let is_plain = text.len() <= 40 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    // Digits beyond what a Decimal holds would be rounded away.
    Decimal::from_str_exact(text).ok().filter(|_| is_plain)
}

/// A number that only points to something: 0 when it is missing or no number.
pub(super) fn number(text: &str) -> u64 {
    text.trim().parse().unwrap_or_default()
}

/// `true` or `false`; none when it is neither.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") || text == "1" => Some(true),
        _ if text.eq_ignore_ascii_case("false") || text == "0" => Some(false),
        _ => None,
    }
}
