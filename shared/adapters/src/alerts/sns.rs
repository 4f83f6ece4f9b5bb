//! A topic of SNS: who has subscribed to it, by mail or otherwise, gets the message.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_sns::Client;
use domain::Failure;
use domain::alert::{Alert, Outlet};

use crate::aws::{SdkConfig, failure};

const DURING: &str = "sns: publish alert";

/// Characters of a subject at most, and bytes of a message: SNS refuses more (API reference, Publish).
const SUBJECT: usize = 99;
const MESSAGE: usize = 200 * 1024;

/// A topic.
pub struct SnsTopic {
    client: LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>,
    topic: String,
}

impl SnsTopic {
    /// The topic with this ARN. Its client is made when there is something to tell, which most runs have not.
    #[must_use]
    pub fn new(config: SdkConfig, topic: impl Into<String>) -> Self {
        Self { client: LazyLock::new(Box::new(move || Client::new(&config))), topic: topic.into() }
    }

    /// How many subscriptions are confirmed, and how many wait for that.
    ///
    /// # Errors
    /// When SNS says no or cannot be reached.
    pub async fn subscriptions(&self) -> Result<(u64, u64), Failure> {
        const DURING: &str = "sns: count subscriptions";
        let asked = self.client.get_topic_attributes().topic_arn(&self.topic).send().await;
        let answer = asked.map_err(|error| failure(DURING, &error))?;
        let number = |name: &str| {
            answer.attributes().and_then(|all| all.get(name)).and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        Ok((number("SubscriptionsConfirmed"), number("SubscriptionsPending")))
    }
}

#[async_trait]
impl Outlet for SnsTopic {
    fn name(&self) -> String {
        format!("SNS topic {}", self.topic.rsplit(':').next().unwrap_or_default())
    }

    async fn send(&self, alert: &Alert) -> Result<(), Failure> {
        let request = self.client.publish().topic_arn(&self.topic);
        let request = request.subject(subject(&alert.title)).message(shortened(&alert.text));
        request.send().await.map(|_| ()).map_err(|error| failure(DURING, &error))
    }
}

/// A subject as SNS takes it: ASCII, one line, short.
fn subject(title: &str) -> String {
    let plain = title.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' });
    plain.take(SUBJECT).collect::<String>().trim().to_owned()
}

fn shortened(text: &str) -> &str {
    let end = (0..=text.len().min(MESSAGE)).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws;
    use axum::Router;
    use axum::http::StatusCode;
    use std::sync::{Arc, Mutex};

    const OK: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
        <MessageId>1</MessageId></PublishResult></PublishResponse>";
    const DENIED: &str = "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
        <Code>AuthorizationError</Code><Message>not authorized to perform: SNS:Publish</Message></Error></ErrorResponse>";

    /// A topic on a loopback port that answers so, and what it was sent.
    async fn topic(status: StatusCode, answer: &'static str) -> (SnsTopic, Arc<Mutex<Vec<String>>>) {
        let got: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = got.clone();
        let answering = move |body: String| async move {
            kept.lock().unwrap().push(body);
            (status, answer)
        };
        let app = Router::new().fallback(answering);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (SnsTopic::new(aws::local(&endpoint), "arn:aws:sns:us-east-1:1:shop-Alarms"), got)
    }

    fn alert() -> Alert {
        Alert { title: "Cartdock main: Ü is open".into(), text: "OPEN: SKU Ü & more\n".into() }
    }

    #[tokio::test]
    async fn a_message_is_published_in_the_topics_own_words() {
        let (topic, got) = topic(StatusCode::OK, OK).await;
        topic.send(&alert()).await.unwrap();
        let body = got.lock().unwrap().pop().unwrap();
        let said: std::collections::BTreeMap<String, String> =
            url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        for (name, value) in [
            ("Action", "Publish"),
            ("TopicArn", "arn:aws:sns:us-east-1:1:shop-Alarms"),
            ("Subject", "Cartdock main: ? is open"),
            ("Message", "OPEN: SKU Ü & more\n"),
        ] {
            assert_eq!(said.get(name).map(String::as_str), Some(value), "{body}");
        }
        assert_eq!(topic.name(), "SNS topic shop-Alarms");
    }

    #[tokio::test]
    async fn who_has_subscribed_is_counted() {
        const ANSWER: &str = "<GetTopicAttributesResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
            <GetTopicAttributesResult><Attributes><entry><key>SubscriptionsConfirmed</key><value>2</value></entry>\
            <entry><key>SubscriptionsPending</key><value>1</value></entry></Attributes></GetTopicAttributesResult>\
            </GetTopicAttributesResponse>";
        let (topic, got) = topic(StatusCode::OK, ANSWER).await;
        assert_eq!(topic.subscriptions().await.unwrap(), (2, 1));
        assert!(got.lock().unwrap()[0].contains("Action=GetTopicAttributes"));
    }

    #[tokio::test]
    async fn a_role_that_may_not_publish_is_named() {
        let (topic, _) = topic(StatusCode::FORBIDDEN, DENIED).await;
        let failure = topic.send(&alert()).await.unwrap_err();
        assert!(failure.is_retryable() && failure.message.contains("the role lacks"), "{failure}");
    }

    #[test]
    fn what_is_too_long_is_cut_between_letters() {
        assert_eq!(subject(&"é".repeat(300)).len(), SUBJECT);
        assert_eq!(subject("a\nb"), "a?b");
        assert_eq!(shortened(&"é".repeat(MESSAGE)).len(), MESSAGE);
        assert_eq!(shortened("short"), "short");
    }
}
