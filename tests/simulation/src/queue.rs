//! The queues behind the ports: at least once, out of order, late, and now and then not at all.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::Failure;
use domain::message::Message;
use domain::ports::{DeadLetter, Delivery, Incoming, Outgoing};

use crate::executor::Time;
use crate::net::{Net, System};

/// How long a delivered message stays invisible, in milliseconds.
const VISIBILITY: u64 = 120_000;

/// A message becomes a dead letter after so many deliveries.
const MAX_RECEIVE: u32 = 5;

#[derive(Debug, Clone)]
struct Held {
    id: u64,
    body: String,
    count: u32,
    visible_at: u64,
}

#[derive(Debug, Default)]
struct Content {
    sent: u64,
    messages: Vec<Held>,
    dead: Vec<String>,
}

/// A queue.
#[derive(Clone)]
pub struct Queue {
    content: Arc<Mutex<Content>>,
    net: Net,
    time: Time,
    /// So many messages in a thousand are delivered twice, and so many vanish.
    mischief: (u64, u64),
}

impl Queue {
    /// An empty queue that repeats and loses so many messages in a thousand.
    #[must_use]
    pub fn new(net: Net, time: Time, repeats: u64, losses: u64) -> Self {
        Self { content: Arc::default(), net, time, mischief: (repeats, losses) }
    }

    fn content(&self) -> std::sync::MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.content().messages.is_empty()
    }

    /// When the next message can be delivered.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        self.content().messages.iter().map(|held| held.visible_at).min()
    }

    /// The dead letters so far.
    #[must_use]
    pub fn dead(&self) -> Vec<String> {
        self.content().dead.clone()
    }

    /// What can be delivered now, at most ten.
    #[must_use]
    pub fn take(&self) -> Vec<Delivery> {
        let now = self.time.millis();
        let mut content = self.content();
        let mut dead = Vec::new();
        content.messages.retain(|held| {
            let over = held.visible_at <= now && held.count >= MAX_RECEIVE;
            if over {
                dead.push(held.body.clone());
            }
            !over
        });
        content.dead.extend(dead);
        let visible = content.messages.iter_mut().filter(|held| held.visible_at <= now).take(10);
        visible
            .map(|held| {
                held.count += 1;
                held.visible_at = now + VISIBILITY;
                let id = held.id.to_string();
                Delivery { receipt: id.clone(), id, body: held.body.clone(), count: held.count }
            })
            .collect()
    }

    /// Deletes what was handled.
    pub fn done(&self, handled: &[Delivery]) {
        let ids: Vec<u64> = handled.iter().filter_map(|delivery| delivery.id.parse().ok()).collect();
        self.content().messages.retain(|held| !ids.contains(&held.id));
    }
}

#[async_trait]
impl Outgoing for Queue {
    async fn send(&self, messages: &[Message]) -> Result<(), Failure> {
        const WHAT: &str = "queue: send";
        if messages.is_empty() {
            return Ok(());
        }
        let bodies: Vec<String> = messages.iter().map(Message::encode).collect();
        let (content, time, (repeats, losses)) = (self.content.clone(), self.time.clone(), self.mischief);
        let answer = self.net.effect(System::Queue, WHAT, || format!("{bodies:?}"), {
            let bodies = bodies.clone();
            move || {
                let mut content = content.lock().unwrap_or_else(PoisonError::into_inner);
                for body in bodies {
                    let copies = match time.below(1000) {
                        chance if chance < losses => 0,
                        chance if chance < losses + repeats => 2,
                        _ => 1,
                    };
                    for _ in 0..copies {
                        content.sent += 1;
                        let delay = if time.below(20) == 0 { time.below(300_000) } else { time.below(50) };
                        let held = Held {
                            id: content.sent,
                            body: body.clone(),
                            count: 0,
                            visible_at: time.millis() + delay,
                        };
                        content.messages.push(held);
                    }
                }
            }
        });
        answer.await.map_err(|gone| Failure::retryable(WHAT, format!("{gone:?}")))
    }
}

#[async_trait]
impl Incoming for Queue {
    async fn receive(&self, _: u32, _: Duration) -> Result<Vec<Delivery>, Failure> {
        Ok(self.take())
    }

    async fn delete(&self, delivery: &Delivery) -> Result<(), Failure> {
        self.done(std::slice::from_ref(delivery));
        Ok(())
    }

    async fn delay(&self, delivery: &Delivery, wait: Duration) -> Result<(), Failure> {
        let at = self.time.millis() + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX / 4);
        if let Some(held) = self.content().messages.iter_mut().find(|held| held.id.to_string() == delivery.id)
        {
            held.visible_at = at;
        }
        Ok(())
    }

    async fn dead_letter(&self, letter: &DeadLetter) -> Result<(), Failure> {
        self.content().dead.push(format!("{}: {}", letter.kind, letter.reason));
        Ok(())
    }
}
