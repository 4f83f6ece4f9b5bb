//! A store in memory: its orders, what its pages show of tracking, and its notifications.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use domain::carrier::Tracking;
use domain::life::later;
use domain::order::Order;
use domain::payment::PaymentStatus;
use domain::ports::{
    Clock, Finding, HintReader, ListPage, OrderSource, PostAnswer, Probe, Read, SinkMode, Store,
    TrackingSink, Window,
};
use domain::warehouse::{RawWebhook, Unverified, Webhook};
use domain::{Failure, OrderId};
use jiff::Timestamp;

use super::fate::meet;
use super::{Fate, Gate, Lost, World, inside};

/// A store in memory. Effects are called `store.…`.
pub struct ModelStore {
    gate: Gate,
    clock: Arc<dyn Clock>,
    shop: Mutex<Shop>,
}

/// One post that reached the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// For which order.
    pub order: OrderId,
    /// Which tracking number.
    pub number: String,
}

/// What a test may set of a store, and see of it.
struct Shop {
    orders: BTreeMap<OrderId, Order>,
    /// Listed in this order: by date, then by number.
    broken: BTreeMap<OrderId, Broken>,
    tokens: BTreeMap<String, OrderId>,
    page: usize,
    /// How many orders of a page come again on the next one.
    repeats: usize,
    mode: SinkMode,
    shows: bool,
    verifies: bool,
    refuses: Option<String>,
    posts: Vec<Posted>,
    in_flight: Vec<(Timestamp, Posted)>,
    secret: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Unreadable,
    Failing,
    Vanished,
}

impl Default for Shop {
    fn default() -> Self {
        Self {
            orders: BTreeMap::new(),
            broken: BTreeMap::new(),
            tokens: BTreeMap::new(),
            page: 100,
            repeats: 0,
            mode: SinkMode::Api,
            shows: true,
            verifies: true,
            refuses: None,
            posts: Vec::new(),
            in_flight: Vec::new(),
            secret: "unguessable".to_owned(),
        }
    }
}

impl ModelStore {
    /// A store without orders, that takes tracking and shows it.
    #[must_use]
    pub fn new(world: Arc<dyn World>, clock: Arc<dyn Clock>) -> Self {
        Self { gate: Gate(world), clock, shop: Mutex::default() }
    }

    fn shop(&self) -> MutexGuard<'_, Shop> {
        inside(&self.shop)
    }

    /// Places an order, or replaces it.
    pub fn place(&self, order: Order) {
        self.shop().orders.insert(order.id, order);
    }

    /// Changes an order.
    pub fn change(&self, order: u64, act: impl FnOnce(&mut Order)) {
        if let Some(order) = self.shop().orders.get_mut(&OrderId(order)) {
            act(order);
        }
    }

    /// Changes an order's payment status.
    pub fn pay(&self, order: u64, payment: PaymentStatus) {
        self.change(order, |order| order.payment = payment);
    }

    /// Makes an order's document one that nobody can read.
    pub fn garble(&self, order: u64) {
        self.shop().broken.insert(OrderId(order), Broken::Unreadable);
    }

    /// Makes reading an order fail.
    pub fn fail(&self, order: u64) {
        self.shop().broken.insert(OrderId(order), Broken::Failing);
    }

    /// Makes the store list an order and not have it.
    pub fn lose(&self, order: u64) {
        self.shop().broken.insert(OrderId(order), Broken::Vanished);
    }

    /// Makes an order readable again.
    pub fn mend(&self, order: u64) {
        self.shop().broken.remove(&OrderId(order));
    }

    /// Makes a notification's token stand for an order.
    pub fn token(&self, token: &str, order: u64) {
        self.shop().tokens.insert(token.to_owned(), OrderId(order));
    }

    /// Lists so many orders a page, of which so many come again on the next page.
    pub fn pages(&self, of: usize, repeats: usize) {
        let mut shop = self.shop();
        (shop.page, shop.repeats) = (of.max(1), repeats);
    }

    /// Sets where tracking goes.
    pub fn mode(&self, mode: SinkMode) {
        self.shop().mode = mode;
    }

    /// Sets whether what was posted is shown, and whether that must be checked.
    pub fn shows(&self, shows: bool, verifies: bool) {
        let mut shop = self.shop();
        (shop.shows, shop.verifies) = (shows, verifies);
    }

    /// Makes the store refuse tracking.
    pub fn refuses(&self, reason: &str) {
        self.shop().refuses = Some(reason.to_owned());
    }

    /// Every post that has reached the store, refused ones excluded, oldest first.
    #[must_use]
    pub fn posts(&self) -> Vec<Posted> {
        let mut shop = self.shop();
        shop.land(self.clock.now());
        shop.posts.clone()
    }

    /// The store's notification about these tokens, as it arrives at the address with this secret.
    #[must_use]
    pub fn hint(&self, secret: &str, tokens: &[&str]) -> RawWebhook {
        let body = tokens.join("\n").into_bytes();
        RawWebhook { headers: Vec::new(), path_rest: secret.to_owned(), body }
    }

    /// The store as its ports.
    #[must_use]
    pub fn port(self: &Arc<Self>) -> Store {
        Store {
            orders: self.clone(),
            tracking: self.clone(),
            hints: self.clone(),
            probe: self.clone(),
            products: None,
        }
    }
}

impl Shop {
    fn land(&mut self, now: Timestamp) {
        let (landed, flying) =
            std::mem::take(&mut self.in_flight).into_iter().partition(|(at, _)| *at <= now);
        self.in_flight = flying;
        self.posts.extend(Vec::into_iter(landed).map(|(_, post)| post));
    }

    fn list(&self, window: Window, offset: u32) -> ListPage {
        let within = |order: &&Order| {
            order.ordered_at.is_none_or(|at| window.from.is_none_or(|from| at >= from) && at <= window.to)
        };
        let mut all: Vec<&Order> = self.orders.values().filter(within).collect();
        all.sort_by_key(|order| (order.ordered_at, order.id));
        let begin = usize::try_from(offset).unwrap_or(usize::MAX);
        let first = begin.saturating_sub(if begin == 0 { 0 } else { self.repeats });
        let end = begin.saturating_add(self.page);
        let page = all.iter().skip(first).take(end - first).map(|order| order.id);
        let next_offset = u32::try_from(end).ok().filter(|_| end < all.len());
        ListPage { orders: page.collect(), next_offset }
    }

    fn read(&self, which: &str) -> Result<Read, Failure> {
        let id = self.tokens.get(which).copied().or_else(|| which.parse().ok());
        let Some((id, order)) = id.and_then(|id| Some((id, self.orders.get(&id)?))) else {
            return Ok(Read::Absent);
        };
        match self.broken.get(&id) {
            None => Ok(Read::Order(Box::new(order.clone()))),
            Some(Broken::Vanished) => Ok(Read::Absent),
            Some(Broken::Unreadable) => {
                Ok(Read::Unreadable { order: Some(id), why: "line 3: not a number".to_owned() })
            }
            Some(Broken::Failing) => Err(Failure::retryable("read order", "the store answered 500")),
        }
    }

    fn post(&mut self, post: Posted) -> PostAnswer {
        match &self.refuses {
            Some(reason) => PostAnswer::Refused(reason.clone()),
            None => {
                self.posts.push(post);
                PostAnswer::Taken
            }
        }
    }
}

#[async_trait]
impl OrderSource for ModelStore {
    async fn list(&self, window: Window, offset: u32) -> Result<ListPage, Failure> {
        self.gate.through("store.list", || self.shop().list(window, offset)).await
    }

    async fn read(&self, which: &str) -> Result<Read, Failure> {
        self.gate.through("store.read", || self.shop().read(which)).await?
    }
}

#[async_trait]
impl TrackingSink for ModelStore {
    async fn mode(&self) -> Result<SinkMode, Failure> {
        self.gate.through("store.mode", || self.shop().mode.clone()).await
    }

    async fn shown(&self, order: OrderId) -> Result<Vec<String>, Failure> {
        let shown = || {
            let mut shop = self.shop();
            shop.land(self.clock.now());
            if shop.broken.get(&order) == Some(&Broken::Vanished) {
                return Err(Failure::permanent("store.shown", format!("the store has no order {order}")));
            }
            let of_store = shop.orders.get(&order).map(|order| order.tracking_shown.clone());
            let ours = shop.posts.iter().filter(|post| shop.shows && post.order == order);
            let ours: BTreeSet<String> = ours.map(|post| post.number.clone()).collect();
            Ok(of_store.into_iter().flatten().chain(ours).collect())
        };
        self.gate.through("store.shown", shown).await?
    }

    async fn post(
        &self,
        order: OrderId,
        tracking: &Tracking,
        _shipped_at: Timestamp,
    ) -> Result<PostAnswer, Failure> {
        const WHAT: &str = "store.post";
        let post = Posted { order, number: tracking.number.as_str().to_owned() };
        match self.gate.0.effect(WHAT).await {
            Fate::Late(by) => {
                self.shop().in_flight.push((later(self.clock.now(), by), post));
                Err(Lost::Unknown.failure(WHAT))
            }
            fate => meet(fate, || self.shop().post(post)).await.map_err(|lost| lost.failure(WHAT)),
        }
    }

    fn verifies(&self) -> bool {
        self.shop().verifies
    }
}

#[async_trait]
impl HintReader for ModelStore {
    async fn verify(&self, raw: RawWebhook) -> Result<Webhook, Unverified> {
        let known = raw.path_rest == self.shop().secret;
        if known {
            Ok(Webhook::verified(raw))
        } else {
            Err(Unverified::Stranger("not our address".to_owned()))
        }
    }

    fn read(&self, webhook: &Webhook) -> Result<Vec<String>, Failure> {
        let text = std::str::from_utf8(&webhook.raw().body)
            .map_err(|_| Failure::poison("read notification", "not UTF-8"))?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

#[async_trait]
impl Probe for ModelStore {
    async fn check(&self) -> Vec<Finding> {
        let ok = self.gate.pass("store.check", || ()).await.is_ok();
        vec![Finding { what: "store".to_owned(), ok: Some(ok), detail: "a model".to_owned() }]
    }
}
