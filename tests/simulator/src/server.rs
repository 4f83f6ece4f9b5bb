//! A server on a free loopback port that ends with its handle.

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The most that a simulated service reads of one request.
pub(crate) const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;

type Targets = Arc<Mutex<BTreeSet<String>>>;

/// A running server; dropping it closes the port.
pub(crate) struct Server {
    address: SocketAddr,
    targets: Targets,
    task: JoinHandle<()>,
}

impl Server {
    /// Binds `127.0.0.1:0` and answers every request with `answer`.
    pub(crate) async fn start<A, F>(answer: A) -> io::Result<Self>
    where
        A: Fn(Request) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // Without it every answer in two packets would wait for the client's delayed acknowledgement.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let targets = Targets::default();
        let seen = Arc::clone(&targets);
        let router = Router::new().fallback(move |request: Request| {
            seen.lock().unwrap_or_else(PoisonError::into_inner).insert(request.uri().to_string());
            answer(request)
        });
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, targets, task })
    }

    /// Every path and query that was asked for, each once.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Where it listens, as `127.0.0.1:port`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a URL without a slash at its end.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
