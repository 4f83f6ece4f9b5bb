//! Taking an order of the store into the ledger: read, decided, written, and only then told to the queue.

use jiff::Timestamp;

use crate::admission::{Admission, decide, look_again};
use crate::connection::{Connection, History};
use crate::failure::Failure;
use crate::ids::{OrderId, OrderKey};
use crate::life::{Stamp, later};
use crate::message::Message;
use crate::order::Order;
use crate::policy::Policies;
use crate::ports::{Clock, Inserted, Ledger, Randomness, Read};
use crate::record::{Cause, Record, Stage};

/// What taking in needs: the ledger, the time, names for writes, and who is doing it.
#[derive(Clone, Copy)]
pub struct Intake<'a> {
    /// The truth.
    pub ledger: &'a dyn Ledger,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Names for writes.
    pub dice: &'a dyn Randomness,
    /// The use case, for the story.
    pub by: &'static str,
}

impl Intake<'_> {
    /// A stamp of now.
    #[must_use]
    pub fn stamp(&self) -> Stamp<'_> {
        Stamp { by: self.by, at: self.clock.now(), token: self.dice.token() }
    }

    /// Puts an order into the ledger that is not there yet, and says what to put on the queue for it. `expected` is the
    /// date on which the ledger already expects somebody to look at it.
    ///
    /// An order that is there already is left alone; when it is still to be sent it is put on the queue again, because
    /// whoever put it in may have died before the queue had it.
    ///
    /// # Errors
    /// Those of the ledger.
    pub async fn take_in(
        &self,
        connection: &Connection,
        order: OrderId,
        read: &Read,
        expected: Timestamp,
    ) -> Result<Option<Message>, Failure> {
        let key = OrderKey::new(connection.id.clone(), order);
        let stamp = self.stamp();
        let admission = admit(connection, read, stamp.at);
        let wake = admission.wake().unwrap_or(expected);
        if admission.wake().is_some() {
            self.ledger.expect(&connection.id, wake, &[order]).await?;
        }
        let body = body_of(read);
        let record = Record::imported(key.clone(), &admission, body.map(Order::digest), wake, stamp);
        let inserted = self.ledger.insert(&record, body, expires(connection, stamp.at)).await?;
        let stage = match inserted {
            Inserted::New => Some(record.stage),
            Inserted::Exists => self.ledger.load(&key, true).await?.map(|known| known.stage),
        };
        let to_do = matches!(stage, Some(Stage::Ready { .. } | Stage::InDoubt { .. }));
        Ok(to_do.then(|| Message::forward(&key)))
    }
}

/// The decision about an order that comes into the ledger at `now`.
#[must_use]
pub fn admit(connection: &Connection, read: &Read, now: Timestamp) -> Admission {
    let admission = judge(read, &connection.policies, now, now);
    if is_doubtful(connection, read, &admission, now) { Admission::AskFirst(now) } else { admission }
}

/// May an order that the ledger does not have been sent by an earlier ledger? What cannot be read tells no date: then it
/// depends on whether this ledger is still being filled.
fn is_doubtful(connection: &Connection, read: &Read, admission: &Admission, now: Timestamp) -> bool {
    let order = body_of(read);
    let undated = if matches!(connection.history, History::Known { .. }) { now } else { Timestamp::MIN };
    let placed = order.and_then(|order| order.ordered_at).unwrap_or(undated);
    placed < connection.history.doubtful_before() && admission.may_have_been_sent(order)
}

/// The decision about what READ gave.
#[must_use]
pub fn judge(read: &Read, policies: &Policies, since: Timestamp, now: Timestamp) -> Admission {
    let soon = look_again(since, now, Policies::days(1));
    match read {
        Read::Order(order) => decide(order, policies, since, now),
        Read::Absent => Admission::Hold(Cause::Vanished, soon),
        Read::Unreadable { why, .. } => Admission::Hold(Cause::Unreadable(why.clone()), soon),
    }
}

/// The order that READ gave, if it gave one.
#[must_use]
pub fn body_of(read: &Read) -> Option<&Order> {
    match read {
        Read::Order(order) => Some(order),
        Read::Absent | Read::Unreadable { .. } => None,
    }
}

/// When the personal data of an order that is written now expires.
#[must_use]
pub fn expires(connection: &Connection, now: Timestamp) -> Timestamp {
    later(now, Policies::days(connection.policies.retention_days))
}
