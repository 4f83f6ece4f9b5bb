//! What stands between a queue and its function on AWS: receives batches, invokes, deletes what went well. What failed
//! stays until it becomes visible again, and is a dead letter after too many receives.

use std::sync::Arc;

use serde_json::Value;
use simulator::lambda::events;
use simulator::sqs::{Delivery, Sqs};
use tokio::task::JoinSet;

use super::dice::Dice;
use super::pool::{Counts, Pool, count};

/// How long to wait for the first message of a batch, in seconds.
const WAIT: u64 = 1;
/// Messages of a thousand that are delivered twice, to two processes at the same time.
const DOUBLES: u64 = 10;

/// One poller of one queue.
pub(super) struct Poller {
    pub(super) sqs: Arc<Sqs>,
    pub(super) queue: &'static str,
    pub(super) function: Arc<Pool>,
    pub(super) counts: Arc<Counts>,
    pub(super) dice: Dice,
}

impl Poller {
    /// Works until it is time to end, and finishes what is in hand.
    pub(super) async fn run(mut self) {
        let mut doubles = JoinSet::new();
        while !self.counts.is_over() {
            let batch = self.sqs.receive(self.queue, WAIT).await;
            if batch.is_empty() {
                continue;
            }
            let doubled: Vec<Delivery> =
                batch.iter().filter(|_| self.dice.per_mille(DOUBLES)).cloned().collect();
            if !doubled.is_empty() {
                doubled.iter().for_each(|_| count(&self.counts.doubles));
                let (function, event) = (Arc::clone(&self.function), event(self.queue, &doubled));
                // Nobody deletes or keeps anything by this answer.
                doubles.spawn(async move { drop(function.invoke(event).await) });
            }
            self.deliver(&batch).await;
            while doubles.try_join_next().is_some() {}
        }
        while doubles.join_next().await.is_some() {}
    }

    /// Hands over a batch. Where the invocation fails, all of it comes again.
    async fn deliver(&self, batch: &[Delivery]) {
        let Ok(answer) = self.function.invoke(event(self.queue, batch)).await else { return };
        let Some(failed) = answer["batchItemFailures"].as_array() else { return };
        let failed: Vec<&str> = failed.iter().filter_map(|one| one["itemIdentifier"].as_str()).collect();
        for delivery in batch.iter().filter(|delivery| !failed.contains(&delivery.id.as_str())) {
            self.sqs.delete(self.queue, delivery);
        }
    }
}

fn event(queue: &str, batch: &[Delivery]) -> Value {
    let messages: Vec<(&str, &str, u32)> =
        batch.iter().map(|one| (one.id.as_str(), one.body.as_str(), one.count)).collect();
    events::sqs_of(queue, &messages)
}
