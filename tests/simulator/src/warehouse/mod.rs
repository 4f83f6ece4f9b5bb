//! The simulated warehouse: takes orders, ships them when it is told to, sends webhooks, and answers what it is asked.

mod auth;
mod faults;
mod http;
mod options;
mod order_list;
mod orders;
mod shipment_list;
mod shipping;
mod state;
mod tracking_number;
mod webhooks;

use std::io;
use std::sync::Arc;

pub use faults::{Endpoint, Fault, FaultPlan};
pub use options::{Auth, Duplicates, Manner, Service, WarehouseOptions, Webhook};
pub use shipping::Parcels;
use state::State;
pub use state::{Books, Counts, Delivery, Item, Order, Shipment, Status};
pub use webhooks::signature;

use crate::server::Server;
use crate::shared::Shared;
use crate::tasks::Tasks;

/// What the server's tasks and the handle share.
struct World {
    options: WarehouseOptions,
    state: Shared<State>,
    tasks: Tasks,
}

/// A running warehouse. Dropping it closes its port and stops its webhooks.
pub struct Warehouse {
    world: Arc<World>,
    server: Server,
}

impl Warehouse {
    /// Starts a warehouse without any order. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn start(options: WarehouseOptions) -> io::Result<Self> {
        let state = Shared::new(State::new(&options));
        let world = Arc::new(World { options, state, tasks: Tasks::new() });
        let shared = Arc::clone(&world);
        let server = Server::start(move |request| http::answer(Arc::clone(&shared), request)).await?;
        Ok(Self { world, server })
    }

    /// Where it answers, as `http://127.0.0.1:port`.
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

    /// Ships an order, named by its id or reference, and sends the webhooks; gives the parcels, none when the order is
    /// not known, cancelled, or has nothing left to ship.
    pub fn ship(&self, order: &str, parcels: &Parcels) -> Vec<Shipment> {
        let now = (self.world.options.now)();
        let shipped: Vec<Shipment> = self.world.state.change(|state| {
            let positions = shipping::ship(state, &self.world.options.services, order, parcels, now);
            positions.into_iter().filter_map(|position| state.shipments.get(position).cloned()).collect()
        });
        for shipment in &shipped {
            webhooks::tell(&self.world, "shipment.created", shipment.id.clone());
        }
        shipped
    }

    /// Ships everything that has not left yet, one parcel per order.
    pub fn ship_everything(&self) -> Vec<Shipment> {
        let open = |order: &&Order| matches!(order.status, Status::Accepted | Status::PartlyShipped);
        let open: Vec<String> = self
            .world
            .state
            .look(|state| state.orders.all().iter().filter(open).map(|order| order.id.clone()).collect());
        open.iter().flat_map(|order| self.ship(order, &Parcels::One)).collect()
    }

    /// Takes a parcel back and tells it; false when there is none with this id, or it is back already.
    pub fn void(&self, shipment: &str) -> bool {
        let voided = self.world.state.change(|state| shipping::void(state, shipment)).is_some();
        if voided {
            webhooks::tell(&self.world, "shipment.voided", shipment.to_owned());
        }
        voided
    }

    /// Sends the webhook of a shipment once more, as a vendor's "resend" button does.
    pub fn tell_again(&self, shipment: &str) {
        webhooks::tell(&self.world, "shipment.created", shipment.to_owned());
    }

    /// Sends the webhook that was kept back to be reordered, if there is one.
    pub fn send_kept_back(&self) {
        webhooks::flush(&self.world);
    }

    /// From now on webhooks are sent in this manner.
    pub fn set_manner(&self, manner: Manner) {
        self.world.state.change(|state| state.manner = manner);
    }

    /// From now on webhooks go here, or nowhere.
    pub fn set_webhook(&self, webhook: Option<Webhook>) {
        self.world.state.change(|state| state.webhook = webhook);
    }

    /// Makes every OAuth token given so far worthless.
    pub fn expire_tokens(&self) {
        self.world.state.change(|state| state.tokens.clear());
    }

    /// Puts so many pieces on the shelf.
    pub fn set_stock(&self, sku: &str, available: i64) {
        self.world.state.change(|state| state.stock.insert(sku.to_owned(), available));
    }

    /// Adds faults to come.
    pub fn plan_faults(&self, plan: FaultPlan) {
        self.world.state.change(|state| state.faults.extend(plan));
    }

    /// Forgets all faults to come.
    pub fn clear_faults(&self) {
        self.world.state.change(|state| state.faults = FaultPlan::new());
    }

    /// Every order, in the order of creation, duplicates included.
    #[must_use]
    pub fn orders(&self) -> Vec<Order> {
        self.world.state.look(|state| state.orders.all().to_vec())
    }

    /// From now on these credentials are good, and those before are not.
    pub fn set_auth(&self, auth: Auth) {
        self.world.state.change(|state| state.auth = auth);
    }

    /// The orders from this position on, in the order of creation.
    #[must_use]
    pub fn orders_from(&self, position: usize) -> Vec<Order> {
        self.world.state.look(|state| state.orders.all().get(position..).unwrap_or_default().to_vec())
    }

    /// The first order with this id or reference.
    #[must_use]
    pub fn order(&self, name: &str) -> Option<Order> {
        self.world
            .state
            .look(|state| state.orders.named(name).and_then(|position| state.orders.get(position).cloned()))
    }

    /// Every order of a reference, in the order of creation: more than one is a duplicate.
    #[must_use]
    pub fn orders_of(&self, reference: &str) -> Vec<Order> {
        self.world.state.look(|state| state.orders.with_reference(reference).cloned().collect())
    }

    /// How many parcels left and were not taken back.
    #[must_use]
    pub fn parcels(&self) -> usize {
        self.world.state.look(|state| state.shipments.live())
    }

    /// How many orders it really created for a reference: more than one is a duplicate.
    #[must_use]
    pub fn creates_for(&self, reference: &str) -> usize {
        self.world.state.look(|state| state.orders.with_reference(reference).count())
    }

    /// Every parcel, in the order of leaving.
    #[must_use]
    pub fn shipments(&self) -> Vec<Shipment> {
        self.world.state.look(|state| state.shipments.all().to_vec())
    }

    /// How often it was called, and what came of it.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.world.state.look(|state| state.counts.clone())
    }

    /// The warehouse's own truth, to close the books against.
    #[must_use]
    pub fn books(&self) -> Books {
        self.world.state.look(State::books)
    }

    /// Attempts to deliver webhooks, in the order of their answers.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world.state.look(|state| state.deliveries.clone())
    }

    /// Waits until the warehouse has been called, or has told, so that the condition holds; for ever when it never does.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) {
        self.world.state.until(|| holds(self)).await;
    }
}

impl Drop for Warehouse {
    fn drop(&mut self) {
        self.world.tasks.stop();
    }
}
