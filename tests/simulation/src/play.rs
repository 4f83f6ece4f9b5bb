//! Plays one history from its seed: sales, schedules, crashes, freezes, shipments, webhooks, and at the end peace.

use std::collections::BTreeMap;

use domain::OrderId;
use domain::mapping::{Component, Mapping, Target};
use domain::order::Order;
use domain::payment::PaymentStatus;
use domain::policy::Policies;
use jiff::Timestamp;
use testkit::build;
use testkit::model::Books;

use crate::dice::Dice;
use crate::executor::{BEGINNING, Executor, Process};
use crate::history::{DEADLINE, Deployment, Work, connection_id};
use crate::judge::{Verdict, judge};
use crate::net::{Deal, Net, System};
use crate::queue::Queue;
use crate::wms::{Class, Wms};

/// A minute in milliseconds.
const MINUTE: u64 = 60_000;

/// How long the world is hostile.
const HOSTILE: u64 = 60 * MINUTE;

/// How long it may take to come to rest afterwards.
const PEACE: u64 = 36 * 60 * MINUTE;

/// The longest time after which a late effect still lands: well inside a lease.
const GHOST: u64 = 2 * MINUTE;

/// The longest time for which the warehouse packs an order.
const LONGEST_PACKING: u64 = 15 * MINUTE;

/// So many in a thousand of the polls are played that could only show what the last one showed.
const LOOKS_WHILE_NOTHING_STIRS: u32 = 120;

/// The largest difference of a process's clock from the world's, either way.
const SKEW: u64 = 2 * MINUTE;

/// One history.
struct Play {
    executor: Executor,
    world: Deployment,
    dice: Dice,
    next_process: Process,
    running: BTreeMap<Process, u64>,
    /// Orders that will be sold, by the time of the sale, latest first.
    to_sell: Vec<(u64, Order)>,
    /// Things that happen later to known orders.
    later: Vec<(u64, OrderId, PaymentStatus)>,
    webhooks: Vec<(u64, usize)>,
    /// When the parcels of the warehouse's orders leave, in its order.
    to_ship: Vec<u64>,
    /// How much had happened when somebody last looked, and until when that counts as fresh.
    stirred: (u64, u64),
    /// When the missing listing is added.
    cure_at: u64,
    crashes: u64,
    freezes: u64,
    /// What went wrong on the way.
    wrong: Vec<String>,
}

/// The mapping that translates everything that is sold; the sample alone lacks one listing.
pub(crate) fn whole_mapping(version: u64) -> Mapping {
    let mut mapping = build::mapping(version);
    let mug = Component { sku: build::warehouse_sku("WH-2001"), quantity: 1 };
    mapping.listings.insert(build::sku("MUG-BLUE-L"), Target::Ship(vec![mug]));
    mapping
}

/// Plays the history of a seed.
#[must_use]
pub fn play(seed: u64, keep_history: bool) -> Verdict {
    let mut dice = Dice::new(seed);
    let class = Class::ALL[dice.below(Class::ALL.len() as u64) as usize];
    let mut play = Play::new(seed, class, dice, keep_history);
    play.hostile();
    play.peaceful();
    let mut verdict = judge(seed, class, &play.world, play.crashes, play.freezes);
    verdict.wrong.append(&mut play.wrong);
    verdict
}

impl Play {
    fn new(seed: u64, class: Class, mut dice: Dice, keep_history: bool) -> Self {
        let executor = Executor::new(seed);
        let time = executor.time();
        let trouble = |dice: &mut Dice| [0, 20, 80, 200][dice.below(4) as usize];
        let chances: BTreeMap<System, u32> =
            [System::Ledger, System::Queue, System::Store, System::Warehouse]
                .map(|s| (s, trouble(&mut dice)))
                .into();
        let net = Net::new(time.clone(), seed, Deal::Chance(chances), GHOST, keep_history);
        let wms = Wms::new(class, net.clone(), time.clone());
        let mut connection = build::connection("sim");
        connection.id = connection_id();
        connection.enabled = true;
        connection.policies =
            Policies { start: Timestamp::from_second(BEGINNING - 3600).ok(), ..Policies::default() };
        let mischief = (dice.below(200), dice.below(30));
        let world = Deployment::new(connection, net, time, wms, mischief);
        let mut play = Self {
            executor,
            world,
            next_process: 1,
            running: BTreeMap::new(),
            to_sell: Vec::new(),
            later: Vec::new(),
            webhooks: Vec::new(),
            to_ship: Vec::new(),
            stirred: (0, 0),
            cure_at: dice.between(20 * MINUTE, HOSTILE),
            crashes: 0,
            freezes: 0,
            wrong: Vec::new(),
            dice,
        };
        play.set_the_scene();
        play
    }

    fn set_the_scene(&mut self) {
        let gap = self.dice.per_mille(300);
        self.map(&if gap { build::mapping(1) } else { whole_mapping(1) });
        for number in 0..self.dice.between(1, 5) {
            let at = self.dice.below(HOSTILE / 2);
            let mut order = build::order(1000 + number);
            order.ordered_at = Timestamp::from_millisecond(BEGINNING * 1000 + at as i64).ok();
            if self.dice.per_mille(250) {
                order.payment = PaymentStatus::Pending;
                let status =
                    if self.dice.per_mille(700) { PaymentStatus::Accepted } else { PaymentStatus::Declined };
                self.later.push((at + self.dice.below(HOSTILE / 3), order.id, status));
            } else if self.dice.per_mille(120) {
                self.later.push((at + self.dice.below(HOSTILE / 2), order.id, PaymentStatus::Refunded));
            }
            self.to_sell.push((at, order));
        }
    }

    fn map(&self, mapping: &Mapping) {
        let change = build::change("sim");
        self.world.mappings.set(&self.world.connection.id, mapping, &change);
    }

    fn now(&self) -> u64 {
        self.world.time.millis()
    }

    /// Lets the world run until `until`.
    fn run(&mut self, until: u64) {
        while self.executor.step(until) {}
    }

    fn start(&mut self, work: Work, hostile: bool) {
        let process = self.next_process;
        self.next_process += 1;
        let skew = if hostile { self.dice.below(2 * SKEW) as i64 - SKEW as i64 } else { 0 };
        self.world.start(process, work, skew);
        self.running.insert(process, self.now());
    }

    /// Kills or freezes somebody, now and then; a process that has run too long is killed as Lambda does.
    fn trouble(&mut self) {
        let now = self.now();
        let running: Vec<(Process, u64)> =
            self.running.iter().map(|(process, since)| (*process, *since)).collect();
        for (process, since) in running {
            if !self.executor.is_alive(process) {
                self.running.remove(&process);
            } else if now.saturating_sub(since) > DEADLINE.as_millis() as u64 || self.dice.per_mille(40) {
                self.executor.kill(process);
                self.running.remove(&process);
                self.crashes += 1;
                self.world.net.note(|| format!("process {process} dies"));
            } else if self.dice.per_mille(15) {
                let wait = self.dice.below(20 * MINUTE);
                self.world.time.freeze(process, wait);
                self.running.insert(process, now + wait);
                self.freezes += 1;
                self.world.net.note(|| format!("process {process} freezes for {wait} ms"));
            }
        }
    }

    fn shop(&mut self) {
        let now = self.now();
        for (_, order) in self.to_sell.extract_if(.., |(at, _)| *at <= now) {
            self.world.cart.sell(order);
        }
        let due: Vec<_> = self.later.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, order, status) in due {
            let mut truth = self.world.cart.truth();
            if let Some(sold) = truth.orders.get_mut(&order) {
                sold.order.payment = status;
            }
        }
        if now >= self.cure_at {
            self.cure_at = u64::MAX;
            self.map(&whole_mapping(2));
        }
    }

    /// Parcels leave, and webhooks tell of them: late, repeated, out of order, or not at all.
    fn warehouse(&mut self, eager: bool) {
        let now = self.now();
        let count = self.world.wms.truth().orders.len();
        while self.to_ship.len() < count {
            let at = now + self.dice.below(LONGEST_PACKING);
            self.to_ship.push(at);
        }
        for position in 0..count {
            if !eager && self.to_ship[position] > now {
                continue;
            }
            self.to_ship[position] = u64::MAX;
            let parcels = 1 + (position as u32) % 2;
            for parcel in 0..parcels {
                if self.world.wms.ship(position, parcel, parcels).is_some() {
                    let told = self.world.wms.truth().shipped.len() - 1;
                    for _ in 0..self.dice.below(3) {
                        let at = now + self.dice.below(10 * MINUTE);
                        self.webhooks.push((at, told));
                    }
                }
            }
        }
        let due: Vec<_> = self.webhooks.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, position) in due {
            self.start(Work::Webhook(position), !eager);
        }
    }

    fn queues(&mut self, hostile: bool) {
        let now = self.now();
        for (queue, work) in [
            (self.world.orders.clone(), Work::Orders),
            (self.world.shipments.clone(), Work::Shipments),
            (self.world.hints.clone(), Work::Hints),
        ] {
            if queue.next().is_some_and(|at| at <= now) {
                self.start(work, hostile);
            }
        }
    }

    fn hostile(&mut self) {
        let (mut next_minute, mut next_feed) = (0, 0);
        while self.now() < HOSTILE {
            self.shop();
            self.warehouse(false);
            if self.now() >= next_minute {
                next_minute = self.now() + MINUTE;
                self.schedules();
            }
            if self.now() >= next_feed {
                next_feed = self.now() + 5 * MINUTE;
                self.start(Work::PollShipments, true);
            }
            self.queues(true);
            // Short and uneven steps, so that processes are met at whatever they wait for.
            for _ in 0..4 {
                let until = self.now() + self.dice.below(1200);
                self.run(until);
                self.trouble();
            }
            if self.executor.is_idle() {
                let next = self.next_event().unwrap_or(HOSTILE).min(next_minute).min(next_feed).min(HOSTILE);
                self.run(next);
            }
        }
    }

    /// The schedules of a minute: they may not fire, or fire twice. While nothing stirs, one look is like the other, and
    /// most are left out.
    fn schedules(&mut self) {
        let stirs = self.stirs();
        for work in [Work::PollOrders, Work::Sweep] {
            let times = match self.dice.below(10) {
                0 => 0,
                _ if !stirs && !self.dice.per_mille(LOOKS_WHILE_NOTHING_STIRS) => 0,
                1 => 2,
                _ => 1,
            };
            for _ in 0..times {
                self.start(work, true);
            }
        }
    }

    /// Has anything happened in the last minutes, or is anything under way or due?
    fn stirs(&mut self) -> bool {
        let (now, changes) =
            (self.now(), self.world.net.changes() + self.world.cart.truth().orders.len() as u64);
        let is_due = self.next_date().is_some_and(|at| at <= now);
        if changes != self.stirred.0 || is_due || !self.executor.is_idle() {
            self.stirred = (changes, now + 3 * MINUTE);
        }
        now < self.stirred.1
    }

    /// Nothing fails any more. Rounds follow each other until one changes nothing; then nothing can happen before the
    /// next date, and the time jumps to it. The last round, long after everything, must find nothing to do.
    fn peaceful(&mut self) {
        self.world.net.calm_down();
        let end = self.now() + PEACE;
        while self.now() < end {
            let at_rest = self.round();
            let next = self.next_date().unwrap_or(end).min(end);
            if at_rest && next > self.now() {
                self.run(next);
            }
        }
        if self.next_date().is_none_or(|next| next > self.now()) && !self.round() {
            self.wrong.push("I1 not at rest: something was left to do, and nothing said when".to_owned());
        }
    }

    /// One round of everything that is scheduled. True: it changed nothing, and nothing is under way.
    fn round(&mut self) -> bool {
        let before = self.world.net.changes();
        self.shop();
        self.warehouse(true);
        self.start(Work::PollOrders, false);
        self.start(Work::Sweep, false);
        self.start(Work::PollShipments, false);
        self.queues(false);
        self.run(self.now() + MINUTE);
        self.queues(false);
        self.run(self.now() + 10_000);
        self.world.net.changes() == before && self.is_quiet()
    }

    /// Is nothing under way: no process, no effect that is still to land, no message, no webhook?
    fn is_quiet(&self) -> bool {
        let queues = [&self.world.orders, &self.world.shipments, &self.world.hints];
        self.executor.is_idle() && self.webhooks.is_empty() && queues.iter().all(|queue| queue.is_empty())
    }

    /// The next moment at which something is to happen, when nothing is under way and there is peace.
    fn next_date(&self) -> Option<u64> {
        let first = |books: &mut Books| books.dates.keys().next().copied();
        let due = self.world.model.with(&self.world.connection.id, first);
        let due = due.map(|at| {
            let since = at.as_millisecond().saturating_sub(BEGINNING * 1000).saturating_add(1);
            u64::try_from(since).unwrap_or(0)
        });
        self.next_event().into_iter().chain(due).min()
    }

    /// The next moment at which the outside does something of its own.
    fn next_event(&self) -> Option<u64> {
        let sales = self.to_sell.iter().map(|(at, _)| *at);
        let changes = self.later.iter().map(|(at, ..)| *at);
        let cure = Some(self.cure_at);
        let told = self.webhooks.iter().map(|(at, _)| *at);
        let queues = [&self.world.orders, &self.world.shipments, &self.world.hints];
        let messages = queues.into_iter().filter_map(Queue::next);
        let parcels = self.to_ship.iter().copied();
        let all = sales.chain(changes).chain(cure).chain(told).chain(messages).chain(parcels);
        all.filter(|at| *at != u64::MAX).min()
    }
}
