//! The queue loop: what becomes of each delivered message. Knows ports only; Lambda and one process share it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_trait::async_trait;
use domain::message::Message;
use domain::ports::{Clock, DeadLetter, Delivery, Incoming};
use domain::{Failure, Kind};
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::watch;

/// What a use case does with a message.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Does it. `count` says how often the message has been delivered, this time included.
    ///
    /// # Errors
    /// Retryable: the message comes again. Permanent or poison: it becomes a dead letter.
    async fn handle(&self, message: Message, count: u32) -> Result<(), Failure>;
}

/// Handles deliveries, all at once and each for itself: one that is unreadable, panics or takes longer than
/// `time_limit` does not touch the others. Returns the ids of those that must come again; the others may be deleted.
pub async fn deliver(
    handler: &dyn Handler,
    queue: &dyn Incoming,
    clock: &dyn Clock,
    deliveries: Vec<Delivery>,
    time_limit: Duration,
) -> Vec<String> {
    let each = deliveries.into_iter().map(async |delivery| {
        let done = deliver_one(handler, queue, clock, &delivery, time_limit).await;
        (!done).then_some(delivery.id)
    });
    join_all(each).await.into_iter().flatten().collect()
}

/// True when the message is done with, well or not.
async fn deliver_one(
    handler: &dyn Handler,
    queue: &dyn Incoming,
    clock: &dyn Clock,
    delivery: &Delivery,
    time_limit: Duration,
) -> bool {
    let (message, outcome) = match Message::decode(&delivery.body) {
        Ok(message) => {
            let outcome = attempt(handler, clock, message.clone(), delivery.count, time_limit).await;
            (Some(message), outcome)
        }
        Err(failure) => (None, Err(failure)),
    };
    let Err(failure) = outcome else { return true };
    report(delivery, message.as_ref(), &failure);
    settle(queue, delivery, message.as_ref(), &failure).await
}

async fn attempt(
    handler: &dyn Handler,
    clock: &dyn Clock,
    message: Message,
    count: u32,
    time_limit: Duration,
) -> Result<(), Failure> {
    const DURING: &str = "handle message";
    let work = AssertUnwindSafe(handler.handle(message, count)).catch_unwind();
    tokio::select! {
        biased;
        outcome = work => outcome.unwrap_or_else(|_| Err(Failure::poison(DURING, "the use case panicked"))),
        () = clock.sleep(time_limit) => {
            Err(Failure::retryable(DURING, format!("not done within {} ms", time_limit.as_millis())))
        }
    }
}

/// Delays what is worth another try, and puts a copy of the rest on the dead-letter queue. True when it is done with.
async fn settle(
    queue: &dyn Incoming,
    delivery: &Delivery,
    message: Option<&Message>,
    failure: &Failure,
) -> bool {
    let settled = match failure.kind {
        Kind::Retryable { after: None } => return false,
        Kind::Retryable { after: Some(wait) } => queue.delay(delivery, wait).await.map(|()| false),
        Kind::Permanent | Kind::Poison => {
            let letter = DeadLetter {
                body: delivery.body.clone(),
                kind: failure.kind.word().to_owned(),
                reason: failure.to_string(),
            };
            queue.dead_letter(&letter).await.map(|()| true)
        }
    };
    settled.unwrap_or_else(|failure| {
        report(delivery, message, &failure);
        false
    })
}

/// Logs a failure, once, where it is handled: ids and kind, never the body.
fn report(delivery: &Delivery, message: Option<&Message>, failure: &Failure) {
    let connection = message.map(|message| message.connection().as_str());
    let order = message.and_then(order_of);
    let (id, kind, during) = (delivery.id.as_str(), failure.kind.word(), failure.during);
    macro_rules! tell {
        ($level:ident) => {
            tracing::$level!(
                message.id = id,
                connection.id = connection,
                order.id = order,
                message.count = delivery.count,
                failure.kind = kind,
                failure.during = during,
                failure.source = source(failure),
                "message {id}: {failure}"
            )
        };
    }
    if failure.is_retryable() { tell!(warn) } else { tell!(error) }
}

fn order_of(message: &Message) -> Option<u64> {
    match message {
        Message::Forward { order, .. } | Message::Post { order, .. } => Some(order.0),
        Message::Reread { .. } | Message::Hint { .. } => None,
    }
}

fn source(failure: &Failure) -> Option<String> {
    std::error::Error::source(failure).map(ToString::to_string)
}

/// Messages in hand at most, in one process.
const IN_HAND: usize = 10;
/// How long to wait for a message before asking again.
const WAIT: Duration = Duration::from_secs(20);
/// How long to leave a queue alone that cannot be asked.
const PAUSE: Duration = Duration::from_secs(5);

/// Works off a queue until `stop` becomes true (or its sender is gone), then finishes what is in hand.
pub async fn work(
    handler: &dyn Handler,
    queue: &dyn Incoming,
    clock: &dyn Clock,
    time_limit: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let mut in_hand = FuturesUnordered::new();
    let mut stopped = std::pin::pin!(async move { stop.wait_for(|stop| *stop).await.map(|_| ()) });
    loop {
        // Kept over the completion of messages in hand: a question that is dropped may take its answer along.
        let free = IN_HAND.saturating_sub(in_hand.len());
        let mut asked = std::pin::pin!(receive(queue, clock, free));
        let got = loop {
            tokio::select! {
                biased;
                _ = &mut stopped => break None,
                Some(()) = in_hand.next(), if !in_hand.is_empty() => {
                    // Without a free place nothing was asked: ask now.
                    if free == 0 { break Some(Vec::new()) }
                }
                got = &mut asked, if free > 0 => break Some(got),
            }
        };
        let Some(got) = got else { break };
        in_hand.extend(got.into_iter().map(|delivery| work_off(handler, queue, clock, delivery, time_limit)));
    }
    while in_hand.next().await.is_some() {}
}

async fn receive(queue: &dyn Incoming, clock: &dyn Clock, free: usize) -> Vec<Delivery> {
    match queue.receive(u32::try_from(free).unwrap_or(1), WAIT).await {
        Ok(got) => got,
        Err(failure) => {
            let (kind, during) = (failure.kind.word(), failure.during);
            tracing::warn!(failure.kind = kind, failure.during = during, "queue: {failure}");
            clock.sleep(PAUSE).await;
            Vec::new()
        }
    }
}

async fn work_off(
    handler: &dyn Handler,
    queue: &dyn Incoming,
    clock: &dyn Clock,
    delivery: Delivery,
    time_limit: Duration,
) {
    if deliver_one(handler, queue, clock, &delivery, time_limit).await
        && let Err(failure) = queue.delete(&delivery).await
    {
        report(&delivery, None, &failure);
    }
}
