//! Everything that surrounds a function: tables, queues, a store, a warehouse, and one connection between them.

use std::path::Path;
use std::sync::Arc;

use adapters::clock::SystemClock;
use adapters::dynamodb::DynamoLedger;
use adapters::http::Http;
use adapters::partners::Adapters;
use adapters::secret::{Secret, SecretSource, Vault};
use adapters::sqs::{Client, SqsNames, SqsQueue};
use async_trait::async_trait;
use domain::connection::Connection;
use domain::life::later;
use domain::mapping::Mapping;
use domain::message::Message;
use domain::policy::Policies;
use domain::ports::{Clock, DeadLetter, Ledger};
use domain::record::Record;
use domain::{ConnectionId, Failure, OrderId, OrderKey};
use simulator::lambda::{Host, LambdaError};
use simulator::shop;
use simulator::sqs::Sqs;
use simulator::store::{LineSpec, OrderSpec, ProductSpec, Store, StoreOptions};
use simulator::warehouse::{Auth, Duplicates, Warehouse, WarehouseOptions};

use crate::connection::{WAREHOUSE_KEY, WEBHOOK_SECRET, connection, mapping, secrets};
use crate::database::Database;
use crate::function::Function;
use crate::meter::{Meter, Used};
use crate::secrets::SecretsManager;
use crate::topic::Topic;

/// The queues, as the settings of the functions call them.
pub(crate) const QUEUES: [&str; 3] = ["ORDERS", "SHIPMENTS", "HINTS"];
/// Deliveries until the queue itself gives a message up.
const MAX_RECEIVES: u32 = 5;

/// A whole deployment on loopback ports, but for the functions. Nothing in it is shared with another test.
pub struct Cloud {
    /// The simulated 1ShoppingCart, without orders. Tracking can be written to it.
    pub store: Store,
    /// The simulated warehouse. It takes duplicates, so that an order sent twice shows, and tells nobody of shipments
    /// until it is given an address.
    pub warehouse: Warehouse,
    /// The queues `orders`, `shipments` and `hints`, each with its dead letters.
    pub sqs: Sqs,
    /// The ledger that the functions write.
    pub ledger: DynamoLedger,
    /// The connection that is in the tables.
    pub connection: Connection,
    pub(crate) partners: Adapters,
    pub(crate) mapping: Mapping,
    variables: Vec<(String, String)>,
    queues: Client,
    database: Database,
    meter: Option<Meter>,
}

/// What the warehouse's key is called in Secrets Manager.
pub const KEY_NAME: &str = "cartdock/test/warehouse-key";

impl Cloud {
    /// Starts everything, and puts the connection and its mapping into the tables.
    pub async fn start() -> Self {
        let database = Database::start().await;
        let store = Store::start(StoreOptions::default()).await.expect("a store");
        store.stock_shop();
        let warehouse = Warehouse::start(warehouse_options()).await.expect("a warehouse");
        let sqs = Sqs::start().await.expect("a queue service");
        let now = SystemClock.now();
        let start = now.checked_sub(Policies::days(1)).expect("a date");
        let connection = connection(&store, &warehouse, start);
        let cloud = Self {
            variables: variables(&database, &sqs, &[store.host(), warehouse.host()], secrets(&store)),
            ledger: DynamoLedger::new(database.client.clone(), &database.names.ledger, None),
            partners: partners(&store, &warehouse),
            queues: Client::new(&adapters::aws::local(&sqs.endpoint())),
            mapping: mapping(),
            connection,
            store,
            warehouse,
            sqs,
            database,
            meter: None,
        };
        cloud.database.enter(&cloud.connection, &cloud.mapping).await;
        cloud
    }

    /// The same; what the functions use of the database is counted from now on, and things may take as long as `pace` says.
    pub async fn metered(pace: &str) -> Self {
        let mut cloud = Self::start().await;
        let meter = Meter::start(&cloud.database.endpoint).await;
        let is_other = |name: &str| name != "AWS_ENDPOINT_URL_DYNAMODB";
        cloud.variables.retain(|(name, _)| is_other(name));
        cloud.variables.push(("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), meter.endpoint.clone()));
        // People are told, as they are by default; in these tests there is nothing to tell.
        cloud.variables.push(("ALERT_TOPIC".to_owned(), "arn:aws:sns:us-east-1:1:nobody".to_owned()));
        cloud.variables.push(("PACE".to_owned(), pace.to_owned()));
        cloud.meter = Some(meter);
        cloud
    }

    /// The same, but for the warehouse's key: that is in Secrets Manager, under [`KEY_NAME`]. Things may take as long as
    /// `pace` says.
    pub async fn with_secrets_manager(pace: &str) -> (Self, SecretsManager) {
        let mut cloud = Self::start().await;
        let secrets = SecretsManager::start().await;
        let variable = ("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), secrets.endpoint.clone());
        cloud.variables.push(variable);
        cloud.variables.push(("PACE".to_owned(), pace.to_owned()));
        cloud.connection.warehouse.insert("auth.key".to_owned(), format!("@secret:{KEY_NAME}"));
        cloud.database.put(&cloud.connection).await;
        (cloud, secrets)
    }

    /// The same; people are told by a topic.
    pub async fn with_topic() -> (Self, Topic) {
        let mut cloud = Self::start().await;
        let topic = Topic::start().await;
        let variables = [
            ("AWS_ENDPOINT_URL_SNS", topic.endpoint.as_str()),
            ("ALERT_TOPIC", crate::topic::ARN),
            ("STACK", "cartdock-test"),
        ];
        cloud.variables.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        (cloud, topic)
    }

    /// Puts a connection of another name between the same store and the same warehouse into the tables.
    pub async fn join_as(&self, id: &str) {
        let id = ConnectionId::parse(id).expect("a slug");
        self.database.enter(&Connection { id, ..self.connection.clone() }, &self.mapping).await;
    }

    /// The same; the functions ask the warehouse as often as a setting allows.
    pub(crate) async fn at_full_pace(mut self) -> Self {
        self.connection.warehouse.insert("requests_per_second".to_owned(), "1000".to_owned());
        self.database.put(&self.connection).await;
        self
    }

    /// What the functions have used of the database, where it is counted.
    #[must_use]
    pub fn used(&self) -> Used {
        self.meter.as_ref().map(Meter::used).unwrap_or_default()
    }

    /// Bytes that the ledger keeps, as DynamoDB counts them.
    pub async fn stored(&self) -> u64 {
        self.database.stored().await
    }

    /// Starts a function's real binary with the settings that it has on AWS.
    pub async fn function(&self, binary: &str) -> Function {
        Function::new(self.host(binary).await)
    }

    /// How the start of a function ends when this setting is missing.
    ///
    /// # Panics
    /// When it starts all the same.
    pub async fn start_without(&self, setting: &str, binary: &str) -> LambdaError {
        let given: Vec<_> = self.variables().filter(|(name, _)| *name != setting).collect();
        let ready = host(binary, &given).await.ready().await;
        ready.err().unwrap_or_else(|| panic!("it starts without {setting}"))
    }

    /// How the start of a function ends with one more setting.
    ///
    /// # Panics
    /// When it starts all the same.
    pub async fn start_with(&self, setting: (&str, &str), binary: &str) -> LambdaError {
        let given: Vec<_> = self.variables().chain([setting]).collect();
        let ready = host(binary, &given).await.ready().await;
        ready.err().unwrap_or_else(|| panic!("it starts with {setting:?}"))
    }

    /// A function's real binary in its host, with the settings that it has on AWS.
    pub(crate) async fn host(&self, binary: &str) -> Host {
        host(binary, &self.variables().collect::<Vec<_>>()).await
    }

    fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Sells two mugs, paid for; gives the order's number.
    pub fn sell(&self) -> u64 {
        self.sell_lines(1)
    }

    /// Sells two of each of the first products; gives the order's number.
    pub(crate) fn sell_lines(&self, count: usize) -> u64 {
        let line = |product: ProductSpec| LineSpec {
            product: product.id,
            name: product.name,
            sku: product.sku,
            quantity: 2,
            unit_price: product.price,
            recurring: false,
        };
        let lines = shop::products().into_iter().take(count).map(line).collect();
        let an_hour_ago = self.store.local_now().saturating_sub(jiff::ToSpan::hours(1));
        self.store.add_order(OrderSpec::paid(an_hour_ago, lines))
    }

    /// The key of an order.
    #[must_use]
    pub fn key(&self, order: u64) -> OrderKey {
        OrderKey::new(self.connection.id.clone(), OrderId(order))
    }

    /// An order as the ledger has it now, if it has it.
    pub async fn record(&self, order: u64) -> Option<Record> {
        self.ledger.load(&self.key(order), true).await.expect("the ledger answers")
    }

    /// The bodies on a queue (`ORDERS`, `SHIPMENTS`, `HINTS`), in flight or not, oldest first.
    #[must_use]
    pub fn bodies(&self, queue: &str) -> Vec<String> {
        self.sqs.peek(&queue.to_lowercase()).into_iter().map(|message| message.body).collect()
    }

    /// Puts a message on a queue.
    pub fn queue(&self, queue: &str, message: &Message) {
        self.sqs.send(&queue.to_lowercase(), &message.encode());
    }

    /// What the warehouse signs its webhooks with.
    #[must_use]
    pub fn webhook_secret(&self) -> String {
        WEBHOOK_SECRET.to_owned()
    }

    /// Takes everything off a queue's dead letters, as a person reads them.
    pub async fn dead_letters(&self, queue: &str) -> Vec<DeadLetter> {
        self.far_end(queue).take_dead_letters().await.expect("the queue service answers")
    }

    /// The queue as its receiver sees it.
    pub(crate) fn far_end(&self, queue: &str) -> SqsQueue {
        let name = queue.to_lowercase();
        let dead_letters = Some(self.sqs.url(&format!("{name}-dead")));
        let names = SqsNames { url: self.sqs.url(&name), dead_letters, fair: true };
        SqsQueue::new(self.queues.clone(), names, Arc::new(SystemClock))
    }

    /// A date far enough away that nobody looks at anything by itself during a test.
    pub(crate) fn much_later(&self) -> jiff::Timestamp {
        later(SystemClock.now(), Policies::days(1))
    }
}

async fn host(binary: &str, variables: &[(&str, &str)]) -> Host {
    Host::start(Path::new(binary), variables).await.expect("the binary can be started")
}

fn warehouse_options() -> WarehouseOptions {
    WarehouseOptions {
        auth: Auth::ApiKey(WAREHOUSE_KEY.to_owned()),
        duplicates: Duplicates::Accept,
        retry_delays: Vec::new(),
        ..WarehouseOptions::default()
    }
}

/// The environment of every function, and the queues that it names.
pub(crate) fn variables<N: Into<String>>(
    database: &Database,
    sqs: &Sqs,
    hosts: &[String],
    secrets: impl IntoIterator<Item = (N, String)>,
) -> Vec<(String, String)> {
    let fixed = [
        ("AWS_ENDPOINT_URL_DYNAMODB", database.endpoint.clone()),
        ("AWS_ENDPOINT_URL_SQS", sqs.endpoint()),
        ("LEDGER_TABLE", database.names.ledger.clone()),
        ("MAPPINGS_TABLE", database.names.mappings.clone()),
        ("LOCAL_HOSTS", hosts.join(",")),
        ("METRICS_NAMESPACE", "Test".to_owned()),
    ];
    let mut variables: Vec<_> = fixed.map(|(name, value)| (name.to_owned(), value)).into();
    variables.extend(secrets.into_iter().map(|(name, value)| (name.into(), value)));
    for queue in QUEUES {
        let (url, dead_letters) = sqs.create_queue_with_dead_letters(&queue.to_lowercase(), MAX_RECEIVES);
        variables.push((format!("{queue}_QUEUE_URL"), url));
        variables.push((format!("{queue}_DEAD_LETTERS_URL"), dead_letters));
    }
    variables
}

/// The adapters as a function has them, for what happened before a test begins.
fn partners(store: &Store, warehouse: &Warehouse) -> Adapters {
    let clock = Arc::new(SystemClock);
    let vault = Arc::new(Vault::new(vec![Box::new(Secrets(secrets(store)))], clock.clone()));
    let http = Http::new([store.host(), warehouse.host()]).expect("an HTTP client");
    Adapters::new(vault, http, clock)
}

/// The variables that a function's secrets are in, without touching this process's environment.
struct Secrets([(&'static str, String); 4]);

#[async_trait]
impl SecretSource for Secrets {
    async fn fetch(&self, reference: &str) -> Result<Option<Secret>, Failure> {
        let found = self.0.iter().find(|(name, _)| reference.strip_prefix("env:") == Some(*name));
        Ok(found.map(|(_, value)| Secret::new(value.as_str())))
    }
}
