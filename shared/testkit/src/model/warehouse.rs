//! A warehouse in memory: what it was asked for, and what a test lets it do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use domain::carrier::{Carrier, Tracking, TrackingNumber};
use domain::fulfillment::FulfillmentRequest;
use domain::ids::{PackageId, Reference, WarehouseOrderId};
use domain::ports::Clock;
use domain::shipment::{Contents, ShipmentNotice};
use domain::warehouse::{Heard, Limits, Notices, RawWebhook, Repeat, Warehouse};
use jiff::Timestamp;

use super::{Gate, World, inside};

/// What the warehouse gives us against duplicates (see [`Repeat`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It honours our reference as an idempotency key.
    K,
    /// It refuses a second order with the same reference.
    U,
    /// It takes duplicates, and can be asked; its answers lag by so much.
    L(Duration),
    /// It takes duplicates, and cannot be asked.
    N,
}

/// One order of the warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its id there.
    pub id: WarehouseOrderId,
    /// What was asked for.
    pub request: FulfillmentRequest,
    /// When.
    pub at: Timestamp,
    /// Has it been cancelled?
    pub cancelled: bool,
}

/// A warehouse in memory. Effects are called `warehouse.…`.
pub struct ModelWarehouse {
    pub(super) gate: Gate,
    pub(super) clock: Arc<dyn Clock>,
    class: Class,
    house: Mutex<House>,
}

pub(super) struct House {
    pub(super) orders: Vec<Created>,
    pub(super) in_flight: Vec<(Timestamp, FulfillmentRequest)>,
    pub(super) refuses: Option<String>,
    /// Does a refused duplicate name the order that is there?
    pub(super) names_duplicates: bool,
    pub(super) calls_duplicate: bool,
    pub(super) too_late: Option<String>,
    pub(super) cancels: bool,
    pub(super) feed: Vec<ShipmentNotice>,
    pub(super) unreadable: BTreeMap<usize, String>,
    pub(super) page: usize,
    pub(super) acknowledged: Vec<PackageId>,
    pub(super) told: Vec<Vec<Heard>>,
    pushes: bool,
    polled: bool,
    limits: Limits,
}

impl Default for House {
    fn default() -> Self {
        Self {
            orders: Vec::new(),
            in_flight: Vec::new(),
            refuses: None,
            names_duplicates: true,
            calls_duplicate: false,
            too_late: None,
            cancels: true,
            feed: Vec::new(),
            unreadable: BTreeMap::new(),
            page: 50,
            acknowledged: Vec::new(),
            told: Vec::new(),
            pushes: true,
            polled: true,
            limits: Limits { reference: 60, name: 60, street: 60, place: 40, sku: 40 },
        }
    }
}

impl ModelWarehouse {
    /// An empty warehouse that can do everything.
    #[must_use]
    pub fn new(world: Arc<dyn World>, clock: Arc<dyn Clock>, class: Class) -> Self {
        Self { gate: Gate(world), clock, class, house: Mutex::default() }
    }

    /// Its house, with everything landed that was in flight until now.
    pub(super) fn house(&self) -> MutexGuard<'_, House> {
        let mut house = inside(&self.house);
        let now = self.clock.now();
        let (landed, flying) =
            std::mem::take(&mut house.in_flight).into_iter().partition(|(at, _)| *at <= now);
        house.in_flight = flying;
        for (at, request) in Vec::into_iter(landed) {
            house.create(self.class, &request, at);
        }
        house
    }

    pub(super) fn class(&self) -> Class {
        self.class
    }

    /// Its orders, oldest first, those that landed late included.
    #[must_use]
    pub fn orders(&self) -> Vec<Created> {
        self.house().orders.clone()
    }

    /// Its orders that it will ship with this reference.
    #[must_use]
    pub fn live(&self, reference: &str) -> usize {
        let house = self.house();
        house.orders.iter().filter(|o| !o.cancelled && o.request.reference.as_str() == reference).count()
    }

    /// Makes it refuse every order, or none.
    pub fn refuses(&self, reason: Option<&str>) {
        self.house().refuses = reason.map(str::to_owned);
    }

    /// Makes it call every order a duplicate, whether or not it has it, and name it or not.
    pub fn calls_duplicate(&self, names: bool) {
        let mut house = self.house();
        (house.calls_duplicate, house.names_duplicates) = (true, names);
    }

    /// Cancels an order there, as its own people do.
    pub fn cancel_there(&self, reference: &str) {
        for order in &mut self.house().orders {
            order.cancelled |= order.request.reference.as_str() == reference;
        }
    }

    /// Makes it too late for a cancellation.
    pub fn too_late(&self, reason: &str) {
        self.house().too_late = Some(reason.to_owned());
    }

    /// Makes it a warehouse that cannot cancel.
    pub fn cannot_cancel(&self) {
        self.house().cancels = false;
    }

    /// Sets how we hear of shipments: by webhook, by asking, or both.
    pub fn tells(&self, pushes: bool, polled: bool) {
        let mut house = self.house();
        (house.pushes, house.polled) = (pushes, polled);
    }

    /// Sets what its fields can hold.
    pub fn limits(&self, limits: Limits) {
        self.house().limits = limits;
    }

    /// Sets how many packages a page of its feed has.
    pub fn pages(&self, of: usize) {
        self.house().page = of.max(1);
    }

    /// Lets a package leave. It is in the feed from now on; the notice is what a webhook would tell.
    ///
    /// # Panics
    /// When the texts are no ids.
    #[expect(clippy::expect_used, reason = "only tests call it")]
    pub fn ship(&self, reference: &str, package: &str, number: &str) -> ShipmentNotice {
        let tracking = TrackingNumber::read(number);
        let notice = ShipmentNotice {
            reference: Reference::parse(reference).expect("a reference"),
            warehouse_order: None,
            package: PackageId::parse(package).expect("a package's id"),
            shipped_at: Some(self.clock.now()),
            tracking: tracking.map(|number| Tracking {
                carrier: Carrier::read("UPS"),
                number,
                given_url: None,
            }),
            contents: Contents::Everything,
            voided: false,
        };
        self.tell(notice.clone());
        notice
    }

    /// Puts a notice into the feed.
    pub fn tell(&self, notice: ShipmentNotice) {
        self.house().feed.push(notice);
    }

    /// Puts an entry into the feed that cannot be read.
    pub fn garble(&self, why: &str) {
        let mut house = self.house();
        let at = house.feed.len();
        house.unreadable.insert(at, why.to_owned());
    }

    /// The packages of which we have said that they are ours now.
    #[must_use]
    pub fn acknowledged(&self) -> Vec<PackageId> {
        self.house().acknowledged.clone()
    }

    /// A genuine webhook that tells these things.
    pub fn webhook(&self, heard: Vec<Heard>) -> RawWebhook {
        let mut house = self.house();
        house.told.push(heard);
        let body = (house.told.len() - 1).to_string().into_bytes();
        let headers = vec![("x-secret".to_owned(), "genuine".to_owned())];
        RawWebhook { headers, path_rest: String::new(), body }
    }

    /// The warehouse as its ports.
    #[must_use]
    pub fn port(self: &Arc<Self>) -> Warehouse {
        let repeat = match self.class {
            Class::K => Repeat::HonoursKey,
            Class::U => Repeat::RefusesDuplicates(self.clone()),
            Class::L(lag) => Repeat::CanBeAsked { lookup: self.clone(), lag },
            Class::N => Repeat::Cannot,
        };
        let house = self.house();
        let notices = match (house.pushes, house.polled) {
            (true, true) => Notices::Both(self.clone(), self.clone()),
            (true, false) => Notices::Pushed(self.clone()),
            (false, _) => Notices::Polled(self.clone()),
        };
        Warehouse {
            name: "model",
            limits: house.limits,
            repeat,
            orders: self.clone(),
            cancel: if house.cancels { Some(self.clone()) } else { None },
            notices,
            shipments: Some(self.clone()),
            stock: None,
            probe: self.clone(),
        }
    }
}
