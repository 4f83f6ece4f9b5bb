//! SQS: one standard queue and its dead-letter queue.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::types::{
    Message as Received, MessageAttributeValue, MessageSystemAttributeName, SendMessageBatchRequestEntry,
};
use domain::message::Message;
use domain::ports::{Clock, DeadLetter, Delivery, Incoming, Outgoing};
use domain::{Failure, Kind};

pub use aws_sdk_sqs::Client;

use crate::aws::{ATTEMPT, SdkConfig, failure, refusal};
use crate::settings::{SettingError, Settings};

/// Messages in one call at most.
const MOST: usize = 10;
/// The longest wait for a first message.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// The longest time that a message can be made invisible.
const LONGEST_DELAY: Duration = Duration::from_secs(12 * 3600);
/// How often an entry that a batch left out is sent again.
const TRIES: u64 = 4;

/// Which queue, and how it is used.
#[derive(Debug, Clone)]
pub struct SqsNames {
    /// The queue's URL.
    pub url: String,
    /// The URL of its dead-letter queue; none where this process only sends.
    pub dead_letters: Option<String>,
    /// Give each message its connection as group, so that one busy connection does not hold up the others. Emulators
    /// may refuse it on a standard queue.
    pub fair: bool,
}

impl SqsNames {
    /// The names of a queue that is only sent to: `<PREFIX>_QUEUE_URL`; `FAIR_QUEUES=off` for an emulator that refuses
    /// groups.
    ///
    /// # Errors
    /// When the queue's URL is missing.
    pub fn outgoing(settings: &Settings, prefix: &str) -> Result<Self, SettingError> {
        Ok(Self {
            url: settings.text(&format!("{prefix}_QUEUE_URL"))?.to_owned(),
            dead_letters: None,
            fair: settings.choice("FAIR_QUEUES", &[("on", true), ("off", false)])?,
        })
    }

    /// The names of a queue whose messages are handled here: those of [`Self::outgoing`], and `<PREFIX>_DEAD_LETTERS_URL`.
    ///
    /// # Errors
    /// When one of the URLs is missing: a message that is given up must have a place.
    pub fn incoming(settings: &Settings, prefix: &str) -> Result<Self, SettingError> {
        let dead_letters = settings.text(&format!("{prefix}_DEAD_LETTERS_URL"))?.to_owned();
        Ok(Self { dead_letters: Some(dead_letters), ..Self::outgoing(settings, prefix)? })
    }
}

/// How many messages are on a queue, those that somebody has in hand or that are delayed included. SQS counts by
/// approximation.
///
/// # Errors
/// When SQS says no or cannot be reached.
pub async fn depth(client: &Client, url: &str) -> Result<u64, Failure> {
    use aws_sdk_sqs::types::QueueAttributeName::{
        ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesDelayed as Delayed,
        ApproximateNumberOfMessagesNotVisible as InHand,
    };
    const DURING: &str = "sqs: count messages";
    let asked = client
        .get_queue_attributes()
        .queue_url(url)
        .set_attribute_names(Some(vec![Visible, Delayed, InHand]));
    let answer = asked.send().await.map_err(|error| failure(DURING, &error))?;
    let attributes = answer.attributes().into_iter().flatten();
    Ok(attributes.filter_map(|(_, count)| count.parse::<u64>().ok()).sum())
}

/// Both ends of the queue.
pub struct SqsQueue {
    client: LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>,
    names: SqsNames,
    clock: Arc<dyn Clock>,
}

impl SqsQueue {
    /// The queue of these names.
    #[must_use]
    pub fn new(client: Client, names: SqsNames, clock: Arc<dyn Clock>) -> Self {
        Self { client: LazyLock::new(Box::new(|| client)), names, clock }
    }

    /// The same; its client is made when something is to be sent or delayed, which most invocations have no need for.
    #[must_use]
    pub fn when_needed(config: SdkConfig, names: SqsNames, clock: Arc<dyn Clock>) -> Self {
        Self { client: LazyLock::new(Box::new(move || Client::new(&config))), names, clock }
    }

    /// Takes up to ten dead letters off, for a person: they are gone from the queue. A letter that SQS itself moved
    /// there has no kind and no reason of ours.
    ///
    /// # Errors
    /// When SQS says no or cannot be reached.
    pub async fn take_dead_letters(&self) -> Result<Vec<DeadLetter>, Failure> {
        const DURING: &str = "sqs: read dead letters";
        let url = self.dead_letters_url(DURING)?;
        let received = self.receive_from(DURING, url, MOST as i32, Duration::ZERO).await?;
        for message in &received {
            let receipt = message.receipt_handle().unwrap_or_default();
            self.delete_from(DURING, url, receipt).await?;
        }
        Ok(received.iter().map(letter).collect())
    }

    fn dead_letters_url(&self, during: &'static str) -> Result<&str, Failure> {
        self.names.dead_letters.as_deref().ok_or_else(|| {
            Failure::retryable(
                during,
                "no dead-letter queue is named for this queue; name it in the settings",
            )
        })
    }

    /// Sends up to ten messages; gives back those that SQS left out for reasons of its own.
    async fn send_batch<'a>(&self, batch: &[&'a Message]) -> Result<Vec<&'a Message>, Failure> {
        const DURING: &str = "sqs: send";
        let entries = batch.iter().enumerate().map(|(n, message)| self.entry(n, message)).collect();
        let entries: Result<Vec<_>, Failure> = entries;
        let request = self.client.send_message_batch().queue_url(&self.names.url);
        let answer = request.set_entries(Some(entries?)).send().await;
        let answer = answer.map_err(|error| failure(DURING, &error))?;
        if let Some(wrong) = answer.failed().iter().find(|left| left.sender_fault) {
            return Err(refusal(DURING, wrong.code(), wrong.message().unwrap_or_default()));
        }
        let left = answer.failed().iter().filter_map(|left| left.id().parse::<usize>().ok());
        Ok(left.filter_map(|n| batch.get(n).copied()).collect())
    }

    fn entry(&self, n: usize, message: &Message) -> Result<SendMessageBatchRequestEntry, Failure> {
        let group = self.names.fair.then(|| message.connection().to_string());
        SendMessageBatchRequestEntry::builder()
            .id(n.to_string())
            .message_body(message.encode())
            .set_message_group_id(group)
            .build()
            .map_err(|_| Failure::permanent("sqs: send", "the request cannot be made"))
    }

    async fn receive_from(
        &self,
        during: &'static str,
        url: &str,
        max: i32,
        wait: Duration,
    ) -> Result<Vec<Received>, Failure> {
        let wait = wait.min(LONGEST_WAIT);
        // The answer to a long poll may take as long as the wait.
        let patience = TimeoutConfig::builder()
            .operation_attempt_timeout(wait + ATTEMPT)
            .operation_timeout((wait + ATTEMPT) * 2)
            .build();
        let request = self.client.receive_message().queue_url(url).max_number_of_messages(max);
        let answer = request
            .wait_time_seconds(seconds(wait))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_attribute_names("All")
            .customize()
            .config_override(aws_sdk_sqs::config::Config::builder().timeout_config(patience))
            .send()
            .await;
        Ok(answer.map_err(|error| failure(during, &error))?.messages.unwrap_or_default())
    }

    async fn delete_from(&self, during: &'static str, url: &str, receipt: &str) -> Result<(), Failure> {
        let answer = self.client.delete_message().queue_url(url).receipt_handle(receipt).send().await;
        match answer {
            // It is gone already, or it came again since and belongs to whoever has it now.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_receipt_handle_is_invalid()) => {
                Ok(())
            }
            answer => answer.map(|_| ()).map_err(|error| failure(during, &error)),
        }
    }
}

/// Whole seconds, rounded up: never earlier than asked.
fn seconds(wait: Duration) -> i32 {
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    i32::try_from(whole).unwrap_or(i32::MAX)
}

fn delivery(message: Received) -> Delivery {
    let count = message
        .attributes()
        .and_then(|attributes| attributes.get(&MessageSystemAttributeName::ApproximateReceiveCount))
        .and_then(|count| count.parse().ok());
    Delivery {
        count: count.unwrap_or(1),
        id: message.message_id.unwrap_or_default(),
        receipt: message.receipt_handle.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
    }
}

fn letter(message: &Received) -> DeadLetter {
    let attribute = |name: &str| {
        let value = message.message_attributes().and_then(|attributes| attributes.get(name));
        value.and_then(MessageAttributeValue::string_value).map(str::to_owned)
    };
    DeadLetter {
        body: message.body().unwrap_or_default().to_owned(),
        kind: attribute("kind").unwrap_or_else(|| Kind::Retryable { after: None }.word().to_owned()),
        reason: attribute("reason").unwrap_or_else(|| "delivered too often without success".to_owned()),
    }
}

/// A message attribute. SQS takes neither an empty one nor control characters.
fn attribute(text: &str) -> Result<MessageAttributeValue, Failure> {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(1000).collect();
    let clean = if clean.is_empty() { "-".to_owned() } else { clean };
    let value = MessageAttributeValue::builder().data_type("String").string_value(clean).build();
    value.map_err(|_| Failure::permanent("sqs: dead letter", "the request cannot be made"))
}

#[async_trait]
impl Outgoing for SqsQueue {
    async fn send(&self, messages: &[Message]) -> Result<(), Failure> {
        let all: Vec<&Message> = messages.iter().collect();
        for ten in all.chunks(MOST) {
            let mut left = self.send_batch(ten).await?;
            for again in 1..TRIES {
                if left.is_empty() {
                    break;
                }
                self.clock.sleep(Duration::from_millis(100 << again)).await;
                left = self.send_batch(&left).await?;
            }
            if !left.is_empty() {
                let what = format!("{} of {} messages were left out {TRIES} times", left.len(), ten.len());
                return Err(Failure::retryable("sqs: send", what));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Incoming for SqsQueue {
    async fn receive(&self, max: u32, wait: Duration) -> Result<Vec<Delivery>, Failure> {
        let max = i32::try_from(max.clamp(1, MOST as u32)).unwrap_or(1);
        let received = self.receive_from("sqs: receive", &self.names.url, max, wait).await?;
        Ok(received.into_iter().map(delivery).collect())
    }

    async fn delete(&self, delivery: &Delivery) -> Result<(), Failure> {
        self.delete_from("sqs: delete", &self.names.url, &delivery.receipt).await
    }

    async fn delay(&self, delivery: &Delivery, wait: Duration) -> Result<(), Failure> {
        let request = self
            .client
            .change_message_visibility()
            .queue_url(&self.names.url)
            .receipt_handle(&delivery.receipt);
        let answer = request.visibility_timeout(seconds(wait.min(LONGEST_DELAY))).send().await;
        match answer {
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_message_not_inflight() || e.is_receipt_handle_is_invalid()) =>
            {
                Ok(())
            }
            answer => answer.map(|_| ()).map_err(|error| failure("sqs: delay", &error)),
        }
    }

    async fn dead_letter(&self, letter: &DeadLetter) -> Result<(), Failure> {
        const DURING: &str = "sqs: dead letter";
        let url = self.dead_letters_url(DURING)?;
        let answer = self
            .client
            .send_message()
            .queue_url(url)
            .message_body(&letter.body)
            .message_attributes("kind", attribute(&letter.kind)?)
            .message_attributes("reason", attribute(&letter.reason)?)
            .send()
            .await;
        answer.map(|_| ()).map_err(|error| failure(DURING, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::secret::Vault;

    #[test]
    fn who_handles_a_queue_needs_a_place_for_what_is_given_up() {
        let values = [("ORDERS_QUEUE_URL".to_owned(), "https://queue".to_owned())];
        let vault = Arc::new(Vault::new(Vec::new(), Arc::new(SystemClock)));
        let settings = Settings::new("environment", values.into(), vault);
        assert_eq!(SqsNames::outgoing(&settings, "ORDERS").unwrap().url, "https://queue");
        let error = SqsNames::incoming(&settings, "ORDERS").unwrap_err();
        assert_eq!(error.key, "ORDERS_DEAD_LETTERS_URL");
    }
}
