//! The processes of one function, as Lambda keeps them: each has one event at a time, and one that died is replaced.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use simulator::lambda::{Host, LambdaError};
use tokio::sync::Semaphore;

use super::process::Usage;

/// What is known of all functions together.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) invocations: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) starts: AtomicU64,
    pub(super) doubles: AtomicU64,
    pub(super) odd_schedules: AtomicU64,
    /// Is it time to end?
    pub(super) is_over: AtomicBool,
    usage: Mutex<Usage>,
}

impl Counts {
    /// Is it time to end?
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// What processes that have ended used.
    pub(super) fn usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A function.
pub(super) struct Function {
    /// Its name, that of its binary as well.
    pub(super) name: &'static str,
    /// What one invocation may take.
    pub(super) deadline: Duration,
    /// How many processes it may have.
    pub(super) places: usize,
}

/// A process, and what it had used after its last invocation.
struct Instance {
    host: Host,
    usage: Usage,
}

/// The processes of one function.
pub(super) struct Pool {
    function: Function,
    binaries: PathBuf,
    variables: Vec<(String, String)>,
    dir: PathBuf,
    counts: Arc<Counts>,
    free: Semaphore,
    idle: Mutex<Vec<Instance>>,
    /// The processes that have an event in hand now.
    busy: Mutex<Vec<u32>>,
}

impl Pool {
    /// Nothing runs before the first event.
    pub(super) fn new(
        function: Function,
        binaries: PathBuf,
        variables: Vec<(String, String)>,
        dir: PathBuf,
        counts: Arc<Counts>,
    ) -> Self {
        let free = Semaphore::new(function.places);
        let (idle, busy) = Default::default();
        Self { function, binaries, variables, dir, counts, free, idle, busy }
    }

    /// The function's name.
    pub(super) fn name(&self) -> &'static str {
        self.function.name
    }

    /// Hands an event to a process that has none; starts one where there is none. Waits while all are busy.
    ///
    /// # Errors
    /// When the invocation fails, whatever the reason.
    pub(super) async fn invoke(&self, event: Value) -> Result<Value, LambdaError> {
        let _permit = self.free.acquire().await.expect("it is never closed");
        count(&self.counts.invocations);
        let found = lock(&self.idle).pop();
        let mut instance = match found {
            Some(instance) => instance,
            None => self.start().await,
        };
        let pid = instance.host.pid();
        lock(&self.busy).extend(pid);
        let outcome = match instance.host.ready().await {
            Ok(_) => instance.host.invoke(event, self.function.deadline).await,
            Err(error) => Err(error),
        };
        lock(&self.busy).retain(|busy| Some(*busy) != pid);
        self.keep(&mut instance, &outcome);
        match outcome {
            Ok(_) | Err(LambdaError::Answered { .. } | LambdaError::Unreadable { .. }) => {
                lock(&self.idle).push(instance);
            }
            // A process that was killed because its time was up has last words, too.
            Err(_) => {
                instance.host.kill();
                instance.host.ended().await;
                self.retire(instance);
            }
        }
        outcome
    }

    /// The processes that have an event in hand now.
    pub(super) fn busy(&self) -> Vec<u32> {
        lock(&self.busy).clone()
    }

    /// Ends those that are idle, and notes what they used.
    pub(super) fn stop(&self) {
        lock(&self.idle).drain(..).for_each(|instance| self.retire(instance));
    }

    async fn start(&self) -> Instance {
        count(&self.counts.starts);
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let binary = self.binaries.join(self.function.name);
        let host = Host::start(&binary, &variables).await.expect("the binary can be started");
        Instance { host, usage: Usage::default() }
    }

    fn retire(&self, instance: Instance) {
        self.write("log", &instance.host.take_logs());
        self.counts.usage().add(&instance.usage);
    }

    /// Writes down what the process logged and answered, and what it has used so far.
    fn keep(&self, instance: &mut Instance, outcome: &Result<Value, LambdaError>) {
        self.write("log", &instance.host.take_logs());
        if let Some(pid) = instance.host.pid() {
            instance.usage = Usage::of(pid).with_arguments_of(pid);
        }
        match outcome {
            Ok(answer) => self.write("answers", &format!("{answer}\n")),
            Err(error) => {
                count(&self.counts.failed);
                self.write("errors", &format!("{error}\n"));
            }
        }
    }

    fn write(&self, kind: &str, text: &str) {
        let path = self.dir.join(format!("{}.{kind}", self.function.name));
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).expect("a log");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
