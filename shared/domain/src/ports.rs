//! What the use cases need from the world: one trait per need. Adapters promise what the doc comments here say, and
//! `testkit::contracts` holds them to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::carrier::Tracking;
use crate::circuit::Circuit;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ids::{ConnectionId, OrderId, OrderKey, Token};
use crate::mapping::{Change, Mapping, Sku};
use crate::message::Message;
use crate::order::Order;
use crate::record::{Entry, Record};
use crate::warehouse::{RawWebhook, Unverified, Warehouse, Webhook};

/// Time. Nobody else may know it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The instant now.
    fn now(&self) -> Timestamp;
    /// Returns once `wait` has passed.
    async fn sleep(&self, wait: Duration);
}

/// Randomness: names for attempts and writes, and jitter.
pub trait Randomness: Send + Sync {
    /// 64 bits that nobody else has drawn.
    fn token(&self) -> Token;
}

// ---------------------------------------------------------------- the store

/// A window of the store's order list, in instants. The adapter turns them into the store's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First order date wanted; none for all of history.
    pub from: Option<Timestamp>,
    /// Last order date wanted. The same for every page of one sweep.
    pub to: Timestamp,
}

/// One page of the store's order list, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// The order numbers of the page. May repeat those of an earlier page.
    pub orders: Vec<OrderId>,
    /// Where the next page starts; none when this was the last.
    pub next_offset: Option<u32>,
}

/// What reading one order gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// The order.
    Order(Box<Order>),
    /// The store does not have it (error 2040).
    Absent,
    /// The store answered and its document cannot be read: where and why, without personal data.
    Unreadable {
        /// The order's number, when at least that could be read or was asked for.
        order: Option<OrderId>,
        /// Where and why.
        why: String,
    },
}

/// Reads the store's orders.
#[async_trait]
pub trait OrderSource: Send + Sync {
    /// One page of the order numbers in a window. An empty window is an empty page, not a failure.
    async fn list(&self, window: Window, offset: u32) -> Result<ListPage, Failure>;
    /// One order with its buyer's contact data. `which` is an order number or the token of a notification.
    async fn read(&self, which: &str) -> Result<Read, Failure>;
}

/// A product of the store, as far as a mapping needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The store's number of it.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The shop's code; none when the merchant gave none, or one that cannot be used.
    pub sku: Option<Sku>,
    /// Does the store calculate shipping for it? A hint that it is a physical thing (dossier section 4.1).
    pub has_shipping: bool,
    /// Its weight, in a unit that the store does not tell.
    pub weight: Option<Decimal>,
}

/// One page of the store's products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPage {
    /// The product numbers of the page.
    pub products: Vec<u64>,
    /// Where the next page starts; none when this was the last.
    pub next_offset: Option<u32>,
}

/// Reads the store's products: what is for sale, sold or not.
#[async_trait]
pub trait ProductSource: Send + Sync {
    /// One page of the product numbers, ascending.
    async fn page(&self, offset: u32) -> Result<ProductPage, Failure>;
    /// One product. None: the store does not have it.
    async fn product(&self, id: u64) -> Result<Option<Product>, Failure>;
}

/// Where tracking goes, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkMode {
    /// The store takes it through its API.
    Api,
    /// The store cannot take it: it goes to the outbox. Why, for people.
    Outbox(String),
    /// The connection does not want it posted.
    Off,
}

/// The store's answer to a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostAnswer {
    /// It said yes. Read back before you believe it.
    Taken,
    /// It said no; its reason.
    Refused(String),
}

/// Writes tracking to the store. 1ShoppingCart has no public contract for it (dossier section 8), hence the modes.
#[async_trait]
pub trait TrackingSink: Send + Sync {
    /// Where tracking goes at present.
    async fn mode(&self) -> Result<SinkMode, Failure>;
    /// The tracking numbers that the store shows for an order now.
    async fn shown(&self, order: OrderId) -> Result<Vec<String>, Failure>;
    /// Posts one package's tracking. A failure may mean that it landed all the same.
    async fn post(
        &self,
        order: OrderId,
        tracking: &Tracking,
        shipped_at: Timestamp,
    ) -> Result<PostAnswer, Failure>;
    /// Must what was posted be read back? (Some stores take it and do not show it.)
    fn verifies(&self) -> bool;
}

/// One thing that `check` found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// Is it as it should be? None where it cannot be known from here.
    pub ok: Option<bool>,
    /// What was found, and the cure where it is not well.
    pub detail: String,
}

/// Tries out whether an outside system can be reached and what it allows, without changing anything there.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Everything that can be found out.
    async fn check(&self) -> Vec<Finding>;
}

/// One store, as its adapter gives it.
#[derive(Clone)]
pub struct Store {
    /// Its orders.
    pub orders: Arc<dyn OrderSource>,
    /// Where its tracking goes.
    pub tracking: Arc<dyn TrackingSink>,
    /// Its notifications.
    pub hints: Arc<dyn HintReader>,
    /// What `check` asks.
    pub probe: Arc<dyn Probe>,
    /// Its products, where it tells.
    pub products: Option<Arc<dyn ProductSource>>,
}

/// Opens the two sides of a connection.
#[async_trait]
pub trait Partners: Send + Sync {
    /// The connection's store.
    async fn store(&self, connection: &Connection) -> Result<Store, Failure>;
    /// The connection's warehouse.
    async fn warehouse(&self, connection: &Connection) -> Result<Arc<Warehouse>, Failure>;
}

/// Reads the store's notifications. They carry no proof: each is only a hint, and only what READ returns is believed.
#[async_trait]
pub trait HintReader: Send + Sync {
    /// Was it sent to the unguessable address that we gave the store?
    async fn verify(&self, raw: RawWebhook) -> Result<Webhook, Unverified>;
    /// The order numbers or tokens that it speaks of.
    ///
    /// # Errors
    /// Poison, when it cannot be read.
    fn read(&self, webhook: &Webhook) -> Result<Vec<String>, Failure>;
}

// ---------------------------------------------------------------- the ledger

/// Outcome of an insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// It was not there before (or it was our own write whose answer got lost).
    New,
    /// It is there already; nothing was changed.
    Exists,
}

/// Outcome of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// It is written, now or by our own earlier try.
    Done,
    /// Somebody else was faster. What is there now.
    Conflict(Option<Box<Record>>),
}

/// A date on which somebody should look at some orders again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Names the entry within its connection. As texts, ids have the order of the entries.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Which orders. They need not exist (yet), and may long be finished.
    pub orders: Vec<OrderId>,
}

/// How far the store has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Counts up with every write; 0 when there is none yet.
    pub version: u64,
    /// Every order placed before this instant (less the overlap) is in the ledger. In the store's own terms.
    pub position: Option<Timestamp>,
    /// Orders of the current window that are in the ledger, ascending.
    pub seen: Vec<OrderId>,
}

/// The right to import for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Names the holder.
    pub token: Token,
    /// When it ends by itself.
    pub until: Timestamp,
}

/// A notice that could not be read, kept for a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Parked {
    /// Names it.
    pub id: String,
    /// When it came.
    pub at: Timestamp,
    /// Why it could not be read, or which order it speaks of that we do not know.
    pub why: String,
    /// What came, byte for byte.
    pub raw: Vec<u8>,
}

/// What came is not printed: it may name a buyer.
impl fmt::Debug for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parked({}, {}, {}, {} bytes)", self.id, self.at, self.why, self.raw.len())
    }
}

/// What we have done for each order: the truth. Every write is one conditional write of one item.
///
/// Reads are not guaranteed to see the latest write unless said so; conditional writes are, so a stale reader loses.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Puts a new order in, with its body where it has one. The caller has scheduled it before ([`Ledger::expect`]).
    async fn insert(
        &self,
        record: &Record,
        body: Option<&Order>,
        expires: Timestamp,
    ) -> Result<Inserted, Failure>;
    /// The record of an order; `strong` sees every finished write.
    async fn load(&self, key: &OrderKey, strong: bool) -> Result<Option<Record>, Failure>;
    /// The record and the body (none when it was never read, or has expired).
    async fn open(&self, key: &OrderKey, strong: bool) -> Result<Option<(Record, Option<Order>)>, Failure>;
    /// The records of some orders; absent ones are left out.
    async fn load_many(&self, connection: &ConnectionId, orders: &[OrderId]) -> Result<Vec<Record>, Failure>;
    /// Replaces the record, if `before` (its version) is still what is there. When `after.wake` differs from
    /// `before.wake`, the order is put on that date first, so that no state is without somebody who will look again.
    /// A conflict with a record that carries `after.written` is our own earlier write: done.
    async fn save(&self, before: &Record, after: &Record) -> Result<Saved, Failure>;
    /// Replaces the body.
    async fn revise(&self, key: &OrderKey, body: &Order, expires: Timestamp) -> Result<(), Failure>;
    /// Entries of the story that are no longer in the record, oldest first.
    async fn older_story(&self, key: &OrderKey) -> Result<Vec<Entry>, Failure>;
    /// Records of a connection by ascending order number, after the given one. For people and for closing the books.
    async fn scan(
        &self,
        connection: &ConnectionId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<Record>, Failure>;

    /// Promises that somebody looks at these orders at that time, whether or not they exist by then.
    async fn expect(
        &self,
        connection: &ConnectionId,
        at: Timestamp,
        orders: &[OrderId],
    ) -> Result<(), Failure>;
    /// The dates up to `until`, earliest first, at most `limit`; with `after`, only those that come after the date of
    /// that id, which need not be there any more. Sees every finished write.
    async fn due(
        &self,
        connection: &ConnectionId,
        after: Option<&str>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, Failure>;
    /// Takes a date off, after its orders have been looked at and what is unfinished has a new date.
    async fn settle(&self, connection: &ConnectionId, due: &Due) -> Result<(), Failure>;

    /// How far the store has been read. Sees every finished write.
    async fn cursor(&self, connection: &ConnectionId) -> Result<Cursor, Failure>;
    /// Takes the right to import, unless somebody holds it at `now`. False: somebody does.
    async fn lease(&self, connection: &ConnectionId, lease: Lease, now: Timestamp) -> Result<bool, Failure>;
    /// Moves the cursor, if `cursor.version` is still what is there, and gives the lease back. False: it was not.
    async fn move_cursor(
        &self,
        connection: &ConnectionId,
        cursor: &Cursor,
        holder: Token,
    ) -> Result<bool, Failure>;
    /// The bookmark of the warehouse's shipment feed, in the warehouse's terms.
    async fn bookmark(&self, connection: &ConnectionId) -> Result<Option<String>, Failure>;
    /// Moves the bookmark.
    async fn set_bookmark(&self, connection: &ConnectionId, bookmark: &str) -> Result<(), Failure>;

    /// What is known of the warehouse being away. Sees every finished write.
    async fn circuit(&self, connection: &ConnectionId) -> Result<Circuit, Failure>;
    /// Replaces it, if `circuit.version` is still what is there, and counts that up. False: it was not.
    async fn set_circuit(&self, connection: &ConnectionId, circuit: &Circuit) -> Result<bool, Failure>;

    /// Keeps a notice that could not be read. The same id twice is one notice.
    async fn park(
        &self,
        connection: &ConnectionId,
        parked: &Parked,
        expires: Timestamp,
    ) -> Result<(), Failure>;
    /// The notices that are parked, newest first, at most `limit`.
    async fn parked(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<Parked>, Failure>;
    /// Takes a parked notice out, after it has been dealt with.
    async fn unpark(&self, connection: &ConnectionId, id: &str) -> Result<(), Failure>;
}

/// The connections of this deployment.
#[async_trait]
pub trait Connections: Send + Sync {
    /// All of them, enabled or not.
    async fn all(&self) -> Result<Vec<Connection>, Failure>;
    /// One of them. May be as old as an adapter's cache.
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure>;
    /// One of them as it is now. Only this may be asked what the ledger knows of the time before it: a cache may be older
    /// than the loss of the ledger.
    async fn fresh(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        self.get(id).await
    }
    /// Puts one in, or replaces it.
    async fn put(&self, connection: &Connection) -> Result<(), Failure>;
    /// Replaces one, if what is there is still `before`. False: it is not, and nothing was written; or an earlier answer of
    /// this call was lost, and it was.
    async fn swap(&self, before: &Connection, after: &Connection) -> Result<bool, Failure>;
}

/// The mapping of each connection.
#[async_trait]
pub trait Mappings: Send + Sync {
    /// The mapping in force; an empty one of version 0 when nobody has mapped anything.
    async fn current(&self, connection: &ConnectionId) -> Result<Arc<Mapping>, Failure>;
    /// Replaces the mapping as a whole: `mapping.version` must be one more than what is there. False: it is not.
    async fn replace(
        &self,
        connection: &ConnectionId,
        mapping: &Mapping,
        change: &Change,
    ) -> Result<bool, Failure>;
    /// One version as it was written; none where there never was one of this number. Version 0 is the empty mapping.
    /// Versions are kept for ever and never change.
    async fn at(&self, connection: &ConnectionId, version: u64) -> Result<Option<Arc<Mapping>>, Failure>;
    /// The versions so far, newest first.
    async fn history(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<(u64, Change)>, Failure>;
}

/// What is kept of a connection, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Orders, with or without their bodies.
    pub orders: u64,
    /// Bodies of orders: names and addresses.
    pub bodies: u64,
    /// Dates on which somebody looks at orders again.
    pub dates: u64,
    /// Notices that could not be read, as they came.
    pub parked: u64,
    /// Versions of the mapping.
    pub mappings: u64,
    /// Everything there is, in items.
    pub items: u64,
}

/// Takes out what is kept of a connection, on request. Nothing of this can be undone.
#[async_trait]
pub trait Erasure: Send + Sync {
    /// What is kept of it.
    async fn kept(&self, connection: &ConnectionId) -> Result<Kept, Failure>;
    /// Removes everything, the connection itself last: what was begun can be begun again.
    async fn erase(&self, connection: &ConnectionId) -> Result<(), Failure>;
    /// Removes the body of an order. Its record stays. False: there was no body.
    async fn erase_body(&self, key: &OrderKey) -> Result<bool, Failure>;
}

// ---------------------------------------------------------------- queues

/// The near end of a queue.
#[async_trait]
pub trait Outgoing: Send + Sync {
    /// Sends all messages. On failure some may have been sent all the same; sending again is harmless.
    async fn send(&self, messages: &[Message]) -> Result<(), Failure>;
}

/// One delivery of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The queue's id of the message.
    pub id: String,
    /// Names this delivery when it is deleted or delayed.
    pub receipt: String,
    /// What was sent.
    pub body: String,
    /// How often it has been delivered, this time included. Approximate.
    pub count: u32,
}

/// A parked message with kind and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// What was sent.
    pub body: String,
    /// The word of the failure's kind.
    pub kind: String,
    /// The failure, in our words.
    pub reason: String,
}

/// The far end of a queue: at least once, in any order.
#[async_trait]
pub trait Incoming: Send + Sync {
    /// Up to `max` (at most 10) messages, waiting up to `wait` for the first. They stay invisible to others for the
    /// queue's visibility time-out and come again afterwards unless deleted.
    async fn receive(&self, max: u32, wait: Duration) -> Result<Vec<Delivery>, Failure>;
    /// Deletes a delivered message. Deleting twice is no failure.
    async fn delete(&self, delivery: &Delivery) -> Result<(), Failure>;
    /// Makes it come again after `wait` instead of after the visibility time-out.
    async fn delay(&self, delivery: &Delivery, wait: Duration) -> Result<(), Failure>;
    /// Puts a copy on the dead-letter queue, with kind and reason.
    async fn dead_letter(&self, letter: &DeadLetter) -> Result<(), Failure>;
}
