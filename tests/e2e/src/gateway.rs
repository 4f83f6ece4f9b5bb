//! An HTTP API in front of a function: every request becomes an event, and the function's answer the response.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use simulator::lambda::{Host, events};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The service refuses larger bodies itself.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// The service waits no longer.
const DEADLINE: Duration = Duration::from_secs(30);

/// A running HTTP API. Dropping it closes its port.
pub struct Gateway {
    base_url: String,
    server: JoinHandle<()>,
}

impl Gateway {
    /// In front of one process.
    pub(crate) async fn start(function: Arc<Host>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        Self::on(listener, move |event| {
            let function = Arc::clone(&function);
            async move { function.invoke(event, DEADLINE).await.ok() }
        })
    }

    /// On this port, in front of whatever answers the events; none is a function that failed.
    pub(crate) fn on<F>(
        listener: TcpListener,
        invoke: impl Fn(Value) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Option<Value>> + Send,
    {
        let base_url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(async move |request| pass_on(invoke, request).await);
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the API is served");
        });
        Self { base_url, server }
    }

    /// The address of a path, with its leading slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass_on<F>(invoke: impl Fn(Value) -> F, request: Request) -> Response
where
    F: Future<Output = Option<Value>>,
{
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let headers =
        parts.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let headers: Vec<(&str, &str)> = headers.collect();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let event = events::http_v2(parts.method.as_str(), path, &headers, &body);
    let answer = invoke(event).await.unwrap_or_default();
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status =
        status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, answer["body"].as_str().unwrap_or_default().to_owned()).into_response()
}
