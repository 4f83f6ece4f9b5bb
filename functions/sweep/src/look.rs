//! A look at one order: what does it need, and when does it need the next look?

use std::time::Duration;

use domain::arrivals::reread;
use domain::fulfillment::reference;
use domain::intake::{body_of, expires, judge};
use domain::life::{Pace, Stamp, Step, later};
use domain::message::Message;
use domain::order::Order;
use domain::policy::Policies;
use domain::ports::Saved;
use domain::record::{Cause, Record, Stage};
use domain::shipment::{Package, Post};
use domain::{Failure, OrderId};
use jiff::Timestamp;

use crate::{Look, Looking, NAME};

/// A message that got lost is made up for within this time, however long its order has waited before.
const LONGEST_PATIENCE: Duration = Duration::from_secs(30 * 60);

/// What can be put on a queue for an order as it stands, without asking anybody.
pub(crate) fn queued(record: &Record, now: Timestamp, pace: &Pace) -> Look {
    let start = match &record.stage {
        Stage::Ready { not_before } => Some(not_before.unwrap_or(now)),
        Stage::Sending(claim) => Some(claim.until),
        Stage::InDoubt { ask_at } => Some(*ask_at),
        _ => None,
    };
    match start {
        Some(start) if start <= now => Look {
            forward: Some(Message::forward(&record.key)),
            next: Some(later(now, pace.grace)),
            ..Look::default()
        },
        Some(start) => Look::again(start),
        None => posts(record, now, pace),
    }
}

/// The tracking that somebody must still post.
fn posts(record: &Record, now: Timestamp, pace: &Pace) -> Look {
    let free = record.due_posts().any(|package| package.is_free(now));
    let claimed = record.due_posts().filter_map(claim_end).min();
    match (free, claimed) {
        (true, _) => Look {
            post: Some(Message::post(&record.key)),
            next: Some(later(now, patience(record, now, pace))),
            ..Look::default()
        },
        (false, Some(until)) => Look::again(until),
        (false, None) => Look::again(pace.watch_at(now, record.imported_at)),
    }
}

/// How long a message may take before another one is put beside it. Half as long as the youngest package has been waiting
/// already: when more is due than the store takes, a fixed time would fill the queue with messages that say the same.
fn patience(record: &Record, now: Timestamp, pace: &Pace) -> Duration {
    let left = record.due_posts().map(|package| package.shipped_at).max();
    let due_since = left.map_or(record.since, |left| left.max(record.since));
    let waiting = Duration::try_from(now.duration_since(due_since)).unwrap_or_default();
    (waiting / 2).min(LONGEST_PATIENCE).max(pace.grace)
}

/// When the last attempt at a package of this order ends; none when nobody is at work on any.
pub(crate) fn last_claim(record: &Record) -> Option<Timestamp> {
    record.due_posts().filter_map(claim_end).max()
}

fn claim_end(package: &Package) -> Option<Timestamp> {
    match package.post {
        Post::Claimed { until, .. } => Some(until),
        _ => None,
    }
}

fn is_unmapped(record: &Record) -> bool {
    matches!(record.stage, Stage::Held(Cause::Unmapped(_)))
}

impl Looking<'_> {
    /// Takes in an order that is expected and is not in the ledger: whoever wanted to has died, or is very late. The
    /// ledger expects it again on `expected`: an insert whose answer is lost may land long after this look.
    pub(crate) async fn fetch(&self, order: OrderId, expected: Timestamp) -> Result<Look, Failure> {
        let read = self.store.orders.read(&order.to_string()).await?;
        let forward = self.intake().take_in(self.connection, order, &read, expected).await?;
        Ok(Look { forward, ..Look::default() })
    }

    /// Looks at one unfinished order.
    pub(crate) async fn look(&self, record: Record) -> Result<Look, Failure> {
        let now = self.sweep.clock.now();
        match &record.stage {
            Stage::Waiting(_) => self.read_again(record).await,
            Stage::Held(Cause::Unmapped(_)) => {
                let look = self.remap(record.clone()).await?;
                if look.forward.is_some() { Ok(look) } else { self.read_again(record).await }
            }
            // A person decides; what has left is posted all the same.
            Stage::Held(_) if record.may_be_there() => self.follow(&record).await,
            Stage::Held(_) => self.read_again(record).await,
            Stage::Accepted | Stage::PartlyShipped => self.watch(record).await,
            // Its tracking may stay in the outbox, and its other package's webhook may be lost.
            Stage::Shipped => self.follow(&record).await,
            _ => Ok(queued(&record, now, &self.sweep.pace)),
        }
    }

    /// Reads the order in the store and decides anew.
    async fn read_again(&self, record: Record) -> Result<Look, Failure> {
        let read = self.store.orders.read(&record.key.order.to_string()).await?;
        let looked =
            self.intake().reconsider(self.connection, record, &read, self.sweep.partners.as_ref()).await?;
        Ok(Look { forward: looked.push, next: self.next(&looked.record), ..Look::default() })
    }

    /// An order that the warehouse has: cancelled or changed in the store meanwhile? Is its tracking posted?
    async fn watch(&self, record: Record) -> Result<Look, Failure> {
        let now = self.sweep.clock.now();
        let mut look = self.follow(&record).await?;
        let watched = Policies::days(self.connection.policies.watch_days);
        if record.recall.is_some() {
            // What was begun is finished, whatever the store says by now.
            self.intake().take_back(self.connection, record, self.sweep.partners.as_ref()).await?;
        } else if record.replace || now.duration_since(record.imported_at).unsigned_abs() < watched {
            let read = self.read_again(record).await?;
            // The changed order, to be sent in the place of what the warehouse had.
            if read.forward.is_some() {
                look = read;
            }
        }
        Ok(look)
    }

    /// What has left of an order that the warehouse may have is posted. A webhook that got lost is made up for: by the feed,
    /// and where there is none, by asking about the order.
    async fn follow(&self, record: &Record) -> Result<Look, Failure> {
        let look = posts(record, self.sweep.clock.now(), &self.sweep.pace);
        if record.due_posts().next().is_some() {
            return Ok(look);
        }
        Ok(Look { post: self.ask_for_more(record).await?, ..look })
    }

    /// Has the warehouse asked what has left of an order, where no feed tells of it. An order that is done with is asked
    /// about as well, on the dates that are left of it: the webhook of another package may have got lost.
    pub(crate) async fn ask_for_more(&self, record: &Record) -> Result<Option<Message>, Failure> {
        let warehouse = self.sweep.partners.warehouse(self.connection).await?;
        if warehouse.notices.feed().is_some() || warehouse.shipments.is_none() {
            return Ok(None);
        }
        let reference = reference(&record.key, record.revision, warehouse.limits.reference)
            .map_err(|e| Failure::permanent("ask about shipments", e.to_string()))?;
        Ok(Some(reread(&self.connection.id, reference)))
    }

    /// Does the mapping translate a held order now? Then it is read once more, because its buyer may have been refunded
    /// while it was held, and decided anew. Nothing to forward: it is not released.
    pub(crate) async fn remap(&self, record: Record) -> Result<Look, Failure> {
        if !is_unmapped(&record) {
            return Ok(Look::default());
        }
        let Some((record, body)) = self.sweep.ledger.open(&record.key, true).await? else {
            return Ok(Look::default());
        };
        let mapping = self.sweep.mappings.current(&self.connection.id).await?;
        let translates = |order: &Order| mapping.resolve(order, &self.connection.policies).is_ok();
        if !is_unmapped(&record) || body.as_ref().is_some_and(|order| !translates(order)) {
            return Ok(Look::default());
        }
        let read = self.store.orders.read(&record.key.order.to_string()).await?;
        if body.is_none() && !body_of(&read).is_some_and(translates) {
            return Ok(Look::default());
        }
        let now = self.sweep.clock.now();
        let says = judge(&read, &self.connection.policies, record.imported_at, now);
        let admission = record.ruled(says, body_of(&read), now);
        if let Some(order) = body_of(&read) {
            self.sweep.ledger.revise(&record.key, order, expires(self.connection, now)).await?;
        }
        let stamp = Stamp { by: NAME, at: now, token: self.sweep.dice.token() };
        let Ok(next) = record.step(Step::Admit(admission, body_of(&read).map(Order::digest)), stamp) else {
            return Ok(Look::default());
        };
        Ok(match self.sweep.ledger.save(&record, &next).await? {
            Saved::Done => queued(&next, now, &self.sweep.pace),
            Saved::Conflict(_) => Look::default(),
        })
    }

    /// The next look at an order as it is now; none when it needs none, or has its own date. Who won a race against us
    /// may have left it on the date that is taken off now.
    fn next(&self, record: &Record) -> Option<Timestamp> {
        let now = self.sweep.clock.now();
        let has_a_date = record.wake.is_some_and(|wake| wake > now);
        (!record.is_finished() && !has_a_date).then(|| later(now, self.sweep.pace.grace))
    }
}
