//! What can be put into the simulated store: orders, clients, products, subscriptions, as plain data.

use jiff::civil::DateTime;
use rust_decimal::Decimal;

use crate::shop::{Expect, Kind};

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineSpec {
    /// Number of the product in the store.
    pub product: u64,
    /// The product's name at the time of the sale.
    pub name: String,
    /// The shop's code; none leaves the element out, as the store does for a product without one.
    pub sku: Option<String>,
    /// How many.
    pub quantity: u32,
    /// Price of one.
    pub unit_price: Decimal,
    /// Is it billed again and again?
    pub recurring: bool,
}

/// What shipping the buyer chose and paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippingSpec {
    /// The method's name, free text of the merchant.
    pub method: String,
    /// What it cost; none writes an empty element, which occurs.
    pub amount: Option<Decimal>,
}

/// Where an order goes. State and country are full names, as the store has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "an address; the fields say it")]
pub struct ShipTo {
    pub name: String,
    pub line1: String,
    pub line2: String,
    pub city: String,
    pub zip: String,
    pub state: String,
    pub country: String,
    pub residential: bool,
}

/// An order, and what a correct connector makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSpec {
    /// The order number; the store gives the next one where there is none.
    pub id: Option<u64>,
    /// What is special about it.
    pub kind: Kind,
    /// What must become of it, under default policies and with the mappings of [`crate::shop`].
    pub expect: Expect,
    /// What must become of it once the missing mapping or SKU is there; none where nothing is missing.
    pub cured: Option<Expect>,
    /// The status that it takes later in the day.
    pub later: Option<&'static str>,
    /// When it was ordered, in the store's local time.
    pub ordered_at: DateTime,
    /// The buyer's number.
    pub client: u64,
    /// `OrderStatusType`, spelled as the store spells it.
    pub status: String,
    /// `OrderPaymentType`.
    pub payment: String,
    /// What was bought.
    pub lines: Vec<LineSpec>,
    /// None for an order with nothing to ship.
    pub shipping: Option<ShippingSpec>,
    /// None for an order with nothing to ship.
    pub ship_to: Option<ShipTo>,
    /// The buyer's remark.
    pub comments: String,
    /// The subscription that produced it.
    pub recurring_order: Option<u64>,
    /// How often the subscription has been billed.
    pub billing_cycles: u32,
    /// Hidden in the admin pages?
    pub archived: bool,
    /// Separate orders sold on top of it.
    pub upsells: Vec<u64>,
    /// Text in place of the first line's quantity, so that the document cannot be understood.
    pub garbled_quantity: Option<String>,
}

impl OrderSpec {
    /// A paid order of these lines, to a plain address, by "UPS Ground".
    #[must_use]
    pub fn paid(ordered_at: DateTime, lines: Vec<LineSpec>) -> Self {
        let units = lines.iter().map(|line| line.quantity).sum();
        Self {
            id: None,
            kind: Kind::Physical,
            expect: Expect::Ship { units },
            cured: None,
            later: None,
            ordered_at,
            client: 700_200_001,
            status: "Accepted".to_owned(),
            payment: "CreditCard".to_owned(),
            lines,
            shipping: Some(ShippingSpec {
                method: "UPS Ground".to_owned(),
                amount: Some(Decimal::new(695, 2)),
            }),
            ship_to: Some(ShipTo {
                name: "Avery Example".to_owned(),
                line1: "100 Sample Street".to_owned(),
                line2: "Unit 4".to_owned(),
                city: "Springfield".to_owned(),
                zip: "62701".to_owned(),
                state: "Illinois".to_owned(),
                country: "United States".to_owned(),
                residential: true,
            }),
            comments: String::new(),
            recurring_order: None,
            billing_cycles: 0,
            archived: false,
            upsells: Vec::new(),
            garbled_quantity: None,
        }
    }

    /// What a correct connector has made of it by the end of the day, when everything that can be cured is.
    #[must_use]
    pub fn ends_as(&self) -> Expect {
        self.cured.unwrap_or(self.expect)
    }

    /// What the buyer paid: lines and shipping.
    #[must_use]
    pub fn total(&self) -> Decimal {
        let lines: Decimal =
            self.lines.iter().map(|line| line.unit_price * Decimal::from(line.quantity)).sum();
        lines + self.shipping.as_ref().and_then(|shipping| shipping.amount).unwrap_or_default()
    }
}

/// A buyer. Empty texts are written as empty elements, absent ones not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "a person's record; the fields say it")]
pub struct ClientSpec {
    pub id: u64,
    pub email: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub line1: String,
    pub line2: String,
    pub city: String,
    pub zip: String,
    pub state: String,
    pub country: String,
    pub phone: Option<String>,
    pub work_phone: Option<String>,
}

/// A product of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductSpec {
    /// Its number in the store.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its price.
    pub price: Decimal,
    /// The shop's code, if it has one.
    pub sku: Option<String>,
    /// Markup that the store puts into `TopHtml` as it is, unescaped (dossier section 3).
    pub top_html: String,
    /// Is it a thing with a weight?
    pub physical: bool,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecurringSpec {
    /// Its number.
    pub id: u64,
    /// The order that started it.
    pub order: u64,
    /// The buyer's number.
    pub client: u64,
    /// The product's number.
    pub product: u64,
    /// Price of one period.
    pub price: Decimal,
    /// `Active`, `Overdue`, `Failed`, `Cancelled`, `Completed` or `Paused`.
    pub status: String,
    /// How often it has been billed.
    pub cycles: u32,
    /// When it began, in the store's local time.
    pub created_at: DateTime,
}
