//! A small queue service that speaks AWS JSON 1.0 as the SDK does: visibility, receive counts, long polls, dead letters.

mod actions;
mod http;
mod queue;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{Now, wall};
use crate::faults::Plan;
use crate::server::Server;
use crate::shared::Shared;
use queue::Queue;
pub(crate) use queue::digest;
pub use queue::{Delivery, Peek, Sent};

/// The requests that it understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "named as in the service's API")]
pub enum Action {
    CreateQueue,
    GetQueueUrl,
    GetQueueAttributes,
    SetQueueAttributes,
    SendMessage,
    SendMessageBatch,
    ReceiveMessage,
    DeleteMessage,
    DeleteMessageBatch,
    ChangeMessageVisibility,
    ChangeMessageVisibilityBatch,
    PurgeQueue,
}

/// How a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 503, without effect.
    Unavailable,
    /// 400 with the service's throttling error, without effect.
    Throttled,
    /// The connection ends without an answer, without effect.
    HangUp,
    /// Done, and the answer lost.
    DoneButHangUp,
    /// A batch of which the first entry fails.
    FirstEntryFails,
}

/// Faults to come. The subject of a fault about one queue is its name.
pub type FaultPlan = Plan<Action, Fault>;

/// Everything that changes.
struct State {
    queues: BTreeMap<String, Queue>,
    requests: BTreeMap<Action, u64>,
    faults: FaultPlan,
    next_id: u64,
    sent: Vec<Sent>,
}

struct World {
    base_url: std::sync::OnceLock<String>,
    now: Now,
    state: Shared<State>,
}

impl World {
    fn now(&self) -> Timestamp {
        (self.now)()
    }

    fn url(&self, queue: &str) -> String {
        format!("{}/000000000000/{queue}", self.base_url.get().map_or("", String::as_str))
    }
}

/// A running queue service. Dropping it closes its port.
pub struct Sqs {
    world: Arc<World>,
    server: Server,
}

impl Sqs {
    /// Starts it without any queue, on the wall clock. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn start() -> io::Result<Self> {
        let state = State {
            queues: BTreeMap::new(),
            requests: BTreeMap::new(),
            faults: FaultPlan::new(),
            next_id: 1,
            sent: Vec::new(),
        };
        let base_url = std::sync::OnceLock::new();
        let world = Arc::new(World { base_url, now: wall(), state: Shared::new(state) });
        let shared = Arc::clone(&world);
        let server = Server::start(move |request| http::answer(Arc::clone(&shared), request)).await?;
        world.base_url.get_or_init(|| server.base_url());
        Ok(Self { world, server })
    }

    /// The endpoint for the SDK, as `http://127.0.0.1:port`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.server.base_url()
    }

    /// Makes a queue with a visibility timeout of 30 s and no dead-letter queue; gives its URL.
    pub fn create_queue(&self, name: &str) -> String {
        self.world.state.change(|state| {
            state.queues.entry(name.to_owned()).or_default();
        });
        self.world.url(name)
    }

    /// Makes a queue and its dead-letter queue `{name}-dead`; gives both URLs. A message is moved when it has been
    /// received `max_receives` times and would be received once more.
    pub fn create_queue_with_dead_letters(&self, name: &str, max_receives: u32) -> (String, String) {
        let dead = format!("{name}-dead");
        let dead_url = self.create_queue(&dead);
        let url = self.create_queue(name);
        self.world.state.change(|state| {
            if let Some(queue) = state.queues.get_mut(name) {
                queue.dead_letters = Some((dead, max_receives));
            }
        });
        (url, dead_url)
    }

    /// The URL of a queue, whether it exists or not.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        self.world.url(name)
    }

    /// Puts a message on a queue from the outside.
    pub fn send(&self, name: &str, body: &str) {
        let now = self.world.now();
        self.world.state.change(|state| state.send(name, body, serde_json::Value::Null, 0, now));
    }

    /// From now on whoever receives a message of this queue has it for so long.
    pub fn set_visibility(&self, name: &str, visibility: Duration) {
        self.world.state.change(|state| {
            if let Some(queue) = state.queues.get_mut(name) {
                queue.visibility = visibility;
            }
        });
    }

    /// Receives up to ten messages as the service's own poller does, waiting up to so many seconds for the first; none
    /// when there is no such queue.
    pub async fn receive(&self, name: &str, seconds: u64) -> Vec<Delivery> {
        let input = serde_json::json!({"MaxNumberOfMessages": 10, "WaitTimeSeconds": seconds});
        let answer = actions::receive(&self.world, name, &input).await.unwrap_or_default();
        let messages = answer.get("Messages").and_then(serde_json::Value::as_array);
        messages.into_iter().flatten().map(Delivery::of).collect()
    }

    /// Deletes a delivered message, as the service's own poller does; nothing happens when it has come again since.
    pub fn delete(&self, name: &str, delivery: &Delivery) {
        self.world.state.change(|state| {
            if let Some(queue) = state.queues.get_mut(name) {
                queue.delete(&delivery.receipt);
            }
        });
    }

    /// Everything that was ever put on a queue, dead letters of a sender included, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.world.state.look(|state| state.sent.clone())
    }

    /// What is on a queue, in flight or not, oldest first.
    #[must_use]
    pub fn peek(&self, name: &str) -> Vec<Peek> {
        let now = self.world.now();
        self.world.state.look(|state| state.queues.get(name).map(|queue| queue.peek(now)).unwrap_or_default())
    }

    /// Makes every message of a queue visible now, as if its time-out had passed.
    pub fn make_visible(&self, name: &str) {
        let now = self.world.now();
        self.world.state.change(|state| {
            if let Some(queue) = state.queues.get_mut(name) {
                queue.make_visible(now);
            }
        });
    }

    /// How many requests it got, by action: what a bill would count.
    #[must_use]
    pub fn requests(&self) -> BTreeMap<Action, u64> {
        self.world.state.look(|state| state.requests.clone())
    }

    /// Adds faults to come.
    pub fn plan_faults(&self, plan: FaultPlan) {
        self.world.state.change(|state| state.faults.extend(plan));
    }

    /// Waits until the queues are such that the condition holds; for ever when it never does.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) {
        self.world.state.until(|| holds(self)).await;
    }
}
