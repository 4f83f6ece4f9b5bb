//! The lane of the orders that wait for their warehouse. It lets them go at the pace at which the warehouse takes them;
//! whoever may not go yet stays on its date, and the sweep passes by.

use std::time::Duration;

use domain::circuit::{Backlog, Circuit, Taken};
use domain::life::later;
use domain::record::{Record, Stage};
use domain::{ConnectionId, Failure, OrderId};
use jiff::Timestamp;

use crate::Sweep;

/// How far a sweep got.
#[derive(Default)]
pub(crate) struct Walked {
    /// The id of the last date that it looked at.
    pub(crate) last: Option<String>,
    /// Was that the last one that is due?
    pub(crate) finished: bool,
}

/// The lane of one connection in one sweep.
pub(crate) struct Lane<'a> {
    sweep: &'a Sweep,
    connection: &'a ConnectionId,
    /// Read when the first order comes that wants to go: most sweeps meet none.
    open: Option<Open>,
}

struct Open {
    /// When the first order came. The sweep may go on long after the last one was let go.
    at: Timestamp,
    circuit: Circuit,
    /// How many may be let go together from now on, and how many of them still may now.
    window: usize,
    left: usize,
    released: Vec<OrderId>,
    /// Does anybody have to stay?
    stays: bool,
}

impl<'a> Lane<'a> {
    pub(crate) fn new(sweep: &'a Sweep, connection: &'a ConnectionId) -> Self {
        Self { sweep, connection, open: None }
    }

    /// May this order go now? If not it stays where it is.
    pub(crate) async fn admits(&mut self, order: OrderId) -> Result<bool, Failure> {
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(Open::read(self.sweep, self.connection).await?),
        };
        let goes = open.left > 0;
        if goes {
            open.left -= 1;
            open.released.push(order);
        } else {
            open.stays = true;
        }
        Ok(goes)
    }

    /// Up to which date there is nothing more to do: all that is named up to there waits, as on the date `from`.
    pub(crate) fn passes(&self, from: &str) -> Option<String> {
        let open = self.open.as_ref().filter(|open| open.stays)?;
        let passed = &open.circuit.backlog.as_ref()?.passed;
        (passed.as_str() > from).then(|| passed.clone())
    }

    /// Writes down who was let go, and up to which date everything else is done.
    pub(crate) async fn close(self, walked: Walked) -> Result<(), Failure> {
        let Some(open) = self.open else { return Ok(()) };
        let before = open.circuit.backlog.clone();
        let after = open.backlog(walked);
        if before == after {
            return Ok(());
        }
        let mut circuit = open.circuit;
        // Once more, should an order have found out in between whether the warehouse is there.
        for _ in 0..2 {
            circuit.backlog = after.clone();
            if self.sweep.ledger.set_circuit(self.connection, &circuit).await? {
                break;
            }
            circuit = self.sweep.ledger.circuit(self.connection).await?;
        }
        Ok(())
    }
}

impl Open {
    async fn read(sweep: &Sweep, connection: &ConnectionId) -> Result<Self, Failure> {
        let at = sweep.clock.now();
        let mut circuit = sweep.ledger.circuit(connection).await?;
        let released = circuit.backlog.as_ref().map_or(&[][..], |backlog| &backlog.released);
        let records = sweep.ledger.load_many(connection, released).await?;
        let taken = taken(&records, at);
        if circuit.away.is_some() && records.iter().any(|record| record.stage.is_sent()) {
            // The probe has got through, and whoever sent it did not know that it was one.
            let closed = circuit.closed();
            if sweep.ledger.set_circuit(connection, &closed).await? {
                circuit = Circuit { version: closed.version + 1, ..closed };
            }
        }
        let (window, left) = circuit.allowance(at, taken);
        Ok(Self { at, circuit, window, left, released: Vec::new(), stays: false })
    }

    /// The backlog after this sweep; none once nobody has to stay.
    fn backlog(&self, walked: Walked) -> Option<Backlog> {
        let known = self.circuit.backlog.as_ref();
        if !self.stays && (walked.finished || known.is_none()) {
            return None;
        }
        let passed = known.map(|backlog| backlog.passed.clone()).max(walked.last).unwrap_or_default();
        Some(match known.filter(|_| self.released.is_empty()) {
            Some(known) => Backlog { passed, ..known.clone() },
            None => {
                Backlog { passed, window: self.window, released_at: self.at, released: self.released.clone() }
            }
        })
    }
}

/// What became of the orders that were let go last.
fn taken(records: &[Record], now: Timestamp) -> Taken {
    let is_waiting = |record: &&Record| match &record.stage {
        Stage::Ready { not_before } => not_before.is_none_or(|start| start <= now),
        Stage::Sending(claim) => claim.until > now,
        _ => false,
    };
    let waiting = records.iter().filter(is_waiting).count();
    let arrived = records.iter().filter(|record| record.stage.is_sent());
    Taken { waiting, last: arrived.map(|record| record.since).max() }
}

/// The date right after `at`: what stays of an entry whose other orders go on.
pub(crate) fn right_after(at: Timestamp) -> Timestamp {
    later(at, Duration::from_nanos(1))
}
