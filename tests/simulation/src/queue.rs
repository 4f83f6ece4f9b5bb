//! The queues behind the ports: at least once, out of order, late, and now and then not at all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::Failure;
use domain::message::Message;
use domain::ports::{DeadLetter, Delivery, Incoming, Outgoing};

use crate::build::{Build, is_newer};
use crate::coverage::{Fault, Sometimes};
use crate::net::{Net, System};
use crate::scene::CANARY;

/// How long a delivered message stays invisible, in milliseconds.
const VISIBILITY: u64 = 120_000;

/// A message becomes a dead letter after so many deliveries.
const MAX_RECEIVE: u32 = 5;

/// The longest time by which a message comes later than usual.
const LATE: u64 = 300_000;

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
    /// Dead letters that a person has not put back yet.
    dead: Vec<String>,
    /// All dead letters, with why where somebody said so.
    letters: Vec<String>,
}

impl Content {
    fn put(&mut self, body: String, visible_at: u64) {
        self.sent += 1;
        self.messages.push(Held { id: self.sent, body, count: 0, visible_at });
    }

    fn bury(&mut self, body: String, why: &str) {
        self.letters.push(format!("{body} ({why})"));
        self.dead.push(body);
    }
}

/// A queue.
#[derive(Clone)]
pub struct Queue {
    content: Arc<Mutex<Content>>,
    net: Net,
    /// The version of whoever uses it.
    build: Build,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(net: Net) -> Self {
        Self { content: Arc::default(), net, build: Build::default() }
    }

    /// The same queue, used by a process of this version.
    #[must_use]
    pub(crate) fn used_by(&self, build: Build) -> Self {
        Self { build, ..self.clone() }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
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

    /// The dead letters so far, those that were put back included.
    #[must_use]
    pub fn dead(&self) -> Vec<String> {
        self.content().letters.clone()
    }

    /// Is there a dead letter of this message, as whoever uses the queue writes it?
    pub(crate) fn has_buried(&self, body: &str) -> bool {
        let written = self.build.written(body.to_owned());
        self.content().letters.iter().any(|letter| letter.starts_with(&written))
    }

    /// Somebody puts in what nobody can read.
    pub fn poison(&self, body: &str) {
        let now = self.net.time().millis();
        self.content().put(body.to_owned(), now);
        self.net.watch().ring(now);
    }

    /// Has the next version written one of the dead letters that nobody has put back yet?
    pub(crate) fn needs_newer(&self) -> bool {
        self.content().dead.iter().any(|body| is_newer(body))
    }

    /// A person puts the dead letters back, each once.
    pub fn redrive(&self) {
        let now = self.net.time().millis();
        let mut content = self.content();
        for body in std::mem::take(&mut content.dead) {
            content.put(body, now);
            self.net.watch().sometimes(Sometimes::Redriven);
        }
        self.net.watch().ring(now);
    }

    /// What can be delivered now, at most ten.
    #[must_use]
    pub fn take(&self) -> Vec<Delivery> {
        let (now, watch) = (self.net.time().millis(), self.net.watch());
        let mut content = self.content();
        let mut over = Vec::new();
        content.messages.retain(|held| {
            let is_over = held.visible_at <= now && held.count >= MAX_RECEIVE;
            if is_over {
                over.push(held.body.clone());
            }
            !is_over
        });
        for body in over {
            watch.sometimes(Sometimes::DeadLetter);
            content.bury(body, "delivered too often");
        }
        let mut waiting = None;
        let mut taken = Vec::new();
        for held in &mut content.messages {
            if held.visible_at > now {
                waiting = waiting.or(Some(held.id));
                continue;
            }
            if taken.len() == 10 {
                break;
            }
            if held.count == 0 && waiting.is_some() {
                watch.fault(Fault::QueueReorders);
            }
            held.count += 1;
            held.visible_at = now + VISIBILITY;
            let id = held.id.to_string();
            let body = self.build.understood(&held.body, watch);
            taken.push(Delivery { receipt: id.clone(), id, body, count: held.count });
        }
        taken
    }

    /// Makes visible again what has been delivered once: it is delivered a second time.
    pub fn deliver_again(&self) {
        let now = self.net.time().millis();
        self.content()
            .messages
            .iter_mut()
            .filter(|held| held.count == 1)
            .for_each(|held| held.visible_at = now);
    }

    /// Deletes what was handled.
    pub fn done(&self, handled: &[Delivery]) {
        let ids: Vec<u64> = handled.iter().filter_map(|delivery| delivery.id.parse().ok()).collect();
        self.content().messages.retain(|held| !ids.contains(&held.id));
    }

    /// When the copies of a message that is sent now can be delivered: as a rule one, at once.
    fn copies(&self) -> Vec<u64> {
        let (now, watch) = (self.net.time().millis(), self.net.watch());
        if watch.strikes(Fault::QueueLoses) {
            return Vec::new();
        }
        let copies = if watch.strikes(Fault::QueueRepeats) { 2 } else { 1 };
        let delay = || if watch.strikes(Fault::QueueDelays) { watch.below(LATE) } else { watch.below(50) };
        (0..copies).map(|_| now + delay()).collect()
    }
}

#[async_trait]
impl Outgoing for Queue {
    async fn send(&self, messages: &[Message]) -> Result<(), Failure> {
        const WHAT: &str = "queue: send";
        if messages.is_empty() {
            return Ok(());
        }
        let bodies: Vec<String> =
            messages.iter().map(|message| self.build.written(message.encode())).collect();
        if bodies.iter().any(|body| body.contains(CANARY)) {
            self.net.watch().wrong(format!("I10 personal data on a queue: {bodies:?}"));
        }
        let me = self.clone();
        let about = bodies.clone();
        let answer = self.net.effect(
            System::Queue,
            WHAT,
            || format!("{about:?}"),
            move || {
                for body in bodies {
                    for at in me.copies() {
                        me.content().put(body.clone(), at);
                        me.net.watch().ring(at);
                    }
                }
            },
        );
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
        let at = self.net.time().millis() + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX / 4);
        if let Some(held) = self.content().messages.iter_mut().find(|held| held.id.to_string() == delivery.id)
        {
            held.visible_at = at;
        }
        self.net.watch().ring(at);
        Ok(())
    }

    async fn dead_letter(&self, letter: &DeadLetter) -> Result<(), Failure> {
        self.net.watch().sometimes(Sometimes::DeadLetter);
        let text = format!("{letter:?}");
        if text.contains(CANARY) {
            self.net.watch().wrong(format!("I10 personal data in a dead letter: {text}"));
        }
        if letter.reason.trim().is_empty() {
            self.net.watch().wrong(format!("I6 a dead letter without a reason: {text}"));
        }
        self.content().bury(self.build.written(letter.body.clone()), &letter.reason);
        Ok(())
    }
}
