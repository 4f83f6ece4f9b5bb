//! `cartdock connection remove`: everything that is kept of a connection goes, and then the connection itself.

use domain::ports::{Erasure as _, Kept};
use operations::erase::Erased;

use super::style;
use crate::cli::{Erase, Remove};
use crate::commands::{Desk, Outcome, Problem};
use crate::settings::edit;
use crate::settings::file::SettingsFile;

impl Desk<'_> {
    pub(super) async fn remove(&self, args: &Remove) -> Result<Outcome, Problem> {
        let erase = Erase { connection: args.connection.clone(), order: None, yes: args.yes.clone() };
        let removed = self.host.erasure().kept(&args.connection).await?;
        if removed == Kept::default() && !self.connections.iter().any(|known| known.id == args.connection) {
            return Err(Problem(format!(
                "there is no connection {}; cartdock connection show names those there are",
                args.connection
            )));
        }
        let erased = self.erase_everything(&erase, removed).await?;
        let mut elsewhere = erased.elsewhere;
        if self.cli.stack.is_none() {
            self.take_out(args)?;
            elsewhere.retain(|what| !what.starts_with("the settings file"));
        }
        elsewhere.retain(|what| !self.is_used_elsewhere(args, what));
        let erased = Erased { elsewhere, ..erased };
        self.show(&erased, || erased.text(style()))?;
        Ok(Outcome::of(erased.needs_attention()))
    }

    /// Takes it out of the settings file.
    fn take_out(&self, args: &Remove) -> Result<(), Problem> {
        let mut file = SettingsFile::open(&self.cli.config)?;
        if file.connection(&args.connection).is_none() {
            return Ok(());
        }
        file.change(&args.connection, |text| edit::remove(text, &args.connection))?;
        Ok(file.save()?)
    }

    /// Is this about a secret that another connection needs too?
    fn is_used_elsewhere(&self, args: &Remove, what: &str) -> bool {
        let others = self.connections.iter().filter(|other| other.id != args.connection);
        let mut values = others.flat_map(|other| other.store.values().chain(other.warehouse.values()));
        values.any(|value| {
            let place = value.trim().strip_prefix('@').and_then(|place| place.split_once(':'));
            let name = place.map(|(_, name)| name.split('#').next().unwrap_or(name));
            name.is_some_and(|name| what.starts_with("a secret") && what.ends_with(&format!(" {name}")))
        })
    }
}
