//! The demo's world: a simulated store, a simulated warehouse, and a host between them.

use std::sync::Arc;
use std::time::Duration;

use adapters::clock::SystemClock;
use domain::connection::{Connection, History, Schedule};
use domain::life::Pace;
use domain::mapping::{
    Change, Component, Decision, Mapping, Matcher, Service, ShippingRule, Sku, Target, WarehouseSku,
};
use domain::policy::{NoSku, Policies};
use domain::ports::{Clock, Mappings};
use domain::{ConnectionId, Failure};
use jiff::Timestamp;
use jiff::civil::DateTime;
use operations::status::{self, Books};
use simulator::shop;
use simulator::store::{Store, StoreOptions};
use simulator::warehouse::{Auth, Duplicates, Warehouse, WarehouseOptions, Webhook};
use tokio::net::TcpListener;

use crate::config::alerts::Alerts;
use crate::host::{Host, Options, Place, Running};

const WEBHOOK_SECRET: &str = "whsec_ZGVtby1vbmx5LXNlY3JldC1mb3ItdGhlLWRlbW8=";
const NOTIFY_SECRET: &str = "demo-notify-path";
const WAREHOUSE_KEY: &str = "demo-warehouse-key";

/// Everything that the demo runs.
pub(super) struct World {
    pub(super) store: Store,
    pub(super) warehouse: Warehouse,
    pub(super) host: Arc<Host>,
    pub(super) connection: Connection,
    /// The local time at which the shop's day began.
    pub(super) morning: DateTime,
    webhooks: String,
    running: Running,
}

impl World {
    pub(super) async fn start() -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(set_up)?;
        let webhooks = format!("http://{}", listener.local_addr().map_err(set_up)?);
        let store = start_store(&webhooks).await?;
        let warehouse = start_warehouse(&webhooks).await?;
        let morning = store.local_now().saturating_sub(jiff::ToSpan::hours(9));
        let connection = connection(&store, &warehouse, start_of(&store, morning));
        let host = Arc::new(Host::open(options(&store, &warehouse)).await?);
        host.partners.store(&connection).await?;
        host.partners.warehouse(&connection).await?;
        host.connections.put(&connection).await?;
        seed_mapping(host.mappings.as_ref(), host.clock.as_ref(), &connection.id).await?;
        let running = host.start(listener).await?;
        Ok(Self { store, warehouse, host, connection, morning, webhooks, running })
    }

    /// The books as the ledger has them now.
    pub(super) async fn books(&self) -> Result<Books, Failure> {
        status::books(self.host.ledger.as_ref(), &self.connection).await
    }

    /// Adds the listing and the rule that were missing, and releases what waits for them.
    pub(super) async fn cure(&self) -> Result<usize, Failure> {
        let current = self.host.mappings.current(&self.connection.id).await?;
        let mut mapping = Mapping { version: current.version + 1, ..current.as_ref().clone() };
        mapping.listings.extend(listings(shop::missing_listings()));
        mapping.rules.extend(rules(shop::missing_rules()));
        let change = change(self.host.clock.now(), "the listing and the rule that were missing");
        self.host.mappings.replace(&self.connection.id, &mapping, &change).await?;
        self.host.sweep().release(&self.connection).await
    }

    pub(super) fn addresses(&self) -> String {
        format!(
            "  store      simulated 1ShoppingCart, {}, merchant {}\n  warehouse  simulated WMS, {}\n             (it takes duplicates: an order sent twice would show)\n  webhooks   {}\n",
            self.store.base_url(),
            self.store.merchant_id(),
            self.warehouse.base_url(),
            self.webhooks
        )
    }

    pub(super) fn things_to_try(&self) -> String {
        let (store, warehouse) = (self.store.base_url(), self.warehouse.base_url());
        let (merchant, key) = (self.store.merchant_id(), self.store.key());
        format!(
            "\nThe demo keeps running. Things to try from another terminal:\n\
             \n  the store's orders\n    curl '{store}/API/{merchant}/Orders/LIST?key={key}&SortOrder=ASC'\
             \n  what the store's API says about itself\n    curl '{store}/API/{merchant}/Orders?key={key}'\
             \n  what the warehouse has\n    curl -H 'X-Api-Key: {WAREHOUSE_KEY}' '{warehouse}/v1/shipments?limit=5'\
             \n  a webhook from a stranger: answered 401, changes nothing\n    curl -i -d '{{}}' '{}/webhook/demo'\
             \n\nCtrl-C stops it.\n",
            self.webhooks
        )
    }

    pub(super) async fn stop(self) {
        self.running.stop().await;
    }
}

fn set_up(error: std::io::Error) -> Failure {
    Failure::permanent("start the demo", format!("no loopback port can be opened: {}", error.kind()))
        .caused_by(error)
}

async fn start_store(webhooks: &str) -> Result<Store, Failure> {
    let options = StoreOptions {
        notify_url: Some(format!("{webhooks}/notify/demo/{NOTIFY_SECRET}")),
        notify_delay: Duration::from_millis(300),
        ..StoreOptions::default()
    };
    let store = Store::start(options).await.map_err(set_up)?;
    store.stock_shop();
    Ok(store)
}

async fn start_warehouse(webhooks: &str) -> Result<Warehouse, Failure> {
    let webhook = Webhook { url: format!("{webhooks}/webhook/demo"), secret: WEBHOOK_SECRET.to_owned() };
    let options = WarehouseOptions {
        auth: Auth::ApiKey(WAREHOUSE_KEY.to_owned()),
        duplicates: Duplicates::Accept,
        webhook: Some(webhook),
        retry_delays: [200, 500, 1000, 2000].map(Duration::from_millis).to_vec(),
        ..WarehouseOptions::default()
    };
    Warehouse::start(options).await.map_err(set_up)
}

/// The demo's pace: minutes become seconds.
fn options(store: &Store, warehouse: &Warehouse) -> Options {
    Options {
        place: Place::Memory,
        local_hosts: vec![store.host(), warehouse.host()],
        pace: Pace {
            send_within: Duration::from_millis(1500),
            lease: Duration::from_secs(3),
            grace: Duration::from_secs(4),
            first_retry: Duration::from_millis(300),
            longest_retry: Duration::from_secs(2),
            first_watch: Duration::from_secs(5),
        },
        sweep_every: Duration::from_millis(300),
        reconcile_every: domain::reconciliation::EVERY,
        alerts: Alerts::default(),
        beat: Some(Duration::from_millis(700)),
        secrets: [
            ("store-key", store.key()),
            ("notify", NOTIFY_SECRET),
            ("warehouse-key", WAREHOUSE_KEY),
            ("webhook", WEBHOOK_SECRET),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
    }
}

fn start_of(store: &Store, morning: DateTime) -> Option<Timestamp> {
    let ago = store.local_now().duration_since(morning).unsigned_abs();
    SystemClock.now().checked_sub(ago).ok()
}

fn connection(store: &Store, warehouse: &Warehouse, start: Option<Timestamp>) -> Connection {
    let text =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Connection {
        id: demo_id(),
        name: "Demo shop".to_owned(),
        enabled: true,
        store: text(&[
            ("merchant_id", &store.merchant_id().to_string()),
            ("api_key", "@given:store-key"),
            ("notify_secret", "@given:notify"),
            ("base_url", &store.base_url()),
            ("requests_per_second", "50"),
            ("timeout_seconds", "5"),
        ]),
        warehouse: text(&[
            ("kind", "http"),
            ("base_url", &warehouse.base_url()),
            ("auth", "header"),
            ("auth.key", "@given:warehouse-key"),
            ("repeat", "can_be_asked"),
            ("lag_seconds", "0"),
            ("timeout_seconds", "1"),
            ("requests_per_second", "50"),
            ("webhook.scheme", "standard_webhooks"),
            ("webhook.secret", "@given:webhook"),
        ]),
        policies: Policies { start, no_sku: NoSku::Hold, ..Policies::default() },
        schedule: Schedule::default(),
        history: History::Known { since: Timestamp::UNIX_EPOCH },
    }
}

fn demo_id() -> ConnectionId {
    #[expect(clippy::expect_used, reason = "a constant that a test starts")]
    ConnectionId::parse("demo").expect("demo is a slug")
}

async fn seed_mapping(mappings: &dyn Mappings, clock: &dyn Clock, id: &ConnectionId) -> Result<(), Failure> {
    let mapping = Mapping {
        version: 1,
        listings: listings(shop::listings()).collect(),
        rules: rules(shop::rules()).collect(),
    };
    mappings
        .replace(id, &mapping, &change(clock.now(), "what the shop had mapped by this morning"))
        .await
        .map(|_| ())
}

fn change(at: Timestamp, note: &str) -> Change {
    Change { by: "demo".to_owned(), at, note: note.to_owned() }
}

fn listings(pairs: shop::Listings) -> impl Iterator<Item = (Sku, Target)> {
    pairs.into_iter().filter_map(|(sku, parts)| {
        let component =
            |(sku, quantity): (&str, u32)| Some(Component { sku: WarehouseSku::parse(sku).ok()?, quantity });
        let parts: Vec<Component> = parts.into_iter().filter_map(component).collect();
        let target = if parts.is_empty() { Target::DoNotShip } else { Target::Ship(parts) };
        Some((Sku::parse(sku).ok()?, target))
    })
}

fn rules(pairs: shop::Rules) -> impl Iterator<Item = ShippingRule> {
    pairs.into_iter().filter_map(|(method, service)| {
        Some(ShippingRule {
            method: Matcher::Is(method.to_owned()),
            countries: Vec::new(),
            min_total: None,
            below_total: None,
            decision: Decision::Book(Service::parse(service).ok()?),
        })
    })
}
