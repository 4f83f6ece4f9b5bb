//! Where requests may go: only to what the settings name, over https on port 443, to public addresses. What is checked is
//! what is connected to.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The port of https, the only one that is asked unless a setting names another.
const HTTPS: u16 = 443;

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

/// Scheme, host and port: what an address must share with one of the settings'.
pub(super) type Origin = (String, String, u16);

pub(super) fn origin(url: &Url) -> Option<Origin> {
    Some((url.scheme().to_owned(), url.host_str()?.to_owned(), url.port_or_known_default()?))
}

/// The hosts that may be local, not https, or on another port, because a setting names them.
pub(super) struct LocalHosts(BTreeSet<(String, Option<u16>)>);

impl LocalHosts {
    /// Reads `host` and `host:port`, spelt as in an address.
    pub(super) fn new(named: impl IntoIterator<Item = String>) -> Self {
        Self(named.into_iter().map(|entry| split(&entry)).collect())
    }

    /// Is this host named, whatever the port?
    fn has(&self, host: &str) -> bool {
        self.0.iter().any(|(known, _)| known == host)
    }

    /// Is this host named with this port, or for all ports?
    fn names(&self, host: &str, port: Option<u16>) -> bool {
        self.0.iter().any(|(known, of)| known == host && (of.is_none() || *of == port))
    }
}

/// Host and port of an entry, the host as the URL parser spells it.
fn split(entry: &str) -> (String, Option<u16>) {
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            port.parse().map_or((entry, None), |port| (host, Some(port)))
        }
        _ => (entry, None),
    };
    let spelt =
        Url::parse(&format!("https://{host}/")).ok().and_then(|url| url.host_str().map(str::to_owned));
    (spelt.unwrap_or_else(|| host.to_lowercase()), port)
}

/// May this address be asked at all? Says why not, in words that may be shown.
pub(super) fn check(url: &Url, allowed: &BTreeSet<Origin>, local: &LocalHosts) -> Result<(), String> {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default());
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address carries a user name or password; take it out".to_owned());
    }
    if origin(url).is_none_or(|origin| !allowed.contains(&origin)) {
        return Err(format!("{host} is not the host that the settings name for this"));
    }
    if local.names(host, port) {
        return Ok(());
    }
    match literal(url) {
        Some(ip) if !is_public(ip) => {
            return Err(format!("{ip} is not a public address; name it in local_hosts to allow it"));
        }
        _ if local.has(host) => {
            return Err(format!("{host} is named in local_hosts with another port only; add this one"));
        }
        _ => {}
    }
    if url.scheme() != "https" {
        return Err(format!("only https is allowed, and {host} is not named in local_hosts"));
    }
    match port {
        Some(HTTPS) => Ok(()),
        _ => Err(format!(
            "only port {HTTPS} is asked; name {host} with its port in local_hosts to allow another"
        )),
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(url::Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
        _ => None,
    }
}

/// Resolves names and lets only public addresses through, unless the name is a local one by setting. The client connects
/// to what comes out of here, so a name that changes its address in between gains nothing.
pub(super) struct CheckedResolver {
    pub(super) behind: Arc<dyn Resolver>,
    pub(super) local: Arc<LocalHosts>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (behind, host) = (self.behind.clone(), name.as_str().to_owned());
        let named = self.local.has(&host);
        Box::pin(async move {
            let found = behind.addresses(&host).await?.into_iter();
            let allowed: Vec<SocketAddr> =
                found.filter(|ip| named || is_public(*ip)).map(|ip| SocketAddr::new(ip, 0)).collect();
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
    // A cloud's own helper behind an address that looks public.
    const AZURE_HOST: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
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
    !special && ip != AZURE_HOST
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    // Only global unicast (2000::/3), and of it none that embeds or stands for something else.
    let global = segments[0] & 0xe000 == 0x2000;
    let special = matches!(
        (segments[0], segments[1]),
        (0x2001, 0x0000..=0x01ff) | (0x2001, 0x0db8) | (0x2002, _) | (0x3fff, 0..=0x0fff)
    );
    // ISATAP: an IPv4 address behind 0000:5efe or 0200:5efe.
    let embeds = segments[4] & 0xfdff == 0 && segments[5] == 0x5efe;
    global && !special && !embeds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why `url` is refused, by a client that may ask `allowed` and knows these local hosts.
    fn refused(url: &str, allowed: &str, local: &[&str]) -> Option<String> {
        let parse = |text: &str| Url::parse(text).unwrap();
        let allowed = origin(&parse(allowed)).into_iter().collect();
        let local = LocalHosts::new(local.iter().map(|host| (*host).to_owned()));
        check(&parse(url), &allowed, &local).err()
    }

    fn says(url: &str, local: &[&str], word: &str) {
        let why = refused(url, url, local);
        assert!(why.as_deref().unwrap_or_default().contains(word), "{url} with {local:?}: {why:?}");
    }

    #[test]
    fn only_the_hosts_of_the_settings_are_asked() {
        let base = "https://api.acme.com";
        assert_eq!(refused("https://api.acme.com/v1/orders?a=b", base, &[]), None);
        for other in [
            "https://api.acme.com.evil.com/",
            "https://evil.com/api.acme.com",
            "https://acme.com/",
            "https://api.acme.com./",
            "https://api.acme.com:8443/",
            "http://api.acme.com/",
        ] {
            assert!(refused(other, base, &[]).unwrap().contains("is not the host"), "{other}");
        }
    }

    #[test]
    fn only_https_on_its_own_port_and_without_a_user_is_asked() {
        assert_eq!(refused("https://8.8.8.8/", "https://8.8.8.8", &[]), None);
        says("http://acme.com/", &[], "only https");
        says("https://acme.com:8443/", &[], "only port 443");
        says("https://user@acme.com/", &[], "user name");
        says("https://:secret@acme.com/", &[], "user name");
        let other = "https://acme.com:8443/";
        assert_eq!(refused(other, other, &["acme.com:8443"]), None);
    }

    #[test]
    fn a_local_host_is_asked_where_a_setting_names_it_and_on_no_other_port() {
        let local = "http://127.0.0.1:8080/";
        for named in ["127.0.0.1:8080", "127.0.0.1", "0x7f.1:8080"] {
            assert_eq!(refused(local, local, &[named]), None, "{named}");
        }
        let six = "http://[::1]:8080/";
        for named in ["[::1]:8080", "[::1]", "[0:0::1]:8080"] {
            assert_eq!(refused(six, six, &[named]), None, "{named}");
        }
        says("http://127.0.0.1:8081/", &["127.0.0.1:8080"], "not a public address");
        says("https://localhost:9001/", &["localhost:8080"], "another port only");
        says("https://localhost/", &["localhost:8080"], "another port only");
        says("https://[::1]:9001/", &["[::1]:8080"], "not a public address");
    }

    #[tokio::test]
    async fn of_mixed_addresses_only_the_public_ones_are_connected_to() {
        struct Mixed;
        #[async_trait]
        impl Resolver for Mixed {
            async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
                Ok(["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111", "::ffff:8.8.8.8"]
                    .map(|ip| ip.parse().unwrap())
                    .to_vec())
            }
        }
        let resolver = |local: &[&str]| CheckedResolver {
            behind: Arc::new(Mixed),
            local: Arc::new(LocalHosts::new(local.iter().map(|host| (*host).to_owned()))),
        };
        let found = resolver(&[]).resolve("mixed.test".parse().unwrap()).await.unwrap();
        let found: Vec<String> = found.map(|address| address.ip().to_string()).collect();
        assert_eq!(found, ["8.8.8.8", "2606:4700::1111"]);
        let named = resolver(&["mixed.test"]).resolve("mixed.test".parse().unwrap()).await.unwrap();
        assert_eq!(named.count(), 5);
    }
}
