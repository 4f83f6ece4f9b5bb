//! Forwards each order to its warehouse, once and only once: mapped, claimed, sent, and looked up when in doubt.
//!
//! Nothing can make a foreign HTTP call happen exactly once from our side alone. So an attempt is claimed by one
//! conditional write before it starts, every attempt carries the same reference, and an attempt whose answer is lost is
//! settled by what the warehouse gives us against duplicates ([`domain::warehouse::Repeat`]).

mod attempt;
mod away;
mod doubt;

use std::sync::Arc;

use domain::connection::Connection;
use domain::intake::{Intake, body_of};
use domain::life::{Pace, Stamp, Step};
use domain::order::Order;
use domain::ports::{Clock, Connections, Ledger, Mappings, Partners, Randomness, Saved};
use domain::record::{Record, Stage};
use domain::warehouse::Warehouse;
use domain::{Failure, OrderKey};
use jiff::Timestamp;

pub use away::Circuits;
use away::Leave;

/// How the story and the logs call this use case.
pub const NAME: &str = "forward-orders";

/// Deliveries of one message that the queue itself retries; a longer outage is waited out in the ledger.
const QUEUE_RETRIES: u32 = 3;

/// The use case with its ports.
#[derive(Clone)]
pub struct ForwardOrders {
    /// Which connections there are.
    pub connections: Arc<dyn Connections>,
    /// Their stores and warehouses.
    pub partners: Arc<dyn Partners>,
    /// The truth.
    pub ledger: Arc<dyn Ledger>,
    /// Shop words to warehouse words.
    pub mappings: Arc<dyn Mappings>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Names for attempts.
    pub dice: Arc<dyn Randomness>,
    /// How long things may take.
    pub pace: Pace,
    /// What this process has seen of the warehouses.
    pub circuits: Arc<Circuits>,
}

/// An order in hand.
struct InHand {
    connection: Connection,
    warehouse: Arc<Warehouse>,
    record: Record,
    /// The body, where the ledger still has it.
    order: Option<Order>,
    /// How often the queue has delivered the message.
    count: u32,
    /// Is it only to be found out what became of it?
    only_ask: bool,
}

impl ForwardOrders {
    /// Takes an order as far as it gets now. `count` is how often the queue has delivered the message.
    ///
    /// # Errors
    /// Retryable, when the message should come again soon. Whatever the outcome, the ledger knows when somebody looks
    /// at the order again.
    pub async fn forward(&self, key: &OrderKey, count: u32) -> Result<(), Failure> {
        self.take_up(key, count, false).await
    }

    /// Asks about an order that is in doubt, and sends nothing.
    ///
    /// # Errors
    /// Those of the ledger, the warehouse and the store.
    pub async fn find_out(&self, key: &OrderKey) -> Result<(), Failure> {
        self.take_up(key, 1, true).await
    }

    async fn take_up(&self, key: &OrderKey, count: u32, only_ask: bool) -> Result<(), Failure> {
        let Some(connection) = self.connections.get(&key.connection).await?.filter(Connection::runs) else {
            return Ok(());
        };
        let leave = self.leave(&connection.id).await?;
        if let Leave::Refused(away) = &leave {
            return self.wait_for(away, count);
        }
        let Some((record, order)) = self.ledger.open(key, false).await? else { return Ok(()) };
        let is_question = matches!(record.stage, Stage::InDoubt { .. });
        if !self.is_ours_now(&record) || (only_ask && !is_question) {
            return Ok(());
        }
        if let Leave::Probe(circuit) = &leave
            && let Some(away) = self.take_probe(&connection.id, circuit).await?
        {
            return self.wait_for(&away, count);
        }
        let warehouse = self.partners.warehouse(&connection).await?;
        let hand = InHand { connection, warehouse, record, order, count, only_ask };
        match &hand.record.stage {
            Stage::Ready { .. } => self.send(hand).await,
            Stage::Sending(_) => self.take_over(hand).await,
            _ => self.ask(hand).await,
        }
    }

    /// Is there something to do for this order at this moment? Another attempt may be running, or a wait not be over.
    fn is_ours_now(&self, record: &Record) -> bool {
        let now = self.clock.now();
        match &record.stage {
            Stage::Ready { not_before } => not_before.is_none_or(|start| start <= now),
            Stage::Sending(claim) => claim.until <= now,
            Stage::InDoubt { ask_at } => *ask_at <= now,
            _ => false,
        }
    }

    fn stamp(&self) -> Stamp<'static> {
        Stamp { by: NAME, at: self.clock.now(), token: self.dice.token() }
    }

    /// Takes a step and writes it. None: somebody else was faster, and the order is theirs now.
    async fn advance(&self, record: &Record, step: Step) -> Result<Option<Record>, Failure> {
        let next =
            record.step(step, self.stamp()).map_err(|e| Failure::poison("forward order", e.to_string()))?;
        Ok(match self.ledger.save(record, &next).await? {
            Saved::Done => Some(next),
            Saved::Conflict(_) => None,
        })
    }

    /// The body of an order: from the ledger, or from the store where it has expired.
    async fn body(&self, hand: &mut InHand) -> Result<Option<Order>, Failure> {
        if hand.order.is_some() {
            return Ok(hand.order.take());
        }
        let key = &hand.record.key;
        if let Some((_, Some(order))) = self.ledger.open(key, true).await? {
            return Ok(Some(order));
        }
        let store = self.partners.store(&hand.connection).await?;
        let read = store.orders.read(&key.order.to_string()).await?;
        // What is read now may say something else than what was decided on then.
        let partners = self.partners.as_ref();
        let looked = self.intake().reconsider(&hand.connection, hand.record.clone(), &read, partners).await?;
        hand.record = looked.record;
        let still_ready = self.is_ours_now(&hand.record)
            && matches!(hand.record.stage, Stage::Ready { .. } | Stage::InDoubt { .. });
        Ok(body_of(&read).filter(|_| still_ready).cloned())
    }

    fn intake(&self) -> Intake<'_> {
        Intake {
            ledger: self.ledger.as_ref(),
            clock: self.clock.as_ref(),
            dice: self.dice.as_ref(),
            by: NAME,
        }
    }

    /// When to try again after a failure, and whether the queue should do it.
    fn again(&self, hand: &InHand, failure: Failure) -> (Timestamp, Result<(), Failure>) {
        let now = self.clock.now();
        let at = self.pace.retry_at(now, hand.record.attempts, self.dice.token(), failure.wait());
        let wait = at.duration_since(now).unsigned_abs();
        (at, if hand.count < QUEUE_RETRIES { Err(failure.after(Some(wait))) } else { Ok(()) })
    }
}
