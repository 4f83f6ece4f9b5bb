//! What a person does with one order: let it go, hold it, leave it out, cancel it, settle it, try it again.
//!
//! Every action goes through the same steps and the same conditional write as the functions: pressed twice, or beside a
//! function that is at work on the order, it cannot send anything a second time.

use std::fmt;

use domain::connection::Connection;
use domain::intake::{Intake, body_of, expires};
use domain::life::{SOON, Stamp, Step, described, later};
use domain::order::Order;
use domain::ports::{Clock, Connections, Ledger, Mappings, Partners, Randomness, Read, Saved};
use domain::record::{Record, Stage};
use domain::{Failure, OrderKey, WarehouseOrderId};
use serde::Serialize;

use crate::text::{Cell, Style, Table, Tone, wrap};

mod ruling;
pub use ruling::Refusal;

/// How often a record that others keep changing is tried again.
const TRIES: u32 = 5;

/// What a person wants done with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send it, although something asked for a person.
    Release,
    /// Keep it until a person releases it.
    Hold,
    /// Never send it.
    Exclude,
    /// Take it back, at the warehouse too where it has it.
    Cancel,
    /// Settle what only a look into the warehouse can settle.
    Resolve(Resolution),
    /// Try it again now, by the same rules as before.
    Replay,
}

/// What a person found in the warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// It has the order, and that is right; its id of it, where it was not known.
    There(Option<WarehouseOrderId>),
    /// It does not have it: it is sent.
    NotThere,
    /// It does not have it any more, and is to get it as it is in the store now, under a new reference.
    Anew,
    /// It does not have it, or will not ship it, and it is not to be sent.
    Cancelled,
}

impl Action {
    /// Its word, as it is typed.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Hold => "hold",
            Self::Exclude => "exclude",
            Self::Cancel => "cancel",
            Self::Resolve(_) => "resolve",
            Self::Replay => "replay",
        }
    }
}

/// Whoever acts, and what with.
pub struct Hand<'a> {
    /// Which connections there are.
    pub connections: &'a dyn Connections,
    /// Their stores and warehouses.
    pub partners: &'a dyn Partners,
    /// The truth.
    pub ledger: &'a dyn Ledger,
    /// Shop words to warehouse words.
    pub mappings: &'a dyn Mappings,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Names for writes.
    pub dice: &'a dyn Randomness,
    /// Who it is, for the story.
    pub by: &'a str,
    /// Why, for the story; empty when nothing was said.
    pub note: &'a str,
}

/// What came of an action on one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Acted {
    /// Which order.
    pub order: String,
    /// What was wanted.
    pub action: &'static str,
    /// The word of the stage that it was in.
    pub was: &'static str,
    /// The word of the stage that it is in now.
    pub is: &'static str,
    /// Was, or would, anything be done?
    pub done: bool,
    /// What was done, or why not.
    pub what: String,
    /// What to type instead, where it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

/// What would be done, before anything is written.
struct Planned {
    step: Option<Step>,
    /// The order as the store has it now, to be kept as its body.
    body: Option<Order>,
    what: &'static str,
}

impl Hand<'_> {
    /// Says what the action would do, and changes nothing.
    ///
    /// # Errors
    /// Those of the ledger, the store and the mappings.
    pub async fn preview(&self, record: &Record, action: &Action) -> Result<Acted, Failure> {
        let connection = self.connection(&record.key).await?;
        Ok(match self.plan(&connection, record, action).await? {
            Ok(planned) => Acted::done(record, record, action, planned.what),
            Err(refusal) => Acted::refused(record, action, refusal),
        })
    }

    /// Does it.
    ///
    /// # Errors
    /// Those of the ledger, the store and the mappings; retryable when others keep changing the order. A failing ledger may
    /// have written it all the same: doing it again is harmless, and says so.
    pub async fn act(&self, key: &OrderKey, action: &Action) -> Result<Acted, Failure> {
        let connection = self.connection(key).await?;
        for _ in 0..TRIES {
            let record = self.ledger.load(key, true).await?;
            let record = record.ok_or_else(|| {
                Failure::permanent("act on order", format!("order {key} is no longer in the ledger"))
            })?;
            let planned = match self.plan(&connection, &record, action).await? {
                Ok(planned) => planned,
                Err(refusal) => return Ok(Acted::refused(&record, action, refusal)),
            };
            let (what, wants_cancel) = (planned.what, matches!(planned.step, Some(Step::Recall(_))));
            let Some(next) = self.write(&connection, &record, planned).await? else { continue };
            let next = if wants_cancel { self.ask_to_cancel(&connection, next).await } else { next };
            return Ok(Acted::done(&record, &next, action, what));
        }
        Err(Failure::retryable("act on order", format!("order {key} is being changed by others; try again")))
    }

    async fn connection(&self, key: &OrderKey) -> Result<Connection, Failure> {
        let unknown = || {
            let why =
                format!("there is no connection {} in the ledger; cartdock run puts it in", key.connection);
            Failure::permanent("act on order", why)
        };
        self.connections.get(&key.connection).await?.ok_or_else(unknown)
    }

    async fn plan(
        &self,
        connection: &Connection,
        record: &Record,
        action: &Action,
    ) -> Result<Result<Planned, Refusal>, Failure> {
        let read = match ruling::needs_the_store(record, action) {
            true => Some(self.read(connection, record).await?),
            false => None,
        };
        let mapping = self.mappings.current(&connection.id).await?;
        let view = ruling::View {
            record,
            connection,
            mapping: &mapping,
            read: read.as_ref(),
            now: self.clock.now(),
            by: self.by,
        };
        Ok(view.rule(action).map(|step| {
            let is_sent_later = !matches!(step, Some(Step::Admit(..) | Step::Cancel(_) | Step::Recall(_)));
            let body = read.as_ref().and_then(body_of).filter(|_| is_sent_later).cloned();
            Planned { what: ruling::outcome(record, action, step.as_ref()), step, body }
        }))
    }

    async fn read(&self, connection: &Connection, record: &Record) -> Result<Read, Failure> {
        let store = self.partners.store(connection).await?;
        store.orders.read(&record.key.order.to_string()).await
    }

    /// Writes what was planned. None: somebody else was faster.
    async fn write(
        &self,
        connection: &Connection,
        record: &Record,
        planned: Planned,
    ) -> Result<Option<Record>, Failure> {
        let (ledger, key, now) = (self.ledger, &record.key, self.clock.now());
        if let Some(order) = &planned.body {
            ledger.revise(key, order, expires(connection, now)).await?;
        }
        let Some(step) = planned.step else {
            ledger.expect(&connection.id, now, &[key.order]).await?;
            return Ok(Some(record.clone()));
        };
        let stamp = Stamp { by: self.by, at: now, token: self.dice.token() };
        let mut next =
            record.step(step, stamp).map_err(|e| Failure::permanent("act on order", e.to_string()))?;
        if let Some(entry) = next.story.last_mut().filter(|_| !self.note.is_empty()) {
            entry.what = format!("{} ({})", entry.what.as_str(), self.note).into();
        }
        if matches!(next.stage, Stage::Ready { .. }) || next.stage.is_sent() {
            next.wake = Some(now);
        }
        // The first date is there before the order relies on it, and no sweep can take it off too early. The second one
        // makes it go now; should it get lost, the first one is left.
        let dates = [later(now, SOON), next.wake.unwrap_or(now)];
        ledger.expect(&connection.id, dates[0].max(dates[1]), &[key.order]).await?;
        match ledger.save(record, &next).await? {
            Saved::Done => {
                ledger.expect(&connection.id, self.clock.now(), &[key.order]).await?;
                Ok(Some(next))
            }
            Saved::Conflict(_) => Ok(None),
        }
    }

    /// Asks the warehouse at once. Should that fail, the next look asks it: the wish is in the record.
    async fn ask_to_cancel(&self, connection: &Connection, record: Record) -> Record {
        let intake = Intake { ledger: self.ledger, clock: self.clock, dice: self.dice, by: "a person" };
        let looked = intake.take_back(connection, record.clone(), self.partners).await;
        looked.map_or(record, |looked| looked.record)
    }
}

impl Acted {
    fn done(record: &Record, next: &Record, action: &Action, what: &str) -> Self {
        let what = match (action, next.stage.word()) {
            (Action::Cancel, "cancelled") if record.stage.is_sent() => {
                "cancelled by the warehouse".to_owned()
            }
            (Action::Cancel, "held") => described(&next.stage),
            _ => what.to_owned(),
        };
        Self {
            order: record.key.to_string(),
            action: action.word(),
            was: record.stage.word(),
            is: next.stage.word(),
            done: true,
            what,
            instead: None,
        }
    }

    /// What could not even be looked at.
    #[must_use]
    pub fn failed(key: &OrderKey, action: &Action, failure: &Failure) -> Self {
        Self {
            order: key.to_string(),
            action: action.word(),
            was: "?",
            is: "?",
            done: false,
            what: failure.to_string(),
            instead: None,
        }
    }

    fn refused(record: &Record, action: &Action, refusal: Refusal) -> Self {
        Self {
            order: record.key.to_string(),
            action: action.word(),
            was: record.stage.word(),
            is: record.stage.word(),
            done: false,
            what: refusal.why,
            instead: refusal.instead,
        }
    }
}

/// What came of an action, for people.
#[must_use]
pub fn text(acted: &[Acted], style: Style) -> String {
    let mut table = Table::new(&["ORDER", "WAS", "NOW", "WHAT"]);
    for one in acted {
        let tone = if one.done { Tone::Plain } else { Tone::Bad };
        table.row([
            one.order.as_str().into(),
            one.was.into(),
            one.is.into(),
            Cell::toned(one.what.as_str(), tone),
        ]);
    }
    let mut out = table.text(style);
    let mut told: Vec<&str> = Vec::new();
    for instead in acted.iter().filter_map(|one| one.instead.as_deref()) {
        if !told.contains(&instead) {
            told.push(instead);
            for line in wrap(&format!("instead: {instead}"), style.width) {
                out.push_str(&format!("{line}\n"));
            }
        }
    }
    out
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}
