//! The whole way of one order and its tracking, through the real use cases, with trouble by script. The interleaving is
//! always the same, so that two runs are equal up to the first effect for which their scripts differ.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::policy::Policies;
use jiff::Timestamp;
use testkit::build;
use testkit::model::Books;

use crate::cart::Cart;
use crate::desk::Told;
use crate::executor::{BEGINNING, Executor, Process};
use crate::history::{Deployment, Traits, Work};
use crate::judge::judge;
use crate::net::{Deal, Net, STEP, Turn};
use crate::play::GHOST;
use crate::queue::Queue;
use crate::scene::{MINUTE, canary, whole_mapping};
use crate::site::Site;
use crate::wms::{Class, Wms};

/// The seed of every run: what differs is the script alone.
const SEED: u64 = 1;

/// How far ahead the second worker's first may be, in milliseconds: in the middle of its work.
const HEAD_START: u64 = 60;

/// How often the queues are looked at while somebody works, in milliseconds.
const TICK: u64 = 100;

/// By then everything has come to rest, or it never will.
const HORIZON: u64 = 12 * 60 * MINUTE;

/// How far behind the first the second is where they keep step, in milliseconds: half an effect.
const HALF_A_STEP: u64 = STEP;

/// What an order goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scene {
    /// The warehouse's class.
    pub class: Class,
    /// How many run at the same time of everything: pollers, sweeps, and workers that are given the same messages.
    pub workers: u32,
    /// How they run beside each other.
    pub rhythm: Rhythm,
    /// What is wrong with it on purpose.
    pub flaw: Option<Flaw>,
}

impl Scene {
    /// A scene without flaw, in which one is ahead of the other.
    #[must_use]
    pub fn new(class: Class, workers: u32) -> Self {
        Self { class, workers, rhythm: Rhythm::Ahead, flaw: None }
    }
}

/// How two that do the same run beside each other. (That one does all of its work while the other stands still, at any of
/// the other's effects, is an event: [`crate::net::Then::Pauses`].)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// The second begins in the middle of the first's work, and effects take differently long.
    Ahead,
    /// The second is half an effect behind the first: after each effect of the one comes the same one of the other.
    InStep,
}

impl Rhythm {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Ahead, Self::InStep];
}

/// Something that is wrong on purpose, so that the schedules are judged, too: one of them must go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The lease ends while a request of its attempt may still land.
    LeaseTooShort,
    /// The adapter of a warehouse that gives nothing against duplicates says that it honours keys.
    ClassOverstated,
}

/// What a run showed.
#[derive(Debug, Clone)]
pub struct Played {
    /// The effects in their order: every one of them is a point at which something can happen.
    pub points: Vec<&'static str>,
    /// What is wrong.
    pub wrong: Vec<String>,
    /// How the order ended, by word.
    pub ends: BTreeMap<String, u64>,
    /// Everything that happened, where it was asked for.
    pub history: Option<Vec<String>>,
}

/// Plays an order's way; this becomes of the effects with these numbers, all others are done.
#[must_use]
pub fn play(scene: Scene, script: &[(u64, Turn)], keep_history: bool) -> Played {
    let mut way = Way::new(scene, script, keep_history);
    way.go();
    let verdict = judge(SEED, &way.world);
    let mut wrong = verdict.wrong;
    wrong.append(&mut way.wrong);
    Played { points: verdict.tally.names, wrong, ends: verdict.ends, history: verdict.tally.history }
}

struct Way {
    executor: Executor,
    world: Arc<Deployment>,
    scene: Scene,
    next_process: Process,
    wrong: Vec<String>,
}

impl Way {
    fn new(scene: Scene, script: &[(u64, Turn)], keep_history: bool) -> Self {
        let executor = Executor::new(SEED);
        let time = executor.time();
        let turns = script.iter().copied().collect();
        let deal = match scene.rhythm {
            Rhythm::Ahead => Deal::Script(turns),
            Rhythm::InStep => Deal::InStep(turns),
        };
        let net = Net::new(time.clone(), SEED, deal, GHOST, keep_history);
        let mut wms = Wms::new(scene.class, net.clone(), time.clone());
        if scene.flaw == Some(Flaw::ClassOverstated) {
            wms = wms.declared_as(Class::K);
        }
        let mut connection = build::connection("sim");
        connection.policies =
            Policies { start: Timestamp::from_second(BEGINNING - 3600).ok(), ..Policies::default() };
        let mut order = build::order(1000);
        order.ordered_at = Timestamp::from_second(BEGINNING).ok();
        if let Some(to) = &mut order.ship_to {
            to.name = canary(&connection.id, order.id);
        }
        let site = Site::new(connection, Cart::new(net.clone()), wms);
        site.cart.sell(order);
        let mut world = Deployment::new(vec![site], net, time);
        if scene.flaw == Some(Flaw::LeaseTooShort) {
            world.pace.lease = world.pace.send_within / 2;
        }
        world.mappings.set(&world.sites[0].connection.id, &whole_mapping(1), &build::change("sim"));
        Self { executor, world: Arc::new(world), scene, next_process: 1, wrong: Vec::new() }
    }

    fn now(&self) -> u64 {
        self.world.time.millis()
    }

    fn run(&mut self, until: u64) {
        while self.executor.step(until) {}
    }

    fn queues(&self) -> [(&Queue, Work); 3] {
        let world = &self.world;
        [(&world.orders, Work::Orders), (&world.shipments, Work::Shipments), (&world.hints, Work::Hints)]
    }

    fn next_message(&self) -> Option<u64> {
        self.queues().into_iter().filter_map(|(queue, _)| queue.next()).min()
    }

    /// Rounds follow each other until one changes nothing and nothing is to come.
    fn go(&mut self) {
        while self.now() < HORIZON {
            let before = self.world.net.changes();
            self.round();
            let next = self.next_message().into_iter().chain(self.next_date()).min();
            let is_quiet = self.executor.is_idle() && self.world.net.changes() == before;
            match next {
                None if is_quiet => return,
                Some(at) if is_quiet => self.run(at.clamp(self.now() + 1, HORIZON)),
                _ => self.run(self.now() + MINUTE),
            }
        }
        if !self.executor.is_idle() || self.next_message().is_some() {
            self.wrong.push("I1 not at rest: something is still under way".to_owned());
        }
    }

    /// When the ledger wants somebody to look.
    fn next_date(&self) -> Option<u64> {
        let first = |books: &mut Books| books.dates.keys().next().copied();
        let due = self.world.model.with(&self.world.sites[0].connection.id, first)?;
        u64::try_from(due.as_millisecond().saturating_sub(BEGINNING * 1000).saturating_add(1)).ok()
    }

    fn start(&mut self, work: Work) {
        self.world.start(self.next_process, work, Traits::default());
        self.next_process += 1;
    }

    /// Everything that is scheduled, and the work that it leads to.
    fn round(&mut self) {
        self.ship();
        for worker in 0..self.scene.workers {
            if worker > 0 && self.scene.rhythm == Rhythm::InStep {
                self.run(self.now() + HALF_A_STEP);
            }
            for work in [Work::PollOrders(0), Work::Sweep(0), Work::PollShipments(0)] {
                self.start(work);
            }
        }
        let end = self.now() + MINUTE;
        while self.now() < end {
            self.deliver();
            let next = self.next_message().filter(|at| *at > self.now()).unwrap_or(end).min(end);
            if self.executor.is_resting() && next == end {
                return;
            }
            let until = if self.executor.is_resting() { next } else { next.min(self.now() + TICK) };
            self.run(until);
        }
    }

    /// What the warehouse has leaves it in one parcel, and a webhook tells of it.
    fn ship(&mut self) {
        let count = self.world.sites[0].wms.truth().orders.len();
        for position in 0..count {
            if self.world.sites[0].wms.ship(position, 0, 1).is_some() {
                let told = self.world.sites[0].wms.truth().shipped.len() - 1;
                for id in 0..self.scene.workers {
                    let body = Told::Package(told).body();
                    self.start(Work::Webhook { site: 0, id: u64::from(id), body });
                }
            }
        }
    }

    /// Gives the messages out: to every worker the same.
    fn deliver(&mut self) {
        let now = self.now();
        let waiting = self.queues().map(|(queue, work)| (queue.clone(), work));
        let head_start = match self.scene.rhythm {
            Rhythm::Ahead => HEAD_START,
            Rhythm::InStep => HALF_A_STEP,
        };
        for (queue, work) in waiting {
            if queue.next().is_none_or(|at| at > now) {
                continue;
            }
            self.start(work.clone());
            for _ in 1..self.scene.workers {
                self.run(self.now() + head_start);
                queue.deliver_again();
                self.start(work.clone());
            }
        }
    }
}
