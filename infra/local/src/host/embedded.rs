//! The embedded ledger: DynamoDB's API on SQLite, inside this process, reached through the same SDK client as on AWS.

use std::fmt::Display;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use adapters::dynamodb::{Client, Names, tables};
use domain::Failure;

const DURING: &str = "open the ledger";

/// Where the endpoint of the process that has the data directory open is written down.
const ENDPOINT_FILE: &str = "endpoint";

/// Where the ledger of a host is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In memory, for as long as the process lives.
    Memory,
    /// In this directory, which nobody else may be using.
    Own(PathBuf),
    /// In this directory; when another process has it open, through that process.
    Shared(PathBuf),
}

/// An open ledger: a client, and the engine behind it when it is in this process.
pub(crate) struct Database {
    client: Client,
    names: Names,
    engine: Option<dynoxide::Database>,
    /// Held for as long as this process uses the data directory.
    _lock: Option<File>,
}

impl Database {
    /// Opens the ledger at a place.
    ///
    /// # Errors
    /// When the directory cannot be used, or another process uses it and it may not be shared.
    pub(crate) async fn open(place: &Place) -> Result<Self, Failure> {
        let (dir, share) = match place {
            Place::Memory => return Self::serve(dynoxide::Database::memory(), None, None).await,
            Place::Own(dir) => (dir, false),
            Place::Shared(dir) => (dir, true),
        };
        let Some(lock) = lock(dir)? else {
            return if share { Self::attach(dir).await } else { Err(in_use(dir)) };
        };
        let file = dir.join("ledger.sqlite");
        let path = file.to_str().ok_or_else(|| Failure::permanent(DURING, "data_dir is not valid UTF-8"))?;
        Self::serve(dynoxide::Database::new(path), Some(dir), Some(lock)).await
    }

    async fn serve<E: Display>(
        engine: Result<dynoxide::Database, E>,
        dir: Option<&Path>,
        lock: Option<File>,
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
        if let Some(dir) = dir {
            std::fs::write(dir.join(ENDPOINT_FILE), &endpoint).map_err(|e| cannot_use(dir, e))?;
        }
        let client = client(&endpoint).await;
        let names = Names::default();
        tables::create(&client, &names).await?;
        Ok(Self { client, names, engine: Some(engine), _lock: lock })
    }

    async fn attach(dir: &Path) -> Result<Self, Failure> {
        let endpoint = std::fs::read_to_string(dir.join(ENDPOINT_FILE)).map_err(|_| in_use(dir))?;
        Ok(Self { client: client(endpoint.trim()).await, names: Names::default(), engine: None, _lock: None })
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

async fn client(endpoint: &str) -> Client {
    Client::new(&adapters::aws::local(endpoint).await)
}

fn in_use(dir: &Path) -> Failure {
    let cure = "another cartdock uses it; stop that one, or give this one another data_dir";
    Failure::permanent(DURING, format!("{} is in use: {cure}", dir.display()))
}

fn cannot_use(dir: &Path, error: std::io::Error) -> Failure {
    Failure::permanent(DURING, format!("{} cannot be used: {}", dir.display(), error.kind())).caused_by(error)
}

fn cannot_listen(error: std::io::Error) -> Failure {
    Failure::permanent(DURING, format!("no loopback port can be opened: {}", error.kind())).caused_by(error)
}

/// One process per data directory: a second one would run every schedule twice. None: another has it.
fn lock(dir: &Path) -> Result<Option<File>, Failure> {
    std::fs::create_dir_all(dir).map_err(|e| cannot_use(dir, e))?;
    restrict(dir).map_err(|e| cannot_use(dir, e))?;
    let file = File::create(dir.join("lock")).map_err(|e| cannot_use(dir, e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(cannot_use(dir, error)),
    }
}

/// The ledger holds personal data: only its owner may read it.
#[cfg(unix)]
fn restrict(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> std::io::Result<()> {
    Ok(())
}
