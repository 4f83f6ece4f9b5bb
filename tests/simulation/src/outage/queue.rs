//! A standard queue with lanes: each message belongs to a group, and where fairness is on, the messages of quiet groups
//! come before those of noisy ones, by the rule that SQS has published for its fair queues.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::message::Message;
use domain::ports::{DeadLetter, Delivery, Incoming, Outgoing};
use domain::{ConnectionId, Failure};

use crate::executor::Time;
use crate::net::{Net, System};

/// How long a delivered message stays invisible, in milliseconds: as deployed.
const VISIBILITY: u64 = 6 * 60_000;

/// After so many deliveries a message becomes a dead letter: as deployed.
const MAX_RECEIVE: u32 = 5;

/// How long a message is kept, in milliseconds: four days.
const RETENTION: u64 = 4 * 86_400_000;

/// A group is noisy with more than a tenth of the messages in flight, and at least so many of its own.
const NOISY_IN_FLIGHT: usize = 30;

/// Processing time is remembered in buckets of a minute, five of them.
const MINUTE: u64 = 60_000;
const MINUTES: u64 = 5;

struct Held {
    group: ConnectionId,
    body: String,
    count: u32,
    sent_at: u64,
    /// When it was delivered, while it is in flight.
    taken_at: Option<u64>,
    /// Names the latest change of its visibility.
    turn: u64,
}

#[derive(Default)]
struct Group {
    /// What can be delivered, oldest first.
    visible: BTreeMap<u64, ()>,
    in_flight: usize,
    /// Processing time by minute.
    used: BTreeMap<u64, u64>,
}

impl Group {
    fn recent(&self, now: u64) -> u64 {
        self.used.range((now / MINUTE).saturating_sub(MINUTES)..).map(|(_, used)| used).sum()
    }
}

#[derive(Default)]
struct Content {
    next: u64,
    turns: u64,
    messages: HashMap<u64, Held>,
    groups: BTreeMap<ConnectionId, Group>,
    hidden: BinaryHeap<Reverse<(u64, u64, u64)>>,
    in_flight: usize,
    tally: Tally,
}

/// What a queue has seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Messages that were put in.
    pub sent: u64,
    /// Deliveries.
    pub delivered: u64,
    /// Messages that became dead letters, by themselves or by a use case.
    pub dead: u64,
    /// Messages that were lost by age.
    pub expired: u64,
    /// Requests to the queue.
    pub requests: u64,
}

/// The queue.
#[derive(Clone)]
pub struct LaneQueue {
    content: Arc<Mutex<Content>>,
    net: Net,
    time: Time,
    fair: bool,
}

impl LaneQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(net: Net, time: Time, fair: bool) -> Self {
        Self { content: Arc::default(), net, time, fair }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it has seen so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.content().tally
    }

    /// How many messages it holds, in flight or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.content().messages.len()
    }

    /// Is nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What can be delivered now, at most ten.
    #[must_use]
    pub fn take(&self) -> Vec<Delivery> {
        let now = self.time.millis();
        let mut content = self.content();
        content.reveal(now);
        content.tally.requests += 1;
        let fair = self.fair;
        let mut taken = Vec::new();
        while taken.len() < 10 {
            let Some(id) = content.choose(now, fair) else { break };
            taken.extend(content.deliver(id, now));
        }
        taken
    }

    /// What became of deliveries: those that are done with are deleted, the others come again by themselves.
    pub fn settle(&self, taken: &[Delivery], failed: &[String]) {
        let now = self.time.millis();
        let mut content = self.content();
        content.tally.requests += 1;
        for delivery in taken {
            let Ok(id) = delivery.id.parse() else { continue };
            content.account(id, now);
            if !failed.contains(&delivery.id) {
                content.remove(id);
            }
        }
    }
}

impl Content {
    /// Makes visible what was hidden until now.
    fn reveal(&mut self, now: u64) {
        while let Some(&Reverse((at, id, turn))) = self.hidden.peek() {
            if at > now {
                return;
            }
            self.hidden.pop();
            let Some(held) = self.messages.get_mut(&id).filter(|held| held.turn == turn) else { continue };
            let group = self.groups.entry(held.group.clone()).or_default();
            if held.taken_at.take().is_some() {
                group.in_flight -= 1;
                self.in_flight -= 1;
            }
            group.visible.insert(id, ());
        }
    }

    /// The message that comes next: the oldest of the quiet groups, or else the oldest of all.
    fn choose(&self, now: u64, fair: bool) -> Option<u64> {
        let total: u64 = if fair { self.groups.values().map(|group| group.recent(now)).sum() } else { 0 };
        let noisy = |group: &Group| {
            let crowds = group.in_flight >= NOISY_IN_FLIGHT && group.in_flight * 10 > self.in_flight;
            fair && (crowds || group.recent(now) * 10 > total)
        };
        let oldest = self.groups.values().filter_map(|group| {
            let first = *group.visible.keys().next()?;
            Some((noisy(group), first))
        });
        oldest.min().map(|(_, id)| id)
    }

    fn deliver(&mut self, id: u64, now: u64) -> Option<Delivery> {
        let held = self.messages.get_mut(&id)?;
        let group = self.groups.entry(held.group.clone()).or_default();
        group.visible.remove(&id);
        let worn_out = held.count >= MAX_RECEIVE;
        if worn_out || held.sent_at + RETENTION <= now {
            self.tally.dead += u64::from(worn_out);
            self.tally.expired += u64::from(!worn_out);
            self.messages.remove(&id);
            return None;
        }
        held.count += 1;
        held.taken_at = Some(now);
        group.in_flight += 1;
        self.in_flight += 1;
        self.tally.delivered += 1;
        let delivery = Delivery {
            id: id.to_string(),
            receipt: id.to_string(),
            body: held.body.clone(),
            count: held.count,
        };
        self.hide(id, now + VISIBILITY);
        Some(delivery)
    }

    fn hide(&mut self, id: u64, until: u64) {
        self.turns += 1;
        let turn = self.turns;
        if let Some(held) = self.messages.get_mut(&id) {
            held.turn = turn;
            self.hidden.push(Reverse((until, id, turn)));
        }
    }

    /// Counts the time for which a message was worked on.
    fn account(&mut self, id: u64, now: u64) {
        let Some(held) = self.messages.get(&id) else { return };
        let group = self.groups.entry(held.group.clone()).or_default();
        if let Some(taken_at) = held.taken_at {
            *group.used.entry(now / MINUTE).or_default() += now.saturating_sub(taken_at);
        }
        group.used = group.used.split_off(&(now / MINUTE).saturating_sub(MINUTES));
    }

    fn remove(&mut self, id: u64) {
        let Some(held) = self.messages.remove(&id) else { return };
        let group = self.groups.entry(held.group).or_default();
        group.visible.remove(&id);
        if held.taken_at.is_some() {
            group.in_flight -= 1;
            self.in_flight -= 1;
        }
    }

    fn put(&mut self, group: ConnectionId, body: String, now: u64) {
        self.next += 1;
        self.tally.sent += 1;
        let held = Held { group: group.clone(), body, count: 0, sent_at: now, taken_at: None, turn: 0 };
        self.messages.insert(self.next, held);
        self.groups.entry(group).or_default().visible.insert(self.next, ());
    }
}

#[async_trait]
impl Outgoing for LaneQueue {
    async fn send(&self, messages: &[Message]) -> Result<(), Failure> {
        const WHAT: &str = "queue: send";
        for ten in messages.chunks(10) {
            let bodies: Vec<(ConnectionId, String)> =
                ten.iter().map(|message| (message.connection().clone(), message.encode())).collect();
            let (content, time) = (self.content.clone(), self.time.clone());
            let sent = self.net.effect(System::Queue, WHAT, String::new, move || {
                let mut content = content.lock().unwrap_or_else(PoisonError::into_inner);
                content.tally.requests += 1;
                for (group, body) in bodies {
                    content.put(group, body, time.millis());
                }
            });
            sent.await.map_err(|gone| Failure::retryable(WHAT, format!("{gone:?}")))?;
        }
        Ok(())
    }
}

#[async_trait]
impl Incoming for LaneQueue {
    async fn receive(&self, _: u32, _: Duration) -> Result<Vec<Delivery>, Failure> {
        Ok(self.take())
    }

    async fn delete(&self, delivery: &Delivery) -> Result<(), Failure> {
        self.settle(std::slice::from_ref(delivery), &[]);
        Ok(())
    }

    async fn delay(&self, delivery: &Delivery, wait: Duration) -> Result<(), Failure> {
        let now = self.time.millis();
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX / 4);
        let mut content = self.content();
        content.tally.requests += 1;
        if let Ok(id) = delivery.id.parse() {
            content.hide(id, now + wait);
        }
        Ok(())
    }

    async fn dead_letter(&self, _: &DeadLetter) -> Result<(), Failure> {
        self.content().tally.dead += 1;
        Ok(())
    }
}
