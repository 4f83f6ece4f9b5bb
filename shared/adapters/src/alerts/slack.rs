//! An incoming webhook as Slack has it, and Mattermost, Rocket.Chat and others too: a POST of `{"text": …}` to a secret address.
//!
//! Source: "Sending messages using incoming webhooks", docs.slack.dev.

use std::time::Duration;

use async_trait::async_trait;
use domain::Failure;
use domain::alert::{Alert, Outlet};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;
use url::Url;

use crate::http::{Http, Request};
use crate::secret::{Secret, SecretRef};

const DURING: &str = "slack: send alert";

/// Time for a message.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Characters of a message at most; Slack cuts off what is longer than 40,000.
const MOST: usize = 30_000;

/// A channel behind a webhook. Who knows its address may write to it: the address is a secret.
pub struct Slack {
    http: Http,
    address: SecretRef,
}

impl Slack {
    /// The channel whose webhook has the address behind this secret.
    #[must_use]
    pub fn new(http: Http, address: SecretRef) -> Self {
        Self { http, address }
    }

    fn url(address: &Secret) -> Result<Url, Failure> {
        let url = Url::parse(address.expose()).ok().filter(|url| url.has_host());
        // Nothing of it is told: all of it is the secret.
        url.ok_or_else(|| {
            let cure = "it must be an address as https://hooks.slack.com/services/...; correct the secret";
            Failure::permanent(DURING, format!("the secret behind slack_url is no web address; {cure}"))
        })
    }
}

#[async_trait]
impl Outlet for Slack {
    fn name(&self) -> String {
        "Slack webhook".to_owned()
    }

    async fn send(&self, alert: &Alert) -> Result<(), Failure> {
        let url = Self::url(&self.address.get().await?)?;
        let body = json!({ "text": text(alert) }).to_string().into_bytes();
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let request = Request { method: Method::POST, url: url.clone(), headers, body, timeout: TIMEOUT };
        let answer = self.http.only([&url]).send(DURING, request).await.answer()?;
        if answer.is_success() {
            return Ok(());
        }
        Err(answer.failure(DURING, Timestamp::UNIX_EPOCH))
    }
}

/// The message as Slack reads it: `&`, `<` and `>` would begin a link or call everybody, so they are escaped; the lines stand
/// in a block, so that commands can be copied as they are.
fn text(alert: &Alert) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    // Nothing may end the block before its time.
    let lines = escaped(&alert.text).replace("```", "'''");
    let lines: String = lines.chars().take(MOST).collect();
    format!("*{}*\n```\n{}\n```", escaped(&alert.title).replace('*', "·"), lines.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::secret::{GivenSecrets, Vault};
    use std::sync::{Arc, Mutex};

    #[test]
    fn nothing_of_a_shop_calls_everybody_or_makes_a_link() {
        let alert = Alert {
            title: "main: <!channel>".into(),
            text: "OPEN: SKU <https://evil.example|click> & ``` *x*\n".into(),
        };
        assert_eq!(
            text(&alert),
            "*main: &lt;!channel&gt;*\n```\nOPEN: SKU &lt;https://evil.example|click&gt; &amp; ''' *x*\n```"
        );
        let long = Alert { title: "t".into(), text: "x".repeat(MOST * 2) };
        assert!(text(&long).len() < MOST + 100);
    }

    #[test]
    fn an_address_that_is_none_is_not_told() {
        let failure = Slack::url(&Secret::new("hooks/T0/B0/unmistakable")).unwrap_err();
        assert!(!failure.to_string().contains("unmistakable") && failure.message.contains("correct"));
    }

    type Got = Arc<Mutex<Vec<String>>>;

    /// A webhook on a loopback port that answers so, its address, and what it was sent.
    async fn webhook(status: u16) -> (String, Got) {
        let got: Got = Arc::default();
        let kept = got.clone();
        let answering = move |uri: axum::http::Uri, body: String| async move {
            kept.lock().unwrap().push(format!("{uri} {body}"));
            axum::http::StatusCode::from_u16(status).unwrap()
        };
        let app = axum::Router::new().fallback(answering);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, app).await });
        (host, got)
    }

    fn slack(host: &str, local: Option<&str>) -> Slack {
        let given = ("url".to_owned(), format!("http://{host}/services/unmistakable"));
        let vault = Vault::new(vec![Box::new(GivenSecrets::new([given]))], Arc::new(SystemClock));
        let http = Http::new(local.map(str::to_owned)).unwrap();
        Slack::new(http, SecretRef::new(Arc::new(vault), "given:url"))
    }

    #[tokio::test]
    async fn a_message_goes_to_the_address_of_the_secret_and_to_nothing_local_that_no_setting_names() {
        let (host, got) = webhook(200).await;
        let alert = Alert { title: "main: 1 opened".into(), text: "OPEN: SKU Ü\n".into() };
        slack(&host, Some(&host)).send(&alert).await.unwrap();
        let sent = got.lock().unwrap().pop().unwrap();
        let (path, body) = sent.split_once(' ').unwrap();
        assert_eq!(path, "/services/unmistakable");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body, json!({ "text": "*main: 1 opened*\n```\nOPEN: SKU Ü\n```" }));
        let failure = slack(&host, None).send(&alert).await.unwrap_err();
        assert!(failure.message.contains("local_hosts"), "{failure}");
        assert!(got.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_refusal_is_told_without_the_address() {
        for status in [404, 403, 429, 500] {
            let (host, _) = webhook(status).await;
            let alert = Alert { title: "t".into(), text: "x".into() };
            let failure = slack(&host, Some(&host)).send(&alert).await.unwrap_err();
            assert!(failure.message.contains(&status.to_string()), "{failure}");
            assert!(!format!("{failure} {failure:?}").contains("unmistakable"), "{failure:?}");
        }
    }
}
