//! The ports in memory: each keeps the promises of its doc comment and nothing more, and lets a test decide the fate of
//! every effect. Single-threaded, no time and no chance of their own.

mod fate;
mod ledger;
mod ledger_port;
mod notes;
mod queue;
mod scene;
mod settings;
mod store;
mod warehouse;
mod warehouse_port;

pub use fate::{Fate, Gate, Kindly, Lost, Script, World};
pub use ledger::{Books, ModelLedger};
pub use notes::ModelNotes;
pub use queue::ModelQueue;
pub use scene::Scene;
pub use settings::{ModelConnections, ModelMappings, ModelPartners};
pub use store::{ModelStore, Posted};
pub use warehouse::{Class, Created, ModelWarehouse};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The inside of a mutex, whatever happened to its last holder.
pub(crate) fn inside<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
