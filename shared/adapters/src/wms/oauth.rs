//! Tokens by OAuth2 client credentials (RFC 6749 section 4.4): fetched once, used until shortly before they expire.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Failure;
use domain::limits::ANSWER_BYTES;
use domain::ports::Clock;
use jiff::Timestamp;
use reqwest::{Method, Url};
use tokio::sync::Mutex;
use url::form_urlencoded;

use super::answers;
use crate::http::{Answer, Http, Request};
use crate::json;
use crate::secret::{Secret, SecretRef};

const DURING: &str = "fetch access token";
const TIMEOUT: Duration = Duration::from_secs(30);
/// What a token without `expires_in` is good for.
const UNKNOWN_LIFE: u64 = 300;

/// How the client's id and secret are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// In the Authorization header.
    Basic,
    /// In the form.
    Body,
}

/// Fetches tokens and keeps the last one. Whoever comes while one is being fetched waits for it.
pub(super) struct OAuth2 {
    http: Http,
    clock: Arc<dyn Clock>,
    url: Url,
    client_id: String,
    client_secret: SecretRef,
    scope: Option<String>,
    style: Style,
    kept: Mutex<Option<(Secret, Timestamp)>>,
}

impl OAuth2 {
    /// Tokens from `url` for this client.
    pub(super) fn new(
        http: Http,
        clock: Arc<dyn Clock>,
        url: Url,
        client_id: String,
        client_secret: SecretRef,
        scope: Option<String>,
        style: Style,
    ) -> Self {
        Self { http, clock, url, client_id, client_secret, scope, style, kept: Mutex::new(None) }
    }

    /// The secret that stands behind the tokens.
    pub(super) fn client_secret(&self) -> &SecretRef {
        &self.client_secret
    }

    /// A token that is still good for a while.
    ///
    /// # Errors
    /// Retryable: the token endpoint refused, failed, or gave no token.
    pub(super) async fn token(&self) -> Result<Secret, Failure> {
        let mut kept = self.kept.lock().await;
        if let Some((token, until)) = &*kept
            && self.clock.now() < *until
        {
            return Ok(token.clone());
        }
        let (token, life) = self.fetch().await?;
        // A tenth of its life, at most a minute, is kept back for requests on their way.
        let good = Duration::from_secs(life - (life / 10).min(60));
        let until = self.clock.now().saturating_add(good).unwrap_or(Timestamp::MAX);
        *kept = Some((token.clone(), until));
        Ok(token)
    }

    /// Forgets this token, unless a newer one has come meanwhile.
    pub(super) async fn refused(&self, token: &Secret) {
        let mut kept = self.kept.lock().await;
        if kept.as_ref().is_some_and(|(current, _)| current == token) {
            *kept = None;
        }
    }

    async fn fetch(&self) -> Result<(Secret, u64), Failure> {
        let secret = self.client_secret.get().await?;
        let mut answer = self.ask(&secret).await?;
        if matches!(answer.status, 400 | 401 | 403) && self.client_secret.renewed(&secret).await {
            answer = self.ask(&self.client_secret.get().await?).await?;
        }
        if !answer.is_success() {
            let wait = answer.wait(self.clock.now());
            let why = format!("the token endpoint answered {}", answer.status);
            return Err(Failure::retryable(DURING, why).after(wait));
        }
        read(&answer.body).ok_or_else(|| answers::unreadable(DURING, &answer, "no access_token in it"))
    }

    async fn ask(&self, secret: &Secret) -> Result<Answer, Failure> {
        self.http.send(DURING, self.request(secret)).await.answer()
    }

    fn request(&self, secret: &Secret) -> Request {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        let mut headers = vec![
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        match self.style {
            Style::Body => {
                form.append_pair("client_id", &self.client_id).append_pair("client_secret", secret.expose());
            }
            Style::Basic => {
                let coded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", coded(&self.client_id), coded(secret.expose()));
                headers.push(("authorization".to_owned(), format!("Basic {}", STANDARD.encode(pair))));
            }
        }
        let body = form.finish().into_bytes();
        Request { method: Method::POST, url: self.url.clone(), headers, body, timeout: TIMEOUT }
    }
}

/// Token and life in seconds.
fn read(body: &[u8]) -> Option<(Secret, u64)> {
    let value: serde_json::Value = json::read(body, ANSWER_BYTES).ok()?;
    let token = value.get("access_token")?.as_str().filter(|token| !token.is_empty())?;
    let life = value.get("expires_in").and_then(|life| match life {
        serde_json::Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    });
    Some((Secret::new(token), life.unwrap_or(UNKNOWN_LIFE).min(366 * 24 * 60 * 60)))
}
