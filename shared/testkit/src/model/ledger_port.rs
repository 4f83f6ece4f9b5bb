//! The ledger in memory, as the use cases see it.

use async_trait::async_trait;
use domain::circuit::Circuit;
use domain::order::Order;
use domain::ports::{Cursor, Due, Inserted, Lease, Ledger, Parked, Saved};
use domain::record::{Entry, Record};
use domain::{ConnectionId, Failure, OrderId, OrderKey, Token};
use jiff::Timestamp;

use super::{Books, ModelLedger};

impl ModelLedger {
    async fn go<T>(
        &self,
        what: &'static str,
        connection: &ConnectionId,
        act: impl FnOnce(&mut Books) -> T,
    ) -> Result<T, Failure> {
        self.gate.through(what, || self.with(connection, act)).await
    }

    /// The record as a read may see it: the latest, or the one before it.
    fn seen(&self, books: &Books, order: OrderId, strong: bool) -> Option<Record> {
        let before = books.before.get(&order).filter(|_| !strong);
        match before {
            Some(before) if self.gate.choose("stale read", 2) == 1 => before.clone(),
            _ => books.records.get(&order).cloned(),
        }
    }
}

fn readable(books: &Books, order: OrderId) -> Result<(), Failure> {
    match books.unreadable.contains(&order) {
        true => Err(Failure::poison("ledger: read", format!("item {order}: its record is not understood"))),
        false => Ok(()),
    }
}

#[async_trait]
impl Ledger for ModelLedger {
    async fn insert(
        &self,
        record: &Record,
        body: Option<&Order>,
        expires: Timestamp,
    ) -> Result<Inserted, Failure> {
        let order = record.key.order;
        self.go("ledger.insert", &record.key.connection, |books| match books.records.get(&order) {
            Some(there) if there.written == record.written => Inserted::New,
            Some(_) => Inserted::Exists,
            None => {
                books.put(record);
                if let Some(body) = body {
                    books.bodies.insert(order, (body.clone(), expires));
                }
                Inserted::New
            }
        })
        .await
    }

    async fn load(&self, key: &OrderKey, strong: bool) -> Result<Option<Record>, Failure> {
        self.go("ledger.load", &key.connection, |books| {
            readable(books, key.order)?;
            Ok(self.seen(books, key.order, strong))
        })
        .await?
    }

    async fn open(&self, key: &OrderKey, strong: bool) -> Result<Option<(Record, Option<Order>)>, Failure> {
        self.go("ledger.open", &key.connection, |books| {
            readable(books, key.order)?;
            let body = books.bodies.get(&key.order).map(|(body, _)| body.clone());
            Ok(self.seen(books, key.order, strong).map(|record| (record, body)))
        })
        .await?
    }

    async fn load_many(&self, connection: &ConnectionId, orders: &[OrderId]) -> Result<Vec<Record>, Failure> {
        self.go("ledger.load_many", connection, |books| {
            orders.iter().try_for_each(|order| readable(books, *order))?;
            let once: std::collections::BTreeSet<&OrderId> = orders.iter().collect();
            Ok(once.into_iter().filter_map(|order| self.seen(books, *order, false)).collect())
        })
        .await?
    }

    async fn save(&self, before: &Record, after: &Record) -> Result<Saved, Failure> {
        let key = &before.key;
        if let Some(wake) = after.wake.filter(|_| after.wake != before.wake) {
            self.go("ledger.save date", &key.connection, |books| books.expect(wake, &[key.order])).await?;
        }
        self.go("ledger.save", &key.connection, |books| books.save(before, after)).await
    }

    async fn revise(&self, key: &OrderKey, body: &Order, expires: Timestamp) -> Result<(), Failure> {
        self.go("ledger.revise", &key.connection, |books| {
            books.bodies.insert(key.order, (body.clone(), expires));
        })
        .await
    }

    async fn older_story(&self, key: &OrderKey) -> Result<Vec<Entry>, Failure> {
        self.go("ledger.older_story", &key.connection, |books| {
            books.older.get(&key.order).cloned().unwrap_or_default()
        })
        .await
    }

    async fn scan(
        &self,
        connection: &ConnectionId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<Record>, Failure> {
        self.go("ledger.scan", connection, |books| {
            let rest = books.records.values().filter(|record| Some(record.key.order) > after);
            rest.take(limit).cloned().collect()
        })
        .await
    }

    async fn expect(
        &self,
        connection: &ConnectionId,
        at: Timestamp,
        orders: &[OrderId],
    ) -> Result<(), Failure> {
        self.go("ledger.expect", connection, |books| books.expect(at, orders)).await
    }

    async fn due(
        &self,
        connection: &ConnectionId,
        after: Option<&str>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, Failure> {
        self.go("ledger.due", connection, |books| books.due(after, until, limit)).await
    }

    async fn settle(&self, connection: &ConnectionId, due: &Due) -> Result<(), Failure> {
        self.go("ledger.settle", connection, |books| books.settle(due)).await
    }

    async fn cursor(&self, connection: &ConnectionId) -> Result<Cursor, Failure> {
        self.go("ledger.cursor", connection, |books| books.cursor.clone()).await
    }

    async fn lease(&self, connection: &ConnectionId, lease: Lease, now: Timestamp) -> Result<bool, Failure> {
        self.go("ledger.lease", connection, |books| {
            let free = books.lease.is_none_or(|held| held.until <= now || held.token == lease.token);
            if free {
                books.lease = Some(lease);
            }
            free
        })
        .await
    }

    async fn move_cursor(
        &self,
        connection: &ConnectionId,
        cursor: &Cursor,
        holder: Token,
    ) -> Result<bool, Failure> {
        self.go("ledger.move_cursor", connection, |books| books.move_cursor(cursor, holder)).await
    }

    async fn bookmark(&self, connection: &ConnectionId) -> Result<Option<String>, Failure> {
        self.go("ledger.bookmark", connection, |books| books.bookmark.clone()).await
    }

    async fn set_bookmark(&self, connection: &ConnectionId, bookmark: &str) -> Result<(), Failure> {
        self.go("ledger.set_bookmark", connection, |books| books.bookmark = Some(bookmark.to_owned())).await
    }

    async fn circuit(&self, connection: &ConnectionId) -> Result<Circuit, Failure> {
        self.go("ledger.circuit", connection, |books| books.circuit.clone()).await
    }

    async fn set_circuit(&self, connection: &ConnectionId, circuit: &Circuit) -> Result<bool, Failure> {
        self.go("ledger.set_circuit", connection, |books| books.set_circuit(circuit)).await
    }

    async fn park(
        &self,
        connection: &ConnectionId,
        parked: &Parked,
        expires: Timestamp,
    ) -> Result<(), Failure> {
        self.go("ledger.park", connection, |books| {
            books.parked.entry(parked.id.clone()).or_insert_with(|| (parked.clone(), expires));
        })
        .await
    }

    async fn parked(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<Parked>, Failure> {
        self.go("ledger.parked", connection, |books| {
            let mut all: Vec<Parked> = books.parked.values().map(|(parked, _)| parked.clone()).collect();
            all.sort_by_key(|parked| std::cmp::Reverse(parked.at));
            all.truncate(limit);
            all
        })
        .await
    }

    async fn unpark(&self, connection: &ConnectionId, id: &str) -> Result<(), Failure> {
        self.go("ledger.unpark", connection, |books| {
            books.parked.remove(id);
        })
        .await
    }
}
