//! A queue in this process, with the manners of SQS: at least once, invisible for a while, counted, dead letters.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::life::later;
use domain::message::Message;
use domain::ports::{Clock, DeadLetter, Delivery, Incoming, Outgoing};
use domain::{Failure, Kind};
use jiff::Timestamp;
use tokio::sync::Notify;

/// Messages in one `receive` at most, as in SQS.
const MOST: u32 = 10;

/// How a queue treats its messages.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// How long a delivered message stays invisible to others.
    pub visibility: Duration,
    /// After so many deliveries it becomes a dead letter.
    pub max_receive: u32,
}

impl Default for Manners {
    fn default() -> Self {
        Self { visibility: Duration::from_secs(6 * 60), max_receive: 5 }
    }
}

/// The queue. Its content is lost with the process: the ledger refills it.
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    manners: Manners,
    content: Mutex<Content>,
    arrival: Notify,
}

#[derive(Default)]
struct Content {
    sent: u64,
    messages: VecDeque<Held>,
    dead: Vec<DeadLetter>,
}

struct Held {
    id: u64,
    body: String,
    count: u32,
    visible_at: Timestamp,
}

impl Held {
    fn receipt(&self) -> String {
        format!("{}:{}", self.id, self.count)
    }
}

impl MemoryQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, manners: Manners) -> Self {
        Self { clock, manners, content: Mutex::default(), arrival: Notify::new() }
    }

    /// How many messages are in it, invisible ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.content().messages.len()
    }

    /// Is it empty, with nothing in anybody's hands?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dead letters so far, oldest first.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.content().dead.clone()
    }

    /// Takes the dead letters off, oldest first.
    #[must_use]
    pub fn take_dead_letters(&self) -> Vec<DeadLetter> {
        std::mem::take(&mut self.content().dead)
    }

    /// Puts a text on the queue as it is, readable or not.
    pub fn push(&self, body: impl Into<String>) {
        let now = self.clock.now();
        let mut content = self.content();
        content.sent += 1;
        let held = Held { id: content.sent, body: body.into(), count: 0, visible_at: now };
        content.messages.push_back(held);
        drop(content);
        self.arrival.notify_waiters();
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up to `max` messages that are visible now; otherwise says when the next one will be.
    fn take(&self, max: u32) -> Result<Vec<Delivery>, Option<Timestamp>> {
        let now = self.clock.now();
        let hidden_until = later(now, self.manners.visibility);
        let mut content = self.content();
        content.bury(now, self.manners.max_receive);
        let taken: Vec<Delivery> = content
            .messages
            .iter_mut()
            .filter(|held| held.visible_at <= now)
            .take(max.min(MOST) as usize)
            .map(|held| held.deliver(hidden_until))
            .collect();
        if taken.is_empty() {
            return Err(content.messages.iter().map(|held| held.visible_at).min());
        }
        Ok(taken)
    }
}

impl Held {
    fn deliver(&mut self, hidden_until: Timestamp) -> Delivery {
        self.count += 1;
        self.visible_at = hidden_until;
        Delivery {
            id: self.id.to_string(),
            receipt: self.receipt(),
            body: self.body.clone(),
            count: self.count,
        }
    }
}

impl Content {
    /// Turns what was delivered often enough, and is visible again, into dead letters.
    fn bury(&mut self, now: Timestamp, max_receive: u32) {
        let worn_out = |held: &Held| held.visible_at <= now && held.count >= max_receive;
        if !self.messages.iter().any(worn_out) {
            return;
        }
        let all = std::mem::take(&mut self.messages);
        let (dead, alive): (VecDeque<Held>, _) = all.into_iter().partition(worn_out);
        self.messages = alive;
        self.dead.extend(dead.into_iter().map(|held| DeadLetter {
            reason: format!("delivered {} times without success", held.count),
            body: held.body,
            kind: Kind::Retryable { after: None }.word().to_owned(),
        }));
    }

    /// The message of a delivery, while that is the latest one.
    fn find(&mut self, delivery: &Delivery) -> Option<usize> {
        self.messages.iter().position(|held| held.receipt() == delivery.receipt)
    }
}

#[async_trait]
impl Outgoing for MemoryQueue {
    async fn send(&self, messages: &[Message]) -> Result<(), Failure> {
        messages.iter().for_each(|message| self.push(message.encode()));
        Ok(())
    }
}

#[async_trait]
impl Incoming for MemoryQueue {
    async fn receive(&self, max: u32, wait: Duration) -> Result<Vec<Delivery>, Failure> {
        let end = later(self.clock.now(), wait);
        loop {
            // Asked for before looking, so that nothing arrives in between unnoticed.
            let mut arrival = std::pin::pin!(self.arrival.notified());
            arrival.as_mut().enable();
            let next = match self.take(max) {
                Ok(taken) => return Ok(taken),
                Err(next) => next.map_or(end, |next| next.min(end)),
            };
            let now = self.clock.now();
            if now >= end {
                return Ok(Vec::new());
            }
            tokio::select! {
                () = arrival => {}
                () = self.clock.sleep(next.duration_since(now).unsigned_abs()) => {}
            }
        }
    }

    async fn delete(&self, delivery: &Delivery) -> Result<(), Failure> {
        let mut content = self.content();
        if let Some(index) = content.find(delivery) {
            content.messages.remove(index);
        }
        Ok(())
    }

    async fn delay(&self, delivery: &Delivery, wait: Duration) -> Result<(), Failure> {
        let visible_at = later(self.clock.now(), wait);
        let mut content = self.content();
        if let Some(index) = content.find(delivery)
            && let Some(held) = content.messages.get_mut(index)
        {
            held.visible_at = visible_at;
        }
        drop(content);
        self.arrival.notify_waiters();
        Ok(())
    }

    async fn dead_letter(&self, letter: &DeadLetter) -> Result<(), Failure> {
        self.content().dead.push(letter.clone());
        Ok(())
    }
}
