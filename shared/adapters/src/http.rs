//! The one HTTP client: https to public addresses of hosts that the settings name, no redirects, no proxies, bounded in
//! time and size. A local address is reached only where a setting names it.

mod guard;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::{Failure, limits};
use jiff::Timestamp;
use reqwest::{Method, Url};
use rustls::ClientConfig;

use crate::metrics::{Metrics, Side};
use crate::tls;
use guard::{CheckedResolver, LocalHosts, Origin};
pub use guard::{Resolver, SystemResolver, is_public};

/// What an outside system may send back at most, unless a caller allows less.
pub const MAX_ANSWER_BYTES: usize = limits::ANSWER_BYTES;

/// Nobody is believed who wants us to stay away for longer: an absurd `Retry-After` must not park an order.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// A request to an outside system.
#[derive(Clone)]
pub struct Request {
    /// GET, POST and so on.
    pub method: Method,
    /// Where to. Checked against the rules of [`Http`].
    pub url: Url,
    /// Names and values, secrets included: a request is never printed.
    pub headers: Vec<(String, String)>,
    /// The body, empty for none.
    pub body: Vec<u8>,
    /// How long the whole exchange may take.
    pub timeout: Duration,
}

/// An answer, whatever its status.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`MAX_ANSWER_BYTES`].
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// Is the status 2xx?
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The time of who answered, by the header `Date` (RFC 9110, section 6.6.1).
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        jiff::fmt::rfc2822::parse(self.header("date")?.trim()).ok().map(|date| date.timestamp())
    }

    /// How long it asks us to stay away, at most [`LONGEST_WAIT`]: `Retry-After` in seconds or as a date, or the
    /// `x-retry-after` of some.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        let text = self.header("retry-after").or_else(|| self.header("x-retry-after"))?.trim();
        let wait = match text.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
                Duration::try_from(date.duration_since(now)).unwrap_or_default()
            }
        };
        Some(wait.min(LONGEST_WAIT))
    }

    /// The usual meaning of a status that is no success: 400, 404, 422 are a no; everything else may pass.
    #[must_use]
    pub fn failure(&self, during: &'static str, now: Timestamp) -> Failure {
        match self.status {
            400 | 404 | 422 => Failure::permanent(during, format!("answered {}", self.status)),
            401 | 403 => {
                Failure::retryable(during, format!("answered {}: the credentials were refused", self.status))
            }
            status => Failure::retryable(during, format!("answered {status}")).after(self.wait(now)),
        }
    }
}

/// What came of sending a request.
pub enum Sent {
    /// It was answered.
    Answered(Answer),
    /// It certainly never reached the other side.
    NotSent(Failure),
    /// It may have reached the other side; no usable answer came.
    Unclear(Failure),
}

impl Sent {
    /// The answer, where it does not matter whether a lost request had an effect.
    ///
    /// # Errors
    /// The failure of the exchange.
    pub fn answer(self) -> Result<Answer, Failure> {
        match self {
            Self::Answered(answer) => Ok(answer),
            Self::NotSent(failure) | Self::Unclear(failure) => Err(failure),
        }
    }
}

/// The client. Cheap to clone; connections are shared. It reaches nothing until [`Http::only`] names what.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    local: Arc<LocalHosts>,
    allowed: Arc<BTreeSet<Origin>>,
    counted: Option<(Metrics, Side)>,
    answering: Option<Arc<Answering>>,
}

/// What all clients of a process have in common: their TLS, HTTP/1, connections that are kept; no redirects, no proxies.
pub(crate) fn plain(tls: ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_idle_timeout(Duration::from_secs(60))
}

/// Answers in place of the network.
pub type Answering = dyn Fn(&Request) -> Answer + Send + Sync;

impl Http {
    /// A client for public https addresses on port 443. Besides it reaches the hosts that are named here, as `host` or
    /// `host:port`, although they may be local, not https, or on another port. TLS is the built-in one.
    ///
    /// # Errors
    /// When the client cannot be set up.
    pub fn new(local: impl IntoIterator<Item = String>) -> Result<Self, Failure> {
        Self::with_tls(local, tls::built_in())
    }

    /// The same, with TLS as it was set up for the process.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn with_tls(local: impl IntoIterator<Item = String>, tls: ClientConfig) -> Result<Self, Failure> {
        Self::make(local, Arc::new(SystemResolver), tls)
    }

    /// The same as [`Http::new`], with names looked up by `resolver`. What it answers is checked all the same.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn with_resolver(
        local: impl IntoIterator<Item = String>,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, Failure> {
        Self::make(local, resolver, tls::built_in())
    }

    fn make(
        local: impl IntoIterator<Item = String>,
        resolver: Arc<dyn Resolver>,
        tls: ClientConfig,
    ) -> Result<Self, Failure> {
        let local = Arc::new(LocalHosts::new(local));
        let client = plain(tls)
            .connect_timeout(Duration::from_secs(10))
            .dns_resolver(Arc::new(CheckedResolver { behind: resolver, local: local.clone() }))
            .user_agent(concat!("cartdock/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Failure::permanent("set up HTTP", "the client cannot be set up").caused_by(e))?;
        Ok(Self { client, local, allowed: Arc::default(), counted: None, answering: None })
    }

    /// The same client for the scheme, host and port of these addresses, which come from the settings, and for nothing
    /// else: no template, no answer and no cursor leads it anywhere else.
    #[must_use]
    pub fn only<'a>(&self, addresses: impl IntoIterator<Item = &'a Url>) -> Self {
        let allowed = addresses.into_iter().filter_map(guard::origin).collect();
        Self { allowed: Arc::new(allowed), ..self.clone() }
    }

    /// The same client for one side of a connection: its requests are counted.
    #[must_use]
    pub fn counted(&self, metrics: Metrics, side: Side) -> Self {
        Self { counted: Some((metrics, side)), ..self.clone() }
    }

    /// A client that asks nobody: `answering` gives every answer. For trying out what answers do.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn answered_by(answering: Arc<Answering>) -> Result<Self, Failure> {
        Ok(Self { answering: Some(answering), ..Self::new([])? })
    }

    /// Sends a request once.
    pub async fn send(&self, during: &'static str, request: Request) -> Sent {
        if let Some(answering) = &self.answering {
            return Sent::Answered(answering(&request));
        }
        if let Err(problem) = guard::check(&request.url, &self.allowed, &self.local) {
            return Sent::NotSent(Failure::permanent(during, problem));
        }
        let Some((metrics, side)) = &self.counted else { return self.exchange(during, request).await };
        let began = metrics.now();
        let sent = self.exchange(during, request).await;
        let is_answered =
            matches!(&sent, Sent::Answered(answer) if answer.status < 500 && answer.status != 429);
        metrics.requested(*side, began, is_answered);
        sent
    }

    async fn exchange(&self, during: &'static str, request: Request) -> Sent {
        let mut builder =
            self.client.request(request.method, request.url).timeout(request.timeout).body(request.body);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let response = match builder.send().await {
            Ok(response) => response,
            Err(error) => return lost(during, error),
        };
        read(during, response).await
    }
}

/// Tells apart what never left from what may have arrived. The error's own text may hold the URL: it is stripped.
fn lost(during: &'static str, error: reqwest::Error) -> Sent {
    let (connect, timeout) = (error.is_connect() || error.is_builder(), error.is_timeout());
    let error = error.without_url();
    match (connect, timeout) {
        (true, _) => Sent::NotSent(Failure::retryable(during, "cannot be reached").caused_by(error)),
        (false, true) => Sent::Unclear(Failure::retryable(during, "did not answer in time").caused_by(error)),
        (false, false) => {
            Sent::Unclear(Failure::retryable(during, "hung up before it had answered").caused_by(error))
        }
    }
}

async fn read(during: &'static str, mut response: reqwest::Response) -> Sent {
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > MAX_ANSWER_BYTES => {
                return Sent::Unclear(Failure::retryable(
                    during,
                    format!("answered with more than {MAX_ANSWER_BYTES} bytes"),
                ));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Sent::Answered(Answer { status, headers, body }),
            Err(error) => {
                let error = error.without_url();
                return Sent::Unclear(
                    Failure::retryable(during, "hung up in the middle of its answer").caused_by(error),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Answer { status: 429, headers, body: Vec::new() }
    }

    #[test]
    fn a_wait_is_read_as_seconds_and_as_a_date() {
        let now: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        for (header, text, seconds) in [
            ("retry-after", "7", Some(7)),
            ("x-retry-after", "60", Some(60)),
            ("retry-after", "Mon, 23 Nov 2026 00:01:30 GMT", Some(90)),
            ("retry-after", "Sun, 22 Nov 2026 00:00:00 GMT", Some(0)),
            ("retry-after", "18446744073709551615", Some(3600)),
            ("retry-after", "soon", None),
            ("x-other", "7", None),
        ] {
            assert_eq!(answer(&[(header, text)]).wait(now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
