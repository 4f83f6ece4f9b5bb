//! Posts the tracking of shipped packages to the store: each package at most once, and what the store shows comes first.

use std::sync::Arc;
use std::time::Duration;

use domain::carrier::TrackingNumber;
use domain::connection::Connection;
use domain::deadline::before;
use domain::intake::Intake;
use domain::life::{Pace, Stamp, Step, later};
use domain::ports::{
    Clock, Connections, Ledger, Outgoing, Partners, PostAnswer, Randomness, Saved, SinkMode, TrackingSink,
};
use domain::record::Record;
use domain::shipment::{Package, Post};
use domain::{ConnectionId, Failure, OrderKey, Reference};

/// How the story and the logs call this use case.
pub const NAME: &str = "write-tracking";

/// Deliveries of one message that the queue itself retries; a longer outage is waited out in the ledger.
const QUEUE_RETRIES: u32 = 3;

/// How often a record that others keep changing is tried again.
const TRIES: u32 = 8;

/// The use case with its ports.
#[derive(Clone)]
pub struct WriteTracking {
    /// Which connections there are.
    pub connections: Arc<dyn Connections>,
    /// Their stores and warehouses.
    pub partners: Arc<dyn Partners>,
    /// The truth.
    pub ledger: Arc<dyn Ledger>,
    /// The queue of tracking to post.
    pub shipments: Arc<dyn Outgoing>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Names for attempts.
    pub dice: Arc<dyn Randomness>,
    /// How long things may take.
    pub pace: Pace,
}

/// What came of trying to post one package.
enum Outcome {
    /// It is settled, one way or another.
    Settled(Post),
    /// It certainly did not happen; try again.
    NotPosted(Failure),
    /// It may have happened: nobody may try again before the claim has ended.
    Unclear(Failure),
}

impl WriteTracking {
    /// Asks the warehouse what it shipped under a reference, writes it down and posts it.
    ///
    /// # Errors
    /// Those of the warehouse and the ledger.
    pub async fn reread(&self, id: &ConnectionId, reference: &Reference) -> Result<(), Failure> {
        let Some(connection) = self.enabled(id).await? else { return Ok(()) };
        let warehouse = self.partners.warehouse(&connection).await?;
        // A warehouse that cannot be asked for one order has its feed polled instead.
        let Some(lookup) = &warehouse.shipments else { return Ok(()) };
        let intake = Intake {
            ledger: self.ledger.as_ref(),
            clock: self.clock.as_ref(),
            dice: self.dice.as_ref(),
            by: NAME,
        };
        let mut push = Vec::new();
        for notice in lookup.shipments(reference).await? {
            push.extend(intake.arrive(id, &notice).await?.filter(|message| !push.contains(message)));
        }
        self.shipments.send(&push).await
    }

    /// Posts what is due of one order. `count` is how often the queue has delivered the message.
    ///
    /// # Errors
    /// Retryable, when the message should come again soon. Whatever the outcome, the ledger knows when somebody looks
    /// at the order again.
    pub async fn post(&self, key: &OrderKey, count: u32) -> Result<(), Failure> {
        let Some(connection) = self.enabled(&key.connection).await? else { return Ok(()) };
        let Some(mut record) = self.ledger.load(key, false).await? else { return Ok(()) };
        let store = self.partners.store(&connection).await?;
        let mut outcome = Ok(());
        let due: Vec<Package> = record.due_posts().cloned().collect();
        self.wait_for_others(&record).await?;
        for package in due.iter().filter(|package| package.is_free(self.clock.now())) {
            match self.package(record, package, store.tracking.as_ref(), count).await? {
                (Some(next), posted) => {
                    record = next;
                    outcome = outcome.and(posted);
                }
                // Somebody else is at this order.
                (None, _) => return Ok(()),
            }
        }
        outcome
    }

    /// A package that another attempt has claimed is looked at again when the claim has ended: that attempt may have died.
    async fn wait_for_others(&self, record: &Record) -> Result<(), Failure> {
        let now = self.clock.now();
        let ends = record.due_posts().filter_map(|package| match package.post {
            Post::Claimed { until, .. } if until > now => Some(until),
            _ => None,
        });
        match ends.max() {
            Some(until) => self.ledger.expect(&record.key.connection, until, &[record.key.order]).await,
            None => Ok(()),
        }
    }

    async fn enabled(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        Ok(self.connections.get(id).await?.filter(Connection::runs))
    }

    /// Posts one package, and says how the record stands then (none: it is somebody else's) and whether the message
    /// should come again.
    async fn package(
        &self,
        record: Record,
        package: &Package,
        sink: &dyn TrackingSink,
        count: u32,
    ) -> Result<(Option<Record>, Result<(), Failure>), Failure> {
        match sink.mode().await? {
            SinkMode::Off => Ok((self.settle(&record, package, Post::NotNeeded, None).await?, Ok(()))),
            SinkMode::Outbox(why) => {
                Ok((self.settle(&record, package, Post::Outbox { why }, None).await?, Ok(())))
            }
            SinkMode::Api => self.through_api(record, package, sink, count).await,
        }
    }

    async fn through_api(
        &self,
        record: Record,
        package: &Package,
        sink: &dyn TrackingSink,
        count: u32,
    ) -> Result<(Option<Record>, Result<(), Failure>), Failure> {
        let until = later(self.clock.now(), self.pace.lease);
        let claim = Step::ClaimPost { package: package.id.clone(), until };
        let Some(record) = self.advance(&record, claim).await? else { return Ok((None, Ok(()))) };
        match self.try_post(&record, package, sink).await {
            Outcome::Settled(post) => Ok((self.settle(&record, package, post, None).await?, Ok(()))),
            Outcome::NotPosted(failure) => {
                let now = self.clock.now();
                let again = self.pace.retry_at(now, count, self.dice.token(), failure.wait());
                let wait = again.duration_since(now).unsigned_abs();
                let next = self.settle(&record, package, Post::Due, Some(again)).await?;
                Ok((next, if count < QUEUE_RETRIES { Err(failure.after(Some(wait))) } else { Ok(()) }))
            }
            // The claim stays, and the ledger has somebody look when it has ended: what the store shows comes first then.
            Outcome::Unclear(failure) => {
                let wait: Duration = self.pace.lease;
                self.ledger.expect(&record.key.connection, until, &[record.key.order]).await?;
                Ok((
                    Some(record),
                    if count < QUEUE_RETRIES { Err(failure.after(Some(wait))) } else { Ok(()) },
                ))
            }
        }
    }

    async fn try_post(&self, record: &Record, package: &Package, sink: &dyn TrackingSink) -> Outcome {
        let Some(tracking) = &package.tracking else { return Outcome::Settled(Post::NotNeeded) };
        let order = record.key.order;
        let claimed_at = record.story.last().map_or(self.clock.now(), |entry| entry.at);
        match sink.shown(order).await {
            Ok(shown) if shown.iter().any(|number| tracking.number.is(number)) => {
                return Outcome::Settled(Post::Posted);
            }
            Ok(_) => {}
            Err(failure) if failure.is_retryable() => return Outcome::NotPosted(failure),
            // The store has no such order any more, for instance: no further try will change that.
            Err(failure) => return Outcome::Settled(Post::Outbox { why: failure.message }),
        }
        let deadline = later(claimed_at, self.pace.send_within);
        if self.clock.now() >= deadline {
            return Outcome::NotPosted(Failure::retryable(
                "post tracking",
                "the process was held up before it could post",
            ));
        }
        let posted =
            before(self.clock.as_ref(), deadline, sink.post(order, tracking, package.shipped_at)).await;
        let late = || Err(Failure::retryable("post tracking", "the store did not answer in time"));
        match posted.unwrap_or_else(late) {
            Ok(PostAnswer::Taken) if !sink.verifies() => Outcome::Settled(Post::Posted),
            Ok(PostAnswer::Taken) => match sink.shown(order).await {
                Ok(shown) if shown.iter().any(|number| tracking.number.is(number)) => {
                    Outcome::Settled(Post::Posted)
                }
                Ok(_) => Outcome::Settled(Post::Outbox {
                    why: "the store took it and does not show it".to_owned(),
                }),
                Err(failure) => Outcome::Unclear(failure),
            },
            Ok(PostAnswer::Refused(reason)) => {
                Outcome::Settled(Post::Outbox { why: format!("the store refused it: {reason}") })
            }
            Err(failure) => Outcome::Unclear(failure),
        }
    }

    /// Writes down what became of a package. When the order has changed meanwhile, by the notice of another package
    /// for instance, it is written all the same as long as the package's post is still what it was in `record`: an
    /// outcome that is forgotten would be a second post.
    async fn settle(
        &self,
        record: &Record,
        package: &Package,
        post: Post,
        again: Option<jiff::Timestamp>,
    ) -> Result<Option<Record>, Failure> {
        let ours = post_of(record, package);
        let mut record = record.clone();
        for _ in 0..TRIES {
            let step = Step::SettlePost { package: package.id.clone(), post: post.clone(), again };
            let Ok(next) = record.step(step, self.stamp()) else { return Ok(None) };
            match self.ledger.save(&record, &next).await? {
                Saved::Done => return Ok(Some(next)),
                Saved::Conflict(Some(current)) if post_of(&current, package) == ours => record = *current,
                Saved::Conflict(_) => return Ok(None),
            }
        }
        Err(Failure::retryable("post tracking", format!("order {} is being changed by others", record.key)))
    }

    fn stamp(&self) -> Stamp<'static> {
        Stamp { by: NAME, at: self.clock.now(), token: self.dice.token() }
    }

    /// Takes a step and writes it. None: somebody else was faster.
    async fn advance(&self, record: &Record, step: Step) -> Result<Option<Record>, Failure> {
        let Ok(next) = record.step(step, self.stamp()) else { return Ok(None) };
        Ok(match self.ledger.save(record, &next).await? {
            Saved::Done => Some(next),
            Saved::Conflict(_) => None,
        })
    }
}

/// The post of a package and the number that it is about.
fn post_of(record: &Record, package: &Package) -> Option<(Post, Option<TrackingNumber>)> {
    let there = record.packages.iter().find(|there| there.id == package.id)?;
    Some((there.post.clone(), there.number().cloned()))
}
