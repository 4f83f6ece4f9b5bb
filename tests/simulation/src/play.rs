//! Plays one history from its seed: what happens outside and by schedule, moment after moment.

mod parcels;
mod peace;
mod people;
mod processes;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::fulfillment::order_of;
use domain::payment::PaymentStatus;
use testkit::build as sample;

use crate::agenda::Agenda;
use crate::build::Formats;
use crate::cart::{Cart, Sold};
use crate::coverage::Fault;
use crate::dice::Dice;
use crate::executor::{Executor, Process};
use crate::history::{Deployment, Work};
use crate::judge::{Verdict, judge};
use crate::net::{Deal, Net, System};
use crate::scene::{CANARY, Event, MINUTE, Scene, whole_mapping};
use crate::site::Site;
use crate::watch::{Plan, Watch};
use crate::wms::Wms;

use peace::InSight;
use processes::SKEW;

/// The longest time after which a late effect still lands: well inside a lease.
pub(crate) const GHOST: u64 = 2 * MINUTE;

/// One history.
pub(crate) struct Play {
    seed: u64,
    executor: Executor,
    world: Arc<Deployment>,
    scene: Scene,
    watch: Watch,
    dice: Dice,
    agenda: Agenda<Event>,
    next_process: Process,
    next_webhook: u64,
    /// The processes that were started, and since when they run (later than now: frozen until then).
    running: BTreeMap<Process, u64>,
    /// The processes that poll each store.
    polling: BTreeMap<usize, Process>,
    hostile: bool,
    /// What was overdue in peace, by connection.
    overdue: BTreeMap<usize, u64>,
    /// How much has happened in the stores that a poll can see.
    happened: u64,
    /// What the last polls of the stores in peace had before them.
    in_sight: Option<InSight>,
}

/// Plays the history of a seed.
#[must_use]
pub fn play(seed: u64, keep_history: bool) -> Verdict {
    let mut dice = Dice::new(seed);
    let watch = Watch::new(seed, Plan::drawn(&mut dice));
    let trouble = |dice: &mut Dice| [0, 20, 80, 200][dice.below(4) as usize];
    let systems = [(System::Ledger, 1), (System::Queue, 1), (System::Store, 1), (System::Warehouse, 2)];
    let chances = systems.map(|(system, times)| (system, trouble(&mut dice) * times)).into();
    let scene = Scene::drawn(&mut dice, &watch);
    Play::new(seed, scene, watch, Deal::Chance(chances), dice, keep_history).run()
}

impl Play {
    pub(crate) fn new(
        seed: u64,
        scene: Scene,
        watch: Watch,
        deal: Deal,
        dice: Dice,
        keep_history: bool,
    ) -> Self {
        let executor = Executor::new(seed);
        let time = executor.time();
        let net = Net::new(time.clone(), seed, deal, GHOST, keep_history).watched(watch.clone());
        let sites = scene.connections.iter().zip(&scene.classes).map(|(connection, class)| {
            let mut wms = Wms::new(*class, net.clone(), time.clone());
            wms.has_feed = scene.feeds;
            Site::new(connection.clone(), Cart::new(net.clone()), wms)
        });
        let mut world = Deployment::new(sites.collect(), net, time);
        world.formats = scene.deploy.map(|deploy| Formats::new(watch.clone(), !deploy.back));
        let mut play = Self {
            seed,
            executor,
            world: Arc::new(world),
            scene,
            watch,
            dice,
            agenda: Agenda::default(),
            next_process: 1,
            next_webhook: 1,
            running: BTreeMap::new(),
            polling: BTreeMap::new(),
            hostile: true,
            overdue: BTreeMap::new(),
            happened: 0,
            in_sight: None,
        };
        play.set_the_scene();
        play
    }

    pub(crate) fn run(mut self) -> Verdict {
        self.be_hostile();
        self.make_peace();
        judge(self.seed, &self.world)
    }

    fn set_the_scene(&mut self) {
        self.map(&if self.scene.gap { sample::mapping(1) } else { whole_mapping(1) });
        for (at, event) in std::mem::take(&mut self.scene.events) {
            self.agenda.at(at, event);
        }
        for event in [Event::PollOrders, Event::Sweep, Event::PollShipments] {
            let at = self.dice.below(MINUTE);
            self.agenda.at(at, event);
        }
    }

    fn map(&self, mapping: &domain::mapping::Mapping) {
        let change = sample::change("sim");
        for site in self.world.sites.iter() {
            self.world.mappings.set(&site.connection.id, mapping, &change);
        }
    }

    fn now(&self) -> u64 {
        self.world.time.millis()
    }

    /// Lets the world run until `until`, or until somebody outside has something to do.
    fn let_run(&mut self, until: u64) {
        while self.executor.step(until.min(self.watch.bell())) {}
    }

    // ------------------------------------------------------------ events

    fn happen(&mut self) {
        while let Some(event) = self.agenda.due(self.now()) {
            self.one(event);
        }
        self.ship();
        self.deliver();
    }

    fn one(&mut self, event: Event) {
        let about = |event: &Event| format!("{event:?}").chars().take(120).collect::<String>();
        if !matches!(event, Event::Deadline(_) | Event::Answered(..) | Event::Kill(_)) {
            self.world.net.note(|| about(&event));
        }
        match event {
            Event::PollOrders => self.schedule(event, self.scene.every.0, Work::PollOrders),
            Event::Sweep => self.schedule(event, self.scene.every.1, Work::Sweep),
            Event::PollShipments => self.schedule(event, 5, Work::PollShipments),
            Event::Kill(process) => self.kill(process, "at some moment"),
            Event::Deadline(process) => self.deadline(process),
            Event::Freeze(process, wait) => self.freeze(process, wait),
            Event::Cure => self.map(&whole_mapping(2)),
            Event::Poison(body) => {
                let queue = self.dice.below(3) as usize;
                self.world.queues()[queue].poison(body);
            }
            Event::Redrive => self.redrive(),
            Event::Person(site) => self.person(site),
            Event::Reconcile(site) => {
                self.start(Work::Reconcile(site));
            }
            Event::Webhook(site, id, body, tries) => self.webhook(site, id, body, tries),
            Event::Answered(site, id, body, tries) => {
                let heard = self.world.heard.lock().is_ok_and(|heard| heard.contains(&id));
                // Where nobody can be asked for what got lost, the warehouse goes on sending until it is answered.
                if !heard && (tries < 3 || !self.scene.feeds) {
                    self.webhook(site, id, body, tries);
                }
            }
            outside => self.outside(outside),
        }
    }

    /// Something in the store or the warehouse.
    fn outside(&mut self, event: Event) {
        let is_seen =
            matches!(event, Event::Sell(..) | Event::Vanish(..) | Event::Return(..) | Event::Garble(..));
        self.happened += u64::from(is_seen);
        match event {
            Event::Sell(site, order) => self.world.sites[site].cart.sell(*order),
            Event::Pay(site, order, status) => self.change(site, order, |sold| {
                sold.ever_paid |= status == PaymentStatus::Accepted;
                sold.order.payment = status;
            }),
            Event::Move(site, order) => self.change(site, order, another_street),
            Event::MoveBack(site, order) => self.change(site, order, |sold| {
                let street = sold.order.ship_to.as_mut().map(|to| &mut to.line1);
                street.into_iter().zip(sold.first_street.clone()).for_each(|(is, was)| *is = was);
            }),
            Event::Vanish(site, order) => self.change(site, order, |sold| {
                sold.vanished = true;
                sold.ever_vanished = true;
            }),
            Event::Return(site, order) => self.change(site, order, |sold| sold.vanished = false),
            Event::Garble(site, order, is) => self.change(site, order, |sold| sold.unreadable = is),
            Event::Notify(site, order) => {
                self.start(Work::Notify(site, order));
            }
            Event::StoreDown(site, wait) => {
                let until = self.now() + wait;
                self.watch.fault(Fault::StoreDown);
                self.world.sites[site].cart.truth().down_until = until;
            }
            Event::WarehouseAway(site, away) => {
                if away {
                    self.watch.fault(Fault::WarehouseDown);
                }
                self.world.sites[site].wms.truth().away = away;
            }
            Event::FixRefused(site) => self.fix_refused(site),
            Event::RotateStore(site) => self.world.sites[site].cart.lock.rotate(),
            Event::RotateWarehouse(site) => self.world.sites[site].wms.lock.rotate(),
            Event::Relabel(site, package) => {
                if let Some((one, other)) = self.world.sites[site].wms.relabel(&package) {
                    self.watch.fault(Fault::VoidedParcel);
                    self.tell(site, one);
                    self.tell(site, other);
                }
            }
            _ => {}
        }
    }

    fn change(&self, site: usize, order: domain::OrderId, change: impl FnOnce(&mut Sold)) {
        if let Some(sold) = self.world.sites[site].cart.truth().orders.get_mut(&order) {
            change(sold);
        }
    }

    fn fix_refused(&self, site: usize) {
        let site = &self.world.sites[site];
        let refused: Vec<_> = site.wms.truth().refused.keys().cloned().collect();
        let orders = refused.iter().filter_map(|reference| order_of(reference, &site.connection.id));
        let mut truth = site.cart.truth();
        for order in orders {
            truth.orders.get_mut(&order).into_iter().for_each(another_street);
        }
    }

    /// May this find anything? An order that the ledger does not have, a date that has come by somebody's clock, a parcel
    /// beyond the bookmark.
    fn may_find(&self, site: usize, work: &Work) -> bool {
        match work {
            Work::PollOrders(_) => {
                let there = &self.world.sites[site];
                let known = self.world.model.with(&there.connection.id, |books| books.records.len());
                known < there.cart.truth().orders.len()
            }
            Work::Sweep(_) => self.first_date(site).is_some_and(|first| first <= self.now() + SKEW),
            Work::PollShipments(_) => self.has_untold(site),
            _ => true,
        }
    }

    /// A schedule fires, twice, or not at all.
    fn schedule(&mut self, event: Event, minutes: u64, work: fn(usize) -> Work) {
        if !self.hostile {
            return;
        }
        let next = self.now() + minutes * MINUTE;
        self.agenda.at(next, event);
        for site in 0..self.world.sites.len() {
            if !self.may_find(site, &work(site)) && !self.dice.per_mille(self.scene.empty_looks) {
                continue;
            }
            let times = match self.watch.strikes(Fault::ScheduleMissed) {
                true => 0,
                false => 1 + u64::from(self.watch.strikes(Fault::ScheduleTwice)),
            };
            for _ in 0..times {
                let process = self.start(work(site));
                if work(site) == Work::PollOrders(site) {
                    let other = self.polling.insert(site, process);
                    if other.is_some_and(|other| self.executor.is_alive(other)) {
                        self.watch.fault(Fault::PollersOverlap);
                    }
                }
            }
        }
    }

    // ------------------------------------------------------------ queues

    /// Starts who works off a queue that has something to deliver. The bell rings when the next message can be delivered, or
    /// the next parcel leaves.
    fn deliver(&mut self) {
        let now = self.now();
        let works = [Work::Orders, Work::Shipments, Work::Hints];
        let next = self.world.queues().map(crate::queue::Queue::next);
        for (work, next) in works.into_iter().zip(next) {
            if next.is_some_and(|at| at <= now) {
                self.start(work);
            }
        }
        let bell = next.into_iter().flatten().chain(self.next_parcel()).min();
        self.watch.set_bell(bell.unwrap_or(u64::MAX));
    }

    fn next_of_the_outside(&self) -> Option<u64> {
        let messages = self.world.queues().into_iter().filter_map(crate::queue::Queue::next);
        messages.chain(self.next_parcel()).min()
    }

    fn next_parcel(&self) -> Option<u64> {
        self.world.sites.iter().filter_map(|site| site.wms.truth().next_packed()).min()
    }
}

fn another_street(sold: &mut Sold) {
    if let Some(to) = &mut sold.order.ship_to {
        to.line1 = format!("{CANARY} street {}", to.line1.len() + 1);
    }
}
