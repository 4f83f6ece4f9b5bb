//! What the simulated store holds and remembers.

use std::collections::BTreeMap;

use super::faults::{Endpoint, FaultPlan};
use super::options::{StoreOptions, WriteBack};
use super::orders::{Kept, Orders};
use super::spec::{ClientSpec, OrderSpec, ProductSpec, RecurringSpec};

/// A tracking number as the store was told it, with the number of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracking {
    /// `CarrierName`.
    pub carrier: String,
    /// `TrackingNumber`.
    pub number: String,
    /// `ShippedAt`, as it came.
    pub shipped_at: String,
    /// How many update calls named this number for this order: more than one is a duplicate.
    pub times_told: u32,
    /// Does the store show it?
    pub stored: bool,
}

/// One attempt to deliver a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The root element: `NewOrder`, `OrderStatusChange`, `RecurringOrderStatusChange`, `TestNotification`.
    pub event: &'static str,
    /// The order (or subscription) that it is about, 0 for a test.
    pub about: u64,
    /// Counted from 1.
    pub attempt: u32,
    /// The receiver's answer; none when there was none.
    pub status: Option<u16>,
}

/// How often the store was called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls by kind, failed ones included.
    pub calls: BTreeMap<Endpoint, u64>,
    /// READ calls by order number (a token counts for its order).
    pub order_reads: BTreeMap<u64, u64>,
    /// Calls that met a planned fault.
    pub faults: u64,
    /// The same, by the fault's name.
    pub faults_met: BTreeMap<String, u64>,
    /// Calls with a wrong key or to another merchant.
    pub refused: u64,
    /// Calls that wait for their answers now.
    pub in_hand: u64,
    /// The most that ever did at the same time.
    pub most_in_hand: u64,
}

impl Counts {
    /// Calls of one kind.
    #[must_use]
    pub fn of(&self, endpoint: Endpoint) -> u64 {
        self.calls.get(&endpoint).copied().unwrap_or(0)
    }

    /// All calls.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.calls.values().sum()
    }
}

/// The store's own truth, to close the books against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// All orders.
    pub orders: usize,
    /// Orders by `OrderStatusType`.
    pub by_status: BTreeMap<String, usize>,
    /// Orders with something to ship.
    pub with_shipping: usize,
    /// Orders with nothing to ship.
    pub without_shipping: usize,
    /// Orders that show at least one tracking number.
    pub tracked_orders: usize,
    /// Tracking numbers shown.
    pub tracking_numbers: usize,
    /// Update calls that told a number the order had been told already.
    pub repeated_updates: u64,
}

/// Everything that changes.
pub(super) struct State {
    pub(super) orders: Orders,
    pub(super) clients: BTreeMap<u64, ClientSpec>,
    pub(super) products: BTreeMap<u64, ProductSpec>,
    pub(super) recurring: BTreeMap<u64, RecurringSpec>,
    pub(super) faults: FaultPlan,
    pub(super) counts: Counts,
    pub(super) write_back: WriteBack,
    pub(super) notify_url: Option<String>,
    pub(super) deliveries: Vec<Delivery>,
    next_line: u64,
}

impl State {
    pub(super) fn new(options: &StoreOptions) -> Self {
        Self {
            orders: Orders::default(),
            clients: BTreeMap::new(),
            products: BTreeMap::new(),
            recurring: BTreeMap::new(),
            faults: FaultPlan::new(),
            counts: Counts::default(),
            write_back: options.write_back,
            notify_url: options.notify_url.clone(),
            deliveries: Vec::new(),
            next_line: 800_300_401,
        }
    }

    /// Keeps an order and gives its number.
    pub(super) fn add(&mut self, mut spec: OrderSpec) -> u64 {
        let next = self.orders.last().map_or(700_100_201, |id| id + 1);
        let id = *spec.id.get_or_insert(next);
        let first_line = self.next_line;
        self.next_line += spec.lines.len() as u64;
        let modified_at = spec.ordered_at;
        let profile = 700_400_000 + id % 100_000;
        let kept = Kept { spec, token: token(id), modified_at, first_line, profile, tracking: Vec::new() };
        self.orders.insert(id, kept);
        id
    }

    /// The number of the order that a path names by number or by notification token.
    pub(super) fn order_named(&self, name: &str) -> Option<u64> {
        match name.parse::<u64>() {
            Ok(id) => self.orders.get(id).is_some().then_some(id),
            Err(_) => self.orders.with_token(name),
        }
    }

    pub(super) fn books(&self) -> Books {
        let mut books = Books::default();
        for order in self.orders.all() {
            books.orders += 1;
            *books.by_status.entry(order.spec.status.clone()).or_default() += 1;
            if order.spec.ship_to.is_some() {
                books.with_shipping += 1;
            } else {
                books.without_shipping += 1;
            }
            let shown = order.shown();
            books.tracked_orders += usize::from(shown > 0);
            books.tracking_numbers += shown;
            let repeats =
                order.tracking.iter().map(|tracking| u64::from(tracking.times_told.saturating_sub(1)));
            books.repeated_updates += repeats.sum::<u64>();
        }
        books
    }
}

/// An opaque token for an order: it must not look like the number, so that nobody takes it for one.
fn token(id: u64) -> String {
    let mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) ^ 0xd1b5_4a32_d192_ed03;
    format!("t{mixed:016x}{:08x}", mixed.wrapping_mul(0x2545_f491) >> 32 & 0xffff_ffff)
}
