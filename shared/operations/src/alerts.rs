//! Tells people what opens and what closes: issues, orders that are late, a warehouse that is away, and silence.
//!
//! A look reads only what is unfinished and may have changed, and what people were told the last time. The difference is one message. It is sent
//! first and written down afterwards: a crash may repeat a message and never swallows one, and what no channel took is told
//! at the next look.

mod message;
mod open;
mod seen;
mod silence;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::alert::{Alert, Outlet};
use domain::connection::Connection;
use domain::life::later;
use domain::notes::{Notes, Opened};
use domain::ports::{Clock, Ledger, Partners};
use domain::{ConnectionId, Failure};
use futures_util::StreamExt;
use jiff::Timestamp;

use message::Changes;
use open::Matter;
use seen::Seen;

/// How the logs call it.
pub const ALERTS: &str = "alerts";

/// From one look at a connection to the next, where nobody says otherwise.
pub const EVERY: Duration = Duration::from_secs(5 * 60);

/// How many connections are looked at at the same time in one run.
const AT_ONCE: usize = 16;

/// The use case with its ports.
#[derive(Clone)]
pub struct Watch {
    /// Their stores.
    pub partners: Arc<dyn Partners>,
    /// The truth.
    pub ledger: Arc<dyn Ledger>,
    /// What is noted beside the orders.
    pub notes: Arc<dyn Notes>,
    /// Where messages go.
    pub outlet: Arc<dyn Outlet>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// From one look at a connection to the next.
    pub every: Duration,
    /// The stack of a deployment, for the commands in the messages.
    pub stack: Option<String>,
    /// What this process knows of its looks.
    pub turns: Turns,
}

/// When each connection is looked at next, and what else only this process needs to know.
#[derive(Clone, Default)]
pub struct Turns(Arc<Mutex<BTreeMap<ConnectionId, Turn>>>);

#[derive(Clone, Default)]
struct Turn {
    next: Option<Timestamp>,
    /// How often in a row the store did not answer.
    unanswered: u32,
    seen: Seen,
}

impl Turns {
    fn all(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_due(&self, connection: &ConnectionId, now: Timestamp) -> bool {
        self.all().get(connection).and_then(|turn| turn.next).is_none_or(|next| next <= now)
    }

    fn set_next(&self, connection: &ConnectionId, next: Timestamp) {
        self.all().entry(connection.clone()).or_default().next = Some(next);
    }

    /// The orders that were seen at the last look. Whoever takes them puts back what is seen now.
    fn take_seen(&self, connection: &ConnectionId) -> Seen {
        self.all().get_mut(connection).map(|turn| std::mem::take(&mut turn.seen)).unwrap_or_default()
    }

    fn put_seen(&self, connection: &ConnectionId, seen: Seen) {
        self.all().entry(connection.clone()).or_default().seen = seen;
    }

    /// The store answered, or did not: how often in a row.
    fn unanswered(&self, connection: &ConnectionId, is_answered: bool) -> u32 {
        let mut all = self.all();
        let turn = all.entry(connection.clone()).or_default();
        turn.unanswered = if is_answered { 0 } else { turn.unanswered.saturating_add(1) };
        turn.unanswered
    }
}

impl Watch {
    /// Looks at those of these connections that are enabled and complete and whose turn it is, while there is time. A failure
    /// of one does not touch the others. The numbers are things that people were told.
    pub async fn run(
        &self,
        all: Vec<Connection>,
        until: Timestamp,
    ) -> Vec<(ConnectionId, Result<usize, Failure>)> {
        let now = self.clock.now();
        let due = all.into_iter().filter(|one| one.runs() && self.turns.is_due(&one.id, now));
        let looks = due.map(|connection| async move {
            let told = if self.clock.now() < until { self.look(&connection).await } else { Ok(0) };
            (connection.id, told)
        });
        futures_util::stream::iter(looks).buffer_unordered(AT_ONCE).collect().await
    }

    /// Looks at one connection, and tells what has opened or closed since people were last told.
    ///
    /// # Errors
    /// Those of the ledger, the notes and the channels; then the same is told at the next look.
    pub async fn look(&self, connection: &Connection) -> Result<usize, Failure> {
        let now = self.clock.now();
        self.turns.set_next(&connection.id, later(now, self.every));
        let before = self.notes.told(&connection.id).await?.unwrap_or_default();
        let mut told = before.clone();
        let open = self.open(connection, &mut told, now).await?;
        let changes = Changes::of(&open, &before);
        let number = changes.number();
        if number > 0 {
            let alert = changes.alert(connection, open.matters.len(), self.stack.as_deref(), now);
            self.outlet.send(&alert).await?;
            told.at = Some(now);
        }
        told.open = remembered(open.matters, before.open.clone());
        if told != before {
            self.notes.set_told(&connection.id, &told).await?;
        }
        Ok(number)
    }
}

/// What is open, as it is remembered: the words and the time are those of the first message.
fn remembered(matters: Vec<Matter>, mut before: BTreeMap<String, Opened>) -> BTreeMap<String, Opened> {
    let opened = |matter: Matter| {
        let Matter { id, since, sentence, .. } = matter;
        let known = before.remove(&id);
        (id, known.unwrap_or(Opened { since, sentence }))
    };
    matters.into_iter().map(opened).collect()
}

/// A message that says of itself that it is none: for trying the channels.
#[must_use]
pub fn test(now: Timestamp) -> Alert {
    Alert {
        title: "Cartdock: TEST, nothing has happened".to_owned(),
        text: format!(
            "This is a test of cartdock alert test at {}.\nNothing has happened, and nothing is to be done. Alerts of \
             Cartdock reach you here.\n",
            crate::text::instant(now)
        ),
    }
}
