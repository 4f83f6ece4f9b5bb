//! What the shop sells: by SKU, and the products that have none.

use std::collections::{BTreeMap, BTreeSet};

use domain::mapping::Sku;
use domain::order::Order;
use domain::ports::Product;

use super::{Use, WithoutSku};

/// What is known of one SKU, or of a product without one.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) sold: Use,
    /// Does the store say that it is not shipped? None where it does not tell.
    pub(super) digital: Option<bool>,
}

/// Everything that the shop sells.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) skus: BTreeMap<Sku, Seen>,
    without: BTreeMap<u64, Seen>,
    pub(super) products: u64,
}

impl Shelf {
    /// What an order took: each product counts once for the order.
    pub(super) fn sold(&mut self, order: &Order) {
        let mut counted: BTreeSet<(Option<Sku>, u64)> = BTreeSet::new();
        for line in &order.lines {
            let seen = match &line.sku {
                Some(sku) => self.skus.entry(sku.clone()).or_default(),
                None => self.without.entry(line.product).or_default(),
            };
            if seen.name.is_empty() {
                seen.name.clone_from(&line.name);
            }
            seen.sold.pieces += u64::from(line.quantity);
            let product = if line.sku.is_some() { 0 } else { line.product };
            seen.sold.orders += u64::from(counted.insert((line.sku.clone(), product)));
        }
    }

    pub(super) fn offered(&mut self, product: Product) {
        self.products += 1;
        let seen = match product.sku {
            Some(sku) => self.skus.entry(sku).or_default(),
            None => self.without.entry(product.id).or_default(),
        };
        let weighs = product.weight.is_some_and(|weight| !weight.is_zero());
        seen.name = product.name;
        seen.digital = Some(!product.has_shipping && !weighs);
    }

    /// The products without SKU that are, or may be, things.
    pub(super) fn without(&self) -> Vec<WithoutSku> {
        let things =
            self.without.iter().filter(|(_, seen)| seen.digital != Some(true) || seen.sold.orders > 0);
        let mut without: Vec<WithoutSku> = things
            .map(|(product, seen)| WithoutSku { product: *product, name: seen.name.clone(), sold: seen.sold })
            .collect();
        without.sort_by_key(|product| std::cmp::Reverse((product.sold.orders, product.sold.pieces)));
        without
    }
}
