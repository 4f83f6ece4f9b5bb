//! How requests travel: over HTTP/1 with connections that are kept, the same for AWS, stores and warehouses.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;

/// How long a connection is kept that nobody uses.
const KEPT: Duration = Duration::from_secs(60);

/// Finds the addresses of a host.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// All addresses of this name.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// What became of a request that was not answered.
#[derive(Debug)]
pub(crate) enum Lost {
    /// There was no connection: it certainly never reached the other side.
    NotConnected(Error),
    /// The connection ended before the whole answer had come.
    Cut(Box<dyn std::error::Error + Send + Sync>),
    /// The answer has more bytes than wanted.
    TooLong,
}

/// A client with its connections. Clones share them.
#[derive(Clone)]
pub(crate) struct Transport(Client<Bounded, Full<Bytes>>);

impl Transport {
    /// No connection is open yet. Names are looked up by `resolver`; a connection, its TLS included, is there within
    /// `connect_within` or not at all.
    pub(crate) fn new(tls: ClientConfig, resolver: Arc<dyn Resolver>, connect_within: Duration) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Names(resolver));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = Bounded { https: HttpsConnector::from((tcp, tls)), within: connect_within };
        let mut client = Client::builder(TokioExecutor::new());
        Self(client.pool_timer(TokioTimer::new()).pool_idle_timeout(KEPT).build(connector))
    }

    /// Sends a request and reads the whole answer, of at most `most` bytes. Follows no redirect.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        most: usize,
    ) -> Result<Response<Bytes>, Lost> {
        let answer = self.0.request(request).await.map_err(|error| match error.is_connect() {
            true => Lost::NotConnected(error),
            false => Lost::Cut(error.into()),
        })?;
        let (head, mut body) = answer.into_parts();
        let mut whole = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Lost::Cut(error.into()))?;
            let Ok(data) = frame.into_data() else { continue };
            if whole.len() + data.len() > most {
                return Err(Lost::TooLong);
            }
            whole.extend_from_slice(&data);
        }
        Ok(Response::from_parts(head, whole.into()))
    }
}

/// Opens connections, and gives up after a while: the look-up of the name and the TLS handshake take part of that time.
#[derive(Clone)]
struct Bounded {
    https: HttpsConnector<HttpConnector<Names>>,
    within: Duration,
}

type Boxed<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl Service<Uri> for Bounded {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Boxed<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.within, self.https.call(address));
        Box::pin(async move {
            connecting.await.unwrap_or_else(|_| {
                Err(io::Error::new(io::ErrorKind::TimedOut, "no connection within the time for it").into())
            })
        })
    }
}

/// Looks names up by the resolver of the client.
#[derive(Clone)]
struct Names(Arc<dyn Resolver>);

impl Service<Name> for Names {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Boxed<Self::Response, io::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.0.clone();
        Box::pin(async move {
            let found = resolver.addresses(name.as_str()).await?;
            Ok(found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect::<Vec<_>>().into_iter())
        })
    }
}
