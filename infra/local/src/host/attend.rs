//! Who works for which connection: its loops begin when it is enabled, end when it is paused, and begin anew when it changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::connection::{Connection, History};
use domain::{ConnectionId, Failure};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Host;

/// Between two looks at the connections: a command beside this process may have changed one.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The loops of one connection.
struct Team {
    /// As it was when they began.
    connection: Connection,
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
}

impl Team {
    /// Is it for this connection as it is by now? What the ledger learns of its past changes nothing for its loops.
    fn is_for(&self, now: &Connection) -> bool {
        let settings =
            |connection: &Connection| Connection { history: History::Unknown, ..connection.clone() };
        settings(&self.connection) == settings(now)
    }

    /// Lets its loops finish what they have in hand.
    fn dismiss(&self) {
        if !self.stop.send_replace(true) {
            tracing::info!(connection.id = %self.connection.id, "stops: finishing what is in hand");
        }
    }
}

/// The loops of all connections.
pub(super) struct Teams {
    host: Arc<Host>,
    teams: BTreeMap<ConnectionId, Team>,
}

impl Teams {
    /// Begins with every connection that is enabled.
    ///
    /// # Errors
    /// When the ledger fails.
    pub(super) async fn of(host: Arc<Host>) -> Result<Self, Failure> {
        let mut teams = Self { host, teams: BTreeMap::new() };
        teams.look().await?;
        Ok(teams)
    }

    /// Looks again and again whether somebody is to begin or to stop, until it is time for all to stop.
    pub(super) async fn attend(mut self, mut stopped: watch::Receiver<bool>) {
        let every = self.host.options.sweep_every.min(LOOK_EVERY);
        while !self.host.pause(every, &mut stopped).await {
            if let Err(failure) = self.look().await {
                tracing::warn!("the connections cannot be looked at: {failure}");
            }
        }
        self.teams.values().for_each(Team::dismiss);
        for team in self.teams.values_mut() {
            while team.loops.join_next().await.is_some() {}
        }
    }

    async fn look(&mut self) -> Result<(), Failure> {
        let enabled = self.host.enabled().await?;
        for team in self.teams.values() {
            if !enabled.iter().any(|connection| team.is_for(connection)) {
                team.dismiss();
            }
        }
        self.teams.retain(|id, team| {
            while team.loops.try_join_next().is_some() {}
            let has_ended = team.loops.is_empty();
            if has_ended {
                tracing::info!(connection.id = %id, "has stopped");
            }
            !has_ended
        });
        for connection in enabled {
            // Whose loops have not ended yet begins at the next look: nobody is worked for twice.
            if !self.teams.contains_key(&connection.id) {
                self.begin(connection).await?;
            }
        }
        Ok(())
    }

    async fn begin(&mut self, connection: Connection) -> Result<(), Failure> {
        let host = &self.host;
        host.end_lease(&connection).await?;
        let (stop, stopped) = watch::channel(false);
        let mut loops = JoinSet::new();
        loops.spawn(host.clone().poll_store(connection.clone(), stopped.clone()));
        loops.spawn(host.clone().sweep_always(connection.id.clone(), stopped.clone()));
        loops.spawn(host.clone().reconcile_always(connection.id.clone(), stopped.clone()));
        if !host.outlets.is_empty() {
            loops.spawn(host.clone().watch_always(connection.id.clone(), stopped.clone()));
        }
        loops.spawn(host.clone().poll_warehouse(connection.clone(), stopped));
        tracing::info!(connection.id = %connection.id, "begins");
        self.teams.insert(connection.id.clone(), Team { connection, stop, loops });
        Ok(())
    }
}
