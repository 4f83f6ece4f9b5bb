//! The embedded ledger: DynamoDB's API on SQLite, inside this process, reached through the same SDK client as on AWS.

use std::fs::{File, TryLockError};
use std::path::Path;

use adapters::dynamodb::{Tables, embedded_client};
use domain::Failure;

const DURING: &str = "open the ledger";

/// An open database, and the loopback endpoint that serves it for as long as the process lives.
pub(crate) struct Database {
    engine: dynoxide::Database,
    client: aws_sdk_dynamodb::Client,
    tables: Tables,
    /// Held for as long as this process uses the data directory.
    _lock: Option<File>,
}

impl Database {
    /// Opens the ledger of a data directory, or one in memory.
    ///
    /// # Errors
    /// When the directory cannot be used, or another process uses it.
    pub(crate) async fn open(data_dir: Option<&Path>) -> Result<Self, Failure> {
        let (engine, lock) = match data_dir {
            None => (dynoxide::Database::memory(), None),
            Some(dir) => {
                let lock = lock(dir)?;
                let file = super::ledger_file(dir);
                let path = file.to_str().ok_or_else(|| Failure::permanent(DURING, "data_dir is not valid UTF-8"))?;
                (dynoxide::Database::new(path), Some(lock))
            }
        };
        let engine = engine.map_err(|e| Failure::permanent(DURING, format!("the ledger's file cannot be opened: {e}")))?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let served = engine.clone();
        tokio::spawn(async move {
            if let Err(error) = dynoxide::server::serve_with_shutdown(listener, served, std::future::pending()).await {
                tracing::error!("the embedded ledger has stopped: {error}");
            }
        });
        let client = embedded_client(&format!("http://{address}"));
        let tables = Tables::named("cartdock");
        tables.create_if_absent(&client).await?;
        Ok(Self { engine, client, tables, _lock: lock })
    }

    pub(crate) fn client(&self) -> aws_sdk_dynamodb::Client {
        self.client.clone()
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Removes items whose time has come, as DynamoDB does by itself.
    pub(crate) fn expire(&self) {
        if let Err(error) = self.engine.sweep_ttl() {
            tracing::warn!("expired items were not removed: {error}");
        }
    }
}

fn cannot_listen(error: std::io::Error) -> Failure {
    Failure::permanent(DURING, format!("no loopback port can be opened: {}", error.kind())).caused_by(error)
}

/// One process per data directory: a second one would run every schedule twice.
fn lock(dir: &Path) -> Result<File, Failure> {
    let refused = |e: std::io::Error| Failure::permanent(DURING, format!("{} cannot be used: {}", dir.display(), e.kind()));
    std::fs::create_dir_all(dir).map_err(refused)?;
    restrict(dir).map_err(refused)?;
    let file = File::create(dir.join("lock")).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let cure = "another cartdock uses it; stop that one, or give this one another data_dir";
            Err(Failure::permanent(DURING, format!("{} is in use: {cure}", dir.display())))
        }
        Err(TryLockError::Error(error)) => Err(refused(error)),
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
