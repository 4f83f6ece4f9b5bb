//! One connection of a history: a store and its warehouse.

use domain::connection::Connection;

use crate::cart::Cart;
use crate::wms::Wms;

/// A store joined to a warehouse.
#[derive(Clone)]
pub struct Site {
    /// The connection.
    pub connection: Connection,
    /// The store.
    pub cart: Cart,
    /// The warehouse.
    pub wms: Wms,
}

impl Site {
    /// Joins them: each knows the other's truth, so that what crosses to another connection is seen.
    #[must_use]
    pub fn new(connection: Connection, cart: Cart, wms: Wms) -> Self {
        let wms = wms.serving(&connection.id);
        Self { cart: cart.served_by(&wms), wms, connection }
    }
}
