//! `cartdock.toml`: read as a whole, and refused with every mistake at its line, what is wrong, and the cure.
//!
//! The file holds no secrets, only their names (`@env:NAME`, `@file:PATH`). Money, mappings and orders are not settings.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use adapters::secret::Vault;
use domain::connection::Connection;
use domain::limits::SETTINGS_BYTES;

pub(crate) mod alerts;
mod connection;
mod node;
mod pace;
mod policies;
mod sides;

use alerts::Alerts;
use node::{Entries, Reading};
use pace::Tempo;

/// Everything that the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// Where the ledger is kept.
    pub(crate) data_dir: PathBuf,
    /// Where webhooks are listened for.
    pub(crate) listen: SocketAddr,
    /// The address under which the outside reaches [`Config::listen`], without a slash at its end.
    pub(crate) public_url: Option<String>,
    /// The only hosts (`host` or `host:port`) that are reached though they are local or speak plain http.
    pub(crate) local_hosts: BTreeSet<String>,
    /// How fast it works; other than usual only for tests and demos.
    pub(crate) tempo: Tempo,
    /// Whom to tell what opens and what closes.
    pub(crate) alerts: Alerts,
    /// The connections, in the order of the file.
    pub(crate) connections: Vec<Connection>,
    /// Every secret that is named, with its place, so that a missing one can be refused at start.
    pub(crate) secrets: Vec<NamedSecret>,
}

/// A secret that the file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedSecret {
    /// The reference without its `@`.
    pub(crate) reference: String,
    /// The setting that names it, as in `connection main: store.api_key`.
    pub(crate) setting: String,
    /// Where it stands.
    pub(crate) place: Place,
}

/// A place in the file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The line.
    pub(crate) line: usize,
    /// The character in the line.
    pub(crate) column: usize,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The file's name.
    pub(crate) file: String,
    /// Where; none for the file as a whole.
    pub(crate) place: Option<Place>,
    /// What is wrong. Never the value of a secret.
    pub(crate) problem: String,
    /// What to do.
    pub(crate) cure: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}; {}", self.problem, self.cure)
    }
}

/// Everything that is wrong with a file, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistakes(pub(crate) Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Mistakes {}

/// Which settings an adapter knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    /// Its keys. One that ends in `*` stands for all that begin so.
    pub(crate) keys: &'a [&'a str],
    /// Those of them that are secrets, besides those whose name says so (`api_key`, `auth.password`).
    pub(crate) secrets: &'a [&'a str],
}

/// Which settings the adapters know. The command fills it in, because only wiring names an adapter.
pub(crate) struct Adapters<'a> {
    /// The store's.
    pub(crate) store: Known<'a>,
    /// The names of the warehouse adapters, for `kind`.
    pub(crate) kinds: &'a [&'a str],
    /// A warehouse adapter's, by its name; none when there is no such adapter.
    pub(crate) warehouse: &'a dyn Fn(&str) -> Option<Known<'a>>,
}

/// Reads the file at `path`.
///
/// # Errors
/// When it cannot be read, and every mistake in it.
pub(crate) fn load(path: &Path, adapters: &Adapters) -> Result<Config, Mistakes> {
    parse(&path.display().to_string(), &text_of(path)?, adapters)
}

/// The text of the file at `path`.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn text_of(path: &Path) -> Result<String, Mistakes> {
    let file = path.display().to_string();
    match read_bounded(path) {
        Ok(text) => Ok(text),
        Err(error) => {
            let cure = match error.kind() {
                std::io::ErrorKind::NotFound => "write one with: cartdock init",
                std::io::ErrorKind::InvalidData => "save it as UTF-8 text",
                _ => "look at its owner and permissions",
            };
            let problem = format!("cannot be read ({})", error.kind());
            Err(Mistakes(vec![Mistake { file, place: None, problem, cure: cure.to_owned() }]))
        }
    }
}

/// The text of a file, or as much of it as is too much.
fn read_bounded(path: &Path) -> std::io::Result<String> {
    let most = u64::try_from(SETTINGS_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    std::fs::File::open(path)?.take(most).read_to_string(&mut text)?;
    Ok(text)
}

/// Reads the text of a file. `file` is its name, for the mistakes.
///
/// # Errors
/// Every mistake in it.
pub(crate) fn parse(file: &str, text: &str, adapters: &Adapters) -> Result<Config, Mistakes> {
    read(Reading::new(file, text), adapters)
}

/// The same, of a file that may have no connection yet.
///
/// # Errors
/// Every mistake in it.
pub(crate) fn parse_empty(file: &str, text: &str, adapters: &Adapters) -> Result<Config, Mistakes> {
    read(Reading::new(file, text).without_connections(), adapters)
}

fn read(mut reading: Reading, adapters: &Adapters) -> Result<Config, Mistakes> {
    let config = reading.root().map(|root| top(root, adapters, &mut reading));
    let mistakes = reading.into_mistakes();
    match config {
        Some(config) if mistakes.is_empty() => Ok(config),
        _ => Err(Mistakes(mistakes)),
    }
}

/// Does a setting of a store or a warehouse say by its name that it is a secret?
pub(crate) fn is_secret(key: &str) -> bool {
    sides::is_secret(key)
}

/// Can every secret be had that the file names? To be asked before anything is started.
///
/// # Errors
/// Those that cannot, each at its line.
pub(crate) async fn missing_secrets(file: &Path, config: &Config, vault: &Vault) -> Result<(), Mistakes> {
    let file = file.display().to_string();
    let mut mistakes = Vec::new();
    for secret in &config.secrets {
        let Err(failure) = vault.get(&secret.reference).await else { continue };
        // The vault's sentence has its cure behind a semicolon.
        let (problem, cure) = failure.message.split_once("; ").unwrap_or((&failure.message, "look at it"));
        mistakes.push(Mistake {
            file: file.clone(),
            place: Some(secret.place),
            problem: format!("{}: {problem}", secret.setting),
            cure: cure.to_owned(),
        });
    }
    if mistakes.is_empty() { Ok(()) } else { Err(Mistakes(mistakes)) }
}

/// A path as the settings file means it, whatever the current folder is.
fn beside(file: &str, path: &str) -> PathBuf {
    Path::new(file).parent().unwrap_or(Path::new("")).join(path)
}

fn top(mut root: Entries, adapters: &Adapters, reading: &mut Reading) -> Config {
    let data_dir = root.text("data_dir", reading).unwrap_or_else(|| "cartdock-data".to_owned());
    let mut server = root.table("server", reading);
    let listen = server.parsed("listen", "an address and a port, as in 127.0.0.1:8377", reading);
    let public_url =
        server.text_at("public_url", reading).and_then(|(url, at)| public_url(&url, at, reading));
    server.nothing_else(reading);
    let mut network = root.table("network", reading);
    let local_hosts = local_hosts(&mut network, reading);
    network.nothing_else(reading);
    let tempo = pace::read(root.table("pace", reading), reading);
    let alerts = alerts::read(root.table("alerts", reading), &local_hosts, reading);
    let connections = connection::all(&mut root, adapters, reading);
    root.nothing_else(reading);
    Config {
        data_dir: beside(reading.file(), &data_dir),
        listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8377))),
        public_url,
        local_hosts,
        tempo,
        alerts,
        connections: connections.into_iter().collect(),
        secrets: reading.take_secrets(),
    }
}

fn public_url(url: &str, at: std::ops::Range<usize>, reading: &mut Reading) -> Option<String> {
    let url = url.trim().trim_end_matches('/');
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    if host.is_none_or(|host| host.is_empty() || host.contains([' ', '?', '#'])) {
        reading.wrong(
            at,
            "public_url is no web address",
            "write it as https://shop.example.com or leave it out",
        );
        return None;
    }
    Some(url.to_owned())
}

fn local_hosts(network: &mut Entries, reading: &mut Reading) -> BTreeSet<String> {
    let mut hosts = BTreeSet::new();
    for (host, at) in network.texts("local_hosts", reading).unwrap_or_default() {
        let plain = !host.is_empty() && !host.contains(['/', ' ', '@', '?', '#', '*']);
        if plain {
            hosts.insert(host.to_lowercase());
        } else {
            let cure = "write the host alone, or with its port, as in 127.0.0.1:9000";
            reading.wrong(at, format!("\"{host}\" is no host"), cure);
        }
    }
    hosts
}

#[cfg(test)]
mod tests;
