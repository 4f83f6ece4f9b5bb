//! The simulated warehouse behind the ports, of any class of protection against duplicates.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::Failure;
use domain::carrier::{Carrier, Tracking, TrackingNumber};
use domain::fulfillment::FulfillmentRequest;
use domain::ids::{PackageId, Reference, WarehouseOrderId};
use domain::ports::{Finding, Probe};
use domain::shipment::{Contents, ShipmentNotice};
use domain::warehouse::{
    Cancellation, Creation, FeedPage, Heard, Limits, NoticeReader, Notices, OrderCancellation, OrderDesk,
    OrderLookup, RawWebhook, Repeat, ShipmentFeed, ShipmentLookup, Unverified, Warehouse, WarehouseOrder,
    Webhook,
};
use jiff::Timestamp;

use crate::executor::Time;
use crate::net::{Gone, Net, System};

/// What a warehouse gives against duplicates (see [`Repeat`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// It honours our key.
    K,
    /// It refuses a second order with the same reference.
    U,
    /// It can be asked, and answers at once.
    L,
    /// It can be asked, and its answers lag.
    D,
    /// Nothing.
    N,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::K, Self::U, Self::L, Self::D, Self::N];
}

/// How much the answers of class D lag.
pub const LAG: Duration = Duration::from_secs(90);

/// An order at the warehouse.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Its id there.
    pub id: WarehouseOrderId,
    /// Our reference.
    pub reference: Reference,
    /// Pieces.
    pub units: u32,
    /// When it was taken, in the world's milliseconds.
    pub at: u64,
    /// Taken back?
    pub cancelled: bool,
}

/// The warehouse's truth.
#[derive(Debug, Default)]
pub struct Truth {
    /// Its orders, in the order in which it took them.
    pub orders: Vec<Taken>,
    /// Its shipments.
    pub shipped: Vec<ShipmentNotice>,
    /// It is away: every call fails, and nothing is done.
    pub away: bool,
}

/// The warehouse.
#[derive(Clone)]
pub struct Wms {
    class: Class,
    truth: Arc<Mutex<Truth>>,
    net: Net,
    time: Time,
}

impl Wms {
    /// An empty warehouse.
    #[must_use]
    pub fn new(class: Class, net: Net, time: Time) -> Self {
        Self { class, truth: Arc::default(), net, time }
    }

    /// The warehouse's own books.
    pub fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As the adapter gives it.
    #[must_use]
    pub fn warehouse(&self) -> Arc<Warehouse> {
        let me = Arc::new(self.clone());
        let repeat = match self.class {
            Class::K => Repeat::HonoursKey,
            Class::U => Repeat::RefusesDuplicates(me.clone()),
            Class::L => Repeat::CanBeAsked { lookup: me.clone(), lag: Duration::ZERO },
            Class::D => Repeat::CanBeAsked { lookup: me.clone(), lag: LAG },
            Class::N => Repeat::Cannot,
        };
        Arc::new(Warehouse {
            name: "simulated",
            limits: Limits { reference: 40, name: 100, street: 100, place: 100, sku: 50 },
            repeat,
            orders: me.clone(),
            cancel: Some(me.clone()),
            notices: Notices::Both(me.clone(), me.clone()),
            shipments: Some(me.clone()),
            stock: None,
            probe: me,
        })
    }

    /// A package of an order leaves. None: there is no such order, or nothing more of it.
    pub fn ship(&self, position: usize, parcel: u32, parcels: u32) -> Option<ShipmentNotice> {
        let mut truth = self.truth();
        let order = truth.orders.get(position).filter(|order| !order.cancelled)?.clone();
        let package = PackageId::parse(format!("{}-{parcel}", order.id)).ok()?;
        if truth.shipped.iter().any(|notice| notice.package == package) {
            return None;
        }
        let number = TrackingNumber::read(&format!("1Z{}{parcel}", order.id.as_str()))?;
        let tracking = Tracking { carrier: Carrier::read("UPS"), number, given_url: None };
        let contents = if parcel + 1 >= parcels { Contents::Everything } else { Contents::Part };
        let notice = ShipmentNotice {
            reference: order.reference,
            warehouse_order: Some(order.id),
            package,
            shipped_at: None,
            tracking: Some(tracking),
            contents,
            voided: false,
        };
        truth.shipped.push(notice.clone());
        Some(notice)
    }

    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        about: String,
        apply: impl FnOnce(&mut Truth, u64) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        if self.truth().away {
            self.time.pass(5).await;
            return Err(Gone::NotDone);
        }
        let (truth, time) = (self.truth.clone(), self.time.clone());
        let effect = self.net.effect(
            System::Warehouse,
            what,
            || about,
            move || {
                let now = time.millis();
                apply(&mut truth.lock().unwrap_or_else(PoisonError::into_inner), now)
            },
        );
        effect.await
    }
}

fn failure(what: &'static str, gone: Gone) -> Failure {
    Failure::retryable(what, format!("{gone:?}"))
}

/// What the warehouse said to a create.
enum Said {
    Yes(WarehouseOrderId),
    Duplicate(WarehouseOrderId),
}

impl Truth {
    fn take(&mut self, class: Class, reference: Reference, units: u32, now: u64) -> Said {
        let known =
            self.orders.iter().find(|order| order.reference == reference).map(|order| order.id.clone());
        match (class, known) {
            (Class::K, Some(id)) => Said::Yes(id),
            (Class::U, Some(id)) => Said::Duplicate(id),
            _ => {
                let fallback =
                    || WarehouseOrderId::parse("WO").unwrap_or_else(|_| unreachable!("WO is a plain text"));
                let id = WarehouseOrderId::parse(format!("WO{}", self.orders.len() + 1))
                    .unwrap_or_else(|_| fallback());
                self.orders.push(Taken { id: id.clone(), reference, units, at: now, cancelled: false });
                Said::Yes(id)
            }
        }
    }
}

#[async_trait]
impl OrderDesk for Wms {
    async fn create(&self, request: &FulfillmentRequest) -> Creation {
        const WHAT: &str = "warehouse: create";
        let (class, reference, units) = (self.class, request.reference.clone(), request.units());
        let about = reference.to_string();
        match self.call(WHAT, about, move |truth, now| truth.take(class, reference, units, now)).await {
            Ok(Said::Yes(id)) => Creation::Accepted(id),
            Ok(Said::Duplicate(id)) => Creation::Duplicate(Some(id)),
            Err(Gone::NotDone) => Creation::NotApplied(failure(WHAT, Gone::NotDone)),
            Err(Gone::Unclear) => Creation::Unclear(failure(WHAT, Gone::Unclear)),
        }
    }
}

#[async_trait]
impl OrderLookup for Wms {
    async fn find(&self, reference: &Reference) -> Result<Option<WarehouseOrder>, Failure> {
        const WHAT: &str = "warehouse: find";
        let lag = if self.class == Class::D { u64::try_from(LAG.as_millis()).unwrap_or(0) } else { 0 };
        let wanted = reference.clone();
        self.call(WHAT, reference.to_string(), move |truth, now| {
            let visible = |order: &&Taken| order.reference == wanted && order.at + lag <= now;
            let found = truth.orders.iter().find(visible);
            found.map(|order| WarehouseOrder { id: order.id.clone(), cancelled: order.cancelled })
        })
        .await
        .map_err(|gone| failure(WHAT, gone))
    }
}

#[async_trait]
impl OrderCancellation for Wms {
    async fn cancel(
        &self,
        reference: &Reference,
        _: Option<&WarehouseOrderId>,
    ) -> Result<Cancellation, Failure> {
        const WHAT: &str = "warehouse: cancel";
        let wanted = reference.clone();
        self.call(WHAT, reference.to_string(), move |truth, _| {
            if truth.shipped.iter().any(|notice| notice.reference == wanted) {
                return Cancellation::Refused("already shipped".to_owned());
            }
            truth
                .orders
                .iter_mut()
                .filter(|order| order.reference == wanted)
                .for_each(|order| order.cancelled = true);
            Cancellation::Cancelled
        })
        .await
        .map_err(|gone| failure(WHAT, gone))
    }
}

#[async_trait]
impl NoticeReader for Wms {
    async fn verify(&self, raw: RawWebhook, _: Timestamp) -> Result<Webhook, Unverified> {
        Ok(Webhook::verified(raw))
    }

    fn read(&self, webhook: &Webhook) -> Result<Vec<Heard>, Failure> {
        let position: Option<usize> = String::from_utf8_lossy(&webhook.raw().body).parse().ok();
        let notice = position.and_then(|position| self.truth().shipped.get(position).cloned());
        notice
            .map(|notice| vec![Heard::Shipped(notice)])
            .ok_or_else(|| Failure::poison("read webhook", "garbled"))
    }
}

#[async_trait]
impl ShipmentFeed for Wms {
    async fn page(&self, bookmark: Option<&str>) -> Result<FeedPage, Failure> {
        const WHAT: &str = "warehouse: feed";
        let begin: usize = bookmark.and_then(|text| text.parse().ok()).unwrap_or(0);
        self.call(WHAT, begin.to_string(), move |truth, _| {
            let notices: Vec<ShipmentNotice> = truth.shipped.iter().skip(begin).take(3).cloned().collect();
            let end = begin + notices.len();
            let more = end < truth.shipped.len();
            FeedPage { notices, unreadable: Vec::new(), bookmark: Some(end.to_string()), more }
        })
        .await
        .map_err(|gone| failure(WHAT, gone))
    }

    async fn acknowledge(&self, _: &[ShipmentNotice]) -> Result<(), Failure> {
        Ok(())
    }
}

#[async_trait]
impl ShipmentLookup for Wms {
    async fn shipments(&self, reference: &Reference) -> Result<Vec<ShipmentNotice>, Failure> {
        const WHAT: &str = "warehouse: shipments";
        let wanted = reference.clone();
        self.call(WHAT, reference.to_string(), move |truth, _| {
            truth.shipped.iter().filter(|notice| notice.reference == wanted).cloned().collect()
        })
        .await
        .map_err(|gone| failure(WHAT, gone))
    }
}

#[async_trait]
impl Probe for Wms {
    async fn check(&self) -> Vec<Finding> {
        Vec::new()
    }
}
