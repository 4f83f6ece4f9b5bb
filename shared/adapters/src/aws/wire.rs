//! Carries the SDK's requests over the connections that everything else here uses.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rustls::ClientConfig;

use crate::transport::{Lost, SystemResolver, Transport};

/// How long it may take until there is a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// A client for every service: they share its connections.
pub(super) fn client(tls: ClientConfig) -> SharedHttpClient {
    let transport = Transport::new(tls, Arc::new(SystemResolver), CONNECT_WITHIN);
    let connector = SharedHttpConnector::new(Wire(transport));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Clone)]
struct Wire(Transport);

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = on_the_wire(request)?;
            let answer = transport.send(request, usize::MAX).await.map_err(unanswered)?;
            HttpResponse::try_from(answer.map(Into::into)).map_err(|e| ConnectorError::other(e.into(), None))
        })
    }
}

/// The request with its body, which is whole before it is sent: nothing that we call takes a stream.
fn on_the_wire(request: HttpRequest) -> Result<Request<Full<Bytes>>, ConnectorError> {
    let request = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?;
    let (head, body) = request.into_parts();
    let body = body.bytes().map(Bytes::copy_from_slice);
    let body = body.ok_or_else(|| ConnectorError::user("a body that is a stream".into()))?;
    Ok(Request::from_parts(head, Full::new(body)))
}

/// The SDK makes another attempt after all of these.
fn unanswered(lost: Lost) -> ConnectorError {
    match lost {
        Lost::NotConnected(error) => ConnectorError::io(error.into()),
        Lost::Cut(error) => ConnectorError::io(error),
        Lost::TooLong => ConnectorError::io(io::Error::from(io::ErrorKind::FileTooLarge).into()),
    }
}
