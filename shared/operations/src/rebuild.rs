//! After a ledger was lost: which orders an earlier one may have sent, what became of them, and what a person may decide.

use domain::connection::{Connection, History};
use domain::life::{Stamp, Step};
use domain::ports::{Clock, Ledger, Randomness, Saved};
use domain::record::{Cause, Record, Stage};
use domain::{Failure, OrderKey};
use jiff::Timestamp;
use serde::Serialize;

use crate::scan;
use crate::text::{Style, count, moment, pairs};

/// Where a connection stands after its ledger was rebuilt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// Its id.
    pub connection: String,
    /// How far its ledger is.
    pub state: &'static str,
    /// All orders.
    pub orders: u64,
    /// Found at the warehouse: not sent again.
    pub found: u64,
    /// Not at the warehouse, or safe to send again: sent by the next run.
    pub to_send: u64,
    /// Still to be asked about, by the next run.
    pub to_ask: u64,
    /// When the last of those can be asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask_from: Option<Timestamp>,
    /// May have been sent, and the warehouse cannot be asked: held for a person, never sent by itself.
    pub held_as_doubtful: u64,
    /// All the others: held for another cause, excluded, waiting, cancelled.
    pub others: u64,
}

impl Rebuilt {
    fn note(&mut self, record: &Record) {
        self.orders += 1;
        let counter = match &record.stage {
            Stage::Held(Cause::OlderThanLedger) => &mut self.held_as_doubtful,
            Stage::InDoubt { ask_at } => {
                self.ask_from = self.ask_from.max(Some(*ask_at));
                &mut self.to_ask
            }
            Stage::Ready { .. } | Stage::Sending(_) => &mut self.to_send,
            stage if stage.is_sent() || record.warehouse_order.is_some() => &mut self.found,
            _ => &mut self.others,
        };
        *counter += 1;
    }

    /// Must a person look?
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        self.held_as_doubtful > 0
    }

    /// The outcome for people; `who` does what is left to do.
    #[must_use]
    pub fn text(&self, who: &str, now: Timestamp, style: Style) -> String {
        let mut rows = vec![
            ("orders", self.orders.to_string()),
            ("at the warehouse", format!("{}, not sent again", self.found)),
            ("to be sent", format!("{}, by {who}", self.to_send)),
        ];
        if let (1.., Some(at)) = (self.to_ask, self.ask_from) {
            rows.push(("to be asked about", format!("{}, by {who}, {}", self.to_ask, moment(at, now))));
        }
        if self.held_as_doubtful > 0 {
            let what = count(self.held_as_doubtful, "order", "orders");
            rows.push((
                "held",
                format!(
                    "{what} that may have been sent, and this warehouse cannot be asked: a person looks there"
                ),
            ));
            rows.push(("if nothing was sent", format!("cartdock rebuild {} --new", self.connection)));
        }
        rows.push(("others", format!("{}: cartdock status {}", self.others, self.connection)));
        format!("{}{}", style.heading(&format!("{}: {}", self.connection, self.state)), pairs(&rows, style))
    }
}

/// What a ledger is to know of the time before it, now that it is to be rebuilt: the beginning of that, or its
/// continuation. `lost_at` is when the earlier one was lost, where a person can say it; `is_new` says that there was none.
#[must_use]
pub fn history(known: History, lost_at: Option<Timestamp>, is_new: bool) -> History {
    match known {
        _ if is_new => History::Known { since: Timestamp::UNIX_EPOCH },
        History::Known { .. } => known,
        History::Rebuilding { lost_at: earlier } => History::Rebuilding { lost_at: lost_at.or(earlier) },
        History::Unknown => History::Rebuilding { lost_at },
    }
}

/// Counts where the orders of a connection stand.
///
/// # Errors
/// Those of the ledger.
pub async fn report(ledger: &dyn Ledger, connection: &Connection) -> Result<Rebuilt, Failure> {
    let state = if connection.is_complete() {
        "the ledger is rebuilt"
    } else {
        "the ledger is being rebuilt: the store is read from the start date on, and nothing is sent before its end"
    };
    let mut rebuilt = Rebuilt { connection: connection.id.to_string(), state, ..Rebuilt::default() };
    scan::each(ledger, &connection.id, |record| rebuilt.note(record)).await?;
    Ok(rebuilt)
}

/// The orders that an earlier ledger may have sent and that nobody has asked about yet.
///
/// # Errors
/// Those of the ledger.
pub async fn to_ask(ledger: &dyn Ledger, connection: &Connection) -> Result<Vec<OrderKey>, Failure> {
    let mut keys = Vec::new();
    scan::each(ledger, &connection.id, |record| {
        if record.attempts == 0 && matches!(record.stage, Stage::InDoubt { .. }) {
            keys.push(record.key.clone());
        }
    })
    .await?;
    Ok(keys)
}

/// A person says that nothing was ever sent for this connection: what was held or in doubt for that reason alone is to be
/// sent. Says how many orders that are.
///
/// # Errors
/// Those of the ledger.
pub async fn release(
    ledger: &dyn Ledger,
    clock: &dyn Clock,
    dice: &dyn Randomness,
    connection: &Connection,
) -> Result<u64, Failure> {
    let mut doubtful = Vec::new();
    scan::each(ledger, &connection.id, |record| {
        let in_doubt = record.attempts == 0 && matches!(record.stage, Stage::InDoubt { .. });
        if in_doubt || record.stage == Stage::Held(Cause::OlderThanLedger) {
            doubtful.push(record.clone());
        }
    })
    .await?;
    let mut released = 0;
    for record in doubtful {
        let stamp = Stamp { by: "a person", at: clock.now(), token: dice.token() };
        let step = Step::SendAgain("a person said that nothing was sent before");
        let Ok(next) = record.step(step, stamp) else { continue };
        released += u64::from(ledger.save(&record, &next).await? == Saved::Done);
    }
    Ok(released)
}
