//! One attempt to send an order: map, claim, create, and write down what came of it.

use std::time::Duration;

use domain::Failure;
use domain::admission::{Admission, decide};
use domain::deadline::before;
use domain::fulfillment::{FulfillmentRequest, Making};
use domain::ids::WarehouseOrderId;
use domain::life::{Step, described, later};
use domain::mapping::Mapping;
use domain::order::Order;
use domain::ports::Saved;
use domain::reconsider::withdrawn;
use domain::record::{Cause, Record, Stage};
use domain::warehouse::{Creation, Repeat};

use crate::away::heard;
use crate::doubt::was_never_claimed;
use crate::{ForwardOrders, InHand};

/// How long to wait between the tries to write down that the warehouse has an order, in milliseconds.
const ACCEPT_PAUSES: [u64; 4] = [50, 200, 800, 2000];

impl ForwardOrders {
    /// Sends an order that is ready, or repeats an attempt that is in doubt.
    pub(crate) async fn send(&self, mut hand: InHand) -> Result<(), Failure> {
        let Some(order) = self.body(&mut hand).await? else { return Ok(()) };
        let mapping = self.mappings.current(&hand.connection.id).await?;
        let request = match self.prepare(&hand, &order, &mapping) {
            Ok(request) => request,
            Err(admission) => {
                let step = match hand.record.stage {
                    Stage::InDoubt { .. } => self.not_repeated(&hand, &admission),
                    _ => Step::Admit(admission, Some(order.digest())),
                };
                return self.advance(&hand.record, step).await.map(|_| ());
            }
        };
        let claimed_at = self.clock.now();
        let until = later(claimed_at, self.pace.lease);
        let (units, mapping, digest) = (request.units(), mapping.version, Some(order.digest()));
        let claim = Step::Claim { until, units, mapping, digest };
        let Some(record) = self.advance(&hand.record, claim).await? else { return Ok(()) };
        hand.record = record;
        if self.clock.now() >= later(claimed_at, self.pace.send_within) {
            return self
                .release(
                    hand,
                    Failure::retryable("send order", "the process was held up before it could send"),
                )
                .await;
        }
        let deadline = later(claimed_at, self.pace.send_within);
        let created = before(self.clock.as_ref(), deadline, hand.warehouse.orders.create(&request)).await;
        let late =
            || Creation::Unclear(Failure::retryable("send order", "the warehouse did not answer in time"));
        self.conclude(hand, &request, created.unwrap_or_else(late)).await
    }

    /// An order in doubt is not decided anew, because the warehouse may have it: it stays where it is, says why, and is tried
    /// again.
    fn not_repeated(&self, hand: &InHand, admission: &Admission) -> Step {
        let (ask_at, _) = self.again(hand, Failure::retryable("send order", "cannot be repeated"));
        Step::AskLater {
            ask_at,
            why: format!("it cannot be sent once more: {}", described(&admission.stage())),
        }
    }

    /// The request for an order, or why it cannot be sent now.
    fn prepare(
        &self,
        hand: &InHand,
        order: &Order,
        mapping: &Mapping,
    ) -> Result<FulfillmentRequest, Admission> {
        let now = self.clock.now();
        if was_never_claimed(&hand.record) {
            // Who found out that an earlier ledger had not sent it may have died before it was decided on.
            let says = decide(order, &hand.connection.policies, hand.record.imported_at, now);
            match hand.record.ruled(says, Some(order), now) {
                Admission::Ready => {}
                admission => return Err(withdrawn(&hand.record, admission)),
            }
        }
        let making = Making {
            key: &hand.record.key,
            revision: hand.record.revision,
            imported_at: hand.record.imported_at,
            mapping,
            policies: &hand.connection.policies,
            limits: &hand.warehouse.limits,
            now,
        };
        making.request(order)
    }

    /// Writes down what came of an attempt.
    async fn conclude(
        &self,
        hand: InHand,
        request: &FulfillmentRequest,
        created: Creation,
    ) -> Result<(), Failure> {
        let (key, heard) = (hand.record.key.clone(), heard(&created));
        let outcome = match created {
            Creation::Accepted(id) => self.accepted(&hand.record, id, "").await,
            Creation::Duplicate(told) => self.duplicate(hand, request, told).await,
            Creation::Refused(reason) => self.refused(hand, Cause::Refused(reason)).await,
            Creation::NotApplied(failure) => self.release(hand, failure).await,
            Creation::Unclear(failure) => self.unclear(hand, failure).await,
        };
        self.conclude_from(&key, heard).await;
        outcome
    }

    /// The warehouse has it. This is worth a few tries: with a warehouse that cannot be asked nobody else will ever know
    /// the id. Whoever was faster meanwhile is built upon: an order in doubt is settled by it, one that a shipment notice
    /// has proved needs no more.
    pub(crate) async fn accepted(
        &self,
        record: &Record,
        id: WarehouseOrderId,
        how: &'static str,
    ) -> Result<(), Failure> {
        let mut record = record.clone();
        let (units, revision) = (record.units, record.revision);
        let mut outcome = Ok(());
        for pause in ACCEPT_PAUSES {
            let Ok(next) = record.step(Step::Accept { id: id.clone(), how }, self.stamp()) else {
                return Ok(());
            };
            match self.ledger.save(&record, &next).await {
                Ok(Saved::Done | Saved::Conflict(None)) => return Ok(()),
                // What was accepted was cancelled since, and another revision is on its way.
                Ok(Saved::Conflict(Some(current))) if current.revision != revision => return Ok(()),
                Ok(Saved::Conflict(Some(current))) => {
                    record = *current;
                    record.units = record.units.max(units);
                }
                Err(failure) => {
                    outcome = Err(failure);
                    self.clock.sleep(Duration::from_millis(pause)).await;
                }
            }
        }
        outcome
    }

    /// It says that it has this reference: ours, from an earlier attempt, once a look-up confirms it.
    async fn duplicate(
        &self,
        hand: InHand,
        request: &FulfillmentRequest,
        told: Option<WarehouseOrderId>,
    ) -> Result<(), Failure> {
        const HOW: &str = ", found there already";
        let Some(lookup) = hand.warehouse.repeat.lookup().cloned() else {
            return match told {
                Some(id) => self.accepted(&hand.record, id, HOW).await,
                None => self.refused(hand, Cause::InDoubt).await,
            };
        };
        match self.find(&hand.record.key, &request.reference, lookup.as_ref()).await {
            Ok(Some(found)) if found.cancelled => {
                self.refused(hand, Cause::Refused(format!("it has this order as {}, cancelled", found.id)))
                    .await
            }
            Ok(Some(found)) => self.accepted(&hand.record, found.id, HOW).await,
            Ok(None) => {
                self.unclear(
                    hand,
                    Failure::retryable("send order", "called a duplicate, but the look-up does not show it"),
                )
                .await
            }
            Err(failure) => self.unclear(hand, failure).await,
        }
    }

    /// Ends our own attempt with a cause for a person.
    async fn refused(&self, hand: InHand, cause: Cause) -> Result<(), Failure> {
        let Stage::Sending(claim) = &hand.record.stage else { return Ok(()) };
        self.advance(&hand.record, Step::Refuse(claim.token, cause)).await.map(|_| ())
    }

    /// Ends our own attempt, which certainly changed nothing.
    async fn release(&self, hand: InHand, failure: Failure) -> Result<(), Failure> {
        let Stage::Sending(claim) = &hand.record.stage else { return Ok(()) };
        let (attempt, why) = (claim.token, failure.to_string());
        let (not_before, outcome) = self.again(&hand, failure);
        self.advance(&hand.record, Step::Release { attempt, not_before, why }).await?;
        outcome
    }

    /// Our own attempt may or may not have arrived. When it can be repeated or asked about depends on the warehouse.
    async fn unclear(&self, hand: InHand, failure: Failure) -> Result<(), Failure> {
        let Stage::Sending(claim) = hand.record.stage.clone() else { return Ok(()) };
        let why = failure.to_string();
        let (retry_at, outcome) = self.again(&hand, failure);
        let (ask_at, outcome) = match &hand.warehouse.repeat {
            Repeat::HonoursKey | Repeat::RefusesDuplicates(_) => (retry_at, outcome),
            Repeat::CanBeAsked { lag, .. } => (later(claim.until, *lag), Ok(())),
            Repeat::Cannot => (claim.until, Ok(())),
        };
        match self.advance(&hand.record, Step::Doubt { attempt: claim.token, ask_at, why }).await? {
            Some(_) => outcome,
            None => Ok(()),
        }
    }

    /// Another attempt died with its claim: what it did is in doubt.
    pub(crate) async fn take_over(&self, mut hand: InHand) -> Result<(), Failure> {
        let Stage::Sending(claim) = hand.record.stage.clone() else { return Ok(()) };
        let lag = match &hand.warehouse.repeat {
            Repeat::CanBeAsked { lag, .. } => *lag,
            _ => Duration::ZERO,
        };
        let why = "an attempt ended without writing down its outcome".to_owned();
        let doubt = Step::Doubt { attempt: claim.token, ask_at: later(claim.until, lag), why };
        let next = hand
            .record
            .step(doubt, self.stamp())
            .map_err(|e| Failure::poison("forward order", e.to_string()))?;
        match self.ledger.save(&hand.record, &next).await? {
            Saved::Done => hand.record = next,
            Saved::Conflict(_) => return Ok(()),
        }
        if self.is_ours_now(&hand.record) { self.ask(hand).await } else { Ok(()) }
    }
}
