//! What an outage showed, and what it was to show.

use std::collections::BTreeMap;
use std::fmt;

use domain::record::Stage;

use super::deployment::{Deployment, Merchant};
use super::{SETTLING, Scenario, age, big};
use crate::net::Tally;

/// What an outage showed.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Orders of all merchants.
    pub sold: u64,
    /// Orders that their warehouses have.
    pub sent: u64,
    /// Orders that a warehouse has twice.
    pub twice: u64,
    /// Orders that are not sent, by the word of their stage.
    pub open: BTreeMap<String, u64>,
    /// Unfinished orders on which nobody will look again.
    pub uncovered: u64,
    /// Dead letters.
    pub dead: u64,
    /// Messages that grew too old.
    pub expired: u64,
    /// Requests to the big merchant's warehouse while it was away.
    pub in_vain: u64,
    /// Requests to it while it was there.
    pub answered: u64,
    /// Requests to it that brought nothing new, per thousand orders.
    pub retries: u64,
    /// Age of the big merchant's orders sold ten minutes after the return or later, 99th percentile, in milliseconds.
    pub new_p99: u64,
    /// The same, the oldest.
    pub new_worst: u64,
    /// How many they are.
    pub new_count: usize,
    /// The greatest age of any order of the big merchant.
    pub oldest: u64,
    /// How long after the return the last order of the backlog was sent.
    pub drained: u64,
    /// When, after the return, all is sent and the sweep is late with nothing any more.
    pub at_rest: u64,
    /// Age of the small merchants' orders, 99th percentile.
    pub small_p99: u64,
    /// The same, the oldest.
    pub small_worst: u64,
    /// Calls to the ledger by name: while the warehouse was away, and after.
    pub calls: [BTreeMap<&'static str, u64>; 2],
    /// Orders of the big merchant.
    pub work: u64,
    /// Requests to the queue of orders.
    pub queue_requests: u64,
}

/// What an outage must show.
#[derive(Debug, Clone, Copy)]
pub struct Goals {
    /// The longest age of new orders after the return, 99th percentile, in milliseconds.
    pub new_p99: u64,
    /// The most retries per thousand orders.
    pub retries: u64,
    /// The longest age of small merchants' orders, 99th percentile, in hundredths of the undisturbed one.
    pub small_percent: u64,
}

impl Default for Goals {
    fn default() -> Self {
        Self { new_p99: 120_000, retries: 1500, small_percent: 150 }
    }
}

impl Goals {
    /// What is missed; `undisturbed` is the same day without an outage.
    #[must_use]
    pub fn missed(&self, figures: &Figures, undisturbed: &Figures) -> Vec<String> {
        let mut missed = Vec::new();
        let mut check = |well: bool, what: String| {
            if !well {
                missed.push(what);
            }
        };
        check(figures.sent == figures.sold, format!("{} of {} orders are sent", figures.sent, figures.sold));
        check(figures.twice == 0, format!("{} orders were sent twice", figures.twice));
        check(figures.uncovered == 0, format!("nobody will look at {} orders again", figures.uncovered));
        check(figures.dead == 0, format!("{} dead letters", figures.dead));
        check(figures.new_count > 0, "no new orders".to_owned());
        check(figures.new_p99 <= self.new_p99, format!("new orders took {}", span(figures.new_p99)));
        check(figures.retries <= self.retries, format!("{} retries per 1000 orders", figures.retries));
        let limit = undisturbed.small_p99 * self.small_percent / 100;
        check(figures.small_p99 <= limit, format!("small merchants waited {}", span(figures.small_p99)));
        missed
    }
}

pub(super) fn figures(scenario: &Scenario, world: &Deployment, marks: [&Tally; 2]) -> Figures {
    let mut figures = Figures { expired: world.orders.tally().expired, ..Figures::default() };
    figures.dead = world.orders.tally().dead + world.shipments.tally().dead;
    figures.queue_requests = world.orders.tally().requests;
    let (mut small, mut new) = (Vec::new(), Vec::new());
    for merchant in world.merchants.values() {
        let is_big = merchant.connection.id == big();
        figures.twice += merchant.house.books().twice;
        for (order, sold) in merchant.shop.sold() {
            figures.sold += 1;
            let Some(age) = age(merchant, order, sold) else { continue };
            figures.sent += 1;
            match is_big {
                false => small.push(age),
                true => {
                    figures.oldest = figures.oldest.max(age);
                    let sent = sold + age;
                    if sold < scenario.returns() && sent > scenario.returns() {
                        figures.drained = figures.drained.max(sent - scenario.returns());
                    }
                    if sold >= scenario.returns() + SETTLING {
                        new.push(age);
                    }
                }
            }
        }
        figures.look_for_open(world, merchant);
        if is_big {
            figures.count_requests(merchant);
        }
    }
    figures.uncovered = uncovered(world);
    figures.at_rest = world.millis().saturating_sub(scenario.returns());
    (figures.small_p99, figures.small_worst) = (p99(&mut small), worst(&small));
    (figures.new_count, figures.new_p99, figures.new_worst) = (new.len(), p99(&mut new), worst(&new));
    figures.calls = [calls(marks[1], marks[0]), calls(&world.net.tally(), marks[1])];
    figures
}

impl Figures {
    fn count_requests(&mut self, merchant: &Merchant) {
        let books = merchant.house.books();
        self.work = books.taken.len() as u64;
        (self.in_vain, self.answered) = (books.in_vain, books.requests);
        let surplus = books.in_vain + books.requests - self.work;
        self.retries = surplus * 1000 / self.work.max(1);
    }

    fn look_for_open(&mut self, world: &Deployment, merchant: &Merchant) {
        let open = world.model.with(&merchant.connection.id, |books| {
            let mut open = BTreeMap::new();
            for record in books.records.values().filter(|record| !record.stage.is_sent()) {
                let word = match &record.stage {
                    Stage::Held(cause) => format!("held, {}", cause.word()),
                    stage => stage.word().to_owned(),
                };
                *open.entry(word).or_insert(0) += 1;
            }
            open
        });
        for (word, count) in open {
            *self.open.entry(word).or_default() += count;
        }
    }

    /// Calls to the ledger per thousand orders of the big merchant, while its warehouse was away and after.
    #[must_use]
    pub fn calls_per_thousand(&self) -> [u64; 2] {
        let share =
            |calls: &BTreeMap<&'static str, u64>| calls.values().sum::<u64>() * 1000 / self.work.max(1);
        [share(&self.calls[0]), share(&self.calls[1])]
    }
}

/// The unfinished orders that no date names.
fn uncovered(world: &Deployment) -> u64 {
    let of = |merchant: &Merchant| {
        world.model.with(&merchant.connection.id, |books| {
            let dated: std::collections::BTreeSet<_> = books.dates.values().flatten().copied().collect();
            let open = books.records.iter().filter(|(_, record)| !record.is_finished());
            open.filter(|(order, _)| !dated.contains(order)).count() as u64
        })
    };
    world.merchants.values().map(of).sum()
}

fn calls(later: &Tally, earlier: &Tally) -> BTreeMap<&'static str, u64> {
    let mut calls = BTreeMap::new();
    for ((what, fate), count) in &later.effects {
        let before = earlier.effects.get(&(*what, *fate)).copied().unwrap_or(0);
        if what.starts_with("ledger") {
            *calls.entry(*what).or_default() += count - before;
        }
    }
    calls
}

fn p99(ages: &mut [u64]) -> u64 {
    ages.sort_unstable();
    let index = (ages.len() * 99).div_ceil(100).saturating_sub(1);
    ages.get(index).copied().unwrap_or(0)
}

fn worst(ages: &[u64]) -> u64 {
    ages.last().copied().unwrap_or(0)
}

fn span(millis: u64) -> String {
    let seconds = millis / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{}.{} s", seconds, millis % 1000 / 100),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [away, after] = self.calls_per_thousand();
        writeln!(
            f,
            "orders: {} sold, {} sent, {} twice, not sent {:?}",
            self.sold, self.sent, self.twice, self.open
        )?;
        writeln!(
            f,
            "nobody will look again at: {}; dead letters {}, expired {}",
            self.uncovered, self.dead, self.expired
        )?;
        writeln!(
            f,
            "requests to the big warehouse: {} while away, {} while there, for {} orders: {} retries per 1000 orders",
            self.in_vain, self.answered, self.work, self.retries
        )?;
        writeln!(
            f,
            "new orders after its return: {} of them, p99 {}, worst {}",
            self.new_count,
            span(self.new_p99),
            span(self.new_worst)
        )?;
        writeln!(
            f,
            "backlog: drained {} after its return, nothing overdue {} after it, oldest order {}",
            span(self.drained),
            span(self.at_rest),
            span(self.oldest)
        )?;
        writeln!(f, "small merchants: p99 {}, worst {}", span(self.small_p99), span(self.small_worst))?;
        writeln!(
            f,
            "calls to the ledger per 1000 orders: {away} while away, {after} after; queue requests {}",
            self.queue_requests
        )?;
        writeln!(f, "  while away {:?}", self.calls[0])?;
        write!(f, "  after      {:?}", self.calls[1])
    }
}
