//! The simulated 1ShoppingCart: a server with the store's documented and observed API, and the handle that drives it.

mod call;
mod discovery;
mod envelope;
mod faults;
mod http;
mod list;
mod notify;
mod options;
mod orders;
mod read;
mod records;
mod spec;
mod state;
mod update;

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;

pub(crate) use call::pairs;
pub use faults::{Endpoint, Fault, FaultPlan};
use notify::{Event, tell};
pub use options::{DateForm, StoreOptions, WriteBack};
pub use spec::{ClientSpec, LineSpec, OrderSpec, ProductSpec, RecurringSpec, ShipTo, ShippingSpec};
use state::State;
pub use state::{Books, Counts, Delivery, Tracking};

use crate::server::Server;
use crate::shared::Shared;
use crate::shop;
use crate::tasks::Tasks;

/// What the server's tasks and the handle share.
struct World {
    options: StoreOptions,
    state: Shared<State>,
    tasks: Tasks,
}

impl World {
    fn local_now(&self) -> DateTime {
        self.options.time_zone.to_datetime((self.options.now)())
    }

    fn add_order(self: &Arc<Self>, spec: OrderSpec) -> u64 {
        let (id, token) = self.state.change(|state| {
            let id = state.add(spec);
            (id, state.orders.get(id).map(|order| order.token.clone()).unwrap_or_default())
        });
        tell(self, Event::NewOrder { id, token });
        id
    }

    fn set_status(self: &Arc<Self>, id: u64, status: &str) -> bool {
        let known = self.change_order(id, |order| order.status = status.to_owned());
        if known {
            tell(self, Event::OrderStatusChange(id));
        }
        known
    }

    fn change_order(&self, id: u64, change: impl FnOnce(&mut OrderSpec)) -> bool {
        let now = self.local_now();
        let change = |order: &mut orders::Kept| {
            change(&mut order.spec);
            order.modified_at = now;
        };
        self.state.change(|state| state.orders.change(id, change)).is_some()
    }
}

/// A running store. Dropping it closes its port and stops its notifications.
pub struct Store {
    world: Arc<World>,
    server: Server,
}

impl Store {
    /// Starts a store without any order. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn start(options: StoreOptions) -> io::Result<Self> {
        let state = Shared::new(State::new(&options));
        let world = Arc::new(World { options, state, tasks: Tasks::new() });
        let shared = Arc::clone(&world);
        let server = Server::start(move |request| http::answer(Arc::clone(&shared), request)).await?;
        Ok(Self { world, server })
    }

    /// Where it answers, as `http://127.0.0.1:port`; its API is below `/API`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// Every path and query that it was asked for, each once: what an access log would hold.
    #[must_use]
    pub fn targets(&self) -> Vec<String> {
        self.server.targets()
    }

    /// Host and port, for a list of allowed local hosts.
    #[must_use]
    pub fn host(&self) -> String {
        self.server.address().to_string()
    }

    /// The merchant's number.
    #[must_use]
    pub fn merchant_id(&self) -> u64 {
        self.world.options.merchant_id
    }

    /// The merchant's key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.world.options.key
    }

    /// An instant in the store's local time, as orders carry it.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.world.options.time_zone.to_datetime(at)
    }

    /// The store's present local time.
    #[must_use]
    pub fn local_now(&self) -> DateTime {
        self.world.local_now()
    }

    /// Takes an order, tells the merchant's notification address, gives the order's number.
    pub fn add_order(&self, spec: OrderSpec) -> u64 {
        self.world.add_order(spec)
    }

    /// Gives an order another status and tells it; false when there is no such order.
    pub fn set_status(&self, id: u64, status: &str) -> bool {
        self.world.set_status(id, status)
    }

    /// Changes an order and bumps its `ModifiedAt`, telling nobody; false when there is no such order.
    pub fn change_order(&self, id: u64, change: impl FnOnce(&mut OrderSpec)) -> bool {
        self.world.change_order(id, change)
    }

    /// Makes an order disappear; gives what it was.
    pub fn remove_order(&self, id: u64) -> Option<OrderSpec> {
        self.world.state.change(|state| state.orders.remove(id)).map(|order| order.spec)
    }

    /// Keeps a buyer's record.
    pub fn add_client(&self, client: ClientSpec) {
        self.world.state.change(|state| state.clients.insert(client.id, client));
    }

    /// Keeps a product.
    pub fn add_product(&self, product: ProductSpec) {
        self.world.state.change(|state| state.products.insert(product.id, product));
    }

    /// Keeps a subscription.
    pub fn add_recurring_order(&self, sub: RecurringSpec) {
        self.world.state.change(|state| state.recurring.insert(sub.id, sub));
    }

    /// Gives a subscription another status and tells it; false when there is no such subscription.
    pub fn set_recurring_status(&self, id: u64, status: &str) -> bool {
        let known = self
            .world
            .state
            .change(|state| state.recurring.get_mut(&id).map(|sub| sub.status = status.to_owned()).is_some());
        if known {
            tell(&self.world, Event::RecurringOrderStatusChange(id));
        }
        known
    }

    /// Puts the clients, products and subscriptions of [`crate::shop`] on the shelves.
    pub fn stock_shop(&self) {
        shop::clients().into_iter().for_each(|client| self.add_client(client));
        shop::products().into_iter().for_each(|product| self.add_product(product));
        shop::subscriptions().into_iter().for_each(|sub| self.add_recurring_order(sub));
    }

    /// A person types a tracking number into the store's admin pages; false when there is no such order.
    pub fn enter_tracking(&self, id: u64, carrier: &str, number: &str) -> bool {
        let now = self.local_now();
        let tracking = Tracking {
            carrier: carrier.to_owned(),
            number: number.to_owned(),
            shipped_at: now.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            times_told: 0,
            stored: true,
        };
        let keep = |order: &mut orders::Kept| update::keep(order, tracking, now);
        self.world.state.change(|state| state.orders.change(id, keep)).is_some()
    }

    /// What the store was told about the shipping of an order, in the order of the first telling.
    #[must_use]
    pub fn tracking(&self, id: u64) -> Vec<Tracking> {
        self.world
            .state
            .look(|state| state.orders.get(id).map(|order| order.tracking.clone()).unwrap_or_default())
    }

    /// From now on tracking is treated this way.
    pub fn set_write_back(&self, write_back: WriteBack) {
        self.world.state.change(|state| state.write_back = write_back);
    }

    /// From now on notifications go to this address, or nowhere.
    pub fn notify_to(&self, url: Option<String>) {
        self.world.state.change(|state| state.notify_url = url);
    }

    /// Tells an order as new once more, as after a lost answer.
    pub fn notify_again(&self, id: u64) {
        if let Some(token) = self.token(id) {
            tell(&self.world, Event::NewOrder { id, token });
        }
    }

    /// The token that notifications name an order by.
    #[must_use]
    pub fn token(&self, id: u64) -> Option<String> {
        self.world.state.look(|state| state.orders.get(id).map(|order| order.token.clone()))
    }

    /// Forgets how many calls have waited at the same time so far.
    pub fn count_in_hand_anew(&self) {
        self.world.state.change(|state| state.counts.most_in_hand = state.counts.in_hand);
    }

    /// Adds faults to come.
    pub fn plan_faults(&self, plan: FaultPlan) {
        self.world.state.change(|state| state.faults.extend(plan));
    }

    /// Forgets all faults to come.
    pub fn clear_faults(&self) {
        self.world.state.change(|state| state.faults = FaultPlan::new());
    }

    /// How often it was called.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.world.state.look(|state| state.counts.clone())
    }

    /// Its orders, by number.
    #[must_use]
    pub fn orders(&self) -> Vec<OrderSpec> {
        self.world.state.look(|state| state.orders.all().map(|order| order.spec.clone()).collect())
    }

    /// One order.
    #[must_use]
    pub fn order(&self, id: u64) -> Option<OrderSpec> {
        self.world.state.look(|state| state.orders.get(id).map(|order| order.spec.clone()))
    }

    /// When an order was last changed, in the store's local time.
    #[must_use]
    pub fn modified_at(&self, id: u64) -> Option<DateTime> {
        self.world.state.look(|state| state.orders.get(id).map(|order| order.modified_at))
    }

    /// How many tracking numbers it shows.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.world.state.look(|state| state.orders.shown())
    }

    /// The store's own truth, to close the books against.
    #[must_use]
    pub fn books(&self) -> Books {
        self.world.state.look(State::books)
    }

    /// Attempts to deliver notifications, in the order of their answers.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world.state.look(|state| state.deliveries.clone())
    }

    /// Waits until the store has been called, told or notified so that the condition holds; for ever when it never does.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) {
        self.world.state.until(|| holds(self)).await;
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.world.tasks.stop();
    }
}
