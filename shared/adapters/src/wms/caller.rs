//! Sends requests to one warehouse: its address, credentials, fixed headers, pace and time limit in one place.

use std::sync::Arc;
use std::time::Duration;

use domain::Failure;
use domain::ports::Clock;
use domain::warehouse::Draft;
use jiff::Timestamp;
use reqwest::{Method, Url};

use super::answers;
use super::authorization::{Authorization, Credentials};
use crate::http::{Http, Request, Sent};
use crate::rate_limit::RateLimit;
use crate::secret::{Secret, SecretRef};
use crate::settings::{SettingError, Settings};

/// A header that goes with every request.
pub(super) enum FixedHeader {
    /// As it stands in the settings.
    Plain(String, String),
    /// A secret that the settings name.
    Secret(String, SecretRef),
}

/// One request, before address and credentials are added.
#[derive(Clone)]
pub(super) struct Call {
    /// What is being done, for failures.
    pub(super) during: &'static str,
    /// GET, POST and so on.
    pub(super) method: Method,
    /// Path and query below the base address, starting with a slash.
    pub(super) path: String,
    /// Headers of this request.
    pub(super) headers: Vec<(String, String)>,
    /// The body, empty for none.
    pub(super) body: Vec<u8>,
}

/// The secrets that one request was sent with.
struct Used {
    credentials: Credentials,
    headers: Vec<(SecretRef, Secret)>,
}

/// The near end of one warehouse's API.
pub(super) struct Caller {
    pub(super) http: Http,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) base: Url,
    pub(super) authorization: Authorization,
    pub(super) headers: Vec<FixedHeader>,
    pub(super) pace: RateLimit,
    pub(super) timeout: Duration,
}

impl Caller {
    /// The instant now.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sends once. Only when the credentials are refused, which means that nothing happened, and there are others now,
    /// is it sent a second time: so a rotation of secrets costs no order and no wait.
    pub(super) async fn send(&self, call: Call) -> Sent {
        let (sent, again) = self.attempt(call.clone()).await;
        if again { self.attempt(call).await.0 } else { sent }
    }

    /// Sends once and says whether new credentials may be tried at once.
    async fn attempt(&self, call: Call) -> (Sent, bool) {
        self.pace.acquire().await;
        let (request, used) = match self.request(&call).await {
            Ok(ready) => ready,
            Err(failure) => return (Sent::NotSent(failure), false),
        };
        let sent = self.http.send(call.during, request).await;
        let again = match &sent {
            Sent::Answered(answer) if matches!(answer.status, 401 | 403) => {
                self.renewed(&used).await && answer.status == 401
            }
            _ => false,
        };
        (sent, again)
    }

    /// The request of a call as a person may see it: of headers that prove who we are, and of those that stand in the
    /// settings as they are, only the names. Sends nothing and fetches no token.
    pub(super) async fn draft(&self, call: &Call) -> Result<Draft, Failure> {
        let mut secrets = Vec::new();
        let stored = self.headers.iter().filter_map(|header| match header {
            FixedHeader::Secret(_, secret) => Some(secret),
            FixedHeader::Plain(..) => None,
        });
        for secret in self.authorization.stored().into_iter().chain(stored) {
            secrets.extend(secret.get().await);
        }
        let clean = |text: &str| answers::without_secrets(text, &secrets);
        let hidden = self.headers.iter().map(|header| match header {
            FixedHeader::Plain(name, _) | FixedHeader::Secret(name, _) => name.as_str(),
        });
        let hidden = self.authorization.header_name().into_iter().chain(hidden);
        let mut headers: Vec<(String, String)> =
            call.headers.iter().map(|(name, value)| (name.clone(), clean(value))).collect();
        headers.extend(hidden.map(|name| (name.to_owned(), "(not shown)".to_owned())));
        Ok(Draft {
            method: call.method.to_string(),
            url: clean(self.url(call)?.as_str()),
            headers,
            body: clean(&String::from_utf8_lossy(&call.body)),
        })
    }

    fn url(&self, call: &Call) -> Result<Url, Failure> {
        Url::parse(&format!("{}{}", self.base.as_str().trim_end_matches('/'), call.path))
            .map_err(|e| Failure::permanent(call.during, format!("the address cannot be made: {e}")))
    }

    async fn request(&self, call: &Call) -> Result<(Request, Used), Failure> {
        let url = self.url(call)?;
        let credentials = self.authorization.credentials().await?;
        let mut headers = call.headers.clone();
        headers.extend(credentials.header.clone());
        let mut used = Used { credentials, headers: Vec::new() };
        for header in &self.headers {
            headers.push(match header {
                FixedHeader::Plain(name, value) => (name.clone(), value.clone()),
                FixedHeader::Secret(name, secret) => {
                    let value = secret.get().await?;
                    used.headers.push((secret.clone(), value.clone()));
                    (name.clone(), value.expose().to_owned())
                }
            });
        }
        let (method, body) = (call.method.clone(), call.body.clone());
        Ok((Request { method, url, headers, body, timeout: self.timeout }, used))
    }

    /// To be called when these secrets were refused. True: others may be tried at once.
    async fn renewed(&self, used: &Used) -> bool {
        let mut renewed = self.authorization.renewed(&used.credentials).await;
        for (secret, value) in &used.headers {
            renewed |= secret.renewed(value).await;
        }
        renewed
    }

    /// The secrets that an answer might repeat.
    pub(super) async fn secrets(&self) -> Vec<Secret> {
        let mut found = self.authorization.secrets().await;
        for header in &self.headers {
            if let FixedHeader::Secret(_, secret) = header {
                found.extend(secret.get().await);
            }
        }
        found
    }
}

/// The base address of a warehouse.
///
/// # Errors
/// When it is no address of a web server, or holds more than scheme, host and path.
pub(super) fn base_url(settings: &Settings, key: &str, default: Option<&str>) -> Result<Url, SettingError> {
    let url = settings.address(key, default)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(settings.error(key, "must not hold a query; put it into the path of the operation"));
    }
    Ok(url)
}

/// The time limit of a request.
///
/// # Errors
/// When it is no number of seconds between 1 and 300.
pub(super) fn timeout(settings: &Settings) -> Result<Duration, SettingError> {
    let seconds: u64 = settings.parsed("timeout_seconds", 30)?;
    if (1..=300).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(settings.error("timeout_seconds", "must be between 1 and 300"))
    }
}
