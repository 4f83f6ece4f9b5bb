//! A warehouse that takes its time, is away for hours, and keeps its own books; and the way to it, which every process
//! paces for itself as the real adapters do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::Failure;
use domain::fulfillment::FulfillmentRequest;
use domain::ids::{Reference, WarehouseOrderId};
use domain::ports::{Finding, Probe};
use domain::shipment::ShipmentNotice;
use domain::warehouse::{
    Creation, FeedPage, Limits, Notices, OrderDesk, OrderLookup, Repeat, ShipmentFeed, Warehouse,
    WarehouseOrder,
};

use crate::executor::Time;
use crate::wms::Class;

/// How long a request takes, in milliseconds: from, and up to.
const LATENCY: (u64, u64) = (200, 800);

/// How long the adapter waits for an answer, in milliseconds: the default of `timeout_seconds`.
const PATIENCE: u64 = 30_000;

/// The distance of two requests of one process to one warehouse: the default of `requests_per_second`.
const INTERVAL: u64 = 250;

/// How a warehouse is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// It refuses the connection, or answers 503: certainly nothing happens.
    Refuses,
    /// It takes the connection and never answers: nobody can know what happens. Nothing does.
    Hangs,
}

/// What a warehouse has seen.
#[derive(Debug, Default)]
pub struct Books {
    /// When each reference was taken for the first time, in the world's milliseconds.
    pub taken: HashMap<Reference, u64>,
    /// References that were taken once more.
    pub twice: u64,
    /// Requests while it was there.
    pub requests: u64,
    /// Requests while it was away.
    pub in_vain: u64,
    /// Requests that asked for an order rather than brought one.
    pub asked: u64,
    /// How it is away, when it is.
    pub away: Option<Absence>,
    orders: u64,
}

/// The warehouse itself.
#[derive(Clone)]
pub struct House {
    class: Class,
    books: Arc<Mutex<Books>>,
    time: Time,
}

impl House {
    /// An empty warehouse.
    #[must_use]
    pub fn new(class: Class, time: Time) -> Self {
        Self { class, books: Arc::default(), time }
    }

    /// Its own books.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As the adapter of one process gives it.
    #[must_use]
    pub fn port(&self) -> Warehouse {
        let way = Arc::new(Way { house: self.clone(), next: Mutex::new(0) });
        let lookup: Arc<dyn OrderLookup> = way.clone();
        let repeat = match self.class {
            Class::K => Repeat::HonoursKey,
            Class::U => Repeat::RefusesDuplicates(lookup),
            Class::L | Class::D => Repeat::CanBeAsked { lookup, lag: Duration::ZERO },
            Class::N => Repeat::Cannot,
        };
        Warehouse {
            name: "simulated",
            limits: Limits { reference: 60, name: 100, street: 100, place: 100, sku: 50 },
            repeat,
            orders: way.clone(),
            cancel: None,
            notices: Notices::Polled(way.clone()),
            shipments: None,
            stock: None,
            probe: way,
        }
    }
}

/// The way of one process to the warehouse.
struct Way {
    house: House,
    /// When the next request of this process may start.
    next: Mutex<u64>,
}

impl Way {
    /// Waits for the turn of a request, and for its answer.
    async fn request(&self, asks: bool) -> Result<(), Absence> {
        let time = &self.house.time;
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(time.millis());
            *next = turn + INTERVAL;
            turn
        };
        time.pass(turn.saturating_sub(time.millis())).await;
        let away = {
            let mut books = self.house.books();
            books.asked += u64::from(asks);
            match books.away {
                Some(_) => books.in_vain += 1,
                None => books.requests += 1,
            }
            books.away
        };
        let takes = LATENCY.0 + time.below(LATENCY.1 - LATENCY.0);
        match away {
            None => time.pass(takes).await,
            Some(Absence::Refuses) => time.pass(takes / 4).await,
            Some(Absence::Hangs) => time.pass(PATIENCE).await,
        }
        away.map_or(Ok(()), Err)
    }
}

impl Books {
    fn take(&mut self, class: Class, reference: &Reference, now: u64) -> Creation {
        let known = self.taken.contains_key(reference);
        if known && class != Class::K && class != Class::U {
            self.twice += 1;
        }
        self.taken.entry(reference.clone()).or_insert(now);
        self.orders += 1;
        match WarehouseOrderId::parse(format!("WO{}", self.orders)) {
            Ok(id) if known && class == Class::U => Creation::Duplicate(Some(id)),
            Ok(id) => Creation::Accepted(id),
            Err(_) => Creation::Refused("no number left".to_owned()),
        }
    }
}

fn gone(during: &'static str, absence: Absence) -> Failure {
    Failure::retryable(during, format!("{absence:?}"))
}

#[async_trait]
impl OrderDesk for Way {
    async fn create(&self, request: &FulfillmentRequest) -> Creation {
        const DURING: &str = "warehouse: create";
        match self.request(false).await {
            Ok(()) => {
                let now = self.house.time.millis();
                self.house.books().take(self.house.class, &request.reference, now)
            }
            Err(Absence::Refuses) => Creation::NotApplied(gone(DURING, Absence::Refuses)),
            Err(Absence::Hangs) => Creation::Unclear(gone(DURING, Absence::Hangs)),
        }
    }
}

#[async_trait]
impl OrderLookup for Way {
    async fn find(&self, reference: &Reference) -> Result<Option<WarehouseOrder>, Failure> {
        self.request(true).await.map_err(|absence| gone("warehouse: find", absence))?;
        let known = self.house.books().taken.contains_key(reference);
        Ok(WarehouseOrderId::parse("WO")
            .ok()
            .filter(|_| known)
            .map(|id| WarehouseOrder { id, cancelled: false }))
    }
}

#[async_trait]
impl ShipmentFeed for Way {
    async fn page(&self, _: Option<&str>) -> Result<FeedPage, Failure> {
        Ok(FeedPage { notices: Vec::new(), unreadable: Vec::new(), bookmark: None, more: false })
    }

    async fn acknowledge(&self, _: &[ShipmentNotice]) -> Result<(), Failure> {
        Ok(())
    }
}

#[async_trait]
impl Probe for Way {
    async fn check(&self) -> Vec<Finding> {
        let ok = self.request(true).await.is_ok();
        vec![Finding { what: "warehouse".to_owned(), ok: Some(ok), detail: String::new() }]
    }
}
