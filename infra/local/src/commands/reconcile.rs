//! `cartdock reconcile`: compares the ledger with both sides now, and shows how far it is on a terminal.

use std::io::Write as _;
use std::sync::Arc;

use domain::connection::Connection;
use jiff::Timestamp;
use operations::recent::Progress as _;
use operations::reconcile::Reconciled;
use sweep::reconcile::{Asked, Reconcile as UseCase};

use super::progress::Line;
use super::{Desk, Outcome, Problem, style};
use crate::cli::Reconcile;
use crate::nudge::Nudge;

impl Desk<'_> {
    pub(super) async fn reconcile(&self, args: &Reconcile) -> Result<Outcome, Problem> {
        let (mut all, mut disabled) = (Vec::new(), Vec::new());
        for connection in self.chosen(args.connection.as_ref())? {
            if connection.enabled || args.connection.is_some() {
                all.push(self.compare(&connection, args).await?);
            } else {
                disabled.push(connection.id.to_string());
            }
        }
        if let (true, Some(first)) = (all.is_empty(), disabled.first()) {
            let why = format!(
                "no connection is enabled: nothing was compared (cartdock connection enable {first})"
            );
            return Err(Problem(why));
        }
        if !disabled.is_empty() {
            let left = disabled.join(", ");
            let _nobody_reads_it =
                writeln!(std::io::stderr(), "not compared, because disabled: {left}; name one to compare it");
        }
        self.show(&all, || all.iter().map(|one| one.text(style())).collect::<Vec<_>>().join("\n"))?;
        Ok(Outcome::of(all.iter().any(Reconciled::needs_attention)))
    }

    async fn compare(&self, named: &Connection, args: &Reconcile) -> Result<Reconciled, Problem> {
        // What is known of the time before it is in the ledger alone.
        let known = self.host.connections.get(&named.id).await?;
        let connection = known.filter(Connection::is_complete).ok_or_else(|| {
            Problem(format!(
                "the ledger of {} is not filled yet: let cartdock run, or the deployment, read the store first \
                 (cartdock status {})",
                named.id, named.id
            ))
        })?;
        let nudge = Arc::new(Nudge { ledger: self.host.ledger.clone(), clock: self.host.clock.clone() });
        let use_case = UseCase { orders: nudge.clone(), shipments: nudge, ..self.host.reconcile() };
        let mut found = use_case.begin(&connection, args.since.instant(self.host.clock.now()));
        let asked = Asked { since: found.since, thorough: true, fix: args.fix, until: Timestamp::MAX };
        let (line, id) = (Line::new(), connection.id.to_string());
        let progress = |done: usize, all: usize| line.at(&id, done as u64, all as u64);
        use_case.go_on(&connection, asked, &mut found, &progress).await?;
        Ok(Reconciled { connection: connection.id.clone(), found })
    }
}
