//! `cartdock connection`: what a person does with connections. On one machine the settings file is the truth, and the ledger
//! follows it at once; on a deployment the ledger is.

mod add;
mod apply;
mod ask;
mod draft;
mod edit;
mod keep;
mod remove;
mod switch;

use domain::ConnectionId;
use domain::connection::Connection;
use operations::connections::shown;

use super::{Desk, Outcome, Problem, confirm, deployment, show, style};
use crate::cli::{Cli, ConnectionCommand, ShowConnection};
use crate::config::is_secret;

/// Does what was typed about connections.
///
/// # Errors
/// When it could not be done.
pub(super) async fn execute(cli: &Cli, command: &ConnectionCommand) -> Result<Outcome, Problem> {
    match command {
        ConnectionCommand::Apply(args) => apply::apply(cli, args).await,
        ConnectionCommand::Add(args) => add::add(cli, args).await,
        ConnectionCommand::Show(args) => Desk::open(cli).await?.show_connections(args).await,
        ConnectionCommand::Edit(args) => Desk::open(cli).await?.edit_connection(args).await,
        ConnectionCommand::Enable(args) => Desk::open(cli).await?.enable(args).await,
        ConnectionCommand::Pause(args) => Desk::open(cli).await?.pause(args).await,
        ConnectionCommand::Resume(args) => Desk::open(cli).await?.resume(args).await,
        ConnectionCommand::Remove(args) => Desk::open(cli).await?.remove(args).await,
    }
}

impl Desk<'_> {
    async fn show_connections(&self, args: &ShowConnection) -> Result<Outcome, Problem> {
        let (now, mut all) = (self.host.clock.now(), Vec::new());
        for connection in self.chosen(args.connection.as_ref())? {
            let known = self.host.connections.get(&connection.id).await?;
            let mapping = self.host.mappings.current(&connection.id).await?.version;
            let ledger = self.host.ledger.as_ref();
            all.push(shown::show(ledger, &connection, known.as_ref(), mapping, is_secret).await?);
        }
        self.show(&all, || all.iter().map(|one| one.text(now, style())).collect::<Vec<_>>().join("\n"))
    }

    /// The connection of this name, as the truth has it.
    fn named(&self, id: &ConnectionId) -> Result<Connection, Problem> {
        self.one(Some(id))
    }
}
