//! The outside world of the stack: a simulated store and warehouse, and the connection between them in the stack's tables.

use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::dynamodb::{Client, DynamoConnections, DynamoLedger, DynamoMappings};
use domain::connection::Connection;
use domain::mapping::{Change, Mapping};
use domain::policy::{NoSku, Policies};
use domain::ports::{Clock, Connections, Ledger, Mappings};
use domain::record::Record;
use domain::{OrderId, OrderKey};
use jiff::civil::DateTime;
use operations::status::{self, Books};
use simulator::shop;
use simulator::store::{OrderSpec, Store, StoreOptions};
use simulator::warehouse::{Auth, Duplicates, Warehouse, WarehouseOptions, Webhook};

use super::stack::{SECRETS_BEGIN, Stack};
use crate::connection::{NOTIFY_SECRET, WAREHOUSE_KEY, WEBHOOK_SECRET, connection, mapping_of};

/// The secrets of the connection: the setting's name, the secret's, and on which side.
const SECRETS: [(&str, &str, Side); 4] = [
    ("api_key", "main/api-key", Side::Store),
    ("notify_secret", "main/notify", Side::Store),
    ("auth.key", "main/warehouse-key", Side::Warehouse),
    ("webhook.secret", "main/webhook", Side::Warehouse),
];

enum Side {
    Store,
    Warehouse,
}

/// The world around the stack.
pub(super) struct Shop {
    pub(super) store: Store,
    /// It takes duplicates, so that an order sent twice shows.
    pub(super) warehouse: Warehouse,
    pub(super) connection: Connection,
    pub(super) ledger: DynamoLedger,
    mappings: DynamoMappings,
    /// The store's local time at which its day begins.
    pub(super) morning: DateTime,
}

/// The simulators, before anybody knows them.
pub(super) async fn open() -> (Store, Warehouse) {
    let options = StoreOptions { notify_delay: Duration::from_millis(500), ..StoreOptions::default() };
    let store = Store::start(options).await.expect("a store");
    store.stock_shop();
    let options = WarehouseOptions {
        auth: Auth::ApiKey(WAREHOUSE_KEY.to_owned()),
        duplicates: Duplicates::Accept,
        retry_delays: [1, 2, 5, 10, 30].map(Duration::from_secs).to_vec(),
        ..WarehouseOptions::default()
    };
    (store, Warehouse::start(options).await.expect("a warehouse"))
}

impl Shop {
    /// Puts the connection and what the shop has mapped so far into the stack's tables. Its secrets are named, and not
    /// there yet.
    pub(super) async fn join(stack: &Stack<'_>, store: Store, warehouse: Warehouse) -> Self {
        let client = Client::new(&adapters::aws::config(adapters::tls::built_in()).await);
        let morning = store.local_now().saturating_sub(jiff::ToSpan::hours(9));
        let ago = store.local_now().duration_since(morning).unsigned_abs();
        let start = SystemClock.now().checked_sub(ago).expect("a date");
        let mut connection = connection(&store, &warehouse, start);
        for (setting, name, side) in SECRETS {
            let settings = match side {
                Side::Store => &mut connection.store,
                Side::Warehouse => &mut connection.warehouse,
            };
            settings.insert(setting.to_owned(), format!("@secret:{SECRETS_BEGIN}{name}"));
        }
        connection.warehouse.insert("timeout_seconds".to_owned(), "2".to_owned());
        connection.policies = Policies { no_sku: NoSku::Hold, ..connection.policies };
        let (ledger, mappings) = (stack.resource("LedgerTable"), stack.resource("MappingsTable"));
        let connections = DynamoConnections::new(client.clone(), ledger, None);
        connections.put(&connection).await.expect("the connection is in the table");
        let shop = Self {
            ledger: DynamoLedger::new(client.clone(), ledger, None),
            mappings: DynamoMappings::new(client, mappings, None),
            store,
            warehouse,
            connection,
            morning,
        };
        shop.map(&mapping_of(1, shop::listings(), shop::rules())).await;
        shop
    }

    /// Creates the secrets, and tells both sides where they are heard.
    pub(super) async fn open_doors(&self, stack: &Stack<'_>) {
        let values = [self.store.key(), NOTIFY_SECRET, WAREHOUSE_KEY, WEBHOOK_SECRET];
        for ((_, name, _), value) in SECRETS.iter().zip(values) {
            stack.secret(name, value).await;
        }
        let url = stack.url("/webhook/main");
        self.warehouse.set_webhook(Some(Webhook { url, secret: WEBHOOK_SECRET.to_owned() }));
        self.notify(Some(stack));
    }

    /// The store notifies the stack of what happens, or nobody.
    pub(super) fn notify(&self, stack: Option<&Stack<'_>>) {
        self.store.notify_to(stack.map(|stack| stack.url(&format!("/notify/main/{NOTIFY_SECRET}"))));
    }

    /// Somebody adds the listing and the rule that were missing.
    pub(super) async fn cure(&self) {
        let forgotten = mapping_of(2, shop::missing_listings(), shop::missing_rules());
        let mut mapping = mapping_of(2, shop::listings(), shop::rules());
        mapping.listings.extend(forgotten.listings);
        mapping.rules.extend(forgotten.rules);
        self.map(&mapping).await;
    }

    async fn map(&self, mapping: &Mapping) {
        let change = Change { by: "test".to_owned(), at: SystemClock.now(), note: String::new() };
        let replaced = self.mappings.replace(&self.connection.id, mapping, &change).await;
        assert!(replaced.expect("the mapping is in the table"));
    }

    /// The books as the stack's ledger has them now.
    pub(super) async fn books(&self) -> Books {
        status::books(&self.ledger, &self.connection).await.expect("the ledger answers")
    }

    /// An order as the stack's ledger has it now.
    pub(super) async fn record(&self, order: u64) -> Option<Record> {
        let key = OrderKey::new(self.connection.id.clone(), OrderId(order));
        self.ledger.load(&key, true).await.expect("the ledger answers")
    }

    /// Puts orders into the store; gives their numbers.
    pub(super) fn sell(&self, orders: Vec<OrderSpec>) -> Vec<u64> {
        orders.into_iter().map(|order| self.store.add_order(order)).collect()
    }

    /// What no log may have.
    pub(super) fn secrets(&self) -> [&str; 4] {
        [self.store.key(), NOTIFY_SECRET, WAREHOUSE_KEY, WEBHOOK_SECRET]
    }
}

/// An order as the warehouse calls it.
pub(super) fn reference(order: u64) -> String {
    format!("main-{order}")
}
