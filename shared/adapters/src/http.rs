//! The one HTTP client: https to public addresses only, no redirects, no proxies, bounded in time and size. A local
//! address is reached only where a setting names it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::{Failure, limits};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Method, Url};

/// What an outside system may send back at most, unless a caller allows less.
pub const MAX_ANSWER_BYTES: usize = limits::ANSWER_BYTES;

/// A request to an outside system.
#[derive(Clone)]
pub struct Request {
    /// GET, POST and so on.
    pub method: Method,
    /// Where to. Checked against the rules of [`Http`].
    pub url: Url,
    /// Names and values, secrets included: a request is never printed.
    pub headers: Vec<(String, String)>,
    /// The body, empty for none.
    pub body: Vec<u8>,
    /// How long the whole exchange may take.
    pub timeout: Duration,
}

/// An answer, whatever its status.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`MAX_ANSWER_BYTES`].
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// Is the status 2xx?
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The usual meaning of a status that is no success: 400, 404, 422 are a no; everything else may pass.
    #[must_use]
    pub fn failure(&self, during: &'static str) -> Failure {
        let wait =
            self.header("retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        match self.status {
            400 | 404 | 422 => Failure::permanent(during, format!("answered {}", self.status)),
            401 | 403 => {
                Failure::retryable(during, format!("answered {}: the credentials were refused", self.status))
            }
            status => Failure::retryable(during, format!("answered {status}")).after(wait),
        }
    }
}

/// What came of sending a request.
pub enum Sent {
    /// It was answered.
    Answered(Answer),
    /// It certainly never reached the other side.
    NotSent(Failure),
    /// It may have reached the other side; no usable answer came.
    Unclear(Failure),
}

impl Sent {
    /// The answer, where it does not matter whether a lost request had an effect.
    ///
    /// # Errors
    /// The failure of the exchange.
    pub fn answer(self) -> Result<Answer, Failure> {
        match self {
            Self::Answered(answer) => Ok(answer),
            Self::NotSent(failure) | Self::Unclear(failure) => Err(failure),
        }
    }
}

/// The client. Cheap to clone; connections are shared.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    local: Arc<BTreeSet<String>>,
    answering: Option<Arc<Answering>>,
}

/// Answers in place of the network.
pub type Answering = dyn Fn(&Request) -> Answer + Send + Sync;

impl Http {
    /// A client that reaches public https addresses, and besides only the local hosts that are named here, as
    /// `host` or `host:port`; those by plain http, too.
    ///
    /// # Errors
    /// When the TLS stack cannot be set up.
    pub fn new(local: impl IntoIterator<Item = String>) -> Result<Self, Failure> {
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let local: Arc<BTreeSet<String>> = Arc::new(local.into_iter().collect());
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(60))
            .dns_resolver(Arc::new(CheckedResolver { local: local.clone() }))
            .user_agent(concat!("cartdock/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Failure::permanent("set up HTTP", "the TLS stack cannot be set up").caused_by(e))?;
        Ok(Self { client, local, answering: None })
    }

    /// A client that asks nobody: `answering` gives every answer. For trying out what answers do.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn answered_by(answering: Arc<Answering>) -> Result<Self, Failure> {
        Ok(Self { answering: Some(answering), ..Self::new([])? })
    }

    /// Sends a request once.
    pub async fn send(&self, during: &'static str, request: Request) -> Sent {
        if let Some(answering) = &self.answering {
            return Sent::Answered(answering(&request));
        }
        if let Err(problem) = self.check(&request.url) {
            return Sent::NotSent(Failure::permanent(during, problem));
        }
        let mut builder =
            self.client.request(request.method, request.url).timeout(request.timeout).body(request.body);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let response = match builder.send().await {
            Ok(response) => response,
            Err(error) => return lost(during, error),
        };
        read(during, response).await
    }

    /// May this address be asked at all? Says why not.
    fn check(&self, url: &Url) -> Result<(), String> {
        let host = url.host_str().unwrap_or_default();
        let named = self.names(host, url.port_or_known_default());
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address carries a user name or password; take it out".to_owned());
        }
        if url.scheme() != "https" && !named {
            return Err(format!("only https is allowed, and {host} is not named in local_hosts"));
        }
        let literal = match url.host() {
            Some(url::Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(url::Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            _ => None,
        };
        match literal {
            Some(ip) if !named && !is_public(ip) => {
                Err(format!("{ip} is not a public address; name it in local_hosts to allow it"))
            }
            _ => Ok(()),
        }
    }

    fn names(&self, host: &str, port: Option<u16>) -> bool {
        self.local.contains(host) || port.is_some_and(|port| self.local.contains(&format!("{host}:{port}")))
    }
}

/// Tells apart what never left from what may have arrived. The error's own text may hold the URL: it is stripped.
fn lost(during: &'static str, error: reqwest::Error) -> Sent {
    let (connect, timeout) = (error.is_connect() || error.is_builder(), error.is_timeout());
    let error = error.without_url();
    match (connect, timeout) {
        (true, _) => Sent::NotSent(Failure::retryable(during, "cannot be reached").caused_by(error)),
        (false, true) => Sent::Unclear(Failure::retryable(during, "did not answer in time").caused_by(error)),
        (false, false) => {
            Sent::Unclear(Failure::retryable(during, "hung up before it had answered").caused_by(error))
        }
    }
}

async fn read(during: &'static str, mut response: reqwest::Response) -> Sent {
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > MAX_ANSWER_BYTES => {
                return Sent::Unclear(Failure::retryable(
                    during,
                    format!("answered with more than {MAX_ANSWER_BYTES} bytes"),
                ));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Sent::Answered(Answer { status, headers, body }),
            Err(error) => {
                let error = error.without_url();
                return Sent::Unclear(
                    Failure::retryable(during, "hung up in the middle of its answer").caused_by(error),
                );
            }
        }
    }
}

/// Resolves names and lets only public addresses through, unless the name is a local one by setting. What is checked
/// is what is connected to, so a name that changes its address in between gains nothing.
struct CheckedResolver {
    local: Arc<BTreeSet<String>>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let named = self.local.iter().any(|entry| entry.split(':').next() == Some(host.as_str()));
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| named || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(format!("{host} has no public address").into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Is this an address of the public internet?
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    // Only global unicast (2000::/3), and of it none that embeds or stands for something else.
    let global = segments[0] & 0xe000 == 0x2000;
    let special = matches!(
        (segments[0], segments[1]),
        (0x2001, 0x0000..=0x01ff) | (0x2001, 0x0db8) | (0x2002, _) | (0x3fff, 0..=0x0fff)
    );
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str, local: &[&str]) -> Option<String> {
        let http = Http::new(local.iter().map(|host| (*host).to_owned())).unwrap();
        http.check(&Url::parse(url).unwrap()).err()
    }

    #[test]
    fn only_public_https_is_asked() {
        assert_eq!(refused("https://www.mcssl.com/API/1", &[]), None);
        assert_eq!(refused("https://8.8.8.8/", &[]), None);
        for url in [
            "http://www.mcssl.com/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://10.1.2.3/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[fd00::1]/",
            "https://user:pass@example.com/",
        ] {
            assert!(refused(url, &[]).is_some(), "{url}");
        }
    }

    #[test]
    fn a_local_host_is_asked_where_a_setting_names_it() {
        assert_eq!(refused("http://127.0.0.1:8080/", &["127.0.0.1:8080"]), None);
        assert_eq!(refused("http://127.0.0.1:8080/", &["127.0.0.1"]), None);
        assert!(refused("http://127.0.0.1:8081/", &["127.0.0.1:8080"]).is_some());
    }
}
