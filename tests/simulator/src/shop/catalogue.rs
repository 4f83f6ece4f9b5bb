//! What the shop sells, and how the warehouse calls it.

use jiff::civil::datetime;
use rust_decimal::Decimal;

use super::{Listings, Rules};
use crate::store::{LineSpec, ProductSpec, RecurringSpec};

/// Number, SKU, name, price in cents, is it a thing?
type Row = (u64, Option<&'static str>, &'static str, i64, bool);

const PRODUCTS: [Row; 13] = [
    (9_300_011, Some("MUG-12-BLU"), "Ceramic Mug, 12 oz", 1450, true),
    (9_300_012, Some("TEA-TIN-01"), "Loose Leaf Tea & Tin", 2100, true),
    (9_300_013, Some("JRNL-CAFE"), "Travel Journal “Café”", 1800, true),
    (9_300_014, Some("CANDLE-LAV"), "Lavender Candle", 1200, true),
    (9_300_015, Some("KIT-STARTER"), "Starter Kit (mug, two teas, candle)", 4400, true),
    (9_300_016, Some("LAMP-NEW"), "Reading Lamp – new!", 3900, true),
    (9_300_017, Some("PEN-SET"), "Pen Set 'Classic' \"Gold\"", 850, true),
    (9_300_018, None, "Gift Box", 500, true),
    (9_300_019, Some("TOTE-XL"), "Tote <b>XL</b> &amp; strap", 2650, true),
    (9_300_020, None, "Monthly Newsletter Membership", 900, false),
    (9_300_021, Some("EBOOK-TEA"), "The Tea Book (PDF)", 700, false),
    (9_300_022, Some("COFFEE-SUB"), "Coffee of the Month", 2400, true),
    (9_300_023, Some("STICKER-FREE"), "Free Sticker", 0, true),
];

/// The shop's products.
#[must_use]
pub fn products() -> Vec<ProductSpec> {
    let product = |(id, sku, name, cents, physical): Row| ProductSpec {
        id,
        name: name.to_owned(),
        price: Decimal::new(cents, 2),
        sku: sku.map(str::to_owned),
        top_html: if id == 9_300_019 {
            "<FONT color=\"red\"><B>Sale</B>!</FONT>".to_owned()
        } else {
            String::new()
        },
        physical,
    };
    PRODUCTS.into_iter().map(product).collect()
}

/// The shop's subscriptions: one of something digital, one that ships.
#[must_use]
pub fn subscriptions() -> Vec<RecurringSpec> {
    let subscription = |id, order, client, product, cents, cycles| RecurringSpec {
        id,
        order,
        client,
        product,
        price: Decimal::new(cents, 2),
        status: "Active".to_owned(),
        cycles,
        created_at: datetime(2026, 7, 6, 10, 0, 0, 0),
    };
    vec![
        subscription(500_600_701, 700_099_001, 700_200_002, 9_300_020, 900, 4),
        subscription(500_600_702, 700_099_002, 700_200_001, 9_300_022, 2400, 3),
    ]
}

/// The SKUs of things that are not shipped: a listing says so, with no warehouse SKU at all.
#[must_use]
pub fn digital_skus() -> Vec<&'static str> {
    vec!["EBOOK-TEA"]
}

/// The listings that exist in the morning. An empty list means "do not ship". One is missing: [`missing_listings`].
#[must_use]
pub fn listings() -> Listings {
    vec![
        ("MUG-12-BLU", vec![("W-MUG-BLUE", 1)]),
        ("TEA-TIN-01", vec![("W-TEA-100G", 1)]),
        ("JRNL-CAFE", vec![("W-JOURNAL", 1)]),
        ("CANDLE-LAV", vec![("W-CANDLE-LV", 1)]),
        ("KIT-STARTER", vec![("W-MUG-BLUE", 1), ("W-TEA-100G", 2), ("W-CANDLE-LV", 1)]),
        ("PEN-SET", vec![("W-PEN-GOLD", 3)]),
        ("TOTE-XL", vec![("W-TOTE", 1)]),
        ("EBOOK-TEA", vec![]),
        ("COFFEE-SUB", vec![("W-COFFEE-1KG", 1)]),
        ("STICKER-FREE", vec![("W-STICKER", 1)]),
    ]
}

/// The listing that nobody made yet; adding it releases the orders that are held for it.
#[must_use]
pub fn missing_listings() -> Listings {
    vec![("LAMP-NEW", vec![("W-LAMP-01", 1)])]
}

/// The shipping rules that exist in the morning. One is missing: [`missing_rules`].
#[must_use]
pub fn rules() -> Rules {
    vec![
        ("UPS Ground", "UPS-GROUND"),
        ("UPS 2nd Day", "UPS-2DAY"),
        ("USPS Priority Mail", "USPS-PRIORITY"),
        ("USPS First-Class Mail International", "USPS-INTL"),
        ("Standard", "FEDEX-GROUND"),
    ]
}

/// The rule that nobody made yet; adding it releases the orders that are held for it.
#[must_use]
pub fn missing_rules() -> Rules {
    vec![("Drone to the Door", "UPS-2DAY")]
}

/// Every service code of the warehouse, with its carrier.
#[must_use]
pub fn services() -> Vec<(&'static str, &'static str)> {
    vec![
        ("UPS-GROUND", "UPS"),
        ("UPS-2DAY", "UPS"),
        ("USPS-PRIORITY", "USPS"),
        ("USPS-INTL", "USPS"),
        ("FEDEX-GROUND", "FedEx"),
    ]
}

/// A line of this product; the first one where the number is not known.
pub(super) fn line(product: u64, quantity: u32) -> LineSpec {
    let row = PRODUCTS.into_iter().find(|row| row.0 == product).unwrap_or(PRODUCTS[0]);
    let (product, sku, name, cents, _) = row;
    LineSpec {
        product,
        name: name.to_owned(),
        sku: sku.map(str::to_owned),
        quantity,
        unit_price: Decimal::new(cents, 2),
        recurring: [9_300_020, 9_300_022].contains(&product),
    }
}

/// The warehouse's pieces for these lines, with every listing there, the missing one included.
pub(super) fn units(lines: &[LineSpec]) -> u32 {
    let all: Listings = listings().into_iter().chain(missing_listings()).collect();
    let per_piece = |line: &LineSpec| -> u32 {
        let listed = all.iter().find(|(sku, _)| line.sku.as_deref() == Some(*sku));
        listed.map_or(0, |(_, parts)| parts.iter().map(|(_, quantity)| quantity).sum())
    };
    lines.iter().map(|line| line.quantity * per_piece(line)).sum()
}
