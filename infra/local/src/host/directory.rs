//! Who uses a data directory: one host at a time, and commands beside it for a moment.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Failure;
use domain::ports::Clock;

use super::embedded::DURING;

/// Where the endpoint of the host that runs on the directory is written down. Commands do not write theirs.
const ENDPOINT_FILE: &str = "endpoint";

/// Between two looks at a directory that is in use.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until a host that is there is believed to be there to stay: its file may be left from one that was killed.
const LOOKS_AT_A_HOST: u32 = 10;

/// Looks at a directory that a command uses: that is over soon.
const LOOKS_AT_A_COMMAND: u32 = 300;

/// The right to a directory.
pub(super) enum Way {
    /// It is ours, for as long as the file is held.
    Own(Held),
    /// A host runs on it, and is reached at this endpoint.
    Through(String),
}

/// A directory that is ours.
pub(super) struct Held {
    dir: PathBuf,
    _lock: File,
}

impl Held {
    /// Where the ledger is.
    pub(super) fn ledger(&self) -> PathBuf {
        self.dir.join("ledger.sqlite")
    }

    /// Lets commands know where the host is reached.
    pub(super) fn publish(&self, endpoint: &str) -> Result<(), Failure> {
        // Renamed into place, so that nobody reads half of it.
        let draft = self.dir.join("endpoint.new");
        let written =
            std::fs::write(&draft, endpoint).and_then(|()| std::fs::rename(&draft, endpoint_file(&self.dir)));
        written.map_err(|e| cannot_use(&self.dir, e))
    }
}

/// Enters a directory. Where `share` is set, a host that runs there is no obstacle: it is used.
///
/// # Errors
/// When the directory cannot be used, or somebody else uses it and does not leave.
pub(super) async fn enter(dir: &Path, share: bool, clock: &dyn Clock) -> Result<Way, Failure> {
    let mut looks = 0;
    loop {
        if let Some(lock) = lock(dir)? {
            drop(std::fs::remove_file(endpoint_file(dir)));
            return Ok(Way::Own(Held { dir: dir.to_owned(), _lock: lock }));
        }
        let host = std::fs::read_to_string(endpoint_file(dir)).ok();
        if let Some(endpoint) = host.as_ref().filter(|_| share) {
            return Ok(Way::Through(endpoint.trim().to_owned()));
        }
        looks += 1;
        if looks >= if host.is_some() { LOOKS_AT_A_HOST } else { LOOKS_AT_A_COMMAND } {
            let cure = "another cartdock uses it; stop that one, or give this one another data_dir";
            return Err(Failure::permanent(DURING, format!("{} is in use: {cure}", dir.display())));
        }
        clock.sleep(LOOK_EVERY).await;
    }
}

fn endpoint_file(dir: &Path) -> PathBuf {
    dir.join(ENDPOINT_FILE)
}

fn cannot_use(dir: &Path, error: std::io::Error) -> Failure {
    Failure::permanent(DURING, format!("{} cannot be used: {}", dir.display(), error.kind())).caused_by(error)
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
