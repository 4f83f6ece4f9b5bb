//! The orders of one day.

use jiff::ToSpan;
use jiff::civil::{DateTime, datetime};
use rust_decimal::Decimal;

use super::catalogue::{line, units};
use super::people::{address, client};
use super::{Expect, Kind};
use crate::store::{OrderSpec, ShippingSpec};

/// When the shop opens in [`day`], in the store's local time.
pub const FIRST_MORNING: DateTime = datetime(2026, 10, 5, 8, 0, 0, 0);

/// The number of the day's first order.
const FIRST_ORDER: u64 = 700_100_301;

const MUG: u64 = 9_300_011;
const TEA: u64 = 9_300_012;
const JOURNAL: u64 = 9_300_013;
const CANDLE: u64 = 9_300_014;
const KIT: u64 = 9_300_015;
const LAMP: u64 = 9_300_016;
const PENS: u64 = 9_300_017;
const BOX: u64 = 9_300_018;
const TOTE: u64 = 9_300_019;
const NEWSLETTER: u64 = 9_300_020;
const EBOOK: u64 = 9_300_021;
const COFFEE: u64 = 9_300_022;
const STICKER: u64 = 9_300_023;

/// The day that begins at [`FIRST_MORNING`]: the same seed gives the same day.
#[must_use]
pub fn day(seed: u64) -> Vec<OrderSpec> {
    day_from(seed, FIRST_MORNING)
}

/// A day that begins at this local time and lasts under eight hours: 70 orders and more, of every [`Kind`], oldest first.
/// The connection's start date belongs at `morning`: one order is six hours older.
#[must_use]
pub fn day_from(seed: u64, morning: DateTime) -> Vec<OrderSpec> {
    let mut day = Day { random: seed ^ 0x5eed, morning, orders: Vec::new() };
    day.add(Kind::BeforeStart, &[(MUG, 1)]).expect = Expect::Exclude;
    day.everyday(10);
    day.payments();
    day.everyday(10);
    day.digital_and_recurring();
    day.abroad();
    day.gaps();
    day.everyday(10);
    day.oddities();
    day.everyday(4);
    day.orders
}

struct Day {
    random: u64,
    morning: DateTime,
    orders: Vec<OrderSpec>,
}

impl Day {
    /// A paid order from a buyer in the United States.
    fn add(&mut self, kind: Kind, products: &[(u64, u32)]) -> &mut OrderSpec {
        let number = self.orders.len() as u64;
        let minutes = if kind == Kind::BeforeStart { -360 } else { number as i64 * 6 };
        let at =
            self.morning.saturating_add(minutes.minutes()).saturating_add((self.next(50) as i64).seconds());
        let buyer = [0, 5, 6, 7, 8, 9, 10, 11].into_iter().nth(self.next(8) as usize).unwrap_or(0);
        let lines: Vec<_> = products.iter().map(|(product, quantity)| line(*product, *quantity)).collect();
        let expect = Expect::Ship { units: units(&lines) };
        let order = OrderSpec {
            id: Some(FIRST_ORDER + number),
            kind,
            expect,
            client: client(buyer),
            ship_to: Some(address(buyer)),
            ..OrderSpec::paid(at, lines)
        };
        self.orders.push(order);
        let last = self.orders.len() - 1;
        &mut self.orders[last]
    }

    fn next(&mut self, below: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    /// What most of a day consists of.
    fn everyday(&mut self, orders: usize) {
        for number in 0..orders {
            let first = [MUG, TEA, JOURNAL, CANDLE, PENS][self.next(5) as usize];
            let quantity = 1 + self.next(3) as u32;
            if number % 3 == 2 {
                let second = if first == TEA { CANDLE } else { TEA };
                self.add(Kind::SeveralLines, &[(first, quantity), (second, 1)]);
            } else {
                let methods = ["UPS Ground", "ups ground", "UPS 2nd Day", "USPS Priority Mail", "Standard"];
                let method = methods[self.next(5) as usize];
                ship_by(self.add(Kind::Physical, &[(first, quantity)]), method);
            }
        }
    }

    fn payments(&mut self) {
        for (kind, status, later, expect) in [
            (Kind::PendingThenPaid, "Pending", Some("Accepted"), None),
            (Kind::PendingThenPaid, "pending", Some("Approved"), None),
            (Kind::PendingThenDeclined, "Pending", Some("Declined"), Some(Expect::Exclude)),
            (Kind::StillPending, "Pending", None, Some(Expect::Wait)),
            (Kind::Declined, "Declined", None, Some(Expect::Exclude)),
            (Kind::Declined, "Error", None, Some(Expect::Exclude)),
            (Kind::Voided, "Voided", None, Some(Expect::Exclude)),
            (Kind::Refunded, "Refunded (Offline)", None, Some(Expect::Exclude)),
            (Kind::PartlyRefunded, "Refunded - Partial", None, Some(Expect::Exclude)),
            (Kind::Authorized, "Authorized", None, Some(Expect::Wait)),
        ] {
            let order = self.add(kind, &[(MUG, 1), (CANDLE, 1)]);
            order.status = status.to_owned();
            order.later = later;
            order.payment =
                if status.eq_ignore_ascii_case("pending") { "PayPal" } else { "CreditCard" }.to_owned();
            order.expect = expect.unwrap_or(order.expect);
        }
    }

    fn digital_and_recurring(&mut self) {
        digital(self.add(Kind::Digital, &[(EBOOK, 1)]));
        digital(self.add(Kind::Digital, &[(NEWSLETTER, 1)]));
        let rebill = self.add(Kind::RebillDigital, &[(NEWSLETTER, 1)]);
        digital(rebill);
        rebilled(rebill, 500_600_701, 4);
        let rebill = self.add(Kind::RebillPhysical, &[(COFFEE, 1)]);
        rebilled(rebill, 500_600_702, 3);
        self.add(Kind::Mixed, &[(EBOOK, 1), (MUG, 2)]);
        self.add(Kind::Mixed, &[(JOURNAL, 1), (EBOOK, 1)]);
    }

    fn abroad(&mut self) {
        for buyer in [1, 2, 3, 4, 1] {
            let order = self.add(Kind::International, &[(JOURNAL, 1), (TEA, 1)]);
            order.client = client(buyer);
            order.ship_to = Some(address(buyer));
            ship_by(order, "USPS First-Class Mail International");
        }
    }

    /// Orders for which something is missing: a listing, a rule, a SKU.
    fn gaps(&mut self) {
        for products in [&[(LAMP, 1)][..], &[(MUG, 1), (LAMP, 2)]] {
            held(self.add(Kind::UnmappedSku, products));
        }
        let order = self.add(Kind::UnmappedMethod, &[(TEA, 1)]);
        held(order);
        ship_by(order, "Drone to the Door");
        let order = self.add(Kind::NoSku, &[(MUG, 1), (BOX, 1)]);
        order.expect = Expect::Hold;
        order.cured = None;
        let order = self.add(Kind::Unreadable, &[(MUG, 1)]);
        order.garbled_quantity = Some("two dozen".to_owned());
        order.expect = Expect::Hold;
    }

    fn oddities(&mut self) {
        self.add(Kind::Kit, &[(KIT, 1)]);
        self.add(Kind::Kit, &[(KIT, 3), (PENS, 1)]);
        ship_by(self.add(Kind::PrefixedMethod, &[(MUG, 1)]), "Select Shipping Method - USPS Priority Mail");
        let upsell = FIRST_ORDER + self.orders.len() as u64 + 1;
        self.add(Kind::UpsellParent, &[(TEA, 1)]).upsells = vec![upsell];
        self.add(Kind::Upsell, &[(CANDLE, 1)]);
        self.add(Kind::Comments, &[(MUG, 1)]).comments =
            "Please leave with the front desk <thanks> & \"ring\" the bell".to_owned();
        self.add(Kind::Comments, &[(TOTE, 1)]).comments = "C'est un cadeau 🎁 – merci d’avance!".to_owned();
        let archived = self.add(Kind::Archived, &[(MUG, 1)]);
        archived.archived = true;
        archived.expect = Expect::Exclude;
        let free = self.add(Kind::Free, &[(STICKER, 1)]);
        free.shipping =
            Some(ShippingSpec { method: "Standard".to_owned(), amount: Some(Decimal::new(0, 2)) });
        self.add(Kind::ManyPieces, &[(PENS, 12)]);
        let long = self.add(Kind::LongAddress, &[(CANDLE, 1)]);
        if let Some(to) = &mut long.ship_to {
            to.line1 =
                "12345 North-West Extraordinarily Long Boulevard of the Unabbreviated Founders, Building 17"
                    .to_owned();
            to.line2 =
                "c/o The Society for the Preservation of Very Long Street Names, Floor 23, Door 4".to_owned();
        }
        self.add(Kind::MarkupInName, &[(TOTE, 2)]);
        if let Some(shipping) = &mut self.add(Kind::EmptyAmount, &[(JOURNAL, 1)]).shipping {
            shipping.amount = None;
        }
    }
}

fn ship_by(order: &mut OrderSpec, method: &str) {
    order.shipping = Some(ShippingSpec { method: method.to_owned(), amount: Some(Decimal::new(695, 2)) });
}

fn digital(order: &mut OrderSpec) {
    order.shipping = None;
    order.ship_to = None;
    order.expect = Expect::Exclude;
}

fn rebilled(order: &mut OrderSpec, subscription: u64, cycles: u32) {
    order.recurring_order = Some(subscription);
    order.billing_cycles = cycles;
}

/// Held until the missing listing or rule is there.
fn held(order: &mut OrderSpec) {
    order.cured = Some(order.expect);
    order.expect = Expect::Hold;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_day_has_sixty_orders_and_more_of_every_kind() {
        let day = day(1);
        assert!(day.len() >= 60, "{}", day.len());
        let kinds: BTreeSet<Kind> = day.iter().map(|order| order.kind).collect();
        assert_eq!(kinds.len(), 31);
        let ids: BTreeSet<_> = day.iter().map(|order| order.id).collect();
        assert_eq!(ids.len(), day.len());
    }

    #[test]
    fn the_same_seed_gives_the_same_day_and_another_seed_another() {
        assert_eq!(day(7), day(7));
        assert_ne!(day(7), day(8));
    }

    #[test]
    fn only_the_order_before_the_start_is_older_than_the_morning_and_the_day_ends_in_eight_hours() {
        for order in day(3) {
            assert_eq!(order.kind == Kind::BeforeStart, order.ordered_at < FIRST_MORNING, "{order:?}");
            assert!(order.ordered_at < FIRST_MORNING.saturating_add(8.hours()), "{order:?}");
        }
    }

    #[test]
    fn a_kit_counts_its_parts_and_what_is_digital_counts_nothing() {
        let expected = |kind| day(1).into_iter().find(|order| order.kind == kind).map(|order| order.expect);
        assert_eq!(expected(Kind::Kit), Some(Expect::Ship { units: 4 }));
        assert_eq!(expected(Kind::Mixed), Some(Expect::Ship { units: 2 }));
        assert_eq!(expected(Kind::ManyPieces), Some(Expect::Ship { units: 36 }));
    }

    #[test]
    fn an_upsell_is_linked_from_its_parent() {
        let day = day(1);
        let parent = day.iter().find(|order| order.kind == Kind::UpsellParent).expect("there is one");
        let upsell = day.iter().find(|order| order.kind == Kind::Upsell).expect("there is one");
        assert_eq!(parent.upsells, [upsell.id.expect("numbered")]);
    }
}
