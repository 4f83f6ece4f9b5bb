//! The one HTTP client: https to public addresses of hosts that the settings name, no redirects, no proxies, bounded in
//! time and size. A local address is reached only where a setting names it.

mod guard;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{Failure, limits};
pub use http::Method;
use http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http_body_util::Full;
use jiff::Timestamp;
use rustls::ClientConfig;
pub use url::Url;

use crate::metrics::{Metrics, Side};
use crate::tls;
use crate::transport::{Lost, Transport};
pub use crate::transport::{Resolver, SystemResolver};
pub use guard::is_public;
use guard::{CheckedResolver, LocalHosts, Origin};

/// What an outside system may send back at most, unless a caller allows less.
pub const MAX_ANSWER_BYTES: usize = limits::ANSWER_BYTES;

/// How long it may take until there is a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// What we call ourselves.
const OURSELVES: HeaderValue = HeaderValue::from_static(concat!("cartdock/", env!("CARGO_PKG_VERSION")));

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
    transport: Transport,
    local: Arc<LocalHosts>,
    allowed: Arc<BTreeSet<Origin>>,
    counted: Option<(Metrics, Side)>,
    answering: Option<Arc<Answering>>,
}

/// Answers in place of the network.
pub type Answering = dyn Fn(&Request) -> Answer + Send + Sync;

impl Http {
    /// A client for public https addresses on port 443. Besides it reaches the hosts that are named here, as `host` or
    /// `host:port`, although they may be local, not https, or on another port. TLS is the built-in one.
    #[must_use]
    pub fn new(local: impl IntoIterator<Item = String>) -> Self {
        Self::with_tls(local, tls::built_in())
    }

    /// The same, with TLS as it was set up for the process.
    #[must_use]
    pub fn with_tls(local: impl IntoIterator<Item = String>, tls: ClientConfig) -> Self {
        Self::make(local, Arc::new(SystemResolver), tls)
    }

    /// The same, with names looked up by `resolver`. What it answers is checked all the same.
    #[must_use]
    pub fn with_resolver(local: impl IntoIterator<Item = String>, resolver: Arc<dyn Resolver>) -> Self {
        Self::make(local, resolver, tls::built_in())
    }

    fn make(local: impl IntoIterator<Item = String>, resolver: Arc<dyn Resolver>, tls: ClientConfig) -> Self {
        let local = Arc::new(LocalHosts::new(local));
        let resolver = CheckedResolver { behind: resolver, local: local.clone() };
        let transport = Transport::new(tls, Arc::new(resolver), CONNECT_WITHIN);
        Self { transport, local, allowed: Arc::default(), counted: None, answering: None }
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
    #[must_use]
    pub fn answered_by(answering: Arc<Answering>) -> Self {
        Self { answering: Some(answering), ..Self::new([]) }
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
        let timeout = request.timeout;
        let Some(request) = on_the_wire(request) else {
            let why =
                "the request cannot be made: a header or the address has characters that it must not have";
            return Sent::NotSent(Failure::retryable(during, why));
        };
        match tokio::time::timeout(timeout, self.transport.send(request, MAX_ANSWER_BYTES)).await {
            Ok(Ok(response)) => Sent::Answered(answer(response)),
            Ok(Err(lost)) => unanswered(during, lost),
            Err(_) => Sent::Unclear(Failure::retryable(during, "did not answer in time")),
        }
    }
}

/// The request as it is sent; none where it cannot be written down.
fn on_the_wire(request: Request) -> Option<http::Request<Full<Bytes>>> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        headers.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    headers.entry(USER_AGENT).or_insert(OURSELVES);
    let address = http::Uri::try_from(request.url.as_str()).ok()?;
    let mut wire = http::Request::new(Full::from(request.body));
    *wire.method_mut() = request.method;
    *wire.uri_mut() = address;
    *wire.headers_mut() = headers;
    Some(wire)
}

fn answer(response: http::Response<Bytes>) -> Answer {
    let (head, body) = response.into_parts();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body: body.into(),
    }
}

/// Tells apart what never left from what may have arrived.
fn unanswered(during: &'static str, lost: Lost) -> Sent {
    match lost {
        Lost::NotConnected(error) => {
            Sent::NotSent(Failure::retryable(during, "cannot be reached").caused_by(error))
        }
        Lost::Cut(error) => {
            Sent::Unclear(Failure::retryable(during, "hung up before it had answered").caused_by(error))
        }
        Lost::TooLong => {
            let why = format!("answered with more than {MAX_ANSWER_BYTES} bytes");
            Sent::Unclear(Failure::retryable(during, why))
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
