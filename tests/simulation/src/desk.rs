//! The calls to the simulated warehouse, with everything that the real adapters can meet on their way.

use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use domain::Failure;
use domain::fulfillment::{FulfillmentRequest, order_of};
use domain::ids::{PackageId, Reference, WarehouseOrderId};
use domain::ports::{Finding, Probe};
use domain::shipment::{Contents, ShipmentNotice};
use domain::warehouse::{
    Cancellation, Creation, FeedPage, Heard, NoticeReader, OrderCancellation, OrderDesk, OrderLookup,
    RawWebhook, ShipmentFeed, ShipmentLookup, Unverified, WarehouseOrder, Webhook,
};
use jiff::Timestamp;

use crate::coverage::{Fault, Sometimes};
use crate::net::{Gone, System};
use crate::scene::canary;
use crate::wms::{Asked, Class, LAG, Said, Truth, Wms};

/// How long a request waits for its turn when the warehouse is slow, in milliseconds.
const SLOW: u64 = 100_000;

/// Why a call failed.
struct Broken {
    failure: Failure,
    /// Did it certainly change nothing?
    not_applied: bool,
}

impl Wms {
    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        about: impl FnOnce() -> String + Send,
        apply: impl FnOnce(&mut Truth, u64) -> T + Send + 'static,
    ) -> Result<T, Broken> {
        let watch = self.net.watch();
        let refused = |failure| Err(Broken { failure, not_applied: true });
        if watch.strikes(Fault::WarehouseSlow) {
            self.time.pass(watch.below(SLOW)).await;
        }
        if self.truth().away {
            self.time.pass(5).await;
            return refused(Failure::retryable(what, "cannot be reached"));
        }
        if watch.strikes(Fault::WarehouseThrottles) {
            self.time.pass(5).await;
            let wait = Duration::from_secs(watch.below(120));
            return refused(Failure::retryable(what, "answered 429").after(Some(wait)));
        }
        if !self.key.opens(&self.lock, watch, Fault::WarehouseSecret) {
            self.time.pass(5).await;
            return refused(Failure::retryable(what, "answered 401: the credentials were refused"));
        }
        let (truth, time) = (self.books(), self.time.clone());
        let effect = self.net.effect(System::Warehouse, what, about, move || {
            let now = time.millis();
            apply(&mut truth.lock().unwrap_or_else(PoisonError::into_inner), now)
        });
        effect.await.map_err(|gone| Broken {
            failure: Failure::retryable(what, format!("{gone:?}")),
            not_applied: gone == Gone::NotDone,
        })
    }

    /// Nothing of another connection may come here.
    fn check_sender(&self, request: &FulfillmentRequest) {
        let Some(connection) = &self.serves else { return };
        let ours = order_of(&request.reference, connection)
            .is_some_and(|order| request.ship_to.name == canary(connection, order));
        if !ours {
            let line = format!("I7 crossed: {} came to the warehouse of {connection}", request.reference);
            self.net.watch().wrong(line);
        }
    }
}

#[async_trait]
impl OrderDesk for Wms {
    async fn create(&self, request: &FulfillmentRequest) -> Creation {
        const WHAT: &str = "warehouse: create";
        self.check_sender(request);
        let (class, watch) = (self.class, self.net.watch().clone());
        let asked = Asked {
            reference: request.reference.clone(),
            units: request.units(),
            street: request.ship_to.line1.clone(),
        };
        let about = || request.reference.to_string();
        let now = self.time.millis();
        self.truth().asked.entry(request.reference.clone()).or_default().add(now);
        let said = self.call(WHAT, about, move |truth, now| truth.take(class, asked, now, &watch)).await;
        if said.is_ok() && self.net.watch().strikes(Fault::HangsUp) {
            return Creation::Unclear(Failure::retryable(WHAT, "hung up before it had answered"));
        }
        match said {
            Ok(Said::Yes(id)) => Creation::Accepted(id),
            Ok(Said::Duplicate(id)) => Creation::Duplicate(Some(id)),
            Ok(Said::No(reason)) => Creation::Refused(reason),
            Err(Broken { failure, not_applied: true }) => Creation::NotApplied(failure),
            Err(Broken { failure, .. }) => Creation::Unclear(failure),
        }
    }
}

#[async_trait]
impl OrderLookup for Wms {
    async fn find(&self, reference: &Reference) -> Result<Option<WarehouseOrder>, Failure> {
        const WHAT: &str = "warehouse: find";
        let longest = u64::try_from(LAG.as_millis()).unwrap_or(0);
        let lag = match self.class {
            Class::D => longest,
            // It refuses duplicates at once; one of its two replicas shows them later.
            Class::U if self.net.watch().below(2) == 0 => longest,
            _ => 0,
        };
        let wanted = reference.clone();
        self.call(
            WHAT,
            || reference.to_string(),
            move |truth, now| {
                let found = truth.known(&wanted, now).find(|order| order.at + lag <= now);
                found.map(|order| WarehouseOrder { id: order.id.clone(), cancelled: order.cancelled })
            },
        )
        .await
        .map_err(|broken| broken.failure)
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
        let (wanted, watch) = (reference.clone(), self.net.watch().clone());
        // Who refuses what is cancelled already can be asked what it has.
        let refuses_again = matches!(self.declares, Class::U | Class::L | Class::D);
        self.call(
            WHAT,
            || reference.to_string(),
            move |truth, now| {
                if refuses_again && truth.known(&wanted, now).all(|order| order.cancelled) {
                    return Cancellation::Refused("nothing of it is left to cancel".to_owned());
                }
                if truth.known(&wanted, now).next().is_none() {
                    return Cancellation::Refused("it has no such order".to_owned());
                }
                if truth.known(&wanted, now).any(|order| order.shipped) {
                    return Cancellation::Refused("already shipped".to_owned());
                }
                let orders = truth.orders.iter_mut().filter(|order| order.reference == wanted);
                orders.for_each(|order| order.cancelled = true);
                watch.sometimes(Sometimes::Cancelled);
                Cancellation::Cancelled
            },
        )
        .await
        .map_err(|broken| broken.failure)
    }
}

/// A webhook's body: what it tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// The notice at this place of the warehouse's log.
    Package(usize),
    /// Only that something happened to the order of the notice at this place.
    Changed(usize),
    /// A package of an order that nobody knows.
    Stranger(Reference),
}

impl Told {
    pub(crate) fn body(&self) -> Vec<u8> {
        match self {
            Self::Package(place) => format!("package {place}"),
            Self::Changed(place) => format!("changed {place}"),
            Self::Stranger(reference) => format!("stranger {reference}"),
        }
        .into_bytes()
    }

    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let (word, rest) = text.split_once(' ')?;
        match word {
            "package" => rest.parse().ok().map(Self::Package),
            "changed" => rest.parse().ok().map(Self::Changed),
            "stranger" => Reference::parse(rest).ok().map(Self::Stranger),
            _ => None,
        }
    }
}

fn stranger(reference: Reference) -> Option<Heard> {
    Some(Heard::Shipped(ShipmentNotice {
        reference,
        warehouse_order: None,
        package: PackageId::parse("STRANGER").ok()?,
        shipped_at: None,
        tracking: None,
        contents: Contents::Everything,
        voided: false,
    }))
}

#[async_trait]
impl NoticeReader for Wms {
    /// Signed with the warehouse's secret: a process that has an old one does not know the sender.
    async fn verify(&self, raw: RawWebhook, _: Timestamp) -> Result<Webhook, Unverified> {
        if self.key.opens(&self.lock, self.net.watch(), Fault::WarehouseSecret) {
            return Ok(Webhook::verified(raw));
        }
        Err(Unverified::Stranger("the signature is of another secret".to_owned()))
    }

    fn read(&self, webhook: &Webhook) -> Result<Vec<Heard>, Failure> {
        let truth = self.truth();
        let heard = match Told::read(&webhook.raw().body) {
            Some(Told::Package(place)) => truth.shipped.get(place).cloned().map(Heard::Shipped),
            Some(Told::Changed(place)) => {
                truth.shipped.get(place).map(|notice| Heard::Changed(notice.reference.clone()))
            }
            Some(Told::Stranger(reference)) => stranger(reference),
            None => None,
        };
        heard.map(|heard| vec![heard]).ok_or_else(|| Failure::poison("read webhook", "garbled"))
    }
}

impl Wms {
    /// How many parcels of the feed come before a bookmark.
    pub(crate) fn place(bookmark: Option<&str>) -> usize {
        bookmark.and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

#[async_trait]
impl ShipmentFeed for Wms {
    async fn page(&self, bookmark: Option<&str>) -> Result<FeedPage, Failure> {
        const WHAT: &str = "warehouse: feed";
        let begin = Self::place(bookmark);
        self.call(
            WHAT,
            || begin.to_string(),
            move |truth, _| {
                let notices: Vec<ShipmentNotice> =
                    truth.shipped.iter().skip(begin).take(3).cloned().collect();
                let end = begin + notices.len();
                let more = end < truth.shipped.len();
                FeedPage { notices, unreadable: Vec::new(), bookmark: Some(end.to_string()), more }
            },
        )
        .await
        .map_err(|broken| broken.failure)
    }

    async fn acknowledge(&self, _: &[ShipmentNotice]) -> Result<(), Failure> {
        Ok(())
    }
}

#[async_trait]
impl ShipmentLookup for Wms {
    /// The packages of an order as they are now.
    async fn shipments(&self, reference: &Reference) -> Result<Vec<ShipmentNotice>, Failure> {
        const WHAT: &str = "warehouse: shipments";
        let wanted = reference.clone();
        self.call(
            WHAT,
            || reference.to_string(),
            move |truth, _| truth.packages_of(&wanted).into_values().cloned().collect(),
        )
        .await
        .map_err(|broken| broken.failure)
    }
}

#[async_trait]
impl Probe for Wms {
    async fn check(&self) -> Vec<Finding> {
        Vec::new()
    }
}
