//! A warehouse that is away is not asked, but for one probe at a time. Nobody is told so in advance: a process learns it
//! when an order fails, and remembers it for as long as it lives. So an order that goes well costs nothing more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::circuit::{Away, Circuit};
use domain::life::later;
use domain::warehouse::Creation;
use domain::{ConnectionId, Failure, OrderId, OrderKey};
use jiff::Timestamp;

use crate::{ForwardOrders, QUEUE_RETRIES};

/// After so many different orders have failed, with nothing that went well between them, the warehouse is away.
const ORDERS: usize = 10;

/// How long what was read is believed.
const FRESH: Duration = Duration::from_secs(30);

/// How long the others of a process wait for the one that reads it again.
const READING: Duration = Duration::from_secs(5);

/// An outage with fewer probes than this is short: its messages wait on the queue.
const SHORT: u32 = 2;

/// What one process has seen of the warehouses. Make one per process.
pub struct Circuits {
    orders: usize,
    seen: Mutex<BTreeMap<ConnectionId, Seen>>,
}

#[derive(Default)]
struct Seen {
    /// Orders that failed since the last one that went well.
    failed: BTreeSet<OrderId>,
    /// The warehouse's absence, and until when that is believed without looking again.
    away: Option<(Away, Timestamp)>,
}

/// What a process believes of a warehouse.
enum Belief {
    There,
    Away(Away),
    /// It was away; it is time to look again.
    Unsure,
}

impl Default for Circuits {
    fn default() -> Self {
        Self::after(ORDERS)
    }
}

impl Circuits {
    /// Nothing seen yet. After so many different orders have failed, a warehouse is away.
    #[must_use]
    pub fn after(orders: usize) -> Self {
        Self { orders, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_away(&self, id: &ConnectionId) -> bool {
        self.seen().get(id).is_some_and(|seen| seen.away.is_some())
    }

    /// What is believed. Only one of those who ask at the same time is told to look again.
    fn belief(&self, id: &ConnectionId, now: Timestamp) -> Belief {
        let mut seen = self.seen();
        match seen.get_mut(id).and_then(|seen| seen.away.as_mut()) {
            None => Belief::There,
            Some((away, until)) if now < *until => Belief::Away(away.clone()),
            Some((_, until)) => {
                *until = later(now, READING);
                Belief::Unsure
            }
        }
    }

    /// Remembers what was read, as long as it says that the warehouse is away.
    fn keep(&self, id: &ConnectionId, circuit: &Circuit, now: Timestamp) {
        let away = circuit.away.clone().map(|away| {
            let until = away.probe_at.min(later(now, FRESH));
            (away, until)
        });
        self.seen().entry(id.clone()).or_default().away = away;
    }

    /// An order went well.
    fn well(&self, id: &ConnectionId) {
        if let Some(seen) = self.seen().get_mut(id) {
            seen.failed.clear();
        }
    }

    /// An order failed. Have enough of them?
    fn failed(&self, key: &OrderKey) -> bool {
        let mut seen = self.seen();
        let failed = &mut seen.entry(key.connection.clone()).or_default().failed;
        failed.insert(key.order);
        failed.len() >= self.orders
    }
}

/// May the warehouse be asked?
pub(crate) enum Leave {
    /// It is there, as far as this process knows.
    Granted,
    /// It is away and is to be probed: by this order, if nobody else is faster.
    Probe(Circuit),
    /// It is away.
    Refused(Away),
}

/// What an answer of the warehouse says about itself: it is there, or it failed, and asked to be left alone for so long.
pub(crate) type Heard = Result<(), Option<Duration>>;

/// What came of a create, as far as the warehouse itself goes.
pub(crate) fn heard(created: &Creation) -> Heard {
    match created {
        Creation::Accepted(_) | Creation::Duplicate(_) | Creation::Refused(_) => Ok(()),
        Creation::NotApplied(failure) | Creation::Unclear(failure) => Err(failure.wait()),
    }
}

impl ForwardOrders {
    /// May the warehouse be asked about an order? As long as nothing has failed this reads nothing, and as long as it is
    /// known to be away hardly anything.
    pub(crate) async fn leave(&self, id: &ConnectionId) -> Result<Leave, Failure> {
        let now = self.clock.now();
        match self.circuits.belief(id, now) {
            Belief::There => return Ok(Leave::Granted),
            Belief::Away(away) => return Ok(Leave::Refused(away)),
            Belief::Unsure => {}
        }
        let circuit = self.ledger.circuit(id).await?;
        Ok(match &circuit.away {
            Some(away) if away.probe_at <= now => Leave::Probe(circuit),
            _ => self.told(id, &circuit),
        })
    }

    fn told(&self, id: &ConnectionId, circuit: &Circuit) -> Leave {
        self.circuits.keep(id, circuit, self.clock.now());
        circuit.away.clone().map_or(Leave::Granted, Leave::Refused)
    }

    /// Takes the probe. None: it is ours. Otherwise somebody was faster, and what is known now.
    pub(crate) async fn take_probe(
        &self,
        id: &ConnectionId,
        circuit: &Circuit,
    ) -> Result<Option<Away>, Failure> {
        let probing = circuit.probing(self.clock.now(), &self.pace, self.dice.token());
        if self.ledger.set_circuit(id, &probing).await? {
            self.circuits.keep(id, &probing, self.clock.now());
            return Ok(None);
        }
        match self.told(id, &self.ledger.circuit(id).await?) {
            Leave::Refused(away) => Ok(Some(away)),
            _ => Ok(None),
        }
    }

    /// What becomes of a message whose warehouse is away. Short outages are waited out on the queue; in long ones the
    /// message is done with, and the order's own date brings it back.
    pub(crate) fn wait_for(&self, away: &Away, count: u32) -> Result<(), Failure> {
        if away.probes >= SHORT || count >= QUEUE_RETRIES {
            return Ok(());
        }
        let wait = Duration::try_from(away.probe_at.duration_since(self.clock.now())).unwrap_or_default();
        let spread = Duration::from_millis(self.dice.token().0 % 5000);
        Err(Failure::retryable("forward order", "the warehouse is away").after(Some(wait + spread)))
    }

    /// Draws the conclusions from an answer of the warehouse, or from its silence. They only save requests: where the
    /// ledger cannot take them, the next order comes to the same.
    pub(crate) async fn conclude_from(&self, key: &OrderKey, heard: Heard) {
        let concluded = match heard {
            Ok(()) => self.is_there(&key.connection).await,
            Err(asked) => self.is_silent(key, asked).await,
        };
        drop(concluded);
    }

    async fn is_there(&self, id: &ConnectionId) -> Result<(), Failure> {
        self.circuits.well(id);
        if !self.circuits.is_away(id) {
            return Ok(());
        }
        // Once more, should the sweep have written in between.
        for _ in 0..2 {
            let circuit = self.ledger.circuit(id).await?;
            if circuit.away.is_none() || self.ledger.set_circuit(id, &circuit.closed()).await? {
                break;
            }
        }
        self.circuits.keep(id, &Circuit::default(), self.clock.now());
        Ok(())
    }

    async fn is_silent(&self, key: &OrderKey, asked: Option<Duration>) -> Result<(), Failure> {
        let id = &key.connection;
        let enough = self.circuits.failed(key);
        if self.circuits.is_away(id) {
            return Ok(());
        }
        let circuit = self.ledger.circuit(id).await?;
        let (now, jitter) = (self.clock.now(), self.dice.token());
        let next = match &circuit.away {
            // Nobody had told this process, so this was a probe.
            Some(away) if away.probe_at <= now => circuit.probing(now, &self.pace, jitter),
            None if enough => circuit.opened(now, &self.pace, jitter, asked),
            _ => {
                self.circuits.keep(id, &circuit, now);
                return Ok(());
            }
        };
        let is_ours = self.ledger.set_circuit(id, &next).await?;
        let known = if is_ours { next } else { self.ledger.circuit(id).await? };
        self.circuits.keep(id, &known, now);
        Ok(())
    }
}
