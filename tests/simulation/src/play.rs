//! Plays one history from its seed: sales, schedules, crashes, freezes, shipments, webhooks, and at the end peace.

use std::collections::{BTreeMap, BTreeSet};

use domain::OrderKey;
use domain::fulfillment::order_of;
use domain::payment::PaymentStatus;
use testkit::build as sample;
use testkit::model::Books;

use crate::agenda::Agenda;
use crate::build::{Build, Formats};
use crate::cart::{Cart, Sold};
use crate::coverage::Fault;
use crate::desk::Told;
use crate::dice::Dice;
use crate::executor::{BEGINNING, Executor, Process};
use crate::history::{DEADLINE, Deployment, Traits, Work};
use crate::judge::{Verdict, judge};
use crate::net::{Deal, Net, System};
use crate::scene::{CANARY, Event, MINUTE, Scene, whole_mapping};
use crate::site::Site;
use crate::watch::{Plan, Watch};
use crate::wms::{LONGEST_PACKING, Wms};

/// How long it may take to come to rest.
const PEACE: u64 = 40 * 60 * MINUTE;

/// The longest time after which a late effect still lands: well inside a lease.
pub(crate) const GHOST: u64 = 2 * MINUTE;

/// The largest difference of a process's clock from the world's, either way.
const SKEW: u64 = 5 * MINUTE;

/// So long after the last trouble everything that is due has been looked at.
const PATIENCE: u64 = 15 * MINUTE;

/// How long after a date the next sweep may come.
const SWEEP_EVERY: u64 = MINUTE;

/// How much has happened outside; the time while two versions run; of each site, the version of its cursor, its bookmark,
/// and the time while somebody holds the right to import.
type InSight = (u64, Option<u64>, Vec<(u64, Option<String>, Option<u64>)>);

/// One history.
pub(crate) struct Play {
    seed: u64,
    executor: Executor,
    world: Deployment,
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
    /// How much has happened outside.
    happened: u64,
    /// What the last polls had before them, if they left it as it was.
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
            let wms = Wms::new(*class, net.clone(), time.clone());
            Site::new(connection.clone(), Cart::new(net.clone()), wms)
        });
        let mut world = Deployment::new(sites.collect(), net, time);
        world.formats = scene.deploy.map(|deploy| Formats::new(watch.clone(), !deploy.back));
        let mut play = Self {
            seed,
            executor,
            world,
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

    // ------------------------------------------------------------ processes

    fn start(&mut self, work: Work) -> Process {
        let process = self.next_process;
        self.next_process += 1;
        let traits = self.traits();
        let now = self.now();
        self.world.start(process, work, traits);
        self.running.insert(process, now);
        // In peace nothing takes long, and nobody needs to be told that it took too long.
        if self.hostile {
            self.agenda.at(now + deadline() + 1, Event::Deadline(process));
        }
        if self.watch.threatens(Fault::Crash) {
            let at = self.soon();
            self.agenda.at(at, Event::Kill(process));
        }
        if self.watch.threatens(Fault::Freeze) {
            let (at, wait) = (self.soon(), self.dice.below(10 * MINUTE));
            self.agenda.at(at, Event::Freeze(process, wait));
        }
        if self.watch.threatens(Fault::LongFreeze) {
            let lease = u64::try_from(self.world.pace.lease.as_millis()).unwrap_or(0);
            let (at, wait) = (self.soon(), lease + self.dice.below(30 * MINUTE));
            self.agenda.at(at, Event::Freeze(process, wait));
        }
        process
    }

    /// A moment at which a process that starts now may be met at whatever it waits for.
    fn soon(&mut self) -> u64 {
        let longest = if self.dice.per_mille(700) { 3000 } else { MINUTE };
        self.now() + 1 + self.dice.below(longest)
    }

    fn traits(&mut self) -> Traits {
        if !self.hostile {
            return Traits { build: self.build(), ..Traits::default() };
        }
        let skew = self.dice.below(2 * SKEW) as i64 - SKEW as i64;
        if skew.unsigned_abs() > SKEW - MINUTE {
            self.watch.fault(Fault::WrongClock);
        }
        let old_keys = self.dice.per_mille(200);
        Traits { skew, build: self.build(), old_keys }
    }

    /// The version that a process has which starts now.
    fn build(&mut self) -> Build {
        let Some(deploy) = self.scene.deploy else { return Build::Old };
        let now = self.now();
        let is_new = match (now < deploy.begins, now < deploy.ends) {
            (true, _) => false,
            (false, true) => self.dice.per_mille(500),
            (false, false) => !deploy.back,
        };
        if is_new { Build::New } else { Build::Old }
    }

    fn kill(&mut self, process: Process, why: &str) {
        if self.executor.is_alive(process) {
            self.executor.kill(process);
            self.watch.fault(Fault::Crash);
            self.world.net.note(|| format!("process {process} dies: {why}"));
        }
        self.running.remove(&process);
    }

    fn freeze(&mut self, process: Process, wait: u64) {
        if !self.executor.is_alive(process) {
            return;
        }
        let now = self.now();
        self.world.time.freeze(process, wait);
        self.running.insert(process, now + wait);
        self.agenda.at(now + wait + deadline() + 1, Event::Deadline(process));
        let is_long = u128::from(wait) > self.world.pace.lease.as_millis();
        self.watch.fault(if is_long { Fault::LongFreeze } else { Fault::Freeze });
        self.world.net.note(|| format!("process {process} freezes for {wait} ms"));
    }

    /// A process that has run too long is killed, as Lambda does.
    fn deadline(&mut self, process: Process) {
        let over = self.running.get(&process).is_some_and(|since| since + deadline() < self.now());
        if over {
            self.kill(process, "its time is up");
        }
    }

    // ------------------------------------------------------------ events

    fn happen(&mut self) {
        while let Some(event) = self.agenda.due(self.now()) {
            self.one(event);
        }
        self.ship();
        self.deliver();
        self.set_bell();
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
            Event::Redrive => self.world.queues().into_iter().for_each(crate::queue::Queue::redrive),
            Event::Webhook(site, id, body, tries) => self.webhook(site, id, body, tries),
            Event::Answered(site, id, body, tries) => {
                let heard = self.world.heard.lock().is_ok_and(|heard| heard.contains(&id));
                if !heard && tries < 3 {
                    self.webhook(site, id, body, tries);
                }
            }
            outside => self.outside(outside),
        }
    }

    /// Something in the store or the warehouse.
    fn outside(&mut self, event: Event) {
        self.happened += 1;
        match event {
            Event::Sell(site, order) => self.world.sites[site].cart.sell(*order),
            Event::Pay(site, order, status) => self.change(site, order, |sold| {
                sold.ever_paid |= status == PaymentStatus::Accepted;
                sold.order.payment = status;
            }),
            Event::Move(site, order) => self.change(site, order, another_street),
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

    /// May this find anything? An order that the ledger does not have, a date that has come by somebody's clock.
    fn may_find(&self, site: usize, work: &Work) -> bool {
        match work {
            Work::PollOrders(_) => {
                let there = &self.world.sites[site];
                let known = self.world.model.with(&there.connection.id, |books| books.records.len());
                known < there.cart.truth().orders.len()
            }
            Work::Sweep(_) => self.first_date(site).is_some_and(|first| first <= self.now() + SKEW),
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

    // ------------------------------------------------------------ parcels and webhooks

    /// The parcels of what is packed leave.
    fn ship(&mut self) {
        let now = self.now();
        for site in 0..self.world.sites.len() {
            // In peace it hurries; what waits for goods waits all the same.
            let by = if self.hostile { now } else { now + LONGEST_PACKING };
            let packed = self.world.sites[site].wms.truth().packed(by);
            packed.into_iter().for_each(|place| self.ship_order(site, place));
        }
    }

    fn ship_order(&mut self, site: usize, place: usize) {
        self.happened += 1;
        let parcels = 1 + (place as u32) % 2;
        for parcel in 0..parcels {
            let wms = &self.world.sites[site].wms;
            let Some(notice) = wms.ship(place, parcel, parcels) else { continue };
            let told = wms.truth().shipped.len() - 1;
            if !self.is_accepted(site, &notice.reference) {
                self.watch.fault(Fault::ShipsEarly);
            }
            self.world.net.note(|| format!("package {} of {} leaves", notice.package, notice.reference));
            self.tell(site, told);
            if self.watch.threatens(Fault::VoidedParcel) {
                let at = self.now() + self.dice.below(20 * MINUTE);
                self.agenda.at(at, Event::Relabel(site, notice.package));
            }
        }
    }

    fn is_accepted(&self, site: usize, reference: &domain::Reference) -> bool {
        let id = &self.world.sites[site].connection.id;
        let order = order_of(reference, id).map(|order| OrderKey::new(id.clone(), order));
        let record = order.and_then(|key| self.world.model.record(&key));
        record.is_some_and(|record| record.warehouse_order.is_some())
    }

    /// Webhooks tell of a notice: late, repeated, out of order, or not at all.
    fn tell(&mut self, site: usize, place: usize) {
        let told = if self.scene.hints_only { Told::Changed(place) } else { Told::Package(place) };
        let body = told.body();
        if self.watch.strikes(Fault::WebhookLost) {
            return;
        }
        let fifty = self.watch.strikes(Fault::FiftyNotices);
        let times = if fifty { 50 } else { 1 + self.dice.below(2) };
        let within = if self.dice.per_mille(500) { 500 } else { 10 * MINUTE };
        for _ in 0..times {
            let at = self.now() + self.dice.below(within);
            self.send_webhook(at, site, body.clone());
        }
        if self.watch.strikes(Fault::OldNotice) {
            let at = self.now() + self.dice.between(2 * 60 * MINUTE, 30 * 60 * MINUTE);
            self.send_webhook(at, site, body);
        }
    }

    fn send_webhook(&mut self, at: u64, site: usize, body: Vec<u8>) {
        let id = self.next_webhook;
        self.next_webhook += 1;
        self.agenda.at(at, Event::Webhook(site, id, body, 0));
    }

    fn webhook(&mut self, site: usize, id: u64, body: Vec<u8>, tries: u32) {
        let place =
            std::str::from_utf8(&body).ok().and_then(|text| text.strip_prefix("package ")?.parse().ok());
        let reference = place.and_then(|place: usize| {
            self.world.sites[site].wms.truth().shipped.get(place).map(|notice| notice.reference.clone())
        });
        if reference.is_some_and(|reference| !self.is_accepted(site, &reference)) {
            self.watch.fault(Fault::NoticeEarly);
        }
        let later = self.now() + deadline() + MINUTE;
        self.agenda.at(later, Event::Answered(site, id, body.clone(), tries + 1));
        self.start(Work::Webhook { site, id, body });
    }

    // ------------------------------------------------------------ queues

    fn deliver(&mut self) {
        let now = self.now();
        let works = [Work::Orders, Work::Shipments, Work::Hints];
        let due = self.world.queues().map(|queue| queue.next().is_some_and(|at| at <= now));
        for (work, due) in works.into_iter().zip(due) {
            if due {
                self.start(work);
            }
        }
    }

    /// The bell rings when the next message can be delivered, or the next parcel leaves.
    fn set_bell(&self) {
        self.watch.set_bell(self.next_of_the_outside().unwrap_or(u64::MAX));
    }

    fn next_of_the_outside(&self) -> Option<u64> {
        let messages = self.world.queues().into_iter().filter_map(crate::queue::Queue::next);
        let parcels = self.world.sites.iter().filter_map(|site| site.wms.truth().next_packed());
        messages.chain(parcels).min()
    }

    // ------------------------------------------------------------ war and peace

    fn be_hostile(&mut self) {
        while self.now() < self.scene.hostile {
            self.happen();
            let next = self.agenda.next().unwrap_or(u64::MAX).min(self.scene.hostile);
            self.let_run(next);
        }
    }

    /// Nothing fails any more. Rounds follow each other until one changes nothing; then nothing can happen before the
    /// next date, and the time jumps to it. The last round, long after everything, must find nothing to do.
    fn make_peace(&mut self) {
        self.hostile = false;
        self.world.net.calm_down();
        let calm = self.now();
        for site in self.world.sites.iter() {
            site.wms.truth().away = false;
            site.cart.truth().down_until = 0;
        }
        let end = calm + PEACE;
        while self.now() < end {
            let at_rest = self.round();
            self.check_patience(calm);
            let next = self.next_date().map_or(end, |next| next + SWEEP_EVERY).min(end);
            if at_rest && next > self.now() {
                self.let_run(next);
            }
        }
        self.in_sight = None;
        if self.next_date().is_none_or(|next| next > self.now()) && !self.round() {
            self.watch.wrong("I1 not at rest: something was left to do, and nothing said when");
        }
    }

    /// One round of everything that is scheduled. True: it changed nothing, and nothing is under way. Where the last polls
    /// found nothing and nothing has happened outside since, they would only find nothing again, and are left out; so is
    /// a sweep for which nothing is due.
    fn round(&mut self) -> bool {
        let before = self.world.net.changes();
        let in_sight = self.in_sight();
        let polls = self.in_sight.as_ref() != Some(&in_sight);
        for site in 0..self.world.sites.len() {
            if polls {
                self.start(Work::PollOrders(site));
                self.start(Work::PollShipments(site));
            }
            if polls || self.first_date(site).is_some_and(|first| first <= self.now()) {
                self.start(Work::Sweep(site));
            }
        }
        let until = self.now() + MINUTE + 10_000;
        while self.now() < until {
            self.happen();
            let next = self.agenda.next().unwrap_or(u64::MAX).min(until);
            self.let_run(next);
        }
        let changed = self.world.net.changes() != before;
        // Polls that moved something on are followed by others: what a poll wrote may have been overwritten since by
        // somebody who was late.
        let same = !(polls && changed) && in_sight == self.in_sight();
        self.in_sight = same.then_some(in_sight);
        !changed && self.is_quiet()
    }

    /// Everything on which depends what a poll finds: how much has happened outside, how far each store and each feed has
    /// been read, and who holds the right to import.
    fn in_sight(&self) -> InSight {
        let now = self.now();
        let read = |books: &mut Books| {
            let leased = books.lease.filter(|lease| in_world(lease.until) > now).map(|_| now);
            (books.cursor.version, books.bookmark.clone(), leased)
        };
        let sites = self.world.sites.iter();
        let deploying = self.deploy_ends().map(|_| now);
        (
            self.happened,
            deploying,
            sites.map(|site| self.world.model.with(&site.connection.id, read)).collect(),
        )
    }

    /// I6: a quarter of an hour after the last trouble, every order of the stores is in the ledger, and no date is left
    /// at which nobody has looked.
    fn check_patience(&mut self, calm: u64) {
        let now = self.now();
        if now < calm + PATIENCE + MINUTE {
            return;
        }
        for (place, site) in self.world.sites.iter().enumerate() {
            let id = &site.connection.id;
            let (known, first): (BTreeSet<_>, _) = self.world.model.with(id, |books| {
                (books.records.keys().copied().collect(), books.dates.keys().next().copied())
            });
            // Who thaws only now may put a date into the past: the next sweep takes it off.
            let first = first.map(in_world).filter(|first| first + PATIENCE < now);
            let before = match first {
                Some(first) => self.overdue.insert(place, first),
                None => self.overdue.remove(&place),
            };
            if let Some(first) = first.filter(|_| before == first) {
                self.watch.wrong(format!("I6 nobody has looked at what was due at {first} ms of {id}"));
            }
            let truth = site.cart.truth();
            let missing = truth.orders.values().filter(|sold| !known.contains(&sold.order.id));
            for sold in missing.filter(|sold| !sold.ever_vanished && sold.unlisted_until == 0) {
                let placed = sold.order.ordered_at.map_or(0, in_world);
                if placed + PATIENCE < now {
                    self.watch.wrong(format!("I6 {id}/{} is not in the ledger after so long", sold.order.id));
                }
            }
        }
    }

    /// Is nothing under way: no process, no effect that is still to land, no message?
    fn is_quiet(&self) -> bool {
        self.executor.is_idle() && self.world.queues().iter().all(|queue| queue.is_empty())
    }

    /// When the deploy is over, if it is not yet: the version before it may not be able to read what the other wrote.
    fn deploy_ends(&self) -> Option<u64> {
        self.scene.deploy.map(|deploy| deploy.ends).filter(|ends| *ends > self.now())
    }

    /// The first date of a connection on which somebody is to look.
    fn first_date(&self, site: usize) -> Option<u64> {
        let first = |books: &mut Books| books.dates.keys().next().copied();
        self.world.model.with(&self.world.sites[site].connection.id, first).map(in_world)
    }

    /// The next moment at which something is to happen, when nothing is under way and there is peace.
    fn next_date(&self) -> Option<u64> {
        let dates = (0..self.world.sites.len()).filter_map(|site| self.first_date(site));
        dates.chain(self.deploy_ends()).chain(self.agenda.next()).chain(self.next_of_the_outside()).min()
    }
}

/// An instant in the world's milliseconds, rounded up.
fn in_world(at: jiff::Timestamp) -> u64 {
    u64::try_from(at.as_millisecond().saturating_sub(BEGINNING * 1000).saturating_add(1)).unwrap_or(0)
}

fn deadline() -> u64 {
    u64::try_from(DEADLINE.as_millis()).unwrap_or(u64::MAX / 4)
}

fn another_street(sold: &mut Sold) {
    if let Some(to) = &mut sold.order.ship_to {
        to.line1 = format!("{CANARY} street {}", to.line1.len() + 1);
    }
}
