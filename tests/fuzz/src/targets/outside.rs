//! The outside world of a target: a network in which the input is the answer to every request, and a clock that runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adapters::http::{Answer, Http};
use adapters::secret::{Secret, SecretSource, Vault};
use adapters::settings::Settings;
use async_trait::async_trait;
use domain::Failure;
use domain::limits;
use domain::ports::Clock;
use futures_util::FutureExt;
use jiff::Timestamp;

/// What every request is answered.
pub(super) type Given = Arc<Mutex<Answer>>;

/// A client that is answered with what is given; at addresses with one of these parts always with its document.
pub(super) fn network(fixed: &'static [(&str, &str)]) -> (Http, Given) {
    let nothing = Answer { status: 200, headers: Vec::new(), body: Vec::new() };
    let given = Given::new(Mutex::new(nothing));
    let answer = given.clone();
    let answering = move |request: &adapters::http::Request| match fixed
        .iter()
        .find(|(part, _)| request.url.path().contains(part))
    {
        Some((_, document)) => {
            Answer { status: 200, headers: Vec::new(), body: document.as_bytes().to_vec() }
        }
        None => lock(&answer).clone(),
    };
    let http = Http::answered_by(Arc::new(answering)).unwrap_or_else(|e| panic!("{e}"));
    (http, given)
}

/// Gives an answer to all requests from now on.
pub(super) fn give(given: &Given, answer: Answer) {
    *lock(given) = answer;
}

fn lock(given: &Given) -> std::sync::MutexGuard<'_, Answer> {
    given.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Settings whose secrets are what stands behind `@given:`.
pub(super) fn settings(values: BTreeMap<String, String>) -> Settings {
    let vault = Vault::new(vec![Box::new(Spoken)], clock());
    Settings::new("connection main", values, Arc::new(vault))
}

/// Settings as in `key=value` lines, as the recordings of the contract tests have them.
pub(super) fn settings_of(lines: &str) -> Settings {
    let pairs = lines.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    let values = pairs.map(|(key, value)| (key.to_owned(), value.replace("{replay}", "https://wms.example")));
    settings(values.collect())
}

struct Spoken;

#[async_trait]
impl SecretSource for Spoken {
    async fn fetch(&self, reference: &str) -> Result<Option<Secret>, Failure> {
        Ok(reference.split_once(':').map(|(_, value)| Secret::new(value)))
    }
}

/// A clock on which nobody waits, and which is an hour later whenever it is looked at: nothing stays fresh.
pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(Running(AtomicI64::new(0)))
}

struct Running(AtomicI64);

#[async_trait]
impl Clock for Running {
    fn now(&self) -> Timestamp {
        let hours = self.0.fetch_add(1, Ordering::Relaxed) % 100_000;
        Timestamp::from_second(1_795_000_000 + hours * 3600).unwrap_or_default()
    }

    async fn sleep(&self, _: Duration) {}
}

/// The outcome of a call, which has nothing to wait for.
pub(super) fn outcome<T>(call: impl Future<Output = T>) -> T {
    call.now_or_never().unwrap_or_else(|| panic!("it waits for something"))
}

/// An input of the form `operation status retry-after`, a line end, and the answer's body.
pub(super) struct Exchange {
    pub(super) operation: String,
    pub(super) answer: Answer,
}

impl Exchange {
    /// None: the network has cut it off, because it is too large (`Http`, and the endpoint of webhooks).
    pub(super) fn read(input: &[u8]) -> Option<Self> {
        let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        let (head, body) = input.split_at(end);
        let body = body.strip_prefix(b"\n").unwrap_or(body);
        let head = String::from_utf8_lossy(head.get(..80).unwrap_or(head));
        let most = if head.starts_with("webhook") { limits::WEBHOOK_BYTES } else { limits::ANSWER_BYTES };
        let body = (body.len() <= most).then(|| body.to_vec())?;
        let mut words = head.splitn(3, ' ');
        let operation = words.next().unwrap_or_default().to_owned();
        let status = words.next().and_then(|status| status.parse().ok()).unwrap_or(200);
        let headers = words.next().map(|wait| ("retry-after".to_owned(), wait.to_owned()));
        Some(Self { operation, answer: Answer { status, headers: headers.into_iter().collect(), body } })
    }
}
