//! What the simulated warehouse holds and remembers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::faults::{Endpoint, FaultPlan};
use super::options::{Auth, Manner, WarehouseOptions, Webhook};
use super::order_list::OrderList;
use super::shipment_list::ShipmentList;

/// A piece count of one SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The warehouse's SKU.
    pub sku: String,
    /// Pieces.
    pub quantity: u32,
}

/// Where a warehouse order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Taken, nothing shipped.
    Accepted,
    /// Some of it shipped.
    PartlyShipped,
    /// All of it shipped.
    Shipped,
    /// Cancelled before anything shipped.
    Cancelled,
}

impl Status {
    /// The word in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::PartlyShipped => "partly_shipped",
            Self::Shipped => "shipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An order at the warehouse.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The warehouse's id, `WO-1001`.
    pub id: String,
    /// The caller's reference.
    pub reference: String,
    /// The service to book.
    pub service: String,
    /// What to ship.
    pub items: Vec<Item>,
    /// Where it stands.
    pub status: Status,
    /// The `Idempotency-Key` that it came with.
    pub key: Option<String>,
    /// The whole request, as it came.
    pub request: Value,
    /// When it was taken.
    pub created_at: Timestamp,
}

impl Order {
    /// Pieces in all.
    #[must_use]
    pub fn units(&self) -> u32 {
        self.items.iter().map(|item| item.quantity).sum()
    }

    pub(super) fn document(&self) -> Value {
        let items: Vec<Value> =
            self.items.iter().map(|item| json!({"sku": item.sku, "quantity": item.quantity})).collect();
        json!({
            "id": self.id, "reference": self.reference, "status": self.status.word(),
            "service": self.service, "created_at": self.created_at.to_string(), "items": items,
        })
    }
}

/// A parcel that left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// The warehouse's id, `SH-1`.
    pub id: String,
    /// The warehouse's order.
    pub order_id: String,
    /// The caller's reference.
    pub reference: String,
    /// Carrier.
    pub carrier: String,
    /// Service code.
    pub service: String,
    /// Tracking number, with a right check digit where the carrier has one.
    pub tracking_number: String,
    /// When it left.
    pub shipped_at: Timestamp,
    /// Is the order complete with it?
    pub complete: bool,
    /// What is in it.
    pub items: Vec<Item>,
    /// Taken back?
    pub voided: bool,
    /// Position in the feed; a voided shipment moves to the end.
    pub(super) sequence: u64,
}

impl Shipment {
    pub(super) fn document(&self) -> Value {
        let items: Vec<Value> =
            self.items.iter().map(|item| json!({"sku": item.sku, "quantity": item.quantity})).collect();
        json!({
            "id": self.id, "order_id": self.order_id, "reference": self.reference, "carrier": self.carrier,
            "service": self.service, "tracking_number": self.tracking_number,
            "tracking_url": format!("https://track.example.com/{}", self.tracking_number),
            "shipped_at": self.shipped_at.to_string(), "complete": self.complete, "items": items,
            "voided": self.voided,
        })
    }
}

/// One attempt to deliver a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The `webhook-id`: the same for every attempt and repetition of one message.
    pub id: String,
    /// `shipment.created` or `shipment.voided`.
    pub event: &'static str,
    /// The shipment that it is about.
    pub shipment: String,
    /// Counted from 1 over all repetitions.
    pub attempt: u32,
    /// The receiver's answer; none when there was none.
    pub status: Option<u16>,
}

/// How often the warehouse was called, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls by kind, failed ones included.
    pub calls: BTreeMap<Endpoint, u64>,
    /// Calls that met a planned fault.
    pub faults: u64,
    /// The same, by the fault's name.
    pub faults_met: BTreeMap<String, u64>,
    /// Calls with wrong credentials.
    pub unauthorized: u64,
    /// Creates answered 409.
    pub duplicates: u64,
    /// Creates answered 422.
    pub refused: u64,
}

impl Counts {
    /// Calls of one kind.
    #[must_use]
    pub fn of(&self, endpoint: Endpoint) -> u64 {
        self.calls.get(&endpoint).copied().unwrap_or(0)
    }
}

/// The warehouse's own truth, to close the books against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// All orders, duplicates and cancelled ones included.
    pub orders: usize,
    /// Orders beyond the first of a reference: must be zero.
    pub duplicates: usize,
    /// Cancelled orders.
    pub cancelled: usize,
    /// Orders of which everything left.
    pub shipped: usize,
    /// Orders of which something left.
    pub partly_shipped: usize,
    /// Parcels that left and were not taken back.
    pub parcels: usize,
    /// Pieces ordered, cancelled orders left out.
    pub units: u32,
}

/// Everything that changes.
pub(super) struct State {
    pub(super) orders: OrderList,
    pub(super) shipments: ShipmentList,
    pub(super) stock: BTreeMap<String, i64>,
    pub(super) faults: FaultPlan,
    pub(super) counts: Counts,
    pub(super) manner: Manner,
    pub(super) webhook: Option<Webhook>,
    pub(super) deliveries: Vec<Delivery>,
    /// How often each message was delivered or tried, by its id.
    pub(super) attempts: BTreeMap<String, u32>,
    /// A webhook that is kept back to be sent after the next one.
    pub(super) kept_back: Option<(&'static str, String)>,
    pub(super) tokens: Vec<(String, Timestamp)>,
    /// Who may call now.
    pub(super) auth: Auth,
    tokens_given: u64,
}

impl State {
    pub(super) fn new(options: &WarehouseOptions) -> Self {
        Self {
            orders: OrderList::default(),
            shipments: ShipmentList::default(),
            stock: options.stock.iter().cloned().collect(),
            faults: FaultPlan::new(),
            counts: Counts::default(),
            manner: Manner::default(),
            webhook: options.webhook.clone(),
            auth: options.auth.clone(),
            deliveries: Vec::new(),
            attempts: BTreeMap::new(),
            kept_back: None,
            tokens: Vec::new(),
            tokens_given: 0,
        }
    }

    /// The number of the next token.
    pub(super) fn next_token(&mut self) -> u64 {
        self.tokens_given += 1;
        self.tokens_given
    }

    /// Notes what came of an attempt to deliver a message.
    pub(super) fn note(&mut self, id: &str, event: &'static str, shipment: &str, status: Option<u16>) {
        let attempt = self.attempts.entry(id.to_owned()).or_default();
        *attempt += 1;
        self.deliveries.push(Delivery {
            id: id.to_owned(),
            event,
            shipment: shipment.to_owned(),
            attempt: *attempt,
            status,
        });
    }

    pub(super) fn books(&self) -> Books {
        let orders = self.orders.all();
        let with = |status| orders.iter().filter(|order| order.status == status).count();
        let live = orders.iter().filter(|order| order.status != Status::Cancelled);
        Books {
            orders: orders.len(),
            duplicates: self.orders.duplicates(),
            cancelled: with(Status::Cancelled),
            shipped: with(Status::Shipped),
            partly_shipped: with(Status::PartlyShipped),
            parcels: self.shipments.live(),
            units: live.map(Order::units).sum(),
        }
    }
}
