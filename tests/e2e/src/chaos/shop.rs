//! One shop of a run: its simulated store and warehouse, the orders that it will get, and what must become of each.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::ConnectionId;
use domain::connection::{Connection, History, Schedule};
use domain::policy::Policies;
use jiff::{SignedDuration, Timestamp};
use simulator::shop;
use simulator::store::{ClientSpec, LineSpec, OrderSpec, Store, StoreOptions};
use simulator::warehouse::{Auth, Parcels, Status, Warehouse, WarehouseOptions, Webhook};

use super::canary::{MARK, Secrets, variable};
use super::dice::Dice;
use super::plan::{Class, store_faults, warehouse_faults};
use crate::connection::settings;

/// Orders that may be under way at the same time, where many are sold.
const UNDER_WAY: usize = 250;
/// The number of the first marked buyer.
const FIRST_BUYER: u64 = 800_000_000;
/// How long an order stays unpaid, or at the warehouse, at most.
const LONGEST_MS: u64 = 3000;

/// What must become of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Sent as so many pieces, shipped, posted.
    Ship(u32),
    /// Sent; then the sale is taken back before anything ships.
    Refund(u32),
    /// Never sent.
    Exclude,
}

/// Something that the outside world will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Pay(u64),
    TellAgain(u64),
    Ship(u64),
    Refund(u64),
}

/// A shop.
pub(super) struct Shop {
    /// That of its connection.
    pub(super) id: String,
    pub(super) class: Class,
    pub(super) store: Store,
    pub(super) warehouse: Warehouse,
    pub(super) secrets: Secrets,
    /// What was sold, and what must become of it.
    pub(super) sold: BTreeMap<u64, Fate>,
    left_to_sell: usize,
    /// Orders that may be under way at the same time.
    room: usize,
    /// What was sold to be sent.
    to_come: usize,
    /// Orders of the warehouse that the outside world has looked at.
    pub(super) seen: usize,
    events: VecDeque<(Timestamp, Event)>,
    dice: Dice,
}

impl Shop {
    /// Opens a shop with a number and an id of its own, that will sell so many orders.
    pub(super) async fn open(
        (number, id): (usize, String),
        class: Class,
        orders: usize,
        seed: u64,
        listen: &str,
    ) -> Self {
        let secrets = Secrets::of(number, &id);
        let options = StoreOptions {
            key: secrets.store_key.clone(),
            notify_delay: Duration::from_millis(500),
            ..StoreOptions::default()
        };
        let store = Store::start(options).await.expect("a loopback port");
        store.stock_shop();
        let webhook =
            Webhook { url: format!("http://{listen}/webhook/{id}"), secret: secrets.webhook.clone() };
        let options = WarehouseOptions {
            auth: Auth::ApiKey(secrets.warehouse_key.clone()),
            duplicates: class.duplicates(),
            lookup_lag: class.lag(),
            webhook: Some(webhook),
            retry_delays: [200, 500, 1000, 2000].map(Duration::from_millis).to_vec(),
            ..WarehouseOptions::default()
        };
        let warehouse = Warehouse::start(options).await.expect("a loopback port");
        let shop = Self {
            id,
            class,
            store,
            warehouse,
            secrets,
            sold: BTreeMap::new(),
            left_to_sell: orders,
            room: (orders / 5).clamp(10, UNDER_WAY),
            to_come: 0,
            seen: 0,
            events: VecDeque::new(),
            dice: Dice::new(seed),
        };
        shop.misbehave(seed);
        shop
    }

    fn misbehave(&self, seed: u64) {
        self.store.plan_faults(store_faults(seed));
        self.warehouse.plan_faults(warehouse_faults(seed.rotate_left(17)));
    }

    /// The outside world goes on: sells, pays, ships, takes back, tells.
    /// `pace` is how far the other shops have come, in thousandths of their orders.
    pub(super) fn tick(&mut self, now: Timestamp, notify_url: &str, pace: usize) {
        self.sell(now, notify_url, pace);
        self.look_at_warehouse(now);
        let (due, later): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.events).into_iter().partition(|(at, _)| *at <= now);
        self.events = later;
        for (_, event) in due {
            self.happen(event);
        }
    }

    /// How far it has come, in thousandths of its orders.
    pub(super) fn pace(&self) -> usize {
        self.sold.len() * 1000 / (self.sold.len() + self.left_to_sell).max(1)
    }

    fn sell(&mut self, now: Timestamp, notify_url: &str, pace: usize) {
        let mut room = self.room.saturating_sub(self.to_come.saturating_sub(self.seen));
        if self.class == Class::Cannot {
            // Its doubtful orders never arrive, so it keeps step with the others instead.
            room = if self.pace() <= pace { self.room } else { 0 };
        }
        for _ in 0..room.min(25).min(self.left_to_sell) {
            self.left_to_sell -= 1;
            self.sell_one(now, notify_url);
        }
    }

    fn sell_one(&mut self, now: Timestamp, notify_url: &str) {
        let buyer = FIRST_BUYER + self.sold.len() as u64;
        self.store.add_client(client(buyer));
        let (lines, units) = self.basket();
        let mut spec = OrderSpec::paid(self.store.local(now), lines);
        spec.client = buyer;
        mark(&mut spec, buyer);
        let lot = self.dice.below(1000);
        let fate = match lot {
            0..30 => {
                spec.status = "Pending".to_owned();
                Fate::Ship(units)
            }
            30..50 => {
                spec.status = "Declined".to_owned();
                Fate::Exclude
            }
            50..70 => {
                (spec.shipping, spec.ship_to) = (None, None);
                Fate::Exclude
            }
            70..80 => Fate::Refund(units),
            _ => Fate::Ship(units),
        };
        let id = self.store.add_order(spec);
        self.sold.insert(id, fate);
        self.to_come += usize::from(fate != Fate::Exclude);
        if lot < 30 {
            self.plan(now, Event::Pay(id));
        }
        if lot.is_multiple_of(10) {
            self.tell(id, notify_url);
        }
        if lot.is_multiple_of(100) {
            self.plan(now, Event::TellAgain(id));
        }
    }

    /// Notifications of the store are hints; most orders come by polling.
    fn tell(&self, id: u64, notify_url: &str) {
        self.store.notify_to(Some(notify_url.to_owned()));
        self.store.notify_again(id);
        self.store.notify_to(None);
    }

    fn basket(&mut self) -> (Vec<LineSpec>, u32) {
        // The mug and the tea are one piece each at the warehouse, the kit is four.
        const PIECES: [(usize, u32); 3] = [(0, 1), (1, 1), (4, 4)];
        let products = shop::products();
        let (mut lines, mut units) = (Vec::new(), 0);
        for (index, pieces) in PIECES.into_iter().take(1 + self.dice.below(3) as usize) {
            let product = products.get(index).expect("a product").clone();
            let quantity = 1 + self.dice.below(2) as u32;
            units += quantity * pieces;
            lines.push(LineSpec {
                product: product.id,
                name: product.name,
                sku: product.sku,
                quantity,
                unit_price: product.price,
                recurring: false,
            });
        }
        (lines, units)
    }

    fn look_at_warehouse(&mut self, now: Timestamp) {
        for order in self.warehouse.orders_from(self.seen) {
            self.seen += 1;
            let Some(id) = number(&order.reference) else { continue };
            let event = match self.sold.get(&id) {
                Some(Fate::Refund(_)) => Event::Refund(id),
                _ => Event::Ship(id),
            };
            self.plan(now, event);
        }
    }

    fn plan(&mut self, now: Timestamp, event: Event) {
        let wait = SignedDuration::from_millis(i64::try_from(self.dice.below(LONGEST_MS)).unwrap_or(0));
        self.events.push_back((now + wait, event));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Pay(id) => drop(self.store.set_status(id, "Accepted")),
            Event::Refund(id) => drop(self.store.set_status(id, "Refunded")),
            Event::TellAgain(id) => self.store.notify_again(id),
            Event::Ship(id) => {
                let parcels = if self.dice.per_mille(100) { Parcels::Split(2) } else { Parcels::One };
                for parcel in self.warehouse.ship(&self.reference(id), &parcels) {
                    if self.dice.per_mille(10) {
                        self.warehouse.tell_again(&parcel.id);
                    }
                }
            }
        }
    }

    /// How an order is called at the warehouse.
    pub(super) fn reference(&self, id: u64) -> String {
        format!("{}-{id}", self.id)
    }

    /// Creates and posts so far: what the moments of trouble are chosen by.
    pub(super) fn progress(&self) -> usize {
        self.seen + self.store.shown()
    }

    /// Has the outside world nothing more to do, and has the store heard of everything that left?
    pub(super) fn is_at_rest(&self) -> bool {
        self.left_to_sell == 0
            && self.events.is_empty()
            && self.warehouse.orders_from(self.seen).is_empty()
            && self.is_every_refund_cancelled()
            && self.store.shown() >= self.warehouse.parcels()
    }

    /// Has the warehouse been told of every sale that was taken back? Where orders cannot be asked for, nobody waits for it.
    fn is_every_refund_cancelled(&self) -> bool {
        let taken_back = self.sold.iter().filter(|(_, fate)| matches!(fate, Fate::Refund(_)));
        self.class == Class::Cannot
            || taken_back
                .flat_map(|(id, _)| self.warehouse.orders_of(&self.reference(*id)))
                .all(|order| order.status == Status::Cancelled)
    }

    /// How many orders must be at the warehouse and are not there yet.
    pub(super) fn missing(&self) -> usize {
        let wanted = self.sold.iter().filter(|(_, fate)| **fate != Fate::Exclude);
        wanted.filter(|(id, _)| self.warehouse.creates_for(&self.reference(**id)) == 0).count()
    }

    /// The store notifies once more of some orders that it sold long ago.
    pub(super) fn tell_of_old_orders(&self, notify_url: &str) {
        self.sold.keys().rev().step_by(7).take(20).for_each(|id| self.tell(*id, notify_url));
    }

    /// The connection that joins the two, with these orders' start date.
    pub(super) fn connection(&self, start: Timestamp, history: History) -> Connection {
        let secret = |what: &str| format!("@env:{}", variable(what, &self.id));
        let store = settings(&[
            ("merchant_id", &self.store.merchant_id().to_string()),
            ("api_key", &secret("STORE_KEY")),
            ("notify_secret", &secret("NOTIFY_SECRET")),
            ("base_url", &self.store.base_url()),
            ("requests_per_second", "50"),
            ("timeout_seconds", "1"),
        ]);
        let mut warehouse = settings(&[
            ("kind", "http"),
            ("base_url", &self.warehouse.base_url()),
            ("requests_per_second", "50"),
            ("timeout_seconds", "1"),
            ("auth", "header"),
            ("auth.key", &secret("WAREHOUSE_KEY")),
            ("webhook.scheme", "standard_webhooks"),
            ("webhook.secret", &secret("WEBHOOK_SECRET")),
        ]);
        warehouse.extend(settings(self.class.settings()));
        Connection {
            id: ConnectionId::parse(&self.id).expect("a slug"),
            name: format!("Shop {}", self.id),
            enabled: true,
            store,
            warehouse,
            policies: Policies { start: Some(start), ..Policies::default() },
            schedule: Schedule { orders_minutes: 1, shipments_minutes: 1, overlap_minutes: 60 },
            history,
        }
    }
}

/// The number in a reference.
pub(super) fn number(reference: &str) -> Option<u64> {
    reference.rsplit('-').next()?.parse().ok()
}

/// A buyer whose every personal field carries a mark.
fn client(id: u64) -> ClientSpec {
    ClientSpec {
        id,
        email: Some(format!("{MARK}mail{id}@buyers.example").to_lowercase()),
        first_name: format!("{MARK}first{id}"),
        last_name: format!("{MARK}last{id}"),
        line1: format!("{id} {MARK}billing Street"),
        city: format!("{MARK}town{id}"),
        zip: "62701".to_owned(),
        state: "Illinois".to_owned(),
        country: "United States".to_owned(),
        phone: Some(format!("{MARK}phone{id}")),
        ..ClientSpec::default()
    }
}

fn mark(spec: &mut OrderSpec, buyer: u64) {
    spec.comments = format!("{MARK}remark{buyer} leave it at the door");
    if let Some(to) = &mut spec.ship_to {
        to.name = format!("Pat {MARK}name{buyer}");
        to.line1 = format!("{buyer} {MARK}street");
        to.line2 = format!("Unit {MARK}unit{buyer}");
        to.city = format!("{MARK}city{buyer}");
    }
}
