//! All of Cartdock in one process: the same use cases as the Lambdas, on an embedded ledger and queues in memory.

mod attend;
mod channels;
mod directory;
mod embedded;
mod handlers;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use adapters::alerts::Outlets;
use adapters::aws::SdkConfig;
use adapters::clock::{SystemClock, SystemRandomness};
use adapters::dynamodb::{DynamoConnections, DynamoErasure, DynamoLedger, DynamoMappings, DynamoNotes};
use adapters::http::Http;
use adapters::memory_queue::{Manners, MemoryQueue};
use adapters::partners::Adapters;
use adapters::secret::{GivenSecrets, LocalSecrets, SecretSource, Vault};
use adapters::secretsmanager::SecretsManager;
use adapters::tls;
use domain::connection::Connection;
use domain::life::{Pace, later};
use domain::notes::Notes;
use domain::ports::{Clock, Connections, Lease, Ledger, Mappings, Partners, Randomness};
use domain::{ConnectionId, Failure};
use forward_orders::{Circuits, ForwardOrders};
use jiff::Timestamp;
use operations::alerts::{ALERTS, Turns, Watch};
use poll_orders::PollOrders;
use poll_shipments::PollShipments;
use receive_notices::ReceiveNotices;
use sweep::Sweep;
use sweep::reconcile::{RECONCILE, Reconcile};
use tokio::sync::watch;
use tokio::task::JoinSet;
use write_tracking::WriteTracking;

use crate::config::alerts::Alerts;
use attend::Teams;
use embedded::Database;
pub(crate) use embedded::Place;

/// Deliveries of one message before it becomes a dead letter by itself.
const MAX_RECEIVE: u32 = 5;

/// Between two looks for what has expired in the embedded ledger: each reads all of it. DynamoDB takes days.
const EXPIRE_EVERY: Duration = Duration::from_secs(3600);

/// What a host is made of.
#[derive(Clone)]
pub(crate) struct Options {
    /// Where the ledger is.
    pub(crate) place: Place,
    /// Hosts that may be reached although they are local or not https.
    pub(crate) local_hosts: Vec<String>,
    /// How long things may take.
    pub(crate) pace: Pace,
    /// How often the sweep runs.
    pub(crate) sweep_every: Duration,
    /// How often the ledger is compared with the store and the warehouse.
    pub(crate) reconcile_every: Duration,
    /// Whom to tell what opens and what closes, and how often to look.
    pub(crate) alerts: Alerts,
    /// Secrets that settings name as `@given:NAME`, for the demo.
    pub(crate) secrets: Vec<(String, String)>,
    /// Polls this often instead of by each connection's schedule, for the demo.
    pub(crate) beat: Option<Duration>,
}

/// A running set of ports and use cases.
pub(crate) struct Host {
    pub(crate) connections: Arc<dyn Connections>,
    pub(crate) mappings: Arc<dyn Mappings>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) notes: Arc<dyn Notes>,
    pub(crate) partners: Arc<dyn Partners>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) orders: Arc<MemoryQueue>,
    pub(crate) shipments: Arc<MemoryQueue>,
    pub(crate) hints: Arc<MemoryQueue>,
    pub(crate) dice: Arc<dyn Randomness>,
    /// The channels by which people are told.
    pub(crate) outlets: Outlets,
    circuits: Arc<Circuits>,
    options: Options,
    database: Database,
}

impl Host {
    /// Opens the ledger and builds everything; nothing runs yet.
    ///
    /// # Errors
    /// When the data directory cannot be used, or somebody else uses it.
    pub(crate) async fn open(options: Options) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let dice: Arc<dyn Randomness> = Arc::new(SystemRandomness::default());
        let (vault, http) = outside(&options)?;
        let outlets = channels::open(&options, &vault, &http, &clock)?;
        let partners = Adapters::new(vault, http, clock.clone());
        let database = Database::open(&options.place, clock.as_ref()).await?;
        let names = database.names().clone();
        let client = database.client();
        // A claim is longer than a visibility time-out, so a redelivery meets it and leaves it alone.
        let manners = Manners { visibility: options.pace.send_within * 2, max_receive: MAX_RECEIVE };
        let queue = || Arc::new(MemoryQueue::new(clock.clone(), manners));
        Ok(Self {
            outlets,
            connections: Arc::new(DynamoConnections::new(client.clone(), &names.ledger, None)),
            mappings: Arc::new(DynamoMappings::new(client.clone(), &names.mappings, None)),
            ledger: Arc::new(DynamoLedger::new(client.clone(), &names.ledger, None)),
            notes: Arc::new(DynamoNotes::new(client, &names.ledger)),
            partners: Arc::new(partners),
            orders: queue(),
            shipments: queue(),
            hints: queue(),
            clock,
            dice,
            circuits: Arc::default(),
            options,
            database,
        })
    }

    /// What takes out what is kept of a connection.
    pub(crate) fn erasure(&self) -> DynamoErasure {
        DynamoErasure::new(self.database.client(), self.database.names())
    }

    /// May another process be at work on this ledger, a `cartdock run` or the functions of a deployment?
    pub(crate) fn is_shared(&self) -> bool {
        self.database.is_shared()
    }

    pub(crate) fn poll_orders(&self) -> PollOrders {
        PollOrders {
            connections: self.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            orders: self.orders.clone(),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
            pace: self.options.pace,
        }
    }

    pub(crate) fn forward_orders(&self) -> ForwardOrders {
        ForwardOrders {
            connections: self.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            mappings: self.mappings.clone(),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
            pace: self.options.pace,
            circuits: self.circuits.clone(),
        }
    }

    fn write_tracking(&self) -> WriteTracking {
        WriteTracking {
            connections: self.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            shipments: self.shipments.clone(),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
            pace: self.options.pace,
        }
    }

    pub(crate) fn poll_shipments(&self) -> PollShipments {
        PollShipments {
            connections: self.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            shipments: self.shipments.clone(),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
        }
    }

    pub(crate) fn receive_notices(&self) -> ReceiveNotices {
        ReceiveNotices {
            connections: self.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            shipments: self.shipments.clone(),
            hints: self.hints.clone(),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
        }
    }

    pub(crate) fn sweep(&self) -> Sweep {
        Sweep {
            connections: self.connections.clone(),
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            mappings: self.mappings.clone(),
            orders: self.orders.clone(),
            shipments: self.shipments.clone(),
            clock: self.clock.clone(),
            dice: self.dice.clone(),
            pace: self.options.pace,
        }
    }

    pub(crate) fn reconcile(&self) -> Reconcile {
        self.sweep().reconcile(self.notes.clone())
    }

    fn watch(&self) -> Watch {
        Watch {
            partners: self.partners.clone(),
            ledger: self.ledger.clone(),
            notes: self.notes.clone(),
            outlet: Arc::new(self.outlets.clone()),
            clock: self.clock.clone(),
            every: self.options.alerts.every,
            stack: None,
            turns: Turns::default(),
        }
    }

    /// Starts the queue loops, the schedules and the webhook endpoint.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(crate) async fn start(
        self: &Arc<Self>,
        listener: tokio::net::TcpListener,
    ) -> Result<Running, Failure> {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let teams = Teams::of(self.clone()).await?;
        tasks.spawn(teams.attend(stopped.clone()));
        tasks.spawn(self.clone().expire_always(stopped.clone()));
        handlers::spawn(self, &mut tasks, &stopped);
        tasks.spawn(webhooks::serve(listener, self.receive_notices(), stopped.clone()));
        Ok(Running { stop, stopped, tasks })
    }

    /// Ends the lease of a poll that was running when the last process was killed. This one alone uses the ledger, so
    /// nobody holds it any more, and waiting for its end would leave the store unread for minutes.
    pub(crate) async fn end_lease(&self, connection: &Connection) -> Result<(), Failure> {
        let over = Lease { token: self.dice.token(), until: self.clock.now() };
        self.ledger.lease(&connection.id, over, Timestamp::MAX).await.map(drop)
    }

    async fn enabled(&self) -> Result<Vec<Connection>, Failure> {
        Ok(self.connections.all().await?.into_iter().filter(|connection| connection.enabled).collect())
    }

    /// Polls a store again and again, once what the last process had on its queues is there again. Everybody else is at work
    /// meanwhile.
    async fn poll_store(self: Arc<Self>, connection: Connection, mut stopped: watch::Receiver<bool>) {
        let every = self.every(connection.schedule.orders_minutes);
        let mut is_filled = !connection.runs();
        loop {
            if !is_filled {
                let filled = self.sweep().refill(&connection).await;
                is_filled = filled.inspect_err(|failure| warn(sweep::NAME, &connection.id, failure)).is_ok();
            }
            let more = match self.poll_once(&connection, self.in_time(every)).await {
                Ok(more) => more,
                Err(failure) => {
                    warn(poll_orders::NAME, &connection.id, &failure);
                    false
                }
            };
            let wait = if more { Duration::ZERO } else { every };
            if self.pause(wait, &mut stopped).await {
                return;
            }
        }
    }

    /// Polls a store once. True: there is more to read at once, because a ledger is being rebuilt or a history is long.
    async fn poll_once(&self, connection: &Connection, until: Timestamp) -> Result<bool, Failure> {
        let known = self.connections.get(&connection.id).await?.filter(Connection::imports);
        let Some(connection) = known else { return Ok(false) };
        let polled = self.poll_orders().poll(&connection, until).await?;
        if polled.imported > 0 {
            tracing::info!(connection.id = %connection.id, imported = polled.imported, "orders imported");
        }
        if connection.is_complete() {
            return Ok(polled.complete && !polled.caught_up && !polled.busy);
        }
        if polled.caught_up {
            tracing::info!(connection.id = %connection.id, "everything that the store lists is in the ledger");
            self.sweep().refill(&connection).await?;
        }
        Ok(!polled.caught_up && (polled.complete || polled.imported > 0))
    }

    async fn poll_warehouse(self: Arc<Self>, connection: Connection, mut stopped: watch::Receiver<bool>) {
        let every = self.every(connection.schedule.shipments_minutes);
        let poll = self.poll_shipments();
        loop {
            let polled = async {
                let Some(connection) = self.running(&connection.id).await? else { return Ok(()) };
                poll.poll(&connection, self.in_time(every)).await.map(drop)
            };
            if let Err(failure) = polled.await {
                warn(poll_shipments::NAME, &connection.id, &failure);
            }
            if self.pause(every, &mut stopped).await {
                return;
            }
        }
    }

    /// Looks at what is due of one connection, again and again: one whose store is slow keeps no other from being looked at.
    async fn sweep_always(self: Arc<Self>, id: ConnectionId, mut stopped: watch::Receiver<bool>) {
        let every = self.options.sweep_every;
        let sweep = self.sweep();
        while !self.pause(every, &mut stopped).await {
            let swept = async {
                let Some(connection) = self.running(&id).await? else { return Ok(()) };
                sweep.sweep(&connection, self.in_time(every)).await.map(drop)
            };
            if let Err(failure) = swept.await {
                warn(sweep::NAME, &id, &failure);
            }
        }
    }

    /// Compares the ledger with both sides once a day: where that was left when the last process ended.
    async fn reconcile_always(self: Arc<Self>, id: ConnectionId, mut stopped: watch::Receiver<bool>) {
        let (pause, every) = (self.options.sweep_every, self.options.reconcile_every);
        let reconcile = self.reconcile();
        while !self.pause(pause, &mut stopped).await {
            let compared = async {
                let Some(connection) = self.running(&id).await? else { return Ok(0) };
                reconcile.daily(&connection, every, self.in_time(pause)).await
            };
            match compared.await {
                Ok(0) => {}
                Ok(differ) => {
                    tracing::warn!(connection.id = %id, count = differ, "{differ} orders differ: cartdock reconcile {id}");
                }
                Err(failure) => warn(RECONCILE, &id, &failure),
            }
        }
    }

    /// Tells people what opens and what closes.
    async fn watch_always(self: Arc<Self>, id: ConnectionId, mut stopped: watch::Receiver<bool>) {
        let watch = self.watch();
        while !self.pause(watch.every, &mut stopped).await {
            let told = async {
                let Some(connection) = self.running(&id).await? else { return Ok(()) };
                watch.look(&connection).await.map(drop)
            };
            if let Err(failure) = told.await {
                warn(ALERTS, &id, &failure);
            }
        }
    }

    async fn expire_always(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        while !self.pause(EXPIRE_EVERY, &mut stopped).await {
            self.database.expire();
        }
    }

    /// A connection as it is by now, if its store and its warehouse may be asked.
    async fn running(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        Ok(self.connections.get(id).await?.filter(Connection::runs))
    }

    /// Disables the connections that the settings no longer name; what the ledger knows of them stays.
    ///
    /// # Errors
    /// When the ledger fails.
    pub(crate) async fn retire_all_but(&self, named: &[Connection]) -> Result<(), Failure> {
        for known in self.enabled().await? {
            if !named.iter().any(|connection| connection.id == known.id) {
                self.connections.put(&Connection { enabled: false, ..known }).await?;
            }
        }
        Ok(())
    }

    fn every(&self, minutes: u32) -> Duration {
        self.options.beat.unwrap_or_else(|| Duration::from_secs(u64::from(minutes.max(1)) * 60))
    }

    fn in_time(&self, every: Duration) -> Timestamp {
        later(self.clock.now(), every.max(Duration::from_secs(60)))
    }

    /// Waits. True: it is time to stop.
    async fn pause(&self, wait: Duration, stopped: &mut watch::Receiver<bool>) -> bool {
        tokio::select! {
            () = self.clock.sleep(wait) => false,
            _ = stopped.wait_for(|stop| *stop) => true,
        }
    }
}

fn warn(by: &'static str, connection: &ConnectionId, failure: &Failure) {
    tracing::warn!(
        use_case = by,
        connection.id = %connection,
        failure.kind = failure.kind.word(),
        failure.during = failure.during,
        "{} failed: {failure}", by
    );
}

/// The loops of a host.
pub(crate) struct Running {
    stop: watch::Sender<bool>,
    stopped: watch::Receiver<bool>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Lets every loop finish what it has in hand, and returns when the last one has.
    pub(crate) async fn stop(mut self) {
        let _nobody_listens_any_more = self.stop.send(true);
        drop(self.stopped);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// What opens stores and warehouses, with the secrets of the place.
///
/// # Errors
/// When a host that may be reached although it is local cannot be understood.
pub(crate) fn adapters(options: &Options, clock: Arc<dyn Clock>) -> Result<Adapters, Failure> {
    let (vault, http) = outside(options)?;
    Ok(Adapters::new(vault, http, clock))
}

/// The secrets of the place, and what reaches the outside.
fn outside(options: &Options) -> Result<(Arc<Vault>, Http), Failure> {
    let vault = Arc::new(match &options.place {
        Place::Cloud(sdk, _) => cloud_vault(sdk, &options.secrets),
        _ => vault(&options.secrets),
    });
    let tls = tls::of_the_system().unwrap_or_else(|_| tls::built_in());
    Ok((vault, Http::with_tls(options.local_hosts.iter().cloned(), tls)?))
}

/// Where a command at a deployment has the secrets of its connections from: where the deployment has them from, and those
/// that it was given.
fn cloud_vault(sdk: &SdkConfig, given: &[(String, String)]) -> Vault {
    let source: Box<dyn SecretSource> = Box::new(SecretsManager::with(sdk.clone()));
    let given = GivenSecrets::new(given.iter().cloned());
    Vault::new(vec![source, Box::new(given)], Arc::new(SystemClock))
}

/// Where a host has its secrets from: the environment, files, and those that it was given.
pub(crate) fn vault(given: &[(String, String)]) -> Vault {
    let given = GivenSecrets::new(given.iter().cloned());
    Vault::new(vec![Box::new(LocalSecrets), Box::new(given)], Arc::new(SystemClock))
}
