//! The webhook endpoint of one process, over the same use case as the Lambda function behind the HTTP API.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::warehouse::RawWebhook;
use receive_notices::{MAX_BODY_BYTES, ReceiveNotices, Received};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Serves webhooks until told to stop; requests in hand are finished.
pub(super) async fn serve(
    listener: TcpListener,
    notices: ReceiveNotices,
    mut stopped: watch::Receiver<bool>,
) {
    let app = axum::Router::new().fallback(receive).with_state(Arc::new(notices));
    let stop = async move {
        let _either_way_it_is_over = stopped.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stop).await {
        tracing::error!("the webhook endpoint has stopped: {error}");
    }
}

async fn receive(State(notices): State<Arc<ReceiveNotices>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let webhook = RawWebhook { headers, path_rest: String::new(), body: bounded(body).await };
    let received = Received { method: parts.method.to_string(), path: parts.uri.path().to_owned(), webhook };
    let outcome = notices.receive(received).await;
    if let Some(note) = &outcome.note {
        let connection = outcome.connection.as_ref().map(ToString::to_string).unwrap_or_default();
        tracing::warn!(connection.id = connection, status = outcome.reply.status, "webhook: {note}");
    }
    let status = StatusCode::from_u16(outcome.reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], outcome.reply.body).into_response()
}

/// The body; one that is too large (or breaks off) becomes one byte more than is allowed, which the use case refuses.
async fn bounded(body: Body) -> Vec<u8> {
    to_bytes(body, MAX_BODY_BYTES).await.map_or_else(|_| vec![0; MAX_BODY_BYTES + 1], |bytes| bytes.to_vec())
}
