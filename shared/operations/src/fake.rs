//! The smallest ledger, mappings and connections that the tests here need: a list in memory, read only where that is enough.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::carrier::{Carrier, Tracking, TrackingNumber};
use domain::circuit::Circuit;
use domain::connection::{Connection, History, Schedule};
use domain::mapping::{Change, Mapping};
use domain::notes::{Daily, Mark, Notes, Told};
use domain::order::Order;
use domain::policy::Policies;
use domain::ports::{Connections, Cursor, Due, Inserted, Lease, Ledger, Mappings, Parked, Saved};
use domain::record::{Entry, Record, Stage};
use domain::shipment::{Contents, Package, Post};
use domain::{ConnectionId, Failure, OrderId, OrderKey, PackageId, Token, WarehouseOrderId};
use jiff::{SignedDuration, Timestamp};

pub(crate) fn now() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

pub(crate) fn connection(id: &str) -> Connection {
    Connection {
        id: id.parse().unwrap(),
        name: format!("Shop {id}"),
        enabled: true,
        store: BTreeMap::new(),
        warehouse: BTreeMap::new(),
        policies: Policies::default(),
        schedule: Schedule::default(),
        history: History::Known { since: Timestamp::UNIX_EPOCH },
    }
}

/// An order of `main` that has stood at its stage for so many seconds.
pub(crate) fn record(order: u64, stage: Stage, seconds: i64) -> Record {
    let since = now() - SignedDuration::from_secs(seconds);
    let sent = stage.is_sent();
    Record {
        key: OrderKey::new("main".parse().unwrap(), OrderId(order)),
        version: 1,
        written: Token(1),
        stage,
        since,
        imported_at: since,
        attempts: u32::from(sent),
        revision: 0,
        digest: None,
        wake: None,
        units: 2,
        mapping: 3,
        recall: None,
        replace: false,
        released: None,
        kept: false,
        sent_at: sent.then_some(since),
        accepted_at: sent.then_some(since),
        warehouse_order: sent.then(|| WarehouseOrderId::parse(format!("WH-{order}")).unwrap()),
        packages: Vec::new(),
        story: vec![Entry { seq: 0, at: since, by: "poll-orders".into(), what: "imported: ready".into() }],
        spilled: Vec::new(),
    }
}

/// An order with one package per post.
pub(crate) fn shipped(order: u64, stage: Stage, posts: &[Post]) -> Record {
    let package = |(n, post): (usize, &Post)| Package {
        id: PackageId::parse(format!("P{n}")).unwrap(),
        tracking: Some(Tracking {
            carrier: Carrier::read("UPS"),
            number: TrackingNumber::read(&format!("1Z{order}{n}")).unwrap(),
            given_url: None,
        }),
        shipped_at: now(),
        contents: Contents::Everything,
        voided: false,
        post: post.clone(),
        earlier: Vec::new(),
    };
    Record { packages: posts.iter().enumerate().map(package).collect(), ..record(order, stage, 60) }
}

#[derive(Default)]
pub(crate) struct FakeLedger {
    pub(crate) records: BTreeMap<OrderKey, Record>,
    pub(crate) bodies: BTreeMap<OrderKey, Order>,
    pub(crate) older: Vec<Entry>,
    pub(crate) circuit: Circuit,
    parked: Vec<Parked>,
}

impl FakeLedger {
    pub(crate) fn with(records: impl IntoIterator<Item = Record>) -> Self {
        let records = records.into_iter().map(|record| (record.key.clone(), record)).collect();
        Self { records, ..Self::default() }
    }

    pub(crate) fn keep_parked(&mut self, id: &str, why: &str) {
        self.parked.push(Parked { id: id.into(), at: now(), why: why.into(), raw: Vec::new() });
    }
}

fn not_here<T>() -> Result<T, Failure> {
    Err(Failure::permanent("fake", "not in this fake"))
}

#[async_trait]
impl Ledger for FakeLedger {
    async fn insert(&self, _: &Record, _: Option<&Order>, _: Timestamp) -> Result<Inserted, Failure> {
        not_here()
    }
    async fn load(&self, key: &OrderKey, _: bool) -> Result<Option<Record>, Failure> {
        Ok(self.records.get(key).cloned())
    }
    async fn open(&self, key: &OrderKey, _: bool) -> Result<Option<(Record, Option<Order>)>, Failure> {
        Ok(self.records.get(key).map(|record| (record.clone(), self.bodies.get(key).cloned())))
    }
    async fn load_many(&self, _: &ConnectionId, _: &[OrderId]) -> Result<Vec<Record>, Failure> {
        not_here()
    }
    async fn save(&self, _: &Record, _: &Record) -> Result<Saved, Failure> {
        not_here()
    }
    async fn revise(&self, _: &OrderKey, _: &Order, _: Timestamp) -> Result<(), Failure> {
        not_here()
    }
    async fn older_story(&self, _: &OrderKey) -> Result<Vec<Entry>, Failure> {
        Ok(self.older.clone())
    }
    async fn scan(
        &self,
        connection: &ConnectionId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<Record>, Failure> {
        let mine = self.records.values().filter(|record| record.key.connection == *connection);
        let rest = mine.filter(|record| after.is_none_or(|after| record.key.order > after));
        Ok(rest.take(limit).cloned().collect())
    }
    async fn expect(&self, _: &ConnectionId, _: Timestamp, _: &[OrderId]) -> Result<(), Failure> {
        not_here()
    }
    async fn due(
        &self,
        _: &ConnectionId,
        _: Option<&str>,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<Due>, Failure> {
        not_here()
    }
    async fn circuit(&self, _: &ConnectionId) -> Result<Circuit, Failure> {
        Ok(self.circuit.clone())
    }
    async fn set_circuit(&self, _: &ConnectionId, _: &Circuit) -> Result<bool, Failure> {
        not_here()
    }
    async fn settle(&self, _: &ConnectionId, _: &Due) -> Result<(), Failure> {
        not_here()
    }
    async fn cursor(&self, _: &ConnectionId) -> Result<Cursor, Failure> {
        Ok(Cursor { version: 1, position: Some(now() - SignedDuration::from_secs(120)), seen: Vec::new() })
    }
    async fn lease(&self, _: &ConnectionId, _: Lease, _: Timestamp) -> Result<bool, Failure> {
        not_here()
    }
    async fn move_cursor(&self, _: &ConnectionId, _: &Cursor, _: Token) -> Result<bool, Failure> {
        not_here()
    }
    async fn bookmark(&self, _: &ConnectionId) -> Result<Option<String>, Failure> {
        not_here()
    }
    async fn set_bookmark(&self, _: &ConnectionId, _: &str) -> Result<(), Failure> {
        not_here()
    }
    async fn park(&self, _: &ConnectionId, _: &Parked, _: Timestamp) -> Result<(), Failure> {
        not_here()
    }
    async fn parked(&self, _: &ConnectionId, limit: usize) -> Result<Vec<Parked>, Failure> {
        Ok(self.parked.iter().take(limit).cloned().collect())
    }
    async fn unpark(&self, _: &ConnectionId, _: &str) -> Result<(), Failure> {
        not_here()
    }
}

pub(crate) struct FakeConnections(pub(crate) Vec<Connection>);

#[async_trait]
impl Connections for FakeConnections {
    async fn all(&self) -> Result<Vec<Connection>, Failure> {
        Ok(self.0.clone())
    }
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        Ok(self.0.iter().find(|connection| connection.id == *id).cloned())
    }
    async fn put(&self, _: &Connection) -> Result<(), Failure> {
        not_here()
    }
    async fn swap(&self, _: &Connection, _: &Connection) -> Result<bool, Failure> {
        not_here()
    }
}

#[derive(Default)]
pub(crate) struct FakeMappings {
    pub(crate) mapping: Mutex<Mapping>,
    pub(crate) changes: Mutex<Vec<Change>>,
    /// Every version, oldest first.
    pub(crate) versions: Mutex<Vec<Mapping>>,
    /// Somebody else changes the mapping before our change arrives, so many times.
    pub(crate) races: Mutex<u32>,
}

#[async_trait]
impl Mappings for FakeMappings {
    async fn current(&self, _: &ConnectionId) -> Result<Arc<Mapping>, Failure> {
        Ok(Arc::new(self.mapping.lock().unwrap().clone()))
    }
    async fn replace(&self, _: &ConnectionId, mapping: &Mapping, change: &Change) -> Result<bool, Failure> {
        let mut current = self.mapping.lock().unwrap();
        let mut races = self.races.lock().unwrap();
        if *races > 0 {
            *races -= 1;
            current.version += 1;
        }
        let fits = mapping.version == current.version + 1;
        if fits {
            *current = mapping.clone();
            self.versions.lock().unwrap().push(mapping.clone());
            self.changes.lock().unwrap().push(change.clone());
        }
        Ok(fits)
    }
    async fn at(&self, _: &ConnectionId, version: u64) -> Result<Option<Arc<Mapping>>, Failure> {
        if version == 0 {
            return Ok(Some(Arc::default()));
        }
        let versions = self.versions.lock().unwrap();
        Ok(versions.iter().find(|mapping| mapping.version == version).cloned().map(Arc::new))
    }
    async fn history(&self, _: &ConnectionId, limit: usize) -> Result<Vec<(u64, Change)>, Failure> {
        let versions = self.versions.lock().unwrap();
        let changes = self.changes.lock().unwrap();
        let all = versions.iter().zip(changes.iter()).rev().take(limit);
        Ok(all.map(|(mapping, change)| (mapping.version, change.clone())).collect())
    }
}

/// Notes in memory.
#[derive(Default)]
pub(crate) struct FakeNotes {
    pub(crate) daily: Option<Daily>,
    pub(crate) marks: Mutex<Vec<Mark>>,
    /// Somebody else says something before our mark arrives, so many times.
    pub(crate) races: Mutex<u32>,
}

#[async_trait]
impl Notes for FakeNotes {
    async fn daily(&self, _: &ConnectionId) -> Result<Option<Daily>, Failure> {
        Ok(self.daily.clone())
    }
    async fn set_daily(&self, _: &ConnectionId, _: &Daily) -> Result<(), Failure> {
        not_here()
    }
    async fn marks(&self, _: &ConnectionId) -> Result<Vec<Mark>, Failure> {
        Ok(self.marks.lock().unwrap().clone())
    }
    async fn set_mark(&self, _: &ConnectionId, mark: &Mark) -> Result<bool, Failure> {
        let (mut marks, mut races) = (self.marks.lock().unwrap(), self.races.lock().unwrap());
        let known = marks.iter().position(|known| known.issue == mark.issue);
        let current = known.map(|at| marks.remove(at)).unwrap_or_default();
        let is_raced = *races > 0 || current.version != mark.version;
        *races = races.saturating_sub(1);
        let kept = if is_raced { current } else { mark.clone() };
        marks.push(Mark { issue: mark.issue.clone(), version: kept.version + 1, ..kept });
        Ok(!is_raced)
    }
    async fn told(&self, _: &ConnectionId) -> Result<Option<Told>, Failure> {
        Ok(None)
    }
    async fn set_told(&self, _: &ConnectionId, _: &Told) -> Result<(), Failure> {
        not_here()
    }
}
