//! A run under way: the shops, the trouble to come, and what was seen so far. Where Cartdock itself runs is left open.

use std::collections::BTreeMap;
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::dynamodb::{Client, DynamoLedger, Names};
use domain::ports::Clock;
use domain::record::Record;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use super::dice::Dice;
use super::items::Items;
use super::plan::{Class, Options};
use super::process::{Usage, pause};
use super::report::Report;
use super::shop::Shop;
use super::verdict;

/// Between two looks at the world.
const TICK: Duration = Duration::from_millis(40);
/// Between two looks at our books, once the outside world is quiet.
const LOOK: Duration = Duration::from_secs(1);
/// Without any progress for so long, something is lost.
const PATIENCE: Duration = Duration::from_secs(120);
/// And so much more for each order of a shop: a lost ledger is read anew from its store, which is no progress yet.
const PATIENCE_PER_ORDER: Duration = Duration::from_millis(200);

/// A moment of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// A process is killed.
    Kill,
    /// A process stands still for so long.
    Freeze(Duration),
    /// The whole ledger is deleted.
    LoseLedger,
}

/// Where Cartdock runs.
pub(super) trait Host {
    /// Sets it up and starts it.
    async fn start(&mut self, world: &mut World);
    /// Makes trouble, now.
    async fn trouble(&mut self, trouble: Trouble, world: &mut World);
    /// What has ended that should run, if anything.
    fn has_ended(&mut self) -> Option<String>;
    /// The books of every connection, in the order of the shops, as `cartdock status --json` gives them.
    async fn status(&mut self, world: &World) -> Vec<Value>;
    /// The tables.
    async fn tables(&self, world: &World) -> Option<Client>;
    /// Ends it, and notes what it used.
    async fn stop(self, world: &mut World);
}

/// A run under way.
pub(super) struct World {
    pub(super) options: Options,
    /// Host and port of Cartdock's webhooks.
    pub(super) listen: String,
    /// When the shops opened, less an hour: no order is older.
    pub(super) start: Timestamp,
    pub(super) shops: Vec<Shop>,
    pub(super) usage: Usage,
    pub(super) report: Report,
    pub(super) dice: Dice,
    started: Instant,
}

/// Plays a run to its end.
pub(super) async fn play(mut world: World, mut host: impl Host) -> Report {
    host.start(&mut world).await;
    world.until_done(&mut host).await;
    world.finish(host).await;
    world.report.took = world.started.elapsed();
    world.report
}

impl World {
    /// Opens the shops.
    pub(super) async fn open(options: Options, listen: String) -> Self {
        let mut shops = Vec::new();
        let all = options.classes.len() * options.stores_per_class;
        for nth in 1..=options.stores_per_class {
            for class in options.classes.clone() {
                let number = shops.len();
                let id = if nth == 1 { class.word().to_owned() } else { format!("{}-{nth}", class.word()) };
                let orders = share(options.orders, all, number);
                let seed = options.seed.wrapping_add(number as u64);
                shops.push(Shop::open((number, id), class, orders, seed, &listen).await);
            }
        }
        std::fs::create_dir_all(&options.dir).expect("a directory");
        let report = Report {
            seed: options.seed,
            orders: options.orders,
            dir: options.dir.display().to_string(),
            ..Report::default()
        };
        Self {
            dice: Dice::new(options.seed ^ 0xc4a05),
            start: SystemClock.now() - SignedDuration::from_hours(1),
            usage: Usage::default(),
            started: Instant::now(),
            options,
            listen,
            shops,
            report,
        }
    }

    /// The moments of trouble, by the progress at which they come, latest first.
    fn troubles(&mut self) -> Vec<(u64, Trouble)> {
        let all = self.options.orders as u64 * 2;
        let mut troubles: Vec<(u64, Trouble)> = Vec::new();
        for _ in 0..self.options.kills {
            troubles.push((self.dice.below(all * 95 / 100), Trouble::Kill));
        }
        for _ in 0..self.options.freezes {
            // Some are longer than a lease.
            let longest = if self.dice.per_mille(200) { 8000 } else { 800 };
            let time = Duration::from_millis(self.dice.below(longest));
            troubles.push((self.dice.below(all * 95 / 100), Trouble::Freeze(time)));
        }
        if self.options.lose_ledger {
            troubles.push((all / 2, Trouble::LoseLedger));
        }
        troubles.sort_unstable();
        troubles.reverse();
        troubles
    }

    /// The outside world goes on. Says how far everything has come.
    fn tick(&mut self) -> u64 {
        let now = SystemClock.now();
        let others = self.shops.iter().filter(|shop| shop.class != Class::Cannot);
        let pace = others.map(Shop::pace).min().unwrap_or(1000);
        for shop in &mut self.shops {
            let url = notify_url(&self.listen, shop);
            shop.tick(now, &url, pace);
        }
        self.shops.iter().map(|shop| shop.progress() as u64).sum()
    }

    /// Waits, while the outside world goes on.
    pub(super) async fn go_on_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.go_on().await;
        }
    }

    /// Waits for a moment, while the outside world goes on.
    pub(super) async fn go_on(&mut self) -> u64 {
        pause(TICK).await;
        self.tick()
    }

    /// The only local hosts that Cartdock may reach.
    pub(super) fn hosts(&self) -> Vec<String> {
        self.shops.iter().flat_map(|shop| [shop.store.host(), shop.warehouse.host()]).collect()
    }

    /// The variables that hold all secrets.
    pub(super) fn secrets(&self) -> Vec<(String, String)> {
        self.shops.iter().flat_map(|shop| shop.secrets.variables(&shop.id)).collect()
    }

    /// The stores notify once more of orders that were sold long ago.
    pub(super) fn tell_of_old_orders(&self) {
        for shop in &self.shops {
            shop.tell_of_old_orders(&notify_url(&self.listen, shop));
        }
    }

    /// Lets orders flow, makes all the trouble, and waits until nothing is left to do.
    async fn until_done(&mut self, host: &mut impl Host) {
        let mut troubles = self.troubles();
        let each = self.options.orders.div_ceil(self.shops.len().max(1));
        let patience = PATIENCE + PATIENCE_PER_ORDER * u32::try_from(each).unwrap_or(u32::MAX);
        let (mut last, mut moved, mut looked) = (0, Instant::now(), Instant::now());
        loop {
            let progress = self.go_on().await;
            if progress > last {
                (last, moved) = (progress, Instant::now());
            }
            if let Some(problem) = host.has_ended() {
                return self.report.wrong.push(problem);
            }
            if troubles.last().is_some_and(|(at, _)| *at <= progress) {
                let Some((_, trouble)) = troubles.pop() else { return };
                pause(Duration::from_millis(self.dice.below(120))).await;
                host.trouble(trouble, self).await;
                moved = Instant::now();
            } else if moved.elapsed() > LOOK && looked.elapsed() > LOOK {
                if self.is_done(host).await {
                    // Orders that are held do not come as far as all of them might: what is left of the trouble comes now.
                    let Some((_, trouble)) = troubles.pop() else { return };
                    host.trouble(trouble, self).await;
                    moved = Instant::now();
                }
                looked = Instant::now();
            }
            if moved.elapsed() > patience {
                return self.report.wrong.push(format!("nothing has moved for {patience:?}"));
            }
        }
    }

    /// Is the outside world quiet, and is nothing on its way in the ledger?
    async fn is_done(&self, host: &mut impl Host) -> bool {
        if !self.shops.iter().all(Shop::is_at_rest) {
            return false;
        }
        let status = host.status(self).await;
        let is_rest = |connection: &Value| {
            let books = &connection["books"];
            let none = |counts: &Value| counts.as_object().is_none_or(serde_json::Map::is_empty);
            books["packages"]["due"] == 0 && none(&books["on_the_way"]) && none(&books["waiting"])
        };
        status.len() == self.shops.len()
            && status.iter().all(is_rest)
            && self.shops.iter().zip(&status).all(|(shop, status)| verdict::is_settled(shop, status))
            // What came while we looked is played to its end, too.
            && self.shops.iter().all(Shop::is_at_rest)
    }

    /// Compares everything with everything, and looks for marks.
    async fn finish(&mut self, mut host: impl Host) {
        let (mut records, mut items) = (BTreeMap::new(), Items::default());
        if let Some(client) = host.tables(self).await {
            records = self.records(&client).await;
            items = Items::of(&client, &Names::default()).await;
        }
        let status = host.status(self).await;
        verdict::judge(self, &records, &status);
        host.stop(self).await;
        verdict::search(self, items);
        (self.report.cpu_ms, self.report.peak_kib) = (self.usage.cpu_ms, self.usage.peak_kib);
        self.report.world_cpu_ms = Usage::of(std::process::id()).cpu_ms;
    }

    /// Everything that the ledger holds of the orders, by connection.
    async fn records(&self, client: &Client) -> BTreeMap<String, Vec<Record>> {
        let ledger = DynamoLedger::new(client.clone(), &Names::default().ledger, None);
        let mut all = BTreeMap::new();
        for shop in &self.shops {
            all.insert(shop.id.clone(), verdict::records(&ledger, shop).await);
        }
        all
    }
}

fn notify_url(listen: &str, shop: &Shop) -> String {
    format!("http://{listen}/notify/{}/{}", shop.id, shop.secrets.notify)
}

fn share(all: usize, parts: usize, n: usize) -> usize {
    all / parts + usize::from(n < all % parts)
}
