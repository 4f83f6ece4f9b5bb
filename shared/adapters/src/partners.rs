//! Opens the two sides of a connection: the store's adapter and the warehouse's, kept for as long as their settings stay.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::connection::Connection;
use domain::ports::{Clock, Partners, Store};
use domain::warehouse::Warehouse;
use domain::{ConnectionId, Failure};

use crate::http::Http;
use crate::metrics::{Metrics, Side};
use crate::secret::Vault;
use crate::settings::{SettingError, Settings};
use crate::{one_shopping_cart, wms};

/// The adapters of every connection, made when first asked for and again when the connection's settings have changed.
/// One adapter per connection also means one rate limit per store and per warehouse.
pub struct Adapters {
    vault: Arc<Vault>,
    http: Http,
    clock: Arc<dyn Clock>,
    metrics: Option<Metrics>,
    open: Mutex<HashMap<ConnectionId, Open>>,
}

#[derive(Clone)]
struct Open {
    connection: Connection,
    store: Store,
    warehouse: Arc<Warehouse>,
}

impl Adapters {
    /// No adapter is open yet.
    #[must_use]
    pub fn new(vault: Arc<Vault>, http: Http, clock: Arc<dyn Clock>) -> Self {
        Self { vault, http, clock, metrics: None, open: Mutex::new(HashMap::new()) }
    }

    /// The same adapters; their requests are counted.
    #[must_use]
    pub fn counted(self, metrics: Metrics) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// What a connection still lacks to be opened: the first setting that is missing or wrong, and of which side. Nobody is
    /// asked, and no secret is fetched.
    #[must_use]
    pub fn lack(&self, connection: &Connection) -> Option<(&'static str, SettingError)> {
        let (store, warehouse) = (self.settings(connection, "store"), self.settings(connection, "warehouse"));
        if let Err(error) = self.store_of(connection, &store) {
            return Some(("store", error));
        }
        self.warehouse_of(&warehouse).err().map(|error| ("warehouse", error))
    }

    fn open(&self, connection: &Connection) -> Result<Open, SettingError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) =
            open.get(&connection.id).filter(|known| same_settings(&known.connection, connection))
        {
            return Ok(known.clone());
        }
        let fresh = self.make(connection)?;
        open.insert(connection.id.clone(), fresh.clone());
        Ok(fresh)
    }

    fn http(&self, side: Side) -> Http {
        self.metrics.clone().map_or_else(|| self.http.clone(), |metrics| self.http.counted(metrics, side))
    }

    fn make(&self, connection: &Connection) -> Result<Open, SettingError> {
        let (store, warehouse) = (self.settings(connection, "store"), self.settings(connection, "warehouse"));
        Ok(Open {
            connection: connection.clone(),
            store: self.store_of(connection, &store)?,
            warehouse: Arc::new(self.warehouse_of(&warehouse)?),
        })
    }

    fn settings(&self, connection: &Connection, side: &str) -> Settings {
        let map = if side == "store" { &connection.store } else { &connection.warehouse };
        Settings::new(format!("connection {}, {side}", connection.id), map.clone(), self.vault.clone())
    }

    fn store_of(&self, connection: &Connection, settings: &Settings) -> Result<Store, SettingError> {
        let http = self.http(Side::Store);
        one_shopping_cart::connect(settings, &connection.policies, http, self.clock.clone())
    }

    fn warehouse_of(&self, settings: &Settings) -> Result<Warehouse, SettingError> {
        wms::connect(settings, self.http(Side::Warehouse), self.clock.clone())
    }
}

fn same_settings(one: &Connection, other: &Connection) -> bool {
    (&one.store, &one.warehouse, &one.policies) == (&other.store, &other.warehouse, &other.policies)
}

#[async_trait]
impl Partners for Adapters {
    async fn store(&self, connection: &Connection) -> Result<Store, Failure> {
        Ok(self.open(connection)?.store)
    }

    async fn warehouse(&self, connection: &Connection) -> Result<Arc<Warehouse>, Failure> {
        Ok(self.open(connection)?.warehouse)
    }
}
