//! A warehouse is data: what it can do is there, what it cannot do cannot be called.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::failure::Failure;
use crate::fulfillment::FulfillmentRequest;
use crate::ids::{Reference, WarehouseOrderId};
use crate::mapping::WarehouseSku;
use crate::ports::Probe;
use crate::shipment::ShipmentNotice;

/// What came of asking a warehouse to create an order.
#[derive(Debug)]
pub enum Creation {
    /// It has it now.
    Accepted(WarehouseOrderId),
    /// It says that it has one with this reference already. Look it up before you believe it.
    Duplicate(Option<WarehouseOrderId>),
    /// It understood and said no; its reason, at most 300 characters.
    Refused(String),
    /// It certainly did not happen (connection refused, 429, 503 before the body, locked out).
    NotApplied(Failure),
    /// It may or may not have happened (time-out, hang-up, an answer we cannot read).
    Unclear(Failure),
}

/// A request as it would go to a warehouse, to be looked at: without secrets, and never sent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Draft {
    /// GET, POST and so on.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Headers; of those that hold credentials only the names.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Creates orders at a warehouse.
#[async_trait]
pub trait OrderDesk: Send + Sync {
    /// Asks once. Never repeats by itself.
    async fn create(&self, request: &FulfillmentRequest) -> Creation;
    /// What [`OrderDesk::create`] would send, made by the same code. Sends nothing. None: it cannot be shown.
    async fn draft(&self, _request: &FulfillmentRequest) -> Result<Option<Draft>, Failure> {
        Ok(None)
    }
}

/// A warehouse's copy of an order, as a look-up finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarehouseOrder {
    /// Its id there.
    pub id: WarehouseOrderId,
    /// Has it been cancelled there?
    pub cancelled: bool,
}

/// Asks a warehouse whether it has an order.
#[async_trait]
pub trait OrderLookup: Send + Sync {
    /// The order with exactly this reference, if the warehouse has one.
    async fn find(&self, reference: &Reference) -> Result<Option<WarehouseOrder>, Failure>;
}

/// What came of asking a warehouse to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancellation {
    /// It is cancelled, now or before.
    Cancelled,
    /// Too late, or not possible; its reason.
    Refused(String),
}

/// Cancels orders at a warehouse.
#[async_trait]
pub trait OrderCancellation: Send + Sync {
    /// Cancels the order.
    async fn cancel(
        &self,
        reference: &Reference,
        order: Option<&WarehouseOrderId>,
    ) -> Result<Cancellation, Failure>;
}

/// What happens when the same order is sent a second time: what a warehouse gives us against duplicates.
#[derive(Clone)]
pub enum Repeat {
    /// K: it honours our idempotency key for ever. Repeating is safe.
    HonoursKey,
    /// U: it refuses a second order with the same reference, and can be asked which one it has. Repeating is safe.
    RefusesDuplicates(Arc<dyn OrderLookup>),
    /// L(D): it can be asked for a reference; the answer lags by at most `lag`. Wait, ask, and only then repeat.
    CanBeAsked {
        /// How to ask.
        lookup: Arc<dyn OrderLookup>,
        /// By how much its answers may lag.
        lag: Duration,
    },
    /// N: nothing. An unclear send is never repeated; a person decides.
    Cannot,
}

impl Repeat {
    /// How to ask it for a reference, where that is possible.
    #[must_use]
    pub fn lookup(&self) -> Option<&Arc<dyn OrderLookup>> {
        match self {
            Self::RefusesDuplicates(lookup) | Self::CanBeAsked { lookup, .. } => Some(lookup),
            Self::HonoursKey | Self::Cannot => None,
        }
    }

    /// The class in one sentence, for `check` and the README.
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::HonoursKey => "honours our idempotency key: repeating is safe",
            Self::RefusesDuplicates(_) => "refuses a second order with the same reference: repeating is safe",
            Self::CanBeAsked { .. } => {
                "can be asked for a reference: an unclear send is looked up before it is repeated"
            }
            Self::Cannot => "can neither refuse a duplicate nor be asked: an unclear send waits for a person",
        }
    }
}

/// A webhook as it arrived: nobody may believe it yet.
#[derive(Clone)]
pub struct RawWebhook {
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// What follows the connection in the path, without slashes at its ends.
    pub path_rest: String,
    /// The body, byte for byte (base64 already undone).
    pub body: Vec<u8>,
}

/// A webhook never prints what it carries: headers and path may prove who sent it, the body may name a buyer.
impl fmt::Debug for RawWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawWebhook({} headers, {} bytes)", self.headers.len(), self.body.len())
    }
}

impl RawWebhook {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// A webhook whose sender has been verified. Only a verifier makes one.
#[derive(Debug, Clone)]
pub struct Webhook(RawWebhook);

impl Webhook {
    /// For verifiers: `raw` has been checked against the sender's secret, its age, or both.
    #[must_use]
    pub fn verified(raw: RawWebhook) -> Self {
        Self(raw)
    }

    /// What arrived.
    #[must_use]
    pub fn raw(&self) -> &RawWebhook {
        &self.0
    }
}

/// A webhook that is not believed, and why, for our log. The sender learns nothing of it but the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unverified {
    /// Wrong, missing or stale credentials: the sender is not known (401).
    Stranger(String),
    /// Our own secret could not be read, so nobody can tell: the sender should come again (503).
    Unsure(String),
}

/// What a webhook tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A package has left, with everything we need.
    Shipped(ShipmentNotice),
    /// Something happened to this order: ask the warehouse.
    Changed(Reference),
}

/// Reads a warehouse's webhooks.
#[async_trait]
pub trait NoticeReader: Send + Sync {
    /// Believes the webhook or not. Nothing verifies by default: no secret configured is never a yes.
    ///
    /// # Errors
    /// Wrong, missing or stale credentials.
    async fn verify(&self, raw: RawWebhook, now: Timestamp) -> Result<Webhook, Unverified>;
    /// What it tells; nothing for an event that does not concern us.
    ///
    /// # Errors
    /// Poison, when it cannot be read.
    fn read(&self, webhook: &Webhook) -> Result<Vec<Heard>, Failure>;
}

/// One page of a warehouse's shipments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// The packages.
    pub notices: Vec<ShipmentNotice>,
    /// What could not be read, in our words, one per entry; the rest of the page is good.
    pub unreadable: Vec<String>,
    /// Where the next page starts. Kept once the page is in the ledger.
    pub bookmark: Option<String>,
    /// Is there more at once?
    pub more: bool,
}

/// A warehouse's shipments, to be polled. Reading the same bookmark twice gives the same packages or later ones.
#[async_trait]
pub trait ShipmentFeed: Send + Sync {
    /// The page at a bookmark; none for the beginning (the adapter decides how far back).
    async fn page(&self, bookmark: Option<&str>) -> Result<FeedPage, Failure>;
    /// Tells the warehouse that these are ours now, where it keeps count. Only after they are in the ledger.
    async fn acknowledge(&self, notices: &[ShipmentNotice]) -> Result<(), Failure>;
}

/// Asks a warehouse what it shipped for one order.
#[async_trait]
pub trait ShipmentLookup: Send + Sync {
    /// The packages of the order with this reference.
    async fn shipments(&self, reference: &Reference) -> Result<Vec<ShipmentNotice>, Failure>;
}

/// How we hear of shipments.
#[derive(Clone)]
pub enum Notices {
    /// By webhook.
    Pushed(Arc<dyn NoticeReader>),
    /// By asking.
    Polled(Arc<dyn ShipmentFeed>),
    /// By webhook, and by asking for what got lost.
    Both(Arc<dyn NoticeReader>, Arc<dyn ShipmentFeed>),
}

impl Notices {
    /// The reader of its webhooks, where it sends any.
    #[must_use]
    pub fn reader(&self) -> Option<&Arc<dyn NoticeReader>> {
        match self {
            Self::Pushed(reader) | Self::Both(reader, _) => Some(reader),
            Self::Polled(_) => None,
        }
    }

    /// Its feed, where it has one.
    #[must_use]
    pub fn feed(&self) -> Option<&Arc<dyn ShipmentFeed>> {
        match self {
            Self::Polled(feed) | Self::Both(_, feed) => Some(feed),
            Self::Pushed(_) => None,
        }
    }
}

/// Stock of one SKU, as the warehouse counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLevel {
    /// Which SKU.
    pub sku: WarehouseSku,
    /// What can be sold.
    pub available: i64,
}

/// Reads a warehouse's stock.
#[async_trait]
pub trait StockFeed: Send + Sync {
    /// All levels.
    async fn levels(&self) -> Result<Vec<StockLevel>, Failure>;
}

/// What a warehouse's fields can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest reference.
    pub reference: usize,
    /// Longest name of the recipient.
    pub name: usize,
    /// Longest street line.
    pub street: usize,
    /// Longest city, region and postal code.
    pub place: usize,
    /// Longest SKU.
    pub sku: usize,
}

impl Limits {
    /// Names the fields of a request that are too long, with their limits. Nothing is ever cut off silently.
    #[must_use]
    pub fn exceeded(&self, request: &FulfillmentRequest) -> Vec<String> {
        let to = &request.ship_to;
        let mut fields = vec![
            ("name", to.name.as_str(), self.name),
            ("address line 1", &to.line1, self.street),
            ("address line 2", &to.line2, self.street),
            ("city", &to.city, self.place),
            ("region", to.region.code_or_name(), self.place),
            ("postal code", &to.postal_code, self.place),
        ];
        fields.extend(request.lines.iter().map(|line| ("SKU", line.sku.as_str(), self.sku)));
        fields
            .into_iter()
            .filter(|(_, value, limit)| value.chars().count() > *limit)
            .map(|(field, value, limit)| format!("{field} ({} of {limit} characters)", value.chars().count()))
            .collect()
    }
}

/// One warehouse, as its adapter gives it.
#[derive(Clone)]
pub struct Warehouse {
    /// The adapter's name, as in the settings.
    pub name: &'static str,
    /// What its fields can hold.
    pub limits: Limits,
    /// What it gives us against duplicates. There is no default.
    pub repeat: Repeat,
    /// Creates orders.
    pub orders: Arc<dyn OrderDesk>,
    /// Cancels orders, where it can.
    pub cancel: Option<Arc<dyn OrderCancellation>>,
    /// How we hear of shipments.
    pub notices: Notices,
    /// Asks for the shipments of one order, where it can.
    pub shipments: Option<Arc<dyn ShipmentLookup>>,
    /// Its stock, where it tells.
    pub stock: Option<Arc<dyn StockFeed>>,
    /// What `check` asks.
    pub probe: Arc<dyn Probe>,
}
