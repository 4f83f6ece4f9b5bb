//! A store whose sales are known beforehand: an order is there from the moment of its sale.

use std::sync::Arc;

use async_trait::async_trait;
use domain::carrier::Tracking;
use domain::ports::{
    Finding, HintReader, ListPage, OrderSource, PostAnswer, Probe, Read, SinkMode, Store, TrackingSink,
    Window,
};
use domain::warehouse::{RawWebhook, Unverified, Webhook};
use domain::{Failure, OrderId};
use jiff::Timestamp;
use testkit::build;

use crate::executor::{BEGINNING, Time};

/// Orders on one page of the list, as 1ShoppingCart has them.
const PAGE: usize = 100;

/// How long a request takes, in milliseconds: from, and up to. Short, so that importing is not what holds orders up.
const LATENCY: (u64, u64) = (20, 80);

/// The store of one merchant.
#[derive(Clone)]
pub struct Shop {
    /// When each order is sold, in the world's milliseconds, ascending.
    sales: Arc<Vec<u64>>,
    /// The number of the first order.
    first: u64,
    time: Time,
}

/// An instant of the world.
#[must_use]
pub fn instant(millis: u64) -> Timestamp {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX / 2);
    Timestamp::from_millisecond(BEGINNING * 1000 + millis).unwrap_or(Timestamp::MAX)
}

impl Shop {
    /// A store that sells at these times.
    #[must_use]
    pub fn new(sales: Vec<u64>, first: u64, time: Time) -> Self {
        Self { sales: Arc::new(sales), first, time }
    }

    /// Its orders so far, with the times of their sales.
    pub fn sold(&self) -> impl Iterator<Item = (OrderId, u64)> {
        let sold = self.sales.partition_point(|at| *at <= self.time.millis());
        self.sales.iter().take(sold).enumerate().map(|(n, at)| (OrderId(self.first + n as u64), *at))
    }

    /// As the adapter gives it.
    #[must_use]
    pub fn port(&self) -> Store {
        let me = Arc::new(self.clone());
        Store { orders: me.clone(), tracking: me.clone(), hints: me.clone(), probe: me, products: None }
    }

    async fn answer(&self) {
        self.time.pass(LATENCY.0 + self.time.below(LATENCY.1 - LATENCY.0)).await;
    }

    /// When this order was sold, if it has been.
    fn sale(&self, order: OrderId) -> Option<u64> {
        let index = usize::try_from(order.0.checked_sub(self.first)?).ok()?;
        self.sales.get(index).copied().filter(|at| *at <= self.time.millis())
    }
}

#[async_trait]
impl OrderSource for Shop {
    async fn list(&self, window: Window, offset: u32) -> Result<ListPage, Failure> {
        self.answer().await;
        let from = window.from.unwrap_or(Timestamp::MIN);
        let now = self.time.millis();
        let begin = self.sales.partition_point(|at| instant(*at) < from);
        let end = self.sales.partition_point(|at| *at <= now && instant(*at) <= window.to);
        let begin = (begin + offset as usize).min(end);
        let stop = (begin + PAGE).min(end);
        let orders = (begin..stop).map(|n| OrderId(self.first + n as u64)).collect();
        let next = (stop < end).then(|| offset + u32::try_from(PAGE).unwrap_or(u32::MAX));
        Ok(ListPage { orders, next_offset: next })
    }

    async fn read(&self, which: &str) -> Result<Read, Failure> {
        self.answer().await;
        let sale = which.parse().ok().and_then(|id| self.sale(id).map(|at| (id, at)));
        Ok(sale.map_or(Read::Absent, |(id, at)| {
            let mut order = build::order(id.0);
            order.ordered_at = Some(instant(at));
            Read::Order(Box::new(order))
        }))
    }
}

#[async_trait]
impl TrackingSink for Shop {
    async fn mode(&self) -> Result<SinkMode, Failure> {
        Ok(SinkMode::Off)
    }

    async fn shown(&self, _: OrderId) -> Result<Vec<String>, Failure> {
        Ok(Vec::new())
    }

    async fn post(&self, _: OrderId, _: &Tracking, _: Timestamp) -> Result<PostAnswer, Failure> {
        Ok(PostAnswer::Taken)
    }

    fn verifies(&self) -> bool {
        false
    }
}

#[async_trait]
impl HintReader for Shop {
    async fn verify(&self, raw: RawWebhook) -> Result<Webhook, Unverified> {
        Ok(Webhook::verified(raw))
    }

    fn read(&self, _: &Webhook) -> Result<Vec<String>, Failure> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Probe for Shop {
    async fn check(&self) -> Vec<Finding> {
        Vec::new()
    }
}
