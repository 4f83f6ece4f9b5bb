//! Carries the SDK's requests over the same HTTP library and TLS as everything else: one stack in the binary, set up once.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use reqwest::{Body, Client, Request};
use rustls::ClientConfig;

use crate::http::plain;

/// How long it may take until there is a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// A client for all services: they share its connections. Unlike the other clients it reaches whatever the SDK names: with
/// an endpoint in a VPC the addresses of AWS are private ones.
pub(super) fn client(tls: ClientConfig) -> SharedHttpClient {
    let client = plain(tls).connect_timeout(CONNECT_WITHIN).build().map_err(|error| error.to_string());
    let connector = SharedHttpConnector::new(Wire(client));
    http_client_fn(move |_, _| connector.clone())
}

/// The client, or why there is none: then every call says so.
#[derive(Clone)]
struct Wire(Result<Client, String>);

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let client = client.map_err(|why| ConnectorError::user(why.into()))?;
            exchange(&client, request).await
        })
    }
}

/// Sends a request and reads the whole answer, within the time that the SDK gives the attempt.
async fn exchange(client: &Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let mut answer = client.execute(on_the_wire(request)?).await.map_err(lost)?;
    let mut whole = http::Response::new(());
    *whole.status_mut() = answer.status();
    *whole.headers_mut() = std::mem::take(answer.headers_mut());
    let body = answer.bytes().await.map_err(lost)?;
    HttpResponse::try_from(whole.map(|()| body.into())).map_err(|e| ConnectorError::other(e.into(), None))
}

/// The request with its body, which is whole before it is sent: nothing that we call takes a stream.
fn on_the_wire(request: HttpRequest) -> Result<Request, ConnectorError> {
    let request = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?;
    let (head, body) = request.into_parts();
    let body = body.bytes().map(|bytes| Body::from(bytes.to_vec()));
    let body = body.ok_or_else(|| ConnectorError::user("a body that is a stream".into()))?;
    http::Request::from_parts(head, body)
        .try_into()
        .map_err(|e: reqwest::Error| ConnectorError::user(e.into()))
}

/// The SDK makes another attempt after each of these.
fn lost(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}
