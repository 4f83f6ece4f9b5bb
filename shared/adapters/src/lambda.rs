//! What a Lambda function does with the events it gets: a schedule, a batch of messages, or an HTTP request.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{Clock, Incoming};
use domain::{ConnectionId, Failure};
#[cfg(any(feature = "cloud", test))]
use jiff::Timestamp;
#[cfg(feature = "cloud")]
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

mod events;

pub use events::Event;

use crate::endpoint::Endpoint;
use crate::metrics::Metrics;
use delivery::{Handler, deliver};

/// Something that is done at its time.
#[async_trait]
pub trait Job: Send + Sync {
    /// Does it, as far as `time_left` allows.
    ///
    /// # Errors
    /// The invocation fails, and the schedule tries again.
    async fn run(&self, time_left: Duration) -> Result<(), Failure>;
}

/// One function: what it does on each kind of event.
pub struct Function {
    clock: Arc<dyn Clock>,
    job: Option<Arc<dyn Job>>,
    queue: Option<(Arc<dyn Handler>, Arc<dyn Incoming>)>,
    endpoint: Option<Arc<dyn Endpoint>>,
    told: Option<(Metrics, String)>,
}

impl Function {
    /// A function that does nothing yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, job: None, queue: None, endpoint: None, told: None }
    }

    /// What was counted is written to standard output after every event, under this namespace: CloudWatch makes metrics of it.
    #[must_use]
    pub fn telling(mut self, metrics: Metrics, namespace: &str) -> Self {
        self.told = Some((metrics, namespace.to_owned()));
        self
    }

    /// What it does on a schedule, or when somebody invokes it by hand.
    #[must_use]
    pub fn on_schedule(mut self, job: Arc<dyn Job>) -> Self {
        self.job = Some(job);
        self
    }

    /// What it does with messages, and the queue that they come from.
    #[must_use]
    pub fn on_queue(mut self, handler: Arc<dyn Handler>, queue: Arc<dyn Incoming>) -> Self {
        self.queue = Some((handler, queue));
        self
    }

    /// What it answers to requests.
    #[must_use]
    pub fn on_request(mut self, endpoint: Arc<dyn Endpoint>) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Serves events of the Lambda runtime until the environment ends. It is a task of its own: each waking of the future
    /// that the executor itself waits for costs a call of the system.
    ///
    /// # Errors
    /// When the runtime cannot be reached.
    #[cfg(feature = "cloud")]
    pub async fn run(self) -> Result<(), lambda_runtime::Error> {
        let function = Arc::new(self);
        let serve = move |event| Self::serve(function.clone(), event);
        tokio::spawn(tick());
        tokio::spawn(lambda_runtime::run(service_fn(serve))).await?
    }

    #[cfg(feature = "cloud")]
    async fn serve(self: Arc<Self>, event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
        let left = time_limit(event.context.deadline, self.clock.now());
        let handled = self.handle(event.payload, left).await;
        self.tell();
        handled.map_err(|failure| {
            let (kind, during) = (failure.kind.word(), failure.during);
            tracing::error!(failure.kind = kind, failure.during = during, "{failure}");
            lambda_runtime::Error::from(failure)
        })
    }

    /// Writes down what was counted. Without standard output there are no metrics; the event has been handled all the same.
    #[cfg(feature = "cloud")]
    fn tell(&self) {
        use std::io::Write;
        let Some((metrics, namespace)) = &self.told else { return };
        let mut out = std::io::stdout().lock();
        for line in metrics.lines(namespace) {
            let _nobody_listens = writeln!(out, "{line}");
        }
    }

    /// Handles one event within `time_left`.
    ///
    /// # Errors
    /// When the job fails, or the function was not made for such an event.
    pub async fn handle(&self, event: Value, time_left: Duration) -> Result<Value, Failure> {
        match (Event::read(event), &self.queue, &self.endpoint, &self.job) {
            (Event::Messages(deliveries), Some((handler, queue)), _, _) => {
                let failed = deliver(&**handler, &**queue, &*self.clock, deliveries, time_left).await;
                let failed: Vec<Value> = failed.into_iter().map(|id| json!({"itemIdentifier": id})).collect();
                Ok(json!({"batchItemFailures": failed}))
            }
            (Event::Request(request), _, Some(endpoint), _) => {
                let answer = match request {
                    Some(request) => endpoint.answer(request).await,
                    None => crate::endpoint::HttpAnswer::text(400, "the body is not base64"),
                };
                Ok(events::response(answer))
            }
            (Event::Other, _, _, Some(job)) => job.run(time_left).await.map(|()| Value::Null),
            (event, ..) => {
                let what = format!("this function does not serve {}", event.word());
                Err(Failure::permanent("read event", what))
            }
        }
    }
}

/// Lets a timer be due within a second at any time. Without one every request's time-outs wake tokio's driver up by a call of
/// the system, because nothing else is due before them.
#[cfg(feature = "cloud")]
#[expect(clippy::disallowed_methods, reason = "nothing is decided by this time")]
async fn tick() {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Logs and counts what a scheduled run did for each connection, and fails when it could do nothing for any of them.
///
/// # Errors
/// The first failure, when no connection was served at all: then the alarm on the function's errors is right.
pub fn tell<T>(
    name: &'static str,
    outcomes: Vec<(ConnectionId, Result<T, Failure>)>,
    count: impl Fn(&T) -> usize,
    metrics: &Metrics,
) -> Result<(), Failure> {
    let all = outcomes.len();
    let mut failures = Vec::new();
    for (connection, outcome) in outcomes {
        match outcome {
            Ok(done) => {
                tracing::info!(connection.id = %connection, use_case = name, count = count(&done), "{name} {connection}")
            }
            Err(failure) => {
                warn(name, &connection, &failure);
                failures.push(failure);
            }
        }
    }
    let of = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    metrics.count("ConnectionsServed", Some(("UseCase", name)), of(all - failures.len()));
    metrics.count("ConnectionsFailed", Some(("UseCase", name)), of(failures.len()));
    if failures.len() < all {
        return Ok(());
    }
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// Logs what is remarkable about a piece of work beside a function's own one, and who failed.
pub fn remark<T>(
    name: &'static str,
    outcomes: Vec<(ConnectionId, Result<T, Failure>)>,
    remarkable: impl Fn(&T) -> Option<String>,
) {
    for (connection, outcome) in outcomes {
        match outcome.as_ref().map(&remarkable) {
            Ok(None) => {}
            Ok(Some(what)) => {
                tracing::warn!(connection.id = %connection, use_case = name, "{name} {connection}: {what}");
            }
            Err(failure) => warn(name, &connection, failure),
        }
    }
}

fn warn(name: &'static str, connection: &ConnectionId, failure: &Failure) {
    let (kind, during) = (failure.kind.word(), failure.during);
    tracing::warn!(
        connection.id = %connection, use_case = name, failure.kind = kind, failure.during = during,
        "{name} {connection} failed: {failure}"
    );
}

/// The time that an invocation may use: what is left until its deadline, less a tenth (at least a second) in which it
/// still can say what failed.
#[cfg(any(feature = "cloud", test))]
fn time_limit(deadline_millis: u64, now: Timestamp) -> Duration {
    let now = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let left = Duration::from_millis(deadline_millis.saturating_sub(now));
    left.saturating_sub((left / 10).max(Duration::from_secs(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_limit_ends_before_the_deadline() {
        let now = Timestamp::from_second(1000).unwrap();
        for (left, limit) in [(60_000, 54_000), (3_000, 2_000), (500, 0), (0, 0)] {
            assert_eq!(time_limit(1_000_000 + left, now), Duration::from_millis(limit));
        }
        assert_eq!(time_limit(0, now), Duration::ZERO);
    }
}
