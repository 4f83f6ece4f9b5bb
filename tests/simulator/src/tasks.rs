//! The background work of a simulated service: notifications under way, late effects. It ends with the service.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// Running tasks, bound to the runtime that the service was started in.
pub(crate) struct Tasks {
    running: Mutex<JoinSet<()>>,
    runtime: Handle,
}

impl Tasks {
    /// Must be called inside a runtime.
    pub(crate) fn new() -> Self {
        Self { running: Mutex::new(JoinSet::new()), runtime: Handle::current() }
    }

    /// Starts a task; callable from any thread.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        while running.try_join_next().is_some() {}
        running.spawn_on(task, &self.runtime);
    }

    /// Ends them all.
    pub(crate) fn stop(&self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}
