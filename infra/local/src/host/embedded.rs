//! The ledger of a host: DynamoDB's API on SQLite, inside this process, or DynamoDB itself, through the same SDK client.

use std::fmt::Display;
use std::path::PathBuf;

use adapters::aws::SdkConfig;
use adapters::dynamodb::{Client, Names, tables};
use domain::Failure;
use domain::ports::Clock;

use super::directory::{self, Held, Way};

pub(super) const DURING: &str = "open the ledger";

/// Where the ledger of a host is.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// In memory, for as long as the process lives.
    Memory,
    /// In this directory, which nobody else may be using.
    Own(PathBuf),
    /// In this directory; when another process has it open, through that process.
    Shared(PathBuf),
    /// On AWS, in tables that are there already.
    Cloud(Box<SdkConfig>, Names),
}

/// An open ledger: a client, and the engine behind it when it is in this process.
pub(crate) struct Database {
    client: Client,
    names: Names,
    engine: Option<dynoxide::Database>,
    endpoint: String,
    /// The data directory, for as long as this process uses it.
    held: Option<Held>,
    /// May another process be at work on it?
    is_shared: bool,
}

impl Database {
    /// Opens the ledger at a place.
    ///
    /// # Errors
    /// When the directory cannot be used, or another process uses it and it may not be shared.
    pub(crate) async fn open(place: &Place, clock: &dyn Clock) -> Result<Self, Failure> {
        let (dir, share) = match place {
            Place::Memory => return Self::serve(dynoxide::Database::memory(), None).await,
            Place::Own(dir) => (dir, false),
            Place::Shared(dir) => (dir, true),
            Place::Cloud(sdk, names) => {
                return Ok(Self::beyond(Client::new(sdk), names.clone(), String::new()));
            }
        };
        let held = match directory::enter(dir, share, clock).await? {
            Way::Through(endpoint) => return Ok(Self::attach(&endpoint).await),
            Way::Own(held) => held,
        };
        let file = held.ledger();
        let path = file.to_str().ok_or_else(|| Failure::permanent(DURING, "data_dir is not valid UTF-8"))?;
        let database = Self::serve(dynoxide::Database::new(path), Some(held)).await?;
        if !share {
            database.publish()?;
        }
        Ok(database)
    }

    async fn serve<E: Display>(
        engine: Result<dynoxide::Database, E>,
        held: Option<Held>,
    ) -> Result<Self, Failure> {
        let engine = engine
            .map_err(|e| Failure::permanent(DURING, format!("the ledger's file cannot be opened: {e}")))?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(cannot_listen)?;
        let endpoint = format!("http://{}", listener.local_addr().map_err(cannot_listen)?);
        let served = engine.clone();
        tokio::spawn(async move {
            if let Err(error) =
                dynoxide::server::serve_with_shutdown(listener, served, std::future::pending()).await
            {
                tracing::error!("the embedded ledger has stopped: {error}");
            }
        });
        let client = client(&endpoint);
        let names = Names::default();
        tables::create(&client, &names).await?;
        Ok(Self { client, names, engine: Some(engine), endpoint, held, is_shared: false })
    }

    async fn attach(endpoint: &str) -> Self {
        Self::beyond(client(endpoint), Names::default(), endpoint.to_owned())
    }

    /// A ledger that somebody else has open.
    fn beyond(client: Client, names: Names, endpoint: String) -> Self {
        Self { client, names, engine: None, endpoint, held: None, is_shared: true }
    }

    /// May another process be at work on this ledger?
    pub(crate) fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Lets commands beside this process work through it.
    fn publish(&self) -> Result<(), Failure> {
        self.held.as_ref().map_or(Ok(()), |held| held.publish(&self.endpoint))
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Removes items whose time has come, as DynamoDB does by itself.
    pub(crate) fn expire(&self) {
        if let Some(Err(error)) = self.engine.as_ref().map(dynoxide::Database::sweep_ttl) {
            tracing::warn!("expired items were not removed: {error}");
        }
    }
}

fn client(endpoint: &str) -> Client {
    Client::new(&adapters::aws::local(endpoint))
}

fn cannot_listen(error: std::io::Error) -> Failure {
    Failure::permanent(DURING, format!("no loopback port can be opened: {}", error.kind())).caused_by(error)
}
