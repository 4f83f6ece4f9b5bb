//! `cartdock connection enable | pause | resume`: lets a connection work, or stops it, and says first what that means.

use std::io::{IsTerminal as _, Write as _};

use domain::connection::{Connection, History};
use operations::check;
use operations::connections::preview::{Look, Preview};
use operations::connections::shown::State;
use operations::connections::switched::Switched;
use operations::connections::waiting::{Waiting, waiting, waiting_and_new};
use operations::rebuild;

use super::{confirm, style};
use crate::cli::{Enable, Pause, Resume};
use crate::commands::{Desk, Outcome, Problem};

/// A connection, what its ledger knows of it, and whether it works.
struct Found {
    connection: Connection,
    known: Option<Connection>,
    state: State,
}

impl Found {
    /// Is there nothing to be written for this wish?
    fn is_already(&self, enabled: bool) -> bool {
        self.connection.enabled == enabled
            && self.known.as_ref().is_some_and(|known| known.enabled == enabled)
    }

    fn history(&self) -> History {
        self.known.as_ref().map(|known| known.history).unwrap_or_default()
    }

    fn unchanged(&self) -> Switched {
        Switched {
            connection: self.connection.id.to_string(),
            before: self.state,
            after: self.state,
            changed: false,
            preview: None,
            waiting: None,
            counts: "",
        }
    }
}

impl Desk<'_> {
    pub(super) async fn pause(&self, args: &Pause) -> Result<Outcome, Problem> {
        let found = self.find_connection(&args.connection).await?;
        if found.is_already(false) {
            return self.tell(&found.unchanged());
        }
        let draft = self.switched(&found.connection, false)?;
        self.write(draft, None).await?;
        let waiting = waiting(self.host.ledger.as_ref(), &found.connection).await?;
        let switched = self.after(&found, None, Some(waiting)).await?;
        self.show(&switched, || {
            let waits = switched.waiting.as_ref().map(|waiting| waiting.text(style())).unwrap_or_default();
            switched.text(style()) + &waits
        })
    }

    pub(super) async fn resume(&self, args: &Resume) -> Result<Outcome, Problem> {
        let found = self.find_connection(&args.connection).await?;
        if found.is_already(true) {
            return self.tell(&found.unchanged());
        }
        if found.state == State::New {
            return Err(Problem(format!(
                "nothing was changed: connection {0} was never enabled; cartdock connection enable {0} shows first what \
                 would be imported and sent",
                args.connection
            )));
        }
        let (partners, ledger) = (self.host.partners.as_ref(), self.host.ledger.as_ref());
        let waits = waiting_and_new(partners, ledger, &found.connection, self.host.clock.now()).await?;
        let heading = style().heading(&format!("{}: this waits", args.connection));
        say(&format!("{heading}{}", waits.text(style())));
        self.warn_of_sharing(&found.connection);
        self.agreed_to(&args.connection, "Import and send it", args.yes)?;
        let draft = self.switched(&found.connection, true)?;
        self.write(draft, None).await?;
        let switched = self.after(&found, None, Some(waits)).await?;
        self.tell(&switched)
    }

    pub(super) async fn enable(&self, args: &Enable) -> Result<Outcome, Problem> {
        let found = self.find_connection(&args.connection).await?;
        if found.is_already(true) {
            return self.tell(&found.unchanged());
        }
        let history = rebuild::history(found.history(), None, args.new);
        let preview = self.preview(&Connection { history, ..found.connection.clone() }, args.limit).await?;
        let attention = Outcome::of(preview.needs_attention());
        if args.dry_run {
            self.show(&preview, || preview.text(style()))?;
            return Ok(attention);
        }
        say(&preview.text(style()));
        self.warn_of_sharing(&found.connection);
        self.agreed_to(&args.connection, "Import and send this from now on", args.yes)?;
        let draft = self.switched(&found.connection, true)?;
        let entered = self.write(draft, args.new.then_some(history)).await?;
        if args.new {
            let host = &self.host;
            rebuild::release(host.ledger.as_ref(), host.clock.as_ref(), host.dice.as_ref(), &entered).await?;
        }
        let switched = self.after(&found, Some(preview), None).await?;
        self.tell(&switched)?;
        Ok(attention)
    }

    /// Says who else reads its store, before it is switched on.
    fn warn_of_sharing(&self, connection: &Connection) {
        if let Some(shared) = check::shares_its_store(connection, &self.connections) {
            say(&format!("  {}\n", shared.detail));
        }
    }

    async fn preview(&self, connection: &Connection, limit: usize) -> Result<Preview, Problem> {
        let progress = |read: usize, all: usize| {
            if std::io::stderr().is_terminal() || read.is_multiple_of(25) {
                let end = if std::io::stderr().is_terminal() && read < all { '\r' } else { '\n' };
                let _nobody_reads_it = write!(std::io::stderr(), "read {read} of {all} orders{end}");
            }
        };
        let look = Look {
            partners: self.host.partners.as_ref(),
            ledger: self.host.ledger.as_ref(),
            mappings: self.host.mappings.as_ref(),
            now: self.host.clock.now(),
            limit,
            progress: &progress,
        };
        Ok(look.preview(connection).await?)
    }

    async fn find_connection(&self, id: &domain::ConnectionId) -> Result<Found, Problem> {
        let connection = self.named(id)?;
        let known = self.host.connections.fresh(id).await?;
        let cursor = self.host.ledger.cursor(id).await?;
        let state = State::of(&connection, known.as_ref(), &cursor);
        Ok(Found { connection, known, state })
    }

    /// What became of it, read again from where it was written.
    async fn after(
        &self,
        found: &Found,
        preview: Option<Preview>,
        waiting: Option<Waiting>,
    ) -> Result<Switched, Problem> {
        let known = self.host.connections.fresh(&found.connection.id).await?;
        let cursor = self.host.ledger.cursor(&found.connection.id).await?;
        let after = known.as_ref().map_or(found.state, |now| State::of(now, known.as_ref(), &cursor));
        let (before, counts) = (found.state, self.counts());
        let connection = found.connection.id.to_string();
        Ok(Switched { connection, before, after, changed: true, preview, waiting, counts })
    }

    fn tell(&self, switched: &Switched) -> Result<Outcome, Problem> {
        self.show(switched, || switched.text(style()))
    }

    /// Is the person sure?
    fn agreed_to(&self, id: &domain::ConnectionId, what: &str, yes: bool) -> Result<(), Problem> {
        if yes { Ok(()) } else { confirm::typed(&format!("{what} ({id})? Type yes"), "yes", "--yes") }
    }
}

/// What a person reads before being asked goes to standard error, so that the outcome can be read by a program.
fn say(text: &str) {
    let _nobody_reads_it = write!(std::io::stderr(), "{text}");
}
