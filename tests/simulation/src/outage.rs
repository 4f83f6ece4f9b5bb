//! A warehouse is away for hours while orders keep coming: what it is asked meanwhile, how soon new orders pass once it
//! is back, how the backlog drains, and what the other merchants of the same deployment notice of it.

mod deployment;
mod figures;
pub mod queue;
pub mod store;
pub mod warehouse;

use std::collections::BTreeMap;

use domain::ConnectionId;
use domain::fulfillment::reference;
use domain::{OrderId, OrderKey};

pub use figures::{Figures, Goals};

use crate::dice::Dice;
use crate::executor::Executor;
use crate::net::{Deal, Net};
use crate::wms::Class;
use deployment::{CONSUMERS, Deployment, Merchant};
use store::Shop;
use warehouse::{Absence, House};

const MINUTE: u64 = 60_000;

/// Normal business before the outage.
const BEFORE: u64 = 30 * MINUTE;

/// After its return the warehouse is given so long until new orders must pass.
const SETTLING: u64 = 10 * MINUTE;

/// What happens.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// What the warehouses give against duplicates.
    pub class: Class,
    /// Orders of the big merchant while its warehouse is away.
    pub orders: u64,
    /// How long its warehouse is away, in minutes, and how; one after the other.
    pub away: Vec<(u64, Absence)>,
    /// For how many minutes orders are sold after its return.
    pub tail: u64,
    /// Orders a minute of the big merchant before and after.
    pub usual: u64,
    /// How many small merchants there are besides.
    pub small: u64,
    /// Orders an hour of each of them.
    pub small_hourly: u64,
    /// Are the queues fair between merchants?
    pub fair: bool,
}

impl Scenario {
    /// A hundred thousand orders in six hours, twenty small merchants beside them.
    #[must_use]
    pub fn six_hours() -> Self {
        Self {
            seed: 1,
            class: Class::U,
            orders: 100_000,
            away: vec![(120, Absence::Refuses), (120, Absence::Hangs), (120, Absence::Refuses)],
            tail: 180,
            usual: 30,
            small: 20,
            small_hourly: 4,
            fair: true,
        }
    }

    /// Two thousand orders in one hour.
    #[must_use]
    pub fn one_hour() -> Self {
        Self {
            orders: 2_000,
            away: vec![(20, Absence::Refuses), (20, Absence::Hangs), (20, Absence::Refuses)],
            tail: 60,
            usual: 10,
            ..Self::six_hours()
        }
    }

    /// The same merchants on a day on which nothing happens.
    #[must_use]
    pub fn undisturbed(&self) -> Self {
        Self { orders: 0, away: Vec::new(), tail: self.tail + self.away_for() / MINUTE, ..self.clone() }
    }

    fn away_for(&self) -> u64 {
        self.away.iter().map(|(minutes, _)| minutes * MINUTE).sum()
    }

    fn returns(&self) -> u64 {
        BEFORE + self.away_for()
    }

    /// When the last order is sold.
    fn closes(&self) -> u64 {
        self.returns() + self.tail * MINUTE
    }

    /// The latest end: whatever is not sent by then never will be.
    fn ends(&self) -> u64 {
        self.closes() + 24 * 60 * MINUTE
    }

    fn big_sales(&self, dice: &mut Dice) -> Vec<u64> {
        let mut sales = Vec::new();
        let mut sell = |count: u64, from: u64, to: u64| {
            sales.extend((0..count).map(|_| dice.between(from, to)));
        };
        sell(self.usual * BEFORE / MINUTE, 0, BEFORE);
        sell(self.orders, BEFORE, self.returns());
        sell(self.usual * self.tail, self.returns(), self.closes());
        sales.sort_unstable();
        sales
    }

    fn small_sales(&self, dice: &mut Dice) -> Vec<u64> {
        let count = self.small_hourly * self.closes() / (60 * MINUTE);
        let mut sales: Vec<u64> = (0..count).map(|_| dice.below(self.closes())).collect();
        sales.sort_unstable();
        sales
    }
}

/// Plays a scenario to its end. `tell` is told how it goes, every ten minutes.
pub fn play(scenario: &Scenario, mut tell: impl FnMut(&str)) -> Figures {
    let mut play = Play::new(scenario);
    play.run_until(scenario, BEFORE, &mut tell);
    let begin = play.world.net.tally();
    let mut at = BEFORE;
    for (minutes, absence) in &scenario.away {
        play.big().house.books().away = Some(*absence);
        at += minutes * MINUTE;
        play.run_until(scenario, at, &mut tell);
    }
    play.big().house.books().away = None;
    let back = play.world.net.tally();
    play.run_until(scenario, scenario.closes(), &mut tell);
    while !(play.all_sent() && play.world.is_up_to_date()) && play.executor.time().millis() < scenario.ends()
    {
        let next = play.executor.time().millis() + MINUTE;
        play.run_until(scenario, next, &mut tell);
    }
    figures::figures(scenario, &play.world, [&begin, &back])
}

struct Play {
    executor: Executor,
    world: Deployment,
    next_process: u32,
}

/// The id of the big merchant's connection.
pub(crate) fn big() -> ConnectionId {
    named("big")
}

fn named(id: &str) -> ConnectionId {
    ConnectionId::parse(id).unwrap_or_else(|_| unreachable!("{id} is a slug"))
}

impl Play {
    fn new(scenario: &Scenario) -> Self {
        let executor = Executor::new(scenario.seed);
        let time = executor.time();
        let net = Net::new(time.clone(), scenario.seed, Deal::Script(BTreeMap::new()), 1, false);
        let mut dice = Dice::new(scenario.seed ^ 0x6f75_7461_6765);
        let merchant = |id: ConnectionId, sales: Vec<u64>| {
            let shop = Shop::new(sales, 1_000_000, time.clone());
            Merchant::new(id, shop, House::new(scenario.class, time.clone()))
        };
        let mut merchants = vec![merchant(big(), scenario.big_sales(&mut dice))];
        for n in 0..scenario.small {
            merchants.push(merchant(named(&format!("small-{n}")), scenario.small_sales(&mut dice)));
        }
        let world = Deployment::new(merchants, net, time, scenario.fair);
        for consumer in 0..CONSUMERS {
            world.consumer(1 + consumer);
        }
        Self { executor, world, next_process: 100 }
    }

    fn big(&self) -> &Merchant {
        self.world.merchants.get(&big()).unwrap_or_else(|| unreachable!("there is a big merchant"))
    }

    /// Lets the world run, minute by minute.
    fn run_until(&mut self, scenario: &Scenario, until: u64, tell: &mut impl FnMut(&str)) {
        while self.executor.time().millis() < until {
            let now = self.executor.time().millis();
            if now.is_multiple_of(10 * MINUTE) {
                tell(&self.line(scenario, now));
            }
            self.world.schedules(self.next_process);
            self.next_process += 1;
            while self.executor.step(now + MINUTE) {}
        }
    }

    fn line(&self, scenario: &Scenario, now: u64) -> String {
        let big = self.big();
        let (sold, books) = (big.shop.sold().count(), big.house.books());
        format!(
            "minute {:>4} ({:>5} after its return): sold {sold}, sent {}, waiting {}, on the queue {}, requests {} + {} in vain",
            now / MINUTE,
            (now as i64 - scenario.returns() as i64) / MINUTE as i64,
            books.taken.len(),
            sold - books.taken.len(),
            self.world.orders.len(),
            books.requests,
            books.in_vain,
        )
    }

    fn all_sent(&self) -> bool {
        let all = |merchant: &Merchant| merchant.shop.sold().count() == merchant.house.books().taken.len();
        self.world.merchants.values().all(all)
    }
}

/// How long an order took from its sale to the warehouse; none while it is not there.
fn age(merchant: &Merchant, order: OrderId, sold: u64) -> Option<u64> {
    let key = OrderKey::new(merchant.connection.id.clone(), order);
    let reference = reference(&key, 0, 60).ok()?;
    let sent = merchant.house.books().taken.get(&reference).copied()?;
    Some(sent.saturating_sub(sold))
}
