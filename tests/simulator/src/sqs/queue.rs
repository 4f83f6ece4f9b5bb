//! One queue: messages, their visibility, their receive counts.

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
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) attributes: Value,
    sent_at: Timestamp,
    pub(super) visible_at: Timestamp,
    first_received_at: Option<Timestamp>,
    pub(super) receive_count: u32,
    receipt: Option<String>,
}

/// A queue with its settings.
pub(super) struct Queue {
    pub(super) messages: Vec<Message>,
    pub(super) visibility: Duration,
    /// Name of the dead-letter queue, and after how many receives a message goes there.
    pub(super) dead_letters: Option<(String, u32)>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { messages: Vec::new(), visibility: Duration::from_secs(30), dead_letters: None }
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
        let peek = |message: &Message| Peek {
            id: message.id.clone(),
            body: message.body.clone(),
            attributes: message.attributes.clone(),
            receive_count: message.receive_count,
            hidden: message.visible_at > now,
        };
        self.messages.iter().map(peek).collect()
    }

    pub(super) fn make_visible(&mut self, now: Timestamp) {
        self.messages.iter_mut().for_each(|message| message.visible_at = now);
    }

    /// Visible, in flight, delayed.
    pub(super) fn sizes(&self, now: Timestamp) -> (usize, usize, usize) {
        let hidden = self.messages.iter().filter(|message| message.visible_at > now);
        let (flying, delayed): (Vec<_>, Vec<_>) = hidden.partition(|message| message.receipt.is_some());
        (self.messages.len() - flying.len() - delayed.len(), flying.len(), delayed.len())
    }

    /// When the next hidden message shows itself.
    pub(super) fn next_visible(&self) -> Option<Timestamp> {
        self.messages.iter().map(|message| message.visible_at).min()
    }

    pub(super) fn delete(&mut self, receipt: &str) -> Receipt {
        match self.in_flight(receipt) {
            Ok(position) => {
                self.messages.remove(position);
                Receipt::Known
            }
            Err(outcome) => outcome,
        }
    }

    pub(super) fn change_visibility(&mut self, receipt: &str, until: Timestamp) -> Receipt {
        match self.in_flight(receipt) {
            Ok(position) => {
                if let Some(message) = self.messages.get_mut(position) {
                    message.visible_at = until;
                }
                Receipt::Known
            }
            Err(outcome) => outcome,
        }
    }

    fn in_flight(&self, receipt: &str) -> Result<usize, Receipt> {
        let found = self.messages.iter().position(|message| message.receipt.as_deref() == Some(receipt));
        found.ok_or(if receipt.starts_with("receipt-") { Receipt::Outdated } else { Receipt::Invalid })
    }
}

impl Message {
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
        let id = format!("00000000-0000-4000-8000-{:012x}", self.next_id);
        self.next_id += 1;
        queue.messages.push(Message {
            id: id.clone(),
            body: body.to_owned(),
            attributes,
            sent_at: now,
            visible_at: later(now, Duration::from_secs(delay)),
            first_received_at: None,
            receive_count: 0,
            receipt: None,
        });
        Some(id)
    }

    /// Hands out up to `most` visible messages; those that were received too often go to the dead letters instead.
    pub(super) fn receive(
        &mut self,
        name: &str,
        most: usize,
        visibility: Option<u64>,
        now: Timestamp,
    ) -> Vec<Value> {
        self.bury(name, now);
        let Some(queue) = self.queues.get_mut(name) else { return Vec::new() };
        let hidden = visibility.map_or(queue.visibility, Duration::from_secs);
        let visible = queue.messages.iter_mut().filter(|message| message.visible_at <= now);
        let receive = |message: &mut Message| {
            message.receive_count += 1;
            message.first_received_at.get_or_insert(now);
            message.visible_at = later(now, hidden);
            message.receipt = Some(format!("receipt-{}-{}", message.id, message.receive_count));
            message.document()
        };
        visible.take(most).map(receive).collect()
    }

    fn bury(&mut self, name: &str, now: Timestamp) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let Some((dead, most)) = queue.dead_letters.clone() else { return };
        let over = |message: &mut Message| message.visible_at <= now && message.receive_count >= most;
        let buried: Vec<Message> = queue.messages.extract_if(.., over).collect();
        let dead = self.queues.entry(dead).or_default();
        dead.messages.extend(buried.into_iter().map(|message| Message { receipt: None, ..message }));
    }
}

pub(super) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
