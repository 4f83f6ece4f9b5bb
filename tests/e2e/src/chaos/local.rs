//! `cartdock run` as a process with its data directory: killed and frozen at random moments, and once its whole ledger is
//! deleted and rebuilt while orders keep coming.

use std::path::PathBuf;
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::dynamodb::Client;
use domain::connection::History;
use domain::ports::Clock;
use serde_json::Value;
use simulator::shop as stock;
use tokio::process::Command;

use super::process::{Process, Usage};
use super::settings;
use super::world::{Host, Trouble, World};

/// The one process of a run.
pub(super) struct Local {
    binary: PathBuf,
    by_command: bool,
    run: Option<Process>,
}

impl Local {
    pub(super) fn new(binary: PathBuf, by_command: bool) -> Self {
        Self { binary, by_command, run: None }
    }

    fn write_settings(world: &World) {
        let connections: Vec<_> =
            world.shops.iter().map(|shop| shop.connection(world.start, History::Unknown)).collect();
        write(world, "cartdock.toml", &settings::file(&world.listen, &world.hosts(), &connections));
        let listings = stock::listings().into_iter().flat_map(|(sku, parts)| {
            let rows = parts.into_iter().map(move |(part, pieces)| format!("{sku},{part},{pieces}\n"));
            rows.collect::<Vec<_>>()
        });
        write(
            world,
            "listings.csv",
            &format!("sku,warehouse_sku,quantity\n{}", listings.collect::<String>()),
        );
        let rules = stock::rules().into_iter().map(|(method, service)| format!("is,{method},,,,{service}\n"));
        let header = "match,method,countries,min_total,below_total,service\n";
        write(world, "rules.csv", &format!("{header}{}", rules.collect::<String>()));
    }

    /// The binary, with the secrets in its environment and nowhere else.
    fn command(&self, world: &World, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&world.options.dir).args(args).kill_on_drop(true);
        command.envs(world.secrets());
        command
    }

    fn start_running(&mut self, world: &mut World) {
        let (command, log) = (self.command(world, &["run"]), world.options.dir.join("run.log"));
        self.run = Some(Process::start(command, &log, &mut world.usage));
    }

    /// Runs a command to its end and keeps what it said: exit code and standard output.
    async fn ask(&self, world: &World, args: &[&str]) -> (Option<i32>, String) {
        let output = self.command(world, args).stdin(std::process::Stdio::null()).output().await;
        let output = output.expect("the binary starts");
        let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        let log = world.options.dir.join("commands.log");
        let mut all = std::fs::read(&log).unwrap_or_default();
        if all.len() < 4 << 20 {
            all.extend(said);
            std::fs::write(log, all).expect("a log");
        }
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn map(&self, world: &mut World) {
        for id in world.shops.iter().map(|shop| shop.id.clone()).collect::<Vec<_>>() {
            for file in ["listings.csv", "rules.csv"] {
                let (code, _) = self.ask(world, &["map", "import", file, "--connection", &id]).await;
                if code != Some(0) {
                    world.report.wrong.push(format!("map import {file} ended with {code:?}"));
                }
            }
        }
    }

    /// Deletes the whole ledger and rebuilds it with one command, which is killed twice on its way.
    async fn lose_ledger(&mut self, world: &mut World) {
        let lost_at = SystemClock.now().to_string();
        std::fs::remove_dir_all(world.options.dir.join("data")).expect("the ledger can be deleted");
        self.map(world).await;
        if !self.by_command {
            return;
        }
        let args = ["rebuild", "--lost-at", lost_at.as_str(), "--json"];
        for _ in 0..2 {
            let log = world.options.dir.join("rebuild.log");
            let rebuild = Process::start(self.command(world, &args), &log, &mut world.usage);
            let time = Duration::from_millis(300 + world.dice.below(2500));
            world.go_on_for(time).await;
            rebuild.kill(&mut world.usage).await;
        }
        self.rebuild(world, &args).await;
    }

    async fn rebuild(&self, world: &mut World, args: &[&str]) {
        let out = world.options.dir.join("rebuild.json");
        let mut process = Process::start(self.command(world, args), &out, &mut world.usage);
        while !process.has_ended() {
            world.go_on().await;
        }
        let code = process.end(&mut world.usage).await;
        let said = std::fs::read_to_string(out).unwrap_or_default();
        let json = said.find('[').and_then(|at| serde_json::from_str::<Value>(said.get(at..)?.trim()).ok());
        let connections = json.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
        for connection in &connections {
            world.report.rebuilt.0 += connection["found"].as_u64().unwrap_or(0);
            world.report.rebuilt.1 += connection["held_as_doubtful"].as_u64().unwrap_or(0);
        }
        if !matches!(code, Some(0 | 1)) {
            world.report.wrong.push(format!("cartdock rebuild ended with {code:?}: {said}"));
        }
    }
}

impl Host for Local {
    async fn start(&mut self, world: &mut World) {
        Self::write_settings(world);
        self.map(world).await;
        let (code, said) = self.ask(world, &["rebuild", "--new"]).await;
        if code != Some(0) {
            world.report.wrong.push(format!("cartdock rebuild --new ended with {code:?}: {said}"));
        }
        self.start_running(world);
    }

    async fn trouble(&mut self, trouble: Trouble, world: &mut World) {
        let Some(run) = self.run.take() else { return };
        match trouble {
            Trouble::Freeze(time) => {
                world.report.freezes += 1;
                run.freeze(time).await;
                self.run = Some(run);
            }
            Trouble::Kill => {
                world.report.kills += 1;
                run.kill(&mut world.usage).await;
                self.start_running(world);
            }
            Trouble::LoseLedger => {
                world.report.losses += 1;
                run.kill(&mut world.usage).await;
                self.lose_ledger(world).await;
                self.start_running(world);
            }
        }
    }

    fn has_ended(&mut self) -> Option<String> {
        let has_ended = self.run.as_mut().is_none_or(Process::has_ended);
        if has_ended {
            self.run = None;
        }
        has_ended.then(|| "cartdock run ended by itself".to_owned())
    }

    async fn status(&mut self, world: &World) -> Vec<Value> {
        let (_, out) = self.ask(world, &["status", "--json"]).await;
        serde_json::from_str(&out).unwrap_or_default()
    }

    /// Read beside the running process.
    async fn tables(&self, world: &World) -> Option<Client> {
        let endpoint = std::fs::read_to_string(world.options.dir.join("data/endpoint")).ok()?;
        Some(Client::new(&adapters::aws::local(endpoint.trim())))
    }

    async fn stop(self, world: &mut World) {
        for shop in &world.shops {
            for id in shop.sold.keys().take(2) {
                self.ask(world, &["explain", &format!("{}/{id}", shop.id)]).await;
            }
        }
        self.ask(world, &["outbox", "list"]).await;
        let Some(run) = self.run else { return };
        run.note(&mut world.usage);
        run.terminate().await;
        if run.end(&mut Usage::default()).await != Some(0) {
            world.report.wrong.push("cartdock run did not stop as it should".to_owned());
        }
    }
}

fn write(world: &World, name: &str, text: &str) {
    std::fs::write(world.options.dir.join(name), text).expect("a file");
}

/// An address that nobody uses at the moment.
pub(super) fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("it has an address").to_string()
}
