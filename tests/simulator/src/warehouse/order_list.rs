//! The orders of the warehouse in the order of creation, found by id, reference and key without a look at the others.

use std::collections::BTreeMap;

use super::state::Order;

/// All orders, duplicates included. What they are found by never changes; a position is never given twice.
#[derive(Debug, Default)]
pub(super) struct OrderList {
    all: Vec<Order>,
    by_id: BTreeMap<String, usize>,
    by_reference: BTreeMap<String, Vec<usize>>,
    by_key: BTreeMap<String, usize>,
}

impl OrderList {
    /// Takes an order; gives its position.
    pub(super) fn push(&mut self, order: Order) -> usize {
        let position = self.all.len();
        self.by_id.insert(order.id.clone(), position);
        self.by_reference.entry(order.reference.clone()).or_default().push(position);
        if let Some(key) = &order.key {
            self.by_key.entry(key.clone()).or_insert(position);
        }
        self.all.push(order);
        position
    }

    /// All of them, in the order of creation.
    pub(super) fn all(&self) -> &[Order] {
        &self.all
    }

    pub(super) fn get(&self, position: usize) -> Option<&Order> {
        self.all.get(position)
    }

    pub(super) fn get_mut(&mut self, position: usize) -> Option<&mut Order> {
        self.all.get_mut(position)
    }

    /// Where the order with this id is.
    pub(super) fn with_id(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Every order with this reference, in the order of creation.
    pub(super) fn with_reference(&self, reference: &str) -> impl Iterator<Item = &Order> {
        let positions = self.by_reference.get(reference).into_iter().flatten();
        positions.filter_map(|position| self.all.get(*position))
    }

    /// Where the order with this id is, or else the first with this reference.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        let first = || self.by_reference.get(name)?.first().copied();
        self.with_id(name).or_else(first)
    }

    /// The first order that came with this key.
    pub(super) fn with_key(&self, key: &str) -> Option<&Order> {
        self.by_key.get(key).and_then(|position| self.all.get(*position))
    }

    /// Orders beyond the first of their reference.
    pub(super) fn duplicates(&self) -> usize {
        self.all.len() - self.by_reference.len()
    }
}
