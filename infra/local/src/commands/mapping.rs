//! `cartdock map seed | coverage | history | rollback`: a first mapping, how far it reaches, and how it came to be.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use domain::connection::Connection;
use domain::mapping::Change;
use domain::ports::Store;
use operations::coverage::coverage;
use operations::mapping_history::{Rollback, history};
use operations::recent::Recent;
use operations::seed::{Seed, Seeding, check_codes};

use super::progress::Line;
use super::{Desk, Outcome, Problem, confirm, input, print, put, style};
use crate::cli::{MapCoverage, MapHistory, MapRollback, MapSeed};

/// What a seed is written into.
const FILES: [&str; 2] = ["listings-seed.csv", "rules-seed.csv"];

impl Desk<'_> {
    pub(super) async fn seed(&self, args: &MapSeed) -> Result<Outcome, Problem> {
        let connection = self.one(args.connection.as_ref())?;
        let here = args.out == Path::new(".");
        let files = FILES.map(|name| if here { PathBuf::from(name) } else { args.out.join(name) });
        refuse_files(args, &files)?;
        let warehouse_skus = args.warehouse_skus.as_deref().map(codes).transpose()?;
        let services = args.services.as_deref().map(codes).transpose()?;
        let store = self.host.partners.store(&connection).await?;
        let warehouse = self.host.partners.warehouse(&connection).await?;
        let mapping = self.host.mappings.current(&connection.id).await?;
        let progress = Line::new();
        let seeding = Seeding {
            recent: self.recent(&connection, &store, &progress),
            span: args.last,
            products: store.products.as_deref().filter(|_| !args.orders_only),
            stock: warehouse.stock.as_deref(),
            warehouse_skus: warehouse_skus.as_deref(),
            services: services.as_deref(),
            mapping: &mapping,
        };
        let seed = seeding.seed().await?;
        drop(progress);
        write(&seed, args, &files)?;
        self.show(&seed, || format!("{}{}", seed.text(style()), next_steps(&seed, &files)))?;
        Ok(Outcome::of(seed.needs_attention()))
    }

    pub(super) async fn coverage(&self, args: &MapCoverage) -> Result<Outcome, Problem> {
        let connection = self.one(args.connection.as_ref())?;
        let store = self.host.partners.store(&connection).await?;
        let mapping = self.host.mappings.current(&connection.id).await?;
        let progress = Line::new();
        let covered = coverage(&self.recent(&connection, &store, &progress), args.last, &mapping).await?;
        drop(progress);
        self.show(&covered, || covered.text(style()))?;
        Ok(Outcome::of(covered.needs_attention()))
    }

    pub(super) async fn map_history(&self, args: &MapHistory) -> Result<Outcome, Problem> {
        let connection = self.one(args.connection.as_ref())?;
        let told = history(self.host.mappings.as_ref(), &connection.id, args.limit.into()).await?;
        self.show(&told, || told.text(style()))
    }

    pub(super) async fn rollback(&self, args: &MapRollback) -> Result<Outcome, Problem> {
        let connection = self.one(args.connection.as_ref())?;
        // What it maps again is also released; settings that do not allow that are better known before.
        self.host.partners.store(&connection).await?;
        self.host.partners.warehouse(&connection).await?;
        let note = args.note.clone().unwrap_or_default();
        let change = Change { by: args.by.clone(), at: self.host.clock.now(), note };
        let rollback = Rollback { connection: &connection.id, to: args.to, change };
        let mappings = self.host.mappings.as_ref();
        let told = rollback.preview(mappings, self.host.ledger.as_ref(), &connection.policies).await?;
        if args.dry_run || !told.changes() {
            return self.show(&told, || told.text(style()));
        }
        if !args.yes {
            let _nobody_reads_it = write!(std::io::stderr(), "{}", told.text(style()));
            let question = format!("To put the content of version {} in force type {}", told.to, told.to);
            confirm::typed(&question, &told.to.to_string(), "--yes")?;
        }
        let done = rollback.run(mappings, told.from).await?;
        let released = self.release(&connection).await;
        self.show(&done, || done.text(style()))?;
        self.tell_released(released)?;
        Ok(Outcome::Fine)
    }

    /// Where recent orders of a connection are read from.
    pub(super) fn recent<'a>(
        &'a self,
        connection: &'a Connection,
        store: &'a Store,
        progress: &'a Line,
    ) -> Recent<'a> {
        Recent {
            connection,
            store: store.orders.as_ref(),
            ledger: self.host.ledger.as_ref(),
            now: self.host.clock.now(),
            progress,
        }
    }
}

/// Better known before something slow begins.
fn refuse_files(args: &MapSeed, files: &[PathBuf]) -> Result<(), Problem> {
    if let Some(file) = files.iter().find(|file| !args.overwrite && file.exists()) {
        return Err(Problem(format!(
            "{} is there already; import it, move it away, or add --overwrite",
            file.display()
        )));
    }
    let refused =
        |e: std::io::Error| Problem(format!("{} cannot be written into: {}", args.out.display(), e.kind()));
    std::fs::create_dir_all(&args.out).map_err(refused)
}

fn codes(file: &Path) -> Result<Vec<u8>, Problem> {
    let bytes = input(file)?;
    check_codes(&bytes).map_err(|wrong| Problem(format!("{}: {wrong}", file.display())))?;
    Ok(bytes)
}

fn write(seed: &Seed, args: &MapSeed, files: &[PathBuf]) -> Result<(), Problem> {
    // Another one may have written them while we read.
    refuse_files(args, files)?;
    for (text, file) in [seed.listings_csv(), seed.rules_csv()].iter().zip(files) {
        put(text, Some(file))?;
    }
    Ok(())
}

fn next_steps(seed: &Seed, files: &[PathBuf]) -> String {
    let mut out = "\nWritten, and nothing of it imported:\n".to_owned();
    for file in files {
        out.push_str(&format!("  {}\n", file.display()));
    }
    out.push_str(
        "Look at the rows that say no in the column apply, write yes where they are\nright, and import:\n",
    );
    for file in files {
        out.push_str(&format!("  cartdock map import {} --connection {}\n", file.display(), seed.connection));
    }
    out
}

impl Desk<'_> {
    /// Says how many orders a changed mapping has released.
    pub(super) fn tell_released(&self, released: Result<u64, domain::Failure>) -> Result<(), Problem> {
        let released = released.map_err(|failure| {
            Problem(format!(
                "the mapping is changed, but not all orders that wait for it could be looked at: {failure}\n\
                 They are looked at again within a day, or at once by cartdock replay --cause unmapped"
            ))
        })?;
        if released > 0 && !self.cli.json {
            let held = operations::text::count(released, "held order is", "held orders are");
            print(&format!("{held} released by it and will be sent.\n"))?;
        }
        Ok(())
    }
}
