//! Compares the ledger with the store and the warehouse, order by order: what one side has and another does not is named,
//! and where that is safe it is put right. Once a day by itself, and whenever a person asks.

mod daily;
mod order;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::connection::Connection;
use domain::intake::Intake;
use domain::life::later;
use domain::listing::list;
use domain::notes::Notes;
use domain::policy::Policies;
use domain::ports::{Clock, Ledger, Outgoing, Partners, Randomness, SinkMode, Store, Window};
use domain::reconciliation::{Reconciliation, Verdict};
use domain::record::Record;
use domain::warehouse::Warehouse;
use domain::{Failure, OrderId};
use jiff::Timestamp;

/// How the story and the logs call it.
pub const RECONCILE: &str = "reconcile";

/// How many records are read together.
const CHUNK: usize = 50;

/// After so many questions in a row without an answer a side is down; before that, it is the order.
const IS_DOWN: usize = 3;

/// How far past now the store's list is read: its zone is not documented, and clocks differ (dossier section 2).
const MARGIN_DAYS: u32 = 2;

/// The use case with its ports.
#[derive(Clone)]
pub struct Reconcile {
    /// Their stores and warehouses.
    pub partners: Arc<dyn Partners>,
    /// The truth.
    pub ledger: Arc<dyn Ledger>,
    /// Where the daily one stands.
    pub notes: Arc<dyn Notes>,
    /// The queue of orders to forward.
    pub orders: Arc<dyn Outgoing>,
    /// The queue of tracking to post.
    pub shipments: Arc<dyn Outgoing>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Names for writes.
    pub dice: Arc<dyn Randomness>,
}

/// What is to be compared, and what is to be done about differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Orders placed from this instant on.
    pub since: Timestamp,
    /// Is everybody asked about every order? Without it nobody is asked about orders that are done with (their packages
    /// prove that they were there, and what was posted was read back), nor the warehouse about packages of which its feed tells.
    pub thorough: bool,
    /// Are missing orders to be imported, and packages that nobody told of to be written down?
    pub fix: bool,
    /// When the time is up.
    pub until: Timestamp,
}

/// Both sides of a connection, opened, and what is asked of them.
struct Sides<'a> {
    use_case: &'a Reconcile,
    connection: &'a Connection,
    store: Store,
    warehouse: Arc<Warehouse>,
    /// Can the store be asked what it shows?
    shows: bool,
    asked: Asked,
}

impl Reconcile {
    /// Begins to compare; [`Reconcile::go_on`] does it.
    #[must_use]
    pub fn begin(&self, connection: &Connection, since: Timestamp) -> Reconciliation {
        let since = connection.policies.start.map_or(since, |start| start.max(since));
        Reconciliation::begun(self.clock.now(), since)
    }

    /// Compares orders, in the order of their numbers, from where `sofar` stopped until all are compared or the time is
    /// up: then `after` says where. `progress` is told how many of how many are done.
    ///
    /// # Errors
    /// Those of the store, the warehouse, the ledger and the queues. `sofar` is as good as before.
    pub async fn go_on(
        &self,
        connection: &Connection,
        asked: Asked,
        sofar: &mut Reconciliation,
        progress: &(dyn Fn(usize, usize) + Send + Sync),
    ) -> Result<(), Failure> {
        let store = self.partners.store(connection).await?;
        let warehouse = self.partners.warehouse(connection).await?;
        let shows = store.tracking.verifies() && store.tracking.mode().await? == SinkMode::Api;
        let sides = Sides { use_case: self, connection, store, warehouse, shows, asked };
        let dates = Window {
            from: Some(asked.since),
            to: Timestamp::from_second(later(self.clock.now(), Policies::days(MARGIN_DAYS)).as_second())
                .unwrap_or(Timestamp::MAX),
        };
        // The list is short work and all of it is needed: the time is kept between orders.
        let mut listed =
            list(sides.store.orders.as_ref(), dates, self.clock.as_ref(), Timestamp::MAX).await?;
        listed.orders.sort_unstable();
        let all = listed.orders.len();
        let begin = listed.orders.partition_point(|order| sofar.after.is_some_and(|after| *order <= after));
        sofar.listed_all &= listed.complete;
        for (number, chunk) in listed.orders[begin..].chunks(CHUNK).enumerate() {
            sides.chunk(chunk, sofar).await?;
            sofar.after = chunk.last().copied();
            let done = (begin + number * CHUNK + chunk.len()).min(all);
            progress(done, all);
            if done < all && self.clock.now() >= asked.until {
                return Ok(());
            }
        }
        sofar.after = None;
        Ok(())
    }

    fn intake(&self) -> Intake<'_> {
        Intake {
            ledger: self.ledger.as_ref(),
            clock: self.clock.as_ref(),
            dice: self.dice.as_ref(),
            by: RECONCILE,
        }
    }
}

/// Nothing can be said of an order, because one side did not answer.
fn unanswered(is_known: bool, counts: &mut Reconciliation) -> Verdict {
    counts.unanswered += 1;
    if is_known {
        counts.store.known += 1;
        counts.warehouse.on_the_way += 1;
    } else {
        counts.store.not_yet += 1;
    }
    Verdict { on_its_way: true, ..Verdict::default() }
}

impl Sides<'_> {
    /// Compares some orders, and counts them once all of them are compared.
    async fn chunk(&self, orders: &[OrderId], sofar: &mut Reconciliation) -> Result<(), Failure> {
        let records = self.use_case.ledger.load_many(&self.connection.id, orders).await?;
        let records: BTreeMap<OrderId, Record> =
            records.into_iter().map(|record| (record.key.order, record)).collect();
        let (mut compared, mut in_a_row) = (sofar.clone(), 0);
        for order in orders {
            let before = (compared.store, compared.warehouse, compared.packages);
            let outcome = match records.get(order) {
                Some(record) => self.known(record, &mut compared).await,
                None => self.unknown(*order, &mut compared).await,
            };
            in_a_row = if outcome.is_err() { in_a_row + 1 } else { 0 };
            let verdict = match outcome {
                Err(failure) if in_a_row >= IS_DOWN => return Err(failure),
                Err(_) => {
                    (compared.store, compared.warehouse, compared.packages) = before;
                    unanswered(records.contains_key(order), &mut compared)
                }
                Ok(verdict) => verdict,
            };
            compared.listed += 1;
            compared.count(*order, verdict);
        }
        *sofar = compared;
        Ok(())
    }
}
