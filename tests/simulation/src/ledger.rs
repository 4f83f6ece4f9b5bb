//! The ledger behind the ports: the model that the contracts hold, reached over the unreliable network, and
//! held against the rules with every write.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::circuit::Circuit;
use domain::order::Order;
use domain::ports::{Cursor, Due, Inserted, Lease, Ledger, Parked, Saved};
use domain::record::{Entry, Record, Stage};
use domain::{ConnectionId, Failure, OrderId, OrderKey, Token};
use futures_util::FutureExt;
use jiff::Timestamp;
use testkit::model::{Books, ModelLedger};

use crate::build::{Build, Formats};
use crate::coverage::{Fault, Sometimes};
use crate::executor::Process;
use crate::net::{Gone, Net, System};
use crate::rules::Rules;

/// A ledger whose every call is an effect on the network.
pub struct NetLedger {
    /// What is behind it.
    pub model: Arc<ModelLedger>,
    /// The way to it.
    pub net: Net,
    /// What every write is held against.
    pub(crate) rules: Rules,
    /// Who uses it, and which version that is.
    pub(crate) process: Process,
    pub(crate) build: Build,
    /// How the versions read each other's records, where there are two.
    pub(crate) formats: Option<Formats>,
    pub(crate) recent: Recent,
}

/// For how long a read may not see a write, in milliseconds.
const STALE: u64 = 5000;

const SAVE: &str = "ledger: save";

/// The orders that were written within the last seconds, and whether the one that is being read is among them.
#[derive(Clone, Default)]
pub(crate) struct Recent {
    writes: Arc<Mutex<Vec<(u64, OrderKey)>>>,
    reading: Arc<AtomicBool>,
}

impl Recent {
    fn writes(&self) -> MutexGuard<'_, Vec<(u64, OrderKey)>> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrote(&self, key: &OrderKey, now: u64) {
        let mut writes = self.writes();
        writes.retain(|(at, other)| *at + STALE > now && other != key);
        writes.push((now, key.clone()));
    }

    /// This order is read now.
    fn read(&self, key: &OrderKey, now: u64) {
        let recent = self.writes().iter().any(|(at, other)| *at + STALE > now && other == key);
        self.reading.store(recent, Ordering::Relaxed);
    }

    /// May what is being read be the state before the last write?
    pub(crate) fn may_be_stale(&self) -> bool {
        self.reading.load(Ordering::Relaxed)
    }
}

/// The models answer at once.
fn at_once<T>(answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    answer.now_or_never().unwrap_or_else(|| Err(Failure::permanent("model", "did not answer at once")))
}

impl NetLedger {
    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        about: impl FnOnce() -> String + Send,
        apply: impl FnOnce(&ModelLedger) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let model = self.model.clone();
        let answer = self.net.effect(System::Ledger, what, about, move || apply(&model)).await;
        answer.unwrap_or_else(|gone| Err(Failure::retryable(what, format!("{gone:?}"))))
    }

    /// Says which order is read, so that the model knows whether it may be stale.
    fn reading(&self) -> impl Fn(&OrderKey) + Send + use<> {
        let (recent, time) = (self.recent.clone(), self.net.time().clone());
        move |key| recent.read(key, time.millis())
    }

    /// A record as this version reads it.
    fn read(&self, record: Record) -> Result<Record, Failure> {
        match &self.formats {
            Some(formats) => formats.read(self.build, record),
            None => Ok(record),
        }
    }

    async fn save_once(&self, before: &Record, after: &Record) -> Result<Saved, Gone> {
        let about = || format!("{} {} -> {}", after.key, before.stage.word(), after.stage.word());
        let (model, before, after) = (self.model.clone(), without_story(before), after.clone());
        let (rules, wrote, process) = (self.rules.clone(), self.wrote(), self.process);
        let save = move || {
            let saved = save(&model, &rules, process, &before, &after);
            if saved == Saved::Done {
                wrote(&after.key);
            }
            saved
        };
        self.net.effect(System::Ledger, SAVE, about, save).await
    }

    /// A process may freeze at the worst moment: it has claimed, and has not yet sent.
    async fn may_freeze(&self, before: &Record, after: &Record) {
        let (watch, time) = (&self.rules.watch, self.net.time());
        let claims = matches!(after.stage, Stage::Sending(_)) && before.stage != after.stage;
        if claims && watch.strikes(Fault::Freeze) {
            time.freeze(self.process, 61_000 + watch.below(40_000));
            time.pass(1).await;
        }
    }

    fn wrote(&self) -> impl FnOnce(&OrderKey) + Send + use<> {
        let (formats, build) = (self.formats.clone(), self.build);
        let (recent, time) = (self.recent.clone(), self.net.time().clone());
        move |key| {
            recent.wrote(key, time.millis());
            if let Some(formats) = formats {
                formats.wrote(build, key);
            }
        }
    }
}

/// A record as a save needs the one that it replaces: nobody reads its story.
fn without_story(record: &Record) -> Record {
    Record {
        key: record.key.clone(),
        version: record.version,
        written: record.written,
        stage: record.stage.clone(),
        since: record.since,
        imported_at: record.imported_at,
        attempts: record.attempts,
        revision: record.revision,
        digest: None,
        wake: record.wake,
        units: record.units,
        recall: record.recall.clone(),
        replace: record.replace,
        released: record.released.clone(),
        kept: record.kept,
        sent_at: record.sent_at,
        accepted_at: record.accepted_at,
        mapping: record.mapping,
        warehouse_order: record.warehouse_order.clone(),
        packages: record.packages.clone(),
        story: Vec::new(),
        spilled: Vec::new(),
    }
}

/// Replaces a record, and holds what was done against the rules.
fn save(model: &ModelLedger, rules: &Rules, writer: Process, before: &Record, after: &Record) -> Saved {
    let version = |books: &mut Books| books.records.get(&before.key.order).map(|there| there.version);
    let there = model.with(&before.key.connection, version);
    let saved = at_once(model.save(before, after)).unwrap_or(Saved::Conflict(None));
    match &saved {
        Saved::Done if there == Some(before.version) => rules.saved(model, writer, before, after),
        Saved::Done => rules.watch.sometimes(Sometimes::OwnWrite),
        Saved::Conflict(_) => rules.watch.sometimes(Sometimes::LostRace),
    }
    saved
}

#[async_trait]
impl Ledger for NetLedger {
    async fn insert(
        &self,
        record: &Record,
        body: Option<&Order>,
        expires: Timestamp,
    ) -> Result<Inserted, Failure> {
        let key = &record.key;
        let (about, record, body) = (|| key.to_string(), record.clone(), body.cloned());
        let (rules, wrote) = (self.rules.clone(), self.wrote());
        self.call("ledger: insert", about, move |l| {
            let inserted = at_once(l.insert(&record, body.as_ref(), expires))?;
            if inserted == Inserted::New {
                wrote(&record.key);
                rules.inserted(l, &record);
            }
            Ok(inserted)
        })
        .await
    }

    async fn load(&self, key: &OrderKey, strong: bool) -> Result<Option<Record>, Failure> {
        let (about, key) = (|| key.to_string(), key.clone());
        let reading = self.reading();
        let loaded = self.call("ledger: load", about, move |l| {
            reading(&key);
            at_once(l.load(&key, strong))
        });
        let loaded = loaded.await?;
        loaded.map(|record| self.read(record)).transpose()
    }

    async fn open(&self, key: &OrderKey, strong: bool) -> Result<Option<(Record, Option<Order>)>, Failure> {
        let (about, key) = (|| key.to_string(), key.clone());
        let reading = self.reading();
        let opened = self.call("ledger: open", about, move |l| {
            reading(&key);
            at_once(l.open(&key, strong))
        });
        let opened = opened.await?;
        opened.map(|(record, body)| Ok((self.read(record)?, body))).transpose()
    }

    async fn load_many(&self, connection: &ConnectionId, orders: &[OrderId]) -> Result<Vec<Record>, Failure> {
        let (about, connection, orders) =
            (|| format!("{} orders", orders.len()), connection.clone(), orders.to_vec());
        let reading = self.reading();
        let loaded = self.call("ledger: load many", about, move |l| {
            let mut records = Vec::new();
            for order in orders {
                let key = OrderKey::new(connection.clone(), order);
                reading(&key);
                records.extend(at_once(l.load(&key, false))?);
            }
            Ok(records)
        });
        let loaded = loaded.await?;
        loaded.into_iter().map(|record| self.read(record)).collect()
    }

    async fn save(&self, before: &Record, after: &Record) -> Result<Saved, Failure> {
        // Two effects, as in the real adapter: the date first, then the state.
        if let Some(wake) = after.wake.filter(|_| after.wake != before.wake) {
            self.expect(&after.key.connection, wake, &[after.key.order]).await?;
        }
        let mut saved = self.save_once(before, after).await;
        // As the SDK does: a write whose answer is lost is tried once more, and may come across itself.
        if saved == Err(Gone::Unclear) && self.rules.watch.below(2) == 0 {
            saved = self.save_once(before, after).await;
        }
        self.may_freeze(before, after).await;
        match saved.map_err(|gone| Failure::retryable(SAVE, format!("{gone:?}")))? {
            Saved::Conflict(Some(current)) => Ok(Saved::Conflict(Some(Box::new(self.read(*current)?)))),
            saved => Ok(saved),
        }
    }

    async fn revise(&self, key: &OrderKey, body: &Order, expires: Timestamp) -> Result<(), Failure> {
        let (about, key, body) = (|| key.to_string(), key.clone(), body.clone());
        self.call("ledger: revise", about, move |l| at_once(l.revise(&key, &body, expires))).await
    }

    async fn older_story(&self, key: &OrderKey) -> Result<Vec<Entry>, Failure> {
        self.model.older_story(key).await
    }

    async fn scan(
        &self,
        connection: &ConnectionId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<Record>, Failure> {
        self.model.scan(connection, after, limit).await
    }

    async fn expect(
        &self,
        connection: &ConnectionId,
        at: Timestamp,
        orders: &[OrderId],
    ) -> Result<(), Failure> {
        let (about, connection, orders) = (|| at.to_string(), connection.clone(), orders.to_vec());
        self.call("ledger: expect", about, move |l| at_once(l.expect(&connection, at, &orders))).await
    }

    async fn due(
        &self,
        connection: &ConnectionId,
        after: Option<&str>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, Failure> {
        let (connection, after) = (connection.clone(), after.map(str::to_owned));
        self.call("ledger: due", String::new, move |l| {
            at_once(l.due(&connection, after.as_deref(), until, limit))
        })
        .await
    }

    async fn settle(&self, connection: &ConnectionId, due: &Due) -> Result<(), Failure> {
        let (about, connection, due) = (|| due.id.clone(), connection.clone(), due.clone());
        let rules = self.rules.clone();
        self.call("ledger: settle", about, move |l| {
            at_once(l.settle(&connection, &due))?;
            rules.settled(l, &connection, &due);
            Ok(())
        })
        .await
    }

    async fn cursor(&self, connection: &ConnectionId) -> Result<Cursor, Failure> {
        let connection = connection.clone();
        self.call("ledger: cursor", String::new, move |l| at_once(l.cursor(&connection))).await
    }

    async fn lease(&self, connection: &ConnectionId, lease: Lease, now: Timestamp) -> Result<bool, Failure> {
        let connection = connection.clone();
        let watch = self.rules.watch.clone();
        self.call("ledger: lease", String::new, move |l| {
            let free = at_once(l.lease(&connection, lease, now))?;
            if !free {
                watch.sometimes(Sometimes::LeaseBusy);
            }
            Ok(free)
        })
        .await
    }

    async fn move_cursor(
        &self,
        connection: &ConnectionId,
        cursor: &Cursor,
        holder: Token,
    ) -> Result<bool, Failure> {
        let (connection, cursor) = (connection.clone(), cursor.clone());
        let rules = self.rules.clone();
        self.call("ledger: move cursor", String::new, move |l| {
            let moved = at_once(l.move_cursor(&connection, &cursor, holder))?;
            if moved {
                rules.cursor_moved(l, &connection);
            } else {
                rules.watch.sometimes(Sometimes::CursorKept);
            }
            Ok(moved)
        })
        .await
    }

    async fn bookmark(&self, connection: &ConnectionId) -> Result<Option<String>, Failure> {
        let connection = connection.clone();
        self.call("ledger: bookmark", String::new, move |l| at_once(l.bookmark(&connection))).await
    }

    async fn set_bookmark(&self, connection: &ConnectionId, bookmark: &str) -> Result<(), Failure> {
        let (connection, bookmark) = (connection.clone(), bookmark.to_owned());
        self.call("ledger: set bookmark", String::new, move |l| {
            at_once(l.set_bookmark(&connection, &bookmark))
        })
        .await
    }

    async fn circuit(&self, connection: &ConnectionId) -> Result<Circuit, Failure> {
        let connection = connection.clone();
        self.call("ledger: circuit", String::new, move |l| at_once(l.circuit(&connection))).await
    }

    async fn set_circuit(&self, connection: &ConnectionId, circuit: &Circuit) -> Result<bool, Failure> {
        let (connection, circuit) = (connection.clone(), circuit.clone());
        self.call("ledger: set circuit", String::new, move |l| at_once(l.set_circuit(&connection, &circuit)))
            .await
    }

    async fn park(
        &self,
        connection: &ConnectionId,
        parked: &Parked,
        expires: Timestamp,
    ) -> Result<(), Failure> {
        let (connection, parked) = (connection.clone(), parked.clone());
        let watch = self.rules.watch.clone();
        self.call("ledger: park", String::new, move |l| {
            watch.sometimes(Sometimes::Parked);
            at_once(l.park(&connection, &parked, expires))
        })
        .await
    }

    async fn parked(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<Parked>, Failure> {
        self.model.parked(connection, limit).await
    }

    async fn unpark(&self, connection: &ConnectionId, id: &str) -> Result<(), Failure> {
        self.model.unpark(connection, id).await
    }
}
