//! `cartdock connection add`: asks for what is needed, tries it without saving anything, and writes it down disabled.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapters::clock::SystemClock;
use adapters::partners::Adapters;
use adapters::secret::Secret;
use adapters::wms;
use domain::connection::{Connection, SettingMap};
use domain::mapping::{Change, Mapping};
use operations::check::{CheckReport, check};
use operations::connections::added::{Added, copied};
use operations::connections::entered;

use super::draft::one_alone;
use super::edit::{Step, refuse_open_secret, steps, walk};
use super::keep::Keeper;
use super::{ask, deployment, show, style};
use crate::cli::{Add, Cli};
use crate::commands::{Outcome, Problem};
use crate::config::is_secret;
use crate::host::{Host, Options, Place, adapters};
use crate::run;
use crate::settings::file::SettingsFile;
use crate::settings::{edit, render};

/// Where a new connection goes.
struct Target {
    /// None on a deployment.
    file: Option<SettingsFile>,
    options: Options,
    keeper: Result<Keeper, Problem>,
    /// Those that are there already.
    known: Vec<Connection>,
}

/// The secrets that were typed: by setting (`store.api_key`), with the place where each is to be kept.
type Typed = BTreeMap<String, (String, Secret)>;

/// See the module.
///
/// # Errors
/// When something is missing or wrong, or the credentials do not work. Nothing was saved then.
pub(super) async fn add(cli: &Cli, args: &Add) -> Result<Outcome, Problem> {
    let mut target = Target::open(cli).await?;
    target.refuse_known(args)?;
    let (bare, mut policies) = target.bare(args)?;
    let (filled, typed) = target.fill(bare)?;
    if !policies.iter().any(|(key, _)| key == "policies.start") {
        policies.push(("policies.start".to_owned(), Some(start(args.like.is_some())?)));
    }
    let wanted = target.written(&filled, &policies)?;
    let host = target.host(args, &typed).await?;
    let tried = with_typed(&wanted, &typed);
    let report = check(host.partners.as_ref(), host.mappings.as_ref(), &tried).await;
    if args.dry_run {
        show(cli, &report, || report.text(style()))?;
        return Ok(Outcome::of(works_not(&report)));
    }
    refuse_broken(args, &report)?;
    target.save(&host, &wanted, &typed).await?;
    let mapping = match args.like.as_ref().filter(|_| args.with_mapping) {
        None => None,
        Some(like) => copy_mapping(&host, like, &wanted).await?,
    };
    let places = typed.into_iter().map(|(key, (place, _))| (key, format!("@{place}"))).collect();
    let added = Added::new(&wanted, report, places, mapping, cli.stack.as_deref());
    show(cli, &added, || added.text(style()))
}

impl Target {
    async fn open(cli: &Cli) -> Result<Self, Problem> {
        if let Some(deployment) = deployment(cli).await? {
            let options = deployment.options();
            let known = Host::open(options.clone()).await?.connections.all().await?;
            return Ok(Self { file: None, options, keeper: Keeper::of(&deployment), known });
        }
        let file = SettingsFile::open(&cli.config)?;
        let options = run::options(&file.config, Place::Shared(file.config.data_dir.clone()));
        let (keeper, known) = (Keeper::beside(&cli.config), file.config.connections.clone());
        Ok(Self { file: Some(file), options, keeper, known })
    }

    fn refuse_known(&self, args: &Add) -> Result<(), Problem> {
        if self.known.iter().any(|known| known.id == args.connection) {
            return Err(Problem(format!(
                "nothing was changed: there is a connection {0}; cartdock connection edit {0} changes it",
                args.connection
            )));
        }
        Ok(())
    }

    /// The ledger that it goes into, with what was typed at hand and not kept yet.
    async fn host(&self, args: &Add, typed: &Typed) -> Result<Host, Problem> {
        let secrets =
            typed.iter().map(|(key, (_, value))| (key.clone(), value.expose().to_owned())).collect();
        let host = Host::open(Options { secrets, ..self.options.clone() }).await?;
        match host.connections.get(&args.connection).await? {
            None => Ok(host),
            Some(_) => Err(Problem(format!(
                "nothing was changed: the ledger still knows a connection {0}; remove what is kept of it first: cartdock \
                 connection remove {0}",
                args.connection
            ))),
        }
    }

    /// Secrets first: what names them must find them.
    async fn save(&self, host: &Host, wanted: &Connection, typed: &Typed) -> Result<(), Problem> {
        for (place, value) in typed.values() {
            self.keeper.as_ref().map_err(Problem::same)?.keep(place, value).await?;
        }
        if let Some(file) = &self.file {
            file.save()?;
        }
        Ok(host.connections.put(&entered(wanted, None)).await?)
    }

    /// The connection as far as it is given, and what is to be set of its policies and its schedule.
    fn bare(&self, args: &Add) -> Result<(Connection, Vec<Step>), Problem> {
        let like = match &args.like {
            None => None,
            Some(id) => Some(self.known.iter().find(|known| known.id == *id).ok_or_else(|| {
                Problem(format!("there is no connection {id} to copy; cartdock connection show names them"))
            })?),
        };
        let mut connection = copied(&args.connection, like);
        let mut rest = Vec::new();
        for (key, value) in &args.set {
            refuse_open_secret(key, value)?;
            match key.split_once('.') {
                Some(("store", name)) => drop(connection.store.insert(name.to_owned(), value.clone())),
                Some(("warehouse", name)) => {
                    drop(connection.warehouse.insert(name.to_owned(), value.clone()))
                }
                _ if key == "name" => connection.name.clone_from(value),
                _ => rest.push((key.clone(), value.clone())),
            }
        }
        Ok((connection, steps(&rest, &[])?))
    }

    /// Asks for what the adapters miss, until they miss nothing.
    fn fill(&self, mut connection: Connection) -> Result<(Connection, Typed), Problem> {
        let adapters = adapters(&self.options, Arc::new(SystemClock))?;
        let mut typed = Typed::new();
        while let Some((side, lack)) = Adapters::lack(&adapters, &connection) {
            let key = format!("{side}.{}", lack.key);
            if !lack.is_missing() {
                if !ask::is_person() || typed.contains_key(&key) {
                    return Err(Problem(format!("nothing was changed: {lack}")));
                }
                ask::tell("that cannot be:");
            }
            let value = if is_secret(&lack.key) {
                let keeper = self.keeper.as_ref().map_err(Problem::same)?;
                let place = keeper.reference(&connection.id, &key);
                typed.insert(key.clone(), (place.clone(), ask::secret(&key)?));
                format!("@{place}")
            } else {
                asked(&key, &lack.problem)?
            };
            side_of(&mut connection, side).insert(lack.key, value);
        }
        Ok((connection, typed))
    }

    /// The connection as the settings will say it, read by the same rules; on this machine with the whole file.
    fn written(&mut self, filled: &Connection, policies: &[Step]) -> Result<Connection, Problem> {
        let stuck = || Problem("nothing was changed: a setting cannot be put beside the others".to_owned());
        let block = walk(&render::connection(filled), filled, policies).map_err(|edit::Stuck| stuck())?;
        let wanted = match &mut self.file {
            Some(file) => {
                file.change(&filled.id, |text| Ok(edit::add(text, &block)))?;
                file.connection(&filled.id).cloned()
            }
            None => one_alone(&block)?,
        };
        wanted.ok_or_else(stuck)
    }
}

fn side_of<'a>(connection: &'a mut Connection, side: &str) -> &'a mut SettingMap {
    if side == "store" { &mut connection.store } else { &mut connection.warehouse }
}

/// Asks for a setting. What its adapter says when it is missing says what it is for.
fn asked(key: &str, problem: &str) -> Result<String, Problem> {
    let kinds: Vec<&str> = wms::ALL.iter().map(|entry| entry.name).collect();
    let hint = match key {
        "store.merchant_id" => "Merchant ID of the store (My Account > Status Summary)".to_owned(),
        "warehouse.kind" => format!("kind of the warehouse ({})", kinds.join(", ")),
        _ => problem.trim_start_matches("is missing").trim_start_matches([':', ';', ',', ' ']).to_owned(),
    };
    let question = if hint == "add it" { key.to_owned() } else { format!("{hint}\n{key}") };
    loop {
        let answer = ask::line(&question, &format!("--set {key}=VALUE"))?;
        if !answer.is_empty() {
            return Ok(answer);
        }
        if !ask::is_person() {
            return Err(Problem(format!("nothing was changed: {key} is empty; give --set {key}=VALUE")));
        }
    }
}

/// The date of the first order that may be sent: today for a copy, and where nothing else is said.
fn start(is_copy: bool) -> Result<String, Problem> {
    let now = domain::ports::Clock::now(&SystemClock).to_string();
    let today = now.get(..10).unwrap_or(&now);
    let answer = if is_copy {
        String::new()
    } else {
        let question = format!("date of the first order that may be sent, UTC (empty: today, {today})");
        ask::line(&format!("{question}\npolicies.start"), "--set policies.start=DATE")?
    };
    Ok(render::text(if answer.is_empty() { today } else { &answer }))
}

/// The connection with what was typed, before that is kept anywhere.
fn with_typed(wanted: &Connection, typed: &Typed) -> Connection {
    let mut tried = wanted.clone();
    for key in typed.keys() {
        if let Some((side, name)) = key.split_once('.') {
            side_of(&mut tried, side).insert(name.to_owned(), format!("@given:{key}"));
        }
    }
    tried
}

/// Does the store or the warehouse not work? A mapping comes later.
fn works_not(report: &CheckReport) -> bool {
    report.findings.iter().any(|found| found.ok == Some(false) && matches!(found.side, "store" | "warehouse"))
}

fn refuse_broken(args: &Add, report: &CheckReport) -> Result<(), Problem> {
    if args.unchecked || !works_not(report) {
        return Ok(());
    }
    ask::tell(&report.text(style()));
    Err(Problem(
        "nothing was saved: see NOT OK above; correct it, or save it all the same with --unchecked"
            .to_owned(),
    ))
}

/// Copies listings and rules. Gives their number back.
async fn copy_mapping(
    host: &Host,
    like: &domain::ConnectionId,
    wanted: &Connection,
) -> Result<Option<u64>, Problem> {
    let mapping = host.mappings.current(like).await?;
    let current = host.mappings.current(&wanted.id).await?;
    let copy = Mapping { version: current.version + 1, ..mapping.as_ref().clone() };
    let note = format!("copied from {like}, version {}", mapping.version);
    let change = Change { by: "connection add".to_owned(), at: host.clock.now(), note };
    if !host.mappings.replace(&wanted.id, &copy, &change).await? {
        return Err(Problem(format!(
            "connection {} is added, but its mapping was changed by somebody else just now and not copied",
            wanted.id
        )));
    }
    Ok(Some((copy.listings.len() + copy.rules.len()) as u64))
}
