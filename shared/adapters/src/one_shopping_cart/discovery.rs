//! Finds out whether the store offers a command to write tracking: it lists its own commands (dossier section 8.1).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::Failure;
use domain::ports::SinkMode;
use jiff::Timestamp;

use super::client::Client;
use super::envelope::{self, Reply};
use super::text;

const DURING: &str = "1ShoppingCart: list commands";
/// How long an answer holds.
const FRESH_FOR: Duration = Duration::from_secs(86_400);
/// Commands that are documented, and those that one would look for.
const COMMANDS: [&str; 7] = ["LIST", "READ", "COUNT", "TEST", "UPDATE", "CREATE", "DELETE"];

/// What was found out last, and when.
#[derive(Default)]
pub(super) struct Discovered(Mutex<Option<(Timestamp, SinkMode)>>);

/// The store's list of its commands. Its shape is unknown: only the words in it are looked at.
pub(super) struct Commands(String);

impl Commands {
    /// Does the list name this command, as a word of its own, in any case?
    pub(super) fn names(&self, command: &str) -> bool {
        let command = command.to_ascii_lowercase();
        self.0.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == command)
    }

    /// The commands that we know by name, of those it names.
    pub(super) fn known(&self) -> Vec<&'static str> {
        COMMANDS.into_iter().filter(|command| self.names(command)).collect()
    }
}

impl Client {
    /// Where tracking can go, found out at most once a day.
    pub(super) async fn discover(&self) -> Result<SinkMode, Failure> {
        let inner = &self.0;
        let now = inner.clock.now();
        let known = inner.discovered.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((since, mode)) = known
            && now.duration_since(since).unsigned_abs() < FRESH_FOR
        {
            return Ok(mode);
        }
        let command = &inner.config.writeback.command;
        let mode = match self.commands().await {
            Ok(commands) if commands.names(command) => SinkMode::Api,
            Ok(_) => SinkMode::Outbox(format!("the store lists no {command} command for orders")),
            Err(failure) if failure.is_retryable() => return Err(failure),
            Err(failure) => {
                SinkMode::Outbox(format!("the store does not list its commands: {}", failure.message))
            }
        };
        *inner.discovered.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, mode.clone()));
        Ok(mode)
    }

    /// The commands for orders that the store offers to this merchant.
    pub(super) async fn commands(&self) -> Result<Commands, Failure> {
        let answer = self.call(DURING, "/Orders", &[]).await?;
        let source = text::decoded(&answer.body);
        let envelope = source.as_ref().map(|source| envelope::open(source, |document, _| document.skip()));
        if let Ok(Ok(Reply::No(refusal))) = envelope {
            self.understood::<()>(DURING, &answer, Ok(Reply::No(refusal)))?;
            return Err(Failure::permanent(DURING, "the store says that there is no such list"));
        }
        if matches!(answer.status, 400 | 404 | 405 | 410) {
            return Err(Failure::permanent(DURING, format!("answered {}", answer.status)));
        }
        if !answer.is_success() {
            self.understood::<()>(DURING, &answer, Ok(Reply::Yes(())))?;
        }
        let commands = Commands(String::from_utf8_lossy(&answer.body).to_ascii_lowercase());
        if commands.names("LIST") && commands.names("READ") {
            return Ok(commands);
        }
        // Any page of words may come with status 200; one that does not even name what is documented is no list.
        let cure = "set writeback.mode to api or outbox if this stays so";
        Err(Failure::retryable(DURING, format!("the answer names neither LIST nor READ; {cure}")))
    }
}
