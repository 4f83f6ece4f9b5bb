//! The simulated store behind the ports: its own truth, and what it was told, reached over the unreliable network.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::carrier::Tracking;
use domain::order::Order;
use domain::payment::PaymentStatus;
use domain::ports::{
    Finding, HintReader, ListPage, OrderSource, PostAnswer, Probe, Read, SinkMode, Store, TrackingSink,
    Window,
};
use domain::warehouse::{RawWebhook, Unverified, Webhook};
use domain::{Failure, OrderId};
use jiff::Timestamp;

use crate::coverage::Fault;
use crate::executor::Process;
use crate::key::{Key, Lock};
use crate::net::{Gone, Net, System};
use crate::wms::Wms;

/// So many orders are on one page of the list: few, so that there are many pages.
const PAGE: usize = 4;

/// How long a request waits for its turn when the store is slow, in milliseconds.
const SLOW: u64 = 100_000;

/// One order in the store.
#[derive(Debug, Clone)]
pub struct Sold {
    /// The document.
    pub order: Order,
    /// The street to which it was to go at first.
    pub first_street: Option<String>,
    /// The tracking numbers that the store shows.
    pub shown: Vec<String>,
    /// How often each number was written.
    pub writes: BTreeMap<String, u32>,
    /// Which process wrote each number last.
    pub writers: BTreeMap<String, Process>,
    /// The document cannot be read for now.
    pub unreadable: bool,
    /// Was it paid at any time?
    pub ever_paid: bool,
    /// The store does not have it (any more).
    pub vanished: bool,
    /// There was a time when it did not.
    pub ever_vanished: bool,
    /// Until then the list does not show it.
    pub unlisted_until: u64,
    /// How often it was read.
    pub reads: u32,
}

/// The store's truth.
#[derive(Debug, Default)]
pub struct Truth {
    /// Its orders.
    pub orders: BTreeMap<OrderId, Sold>,
    /// Their numbers by the date on which they were placed.
    pub by_date: BTreeSet<(Timestamp, OrderId)>,
    /// LIST and READ calls, for the budget.
    pub calls: u64,
    /// Until then it is down, in the world's milliseconds.
    pub down_until: u64,
}

/// The store.
#[derive(Clone)]
pub struct Cart {
    truth: Arc<Mutex<Truth>>,
    net: Net,
    /// Its key, as it is now.
    pub lock: Lock,
    /// The key of whoever calls, and who it is.
    key: Key,
    process: Process,
    /// Its own warehouse: whose packages may be posted here.
    wms: Option<Wms>,
}

impl Cart {
    /// An empty store.
    #[must_use]
    pub fn new(net: Net) -> Self {
        let lock = Lock::default();
        Self { truth: Arc::default(), net, key: lock.key(), process: 0, lock, wms: None }
    }

    /// The same store, of which is known which warehouse ships for it.
    #[must_use]
    pub fn served_by(self, wms: &Wms) -> Self {
        Self { wms: Some(wms.clone()), ..self }
    }

    /// The same store, as a process with this key sees it.
    #[must_use]
    pub(crate) fn seen_by(&self, process: Process, key: Key) -> Self {
        Self { process, key, ..self.clone() }
    }

    /// The store's own books.
    pub fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The buyer orders.
    pub fn sell(&self, order: Order) {
        let sold = Sold {
            ever_paid: order.payment == PaymentStatus::Accepted,
            first_street: order.ship_to.as_ref().map(|to| to.line1.clone()),
            order,
            shown: Vec::new(),
            writes: BTreeMap::new(),
            writers: BTreeMap::new(),
            unreadable: false,
            vanished: false,
            ever_vanished: false,
            unlisted_until: 0,
            reads: 0,
        };
        let mut truth = self.truth();
        truth.by_date.extend(sold.order.ordered_at.map(|at| (at, sold.order.id)));
        truth.orders.insert(sold.order.id, sold);
    }

    /// As the adapter gives it.
    #[must_use]
    pub fn store(&self) -> Store {
        let me = Arc::new(self.clone());
        Store { orders: me.clone(), tracking: me.clone(), hints: me.clone(), probe: me, products: None }
    }

    /// One call, with everything that the real adapter can meet on its way.
    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        about: impl FnOnce() -> String + Send,
        apply: impl FnOnce(&mut Truth) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (watch, time) = (self.net.watch(), self.net.time());
        if watch.strikes(Fault::StoreSlow) {
            time.pass(watch.below(SLOW)).await;
        }
        if self.truth().down_until > time.millis() {
            time.pass(20).await;
            return Err(
                Failure::retryable(what, "answered 503").after(Some(Duration::from_secs(watch.below(90))))
            );
        }
        if !self.key.opens(&self.lock, watch, Fault::StoreSecret) {
            time.pass(20).await;
            return Err(Failure::retryable(what, "the store refused the key; check merchant_id and api_key"));
        }
        // A page of HTML comes instead of the answer, or instead of the store.
        let html = watch.strikes(Fault::StoreHtml);
        let reaches = !html || watch.below(2) == 0;
        let truth = self.truth.clone();
        let effect = self.net.effect(System::Store, what, about, move || {
            reaches.then(|| {
                let mut truth = truth.lock().unwrap_or_else(PoisonError::into_inner);
                truth.calls += 1;
                apply(&mut truth)
            })
        });
        match effect.await {
            Ok(Some(done)) if !html => Ok(done),
            Ok(_) => Err(Failure::retryable(what, "the answer cannot be read: it is no XML")),
            Err(Gone::NotDone) => Err(Failure::retryable(what, "cannot be reached")),
            Err(Gone::Unclear) => Err(Failure::retryable(what, "did not answer in time")),
        }
    }
}

/// The numbers of a window, ascending.
fn listed(truth: &Truth, window: Window, now: u64) -> Vec<OrderId> {
    let from = window.from.unwrap_or(Timestamp::MIN);
    if from > window.to {
        return Vec::new();
    }
    let placed = truth.by_date.range((from, OrderId(0))..=(window.to, OrderId(u64::MAX)));
    let placed = placed.filter_map(|(_, order)| truth.orders.get(order));
    let shown = placed.filter(|sold| !sold.vanished && sold.unlisted_until <= now);
    let mut numbers: Vec<OrderId> = shown.map(|sold| sold.order.id).collect();
    numbers.sort_unstable();
    numbers
}

#[async_trait]
impl OrderSource for Cart {
    async fn list(&self, window: Window, offset: u32) -> Result<ListPage, Failure> {
        let (watch, time) = (self.net.watch().clone(), self.net.time().clone());
        self.call(
            "store: list",
            || format!("offset {offset}"),
            move |truth| {
                let now = time.millis();
                // Between two pages an order of an earlier one goes from the list for a while: the rest moves up by one.
                if offset > 0 && watch.strikes(Fault::PagesShift) {
                    let first = listed(truth, window, now).first().copied();
                    if let Some(sold) = first.and_then(|first| truth.orders.get_mut(&first)) {
                        sold.unlisted_until = now + watch.below(600_000);
                    }
                }
                let ids = listed(truth, window, now);
                let begin = (offset as usize).min(ids.len());
                let end = (begin + PAGE).min(ids.len());
                let mut orders = ids.get(begin..end).unwrap_or_default().to_vec();
                if let Some(first) = orders.first().copied().filter(|_| watch.strikes(Fault::ListedTwice)) {
                    orders.push(first);
                }
                let next_offset = (end < ids.len()).then(|| u32::try_from(end).unwrap_or(u32::MAX));
                ListPage { orders, next_offset }
            },
        )
        .await
    }

    async fn read(&self, which: &str) -> Result<Read, Failure> {
        let id: Option<OrderId> = which.parse().ok();
        self.call(
            "store: read",
            || which.to_owned(),
            move |truth| {
                let sold = id.and_then(|id| truth.orders.get_mut(&id)).filter(|sold| !sold.vanished);
                let Some(sold) = sold else { return Read::Absent };
                sold.reads += 1;
                if sold.unreadable {
                    return Read::Unreadable { order: id, why: "garbled".to_owned() };
                }
                Read::Order(Box::new(Order { tracking_shown: sold.shown.clone(), ..sold.order.clone() }))
            },
        )
        .await
    }
}

#[async_trait]
impl TrackingSink for Cart {
    async fn mode(&self) -> Result<SinkMode, Failure> {
        Ok(SinkMode::Api)
    }

    async fn shown(&self, order: OrderId) -> Result<Vec<String>, Failure> {
        const WHAT: &str = "store: shown";
        let shown = self.call(
            WHAT,
            || order.to_string(),
            move |truth| {
                truth.orders.get(&order).filter(|sold| !sold.vanished).map(|sold| sold.shown.clone())
            },
        );
        let none = || Failure::permanent(WHAT, format!("the store has no order {order}"));
        shown.await?.ok_or_else(none)
    }

    async fn post(&self, order: OrderId, tracking: &Tracking, _: Timestamp) -> Result<PostAnswer, Failure> {
        let number = tracking.number.as_str().to_owned();
        let about = || format!("{order} {}", tracking.number.as_str());
        let (watch, wms, process) = (self.net.watch().clone(), self.wms.clone(), self.process);
        self.call("store: post", about, move |truth| {
            if wms.is_some_and(|wms| !wms.has_shipped(order, &number)) {
                watch.wrong(format!(
                    "I4/I7 posted without cause: {number} on order {order} is no package of it"
                ));
            }
            let Some(sold) = truth.orders.get_mut(&order).filter(|sold| !sold.vanished) else {
                return PostAnswer::Refused("error 2040: the store has no such order".to_owned());
            };
            let writes = sold.writes.entry(number.clone()).or_default();
            *writes += 1;
            if *writes > 1 {
                watch.wrong(format!("I3 posted {writes} times: {number} of order {order}"));
            }
            sold.writers.insert(number.clone(), process);
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
