//! A secret that rotates: the far side's lock, and the key that a process read some time ago.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::coverage::{Fault, Sometimes};
use crate::watch::Watch;

/// Which key the far side takes.
#[derive(Debug, Clone, Default)]
pub struct Lock(Arc<AtomicU64>);

impl Lock {
    /// From now on another key is needed.
    pub fn rotate(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The key that opens it now.
    #[must_use]
    pub(crate) fn key(&self) -> Key {
        Key(Arc::new(Held {
            number: AtomicU64::new(self.0.load(Ordering::Relaxed)),
            refused: AtomicBool::new(false),
        }))
    }

    /// The key before this one: what a process has that read it a while ago.
    #[must_use]
    pub(crate) fn old_key(&self) -> Key {
        let key = self.key();
        key.0.number.store(self.0.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
        key
    }
}

#[derive(Debug)]
struct Held {
    number: AtomicU64,
    refused: AtomicBool,
}

/// The key that a process holds; fetched anew once it was refused, as the adapters do.
#[derive(Debug, Clone)]
pub(crate) struct Key(Arc<Held>);

impl Key {
    /// Does it open the lock? When not, it is fetched anew for the next time.
    pub(crate) fn opens(&self, lock: &Lock, watch: &Watch, fault: Fault) -> bool {
        let wanted = lock.0.load(Ordering::Relaxed);
        if self.0.number.swap(wanted, Ordering::Relaxed) == wanted {
            if self.0.refused.swap(false, Ordering::Relaxed) {
                watch.sometimes(Sometimes::SecretFetched);
            }
            return true;
        }
        watch.fault(fault);
        self.0.refused.store(true, Ordering::Relaxed);
        false
    }
}
