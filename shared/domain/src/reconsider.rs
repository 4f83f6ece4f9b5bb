//! Looking at a known order again, with what the store says now: paid at last, cured, changed, or taken back.

use crate::admission::{Admission, look_again};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ids::Reference;
use crate::intake::{Intake, body_of, expires, judge};
use crate::life::Step;
use crate::message::Message;
use crate::order::Order;
use crate::policy::{Changed, Policies};
use crate::ports::{Partners, Read, Saved};
use crate::record::{Cause, Record, Stage};
use crate::warehouse::{Cancellation, OrderCancellation, Warehouse};

/// What came of looking again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The record as it is now.
    pub record: Record,
    /// What to put on the queue.
    pub push: Option<Message>,
}

impl Intake<'_> {
    /// Decides anew about a known order from what READ gives now, and writes what has changed. An order that the
    /// warehouse has, or may have, is never decided anew: it is cancelled there, or a person is told.
    ///
    /// # Errors
    /// Those of the ledger and, for a cancellation, of the warehouse.
    pub async fn reconsider(
        &self,
        connection: &Connection,
        record: Record,
        read: &Read,
        partners: &dyn Partners,
    ) -> Result<Looked, Failure> {
        if record.may_be_there() {
            return self.recall(connection, record, read, partners).await;
        }
        if !matches!(
            record.stage,
            Stage::Waiting(_) | Stage::Held(_) | Stage::Ready { .. } | Stage::Excluded(_)
        ) {
            return Ok(Looked { record, push: None });
        }
        let now = self.clock.now();
        let order = body_of(read);
        let digest = order.map(Order::digest);
        let admission = self.still_held(&record, order).unwrap_or_else(|| {
            let says = judge(read, &connection.policies, record.imported_at, now);
            withdrawn(&record, record.ruled(says, order, now))
        });
        if let Some(order) = order.filter(|_| admission == Admission::Ready || digest != record.digest) {
            self.ledger.revise(&record.key, order, expires(connection, now)).await?;
        }
        if admission.stage() == record.stage && record.wake.is_some_and(|wake| wake > now) {
            return Ok(Looked { push: forward_if_ready(&record), record });
        }
        self.write(record, Step::Admit(admission, digest)).await
    }

    /// A cause that only a person or a change of the order cures stays until the order is another one.
    fn still_held(&self, record: &Record, order: Option<&Order>) -> Option<Admission> {
        let same = order.is_some_and(|order| record.digest.as_ref() == Some(&order.digest()));
        let Stage::Held(cause) = &record.stage else { return None };
        let for_a_person = matches!(cause, Cause::Refused(_) | Cause::TooLong(_));
        let unmapped = matches!(cause, Cause::Unmapped(_));
        let taken_back = order.is_some_and(|order| order.payment.is_taken_back());
        let again = look_again(record.since, self.clock.now(), Policies::days(1));
        (same && (for_a_person || unmapped) && !taken_back).then(|| Admission::Hold(cause.clone(), again))
    }

    /// Takes the step and writes it. Who loses the race leaves it to the winner.
    async fn write(&self, record: Record, step: Step) -> Result<Looked, Failure> {
        let Ok(next) = record.step(step, self.stamp()) else { return Ok(Looked { record, push: None }) };
        match self.ledger.save(&record, &next).await? {
            Saved::Done => Ok(Looked { push: forward_if_ready(&next), record: next }),
            Saved::Conflict(current) => {
                Ok(Looked { record: current.map_or(record, |current| *current), push: None })
            }
        }
    }

    /// An order that the warehouse has: taken back in the store, or changed there? What was taken back is written down
    /// before the warehouse is asked: should its answer get lost, the next look asks again, without the store.
    async fn recall(
        &self,
        connection: &Connection,
        mut record: Record,
        read: &Read,
        partners: &dyn Partners,
    ) -> Result<Looked, Failure> {
        let order = body_of(read).filter(|_| is_at_warehouse(&record));
        let order = order.filter(|order| !(record.kept && order.payment.is_taken_back()));
        if let Some(order) = order.filter(|order| order.payment.is_taken_back()) {
            record = self
                .write(record, Step::Recall(format!("{} in the store", order.payment.word())))
                .await?
                .record;
        }
        match order {
            _ if record.recall.is_some() => self.take_back(connection, record, partners).await,
            _ if record.replace && is_at_warehouse(&record) => {
                self.replace(connection, record, read, partners).await
            }
            Some(order) if !order.payment.is_taken_back() && is_another(order, &record) => {
                self.replace(connection, record, read, partners).await
            }
            _ => Ok(Looked { record, push: None }),
        }
    }

    /// An order that is another one than the one that was sent. Where the connection wants it and the warehouse cancels, the
    /// changed one takes its place, decided on anew; else a person is told. The wish is written down before the warehouse
    /// is asked: whoever comes after a lost answer asks again, even if the order is by then what it was at first.
    async fn replace(
        &self,
        connection: &Connection,
        mut record: Record,
        read: &Read,
        partners: &dyn Partners,
    ) -> Result<Looked, Failure> {
        let warehouse = partners.warehouse(connection).await?;
        if !record.replace {
            let wanted = connection.policies.changed == Changed::Replace && warehouse.cancel.is_some();
            let step = match wanted && record.may_be_replaced() {
                true => Step::Replace,
                false => Step::Flag(Cause::ChangedAfterSending),
            };
            record = self.write(record, step).await?.record;
        }
        if !record.replace {
            return Ok(Looked { record, push: None });
        }
        let step = match refusal(&record, &warehouse).await? {
            Some(why) => Step::NotReplaced(why),
            None => self.replaced(connection, &record, read).await?,
        };
        self.write(record, step).await
    }

    /// The warehouse has cancelled what it had: what the store shows by now is decided on as a new order would be.
    async fn replaced(&self, connection: &Connection, record: &Record, read: &Read) -> Result<Step, Failure> {
        let (now, order) = (self.clock.now(), body_of(read));
        let says = judge(read, &connection.policies, record.imported_at, now);
        if let Some(order) = order {
            self.ledger.revise(&record.key, order, expires(connection, now)).await?;
        }
        Ok(Step::Replaced(record.ruled(says, order, now), order.map(Order::digest)))
    }

    /// Has the warehouse cancel an order whose record says that it is to be taken back.
    ///
    /// # Errors
    /// Those of the ledger and of the warehouse; the wish stays in the record.
    pub async fn take_back(
        &self,
        connection: &Connection,
        record: Record,
        partners: &dyn Partners,
    ) -> Result<Looked, Failure> {
        let Some(status) = record.recall.as_deref().filter(|_| is_at_warehouse(&record)) else {
            return Ok(Looked { record, push: None });
        };
        let warehouse = partners.warehouse(connection).await?;
        let step = cancel(&record, status, &warehouse).await?;
        self.write(record, step).await
    }
}

/// Is it another order than the one that was sent?
fn is_another(order: &Order, record: &Record) -> bool {
    record.digest.as_ref().is_some_and(|digest| *digest != order.digest())
}

/// Does the warehouse have it, and has not all of it left?
fn is_at_warehouse(record: &Record) -> bool {
    matches!(record.stage, Stage::Accepted | Stage::PartlyShipped)
}

/// An order that was to be sent and is now not paid any more was cancelled; it was not excluded from the start.
#[must_use]
pub fn withdrawn(record: &Record, admission: Admission) -> Admission {
    match (&record.stage, admission) {
        (Stage::Ready { .. }, Admission::Exclude(_)) => Admission::Cancel,
        (_, admission) => admission,
    }
}

/// Why the warehouse has not cancelled what it has of a changed order; none when it has.
async fn refusal(record: &Record, warehouse: &Warehouse) -> Result<Option<String>, Failure> {
    let Some(desk) = &warehouse.cancel else {
        return Ok(Some(format!("{} cannot cancel", warehouse.name)));
    };
    if !record.packages.is_empty() {
        return Ok(Some("a package has left".to_owned()));
    }
    Ok(match ask_to_cancel(desk.as_ref(), record, warehouse).await? {
        Cancellation::Cancelled => None,
        Cancellation::Refused(why) => Some(format!("the warehouse did not cancel it: {why}")),
    })
}

/// Asks for the cancellation. Many a warehouse refuses what it has cancelled already, when the answer was lost the first time: a
/// refusal is held against what it has, where it can be asked. What can never succeed is a refusal as well.
async fn ask_to_cancel(
    desk: &dyn OrderCancellation,
    record: &Record,
    warehouse: &Warehouse,
) -> Result<Cancellation, Failure> {
    let reference = sent_as(record, warehouse)?;
    let told = match desk.cancel(&reference, record.warehouse_order.as_ref()).await {
        Err(failure) if !failure.is_retryable() => Cancellation::Refused(failure.to_string()),
        told => told?,
    };
    let (Cancellation::Refused(_), Some(lookup)) = (&told, warehouse.repeat.lookup()) else {
        return Ok(told);
    };
    let found = match lookup.find(&reference).await {
        Err(failure) if !failure.is_retryable() => return Ok(told),
        found => found?,
    };
    Ok(if found.is_some_and(|found| found.cancelled) { Cancellation::Cancelled } else { told })
}

/// The reference under which the warehouse has it.
fn sent_as(record: &Record, warehouse: &Warehouse) -> Result<Reference, Failure> {
    crate::fulfillment::reference(&record.key, record.revision, warehouse.limits.reference)
        .map_err(|e| Failure::permanent("cancel order", e.to_string()))
}

fn forward_if_ready(record: &Record) -> Option<Message> {
    matches!(record.stage, Stage::Ready { .. }).then(|| Message::forward(&record.key))
}

/// Asks the warehouse to cancel an order that is `status` (refunded in the store, for instance). Gives the step to take: cancelled, or held for a
/// person where the warehouse cannot or does not want to.
///
/// # Errors
/// Those of the warehouse; nothing is known then.
pub async fn cancel(record: &Record, status: &str, warehouse: &Warehouse) -> Result<Step, Failure> {
    let Some(desk) = &warehouse.cancel else {
        return Ok(Step::Flag(Cause::NotCancelled(format!(
            "{} cannot cancel; the order is {status}",
            warehouse.name
        ))));
    };
    Ok(match ask_to_cancel(desk.as_ref(), record, warehouse).await? {
        Cancellation::Cancelled => Step::Cancel(format!("{status}, and cancelled by the warehouse")),
        Cancellation::Refused(why) => Step::Flag(Cause::NotCancelled(why)),
    })
}
