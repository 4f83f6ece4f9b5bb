//! One queue: messages, their visibility, their receive counts.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::State;

/// A message as seen from the outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Peek {
    /// The service's id.
    pub id: String,
    /// The body.
    pub body: String,
    /// Message attributes as they were sent, null for none.
    pub attributes: Value,
    /// How often it was received.
    pub receive_count: u32,
    /// Hidden by a receiver or a delay?
    pub hidden: bool,
}

/// What somebody put on a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// The queue's name.
    pub queue: String,
    /// The body.
    pub body: String,
    /// Message attributes as they were sent, null for none.
    pub attributes: Value,
}

/// One delivery of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The service's id of the message.
    pub id: String,
    /// Names this delivery.
    pub receipt: String,
    /// The body.
    pub body: String,
    /// How often it was received, this time included.
    pub count: u32,
}

impl Delivery {
    pub(super) fn of(document: &Value) -> Self {
        let text = |pointer| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            id: text("/MessageId"),
            receipt: text("/ReceiptHandle"),
            body: text("/Body"),
            count: text("/Attributes/ApproximateReceiveCount").parse().unwrap_or(1),
        }
    }
}

#[derive(Debug, Clone)]
struct Message {
    number: u64,
    id: String,
    body: String,
    attributes: Value,
    sent_at: Timestamp,
    first_received_at: Option<Timestamp>,
    receive_count: u32,
    receipt: Option<String>,
}

/// When a message shows itself, and its number among all that were ever sent.
type Place = (Timestamp, u64);

/// A queue with its settings.
pub(super) struct Queue {
    messages: BTreeMap<Place, Message>,
    /// Where the message is that a receipt names.
    receipts: HashMap<String, Place>,
    pub(super) visibility: Duration,
    /// Name of the dead-letter queue, and after how many receives a message goes there.
    pub(super) dead_letters: Option<(String, u32)>,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            messages: BTreeMap::new(),
            receipts: HashMap::new(),
            visibility: Duration::from_secs(30),
            dead_letters: None,
        }
    }
}

/// What became of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receipt {
    /// It named a message in flight.
    Known,
    /// It is of an earlier receive, or its message is gone: nothing happens.
    Outdated,
    /// It was never given.
    Invalid,
}

impl Queue {
    pub(super) fn peek(&self, now: Timestamp) -> Vec<Peek> {
        let mut messages: Vec<_> = self.messages.iter().collect();
        messages.sort_by_key(|(_, message)| message.number);
        let peek = |((visible_at, _), message): (&Place, &Message)| Peek {
            id: message.id.clone(),
            body: message.body.clone(),
            attributes: message.attributes.clone(),
            receive_count: message.receive_count,
            hidden: *visible_at > now,
        };
        messages.into_iter().map(peek).collect()
    }

    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.receipts.clear();
    }

    pub(super) fn make_visible(&mut self, now: Timestamp) {
        for message in std::mem::take(&mut self.messages).into_values() {
            self.put(now, message);
        }
    }

    /// Visible, in flight, delayed.
    pub(super) fn sizes(&self, now: Timestamp) -> (usize, usize, usize) {
        let hidden = self.messages.range((now, u64::MAX)..);
        let (flying, delayed): (Vec<_>, Vec<_>) = hidden.partition(|(_, message)| message.receipt.is_some());
        (self.messages.len() - flying.len() - delayed.len(), flying.len(), delayed.len())
    }

    /// When the next hidden message shows itself.
    pub(super) fn next_visible(&self) -> Option<Timestamp> {
        self.messages.first_key_value().map(|((visible_at, _), _)| *visible_at)
    }

    pub(super) fn delete(&mut self, receipt: &str) -> Receipt {
        self.take(receipt).map_or_else(|outcome| outcome, |_| Receipt::Known)
    }

    pub(super) fn change_visibility(&mut self, receipt: &str, until: Timestamp) -> Receipt {
        match self.take(receipt) {
            Ok(message) => {
                self.put(until, message);
                Receipt::Known
            }
            Err(outcome) => outcome,
        }
    }

    /// Takes out the message that a receipt names.
    fn take(&mut self, receipt: &str) -> Result<Message, Receipt> {
        let unknown = if receipt.starts_with("receipt-") { Receipt::Outdated } else { Receipt::Invalid };
        let place = self.receipts.remove(receipt).ok_or(unknown)?;
        self.messages.remove(&place).ok_or(unknown)
    }

    /// Takes out the first message that is visible. Its receipt names nothing any more.
    fn take_visible(&mut self, now: Timestamp) -> Option<Message> {
        let first = self.messages.first_entry().filter(|entry| entry.key().0 <= now)?;
        let message = first.remove();
        if let Some(receipt) = &message.receipt {
            self.receipts.remove(receipt);
        }
        Some(message)
    }

    fn put(&mut self, visible_at: Timestamp, message: Message) {
        let place = (visible_at, message.number);
        if let Some(receipt) = &message.receipt {
            self.receipts.insert(receipt.clone(), place);
        }
        self.messages.insert(place, message);
    }
}

impl Message {
    fn received(&mut self, now: Timestamp) {
        self.receive_count += 1;
        self.first_received_at.get_or_insert(now);
        self.receipt = Some(format!("receipt-{}-{}", self.id, self.receive_count));
    }

    fn document(&self) -> Value {
        let millis = |at: Timestamp| at.as_millisecond().to_string();
        let mut document = json!({
            "MessageId": self.id,
            "ReceiptHandle": self.receipt,
            "MD5OfBody": digest(&self.body),
            "Body": self.body,
            "Attributes": {
                "SenderId": "AIDASIMULATED",
                "SentTimestamp": millis(self.sent_at),
                "ApproximateReceiveCount": self.receive_count.to_string(),
                "ApproximateFirstReceiveTimestamp": self.first_received_at.map(millis).unwrap_or_default(),
            },
        });
        if let (Value::Object(fields), Value::Object(_)) = (&mut document, &self.attributes) {
            fields.insert("MessageAttributes".to_owned(), self.attributes.clone());
        }
        document
    }
}

/// The checksum that the service gives of a body.
pub(crate) fn digest(body: &str) -> String {
    format!("{:x}", md5::compute(body))
}

impl State {
    /// Puts a message on a queue; gives its id, none when there is no such queue.
    pub(super) fn send(
        &mut self,
        queue: &str,
        body: &str,
        attributes: Value,
        delay: u64,
        now: Timestamp,
    ) -> Option<String> {
        let name = queue.to_owned();
        let queue = self.queues.get_mut(queue)?;
        self.sent.push(Sent { queue: name, body: body.to_owned(), attributes: attributes.clone() });
        let number = self.next_id;
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        self.next_id += 1;
        let message = Message {
            number,
            id: id.clone(),
            body: body.to_owned(),
            attributes,
            sent_at: now,
            first_received_at: None,
            receive_count: 0,
            receipt: None,
        };
        queue.put(later(now, Duration::from_secs(delay)), message);
        Some(id)
    }

    /// Hands out up to `most` visible messages, those first that have been visible for longest; those that were received
    /// too often go to the dead letters instead.
    pub(super) fn receive(
        &mut self,
        name: &str,
        most: usize,
        visibility: Option<u64>,
        now: Timestamp,
    ) -> Vec<Value> {
        let Some(queue) = self.queues.get_mut(name) else { return Vec::new() };
        let dead_letters = queue.dead_letters.clone();
        let over =
            |message: &Message| dead_letters.as_ref().is_some_and(|(_, most)| message.receive_count >= *most);
        let (mut received, mut buried) = (Vec::new(), Vec::new());
        while received.len() < most
            && let Some(message) = queue.take_visible(now)
        {
            let taken = if over(&message) { &mut buried } else { &mut received };
            taken.push(message);
        }
        let hidden = visibility.map_or(queue.visibility, Duration::from_secs);
        let hand_out = |mut message: Message| {
            message.received(now);
            let document = message.document();
            queue.put(later(now, hidden), message);
            document
        };
        let documents = received.into_iter().map(hand_out).collect();
        if let Some((dead, _)) = dead_letters {
            self.bury(dead, buried, now);
        }
        documents
    }

    fn bury(&mut self, dead: String, messages: Vec<Message>, now: Timestamp) {
        let dead = self.queues.entry(dead).or_default();
        messages.into_iter().for_each(|message| dead.put(now, Message { receipt: None, ..message }));
    }
}

pub(super) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
