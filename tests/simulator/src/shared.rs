//! State behind one lock, with a bell that rings at every change, so that tests wait for a fact and never for a while.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// A value that the server's tasks and the handles share.
pub(crate) struct Shared<T> {
    value: Mutex<T>,
    bell: watch::Sender<()>,
}

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Mutex::new(value), bell: watch::Sender::new(()) }
    }

    /// Looks without changing anything.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock())
    }

    /// Changes the value, then rings the bell.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.lock());
        self.bell.send_replace(());
        result
    }

    /// Looks first; where `idle` holds it only looks, so that a waiting caller does not wake all the others.
    pub(crate) fn look_or_change<R>(
        &self,
        idle: impl FnOnce(&T) -> bool,
        look: impl FnOnce(&T) -> R,
        change: impl FnOnce(&mut T) -> R,
    ) -> R {
        let mut value = self.lock();
        if idle(&value) {
            return look(&value);
        }
        let result = change(&mut value);
        drop(value);
        self.bell.send_replace(());
        result
    }

    /// Waits until the condition holds; for ever when it never does.
    pub(crate) async fn until(&self, holds: impl Fn() -> bool) {
        let mut bell = self.bell.subscribe();
        loop {
            bell.mark_unchanged();
            if holds() || bell.changed().await.is_err() {
                return;
            }
        }
    }

    /// A test that failed while it held the lock must not hide its own message behind a poisoned one.
    fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
