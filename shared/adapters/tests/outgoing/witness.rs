//! Sockets that see who connects, and a resolver that answers what a test wants and remembers what it was asked.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters::http::{Http, Request, Resolver};
use async_trait::async_trait;
use reqwest::{Method, Url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One port on all addresses of this machine: every connection to any of them is counted, and answered in the same way.
pub(crate) struct Witness {
    pub(crate) port: u16,
    seen: Arc<AtomicUsize>,
}

impl Witness {
    /// Answers every request with these bytes.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let (answer, seen) = (Arc::new(answer.into()), Arc::new(AtomicUsize::new(0)));
        let v4 = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = v4.local_addr().unwrap().port();
        let v6 = TcpListener::bind(("::1", port)).await.ok();
        for listener in [Some(v4), v6].into_iter().flatten() {
            let (answer, seen) = (answer.clone(), seen.clone());
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    seen.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(reply(stream, answer.clone()));
                }
            });
        }
        Self { port, seen }
    }

    /// How many connections came.
    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

async fn reply(mut stream: TcpStream, answer: Arc<Vec<u8>>) -> io::Result<()> {
    let mut request = [0; 4096];
    let _read = stream.read(&mut request).await?;
    stream.write_all(&answer).await
}

pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

/// Answers its lists of addresses in turn, the last one for ever.
pub(crate) struct Answers {
    lists: Mutex<Vec<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Answers {
    pub(crate) fn new(lists: Vec<Vec<IpAddr>>) -> Arc<Self> {
        Arc::new(Self { lists: Mutex::new(lists), asked: Mutex::default() })
    }

    /// Every name is this machine.
    pub(crate) fn local() -> Arc<Self> {
        Self::new(vec![vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]])
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Resolver for Answers {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut lists = self.lists.lock().unwrap();
        Ok(if lists.len() > 1 { lists.remove(0) } else { lists[0].clone() })
    }
}

/// A client to which no local host is named.
pub(crate) fn client(resolver: Arc<Answers>) -> Http {
    Http::with_resolver([], resolver).unwrap()
}

pub(crate) fn get(url: &Url) -> Request {
    let timeout = Duration::from_millis(500);
    Request { method: Method::GET, url: url.clone(), headers: Vec::new(), body: Vec::new(), timeout }
}
