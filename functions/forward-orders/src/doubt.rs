//! An order in doubt: sent, the answer lost. Settled by what the warehouse gives us against duplicates.

use domain::connection::History;
use domain::deadline::before;
use domain::fulfillment::reference;
use domain::intake::body_of;
use domain::life::{Step, later};
use domain::mapping::Mapped;
use domain::order::Order;
use domain::ports::Read;
use domain::reconsider::cancel;
use domain::record::{Cause, Record, Stage};
use domain::warehouse::{OrderLookup, Repeat, WarehouseOrder};
use domain::{Failure, OrderKey, Reference};
use jiff::Timestamp;

use crate::{ForwardOrders, InHand};

/// What asking has shown.
enum Verdict {
    /// The warehouse has it, sent as this revision.
    There(WarehouseOrder, u32),
    /// Nothing of it is there or can still land: it may be decided on, and sent, as if for the first time; why.
    SendAgain(&'static str),
    /// It may be there or still land, and may be sent again all the same: the warehouse makes one order of it.
    Repeat,
    /// It is not there, but something of a lost ledger's attempts may still land until then.
    TooEarly(Timestamp),
    /// Nobody can find out.
    Unknowable,
}

impl ForwardOrders {
    /// Settles an order in doubt, whose time to ask has come.
    pub(crate) async fn ask(&self, mut hand: InHand) -> Result<(), Failure> {
        if was_never_claimed(&hand.record) && matches!(hand.warehouse.repeat, Repeat::HonoursKey) {
            hand.order = body_of(&self.sold(&hand).await?).cloned();
            if hand.order.as_ref().is_some_and(|order| order.payment.is_taken_back()) {
                // Who only asks leaves it in doubt; it has its date.
                return if hand.only_ask { Ok(()) } else { self.cancel_unseen(hand).await };
            }
        }
        let verdict = match self.verdict(&hand).await {
            Ok(verdict) => verdict,
            Err(failure) => return self.ask_later(hand, failure).await,
        };
        let step = match verdict {
            Verdict::There(found, revision) if found.cancelled => {
                hand.record.revision = revision;
                let step = self.cancelled_there(&hand, &found).await?;
                hand.record.warehouse_order = Some(found.id);
                step
            }
            Verdict::There(found, revision) => {
                hand.record.revision = revision;
                return self.found(hand, found).await;
            }
            // It stays in doubt until one attempt has an answer: so a sale that is taken back meanwhile is not cancelled in
            // our books alone.
            Verdict::Repeat => return if hand.only_ask { Ok(()) } else { self.send(hand).await },
            Verdict::SendAgain(why) => Step::SendAgain(why),
            Verdict::TooEarly(ask_at) => Step::AskLater { ask_at, why: TOO_EARLY.to_owned() },
            Verdict::Unknowable => Step::GiveUp,
        };
        let again = matches!(step, Step::SendAgain(_));
        match self.advance(&hand.record, step).await? {
            Some(record) if again => {
                hand.record = record;
                if was_never_claimed(&hand.record) {
                    return self.decide_anew(hand).await;
                }
                if hand.only_ask { Ok(()) } else { self.send(hand).await }
            }
            _ => Ok(()),
        }
    }

    /// The warehouse has it. Whoever sent it has told us how many pieces; an earlier ledger has not.
    async fn found(&self, mut hand: InHand, found: WarehouseOrder) -> Result<(), Failure> {
        if was_never_claimed(&hand.record)
            && let Some(order) = &hand.order
        {
            let mapping = self.mappings.current(&hand.connection.id).await?;
            if let Ok(Mapped::Ship { lines, .. }) = mapping.resolve(order, &hand.connection.policies) {
                hand.record.units = lines.iter().fold(0, |sum, line| sum.saturating_add(line.quantity));
            }
        }
        self.accepted(&hand.record, found.id, ", found there").await
    }

    /// An order that no attempt of this ledger has taken was asked about before it was decided on.
    async fn decide_anew(&self, mut hand: InHand) -> Result<(), Failure> {
        let read = self.sold(&hand).await?;
        let (record, partners) = (hand.record.clone(), self.partners.as_ref());
        let looked = self.intake().reconsider(&hand.connection, record, &read, partners).await?;
        hand.record = looked.record;
        hand.order = body_of(&read).cloned();
        let is_ready = self.is_ours_now(&hand.record) && matches!(hand.record.stage, Stage::Ready { .. });
        if is_ready && !hand.only_ask { self.send(hand).await } else { Ok(()) }
    }

    /// What was sold, by the body in hand, or by the store where there is none.
    async fn sold(&self, hand: &InHand) -> Result<Read, Failure> {
        if let Some(order) = &hand.order {
            return Ok(Read::Order(Box::new(order.clone())));
        }
        self.in_store(hand).await
    }

    async fn in_store(&self, hand: &InHand) -> Result<Read, Failure> {
        let store = self.partners.store(&hand.connection).await?;
        store.orders.read(&hand.record.key.order.to_string()).await
    }

    /// A sale that was taken back, and that a lost ledger may have sent to a warehouse that cannot be asked whether it has
    /// it: it is cancelled there all the same. What the warehouse does not cancel is for a person.
    async fn cancel_unseen(&self, hand: InHand) -> Result<(), Failure> {
        let status = hand.order.as_ref().map_or("taken back", |order| order.payment.word());
        match cancel(&hand.record, status, &hand.warehouse).await {
            Ok(step) => self.advance(&hand.record, step).await.map(|_| ()),
            Err(failure) => self.ask_later(hand, failure).await,
        }
    }

    /// A cancelled order that was taken back in the store is done; any other is for a person. The body in hand may be older
    /// than what made an earlier ledger's last process cancel it: the store is asked before anybody is troubled.
    async fn cancelled_there(&self, hand: &InHand, found: &WarehouseOrder) -> Result<Step, Failure> {
        let taken_back = |order: &Order| order.payment.is_taken_back();
        let is_over = was_never_claimed(&hand.record)
            && (hand.order.as_ref().is_some_and(taken_back)
                || body_of(&self.in_store(hand).await?).is_some_and(taken_back));
        Ok(match is_over {
            true => Step::Cancel(format!("cancelled by the warehouse, which had it as {}", found.id)),
            false => Step::Flag(Cause::Refused(format!("it has this order as {}, cancelled", found.id))),
        })
    }

    async fn verdict(&self, hand: &InHand) -> Result<Verdict, Failure> {
        let is_ours = !was_never_claimed(&hand.record);
        match &hand.warehouse.repeat {
            Repeat::HonoursKey if is_ours => Ok(Verdict::Repeat),
            Repeat::HonoursKey => Ok(Verdict::SendAgain("the warehouse honours our key")),
            Repeat::Cannot => Ok(Verdict::Unknowable),
            Repeat::RefusesDuplicates(lookup) => {
                Ok(match self.look_up(hand, lookup.as_ref(), None).await? {
                    Verdict::SendAgain(_) if is_ours => Verdict::Repeat,
                    verdict => verdict,
                })
            }
            Repeat::CanBeAsked { lookup, lag } => {
                let end = self.lost_attempts_end(hand, *lag).await?;
                let early = end.filter(|end| self.clock.now() < *end);
                Ok(self.look_up(hand, lookup.as_ref(), early).await?)
            }
        }
    }

    /// When nothing of an attempt can land any more that a lost ledger knew of; none when our own ledger knows all. The
    /// connection is read anew: the one in hand may have been kept since before the loss.
    async fn lost_attempts_end(
        &self,
        hand: &InHand,
        lag: std::time::Duration,
    ) -> Result<Option<Timestamp>, Failure> {
        if !was_never_claimed(&hand.record) {
            return Ok(None);
        }
        let connection = self.connections.fresh(&hand.connection.id).await?;
        let since = match connection.map(|connection| connection.history) {
            Some(History::Known { since }) => since,
            _ => self.clock.now(),
        };
        Ok(Some(later(since, self.pace.lease.saturating_add(lag))))
    }

    async fn look_up(
        &self,
        hand: &InHand,
        lookup: &dyn OrderLookup,
        early: Option<Timestamp>,
    ) -> Result<Verdict, Failure> {
        let (key, first) = (&hand.record.key, hand.record.revision);
        let (mut cancelled, mut missed) = (None, 0);
        for revision in first..first.saturating_add(MOST_ANEW) {
            let reference = reference(key, revision, hand.warehouse.limits.reference)
                .map_err(|e| Failure::permanent("look up order", e.to_string()))?;
            match self.find(key, &reference, lookup).await? {
                // A lost ledger may have sent it anew, in the place of what was cancelled.
                Some(found) if found.cancelled && was_never_claimed(&hand.record) => {
                    (cancelled, missed) = (Some(Verdict::There(found, revision)), 0);
                }
                Some(found) => return Ok(Verdict::There(found, revision)),
                // Not every warehouse shows what it has cancelled, or refused, and the next one may be there all the same.
                None => missed += 1,
            }
            if missed == MISSES || !was_never_claimed(&hand.record) {
                break;
            }
        }
        Ok(match (early, cancelled) {
            (Some(end), _) => Verdict::TooEarly(end),
            (None, Some(cancelled)) => cancelled,
            (None, None) => Verdict::SendAgain("the warehouse does not have it"),
        })
    }

    /// Asks the warehouse, but not for ever.
    pub(crate) async fn find(
        &self,
        key: &OrderKey,
        reference: &Reference,
        lookup: &dyn OrderLookup,
    ) -> Result<Option<WarehouseOrder>, Failure> {
        let deadline = later(self.clock.now(), self.pace.send_within);
        let asked = before(self.clock.as_ref(), deadline, lookup.find(reference)).await;
        let found = asked.unwrap_or_else(|| {
            Err(Failure::retryable("look up order", "the warehouse did not answer in time"))
        });
        self.conclude_from(key, found.as_ref().map(|_| ()).map_err(Failure::wait)).await;
        found
    }

    async fn ask_later(&self, hand: InHand, failure: Failure) -> Result<(), Failure> {
        let why = format!("asking failed: {failure}");
        let (ask_at, outcome) = self.again(&hand, failure);
        self.advance(&hand.record, Step::AskLater { ask_at, why }).await?;
        outcome
    }
}

/// How many revisions of one order are asked about after a lost ledger.
const MOST_ANEW: u32 = 50;

/// So many references in a row that are not there are the end of them.
const MISSES: u32 = 2;

const TOO_EARLY: &str = "it is not there, and an attempt that a lost ledger knew of may still arrive";

/// Has no attempt of this ledger taken it? Then it is in doubt because an earlier ledger may have sent it.
pub(crate) fn was_never_claimed(record: &Record) -> bool {
    record.attempts == 0
}
