//! What each action does.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::queue::{Queue, Receipt, digest, later};
use super::{Action, State, World};
use crate::clock::pause;

/// A refusal, with the names that the JSON protocol and the older query protocol give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: &'static str,
    pub(super) query_kind: &'static str,
    pub(super) message: &'static str,
}

impl Failure {
    const fn new(kind: &'static str, query_kind: &'static str, message: &'static str) -> Self {
        Self { kind, query_kind, message }
    }

    pub(super) const INVALID_ACTION: Self = Self::new("InvalidAction", "InvalidAction", "no such action");
    pub(super) const THROTTLED: Self = Self::new("RequestThrottled", "RequestThrottled", "too many requests");
    const NO_QUEUE: Self = Self::new(
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist.",
    );
    const EMPTY_BATCH: Self =
        Self::new("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", "There are no entries.");
    const LONG_BATCH: Self = Self::new(
        "TooManyEntriesInBatchRequest",
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are 10.",
    );
    const BAD_RECEIPT: Self =
        Self::new("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "The input receipt handle is invalid.");
    const NOT_IN_FLIGHT: Self = Self::new(
        "MessageNotInflight",
        "AWS.SimpleQueueService.MessageNotInflight",
        "The message is not in flight.",
    );
    const BAD_VALUE: Self =
        Self::new("InvalidParameterValue", "InvalidParameterValue", "A parameter is out of its range.");
}

type Outcome = Result<Value, Failure>;

fn text<'a>(input: &'a Value, field: &str) -> &'a str {
    input.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn number(input: &Value, field: &str) -> Option<u64> {
    input.get(field).and_then(Value::as_u64)
}

/// Every action but receiving, which may wait.
pub(super) fn carry_out(world: &World, action: Action, queue: &str, input: &Value, spoil: bool) -> Outcome {
    let now = world.now();
    let url = world.url(queue);
    world.state.change(|state| {
        if action != Action::CreateQueue && !state.queues.contains_key(queue) {
            return Err(Failure::NO_QUEUE);
        }
        match action {
            Action::CreateQueue => {
                configure(state.queues.entry(queue.to_owned()).or_default(), input);
                Ok(json!({"QueueUrl": url}))
            }
            Action::GetQueueUrl => Ok(json!({"QueueUrl": url})),
            Action::GetQueueAttributes => Ok(attributes(state, queue, now)),
            Action::SetQueueAttributes => {
                configure(state.queues.entry(queue.to_owned()).or_default(), input);
                Ok(json!({}))
            }
            Action::PurgeQueue => {
                state.queues.entry(queue.to_owned()).or_default().clear();
                Ok(json!({}))
            }
            Action::SendMessageBatch | Action::DeleteMessageBatch | Action::ChangeMessageVisibilityBatch => {
                batch(state, action, queue, input, spoil, now)
            }
            _ => one(state, action, queue, input, now),
        }
    })
}

/// The action on one message; the entries of a batch come here one by one.
fn one(state: &mut State, action: Action, queue: &str, input: &Value, now: Timestamp) -> Outcome {
    match action {
        Action::SendMessage | Action::SendMessageBatch => {
            let body = text(input, "MessageBody");
            let attributes = input.get("MessageAttributes").cloned().unwrap_or(Value::Null);
            let delay = number(input, "DelaySeconds").unwrap_or(0);
            if body.is_empty() || delay > 900 {
                return Err(Failure::BAD_VALUE);
            }
            let id = state.send(queue, body, attributes, delay, now).ok_or(Failure::NO_QUEUE)?;
            Ok(json!({"MessageId": id, "MD5OfMessageBody": digest(body)}))
        }
        Action::DeleteMessage | Action::DeleteMessageBatch => {
            let queue = state.queues.get_mut(queue).ok_or(Failure::NO_QUEUE)?;
            match queue.delete(text(input, "ReceiptHandle")) {
                Receipt::Invalid => Err(Failure::BAD_RECEIPT),
                Receipt::Known | Receipt::Outdated => Ok(json!({})),
            }
        }
        _ => {
            let queue = state.queues.get_mut(queue).ok_or(Failure::NO_QUEUE)?;
            let seconds = number(input, "VisibilityTimeout").filter(|seconds| *seconds <= 43_200);
            let until = later(now, Duration::from_secs(seconds.ok_or(Failure::BAD_VALUE)?));
            match queue.change_visibility(text(input, "ReceiptHandle"), until) {
                Receipt::Known => Ok(json!({})),
                Receipt::Outdated => Err(Failure::NOT_IN_FLIGHT),
                Receipt::Invalid => Err(Failure::BAD_RECEIPT),
            }
        }
    }
}

fn batch(
    state: &mut State,
    action: Action,
    queue: &str,
    input: &Value,
    spoil: bool,
    now: Timestamp,
) -> Outcome {
    let entries = input.get("Entries").and_then(Value::as_array).filter(|entries| !entries.is_empty());
    let entries = entries.ok_or(Failure::EMPTY_BATCH)?;
    if entries.len() > 10 {
        return Err(Failure::LONG_BATCH);
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        let id = text(entry, "Id");
        let result =
            if spoil && index == 0 { Err(Failure::THROTTLED) } else { one(state, action, queue, entry, now) };
        match result {
            Ok(mut output) => {
                if let Value::Object(fields) = &mut output {
                    fields.insert("Id".to_owned(), json!(id));
                }
                successful.push(output);
            }
            Err(failure) => failed.push(json!({
                "Id": id, "Code": failure.query_kind, "Message": failure.message, "SenderFault": true,
            })),
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}

/// Receives at once, or waits as long as the request allows for a message to come or to show itself again.
pub(super) async fn receive(world: &World, queue: &str, input: &Value) -> Outcome {
    let most = number(input, "MaxNumberOfMessages").unwrap_or(1);
    let patience = number(input, "WaitTimeSeconds").unwrap_or(0);
    if !(1..=10).contains(&most) || patience > 20 {
        return Err(Failure::BAD_VALUE);
    }
    let deadline = later(world.now(), Duration::from_secs(patience));
    loop {
        let now = world.now();
        let visibility = number(input, "VisibilityTimeout");
        let (known, messages, next) = world.state.look_or_change(
            |state| {
                state.queues.get(queue).is_none_or(|queue| queue.next_visible().is_none_or(|at| at > now))
            },
            |state| {
                (
                    state.queues.contains_key(queue),
                    Vec::new(),
                    state.queues.get(queue).and_then(Queue::next_visible),
                )
            },
            |state| (true, state.receive(queue, most as usize, visibility, now), None),
        );
        if !known {
            return Err(Failure::NO_QUEUE);
        }
        if !messages.is_empty() {
            return Ok(json!({"Messages": messages}));
        }
        if now >= deadline {
            return Ok(json!({}));
        }
        let wake = next.map_or(deadline, |at| at.min(deadline)).max(now);
        let arrived = || {
            world.state.look(|state| {
                state.queues.get(queue).and_then(Queue::next_visible).is_some_and(|at| at < wake)
            })
        };
        tokio::select! {
            () = world.state.until(arrived) => {}
            () = pause(wake.duration_since(now).unsigned_abs() + Duration::from_millis(1)) => {}
        }
    }
}

fn configure(queue: &mut Queue, input: &Value) {
    let Some(attributes) = input.get("Attributes") else { return };
    if let Ok(seconds) = text(attributes, "VisibilityTimeout").parse() {
        queue.visibility = Duration::from_secs(seconds);
    }
    let policy: Value = serde_json::from_str(text(attributes, "RedrivePolicy")).unwrap_or(Value::Null);
    let most = policy.get("maxReceiveCount");
    let most = most.and_then(Value::as_u64).or_else(|| most.and_then(Value::as_str)?.parse().ok());
    if let (Some(most), Some(dead)) = (most, text(&policy, "deadLetterTargetArn").rsplit(':').next()) {
        queue.dead_letters = Some((dead.to_owned(), u32::try_from(most).unwrap_or(u32::MAX)));
    }
}

fn attributes(state: &State, name: &str, now: Timestamp) -> Value {
    let Some(queue) = state.queues.get(name) else { return json!({}) };
    let (visible, flying, delayed) = queue.sizes(now);
    let mut attributes = json!({
        "QueueArn": arn(name),
        "ApproximateNumberOfMessages": visible.to_string(),
        "ApproximateNumberOfMessagesNotVisible": flying.to_string(),
        "ApproximateNumberOfMessagesDelayed": delayed.to_string(),
        "VisibilityTimeout": queue.visibility.as_secs().to_string(),
    });
    if let (Some((dead, most)), Value::Object(fields)) = (&queue.dead_letters, &mut attributes) {
        let policy = json!({"deadLetterTargetArn": arn(dead), "maxReceiveCount": most});
        fields.insert("RedrivePolicy".to_owned(), json!(policy.to_string()));
    }
    json!({"Attributes": attributes})
}

fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{queue}")
}
