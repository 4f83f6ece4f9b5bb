//! `cartdock erase`: removes what is kept of a connection, or of one order, when a merchant or a buyer asks for it.

use std::io::Write as _;

use domain::connection::Connection;
use domain::ports::{Erasure, Kept};
use domain::{OrderId, OrderKey};
use operations::erase::{Erased, elsewhere, preview, still_needed};

use super::{Desk, Outcome, Problem, confirm, style};
use crate::cli::Erase;

impl Desk<'_> {
    pub(super) async fn erase(&self, args: &Erase) -> Result<Outcome, Problem> {
        self.refuse_other_name(args)?;
        match args.order {
            Some(order) => self.erase_body(args, OrderId(order)).await,
            None => self.erase_all(args).await,
        }
    }

    fn refuse_other_name(&self, args: &Erase) -> Result<(), Problem> {
        if args.yes.as_ref().is_some_and(|name| name != args.connection.as_str()) {
            return Err(Problem(format!(
                "nothing was changed: --yes names another connection than {}; repeat its name",
                args.connection
            )));
        }
        Ok(())
    }

    async fn erase_all(&self, args: &Erase) -> Result<Outcome, Problem> {
        let id = &args.connection;
        let removed = self.host.erasure().kept(id).await?;
        if removed == Kept::default() {
            return Err(Problem(format!(
                "nothing is kept of a connection {id}; cartdock status shows those there are"
            )));
        }
        let erased = self.erase_everything(args, removed).await?;
        self.show(&erased, || erased.text(style()))?;
        Ok(Outcome::of(erased.needs_attention()))
    }

    /// Shows what there is, has the name typed back, and removes it.
    pub(super) async fn erase_everything(&self, args: &Erase, removed: Kept) -> Result<Erased, Problem> {
        let id = &args.connection;
        self.refuse_other_name(args)?;
        let erasure = self.host.erasure();
        let known = self.host.connections.get(id).await?;
        self.refuse_running(args, known.as_ref())?;
        let _nobody_reads_it = write!(std::io::stderr(), "{}", preview(id.as_str(), &removed, style()));
        self.agreed(args, "This cannot be undone. Type the connection's name to remove all of it")?;
        erasure.erase(id).await?;
        let settings = self.connections.iter().find(|connection| connection.id == *id);
        Ok(Erased {
            connection: id.to_string(),
            removed,
            left: erasure.kept(id).await?,
            elsewhere: elsewhere(known.as_ref().or(settings), self.cli.stack.is_some()),
        })
    }

    /// A connection that runs would be there again at once, and its orders would be sent a second time.
    fn refuse_running(&self, args: &Erase, known: Option<&Connection>) -> Result<(), Problem> {
        let runs = self.host.is_shared() && known.is_some_and(|connection| connection.enabled);
        let will_run = self.connections.iter().any(|c| c.id == args.connection && c.enabled);
        if !runs && !will_run {
            return Ok(());
        }
        let cure = match &self.cli.stack {
            Some(stack) => format!("run: cartdock connection pause {} --stack {stack}", args.connection),
            None => format!("run: cartdock connection pause {}", args.connection),
        };
        Err(Problem(format!("nothing was changed: connection {} is enabled; {cure}", args.connection)))
    }

    async fn erase_body(&self, args: &Erase, order: OrderId) -> Result<Outcome, Problem> {
        let key = OrderKey::new(args.connection.clone(), order);
        let Some(record) = self.host.ledger.load(&key, true).await? else {
            return Err(Problem(format!(
                "there is no order {key} in the ledger; cartdock explain finds orders"
            )));
        };
        if let Some(why) = still_needed(&record) {
            return Err(Problem(format!(
                "nothing was changed: order {key} is {}: {why}",
                record.stage.word()
            )));
        }
        self.agreed(
            args,
            &format!("The personal data of order {key} is removed. Type the connection's name"),
        )?;
        let was_there = self.host.erasure().erase_body(&key).await?;
        let removed = serde_json::json!({ "order": key.to_string(), "removed": was_there });
        self.show(&removed, || {
            let what = if was_there {
                "its name and address are removed"
            } else {
                "no personal data was kept of it"
            };
            format!("{key}: {what}; what became of it stays ({})\n", record.stage.word())
        })
    }

    /// Is the person sure?
    fn agreed(&self, args: &Erase, question: &str) -> Result<(), Problem> {
        if args.yes.is_some() {
            return Ok(());
        }
        let name = args.connection.as_str();
        confirm::typed(question, name, &format!("--yes {name}"))
    }
}
