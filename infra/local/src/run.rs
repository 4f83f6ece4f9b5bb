//! `cartdock run`: the real thing on one machine, until Ctrl-C.

use std::path::Path;
use std::sync::Arc;

use domain::Failure;
use operations::connections;
use operations::text::count;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::config::alerts::Alerts;
use crate::host::{Host, Options, Place};
use crate::interrupt::interrupted;
use crate::known;

/// The options of a host that runs by a settings file.
pub(crate) fn options(config: &Config, place: Place) -> Options {
    Options {
        place,
        local_hosts: config.local_hosts.iter().cloned().collect(),
        pace: config.tempo.pace,
        sweep_every: config.tempo.sweep_every,
        reconcile_every: config.tempo.reconcile_every,
        alerts: Alerts {
            every: config.tempo.alerts_every.unwrap_or(config.alerts.every),
            ..config.alerts.clone()
        },
        beat: config.tempo.poll_every,
        secrets: Vec::new(),
    }
}

/// Opens the host of a settings file in a data directory that nobody else uses.
///
/// # Errors
/// When the data directory cannot be used, or an adapter does not take its settings.
pub(crate) async fn open_alone(config: &Config) -> Result<Host, Failure> {
    let host = Host::open(options(config, Place::Own(config.data_dir.clone()))).await?;
    for connection in &config.connections {
        host.partners.store(connection).await?;
        host.partners.warehouse(connection).await?;
    }
    Ok(host)
}

/// Opens the host of a settings file and puts its connections into the ledger: as they are once the data directory is ours,
/// because a command may have changed one of them before.
///
/// # Errors
/// When the data directory cannot be used, or an adapter does not take its settings.
async fn open(file: &Path, config: &Config) -> Result<Host, Failure> {
    let host = open_alone(config).await?;
    let now =
        known::read(file).map_err(|mistakes| Failure::permanent("read settings", mistakes.to_string()))?;
    for connection in &now.connections {
        connections::enter(host.connections.as_ref(), connection, None, None).await?;
    }
    host.retire_all_but(&now.connections).await?;
    Ok(host)
}

/// Runs until Ctrl-C or SIGTERM, then finishes what is in hand.
///
/// # Errors
/// When the host cannot be opened or the endpoint's address is taken.
pub(crate) async fn run(file: &Path, config: &Config) -> Result<(), Failure> {
    let host = Arc::new(open(file, config).await?);
    let listener = TcpListener::bind(config.listen).await.map_err(|e| {
        let cure = "choose another address in [server] listen";
        Failure::permanent(
            "serve webhooks",
            format!("cannot listen on {}: {}; {cure}", config.listen, e.kind()),
        )
    })?;
    let running = host.start(listener).await?;
    let enabled = config.connections.iter().filter(|connection| connection.enabled).count();
    if let (0, Some(first)) = (enabled, config.connections.first()) {
        tracing::warn!(
            "no connection is enabled: nothing is imported or sent; cartdock connection enable {}",
            first.id
        );
    }
    tracing::info!(
        "running {}, webhooks at http://{}; Ctrl-C finishes what is in hand and stops",
        count(enabled as u64, "connection", "connections"),
        config.listen
    );
    interrupted().await;
    tracing::info!("stopping: finishing what is in hand");
    running.stop().await;
    tracing::info!("stopped; the next start continues here");
    Ok(())
}
