//! What a history is about: the connections, what is sold, and what the outside will do of its own, drawn from the seed.

use domain::connection::Connection;
use domain::mapping::{Component, Mapping, Target};
use domain::order::Order;
use domain::payment::PaymentStatus;
use domain::policy::{Changed, Policies};
use domain::{ConnectionId, OrderId};
use jiff::Timestamp;
use testkit::build;

use crate::coverage::Fault;
use crate::dice::Dice;
use crate::executor::{BEGINNING, Process};
use crate::watch::Watch;
use crate::wms::Class;

/// A minute in milliseconds.
pub(crate) const MINUTE: u64 = 60_000;

/// A day in milliseconds.
const DAY: u64 = 24 * 60 * MINUTE;

/// So many histories in a thousand have two stores.
const TWO_STORES: u32 = 120;

/// In so many histories in a thousand a store begins with old orders.
const BACKFILLS: u32 = 50;

/// In so many histories in a thousand people type commands.
const HANDS: u32 = 500;

/// So many in a thousand of the looks that can find nothing are played in a short history.
const EMPTY_LOOKS: u32 = 100;

/// Marks every personal datum, so that it is seen where it must not be.
pub(crate) const CANARY: &str = "Canary";

/// The buyer of an order: nobody else has this name.
#[must_use]
pub(crate) fn canary(connection: &ConnectionId, order: OrderId) -> String {
    format!("{CANARY} {connection} {order}")
}

/// Something that happens outside, or to a process. The first number names the connection.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// The buyer orders.
    Sell(usize, Box<Order>),
    /// The payment of an order becomes another one.
    Pay(usize, OrderId, PaymentStatus),
    /// The buyer moves.
    Move(usize, OrderId),
    /// The buyer moves back to where an order was to go at first.
    MoveBack(usize, OrderId),
    /// The store does not have the order any more.
    Vanish(usize, OrderId),
    /// The store has it again.
    Return(usize, OrderId),
    /// The order's document becomes unreadable, or readable again.
    Garble(usize, OrderId, bool),
    /// The store notifies us of an order.
    Notify(usize, OrderId),
    /// The store goes down for so long.
    StoreDown(usize, u64),
    /// The warehouse goes away, or comes back.
    WarehouseAway(usize, bool),
    /// Somebody changes the addresses that the warehouse refuses.
    FixRefused(usize),
    /// The store's key is another one.
    RotateStore(usize),
    /// The warehouse's key is another one.
    RotateWarehouse(usize),
    /// Somebody adds the missing listing.
    Cure,
    /// Somebody puts a message on the queues that nobody can read.
    Poison(&'static str),
    /// Somebody puts the dead letters back.
    Redrive,
    /// Somebody types a command about an order.
    Person(usize),
    /// Somebody compares everything and has put right what can be.
    Reconcile(usize),
    /// A webhook arrives, for the so-manieth time.
    Webhook(usize, u64, Vec<u8>, u32),
    /// Was that webhook answered?
    Answered(usize, u64, Vec<u8>, u32),
    /// The label of this package is taken back.
    Relabel(usize, domain::ids::PackageId),
    /// The schedules fire.
    PollOrders,
    /// The schedule of the sweep fires.
    Sweep,
    /// The schedule of the feed fires.
    PollShipments,
    /// The process dies, if it still lives.
    Kill(Process),
    /// The process has run for as long as it may.
    Deadline(Process),
    /// The process freezes for so long, if it still lives.
    Freeze(Process, u64),
}

/// The versions of a history with a deploy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deploy {
    /// From then on both versions run.
    pub(crate) begins: u64,
    /// From then on only one runs.
    pub(crate) ends: u64,
    /// Was the new one taken back?
    pub(crate) back: bool,
}

/// What a history is about.
pub(crate) struct Scene {
    pub(crate) classes: Vec<Class>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) events: Vec<(u64, Event)>,
    /// How long the world is hostile.
    pub(crate) hostile: u64,
    pub(crate) deploy: Option<Deploy>,
    /// Is a listing missing until it is cured?
    pub(crate) gap: bool,
    /// Minutes between two polls and two sweeps.
    pub(crate) every: (u64, u64),
    /// So many in a thousand are played of the polls and sweeps that can find nothing. One is like the other.
    pub(crate) empty_looks: u32,
    /// Do the warehouses' webhooks say only that something has changed?
    pub(crate) hints_only: bool,
    /// Can the warehouses be asked for everything that they have shipped?
    pub(crate) feeds: bool,
}

/// The mapping that translates everything that is sold; the sample alone lacks one listing.
pub(crate) fn whole_mapping(version: u64) -> Mapping {
    let mut mapping = build::mapping(version);
    let mug = Component { sku: build::warehouse_sku("WH-2001"), quantity: 1 };
    mapping.listings.insert(build::sku("MUG-BLUE-L"), Target::Ship(vec![mug]));
    mapping
}

impl Scene {
    /// The scene of a seed.
    pub(crate) fn drawn(dice: &mut Dice, watch: &Watch) -> Self {
        let hostile = dice.between(10, 30) * MINUTE;
        let two = dice.per_mille(TWO_STORES);
        let backfill = dice.per_mille(BACKFILLS);
        let mut scene = Self {
            classes: Vec::new(),
            connections: Vec::new(),
            events: Vec::new(),
            hostile,
            deploy: deploy(dice, watch, hostile),
            gap: watch.strikes(Fault::Unmapped),
            every: (dice.between(1, 5), dice.between(1, 4)),
            empty_looks: EMPTY_LOOKS,
            hints_only: dice.per_mille(300),
            feeds: dice.per_mille(800),
        };
        for (site, name) in ["sim", "sim2"].into_iter().enumerate().take(1 + usize::from(two)) {
            scene.classes.push(Class::ALL[dice.below(Class::ALL.len() as u64) as usize]);
            scene.connections.push(connection(name, dice, backfill));
            scene.sales(site, dice, watch, backfill);
            scene.outages(site, dice, watch);
        }
        scene.people(dice, watch);
        scene.commands(dice);
        scene
    }

    /// A scene without anything: one connection of this class.
    pub(crate) fn quiet(class: Class, hostile: u64) -> Self {
        Self {
            classes: vec![class],
            connections: vec![connection("sim", &mut Dice::new(0), false)],
            events: Vec::new(),
            hostile,
            deploy: None,
            gap: false,
            every: (1, 1),
            empty_looks: 1000,
            hints_only: false,
            feeds: true,
        }
    }

    pub(crate) fn at(&mut self, time: u64, event: Event) {
        self.events.push((time, event));
    }

    fn sales(&mut self, site: usize, dice: &mut Dice, watch: &Watch, backfill: bool) {
        let id = self.connections[site].id.clone();
        let early = self.hostile / 2;
        for number in 0..new_orders(dice) {
            let at = dice.below(early);
            let order = self.sold(&id, OrderId(1000 + number), at as i64);
            self.fortunes(site, order, at, dice, watch);
        }
        let old = if backfill { dice.between(3, 16) } else { 0 };
        for number in 0..old {
            let before = dice.between(35 * DAY, 60 * DAY);
            let order = self.sold(&id, OrderId(100 + number), -(before as i64));
            self.at(0, Event::Sell(site, Box::new(order)));
        }
    }

    pub(crate) fn sold(&self, id: &ConnectionId, number: OrderId, at: i64) -> Order {
        let mut order = build::order(number.0);
        order.ordered_at = Timestamp::from_millisecond(BEGINNING * 1000 + at).ok();
        if let Some(to) = &mut order.ship_to {
            to.name = canary(id, number);
            to.line1 = format!("{CANARY} street 1");
            to.phone = Some(format!("555-{CANARY}"));
            to.email = Some(format!("{CANARY}@example.com"));
        }
        order
    }

    /// What becomes of one order.
    pub(crate) fn fortunes(
        &mut self,
        site: usize,
        mut order: Order,
        at: u64,
        dice: &mut Dice,
        watch: &Watch,
    ) {
        let (id, early) = (order.id, self.hostile / 2);
        let later = |dice: &mut Dice| at + dice.below(early);
        if watch.strikes(Fault::PaidLate) {
            order.payment = PaymentStatus::Pending;
            let status = if dice.per_mille(700) { PaymentStatus::Accepted } else { PaymentStatus::Declined };
            let paid = later(dice);
            self.at(paid, Event::Pay(site, id, status));
            self.may_notify(site, id, paid, dice);
        } else if watch.strikes(Fault::TakenBack) {
            let back = at + dice.below(10 * MINUTE);
            self.at(back, Event::Pay(site, id, PaymentStatus::Refunded));
            self.may_notify(site, id, back, dice);
        }
        if watch.strikes(Fault::OrderChanges) {
            let moved = later(dice);
            self.at(moved, Event::Move(site, id));
            self.may_notify(site, id, moved, dice);
            if dice.per_mille(300) {
                let back = moved + dice.below(20 * MINUTE);
                self.at(back, Event::MoveBack(site, id));
                self.may_notify(site, id, back, dice);
            }
        }
        if watch.strikes(Fault::OrderVanishes) {
            let gone = later(dice);
            self.at(gone, Event::Vanish(site, id));
            if dice.per_mille(600) {
                self.at(gone + dice.below(30 * MINUTE), Event::Return(site, id));
            }
        }
        if watch.strikes(Fault::OrderUnreadable) {
            let from = at + dice.below(5 * MINUTE);
            self.at(from, Event::Garble(site, id, true));
            self.at(from + dice.below(30 * MINUTE), Event::Garble(site, id, false));
        }
        self.may_notify(site, id, at, dice);
        self.at(at, Event::Sell(site, Box::new(order)));
    }

    /// The store may tell of what happened to an order, within a minute.
    fn may_notify(&mut self, site: usize, order: OrderId, at: u64, dice: &mut Dice) {
        if dice.per_mille(400) {
            self.at(at + dice.below(MINUTE), Event::Notify(site, order));
        }
    }

    fn outages(&mut self, site: usize, dice: &mut Dice, watch: &Watch) {
        let hostile = self.hostile;
        if watch.threatens(Fault::StoreDown) {
            self.at(dice.below(hostile), Event::StoreDown(site, dice.below(15 * MINUTE)));
        }
        if watch.threatens(Fault::WarehouseDown) {
            let from = dice.below(hostile);
            self.at(from, Event::WarehouseAway(site, true));
            self.at((from + dice.below(15 * MINUTE)).min(hostile), Event::WarehouseAway(site, false));
        }
        if watch.threatens(Fault::StoreSecret) {
            self.at(dice.below(hostile), Event::RotateStore(site));
        }
        if watch.threatens(Fault::WarehouseSecret) {
            self.at(dice.below(hostile), Event::RotateWarehouse(site));
        }
        if watch.strikes(Fault::UnknownNotice) {
            let strangers = ["other-1000", "sim-999999", "sim2-1000", "nonsense"];
            let stranger = strangers[dice.below(strangers.len() as u64) as usize];
            let is_foreign = stranger.strip_suffix("-1000") != Some(self.connections[site].id.as_str());
            if is_foreign {
                let body = format!("stranger {stranger}").into_bytes();
                self.at(dice.below(hostile), Event::Webhook(site, u64::MAX, body, 0));
            }
        }
        if dice.per_mille(700) {
            self.at(dice.between(hostile / 2, hostile * 2), Event::FixRefused(site));
        }
    }

    fn people(&mut self, dice: &mut Dice, watch: &Watch) {
        let hostile = self.hostile;
        self.at(dice.between(hostile / 3, hostile), Event::Cure);
        if watch.strikes(Fault::PoisonMessage) {
            let bodies = ["{", "{\"v\":1,\"do\":\"dance\"}", "{\"v\":9,\"do\":\"forward\"}", "hello"];
            for _ in 0..dice.between(1, 4) {
                let body = bodies[dice.below(bodies.len() as u64) as usize];
                self.at(dice.below(hostile), Event::Poison(body));
            }
        }
        self.at(dice.between(hostile / 2, hostile * 2), Event::Redrive);
        self.at(hostile * 3, Event::Redrive);
    }

    /// In some histories people act on orders, while the world is hostile and after.
    fn commands(&mut self, dice: &mut Dice) {
        if !dice.per_mille(HANDS) {
            return;
        }
        let (hostile, sites) = (self.hostile, self.connections.len() as u64);
        for _ in 0..dice.between(1, 7) {
            let (at, site) = (dice.between(hostile / 8, hostile * 5), dice.below(sites) as usize);
            let is_command = dice.per_mille(850);
            self.at(at, if is_command { Event::Person(site) } else { Event::Reconcile(site) });
        }
    }
}

/// How many orders come in while the world is hostile: one as a rule, as in a small shop, and now and then a handful.
fn new_orders(dice: &mut Dice) -> u64 {
    match dice.below(100) {
        0..70 => 1,
        70..90 => 2,
        90..98 => 3,
        _ => 6,
    }
}

fn deploy(dice: &mut Dice, watch: &Watch, hostile: u64) -> Option<Deploy> {
    let begins = dice.below(hostile);
    let ends = begins + dice.below(20 * MINUTE);
    let back = dice.per_mille(500);
    watch.threatens(Fault::NewerMessage).then_some(Deploy { begins, ends, back })
}

fn connection(name: &str, dice: &mut Dice, backfill: bool) -> Connection {
    let mut connection = build::connection(name);
    // The adapters' settings mean nothing here.
    connection.store.clear();
    connection.warehouse.clear();
    let before = if backfill { 70 * DAY as i64 / 1000 } else { 3600 };
    let changed = if dice.per_mille(500) { Changed::Replace } else { Changed::Hold };
    connection.policies =
        Policies { start: Timestamp::from_second(BEGINNING - before).ok(), changed, ..Policies::default() };
    connection.schedule.overlap_minutes = u32::try_from(dice.between(15, 90)).unwrap_or(15);
    connection
}
