//! `cartdock rebuild`: fills a new ledger from the store and the warehouse after the old one was lost. Sends nothing.

use std::io::Write as _;
use std::time::Duration;

use domain::Failure;
use domain::connection::{Connection, History};
use domain::life::later;
use jiff::Timestamp;
use operations::rebuild::{self, Rebuilt};

use super::{Desk, Outcome, Problem, print, style};
use crate::cli::{Cli, Rebuild};
use crate::config::Config;
use crate::host::Host;
use crate::run;

/// Failures in a row after which the other side is down, and it is better to come back later.
const PATIENCE: u32 = 8;

/// How long one look at the store may take before progress is told.
const TURN: Duration = Duration::from_secs(15);

const COMPLETE: &str = "its ledger is complete, nothing is read again (a restored backup does not know what was sent \
    since: remove data_dir instead of restoring one)";

/// Rebuilds the chosen connections, one after the other.
///
/// # Errors
/// When a side cannot be reached. What was done stays done.
pub(super) async fn rebuild(cli: &Cli, config: &Config, args: &Rebuild) -> Result<Outcome, Problem> {
    let chosen = super::chosen(&config.connections, "the settings", args.connection.as_ref())?;
    let host = run::open_alone(config).await?;
    let mut reports = Vec::new();
    for connection in chosen {
        let rebuilding = Rebuilding { host: &host, connection };
        reports.push(rebuilding.run(args).await?);
    }
    let attention = reports.iter().any(Rebuilt::needs_attention);
    if cli.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&reports)?))?;
    } else {
        let now = host.clock.now();
        let texts: Vec<String> =
            reports.iter().map(|report| report.text("the next cartdock run", now, style())).collect();
        print(&texts.join("\n"))?;
    }
    Ok(Outcome::of(attention))
}

fn refuse_future(args: &Rebuild, now: Timestamp) -> Result<(), Problem> {
    if args.lost_at.is_some_and(|at| at > now) {
        return Err(Problem(
            "--lost-at lies in the future; give the time at which the ledger was lost".into(),
        ));
    }
    Ok(())
}

impl Desk<'_> {
    /// Says in the ledger of a deployment what it is to know of the time before it. The deployed functions do the rest.
    pub(super) async fn rebuild(&self, args: &Rebuild) -> Result<Outcome, Problem> {
        let now = self.host.clock.now();
        refuse_future(args, now)?;
        let mut reports = Vec::new();
        for connection in self.chosen(args.connection.as_ref())? {
            let history = rebuild::history(connection.history, args.lost_at, args.new);
            if history != connection.history {
                self.host.connections.put(&Connection { history, ..connection.clone() }).await?;
            }
            let connection = Connection { history, ..connection };
            if args.new {
                let (ledger, clock, dice) = (&self.host.ledger, &self.host.clock, &self.host.dice);
                rebuild::release(ledger.as_ref(), clock.as_ref(), dice.as_ref(), &connection).await?;
            }
            reports.push(rebuild::report(self.host.ledger.as_ref(), &connection).await?);
        }
        let attention = reports.iter().any(Rebuilt::needs_attention);
        let text = |report: &Rebuilt| report.text("the deployed functions", now, style());
        self.show(&reports, || reports.iter().map(text).collect::<Vec<_>>().join("\n"))?;
        Ok(Outcome::of(attention))
    }
}

/// One connection whose ledger was lost.
struct Rebuilding<'a> {
    host: &'a Host,
    connection: Connection,
}

impl Rebuilding<'_> {
    async fn run(mut self, args: &Rebuild) -> Result<Rebuilt, Problem> {
        let history = self.history(args).await?;
        self.enter(history).await?;
        if args.new {
            let (host, ledger) = (self.host, self.host.ledger.as_ref());
            let released =
                rebuild::release(ledger, host.clock.as_ref(), host.dice.as_ref(), &self.connection).await?;
            self.tell(&format!("nothing was sent before: {released} held orders are released"));
        } else {
            self.warn_of_missing_mapping().await?;
            if self.connection.is_complete() {
                self.tell(COMPLETE);
            } else {
                self.read_store().await?;
            }
            self.ask_warehouse().await?;
        }
        Ok(rebuild::report(self.host.ledger.as_ref(), &self.connection).await?)
    }

    /// What the ledger is to know of the time before it.
    async fn history(&self, args: &Rebuild) -> Result<History, Problem> {
        refuse_future(args, self.host.clock.now())?;
        let known = self.host.connections.get(&self.connection.id).await?;
        let known = known.map(|known| known.history).unwrap_or_default();
        Ok(rebuild::history(known, args.lost_at, args.new))
    }

    async fn enter(&mut self, history: History) -> Result<(), Failure> {
        self.connection.history = history;
        // A connection that is switched off is rebuilt all the same.
        self.host.connections.put(&self.connection).await?;
        self.host.end_lease(&self.connection).await
    }

    async fn warn_of_missing_mapping(&self) -> Result<(), Failure> {
        if self.host.mappings.current(&self.connection.id).await?.version == 0 {
            self.tell("there are no listings and rules: they were lost too; import them again (cartdock map import)");
        }
        Ok(())
    }

    /// Reads the store into the ledger, until everything that it lists is there.
    async fn read_store(&mut self) -> Result<(), Problem> {
        self.tell("reading the store from the start date on");
        let (poll, clock) = (self.host.poll_orders(), &self.host.clock);
        let (mut failures, mut imported) = (0, 0);
        loop {
            match poll.poll(&self.connection, later(clock.now(), TURN)).await {
                Ok(polled) => {
                    (failures, imported) = (0, imported + polled.imported);
                    self.tell(&format!("{imported} orders are in the ledger"));
                    if polled.caught_up {
                        break;
                    }
                }
                Err(failure) => {
                    failures += 1;
                    self.wait_after(failures, "the store", &failure).await?;
                }
            }
        }
        if let Some(current) = self.host.connections.get(&self.connection.id).await? {
            self.connection = current;
        }
        Ok(())
    }

    /// Asks the warehouse about every order that an earlier ledger may have sent.
    async fn ask_warehouse(&self) -> Result<(), Problem> {
        let keys = rebuild::to_ask(self.host.ledger.as_ref(), &self.connection).await?;
        let forward = self.host.forward_orders();
        self.tell(&format!("asking the warehouse about {} orders", keys.len()));
        let mut failures = 0;
        for (asked, key) in keys.iter().enumerate() {
            if asked > 0 && asked % 500 == 0 {
                self.tell(&format!("{asked} of {} are asked about", keys.len()));
            }
            // One that cannot be asked about now keeps its date, and the next run asks.
            match forward.find_out(key).await {
                Ok(()) => failures = 0,
                Err(failure) => {
                    failures += 1;
                    self.wait_after(failures, "the warehouse", &failure).await?;
                }
            }
        }
        Ok(())
    }

    /// Waits longer after each failure in a row, and gives up after some.
    async fn wait_after(&self, failures: u32, side: &str, failure: &Failure) -> Result<(), Problem> {
        if failures >= PATIENCE {
            return Err(Problem(format!(
                "{side} cannot be asked: {failure}\nNothing is lost and nothing was sent: run the command again, it \
                 continues where it was"
            )));
        }
        let wait = Duration::from_millis(200 << failures);
        self.tell(&format!("{failure}; again in {:.1} s", wait.as_secs_f32()));
        self.host.clock.sleep(wait).await;
        Ok(())
    }

    /// Progress goes to standard error, so that the report can be read by a program.
    fn tell(&self, what: &str) {
        let _nobody_reads_it = writeln!(std::io::stderr(), "{}: {what}", self.connection.id);
    }
}
