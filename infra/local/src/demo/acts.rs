//! The demo's play: what happens in the shop and at the warehouse, and what is seen of it.

use std::fmt::Write as _;
use std::time::Duration;

use domain::{Failure, OrderId, OrderKey};
use jiff::Timestamp;
use operations::status::Books;
use simulator::faults::When;
use simulator::shop::{self, Kind};
use simulator::store::OrderSpec;
use simulator::warehouse::{Endpoint, Fault, FaultPlan, Parcels};

use super::PATIENCE;
use super::world::World;

/// Progress is shown this often at most.
const SHOW_EVERY: Duration = Duration::from_millis(700);

/// The demo on stage: its world, where it is told, and since when.
pub(super) struct Stage<'a> {
    world: &'a World,
    out: &'a mut (dyn std::io::Write + Send),
    began: Timestamp,
    told: String,
    shown: Timestamp,
    day: Vec<OrderSpec>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(world: &'a World, out: &'a mut (dyn std::io::Write + Send)) -> Self {
        let day = shop::day_from(7, world.morning);
        let began = world.host.clock.now();
        Self { world, out, began, told: String::new(), shown: Timestamp::MIN, day }
    }

    pub(super) fn out(&mut self) -> &mut (dyn std::io::Write + Send) {
        self.out
    }

    /// Prints, and goes on when nobody reads any more.
    pub(super) fn say(&mut self, text: &str) {
        let _nobody_reads_any_more = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }

    fn tell(&mut self, what: &str) {
        let millis = self.world.host.clock.now().duration_since(self.began).as_millis();
        let line = format!("{:>4}.{}s  {what}\n", millis / 1000, millis / 100 % 10);
        self.say(&line);
    }

    pub(super) async fn open(&mut self) {
        self.say("Cartdock demo: a shop's day in under a minute, all of it in this process.\n\n");
        let addresses = self.world.addresses();
        self.say(&addresses);
        self.say("\n");
    }

    pub(super) async fn play(&mut self) -> Result<(), Failure> {
        let doubtful = self.lose_an_answer();
        let part = self.day.len() * 3 / 4;
        let evening = part as u64;
        self.orders(..part, "The shop has orders of every kind; the first poll finds them");
        let paid = move |books: &Books| books.orders >= evening && is_quiet(books);
        self.until("all of them imported and forwarded, held, excluded or waiting", paid).await?;
        self.tell_of(doubtful).await?;
        self.orders(part.., "More come in, each with a notification of the store");
        let all = self.day.len() as u64;
        self.until("notified orders imported", move |books| books.orders >= all && is_quiet(books)).await?;
        self.later_in_the_day();
        self.part_of_an_order();
        self.until("the paid one is forwarded", is_quiet).await?;
        self.cure().await?;
        self.until("released orders forwarded", is_quiet).await?;
        self.ship().await
    }

    /// The warehouse will take one order and never answer. Gives the order.
    fn lose_an_answer(&mut self) -> Option<u64> {
        let order = self.day.iter().find(|order| order.kind == Kind::SeveralLines)?.id?;
        let reference = reference(order);
        let plan =
            FaultPlan::new().and_about(reference, Endpoint::Create, When::Next(1), Fault::DoneButSilent);
        self.world.warehouse.plan_faults(plan);
        self.tell(&format!("The warehouse will take order {order} and then not answer: was it sent or not?"));
        Some(order)
    }

    /// What became of the order whose answer was lost, by the story that the ledger has of it.
    async fn tell_of(&mut self, order: Option<u64>) -> Result<(), Failure> {
        let Some(order) = order else { return Ok(()) };
        let key = OrderKey::new(self.world.connection.id.clone(), OrderId(order));
        let Some(record) = self.world.host.ledger.load(&key, true).await? else { return Ok(()) };
        let happened = |what: &str| record.story.iter().any(|entry| entry.what.starts_with(what));
        let copies = self.world.warehouse.creates_for(&reference(order));
        let told = match (happened("in doubt"), &record.warehouse_order, copies) {
            (true, Some(id), 1) => {
                format!("Order {order} was found at the warehouse as {id} and not sent twice")
            }
            (_, Some(id), 1) => format!("Order {order} is at the warehouse as {id}, once"),
            (_, _, copies) => {
                format!("Order {order} is {}; the warehouse has it {copies} times", record.stage.word())
            }
        };
        self.tell(&told);
        Ok(())
    }

    fn orders(&mut self, range: impl std::slice::SliceIndex<[OrderSpec], Output = [OrderSpec]>, what: &str) {
        let orders: Vec<OrderSpec> = self.day.get(range).unwrap_or_default().to_vec();
        self.tell(&format!("{what}: {} orders", orders.len()));
        for order in orders {
            self.world.store.add_order(order);
        }
    }

    /// What was pending is paid or declined. The store never lists it again: it notifies, and Cartdock reads again.
    fn later_in_the_day(&mut self) {
        let changes: Vec<(u64, &str)> =
            self.day.iter().filter_map(|order| Some((order.id?, order.later?))).collect();
        let mut line = "Later in the day:".to_owned();
        for (order, status) in &changes {
            self.world.store.set_status(*order, status);
            let _infallible = write!(line, " {order} is {status},");
        }
        self.tell(line.trim_end_matches(','));
    }

    /// One order leaves in part; the rest follows with everything else.
    fn part_of_an_order(&mut self) {
        let orders = self.world.warehouse.orders();
        let Some((order, item)) =
            orders.iter().find_map(|order| Some((order, order.items.iter().find(|i| i.quantity > 1)?)))
        else {
            return;
        };
        self.world.warehouse.ship(&order.id, &Parcels::Some(vec![(item.sku.clone(), 1)]));
        self.tell(&format!("The warehouse ships one piece of {}; the rest is to follow", order.reference));
    }

    async fn cure(&mut self) -> Result<(), Failure> {
        let held: u64 = self.world.books().await?.held.values().sum();
        self.tell(&format!("Somebody looks at the {held} held orders and adds the missing listing and rule"));
        let released = self.world.cure().await?;
        self.tell(&format!("{released} orders are released by it"));
        Ok(())
    }

    async fn ship(&mut self) -> Result<(), Failure> {
        let orders = self.world.warehouse.orders();
        self.tell(&format!(
            "The warehouse ships everything that is left of {} orders, some in two parcels",
            orders.len()
        ));
        for (position, order) in orders.iter().enumerate() {
            let parcels = if position % 7 == 3 { Parcels::Split(2) } else { Parcels::One };
            self.world.warehouse.ship(&order.id, &parcels);
        }
        let shipped = self.world.warehouse.shipments().len() as u64;
        self.until("all tracking posted to the store", move |books| books.packages.posted >= shipped).await
    }

    /// Shows the books where they have changed, not more often than anybody can read; the last ones always.
    fn show(&mut self, books: &Books, is_last: bool) {
        let (line, now) = (summary(books), self.world.host.clock.now());
        let is_too_soon = now.duration_since(self.shown).unsigned_abs() < SHOW_EVERY;
        if line != self.told && (is_last || !is_too_soon) {
            self.tell(&line);
            (self.told, self.shown) = (line, now);
        }
    }

    /// Watches the books until they are as they should be, and shows every change on the way.
    async fn until(&mut self, what: &str, done: impl Fn(&Books) -> bool) -> Result<(), Failure> {
        let begin = self.world.host.clock.now();
        loop {
            let books = self.world.books().await?;
            let is_done = done(&books);
            self.show(&books, is_done);
            if is_done {
                return Ok(());
            }
            if self.world.host.clock.now().duration_since(begin).unsigned_abs() > PATIENCE {
                self.tell(&format!("This did not happen in time: {what}"));
                return Ok(());
            }
            self.world.host.clock.sleep(Duration::from_millis(150)).await;
        }
    }
}

/// The demo's order as the warehouse knows it.
fn reference(order: u64) -> String {
    format!("demo-{order}")
}

fn is_quiet(books: &Books) -> bool {
    books.on_the_way.is_empty()
}

fn summary(books: &Books) -> String {
    let sum = |counts: &std::collections::BTreeMap<&'static str, u64>| counts.values().sum::<u64>();
    format!(
        "  {:>2} orders: {:>2} on the way, {:>2} sent, {} held, {} waiting, {:>2} excluded; {:>2} left, {:>2} posted",
        books.orders,
        sum(&books.on_the_way),
        sum(&books.sent),
        sum(&books.held),
        sum(&books.waiting),
        sum(&books.excluded),
        books.packages.shipped,
        books.packages.posted
    )
}
