//! `cartdock run` as a process with its data directory: killed and frozen at random moments, and once its whole ledger is
//! deleted and rebuilt while orders keep coming.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use adapters::clock::SystemClock;
use domain::ports::Clock;
use domain::record::Record;
use jiff::SignedDuration;
use serde_json::Value;
use simulator::shop as stock;
use tokio::process::Command;
use tokio::time::Instant;

use super::dice::Dice;
use super::plan::{Class, Options};
use super::process::{Process, Usage, pause};
use super::report::Report;
use super::shop::Shop;
use super::verdict;

/// Between two looks at the world.
const TICK: Duration = Duration::from_millis(40);
/// Between two looks at our books, once the outside world is quiet.
const LOOK: Duration = Duration::from_secs(1);
/// Without any progress for so long, something is lost.
const PATIENCE: Duration = Duration::from_secs(120);

const PACE: &str = "
[pace]
send_within_ms = 3000
lease_ms = 6000
grace_ms = 8000
first_retry_ms = 300
longest_retry_ms = 2000
first_watch_ms = 5000
sweep_ms = 1000
poll_ms = 1500
";

/// A moment of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Kill,
    Freeze,
    LoseLedger,
}

/// A run under way.
pub(super) struct Local {
    options: Options,
    listen: String,
    pub(super) shops: Vec<Shop>,
    pub(super) usage: Usage,
    pub(super) report: Report,
    dice: Dice,
    started: Instant,
}

/// Plays a run to its end.
pub(super) async fn play(options: Options) -> Report {
    let mut local = Local::open(options).await;
    let ended = local.until_done().await;
    local.finish(ended).await;
    local.report.took = local.started.elapsed();
    local.report
}

impl Local {
    async fn open(options: Options) -> Self {
        let listen = free_address();
        let mut shops = Vec::new();
        for (n, class) in (0..).zip(options.classes.clone()) {
            let orders = share(options.orders, options.classes.len(), n);
            shops.push(Shop::open(class, orders, options.seed.wrapping_add(n as u64), &listen).await);
        }
        std::fs::create_dir_all(&options.dir).expect("a directory");
        let report = Report {
            seed: options.seed,
            orders: options.orders,
            dir: options.dir.display().to_string(),
            ..Report::default()
        };
        let dice = Dice::new(options.seed ^ 0xc4a05);
        let local =
            Self { options, listen, shops, usage: Usage::default(), report, dice, started: Instant::now() };
        local.write_settings();
        local
    }

    fn write_settings(&self) {
        let start = SystemClock.now() - SignedDuration::from_hours(1);
        let hosts: Vec<String> = self
            .shops
            .iter()
            .flat_map(|shop| [shop.store.host(), shop.warehouse.host()])
            .map(|host| format!("\"{host}\""))
            .collect();
        let mut text = format!(
            "data_dir = \"data\"\n[server]\nlisten = \"{}\"\n[network]\nlocal_hosts = [{}]\n{PACE}",
            self.listen,
            hosts.join(", ")
        );
        self.shops.iter().for_each(|shop| text.push_str(&shop.settings(start)));
        self.write("cartdock.toml", &text);
        let listings = stock::listings().into_iter().flat_map(|(sku, parts)| {
            let rows = parts.into_iter().map(move |(part, pieces)| format!("{sku},{part},{pieces}\n"));
            rows.collect::<Vec<_>>()
        });
        self.write("listings.csv", &format!("sku,warehouse_sku,quantity\n{}", listings.collect::<String>()));
        let rules = stock::rules().into_iter().map(|(method, service)| format!("is,{method},,,,{service}\n"));
        let header = "match,method,countries,min_total,below_total,service\n";
        self.write("rules.csv", &format!("{header}{}", rules.collect::<String>()));
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.options.dir.join(name), text).expect("a file");
    }

    /// The binary, with the secrets in its environment and nowhere else.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.options.binary);
        command.current_dir(&self.options.dir).args(args).kill_on_drop(true);
        for shop in &self.shops {
            command.envs(shop.secrets.variables(shop.class));
        }
        command
    }

    fn run(&mut self) -> Process {
        let command = self.command(&["run"]);
        Process::start(command, &self.options.dir.join("run.log"), &mut self.usage)
    }

    /// Runs a command to its end and keeps what it said: exit code and standard output.
    async fn ask(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.command(args).stdin(std::process::Stdio::null()).output().await;
        let output = output.expect("the binary starts");
        let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        let log = self.options.dir.join("commands.log");
        let mut all = std::fs::read(&log).unwrap_or_default();
        if all.len() < 4 << 20 {
            all.extend(said);
            std::fs::write(log, all).expect("a log");
        }
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn map(&mut self) {
        for class in self.options.classes.clone() {
            for file in ["listings.csv", "rules.csv"] {
                let (code, _) = self.ask(&["map", "import", file, "--connection", class.word()]).await;
                if code != Some(0) {
                    self.report.wrong.push(format!("map import {file} ended with {code:?}"));
                }
            }
        }
    }

    /// The moments of trouble, by the progress at which they come, latest first.
    fn troubles(&mut self) -> Vec<(u64, Trouble)> {
        let all = self.options.orders as u64 * 2;
        let mut troubles: Vec<(u64, Trouble)> = Vec::new();
        for _ in 0..self.options.kills {
            troubles.push((self.dice.below(all * 95 / 100), Trouble::Kill));
        }
        for _ in 0..self.options.freezes {
            troubles.push((self.dice.below(all * 95 / 100), Trouble::Freeze));
        }
        if self.options.lose_ledger {
            troubles.push((all / 2, Trouble::LoseLedger));
        }
        troubles.sort_unstable();
        troubles.reverse();
        troubles
    }

    fn tick(&mut self) -> u64 {
        let now = SystemClock.now();
        let others = self.shops.iter().filter(|shop| shop.class != Class::Cannot);
        let pace = others.map(Shop::pace).min().unwrap_or(1000);
        for shop in &mut self.shops {
            let secret = &shop.secrets.notify;
            let url = format!("http://{}/notify/{}/{secret}", self.listen, shop.class.word());
            shop.tick(now, &url, pace);
        }
        self.shops.iter().map(|shop| shop.progress() as u64).sum()
    }

    /// Lets orders flow, makes all the trouble, and waits until nothing is left to do. The process that runs at the end.
    async fn until_done(&mut self) -> Option<Process> {
        self.map().await;
        let (code, said) = self.ask(&["rebuild", "--new"]).await;
        if code != Some(0) {
            self.report.wrong.push(format!("cartdock rebuild --new ended with {code:?}: {said}"));
        }
        let mut troubles = self.troubles();
        let mut run = self.run();
        let (mut last, mut moved, mut looked) = (0, Instant::now(), Instant::now());
        loop {
            pause(TICK).await;
            let progress = self.tick();
            if progress > last {
                (last, moved) = (progress, Instant::now());
            }
            if run.has_ended() {
                self.report.wrong.push("cartdock run ended by itself".to_owned());
                return None;
            }
            if troubles.last().is_some_and(|(at, _)| *at <= progress) {
                let trouble = troubles.pop().map(|(_, trouble)| trouble)?;
                run = self.trouble(trouble, run).await;
                moved = Instant::now();
            } else if moved.elapsed() > LOOK && looked.elapsed() > LOOK {
                if self.is_done().await {
                    return Some(run);
                }
                looked = Instant::now();
            }
            if moved.elapsed() > PATIENCE {
                self.report.wrong.push(format!("nothing has moved for {PATIENCE:?}"));
                return Some(run);
            }
        }
    }

    async fn trouble(&mut self, trouble: Trouble, run: Process) -> Process {
        let moment = Duration::from_millis(self.dice.below(120));
        pause(moment).await;
        match trouble {
            Trouble::Kill => {
                self.report.kills += 1;
                run.kill(&mut self.usage).await;
                self.run()
            }
            Trouble::Freeze => {
                self.report.freezes += 1;
                // Some are longer than a lease.
                let long = self.dice.per_mille(200);
                run.freeze(Duration::from_millis(self.dice.below(if long { 5000 } else { 800 }))).await;
                run
            }
            Trouble::LoseLedger => self.lose_ledger(run).await,
        }
    }

    /// Deletes the whole ledger and rebuilds it with one command, which is killed twice on its way.
    async fn lose_ledger(&mut self, run: Process) -> Process {
        self.report.losses += 1;
        run.kill(&mut self.usage).await;
        let lost_at = SystemClock.now().to_string();
        std::fs::remove_dir_all(self.options.dir.join("data")).expect("the ledger can be deleted");
        self.map().await;
        if !self.options.by_command {
            return self.run();
        }
        let args = ["rebuild", "--lost-at", lost_at.as_str(), "--json"];
        for _ in 0..2 {
            let log = self.options.dir.join("rebuild.log");
            let rebuild = Process::start(self.command(&args), &log, &mut self.usage);
            let until = Instant::now() + Duration::from_millis(300 + self.dice.below(2500));
            while Instant::now() < until {
                pause(TICK).await;
                self.tick();
            }
            rebuild.kill(&mut self.usage).await;
        }
        self.rebuild(&args).await;
        self.run()
    }

    async fn rebuild(&mut self, args: &[&str]) {
        let out = self.options.dir.join("rebuild.json");
        let mut process = Process::start(self.command(args), &out, &mut self.usage);
        while !process.has_ended() {
            pause(TICK).await;
            self.tick();
        }
        let code = process.end(&mut self.usage).await;
        let said = std::fs::read_to_string(out).unwrap_or_default();
        let json = said.find('[').and_then(|at| serde_json::from_str::<Value>(said.get(at..)?.trim()).ok());
        let connections = json.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
        for connection in &connections {
            self.report.rebuilt.0 += connection["found"].as_u64().unwrap_or(0);
            self.report.rebuilt.1 += connection["held_as_doubtful"].as_u64().unwrap_or(0);
        }
        if !matches!(code, Some(0 | 1)) {
            self.report.wrong.push(format!("cartdock rebuild ended with {code:?}: {said}"));
        }
    }

    /// Is the outside world quiet, and is nothing on its way in the ledger?
    async fn is_done(&mut self) -> bool {
        if !self.shops.iter().all(Shop::is_at_rest) {
            return false;
        }
        let status = self.status().await;
        let is_rest = |connection: &Value| {
            let books = &connection["books"];
            let none = |counts: &Value| counts.as_object().is_none_or(serde_json::Map::is_empty);
            books["packages"]["due"] == 0 && none(&books["on_the_way"]) && none(&books["waiting"])
        };
        status.len() == self.shops.len()
            && status.iter().all(is_rest)
            && self.shops.iter().zip(&status).all(|(shop, status)| verdict::is_settled(shop, status))
            // What came while we looked is played to its end, too.
            && self.shops.iter().all(Shop::is_at_rest)
    }

    pub(super) async fn status(&self) -> Vec<Value> {
        let (_, out) = self.ask(&["status", "--json"]).await;
        serde_json::from_str(&out).unwrap_or_default()
    }

    /// Compares everything with everything, and looks for marks.
    async fn finish(&mut self, run: Option<Process>) {
        self.report.kills += usize::from(run.is_none());
        let records = self.records().await;
        let status = self.status().await;
        verdict::judge(self, &records, &status);
        for order in self.shops.iter().flat_map(|shop| shop.sold.keys().take(2).map(|id| (shop.class, *id))) {
            self.ask(&["explain", &format!("{}/{}", order.0.word(), order.1)]).await;
        }
        self.ask(&["outbox", "list"]).await;
        if let Some(run) = run {
            run.note(&mut self.usage);
            run.terminate().await;
            if run.end(&mut Usage::default()).await != Some(0) {
                self.report.wrong.push("cartdock run did not stop as it should".to_owned());
            }
        }
        verdict::search(self, &records);
        (self.report.cpu_ms, self.report.peak_kib) = (self.usage.cpu_ms, self.usage.peak_kib);
    }

    /// Everything that the ledger holds of the orders, read beside the running process.
    async fn records(&self) -> BTreeMap<String, Vec<Record>> {
        let endpoint = std::fs::read_to_string(self.options.dir.join("data/endpoint")).unwrap_or_default();
        let mut all = BTreeMap::new();
        if endpoint.is_empty() {
            return all;
        }
        let client = adapters::dynamodb::Client::new(&adapters::aws::local(endpoint.trim()).await);
        let names = adapters::dynamodb::Names::default();
        let ledger = adapters::dynamodb::DynamoLedger::new(client, &names.ledger, None);
        for shop in &self.shops {
            let records = verdict::records(&ledger, shop).await;
            all.insert(shop.class.word().to_owned(), records);
        }
        all
    }

    pub(super) fn data(&self) -> PathBuf {
        self.options.dir.clone()
    }
}

fn share(all: usize, parts: usize, n: usize) -> usize {
    all / parts + usize::from(n < all % parts)
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("it has an address").to_string()
}
