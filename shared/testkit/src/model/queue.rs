//! A queue in memory: at least once, in any order that the world likes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::Failure;
use domain::life::later;
use domain::message::Message;
use domain::ports::{Clock, DeadLetter, Delivery, Incoming, Outgoing};
use jiff::Timestamp;

use super::{Gate, World, inside};

/// The most messages that one call gives.
const TEN: usize = 10;

/// A queue in memory. Effects are called `queue.…`; the choice `next message` says which of those that are visible
/// comes next.
pub struct ModelQueue {
    gate: Gate,
    clock: Arc<dyn Clock>,
    visibility: Duration,
    max_receive: u32,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    messages: Vec<Queued>,
    dead: Vec<DeadLetter>,
    sent: usize,
    receipts: u64,
}

struct Queued {
    id: usize,
    body: String,
    count: u32,
    visible_at: Timestamp,
    receipt: String,
}

impl ModelQueue {
    /// An empty queue whose messages come again after `visibility`, `max_receive` times at most.
    #[must_use]
    pub fn new(world: Arc<dyn World>, clock: Arc<dyn Clock>, visibility: Duration, max_receive: u32) -> Self {
        Self { gate: Gate(world), clock, visibility, max_receive, inner: Mutex::default() }
    }

    /// What is on the queue, visible or not, past all fates.
    #[must_use]
    pub fn waiting(&self) -> Vec<Message> {
        inside(&self.inner).messages.iter().filter_map(|one| Message::decode(&one.body).ok()).collect()
    }

    /// Takes everything off the queue, as a process that dies with its queue does.
    pub fn take_all(&self) -> Vec<Message> {
        let all = self.waiting();
        inside(&self.inner).messages.clear();
        all
    }

    /// Takes all dead letters off, oldest first.
    #[must_use]
    pub fn take_dead(&self) -> Vec<DeadLetter> {
        std::mem::take(&mut inside(&self.inner).dead)
    }

    /// Puts a text on the queue, whatever it is.
    pub fn put_raw(&self, body: &str) {
        let visible_at = self.clock.now();
        let mut inner = inside(&self.inner);
        inner.sent += 1;
        let id = inner.sent;
        let body = body.to_owned();
        inner.messages.push(Queued { id, body, count: 0, visible_at, receipt: String::new() });
    }

    /// Some messages that are visible now.
    fn take(&self, max: usize) -> Vec<Delivery> {
        let now = self.clock.now();
        let mut inner = inside(&self.inner);
        inner.bury(now, self.max_receive);
        let mut given = Vec::new();
        while given.len() < max.min(TEN) {
            let visible: Vec<usize> = (0..inner.messages.len())
                .filter(|at| inner.messages.get(*at).is_some_and(|one| one.visible_at <= now))
                .collect();
            let Some(at) = visible.get(self.gate.choose("next message", visible.len())).copied() else {
                break;
            };
            given.extend(inner.deliver(at, later(now, self.visibility)));
        }
        given
    }

    fn change(&self, delivery: &Delivery, act: impl FnOnce(&mut Vec<Queued>, usize)) {
        let mut inner = inside(&self.inner);
        let found = inner.messages.iter().position(|one| one.receipt == delivery.receipt);
        if let Some(at) = found {
            act(&mut inner.messages, at);
        }
    }
}

impl Inner {
    /// What has been delivered often enough and is visible again becomes a dead letter.
    fn bury(&mut self, now: Timestamp, max_receive: u32) {
        let over = |one: &Queued| one.visible_at <= now && one.count >= max_receive;
        let (dead, alive) = std::mem::take(&mut self.messages).into_iter().partition(over);
        self.messages = alive;
        let reason = format!("delivered {max_receive} times");
        self.dead.extend(Vec::into_iter(dead).map(|one: Queued| DeadLetter {
            body: one.body,
            kind: "retryable".to_owned(),
            reason: reason.clone(),
        }));
    }

    fn deliver(&mut self, at: usize, visible_at: Timestamp) -> Option<Delivery> {
        self.receipts += 1;
        let one = self.messages.get_mut(at)?;
        one.count += 1;
        one.visible_at = visible_at;
        one.receipt = self.receipts.to_string();
        let (id, receipt) = (one.id.to_string(), one.receipt.clone());
        Some(Delivery { id, receipt, body: one.body.clone(), count: one.count })
    }
}

#[async_trait]
impl Outgoing for ModelQueue {
    async fn send(&self, messages: &[Message]) -> Result<(), Failure> {
        if messages.is_empty() {
            return Ok(());
        }
        let send = || messages.iter().for_each(|message| self.put_raw(&message.encode()));
        self.gate.through("queue.send", send).await
    }
}

#[async_trait]
impl Incoming for ModelQueue {
    async fn receive(&self, max: u32, wait: Duration) -> Result<Vec<Delivery>, Failure> {
        let max = usize::try_from(max).unwrap_or(TEN);
        let got = self.gate.through("queue.receive", || self.take(max)).await?;
        if !got.is_empty() || wait.is_zero() {
            return Ok(got);
        }
        self.clock.sleep(wait).await;
        Ok(self.take(max))
    }

    async fn delete(&self, delivery: &Delivery) -> Result<(), Failure> {
        let delete = || {
            self.change(delivery, |messages, at| {
                messages.remove(at);
            });
        };
        self.gate.through("queue.delete", delete).await
    }

    async fn delay(&self, delivery: &Delivery, wait: Duration) -> Result<(), Failure> {
        let visible_at = later(self.clock.now(), wait);
        let delay = || {
            self.change(delivery, |messages, at| {
                if let Some(one) = messages.get_mut(at) {
                    one.visible_at = visible_at;
                }
            });
        };
        self.gate.through("queue.delay", delay).await
    }

    async fn dead_letter(&self, letter: &DeadLetter) -> Result<(), Failure> {
        self.gate.through("queue.dead_letter", || inside(&self.inner).dead.push(letter.clone())).await
    }
}
