//! Answers, well formed and otherwise: XML, JSON, an HTML page, garbage, half a body, a hang-up.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use serde_json::Value;

/// Bytes that are no text in any encoding a client would try.
pub(crate) const GARBAGE: &[u8] = b"\x00\xff\xfe\x89PNG\r\n\x1a\n\xc3\x28<<<&&&\x07";

/// What a proxy in front of a service says when the service is away.
pub(crate) const HTML_PAGE: &str = "<!DOCTYPE html><html><head><title>Maintenance</title></head>\
     <body><h1>We&rsquo;ll be right back</h1><br><p>Please try again later.</body></html>";

pub(crate) fn body(status: u16, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(crate) fn xml(document: String) -> Response {
    body(200, "text/xml; charset=utf-8", document)
}

pub(crate) fn json(status: u16, document: &Value) -> Response {
    body(status, "application/json", document.to_string())
}

pub(crate) fn html(status: u16, page: impl Into<Body>) -> Response {
    body(status, "text/html; charset=utf-8", page)
}

pub(crate) fn garbage() -> Response {
    body(200, "application/octet-stream", GARBAGE)
}

pub(crate) fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}

/// Closes the connection without a single byte of an answer.
pub(crate) fn hang_up() -> Response {
    Response::new(Body::from_stream(stream::once(async { Err::<Bytes, _>(gone()) })))
}

/// Sends the headers and the first half of the body, then closes the connection.
pub(crate) async fn half(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let first = stream::iter([Ok(whole.slice(..whole.len() / 2))]);
    // Giving way once lets the first half leave before the connection breaks.
    let then = stream::once(async {
        tokio::task::yield_now().await;
        Err(gone())
    });
    Response::from_parts(parts, Body::from_stream(first.chain(then)))
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "hung up on purpose")
}
