//! A shop for the real binary: a simulated store and warehouse in the test, a settings file in a directory of its own.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

pub(crate) mod aws;

/// A test of what is typed, once for the data directory and once for a stack, which have to say and do the same.
#[allow(unused_macros, reason = "each test file uses its own part")]
macro_rules! here_and_on_a_stack {
    ($played:ident, $name:literal, $write_back:expr) => {
        mod $played {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn here() {
                super::$played(Shop::open($name, $write_back).await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_a_stack() {
                super::$played(Shop::open_on_a_stack($name, $write_back).await).await;
            }
        }
    };
}
#[allow(unused_imports, reason = "each test file uses its own part")]
pub(crate) use here_and_on_a_stack;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use jiff::civil::DateTime;
use simulator::shop;
use simulator::store::{Endpoint, Store, StoreOptions, WriteBack};
use simulator::warehouse::{Auth, Duplicates, Warehouse, WarehouseOptions, Webhook};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

pub(crate) const NOTIFY_SECRET: &str = "unmistakable-notify-path";
pub(crate) const WAREHOUSE_KEY: &str = "unmistakable-warehouse-key";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_dW5taXN0YWthYmxlLXdlYmhvb2stc2VjcmV0LTAx";

/// How long a test waits for something that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A store, a warehouse, and a directory with the settings that join them.
pub(crate) struct Shop {
    pub(crate) store: Store,
    pub(crate) warehouse: Warehouse,
    pub(crate) dir: PathBuf,
    pub(crate) listen: String,
    /// The local time at which the shop's day began.
    pub(crate) morning: DateTime,
    start: String,
    /// Commands find the ledger of `cartdock run` by this stack, not by the data directory.
    stack: Option<aws::Aws>,
}

/// An empty directory for one test.
pub(crate) fn directory(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_dir_all(&dir));
    std::fs::create_dir_all(&dir).expect("a directory");
    dir
}

/// The binary, in a directory, without any secret in its environment. Times are told in UTC unless a zone is asked for.
pub(crate) fn cartdock(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cartdock"));
    if !args.contains(&"--zone") {
        command.args(["--zone", "UTC"]);
    }
    command.current_dir(dir).args(args).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub(crate) async fn finish(mut command: Command) -> Answer {
    let output = in_time("the command ends", command.output()).await.expect("the binary starts");
    Answer::of(&output)
}

/// Runs a command to its end, with lines typed.
pub(crate) async fn type_in(mut command: Command, lines: &str) -> Answer {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().expect("the binary starts");
    let mut stdin = running.stdin.take().expect("it is piped");
    // Who does not read what was typed has ended already.
    let _either_way_it_answers = stdin.write_all(lines.as_bytes()).await;
    drop(stdin);
    Answer::of(&in_time("the command ends", running.wait_with_output()).await.expect("it ends"))
}

/// Fails the test when something does not happen in time.
pub(crate) async fn in_time<T>(what: &str, happens: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, happens).await {
        Ok(done) => done,
        Err(_) => panic!("this did not happen in {PATIENCE:?}: {what}"),
    }
}

/// Waits before something is looked at once more.
pub(crate) async fn a_moment() {
    domain::ports::Clock::sleep(&adapters::clock::SystemClock, Duration::from_millis(20)).await;
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Fails the test unless the exit code is this one.
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.out, self.err))
    }

    /// Both streams with single blanks, so that a wrapped table can be searched.
    pub(crate) fn words(&self) -> String {
        let all = format!("{} {}", self.out, self.err);
        all.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl Shop {
    /// A shop with an empty store, with everything mapped that the shop of the simulator had mapped in the morning.
    pub(crate) async fn open(name: &str, write_back: WriteBack) -> Self {
        let dir = directory(name);
        let listen = free_address();
        let notify_url = Some(format!("http://{listen}/notify/main/{NOTIFY_SECRET}"));
        let notify_delay = Duration::from_millis(300);
        let options = StoreOptions { notify_url, notify_delay, write_back, ..StoreOptions::default() };
        let store = Store::start(options).await.expect("a loopback port");
        store.stock_shop();
        let webhook =
            Webhook { url: format!("http://{listen}/webhook/main"), secret: WEBHOOK_SECRET.to_owned() };
        let options = WarehouseOptions {
            auth: Auth::ApiKey(WAREHOUSE_KEY.to_owned()),
            duplicates: Duplicates::Accept,
            webhook: Some(webhook),
            retry_delays: [200, 500, 1000, 2000].map(Duration::from_millis).to_vec(),
            ..WarehouseOptions::default()
        };
        let warehouse = Warehouse::start(options).await.expect("a loopback port");
        let nine_hours = Duration::from_secs(9 * 3600);
        let start = simulator::clock::wall()().checked_sub(nine_hours).expect("a time");
        let (morning, start) = (store.local(start), start.to_string());
        let shop = Self { store, warehouse, dir, listen, morning, start, stack: None };
        shop.write("cartdock.toml", &shop.settings());
        shop.write("warehouse-key", WAREHOUSE_KEY);
        owner_only(&shop.dir.join("warehouse-key"));
        shop.write("listings.csv", &listings(shop::listings()));
        shop.write("rules.csv", &rules(shop::rules()));
        shop
    }

    /// The settings file: the whole shop at a quick pace.
    pub(crate) fn settings(&self) -> String {
        let Self { store, warehouse, listen, start, .. } = self;
        format!(
            r#"data_dir = "data"
[server]
listen = "{listen}"
[network]
local_hosts = ["{store_host}", "{warehouse_host}"]
[pace]
send_within_ms = 1500
lease_ms = 3000
grace_ms = 4000
first_retry_ms = 300
longest_retry_ms = 2000
first_watch_ms = 5000
sweep_ms = 300
poll_ms = 700
[[connection]]
id = "main"
name = "Test shop"
enabled = true
[connection.store]
merchant_id = {merchant}
api_key = "@env:TEST_STORE_KEY"
notify_secret = "@env:TEST_NOTIFY_SECRET"
base_url = "{store_url}"
requests_per_second = 50
timeout_seconds = 5
[connection.warehouse]
kind = "http"
base_url = "{warehouse_url}"
repeat = "can_be_asked"
lag_seconds = 0
timeout_seconds = 1
requests_per_second = 50
auth = {{ kind = "header", key = "@file:{key_file}" }}
webhook = {{ scheme = "standard_webhooks", secret = "@env:TEST_WEBHOOK_SECRET" }}
[connection.policies]
start = "{start}"
[connection.schedule]
orders_minutes = 1
shipments_minutes = 1
"#,
            store_host = store.host(),
            warehouse_host = warehouse.host(),
            merchant = store.merchant_id(),
            store_url = store.base_url(),
            warehouse_url = warehouse.base_url(),
            key_file = self.dir.join("warehouse-key").display(),
        )
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.join(name), text).expect("a file");
    }

    /// The same, whose commands are all typed with `--stack`: the stack's tables are those of the `cartdock run` that is
    /// at work.
    pub(crate) async fn open_on_a_stack(name: &str, write_back: WriteBack) -> Self {
        let shop = Self::open(&format!("{name}-on-a-stack"), write_back).await;
        let secret = |name: &str| format!("@secret:{}{name}", aws::SECRETS);
        let key_file = shop.dir.join("warehouse-key");
        let names = vec![
            ("@env:TEST_STORE_KEY".to_owned(), secret("main#store")),
            ("@env:TEST_NOTIFY_SECRET".to_owned(), secret("main#notify")),
            ("@env:TEST_WEBHOOK_SECRET".to_owned(), secret("main#webhook")),
            (format!("@file:{}", key_file.display()), secret("warehouse")),
        ];
        let stack = aws::Aws::of_a_run(shop.dir.join("data/endpoint"), names).await;
        let of_main = serde_json::json!({
            "store": shop.store.key(), "notify": NOTIFY_SECRET, "webhook": WEBHOOK_SECRET,
        });
        stack.keep("main", &of_main.to_string());
        stack.keep("warehouse", WAREHOUSE_KEY);
        Self { stack: Some(stack), ..shop }
    }

    /// What has to run before anything can be typed: on a stack the process whose tables are the stack's.
    pub(crate) async fn ahead(&self) -> Option<Child> {
        let stack = self.stack.as_ref()?;
        let run = self.run();
        let entered = async {
            while stack.connection("main").await.is_none() {
                a_moment().await;
            }
        };
        in_time("`cartdock run` enters its connection", entered).await;
        Some(run)
    }

    /// The binary with the shop's secrets in its environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        if let Some(aws) = self.stack.as_ref().filter(|_| args != ["run"]) {
            return aws.command(&self.dir, args, &[self.store.host(), self.warehouse.host()]);
        }
        let mut command = cartdock(&self.dir, args);
        command
            .env("TEST_STORE_KEY", self.store.key())
            .env("TEST_NOTIFY_SECRET", NOTIFY_SECRET)
            .env("TEST_WEBHOOK_SECRET", WEBHOOK_SECRET);
        command
    }

    /// Runs a command of the binary to its end.
    pub(crate) async fn ask(&self, args: &[&str]) -> Answer {
        finish(self.command(args)).await
    }

    /// The same, with lines typed.
    pub(crate) async fn type_in(&self, args: &[&str], lines: &str) -> Answer {
        type_in(self.command(args), lines).await
    }

    /// Imports what the shop had mapped by the morning.
    pub(crate) async fn map(&self) {
        for file in ["listings.csv", "rules.csv"] {
            self.ask(&["map", "import", file]).await.ended(0);
        }
    }

    /// Imports that, and starts `cartdock run`, which has to be there first where what is typed finds it by a stack.
    pub(crate) async fn mapped(&self) -> Child {
        let ahead = self.ahead().await;
        self.map().await;
        ahead.unwrap_or_else(|| self.run())
    }

    /// Starts `cartdock run`; its log goes to `run.log`.
    pub(crate) fn run(&self) -> Child {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.join("run.log"));
        let mut command = self.command(&["run"]);
        command.stdout(Stdio::null()).stderr(log.expect("a log"));
        command.spawn().expect("the binary starts")
    }

    /// One order as `explain` tells it, asked again until it is as wanted.
    pub(crate) async fn explained(
        &self,
        order: u64,
        wanted: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        let (order, mut last) = (order.to_string(), None);
        let asking = async {
            loop {
                let answer = self.ask(&["explain", &order, "--json"]).await;
                if answer.code != Some(2) && wanted(&answer.json()) {
                    return answer.json();
                }
                last = Some(answer);
            }
        };
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(explanation) => explanation,
            Err(_) => panic!("order {order} is not as wanted: {last:?}\n{}", self.log()),
        }
    }

    /// Waits until a poll has moved the cursor: what the store lists late is from then on outside of what polls read.
    pub(crate) async fn cursor_moved(&self) {
        let moved =
            async { while self.ask(&["status", "--json"]).await.json()[0]["read_up_to"].is_null() {} };
        in_time("a poll moves the cursor", moved).await;
    }

    /// Waits until a poll that begins later than this has ended, because the next one has begun.
    pub(crate) async fn polled(&self) {
        let lists = |store: &Store| store.counts().of(Endpoint::OrdersList);
        let before = lists(&self.store);
        in_time("the store is polled", self.store.until(|store| lists(store) > before + 2)).await;
    }

    /// What the runs said so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("run.log")).unwrap_or_default()
    }
}

/// Kills as `kill -9` does, and waits until the process is gone.
pub(crate) async fn kill(mut run: Child) {
    run.kill().await.expect("it was running");
}

/// Asks a process to stop, as a service manager does, and gives its exit code.
pub(crate) async fn terminate(mut run: Child) -> Option<i32> {
    let pid = run.id().expect("it runs").to_string();
    let sent = Command::new("kill").args(["-TERM", &pid]).status().await.expect("there is a kill command");
    assert!(sent.success());
    in_time("it stops", run.wait()).await.expect("it was running").code()
}

/// An address that nobody listens at. It is below the ports that the system gives to whoever does not care which: between
/// now and the start of the process that is told of it, no other test can get it by chance.
fn free_address() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 100).unwrap_or(0) * 100;
    loop {
        let port = 20_000 + first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let address = format!("127.0.0.1:{port}");
        if std::net::TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

pub(crate) fn owner_only(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
}

/// Listings as a CSV file.
pub(crate) fn listings(listings: shop::Listings) -> String {
    let mut csv = "sku,warehouse_sku,quantity\n".to_owned();
    for (sku, parts) in listings {
        if parts.is_empty() {
            csv.push_str(&format!("{sku},-,\n"));
        }
        for (part, quantity) in parts {
            csv.push_str(&format!("{sku},{part},{quantity}\n"));
        }
    }
    csv
}

/// Shipping rules as a CSV file.
pub(crate) fn rules(rules: shop::Rules) -> String {
    let mut csv = "match,method,countries,min_total,below_total,service\n".to_owned();
    for (method, service) in rules {
        csv.push_str(&format!("is,{method},,,,{service}\n"));
    }
    csv
}

/// The sum of counts by word.
pub(crate) fn sum(counts: &serde_json::Value) -> u64 {
    counts.as_object().expect("counts").values().filter_map(serde_json::Value::as_u64).sum()
}
