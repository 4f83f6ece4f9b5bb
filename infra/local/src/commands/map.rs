//! `cartdock map`: mappings out, in, and what an import releases.

use std::sync::Arc;

use domain::Failure;
use domain::connection::Connection;
use domain::mapping::Change;
use operations::mapping_csv::{self, Import, list};

use super::{Desk, Outcome, Problem, input, put, style};
use crate::cli::{Map, MapImport};
use crate::nudge::Nudge;

impl Desk<'_> {
    pub(super) async fn map(&self, map: &Map) -> Result<Outcome, Problem> {
        match map {
            Map::Import(args) => self.import(args).await,
            Map::Export(args) => {
                let connection = self.one(args.connection.as_ref())?;
                let mapping = self.host.mappings.current(&connection.id).await?;
                put(&mapping_csv::export(&mapping, args.table.into()), args.out.as_deref())
            }
            Map::List(args) => {
                let connection = self.one(args.connection.as_ref())?;
                let listed = list(self.host.mappings.as_ref(), &connection.id).await?;
                self.show(&listed, || listed.text(style()))
            }
            Map::Seed(args) => self.seed(args).await,
            Map::Coverage(args) => self.coverage(args).await,
            Map::History(args) => self.map_history(args).await,
            Map::Rollback(args) => self.rollback(args).await,
        }
    }

    async fn import(&self, args: &MapImport) -> Result<Outcome, Problem> {
        let connection = self.one(args.connection.as_ref())?;
        // What is imported is also released; settings that do not allow that are better known before.
        self.host.partners.store(&connection).await?;
        self.host.partners.warehouse(&connection).await?;
        let file = input(&args.file)?;
        let note = args.note.clone().unwrap_or_else(|| args.file.display().to_string());
        let change = Change { by: args.by.clone(), at: self.host.clock.now(), note };
        let import =
            Import { connection: &connection.id, file: &file, replace: args.replace, dry_run: false, change };
        let (mappings, ledger) = (self.host.mappings.as_ref(), self.host.ledger.as_ref());
        if args.dry_run {
            let told = import.rehearse(mappings, ledger, &connection.policies).await?;
            self.show(&told, || told.text(style()))?;
            return Ok(Outcome::of(!told.warnings.is_empty()));
        }
        let imported = import.run(mappings).await?;
        // Also where nothing has changed: an import that was killed after its first half is finished by the next one.
        let released = self.release(&connection).await;
        self.show(&imported, || imported.text(style()))?;
        self.tell_released(released)?;
        Ok(Outcome::of(!imported.warnings.is_empty()))
    }

    /// Has the orders that waited for this mapping sent by the host that runs, or by the next one. Says how many.
    pub(super) async fn release(&self, connection: &Connection) -> Result<u64, Failure> {
        let nudge = Arc::new(Nudge { ledger: self.host.ledger.clone(), clock: self.host.clock.clone() });
        let sweep = sweep::Sweep { orders: nudge.clone(), shipments: nudge, ..self.host.sweep() };
        sweep.release(connection).await.map(|released| u64::try_from(released).unwrap_or(u64::MAX))
    }
}
