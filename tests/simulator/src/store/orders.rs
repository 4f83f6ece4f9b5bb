//! The orders of the store, found by number, by token and by date without a look at the others.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;

use super::spec::OrderSpec;
use super::state::Tracking;

/// An order in the store.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) spec: OrderSpec,
    pub(super) token: String,
    pub(super) modified_at: DateTime,
    pub(super) first_line: u64,
    pub(super) profile: u64,
    pub(super) tracking: Vec<Tracking>,
}

impl Kept {
    /// How many tracking numbers it shows.
    pub(super) fn shown(&self) -> usize {
        self.tracking.iter().filter(|tracking| tracking.stored).count()
    }
}

/// All orders. Whoever changes one does it by [`Orders::change`], so that the indexes follow.
#[derive(Debug, Default)]
pub(super) struct Orders {
    by_id: BTreeMap<u64, Kept>,
    by_token: BTreeMap<String, u64>,
    by_date: BTreeSet<(DateTime, u64)>,
    shown: usize,
}

impl Orders {
    /// Keeps an order; one with the same number is replaced.
    pub(super) fn insert(&mut self, id: u64, order: Kept) {
        self.remove(id);
        self.by_token.insert(order.token.clone(), id);
        self.by_date.insert((order.spec.ordered_at, id));
        self.shown += order.shown();
        self.by_id.insert(id, order);
    }

    /// Makes an order disappear; gives what it was.
    pub(super) fn remove(&mut self, id: u64) -> Option<Kept> {
        let order = self.by_id.remove(&id)?;
        self.by_token.remove(&order.token);
        self.by_date.remove(&(order.spec.ordered_at, id));
        self.shown -= order.shown();
        Some(order)
    }

    /// Changes an order in everything but its number and its token; none when there is no such order.
    pub(super) fn change<R>(&mut self, id: u64, change: impl FnOnce(&mut Kept) -> R) -> Option<R> {
        let order = self.by_id.get_mut(&id)?;
        let (date, shown) = (order.spec.ordered_at, order.shown());
        let result = change(order);
        self.by_date.remove(&(date, id));
        self.by_date.insert((order.spec.ordered_at, id));
        self.shown = self.shown - shown + order.shown();
        Some(result)
    }

    /// One order.
    pub(super) fn get(&self, id: u64) -> Option<&Kept> {
        self.by_id.get(&id)
    }

    /// The number of the order with this token.
    pub(super) fn with_token(&self, token: &str) -> Option<u64> {
        self.by_token.get(token).copied()
    }

    /// The numbers of the orders placed in this time, both ends included, oldest first.
    pub(super) fn placed(&self, from: DateTime, to: DateTime) -> Vec<u64> {
        if from > to {
            return Vec::new();
        }
        self.by_date.range((from, u64::MIN)..=(to, u64::MAX)).map(|(_, id)| *id).collect()
    }

    /// All of them, by number.
    pub(super) fn all(&self) -> impl Iterator<Item = &Kept> {
        self.by_id.values()
    }

    /// The highest number.
    pub(super) fn last(&self) -> Option<u64> {
        self.by_id.last_key_value().map(|(id, _)| *id)
    }

    /// How many tracking numbers all orders show.
    pub(super) fn shown(&self) -> usize {
        self.shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn order(token: &str, minute: i8) -> Kept {
        let at = date(2026, 10, 5).at(9, minute, 0, 0);
        let spec = OrderSpec::paid(at, Vec::new());
        let token = token.to_owned();
        Kept { spec, token, modified_at: at, first_line: 1, profile: 1, tracking: Vec::new() }
    }

    fn between(orders: &Orders, from: i8, to: i8) -> Vec<u64> {
        let at = |minute| date(2026, 10, 5).at(9, minute, 0, 0);
        orders.placed(at(from), at(to))
    }

    #[test]
    fn orders_are_found_by_date_with_both_ends_and_follow_a_change_of_it() {
        let mut orders = Orders::default();
        for (id, minute) in [(3, 10), (1, 20), (2, 10)] {
            orders.insert(id, order(&format!("t{id}"), minute));
        }
        assert_eq!(between(&orders, 10, 20), [2, 3, 1]);
        assert_eq!(between(&orders, 11, 19), Vec::<u64>::new());
        assert_eq!(between(&orders, 20, 10), Vec::<u64>::new(), "a time that ends before it begins");
        orders.change(3, |order| order.spec.ordered_at = date(2026, 10, 5).at(9, 15, 0, 0));
        assert_eq!(between(&orders, 11, 20), [3, 1]);
    }

    #[test]
    fn an_order_that_goes_or_is_replaced_is_in_no_index() {
        let mut orders = Orders::default();
        orders.insert(1, order("old", 10));
        orders.insert(1, order("new", 20));
        assert_eq!((orders.with_token("old"), orders.with_token("new")), (None, Some(1)));
        assert_eq!(between(&orders, 0, 59), [1]);
        assert!(orders.remove(1).is_some() && orders.remove(1).is_none());
        assert_eq!((orders.with_token("new"), orders.last()), (None, None));
        assert_eq!(between(&orders, 0, 59), Vec::<u64>::new());
    }

    #[test]
    fn what_is_shown_is_counted_as_it_changes() {
        let mut orders = Orders::default();
        orders.insert(1, order("t", 10));
        let tracking = |stored| Tracking {
            carrier: "UPS".to_owned(),
            number: "1Z".to_owned(),
            shipped_at: String::new(),
            times_told: 1,
            stored,
        };
        orders.change(1, |order| order.tracking = vec![tracking(true), tracking(false)]);
        assert_eq!(orders.shown(), 1);
        orders.change(1, |order| order.tracking = vec![tracking(true), tracking(true)]);
        assert_eq!(orders.shown(), 2);
        orders.remove(1);
        assert_eq!(orders.shown(), 0);
    }
}
