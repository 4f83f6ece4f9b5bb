//! People are told once when something opens and once when it closes, by each channel, in messages that say what to do.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]
#![allow(clippy::disallowed_methods, reason = "the binary is another process: there is no clock to move")]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use jiff::ToSpan as _;
use simulator::shop::{self, Kind};
use simulator::store::{OrderSpec, WriteBack};
use support::{Answer, Shop, finish, in_time, terminate};
use tokio::net::TcpListener;

/// A channel as Slack has it, on a loopback port.
struct Channel {
    address: SocketAddr,
    texts: Arc<Mutex<Vec<String>>>,
    status: Arc<Mutex<StatusCode>>,
}

impl Channel {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("it has an address");
        let (texts, status) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(StatusCode::OK)));
        let (kept, answer): (Arc<Mutex<Vec<String>>>, _) = (texts.clone(), status.clone());
        let answering = move |body: String| async move {
            let status = *answer.lock().expect("nobody panics");
            if status == StatusCode::OK {
                let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
                kept.lock().expect("nobody panics").push(body["text"].as_str().expect("a text").to_owned());
            }
            status
        };
        let app = Router::new().fallback(answering);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, texts, status }
    }

    fn answers(&self, status: StatusCode) {
        *self.status.lock().expect("nobody panics") = status;
    }

    fn all(&self) -> Vec<String> {
        self.texts.lock().expect("nobody panics").clone()
    }

    /// Waits until a message has come that has this in it.
    async fn heard(&self, part: &str) -> String {
        let waiting = async {
            loop {
                if let Some(text) = self.all().into_iter().find(|text| text.contains(part)) {
                    return text;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        in_time(&format!("people hear of {part}"), waiting).await
    }
}

/// An order of a kind, placed now.
fn order(shop: &Shop, kind: Kind) -> OrderSpec {
    let mut day = shop::day_from(7, shop.morning).into_iter();
    let order = day.find(|order| order.kind == kind).expect("the day has all kinds");
    OrderSpec { id: None, ordered_at: shop.store.local_now() - 0.hours(), ..order }
}

impl Shop {
    /// A shop whose people are told by this channel, and by what `more` says.
    fn telling(&self, channel: &Channel, more: &str) {
        let hosts = format!("local_hosts = [\"{}\", ", channel.address);
        let settings = self.settings().replace("local_hosts = [", &hosts);
        let settings = settings.replace("[pace]\n", "[pace]\nalerts_ms = 500\n");
        let alerts = format!("[alerts]\nslack_url = \"@env:TEST_SLACK_URL\"\n{more}[[connection]]\n");
        self.write("cartdock.toml", &settings.replace("[[connection]]\n", &alerts));
    }

    fn with(&self, channel: &Channel, args: &[&str]) -> tokio::process::Command {
        let mut command = self.command(args);
        let url = format!("http://{}/services/T0/B0/unmistakable-hook", channel.address);
        command.env("TEST_SLACK_URL", url);
        command
    }

    async fn test_of(&self, channel: &Channel, more: &[&str]) -> Answer {
        finish(self.with(channel, &[&["alert", "test"], more].concat())).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unmapped_sku_is_told_when_it_opens_and_when_the_map_closes_it() {
    let shop = Shop::open("alert", WriteBack::Offered).await;
    let channel = Channel::open().await;
    shop.telling(&channel, "");
    shop.map().await;
    let log = std::fs::File::create(shop.dir.join("run.log")).expect("a log");
    let run = shop.with(&channel, &["run"]).stderr(log).spawn().expect("the binary starts");
    let lamp = shop.store.add_order(order(&shop, Kind::UnmappedSku));
    shop.explained(lamp, |order| order["stage"] == "held").await;
    let opened = channel.heard("LAMP-NEW has no listing").await;
    for part in [
        "*Cartdock main (Test shop)",
        "OPEN: SKU LAMP-NEW has no listing\n",
        &format!("1 order waits: {lamp}\n"),
        "row       LAMP-NEW,&lt;warehouse SKU&gt;,1\n",
        "then      cartdock map import listings.csv --connection main\n",
        "more      cartdock issues show ",
        "open now: cartdock status main\n",
    ] {
        assert!(opened.contains(part), "{part} in\n{opened}");
    }

    shop.write("missing.csv", &support::listings(shop::missing_listings()));
    shop.ask(&["map", "import", "missing.csv"]).await.ended(0);
    let closed = channel.heard("CLOSED: SKU LAMP-NEW has no listing (after ").await;
    assert!(!closed.contains("OPEN: SKU LAMP-NEW"), "{closed}");
    let told = channel.all().iter().filter(|text| text.contains("OPEN: SKU LAMP-NEW")).count();
    assert_eq!(told, 1, "once: {:?}", channel.all());
    let all = channel.all().join("\n");
    let buyer = order(&shop, Kind::UnmappedSku).ship_to.expect("it is shipped").name;
    assert!(!all.contains(&buyer) && !all.contains("unmistakable"), "{all}");

    let mut doctor = shop.with(&channel, &["doctor"]);
    doctor.kill_on_drop(true);
    let doctor = finish(doctor).await;
    for part in ["Slack webhook; try them with cartdock alert test", "0 things are open"] {
        assert!(doctor.words().contains(part), "{part} in\n{}", doctor.out);
    }
    assert!(!shop.log().contains("unmistakable"), "{}", shop.log());
    assert_eq!(terminate(run).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_channel_did_not_take_is_told_later_also_after_a_kill() {
    let shop = Shop::open("alert-later", WriteBack::Offered).await;
    let channel = Channel::open().await;
    shop.telling(&channel, "");
    shop.map().await;
    channel.answers(StatusCode::SERVICE_UNAVAILABLE);
    let log = std::fs::File::create(shop.dir.join("run.log")).expect("a log");
    let run = shop.with(&channel, &["run"]).stderr(log).spawn().expect("the binary starts");
    let lamp = shop.store.add_order(order(&shop, Kind::UnmappedSku));
    shop.explained(lamp, |order| order["stage"] == "held").await;
    in_time("the log says that nobody was told", async {
        while !shop.log().contains("no alert by Slack webhook") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    support::kill(run).await;
    channel.answers(StatusCode::OK);
    let run = shop.with(&channel, &["run"]).spawn().expect("the binary starts");
    channel.heard("OPEN: SKU LAMP-NEW").await;
    assert_eq!(terminate(run).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_says_channel_by_channel_whether_it_was_taken() {
    let shop = Shop::open("alert-test", WriteBack::Offered).await;
    let channel = Channel::open().await;
    let none = shop.ask(&["alert", "test"]).await.ended(2);
    assert!(none.words().contains("nobody is alerted") && none.words().contains("[alerts]"), "{}", none.err);
    let unheard = shop.ask(&["doctor"]).await;
    assert!(unheard.words().contains("nobody is alerted; set one up in [alerts]"), "{}", unheard.out);

    shop.telling(&channel, "");
    let taken = shop.test_of(&channel, &[]).await.ended(0);
    assert!(taken.words().contains("Slack webhook: taken"), "{}", taken.out);
    let text = channel.heard("TEST").await;
    assert!(text.contains("nothing has happened") && text.contains("nothing is to be done"), "{text}");

    // Nobody listens there.
    let mail = "[alerts.mail]\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\nfrom = \"cartdock@example.com\"\n\
                to = [\"ops@example.com\"]\n";
    shop.telling(&channel, mail);
    let refused = shop.ask(&["alert", "test"]).await.ended(2);
    assert!(refused.err.contains("127.0.0.1 in plain text"), "{}", refused.err);
    let settings = std::fs::read_to_string(shop.dir.join("cartdock.toml")).expect("the settings");
    shop.write("cartdock.toml", &settings.replace("local_hosts = [", "local_hosts = [\"127.0.0.1:9\", "));
    let half = shop.test_of(&channel, &["--json"]).await.ended(1).json();
    let words: Vec<(&str, bool)> = half
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| Some((one["channel"].as_str()?, one["taken"].as_bool()?)))
        .collect();
    assert_eq!(words, [("Slack webhook", true), ("mail to ops@example.com", false)], "{half:#}");
    let told = shop.test_of(&channel, &[]).await.ended(1);
    assert!(told.words().contains("NOT TAKEN") && told.words().contains("look at host, port and tls"));
    channel.answers(StatusCode::NOT_FOUND);
    let gone = shop.test_of(&channel, &[]).await.ended(1);
    assert!(
        gone.words().contains("Slack webhook: NOT TAKEN") && !gone.out.contains("unmistakable"),
        "{}",
        gone.out
    );
}
