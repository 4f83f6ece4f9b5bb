//! `cartdock connection apply`: puts the connections of the settings into the ledger of a deployment.

use std::io::Write as _;
use std::path::Path;

use domain::ConnectionId;
use domain::connection::Connection;
use operations::connections::{Difference, difference, enter, left_alone};

use crate::cli::{Apply, Cli};
use crate::commands::{Outcome, Problem, chosen, confirm, deployment, print, style};
use crate::config::{Config, Mistake, Mistakes, NamedSecret};
use crate::host::Host;
use crate::known;
use crate::stack::Deployment;

/// Shows what would change, asks, and writes.
///
/// # Errors
/// When the settings cannot be used on AWS, the deployment cannot be reached, or the person says no.
pub(in crate::commands) async fn apply(cli: &Cli, args: &Apply) -> Result<Outcome, Problem> {
    let config = known::read(&cli.config)?;
    let Some(deployment) = deployment(cli).await? else {
        return Err(Problem(
            "connections are applied to a deployment; add --stack NAME (on one machine cartdock run reads the settings itself)"
                .to_owned(),
        ));
    };
    let wanted = chosen(&config.connections, "the settings", args.connection.as_ref())?;
    refuse_secrets(&cli.config, &config, args.connection.as_ref(), &deployment)?;
    let host = Host::open(deployment.options()).await?;
    for connection in &wanted {
        host.partners.store(connection).await?;
        host.partners.warehouse(connection).await?;
    }
    let known = host.connections.all().await?;
    let (differences, work) = compare(&wanted, &known, args.connection.is_some())?;
    tell(cli, &differences)?;
    if args.dry_run || work.is_empty() {
        return Ok(Outcome::of(!work.is_empty()));
    }
    if !args.yes {
        let question = format!("Write this into the ledger of {}? Type yes", deployment.stack);
        confirm::typed(&question, "yes", "--yes")?;
    }
    for connection in work {
        // What the functions have learned of its past since we looked counts; what a person has set since is not lost.
        let shown = known.iter().find(|known| known.id == connection.id);
        enter(host.connections.as_ref(), connection, None, shown).await?;
    }
    let _nobody_reads_it = writeln!(std::io::stderr(), "written: the functions see it within half a minute");
    Ok(Outcome::Fine)
}

/// What changes, and the connections that have to be written for it.
fn compare<'a>(
    wanted: &'a [Connection],
    known: &[Connection],
    only_one: bool,
) -> Result<(Vec<Difference>, Vec<&'a Connection>), Problem> {
    let (mut differences, mut work) = (Vec::new(), Vec::new());
    for connection in wanted {
        let told = difference(connection, known.iter().find(|known| known.id == connection.id))?;
        if told.is_work() {
            work.push(connection);
        }
        differences.push(told);
    }
    let is_wanted = |known: &&Connection| !wanted.iter().any(|connection| connection.id == known.id);
    if !only_one {
        differences.extend(known.iter().filter(is_wanted).map(left_alone));
    }
    Ok((differences, work))
}

fn tell(cli: &Cli, differences: &[Difference]) -> Result<Outcome, Problem> {
    if cli.json {
        return print(&format!("{}\n", serde_json::to_string_pretty(differences)?));
    }
    let texts: Vec<String> = differences.iter().map(|difference| difference.text(style())).collect();
    print(&texts.join("\n"))
}

/// The functions have neither this machine's environment nor its files.
fn refuse_secrets(
    file: &Path,
    config: &Config,
    only: Option<&ConnectionId>,
    deployment: &Deployment,
) -> Result<(), Mistakes> {
    let is_meant = |secret: &&NamedSecret| {
        only.is_none_or(|id| secret.setting.starts_with(&format!("connection {id}.")))
    };
    let mistakes: Vec<Mistake> = config
        .secrets
        .iter()
        .filter(is_meant)
        .filter_map(|secret| {
            let (problem, cure) = wrong_on_aws(&secret.reference, deployment)?;
            let problem = format!("{}: {problem}", secret.setting);
            Some(Mistake { file: file.display().to_string(), place: Some(secret.place), problem, cure })
        })
        .collect();
    if mistakes.is_empty() { Ok(()) } else { Err(Mistakes(mistakes)) }
}

/// Why a deployment cannot have a secret, and the cure.
fn wrong_on_aws(reference: &str, deployment: &Deployment) -> Option<(String, String)> {
    let prefix = deployment.secret_prefix.as_deref().unwrap_or_default();
    match reference.strip_prefix("secret:") {
        None => {
            let create =
                format!("aws secretsmanager create-secret --name {prefix}NAME --secret-string file://FILE");
            let cure = format!("put it into Secrets Manager ({create}) and write @secret:{prefix}NAME");
            Some((format!("@{reference} is on this machine, where the functions cannot read it"), cure))
        }
        Some(name) if !name.starts_with(prefix) => {
            let problem = format!("the functions of stack {} may not read {name}", deployment.stack);
            Some((problem, format!("name it so that it begins with {prefix}")))
        }
        Some(_) => None,
    }
}
