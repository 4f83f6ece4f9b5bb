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
        let side = |side: &str, map: &std::collections::BTreeMap<String, String>| {
            Settings::new(format!("connection {}, {side}", connection.id), map.clone(), self.vault.clone())
        };
        let store = side("store", &connection.store);
        let warehouse = side("warehouse", &connection.warehouse);
        Ok(Open {
            connection: connection.clone(),
            store: one_shopping_cart::connect(
                &store,
                &connection.policies,
                self.http(Side::Store),
                self.clock.clone(),
            )?,
            warehouse: Arc::new(wms::connect(&warehouse, self.http(Side::Warehouse), self.clock.clone())?),
        })
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
