//! READ of an order: walks through the document and keeps what an order needs, still as the store's own text.

use std::borrow::Cow;

use super::envelope::{self, Refusal, Reply};
use super::xml::{Document, Parsed, Step};

/// A text of the document: borrowed from it where it holds no references. Absent and empty are the same.
pub(super) type Field<'a> = Cow<'a, str>;

/// What a line takes in the ledger besides its texts, at least.
const LINE_BYTES: usize = 20;
/// How many tracking numbers of one order are looked at.
const MAX_TRACKING: usize = 200;

/// `Response/OrderInfo` and its sibling `OrderShippingProfileInfo`, as texts (dossier section 4.1).
#[derive(Default)]
pub(super) struct OrderText<'a> {
    /// How many `OrderInfo` there are.
    pub(super) orders: u32,
    pub(super) id: Field<'a>,
    pub(super) client: Field<'a>,
    pub(super) recurring_order: Field<'a>,
    pub(super) comments: Field<'a>,
    pub(super) total: Field<'a>,
    pub(super) status: Field<'a>,
    pub(super) archived: Field<'a>,
    pub(super) order_date: Field<'a>,
    pub(super) ordered_at: Field<'a>,
    pub(super) lines: Vec<LineText<'a>>,
    pub(super) ship_method: Field<'a>,
    pub(super) shipping_amount: Field<'a>,
    pub(super) upsells: Vec<Field<'a>>,
    pub(super) profiles: Vec<ProfileText<'a>>,
    pub(super) tracking: Vec<String>,
    /// Paths of unknown elements.
    pub(super) unknown: Vec<String>,
    /// An element that is there twice, with different texts.
    pub(super) conflict: Option<String>,
}

/// `LineItemInfo`.
#[derive(Default)]
pub(super) struct LineText<'a> {
    pub(super) id: Field<'a>,
    pub(super) product: Field<'a>,
    pub(super) quantity: Field<'a>,
    pub(super) name: Field<'a>,
    pub(super) sku: Field<'a>,
    pub(super) unit_price: Field<'a>,
    pub(super) recurring: Field<'a>,
}

/// `OrderShippingProfileInfo`: where the order goes.
#[derive(Default, PartialEq, Eq)]
pub(super) struct ProfileText<'a> {
    pub(super) name: Field<'a>,
    pub(super) line1: Field<'a>,
    pub(super) line2: Field<'a>,
    pub(super) city: Field<'a>,
    pub(super) zip: Field<'a>,
    pub(super) region: Field<'a>,
    pub(super) country: Field<'a>,
    pub(super) residential: Field<'a>,
}

impl ProfileText<'_> {
    fn bytes(&self) -> usize {
        [&self.name, &self.line1, &self.line2, &self.city, &self.zip, &self.region, &self.country]
            .iter()
            .map(|field| field.len())
            .sum()
    }

    /// Does it say where to? (Without it the order has nothing to ship.)
    pub(super) fn is_empty(&self) -> bool {
        [&self.name, &self.line1, &self.line2, &self.city, &self.zip, &self.region, &self.country]
            .iter()
            .all(|field| field.is_empty())
    }
}

impl OrderText<'_> {
    /// How much text of the order is kept, with what a line takes besides its texts.
    pub(super) fn bytes(&self) -> usize {
        let own = [&self.comments, &self.total, &self.status, &self.ship_method, &self.shipping_amount];
        let lines = self.lines.iter().map(|line| LINE_BYTES + line.name.len() + line.sku.len());
        let profiles = self.profiles.iter().map(ProfileText::bytes);
        let shown = self.tracking.iter().map(String::len);
        let own = own.iter().map(|field| field.len());
        own.chain(lines).chain(profiles).chain(shown).sum::<usize>() + 20 * self.upsells.len()
    }
}

/// Walks through the answer to a READ of an order.
pub(super) fn walk(source: &str) -> Parsed<Result<OrderText<'_>, Refusal>> {
    let mut order = OrderText::default();
    let reply = envelope::open(source, |document, name| match name {
        "OrderInfo" => read_order(document, &mut order),
        "OrderShippingProfileInfo" => read_profile(document, &mut order),
        _ => document.skip_unknown(),
    })?;
    Ok(match reply {
        Reply::Yes(seen) => Ok(OrderText { unknown: seen.unknown, conflict: seen.conflict, ..order }),
        Reply::No(refusal) => Err(refusal),
    })
}

fn read_order<'a>(document: &mut Document<'a>, order: &mut OrderText<'a>) -> Parsed<()> {
    order.orders += 1;
    while let Some(name) = document.child()? {
        match name {
            "Id" => document.field(&mut order.id)?,
            "ClientId" => document.field(&mut order.client)?,
            "RecurringOrderId" => document.field(&mut order.recurring_order)?,
            "Comments" => document.field(&mut order.comments)?,
            "GrandTotal" => document.field(&mut order.total)?,
            "OrderStatusType" => document.field(&mut order.status)?,
            "IsArchived" => document.field(&mut order.archived)?,
            "OrderDate" => document.field(&mut order.order_date)?,
            "OrderedAt" => document.field(&mut order.ordered_at)?,
            "LineItems" => read_lines(document, &mut order.lines)?,
            "ShippingInfo" => read_shipping(document, order)?,
            "ShippingTrackingMethods" => read_tracking(document, &mut order.tracking)?,
            "UpsellOrders" => read_upsells(document, &mut order.upsells)?,
            // Known, and not needed; the children of the containers are nowhere documented.
            "OrderPaymentType"
            | "OrderChargeStatusType"
            | "PendingReasonType"
            | "TransactionId"
            | "ModifiedAt"
            | "CreatedFromIp"
            | "ShippingTaxes"
            | "Discounts"
            | "OrderBundles"
            | "BillingCyclesCharged"
            | "CustomFields"
            | "MerchantId" => document.skip()?,
            _ => document.skip_unknown()?,
        }
    }
    Ok(())
}

fn read_lines<'a>(document: &mut Document<'a>, lines: &mut Vec<LineText<'a>>) -> Parsed<()> {
    while let Some(name) = document.child()? {
        match name {
            "LineItemInfo" => lines.push(read_line(document)?),
            _ => document.skip_unknown()?,
        }
    }
    Ok(())
}

fn read_line<'a>(document: &mut Document<'a>) -> Parsed<LineText<'a>> {
    let mut line = LineText::default();
    while let Some(name) = document.child()? {
        match name {
            "Id" => document.field(&mut line.id)?,
            "ProductId" => document.field(&mut line.product)?,
            "Quantity" => document.field(&mut line.quantity)?,
            "ProductName" => document.field(&mut line.name)?,
            "Sku" => document.field(&mut line.sku)?,
            "UnitPrice" => document.field(&mut line.unit_price)?,
            "IsRecurring" => document.field(&mut line.recurring)?,
            "OrderId"
            | "ProductType"
            | "IsTaxable"
            | "IsCommissionable"
            | "CreatedAt"
            | "ModifiedAt"
            | "SelectedOptions"
            | "ProductTaxes"
            | "Discounts"
            | "LineItemAttributeValues" => {
                document.skip()?;
            }
            _ => document.skip_unknown()?,
        }
    }
    Ok(line)
}

fn read_shipping<'a>(document: &mut Document<'a>, order: &mut OrderText<'a>) -> Parsed<()> {
    while let Some(name) = document.child()? {
        match name {
            "ShippingMethodName" => document.field(&mut order.ship_method)?,
            "ShippingAmount" => document.field(&mut order.shipping_amount)?,
            _ => document.skip_unknown()?,
        }
    }
    Ok(())
}

fn read_upsells<'a>(document: &mut Document<'a>, upsells: &mut Vec<Field<'a>>) -> Parsed<()> {
    while let Some(name) = document.child()? {
        match name {
            "Orders" => upsells.push(document.text()?),
            _ => document.skip_unknown()?,
        }
    }
    Ok(())
}

fn read_profile<'a>(document: &mut Document<'a>, order: &mut OrderText<'a>) -> Parsed<()> {
    let mut profile = ProfileText::default();
    while let Some(name) = document.child()? {
        match name {
            "Name" => document.field(&mut profile.name)?,
            "Address1" => document.field(&mut profile.line1)?,
            "Address2" => document.field(&mut profile.line2)?,
            "City" => document.field(&mut profile.city)?,
            "Zip" => document.field(&mut profile.zip)?,
            "StateName" => document.field(&mut profile.region)?,
            "CountryName" => document.field(&mut profile.country)?,
            "IsResidential" => document.field(&mut profile.residential)?,
            "Id" => document.skip()?,
            _ => document.skip_unknown()?,
        }
    }
    // Two are one too many already.
    if order.profiles.len() < 2 && !profile.is_empty() && !order.profiles.contains(&profile) {
        order.profiles.push(profile);
    }
    Ok(())
}

/// The children of `ShippingTrackingMethods` are nowhere documented: takes whatever has a digit in an element without
/// children whose name speaks of tracking or of a number.
fn read_tracking(document: &mut Document<'_>, found: &mut Vec<String>) -> Parsed<()> {
    let depth = document.depth();
    let mut leaf = Some("ShippingTrackingMethods");
    let mut text = String::new();
    loop {
        match document.step()? {
            Step::Enter(name) => {
                leaf = Some(name);
                text.clear();
            }
            Step::Text(part) => text.push_str(&part),
            Step::Leave => {
                if leaf.take().is_some_and(speaks_of_tracking) && found.len() < MAX_TRACKING {
                    keep_number(&text, found);
                }
                if document.depth() < depth {
                    return Ok(());
                }
            }
            Step::End => return Err(document.broken("ends too early")),
        }
    }
}

fn speaks_of_tracking(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("tracking") || name.contains("number")
}

fn keep_number(text: &str, found: &mut Vec<String>) {
    let text = text.trim();
    let is_number = text.len() <= 200 && text.bytes().any(|b| b.is_ascii_digit());
    if is_number && !found.iter().any(|known| known == text) {
        found.push(text.to_owned());
    }
}
