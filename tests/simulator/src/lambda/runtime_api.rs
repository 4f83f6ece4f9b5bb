//! The Runtime API that a function talks to: next event, its answer, its error.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};

use super::State;
use crate::replies;
use crate::server::MAX_REQUEST_BYTES;
use crate::shared::Shared;

/// Answers one request of the function.
pub(super) async fn answer(state: Arc<Shared<State>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
    let words: Vec<&str> = path.split('/').collect();
    if let ["invocation", "next"] = words.as_slice() {
        return next(&state).await;
    }
    let body = to_bytes(body, MAX_REQUEST_BYTES).await.unwrap_or_default();
    match words.as_slice() {
        ["invocation", id, "response"] => {
            state.change(|state| state.outcomes.insert((*id).to_owned(), Ok(body.to_vec())));
        }
        ["invocation", id, "error"] => {
            state.change(|state| state.outcomes.insert((*id).to_owned(), Err(document(&body))));
        }
        ["init", "error"] => state.change(|state| state.init_error = Some(document(&body))),
        _ => return replies::json(404, &json!({"errorMessage": "no such path"})),
    }
    replies::json(202, &json!({"status": "OK"}))
}

fn document(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| json!(String::from_utf8_lossy(body)))
}

/// Blocks until there is an event, as the real one does.
async fn next(state: &Shared<State>) -> Response {
    state.change(|state| {
        if state.init_time.is_none() {
            state.init_time = state.started.map(|started| started.elapsed());
        }
    });
    let invocation = loop {
        state.until(|| state.look(|state| !state.waiting.is_empty())).await;
        if let Some(invocation) = state.change(|state| state.waiting.pop_front()) {
            break invocation;
        }
    };
    let response = replies::body(200, "application/json", invocation.event);
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:simulated";
    let trace = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0";
    [
        ("lambda-runtime-aws-request-id", invocation.id.as_str()),
        ("lambda-runtime-deadline-ms", &invocation.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", arn),
        ("lambda-runtime-trace-id", trace),
    ]
    .into_iter()
    .fold(response, |response, (name, value)| replies::with_header(response, name, value))
}
