//! The simulated store behind the ports: its own truth, and what it was told, reached over the unreliable network.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::carrier::Tracking;
use domain::order::Order;
use domain::ports::{
    Finding, HintReader, ListPage, OrderSource, PostAnswer, Probe, Read, SinkMode, Store, TrackingSink,
    Window,
};
use domain::warehouse::{RawWebhook, Unverified, Webhook};
use domain::{Failure, OrderId};
use jiff::Timestamp;

use crate::net::{Gone, Net, System};

/// So many orders are on one page of the list: few, so that there are many pages.
const PAGE: usize = 4;

/// One order in the store.
#[derive(Debug, Clone)]
pub struct Sold {
    /// The document.
    pub order: Order,
    /// The tracking numbers that the store shows.
    pub shown: Vec<String>,
    /// How often each number was written.
    pub writes: BTreeMap<String, u32>,
    /// The document cannot be read for now.
    pub unreadable: bool,
}

/// The store's truth.
#[derive(Debug, Default)]
pub struct Truth {
    /// Its orders.
    pub orders: BTreeMap<OrderId, Sold>,
    /// LIST and READ calls, for the budget.
    pub calls: u64,
}

/// The store.
#[derive(Clone)]
pub struct Cart {
    truth: Arc<Mutex<Truth>>,
    net: Net,
}

impl Cart {
    /// An empty store.
    #[must_use]
    pub fn new(net: Net) -> Self {
        Self { truth: Arc::default(), net }
    }

    /// The store's own books.
    pub fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The buyer orders.
    pub fn sell(&self, order: Order) {
        let sold = Sold { order, shown: Vec::new(), writes: BTreeMap::new(), unreadable: false };
        self.truth().orders.insert(sold.order.id, sold);
    }

    /// As the adapter gives it.
    #[must_use]
    pub fn store(&self) -> Store {
        let me = Arc::new(self.clone());
        Store { orders: me.clone(), tracking: me.clone(), hints: me.clone(), probe: me }
    }

    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        about: String,
        apply: impl FnOnce(&mut Truth) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let truth = self.truth.clone();
        let answer = self.net.effect(
            System::Store,
            what,
            || about,
            move || {
                let mut truth = truth.lock().unwrap_or_else(PoisonError::into_inner);
                truth.calls += 1;
                apply(&mut truth)
            },
        );
        answer.await.map_err(|gone: Gone| Failure::retryable(what, format!("{gone:?}")))
    }
}

#[async_trait]
impl OrderSource for Cart {
    async fn list(&self, window: Window, offset: u32) -> Result<ListPage, Failure> {
        self.call("store: list", format!("offset {offset}"), move |truth| {
            let inside = |at: Timestamp| window.from.is_none_or(|from| at >= from) && at <= window.to;
            let all = truth.orders.values().filter(|sold| sold.order.ordered_at.is_some_and(inside));
            let ids: Vec<OrderId> = all.map(|sold| sold.order.id).collect();
            let begin = (offset as usize).min(ids.len());
            let end = (begin + PAGE).min(ids.len());
            let next = (end < ids.len()).then(|| u32::try_from(end).unwrap_or(u32::MAX));
            ListPage { orders: ids.get(begin..end).unwrap_or_default().to_vec(), next_offset: next }
        })
        .await
    }

    async fn read(&self, which: &str) -> Result<Read, Failure> {
        let id: Option<OrderId> = which.parse().ok();
        self.call("store: read", which.to_owned(), move |truth| {
            match id.and_then(|id| truth.orders.get(&id)) {
                None => Read::Absent,
                Some(sold) if sold.unreadable => Read::Unreadable { order: id, why: "garbled".to_owned() },
                Some(sold) => {
                    Read::Order(Box::new(Order { tracking_shown: sold.shown.clone(), ..sold.order.clone() }))
                }
            }
        })
        .await
    }
}

#[async_trait]
impl TrackingSink for Cart {
    async fn mode(&self) -> Result<SinkMode, Failure> {
        Ok(SinkMode::Api)
    }

    async fn shown(&self, order: OrderId) -> Result<Vec<String>, Failure> {
        self.call("store: shown", order.to_string(), move |truth| {
            truth.orders.get(&order).map(|sold| sold.shown.clone()).unwrap_or_default()
        })
        .await
    }

    async fn post(&self, order: OrderId, tracking: &Tracking, _: Timestamp) -> Result<PostAnswer, Failure> {
        let number = tracking.number.as_str().to_owned();
        self.call("store: post", format!("{order} {number}"), move |truth| {
            let Some(sold) = truth.orders.get_mut(&order) else {
                return PostAnswer::Refused("no such order".to_owned());
            };
            *sold.writes.entry(number.clone()).or_default() += 1;
            if !sold.shown.contains(&number) {
                sold.shown.push(number);
            }
            PostAnswer::Taken
        })
        .await
    }

    fn verifies(&self) -> bool {
        true
    }
}

#[async_trait]
impl HintReader for Cart {
    async fn verify(&self, raw: RawWebhook) -> Result<Webhook, Unverified> {
        Ok(Webhook::verified(raw))
    }

    fn read(&self, webhook: &Webhook) -> Result<Vec<String>, Failure> {
        Ok(vec![String::from_utf8_lossy(&webhook.raw().body).into_owned()])
    }
}

#[async_trait]
impl Probe for Cart {
    async fn check(&self) -> Vec<Finding> {
        Vec::new()
    }
}
