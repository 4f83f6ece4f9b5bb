//! What each command does: opens what it needs, lets `operations` do the work, and prints.

mod act;
mod alert;
mod confirm;
mod connection;
mod doctor;
mod endpoint;
mod erase;
mod issues;
mod map;
mod mapping;
mod plan;
mod progress;
mod rebuild;
mod reconcile;
mod shell;
mod zone;

use std::io::{IsTerminal, Read as _, Write as _};
use std::path::Path;

use adapters::log::{self, Verbosity};
use domain::ConnectionId;
use domain::connection::Connection;
use operations::act::Action;
use operations::bundle::Bundling;
use operations::cost::Usage;
use operations::explain::Explain;
use operations::text::Style;
use operations::{check, outbox, status};
use serde::Serialize;

use crate::cli::{Alert, Cli, Command, Cost, Outbox};
use crate::config::missing_secrets;
use crate::host::{Host, Place, vault};
use crate::stack::Deployment;
use crate::{demo, init, known, run};
use endpoint::Webhooks;

/// How a command ended.
pub(crate) enum Outcome {
    /// Everything is as it should be.
    Fine,
    /// Done, and something needs a person's attention.
    NeedsAttention,
}

impl Outcome {
    fn of(needs_attention: bool) -> Self {
        if needs_attention { Self::NeedsAttention } else { Self::Fine }
    }
}

/// Why a command could not be done: what is wrong, and the cure.
pub(crate) struct Problem(String);

impl Problem {
    /// The same once more.
    fn same(problem: &Self) -> Self {
        Self(problem.0.clone())
    }
}

impl<E: std::fmt::Display> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Does what was typed.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn execute(cli: &Cli) -> Result<Outcome, Problem> {
    refuse_options(cli)?;
    match &cli.command {
        Command::Demo(args) => {
            log::init(false, quiet());
            let closed = demo::demo(args.keep, style(), &mut std::io::stdout()).await?;
            Ok(Outcome::of(!closed))
        }
        Command::Init(args) => {
            init::write(&args.path)?;
            print(&init::next_steps(&args.path))
        }
        Command::Run => {
            log::init(!std::io::stderr().is_terminal(), Verbosity::default());
            let config = known::read(&cli.config)?;
            missing_secrets(&cli.config, &config, &vault(&[])).await?;
            run::run(&cli.config, &config).await?;
            Ok(Outcome::Fine)
        }
        Command::Cost(args) => cost(cli, args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
        Command::Connection(command) => {
            log::init(false, quiet());
            connection::execute(cli, command).await
        }
        Command::Rebuild(args) if cli.stack.is_none() => {
            log::init(false, quiet());
            let config = known::read(&cli.config)?;
            missing_secrets(&cli.config, &config, &vault(&[])).await?;
            rebuild::rebuild(cli, &config, args).await
        }
        command => {
            log::init(false, quiet());
            Desk::open(cli).await?.execute(command).await
        }
    }
}

/// Options that the command cannot follow are refused, so that nobody believes that they were.
fn refuse_options(cli: &Cli) -> Result<(), Problem> {
    let named = match &cli.command {
        Command::Demo(_) => "demo",
        Command::Init(_) => "init",
        Command::Run => "run",
        Command::Cost(_) => "cost",
        Command::Completions(_) => "completions",
        Command::Man(_) => "man",
        _ if cli.stack.is_none() && (cli.profile.is_some() || cli.region.is_some()) => {
            return Err(Problem("--profile and --region are for a deployment; add --stack NAME".to_owned()));
        }
        _ => return Ok(()),
    };
    if cli.stack.is_some() || cli.profile.is_some() || cli.region.is_some() {
        return Err(Problem(format!(
            "cartdock {named} does not look at a deployment; leave --stack, --profile and --region out"
        )));
    }
    Ok(())
}

/// The deployment that is named, if one is.
async fn deployment(cli: &Cli) -> Result<Option<Deployment>, Problem> {
    let Some(stack) = &cli.stack else { return Ok(None) };
    Ok(Some(Deployment::find(stack, cli.profile.as_deref(), cli.region.as_deref()).await?))
}

/// A command that looks at a ledger: that of a settings file, or that of a deployment.
struct Desk<'a> {
    cli: &'a Cli,
    /// The connections that it may be for.
    connections: Vec<Connection>,
    /// Where they are from, for complaints.
    source: String,
    webhooks: Webhooks,
    host: Host,
}

impl<'a> Desk<'a> {
    async fn open(cli: &'a Cli) -> Result<Self, Problem> {
        let desk = match deployment(cli).await? {
            Some(deployment) => Self::at(cli, &deployment).await?,
            None => Self::here(cli).await?,
        };
        if !cli.json
            && let Some(zone) = cli.zone.clone().or_else(|| zone::of_shops(&desk.connections))
        {
            operations::text::read_in(zone);
        }
        Ok(desk)
    }

    /// On the deployment, with the connections that its ledger has.
    async fn at(cli: &'a Cli, deployment: &Deployment) -> Result<Self, Problem> {
        let host = Host::open(deployment.options()).await?;
        let connections = host.connections.all().await?;
        let source = format!("the ledger of stack {}", deployment.stack);
        Ok(Self { cli, connections, source, webhooks: Webhooks::of(deployment), host })
    }

    /// On this machine, with the connections of the settings file.
    async fn here(cli: &'a Cli) -> Result<Self, Problem> {
        let config = known::read(&cli.config)?;
        if matches!(cli.command, Command::Check(_) | Command::Doctor(_)) {
            missing_secrets(&cli.config, &config, &vault(&[])).await?;
        }
        let place = Place::Shared(config.data_dir.clone());
        let host = Host::open(run::options(&config, place)).await?;
        let webhooks = Webhooks::of_settings(&config);
        Ok(Self { cli, connections: config.connections, source: "the settings".to_owned(), webhooks, host })
    }

    async fn execute(&self, command: &Command) -> Result<Outcome, Problem> {
        match command {
            Command::Check(args) => self.check(args.connection.as_ref()).await,
            Command::Doctor(args) => self.doctor(args.connection.as_ref()).await,
            Command::Status(args) => self.status(args.connection.as_ref()).await,
            Command::Explain(args) => self.explain(args).await,
            Command::Release(args) => self.act(Action::Release, args).await,
            Command::Hold(args) => self.act(Action::Hold, args).await,
            Command::Exclude(args) => self.act(Action::Exclude, args).await,
            Command::Cancel(args) => self.act(Action::Cancel, args).await,
            Command::Resolve(args) => self.resolve(args).await,
            Command::Replay(args) => self.replay(args).await,
            Command::Map(map) => self.map(map).await,
            Command::Reconcile(args) => self.reconcile(args).await,
            Command::Issues(args) => self.issues(args).await,
            Command::Plan(args) => self.plan(args).await,
            Command::Alert(Alert::Test) => self.alert_test().await,
            Command::Outbox(Outbox::List(args)) => self.outbox_list(args.connection.as_ref()).await,
            Command::Outbox(Outbox::Export(args)) => {
                let rows =
                    outbox::list(self.host.ledger.as_ref(), &self.chosen(args.connection.as_ref())?).await?;
                put(&outbox::csv(&rows), args.out.as_deref())
            }
            Command::Rebuild(args) => self.rebuild(args).await,
            Command::Erase(args) => self.erase(args).await,
            Command::Demo(_)
            | Command::Init(_)
            | Command::Run
            | Command::Cost(_)
            | Command::Completions(_)
            | Command::Man(_)
            | Command::Connection(_) => Ok(Outcome::Fine),
        }
    }

    /// The connections that a command is for: the one that is named, or all that there are.
    fn chosen(&self, id: Option<&ConnectionId>) -> Result<Vec<Connection>, Problem> {
        chosen(&self.connections, &self.source, id)
    }

    /// The one connection that a command is for: it may be left out where there is only one.
    fn one(&self, id: Option<&ConnectionId>) -> Result<Connection, Problem> {
        let mut chosen = self.chosen(id)?;
        if chosen.len() > 1 {
            return Err(Problem("there are several connections; say which with --connection".to_owned()));
        }
        chosen.pop().ok_or_else(|| Problem(format!("{}; add one", no_connection(&self.source))))
    }

    async fn check(&self, id: Option<&ConnectionId>) -> Result<Outcome, Problem> {
        let (mut reports, mut texts) = (Vec::new(), Vec::new());
        for connection in self.chosen(id)? {
            let (partners, mappings) = (self.host.partners.as_ref(), self.host.mappings.as_ref());
            let mut report = check::check(partners, mappings, &connection).await;
            report.extend(check::shares_its_store(&connection, &self.connections));
            let addresses = self.webhooks.addresses(&connection);
            texts.push(format!("{}\n{}", report.text(style()), self.webhooks.text(&addresses)));
            report.findings.extend(addresses);
            reports.push(report);
        }
        let attention = reports.iter().any(check::CheckReport::needs_attention);
        self.show(&reports, || texts.join("\n"))?;
        Ok(Outcome::of(attention))
    }

    async fn status(&self, id: Option<&ConnectionId>) -> Result<Outcome, Problem> {
        let now = self.host.clock.now();
        let mut states = Vec::new();
        for connection in self.chosen(id)? {
            let (ledger, notes) = (self.host.ledger.as_ref(), self.host.notes.as_ref());
            states.push(status::status(ledger, notes, &connection, now).await?);
        }
        let attention = states.iter().any(status::Status::needs_attention);
        self.show(&states, || {
            states.iter().map(|state| state.text(now, style())).collect::<Vec<_>>().join("\n")
        })?;
        Ok(Outcome::of(attention))
    }

    async fn explain(&self, args: &crate::cli::Explain) -> Result<Outcome, Problem> {
        let (order, bundle) = (args.order.as_str(), args.bundle.as_deref());
        let explain = Explain {
            connections: self.host.connections.as_ref(),
            ledger: self.host.ledger.as_ref(),
            partners: Some(self.host.partners.as_ref()),
            mappings: Some(self.host.mappings.as_ref()).filter(|_| args.request || bundle.is_some()),
            now: self.host.clock.now(),
        };
        if let Some(file) = bundle {
            return self.bundle(explain, order, file).await;
        }
        let explanation = explain.explain(order).await?;
        self.show(&explanation, || explanation.text(explain.now, style()))?;
        Ok(Outcome::of(explanation.stage == "held"))
    }

    async fn bundle(&self, explain: Explain<'_>, order: &str, file: &Path) -> Result<Outcome, Problem> {
        let bundling = Bundling {
            explain,
            connections: self.host.connections.as_ref(),
            ledger: self.host.ledger.as_ref(),
            mappings: self.host.mappings.as_ref(),
            version: env!("CARGO_PKG_VERSION"),
        };
        let bundle = bundling.bundle(order).await?;
        let text = format!("{}\n", serde_json::to_string_pretty(&bundle)?);
        put(&text, Some(file).filter(|file| *file != Path::new("-")))?;
        Ok(Outcome::of(bundle.order.stage == "held"))
    }

    async fn outbox_list(&self, id: Option<&ConnectionId>) -> Result<Outcome, Problem> {
        let rows = outbox::list(self.host.ledger.as_ref(), &self.chosen(id)?).await?;
        self.show(&rows, || outbox::text(&rows, style()))?;
        Ok(Outcome::of(!rows.is_empty()))
    }

    fn show<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) -> Result<Outcome, Problem> {
        show(self.cli, value, text)
    }
}

/// Prints a value as JSON, or as text for people.
fn show<T: Serialize>(cli: &Cli, value: &T, text: impl FnOnce() -> String) -> Result<Outcome, Problem> {
    if cli.json { print(&format!("{}\n", serde_json::to_string_pretty(value)?)) } else { print(&text()) }
}

/// What a month costs.
fn cost(cli: &Cli, args: &Cost) -> Result<Outcome, Problem> {
    let Cost { orders, connections, interval, store_rate } = *args;
    let usage = Usage { orders, connections, interval, store_rate };
    let bill = usage.bill();
    show(cli, &bill, || bill.text(style()))
}

/// The connection that is named, or all that there are.
fn chosen(all: &[Connection], source: &str, id: Option<&ConnectionId>) -> Result<Vec<Connection>, Problem> {
    let Some(id) = id else { return Ok(all.to_vec()) };
    let found: Vec<Connection> = all.iter().filter(|connection| connection.id == *id).cloned().collect();
    if found.is_empty() {
        let names: Vec<&str> = all.iter().map(|connection| connection.id.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(Problem(format!("there is no connection {id}; in {source}: {names}")));
    }
    Ok(found)
}

fn no_connection(source: &str) -> String {
    format!("there is no connection in {source}")
}

/// Writes a text to a file or to standard output.
fn put(text: &str, file: Option<&Path>) -> Result<Outcome, Problem> {
    match file {
        None => print(text),
        Some(path) => {
            let refused =
                |e: std::io::Error| Problem(format!("{} cannot be written: {}", path.display(), e.kind()));
            std::fs::write(path, text).map_err(refused)?;
            Ok(Outcome::Fine)
        }
    }
}

/// Prints; a reader that has gone away (a pager that was left) is no problem.
fn print(text: &str) -> Result<Outcome, Problem> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Outcome::Fine),
    }
}

/// Says on standard error why a command could not be done.
pub(crate) fn complain(Problem(problem): &Problem) {
    let _nobody_reads_it = writeln!(std::io::stderr(), "{}", problem.trim_end());
}

fn input(file: &Path) -> Result<Vec<u8>, Problem> {
    let unreadable = |e: std::io::Error| Problem(format!("{} cannot be read: {}", file.display(), e.kind()));
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(unreadable)?;
        return Ok(bytes);
    }
    std::fs::read(file).map_err(unreadable)
}

/// Colours only on a terminal, and not where `NO_COLOR` is set.
#[expect(clippy::disallowed_methods, reason = "NO_COLOR is no setting of ours but a custom of terminals")]
fn style() -> Style {
    let colours =
        std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    Style { colours, ..Style::PLAIN }
}

/// Commands that print an answer are not interrupted by anything but errors.
fn quiet() -> Verbosity {
    "error".parse().unwrap_or_default()
}
