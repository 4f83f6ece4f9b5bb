//! An order in doubt: sent, the answer lost. Settled by what the warehouse gives us against duplicates.

use domain::fulfillment::reference;
use domain::life::Step;
use domain::record::Cause;
use domain::warehouse::{OrderLookup, Repeat, WarehouseOrder};
use domain::{Failure, OrderKey, Reference};

use crate::{ForwardOrders, InHand};

/// What asking has shown.
enum Verdict {
    /// The warehouse has it.
    There(WarehouseOrder),
    /// It is safe to send again; why.
    SendAgain(&'static str),
    /// Nobody can find out.
    Unknowable,
}

impl ForwardOrders {
    /// Settles an order in doubt, whose time to ask has come.
    pub(crate) async fn ask(&self, mut hand: InHand) -> Result<(), Failure> {
        let verdict = match self.verdict(&hand).await {
            Ok(verdict) => verdict,
            Err(failure) => return self.ask_later(hand, failure).await,
        };
        let step = match verdict {
            Verdict::There(found) if found.cancelled => {
                Step::Flag(Cause::Refused(format!("it has this order as {}, cancelled", found.id)))
            }
            Verdict::There(found) => return self.accepted(&hand.record, found.id, ", found there").await,
            Verdict::SendAgain(why) => Step::SendAgain(why),
            Verdict::Unknowable => Step::GiveUp,
        };
        let again = matches!(step, Step::SendAgain(_));
        match self.advance(&hand.record, step).await? {
            Some(record) if again => {
                hand.record = record;
                self.send(hand).await
            }
            _ => Ok(()),
        }
    }

    async fn verdict(&self, hand: &InHand) -> Result<Verdict, Failure> {
        match &hand.warehouse.repeat {
            Repeat::HonoursKey => Ok(Verdict::SendAgain("the warehouse honours our key")),
            Repeat::Cannot => Ok(Verdict::Unknowable),
            Repeat::RefusesDuplicates(lookup) | Repeat::CanBeAsked { lookup, .. } => {
                let limit = hand.warehouse.limits.reference;
                let reference = reference(&hand.record.key, hand.record.revision, limit)
                    .map_err(|e| Failure::permanent("look up order", e.to_string()))?;
                let found = self.find(&hand.record.key, &reference, lookup.as_ref()).await?;
                Ok(found.map_or(Verdict::SendAgain("the warehouse does not have it"), Verdict::There))
            }
        }
    }

    /// Asks the warehouse, but not for ever.
    pub(crate) async fn find(
        &self,
        key: &OrderKey,
        reference: &Reference,
        lookup: &dyn OrderLookup,
    ) -> Result<Option<WarehouseOrder>, Failure> {
        let asked = self.within(self.pace.send_within, lookup.find(reference)).await;
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
