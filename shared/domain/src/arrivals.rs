//! A package has left: written into its order's record once, however often and in whatever order we hear of it.

use sha2::{Digest, Sha256};

use crate::admission::Admission;
use crate::failure::Failure;
use crate::fulfillment::named;
use crate::ids::{ConnectionId, OrderKey, Reference};
use crate::intake::Intake;
use crate::life::{Step, later};
use crate::message::Message;
use crate::policy::Policies;
use crate::ports::{Parked, Saved};
use crate::record::{Cause, Record};
use crate::shipment::{Package, ShipmentNotice};

/// How often a record that others keep changing is tried again.
const TRIES: u32 = 8;

/// Days that a notice which we cannot place is kept for a person.
const PARKED_DAYS: u32 = 30;

impl Intake<'_> {
    /// Writes a notice into its order's record, and says what to put on the queue. A notice for an order that we do not
    /// know is parked where people see it.
    ///
    /// # Errors
    /// Those of the ledger; retryable when others keep changing the record.
    pub async fn arrive(
        &self,
        connection: &ConnectionId,
        notice: &ShipmentNotice,
    ) -> Result<Option<Message>, Failure> {
        let Some((order, revision)) = named(&notice.reference, connection) else {
            return self.park_stranger(connection, notice, "its reference is none of ours").await;
        };
        let key = OrderKey::new(connection.clone(), order);
        let mut known = self.ledger.load(&key, false).await?;
        if known.is_none() {
            known = self.ledger.load(&key, true).await?;
        }
        let Some(mut record) = known else {
            return self.park_stranger(connection, notice, "no such order is in the ledger").await;
        };
        let package = Package::from_notice(notice, self.clock.now());
        for _ in 0..TRIES {
            if record.knows(&package) {
                return Ok(post_if_due(&record));
            }
            if revision < record.revision {
                if !notice.voided
                    && let Some(next) = self.told_of_earlier(&record, notice)
                {
                    match self.ledger.save(&record, &next).await? {
                        Saved::Done => {}
                        Saved::Conflict(Some(current)) => {
                            record = *current;
                            continue;
                        }
                        Saved::Conflict(None) => break,
                    }
                }
                return self.earlier(connection, notice).await;
            }
            let Ok(mut next) = record.step(Step::Ship(package.clone()), self.stamp()) else {
                return Ok(None);
            };
            if revision > record.revision {
                // A ledger that was lost has sent it anew.
                (next.revision, next.warehouse_order) = (revision, None);
            }
            // The answer to the create may be lost for ever; the notice names the warehouse's order as well.
            next.warehouse_order = next.warehouse_order.or_else(|| notice.warehouse_order.clone());
            match self.ledger.save(&record, &next).await? {
                Saved::Done => return Ok(post_if_due(&next)),
                Saved::Conflict(Some(current)) => record = *current,
                Saved::Conflict(None) => break,
            }
        }
        Err(Failure::retryable("record shipment", format!("order {key} is being changed by others")))
    }

    /// The order as it is held, because a package of what it was sent as before has left although that was cancelled: another one
    /// would be a second parcel. None where a person has settled that already, or where it is too late to hold it.
    fn told_of_earlier(&self, record: &Record, notice: &ShipmentNotice) -> Option<Record> {
        let why = format!("package {} left under its earlier reference {}", notice.package, notice.reference);
        let cause = Cause::NotCancelled(why);
        let step = match record.may_be_there() {
            true => Step::Flag(cause),
            false => Step::Admit(Admission::Hold(cause, later(self.clock.now(), Policies::days(1))), None),
        };
        record.step(step, self.stamp()).ok().filter(|_| !record.kept)
    }

    /// A package of what the warehouse had before the order was sent anew: it says nothing of what it has now. That it was taken
    /// back is as it should be; that it left although it was cancelled is for a person.
    async fn earlier(
        &self,
        connection: &ConnectionId,
        notice: &ShipmentNotice,
    ) -> Result<Option<Message>, Failure> {
        if notice.voided {
            return Ok(None);
        }
        self.park_stranger(connection, notice, "its order was cancelled and has a later reference by now")
            .await
    }

    async fn park_stranger(
        &self,
        connection: &ConnectionId,
        notice: &ShipmentNotice,
        why: &str,
    ) -> Result<Option<Message>, Failure> {
        let raw = format!("reference {}, package {}", notice.reference, notice.package);
        let id = format!("{}#{}", notice.reference, notice.package);
        self.park(connection, id, format!("a shipment notice: {why}"), raw.into_bytes()).await?;
        Ok(None)
    }

    /// Keeps what cannot be read or placed, for a person.
    ///
    /// # Errors
    /// Those of the ledger.
    pub async fn park(
        &self,
        connection: &ConnectionId,
        id: String,
        why: String,
        raw: Vec<u8>,
    ) -> Result<(), Failure> {
        let at = self.clock.now();
        let parked = Parked { id, at, why, raw };
        self.ledger.park(connection, &parked, later(at, Policies::days(PARKED_DAYS))).await
    }
}

/// A name for what cannot be read, the same for the same bytes: what is sent again is parked once.
#[must_use]
pub fn name_of(raw: &[u8]) -> String {
    Sha256::digest(raw).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The message that makes somebody ask the warehouse about an order.
#[must_use]
pub fn reread(connection: &ConnectionId, reference: Reference) -> Message {
    Message::Reread { connection: connection.clone(), reference }
}

fn post_if_due(record: &Record) -> Option<Message> {
    record.due_posts().next().map(|_| Message::post(&record.key))
}
