//! What the tests of warehouses share: a server that replays recordings, spoken secrets, a still clock, an awkward order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters::http::Http;
use adapters::secret::{Secret, SecretSource, Vault};
use adapters::settings::Settings;
use async_trait::async_trait;
use domain::address::{Address, Place};
use domain::fulfillment::{FulfillmentRequest, RequestLine};
use domain::mapping::{Service, WarehouseSku};
use domain::money::{Currency, Money};
use domain::ports::Clock;
use domain::{Failure, Reference};
use jiff::Timestamp;
use rust_decimal::Decimal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// When the fixtures were signed.
pub(crate) const NOW: i64 = 1_795_399_500;

/// Time stands still but for those who sleep.
pub(crate) struct StillClock(Mutex<Timestamp>);

impl Default for StillClock {
    fn default() -> Self {
        Self(Mutex::new(Timestamp::from_second(NOW).unwrap()))
    }
}

impl StillClock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, wait: Duration) {
        self.advance(wait);
    }
}

/// Serves `fixture:value` as `value`, or as what replaces it, and counts how often it is asked.
#[derive(Clone, Default)]
pub(crate) struct Spoken {
    asked: Arc<AtomicUsize>,
    rotated: Arc<Mutex<Option<String>>>,
}

#[async_trait]
impl SecretSource for Spoken {
    async fn fetch(&self, reference: &str) -> Result<Option<Secret>, Failure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let rotated = self.rotated.lock().unwrap().clone();
        Ok(reference.strip_prefix("fixture:").map(|value| Secret::new(rotated.as_deref().unwrap_or(value))))
    }
}

impl Spoken {
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// From now on every secret is this one.
    pub(crate) fn rotate(&self, value: &str) {
        *self.rotated.lock().unwrap() = Some(value.to_owned());
    }
}

/// Settings over spoken secrets.
pub(crate) fn settings(
    values: BTreeMap<String, String>,
    spoken: &Spoken,
    clock: &Arc<StillClock>,
) -> Settings {
    let vault = Vault::new(vec![Box::new(spoken.clone())], clock.clone());
    Settings::new("connection main, warehouse", values, Arc::new(vault))
}

/// A client that reaches the local server.
pub(crate) fn http() -> Http {
    Http::new(["127.0.0.1".to_owned()]).unwrap()
}

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Answers with these bytes: status line, headers, empty line, body.
    Recorded(Vec<u8>),
    /// Reads it and hangs up.
    Silence,
}

impl Reply {
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let mut text = format!("HTTP/1.1 {status} Whatever\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        Self::Recorded(format!("{text}\r\n{body}").into_bytes())
    }
}

/// A server on this machine that gives its replies in turn, and the last one for ever.
pub(crate) struct Replay {
    pub(crate) url: String,
    script: Arc<Mutex<Vec<Reply>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Replay {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (script, seen) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let (answers, record) = (script.clone(), seen.clone());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let _served = serve(stream, &answers, &record).await;
            }
        });
        Self { url, script, seen }
    }

    /// From now on these replies; forgets what was seen.
    pub(crate) fn play(&self, replies: Vec<Reply>) {
        *self.script.lock().unwrap() = replies;
        self.seen.lock().unwrap().clear();
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    script: &Mutex<Vec<Reply>>,
    seen: &Mutex<Vec<Seen>>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let request = loop {
        if let Some(request) = parse(&bytes) {
            break request;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    seen.lock().unwrap().push(request);
    let reply = {
        let mut script = script.lock().unwrap();
        if script.len() > 1 { script.remove(0) } else { script.first().cloned().unwrap_or(Reply::Silence) }
    };
    if let Reply::Recorded(bytes) = reply {
        let (head, body) = split(&bytes);
        let length = format!("\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all(head).await?;
        stream.write_all(length.as_bytes()).await?;
        stream.write_all(body).await?;
    }
    stream.shutdown().await
}

fn split(message: &[u8]) -> (&[u8], &[u8]) {
    let at = message
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a recording has an empty line (CRLF)");
    (&message[..at], &message[at + 4..])
}

/// A request, once all of it has arrived.
pub(crate) fn parse(bytes: &[u8]) -> Option<Seen> {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map(|(_, v)| v.parse().unwrap());
    let body = &bytes[at + 4..];
    let length: usize = length.unwrap_or(0);
    (body.len() >= length).then(|| Seen { method, target, headers, body: body.to_vec() })
}

/// The fixtures of warehouses.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wms")
}

pub(crate) fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("missing recording {}: {e}", path.display()))
}

/// The settings of a folder, with the server's address put in.
pub(crate) fn read_settings(folder: &Path, replay: &str) -> BTreeMap<String, String> {
    let text = String::from_utf8(read(&folder.join("settings.env"))).unwrap();
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once('=').unwrap_or_else(|| panic!("no key=value: {line}")))
        .map(|(key, value)| (key.to_owned(), value.replace("{replay}", replay)))
        .collect()
}

/// The recorded answers of a case: one file, or a folder of numbered files.
pub(crate) fn recorded(folder: &Path, case: &str) -> Vec<Reply> {
    let numbered = folder.join(case);
    if numbered.is_dir() {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&numbered).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        return files.iter().map(|file| Reply::Recorded(read(file))).collect();
    }
    vec![Reply::Recorded(read(&folder.join(format!("{case}.http"))))]
}

pub(crate) const NAME: &str = "Zoë <O'Neil> & Søn";
pub(crate) const SKU: &str = "MUG-RED & <É>";
pub(crate) const STREET: &str = "1 Rue de l'École";
pub(crate) const COMMENT: &str = "\"Gift\" \\ <b>&amp;</b> É";

pub(crate) fn reference() -> Reference {
    Reference::parse("main-700100201").unwrap()
}

/// An order with every character that is awkward somewhere.
pub(crate) fn order() -> FulfillmentRequest {
    let place = |name: &str, code: &str| Place { name: name.to_owned(), code: Some(code.to_owned()) };
    FulfillmentRequest {
        reference: reference(),
        order_number: "700100201".into(),
        ordered_at: "2026-11-20T12:30:00Z".parse().unwrap(),
        ship_to: Address {
            name: NAME.into(),
            line1: STREET.into(),
            line2: String::new(),
            city: "Besançon".into(),
            region: Place::default(),
            postal_code: "99999".into(),
            country: place("France", "FR"),
            residential: None,
            phone: Some("+33 1 23".into()),
            email: Some("zoe@example.com".into()),
        },
        lines: vec![RequestLine {
            id: "1".into(),
            sku: WarehouseSku::parse(SKU).unwrap(),
            name: "Mug \"red\" & <hot>".into(),
            quantity: 2,
            unit_price: Decimal::new(1250, 2),
        }],
        service: Service::parse("Ground & Air").unwrap(),
        comments: COMMENT.into(),
        total: Money { amount: Decimal::new(2500, 2), currency: Currency::USD },
    }
}
