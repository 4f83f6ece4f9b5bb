//! A warehouse in memory, as the use cases see it.

use async_trait::async_trait;
use domain::Failure;
use domain::fulfillment::FulfillmentRequest;
use domain::ids::{Reference, WarehouseOrderId};
use domain::life::later;
use domain::ports::{Finding, Probe};
use domain::shipment::ShipmentNotice;
use domain::warehouse::{
    Cancellation, Creation, FeedPage, Heard, NoticeReader, OrderCancellation, OrderDesk, OrderLookup,
    RawWebhook, ShipmentFeed, ShipmentLookup, Unverified, WarehouseOrder, Webhook,
};
use jiff::Timestamp;

use super::fate::meet;
use super::warehouse::House;
use super::{Class, Created, Fate, Lost, ModelWarehouse};

impl House {
    fn find(&self, reference: &Reference) -> Option<&Created> {
        self.orders.iter().find(|order| order.request.reference == *reference)
    }

    /// Asks for an order, at `at`.
    pub(super) fn create(&mut self, class: Class, request: &FulfillmentRequest, at: Timestamp) -> Creation {
        let known = self.find(&request.reference).map(|order| order.id.clone());
        if self.calls_duplicate {
            return Creation::Duplicate(known.filter(|_| self.names_duplicates));
        }
        if let Some(reason) = &self.refuses {
            return Creation::Refused(reason.clone());
        }
        match (class, known) {
            (Class::K, Some(id)) => Creation::Accepted(id),
            (Class::U, Some(id)) => Creation::Duplicate(Some(id).filter(|_| self.names_duplicates)),
            _ => self.take(request, at),
        }
    }

    fn take(&mut self, request: &FulfillmentRequest, at: Timestamp) -> Creation {
        let number = self.orders.len() + 1;
        let Ok(id) = WarehouseOrderId::parse(format!("W-{number}")) else {
            return Creation::Refused("no number left".to_owned());
        };
        self.orders.push(Created { id: id.clone(), request: request.clone(), at, cancelled: false });
        Creation::Accepted(id)
    }

    fn cancel(&mut self, reference: &Reference) -> Cancellation {
        if let Some(reason) = &self.too_late {
            return Cancellation::Refused(reason.clone());
        }
        let mut ours =
            self.orders.iter_mut().filter(|order| order.request.reference == *reference).peekable();
        if ours.peek().is_none() {
            return Cancellation::Refused("no such order".to_owned());
        }
        let mut live = ours.filter(|order| !order.cancelled).peekable();
        if live.peek().is_none() {
            return Cancellation::Refused("it is cancelled already".to_owned());
        }
        live.for_each(|order| order.cancelled = true);
        Cancellation::Cancelled
    }

    fn page(&self, bookmark: Option<&str>) -> FeedPage {
        let begin: usize = bookmark.and_then(|text| text.parse().ok()).unwrap_or(0);
        let end = begin.saturating_add(self.page).min(self.feed.len());
        let notices = self.feed.get(begin..end).unwrap_or_default().to_vec();
        let unreadable = self.unreadable.range(begin..=end).map(|(_, why)| why.clone()).collect();
        FeedPage { notices, unreadable, bookmark: Some(end.to_string()), more: end < self.feed.len() }
    }
}

#[async_trait]
impl OrderDesk for ModelWarehouse {
    async fn create(&self, request: &FulfillmentRequest) -> Creation {
        const WHAT: &str = "warehouse.create";
        let fate = self.gate.0.effect(WHAT).await;
        if let Fate::Late(by) = fate {
            self.house().in_flight.push((later(self.clock.now(), by), request.clone()));
            return std::future::pending().await;
        }
        let create = || self.house().create(self.class(), request, self.clock.now());
        match meet(fate, create).await {
            Ok(creation) => creation,
            Err(lost @ Lost::Before(_)) => Creation::NotApplied(lost.failure(WHAT)),
            Err(lost @ Lost::Unknown) => Creation::Unclear(lost.failure(WHAT)),
        }
    }
}

#[async_trait]
impl OrderLookup for ModelWarehouse {
    async fn find(&self, reference: &Reference) -> Result<Option<WarehouseOrder>, Failure> {
        let find = || {
            let house = self.house();
            let found = house.find(reference)?;
            let shown_at = match self.class() {
                Class::L(lag) => later(found.at, lag),
                _ => found.at,
            };
            (shown_at <= self.clock.now())
                .then(|| WarehouseOrder { id: found.id.clone(), cancelled: found.cancelled })
        };
        self.gate.through("warehouse.find", find).await
    }
}

#[async_trait]
impl OrderCancellation for ModelWarehouse {
    async fn cancel(
        &self,
        reference: &Reference,
        _order: Option<&WarehouseOrderId>,
    ) -> Result<Cancellation, Failure> {
        self.gate.through("warehouse.cancel", || self.house().cancel(reference)).await
    }
}

#[async_trait]
impl NoticeReader for ModelWarehouse {
    async fn verify(&self, raw: RawWebhook, _now: Timestamp) -> Result<Webhook, Unverified> {
        match raw.header("x-secret") {
            Some("genuine") => Ok(Webhook::verified(raw)),
            _ => Err(Unverified::Stranger("the secret is wrong".to_owned())),
        }
    }

    fn read(&self, webhook: &Webhook) -> Result<Vec<Heard>, Failure> {
        let text = std::str::from_utf8(&webhook.raw().body).unwrap_or_default();
        let heard = text.parse().ok().and_then(|at: usize| self.house().told.get(at).cloned());
        heard.ok_or_else(|| Failure::poison("read webhook", "not one of ours"))
    }
}

#[async_trait]
impl ShipmentFeed for ModelWarehouse {
    async fn page(&self, bookmark: Option<&str>) -> Result<FeedPage, Failure> {
        self.gate.through("warehouse.page", || self.house().page(bookmark)).await
    }

    async fn acknowledge(&self, notices: &[ShipmentNotice]) -> Result<(), Failure> {
        let acknowledge =
            || self.house().acknowledged.extend(notices.iter().map(|notice| notice.package.clone()));
        self.gate.through("warehouse.acknowledge", acknowledge).await
    }
}

#[async_trait]
impl ShipmentLookup for ModelWarehouse {
    async fn shipments(&self, reference: &Reference) -> Result<Vec<ShipmentNotice>, Failure> {
        let shipments = || {
            let house = self.house();
            house.feed.iter().filter(|notice| notice.reference == *reference).cloned().collect()
        };
        self.gate.through("warehouse.shipments", shipments).await
    }
}

#[async_trait]
impl Probe for ModelWarehouse {
    async fn check(&self) -> Vec<Finding> {
        let ok = self.gate.pass("warehouse.check", || ()).await.is_ok();
        vec![Finding { what: "warehouse".to_owned(), ok: Some(ok), detail: "a model".to_owned() }]
    }
}
