//! A running function, and the services of AWS that feed it: the scheduler, the queue's poller, the HTTP API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::Incoming;
use serde_json::Value;
use simulator::lambda::{Host, LambdaError, events};

use crate::cloud::Cloud;
use crate::gateway::Gateway;

/// What an invocation may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// A function's real binary in its host. When a test fails, its logs are printed.
pub struct Function {
    host: Arc<Host>,
}

impl Function {
    pub(crate) fn new(host: Host) -> Self {
        Self { host: Arc::new(host) }
    }

    /// What it has logged so far.
    #[must_use]
    pub fn logs(&self) -> String {
        self.host.logs()
    }

    /// The metrics that CloudWatch makes of its logs: how many of a name were counted, by the word of its dimension where it
    /// has one (`OrdersHeld refused`); of what takes time, how often it was measured.
    #[must_use]
    pub fn metrics(&self) -> BTreeMap<String, u64> {
        metrics_of(&self.logs())
    }

    /// Its schedule's time has come.
    ///
    /// # Panics
    /// When the invocation fails.
    pub async fn schedule(&self) {
        self.invoke(events::schedule(), DEADLINE).await;
    }

    /// Its schedule's time has come, and the invocation fails: how.
    ///
    /// # Panics
    /// When it does not fail.
    pub async fn schedule_in_vain(&self) -> LambdaError {
        let outcome = self.host.invoke(events::schedule(), DEADLINE).await;
        outcome.err().unwrap_or_else(|| panic!("the invocation does not fail"))
    }

    /// Receives up to ten messages of a queue, hands them over as one batch, and deletes those that are not among the
    /// failed ones, as the service does. Gives the bodies of the failed ones.
    ///
    /// # Panics
    /// When the invocation fails or its answer is not the one that the service understands.
    pub async fn deliver(&self, cloud: &Cloud, queue: &str) -> Vec<String> {
        self.deliver_within(DEADLINE, cloud, queue).await
    }

    /// The same, with so much time for the invocation.
    ///
    /// # Panics
    /// When the invocation fails, takes longer, or its answer is not the one that the service understands.
    pub async fn deliver_within(&self, deadline: Duration, cloud: &Cloud, queue: &str) -> Vec<String> {
        let far_end = cloud.far_end(queue);
        let batch = far_end.receive(10, Duration::ZERO).await.expect("the queue service answers");
        // The receipts of the event are those of the queue: its ids and counts make them.
        let messages: Vec<(&str, &str, u32)> =
            batch.iter().map(|one| (one.id.as_str(), one.body.as_str(), one.count)).collect();
        let answer = self.invoke(events::sqs_of(&queue.to_lowercase(), &messages), deadline).await;
        let failed = answer["batchItemFailures"].as_array().expect("a list of failures");
        let failed: Vec<&str> = failed.iter().filter_map(|one| one["itemIdentifier"].as_str()).collect();
        let (failed, done): (Vec<_>, Vec<_>) =
            batch.iter().partition(|one| failed.contains(&one.id.as_str()));
        for delivery in done {
            far_end.delete(delivery).await.expect("the queue service answers");
        }
        failed.into_iter().map(|one| one.body.clone()).collect()
    }

    /// A request comes in through the HTTP API; gives the status of the answer.
    ///
    /// # Panics
    /// When the invocation fails or its answer has no status.
    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> u16 {
        let answer = self.invoke(events::http_v2(method, path, headers, body), DEADLINE).await;
        let status = answer["statusCode"].as_u64().expect("a status");
        u16::try_from(status).expect("a status of HTTP")
    }

    /// An HTTP API in front of it, for those who send for themselves.
    pub async fn gateway(&self) -> Gateway {
        Gateway::start(Arc::clone(&self.host)).await
    }

    async fn invoke(&self, event: Value, deadline: Duration) -> Value {
        self.host.invoke(event, deadline).await.unwrap_or_else(|error| panic!("{error}"))
    }
}

/// What CloudWatch counts when it reads these lines of a log; see [`Function::metrics`].
pub(crate) fn metrics_of(logs: &str) -> BTreeMap<String, u64> {
    let mut metrics = BTreeMap::new();
    for line in logs.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let told = &line["_aws"]["CloudWatchMetrics"][0];
        for name in told["Metrics"].as_array().into_iter().flatten().filter_map(|one| one["Name"].as_str()) {
            let word = told["Dimensions"][0][0].as_str().and_then(|kind| line[kind].as_str());
            let name = word.map_or(name.to_owned(), |word| format!("{name} {word}"));
            let value = &line[name.split(' ').next().unwrap_or_default()];
            let more = value.as_array().map_or(value.as_u64(), |times| u64::try_from(times.len()).ok());
            *metrics.entry(name).or_default() += more.unwrap_or(0);
        }
    }
    metrics
}

impl Drop for Function {
    #[expect(clippy::print_stderr, reason = "the runner shows it when a test fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- logs of the function\n{}---", self.logs());
        }
    }
}
