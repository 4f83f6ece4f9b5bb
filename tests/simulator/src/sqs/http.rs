//! The service's door: AWS JSON 1.0, one URL, the action in a header.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};

use super::actions::{Failure, carry_out, receive};
use super::{Action, Fault, World};
use crate::replies;
use crate::server::MAX_REQUEST_BYTES;

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// Answers one request.
pub(super) async fn answer(world: Arc<World>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_REQUEST_BYTES).await.unwrap_or_default();
    let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (Some(action), Ok(input)) = (action(target), serde_json::from_slice::<Value>(&body)) else {
        return failed(&Failure::INVALID_ACTION);
    };
    let queue = queue_name(&input);
    let fault = world.state.change(|state| {
        *state.requests.entry(action).or_default() += 1;
        state.faults.meet(action, &queue)
    });
    match fault {
        Some(Fault::HangUp) => replies::hang_up(),
        Some(Fault::Unavailable) => replies::body(503, CONTENT_TYPE, "{\"__type\":\"ServiceUnavailable\"}"),
        Some(Fault::Throttled) => failed(&Failure::THROTTLED),
        Some(Fault::DoneButHangUp) => {
            drop(done(&world, action, &queue, &input, false).await);
            replies::hang_up()
        }
        Some(Fault::FirstEntryFails) => done(&world, action, &queue, &input, true).await,
        None => done(&world, action, &queue, &input, false).await,
    }
}

async fn done(world: &World, action: Action, queue: &str, input: &Value, spoil: bool) -> Response {
    let result = match action {
        Action::ReceiveMessage => receive(world, queue, input).await,
        _ => carry_out(world, action, queue, input, spoil),
    };
    match result {
        Ok(output) => replies::body(200, CONTENT_TYPE, output.to_string()),
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> Response {
    let document =
        json!({"__type": format!("com.amazonaws.sqs#{}", failure.kind), "message": failure.message});
    let response = replies::body(400, CONTENT_TYPE, document.to_string());
    replies::with_header(response, "x-amzn-query-error", &format!("{};Sender", failure.query_kind))
}

/// The last segment of the queue's URL, or the name in a request that has no URL.
fn queue_name(input: &Value) -> String {
    let text = |field: &str| input.get(field).and_then(Value::as_str).unwrap_or_default();
    let url = text("QueueUrl");
    if url.is_empty() {
        text("QueueName").to_owned()
    } else {
        url.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

fn action(target: &str) -> Option<Action> {
    Some(match target.strip_prefix("AmazonSQS.")? {
        "CreateQueue" => Action::CreateQueue,
        "GetQueueUrl" => Action::GetQueueUrl,
        "GetQueueAttributes" => Action::GetQueueAttributes,
        "SetQueueAttributes" => Action::SetQueueAttributes,
        "SendMessage" => Action::SendMessage,
        "SendMessageBatch" => Action::SendMessageBatch,
        "ReceiveMessage" => Action::ReceiveMessage,
        "DeleteMessage" => Action::DeleteMessage,
        "DeleteMessageBatch" => Action::DeleteMessageBatch,
        "ChangeMessageVisibility" => Action::ChangeMessageVisibility,
        "ChangeMessageVisibilityBatch" => Action::ChangeMessageVisibilityBatch,
        "PurgeQueue" => Action::PurgeQueue,
        _ => return None,
    })
}
