//! The simulated warehouse behind the ports, of any class of protection against duplicates: its own truth.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::OrderId;
use domain::carrier::{Carrier, Tracking, TrackingNumber};
use domain::fulfillment::order_of;
use domain::ids::{ConnectionId, PackageId, Reference, WarehouseOrderId};
use domain::shipment::{Contents, ShipmentNotice};
use domain::warehouse::{Limits, Notices, Repeat, Warehouse};

use crate::coverage::{Fault, Sometimes};
use crate::executor::Time;
use crate::key::{Key, Lock};
use crate::net::Net;
use crate::watch::Watch;

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

/// The longest time for which the warehouse packs an order, in milliseconds.
pub(crate) const LONGEST_PACKING: u64 = 15 * 60_000;

/// By then everything that is out of stock has come in, in the world's milliseconds.
const LAST_GOODS: u64 = 30 * 3_600_000;

/// The longest time after which an order that it took may be forgotten.
const LONGEST_MEMORY: u64 = 20 * 60_000;

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
    /// When the warehouse loses it, unless it has shipped it before.
    pub forgotten_at: u64,
    /// Taken back?
    pub cancelled: bool,
    /// By a person's hand, behind our back?
    pub by_hand: bool,
    /// Has something of it left?
    pub shipped: bool,
}

impl Taken {
    /// Does the warehouse still know it?
    #[must_use]
    pub fn is_known(&self, now: u64) -> bool {
        self.shipped || self.forgotten_at > now
    }
}

/// The warehouse's truth.
#[derive(Debug, Default)]
pub struct Truth {
    /// Its orders, in the order in which it took them.
    pub orders: Vec<Taken>,
    /// Its shipments, and what became of them later, in the order in which it told of them.
    pub shipped: Vec<ShipmentNotice>,
    /// It is away: every call fails, and nothing is done.
    pub away: bool,
    /// The orders that it refuses, with the street that it does not like.
    pub refused: BTreeMap<Reference, String>,
    /// When which of its orders is packed, until it is.
    packing: BTreeSet<(u64, usize)>,
    /// How somebody tried to have it create each, whatever became of the requests.
    pub asked: BTreeMap<Reference, Sends>,
}

/// The requests to create one order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sends {
    /// How many there were.
    pub times: u32,
    /// When the first was sent, in the world's milliseconds.
    pub first: u64,
    /// When the last was sent.
    pub last: u64,
}

impl Sends {
    /// One more, sent now.
    pub(crate) fn add(&mut self, now: u64) {
        self.first = if self.times == 0 { now } else { self.first };
        self.last = now;
        self.times += 1;
    }
}

impl Truth {
    /// What has become of each package: the last that was told of it.
    #[must_use]
    pub fn packages(&self) -> BTreeMap<&PackageId, &ShipmentNotice> {
        self.shipped.iter().map(|notice| (&notice.package, notice)).collect()
    }

    /// The same of one order.
    pub(crate) fn packages_of(&self, reference: &Reference) -> BTreeMap<&PackageId, &ShipmentNotice> {
        let of_order = self.shipped.iter().filter(|notice| notice.reference == *reference);
        of_order.map(|notice| (&notice.package, notice)).collect()
    }

    /// Takes off the places of the orders that are packed by then.
    pub(crate) fn packed(&mut self, by: u64) -> Vec<usize> {
        if self.next_packed().is_none_or(|at| at > by) {
            return Vec::new();
        }
        let rest = self.packing.split_off(&(by.saturating_add(1), 0));
        std::mem::replace(&mut self.packing, rest).into_iter().map(|(_, place)| place).collect()
    }

    /// When the next order is packed.
    #[must_use]
    pub(crate) fn next_packed(&self) -> Option<u64> {
        self.packing.first().map(|(at, _)| *at)
    }

    /// The orders with this reference that the warehouse still knows.
    pub fn known<'a>(&'a self, reference: &'a Reference, now: u64) -> impl Iterator<Item = &'a Taken> {
        self.orders.iter().filter(move |order| order.reference == *reference && order.is_known(now))
    }
}

/// The warehouse.
#[derive(Clone)]
pub struct Wms {
    pub(crate) class: Class,
    /// The class that its adapter declares.
    pub(crate) declares: Class,
    /// Can it be asked for everything that it has shipped? If not, it only sends webhooks, and answers about one order.
    pub(crate) has_feed: bool,
    truth: Arc<Mutex<Truth>>,
    pub(crate) net: Net,
    pub(crate) time: Time,
    /// Its key, as it is now.
    pub lock: Lock,
    /// The key of whoever calls.
    pub(crate) key: Key,
    /// The connection that it serves; none: whoever asks.
    pub(crate) serves: Option<ConnectionId>,
}

impl Wms {
    /// An empty warehouse.
    #[must_use]
    pub fn new(class: Class, net: Net, time: Time) -> Self {
        let lock = Lock::default();
        let truth = Arc::default();
        Self { class, declares: class, has_feed: true, truth, net, time, key: lock.key(), lock, serves: None }
    }

    /// The same warehouse, whose adapter declares another class than it has: a bug that is planted.
    #[must_use]
    pub(crate) fn declared_as(self, class: Class) -> Self {
        Self { declares: class, ..self }
    }

    /// The same warehouse, of which is known whom it serves.
    #[must_use]
    pub fn serving(self, connection: &ConnectionId) -> Self {
        Self { serves: Some(connection.clone()), ..self }
    }

    /// The same warehouse, as a process with this key sees it.
    #[must_use]
    pub(crate) fn with_key(&self, key: Key) -> Self {
        Self { key, ..self.clone() }
    }

    /// The warehouse's own books.
    pub fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn books(&self) -> Arc<Mutex<Truth>> {
        self.truth.clone()
    }

    /// As the adapter gives it.
    #[must_use]
    pub fn warehouse(&self) -> Arc<Warehouse> {
        let me = Arc::new(self.clone());
        let repeat = match self.declares {
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
            notices: match self.has_feed {
                true => Notices::Both(me.clone(), me.clone()),
                false => Notices::Pushed(me.clone()),
            },
            shipments: Some(me.clone()),
            stock: None,
            probe: me,
        })
    }

    /// Has a package with this number left for this order, under any label?
    #[must_use]
    pub fn has_shipped(&self, order: OrderId, number: &str) -> bool {
        let ours = |reference: &Reference| match &self.serves {
            Some(connection) => order_of(reference, connection) == Some(order),
            None => reference.as_str().ends_with(&order.to_string()),
        };
        let told =
            |notice: &ShipmentNotice| notice.tracking.as_ref().is_some_and(|t| t.number.as_str() == number);
        self.truth().shipped.iter().rev().any(|notice| told(notice) && ours(&notice.reference))
    }

    /// Has it this order under this id?
    #[must_use]
    pub fn has_taken(&self, reference: &Reference, id: &WarehouseOrderId) -> bool {
        self.truth().orders.iter().rev().any(|order| order.reference == *reference && order.id == *id)
    }

    /// A package of an order leaves. None: there is no such order, or nothing more of it.
    pub fn ship(&self, position: usize, parcel: u32, parcels: u32) -> Option<ShipmentNotice> {
        let now = self.time.millis();
        let mut truth = self.truth();
        let order = truth.orders.get_mut(position).filter(|order| !order.cancelled && order.is_known(now))?;
        let order = {
            order.shipped = true;
            order.clone()
        };
        let package = PackageId::parse(format!("{}-{parcel}", order.id)).ok()?;
        if truth.shipped.iter().any(|notice| notice.package == package) {
            return None;
        }
        let contents = if parcel + 1 >= parcels { Contents::Everything } else { Contents::Part };
        let notice = notice_of(&order, package, &format!("1Z{}{parcel}", order.id.as_str()), contents)?;
        truth.shipped.push(notice.clone());
        Some(notice)
    }

    /// The label of a package is taken back, and the package goes under another one. Gives the places of both notices.
    pub fn relabel(&self, package: &PackageId) -> Option<(usize, usize)> {
        let mut truth = self.truth();
        let notice = truth.packages().get(package).map(|notice| (*notice).clone()).filter(|n| !n.voided)?;
        let order = truth.orders.iter().find(|order| order.reference == notice.reference)?.clone();
        let other = PackageId::parse(format!("{package}-R")).ok()?;
        let fresh = notice_of(
            &order,
            other,
            &format!("1R{}", package.as_str().replace('-', "")),
            notice.contents.clone(),
        )?;
        truth.shipped.push(ShipmentNotice { voided: true, ..notice });
        truth.shipped.push(fresh);
        Some((truth.shipped.len() - 2, truth.shipped.len() - 1))
    }
}

fn notice_of(order: &Taken, package: PackageId, number: &str, contents: Contents) -> Option<ShipmentNotice> {
    let number = TrackingNumber::read(number)?;
    Some(ShipmentNotice {
        reference: order.reference.clone(),
        warehouse_order: Some(order.id.clone()),
        package,
        shipped_at: None,
        tracking: Some(Tracking { carrier: Carrier::read("UPS"), number, given_url: None }),
        contents,
        voided: false,
    })
}

/// What the warehouse says to a create.
pub(crate) enum Said {
    Yes(WarehouseOrderId),
    Duplicate(WarehouseOrderId),
    No(String),
}

/// What a create asks for.
pub(crate) struct Asked {
    pub(crate) reference: Reference,
    pub(crate) units: u32,
    pub(crate) street: String,
}

impl Truth {
    /// Takes an order, as its class has it.
    pub(crate) fn take(&mut self, class: Class, asked: Asked, now: u64, watch: &Watch) -> Said {
        let Asked { reference, units, street } = asked;
        let known = self.known(&reference, now).next().map(|order| order.id.clone());
        match (class, known) {
            (Class::K, Some(id)) => {
                watch.sometimes(Sometimes::KeyReplayed);
                return Said::Yes(id);
            }
            (Class::U, Some(id)) => {
                watch.sometimes(Sometimes::DuplicateRefused);
                return Said::Duplicate(id);
            }
            _ if self.has_another(&reference, now) => watch.wrong(format!("I2 sent twice: {reference}")),
            _ => {}
        }
        if let Some(reason) = self.refuses(&reference, &street, watch) {
            return Said::No(reason);
        }
        let id = WarehouseOrderId::parse(format!("WO{}", self.orders.len() + 1))
            .unwrap_or_else(|_| unreachable!("a number makes a good id"));
        let packing = match watch.below(20) {
            0 => watch.below(LAST_GOODS).saturating_sub(now),
            _ if watch.threatens(Fault::ShipsEarly) => 0,
            _ => watch.below(LONGEST_PACKING),
        };
        let forgotten_at =
            if watch.strikes(Fault::Forgets) { now + watch.below(LONGEST_MEMORY) } else { u64::MAX };
        self.packing.insert((now + packing, self.orders.len()));
        self.orders.push(Taken {
            id: id.clone(),
            reference,
            units,
            at: now,
            forgotten_at,
            cancelled: false,
            by_hand: false,
            shipped: false,
        });
        watch.ring(now + packing);
        Said::Yes(id)
    }

    /// Does it know this order of the store already, under any reference? Only what is not there any more may come under a
    /// new one.
    fn has_another(&self, reference: &Reference, now: u64) -> bool {
        let order = |reference: &Reference| {
            let text = reference.as_str();
            text.rsplit_once("-r").map_or(text, |(order, _)| order).to_owned()
        };
        let wanted = order(reference);
        self.orders.iter().any(|taken| {
            let is_gone = taken.cancelled && taken.reference != *reference;
            taken.is_known(now) && !is_gone && order(&taken.reference) == wanted
        })
    }

    /// Does it refuse this order? It does not like the street, until that is another one.
    fn refuses(&mut self, reference: &Reference, street: &str, watch: &Watch) -> Option<String> {
        match self.refused.get(reference) {
            Some(disliked) if disliked == street => {}
            Some(_) => {
                self.refused.remove(reference);
                watch.sometimes(Sometimes::RefusalCured);
                return None;
            }
            None if watch.strikes(Fault::Refuses) => {
                self.refused.insert(reference.clone(), street.to_owned());
            }
            None => return None,
        }
        Some("it cannot deliver there".to_owned())
    }
}
