//! The ledger on DynamoDB: every promise is one conditional write of one small item.
//!
//! An order comes in with one write: its body's item carries its first record too. A state item appears with the first
//! change and counts from then on. It is never deleted; the body's item is, when the body's time is up. So where an
//! order starts as something that may rest longer than its body is kept, its state is written at once.

mod circuit;
mod cursor;
mod dates;
mod item;
mod orders;
mod parked;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use domain::circuit::Circuit;
use domain::order::Order;
use domain::ports::{Cursor, Due, Inserted, Lease, Ledger, Parked, Saved};
use domain::record::{Entry, Record};
use domain::{ConnectionId, Failure, OrderId, OrderKey, Token};
use jiff::Timestamp;

use super::meter::Meter;
use super::table::Table;
use crate::metrics::Metrics;

/// The ledger in one table. Cheap to clone.
#[derive(Clone)]
pub struct DynamoLedger {
    table: Table,
    metrics: Option<Metrics>,
}

impl DynamoLedger {
    /// The ledger in the table `name`; `meter` counts what its calls cost.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>, meter: Option<Arc<Meter>>) -> Self {
        Self { table: Table::new(client, name, meter), metrics: None }
    }

    /// The same ledger; what becomes of orders and packages by its writes is counted.
    #[must_use]
    pub fn counted(self, metrics: Metrics) -> Self {
        Self { metrics: Some(metrics), ..self }
    }
}

#[async_trait]
impl Ledger for DynamoLedger {
    async fn insert(
        &self,
        record: &Record,
        body: Option<&Order>,
        expires: Timestamp,
    ) -> Result<Inserted, Failure> {
        let inserted = orders::insert(&self.table, record, body, expires).await?;
        if let (Inserted::New, Some(metrics)) = (&inserted, &self.metrics) {
            metrics.imported(record);
        }
        Ok(inserted)
    }

    async fn load(&self, key: &OrderKey, strong: bool) -> Result<Option<Record>, Failure> {
        orders::load(&self.table, key, strong).await
    }

    async fn open(&self, key: &OrderKey, strong: bool) -> Result<Option<(Record, Option<Order>)>, Failure> {
        orders::open(&self.table, key, strong).await
    }

    async fn load_many(&self, connection: &ConnectionId, orders: &[OrderId]) -> Result<Vec<Record>, Failure> {
        orders::load_many(&self.table, connection, orders).await
    }

    async fn save(&self, before: &Record, after: &Record) -> Result<Saved, Failure> {
        if let Some(wake) = after.wake.filter(|_| after.wake != before.wake) {
            dates::expect_one(&self.table, &after.key.connection, wake, after.key.order).await?;
        }
        let saved = orders::save(&self.table, before, after).await?;
        if let (Saved::Done, Some(metrics)) = (&saved, &self.metrics) {
            metrics.changed(before, after);
        }
        Ok(saved)
    }

    async fn revise(&self, key: &OrderKey, body: &Order, expires: Timestamp) -> Result<(), Failure> {
        orders::revise(&self.table, key, body, expires).await
    }

    async fn older_story(&self, key: &OrderKey) -> Result<Vec<Entry>, Failure> {
        orders::older_story(&self.table, key).await
    }

    async fn scan(
        &self,
        connection: &ConnectionId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<Record>, Failure> {
        orders::scan(&self.table, connection, after, limit).await
    }

    async fn expect(
        &self,
        connection: &ConnectionId,
        at: Timestamp,
        orders: &[OrderId],
    ) -> Result<(), Failure> {
        dates::expect(&self.table, connection, at, orders).await
    }

    async fn due(
        &self,
        connection: &ConnectionId,
        after: Option<&str>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, Failure> {
        dates::due(&self.table, connection, after, until, limit).await
    }

    async fn settle(&self, connection: &ConnectionId, due: &Due) -> Result<(), Failure> {
        dates::settle(&self.table, connection, due).await
    }

    async fn cursor(&self, connection: &ConnectionId) -> Result<Cursor, Failure> {
        cursor::cursor(&self.table, connection).await
    }

    async fn lease(&self, connection: &ConnectionId, lease: Lease, now: Timestamp) -> Result<bool, Failure> {
        cursor::lease(&self.table, connection, lease, now).await
    }

    async fn move_cursor(
        &self,
        connection: &ConnectionId,
        cursor: &Cursor,
        holder: Token,
    ) -> Result<bool, Failure> {
        cursor::move_cursor(&self.table, connection, cursor, holder).await
    }

    async fn bookmark(&self, connection: &ConnectionId) -> Result<Option<String>, Failure> {
        cursor::bookmark(&self.table, connection).await
    }

    async fn set_bookmark(&self, connection: &ConnectionId, bookmark: &str) -> Result<(), Failure> {
        cursor::set_bookmark(&self.table, connection, bookmark).await
    }

    async fn circuit(&self, connection: &ConnectionId) -> Result<Circuit, Failure> {
        circuit::circuit(&self.table, connection).await
    }

    async fn set_circuit(&self, connection: &ConnectionId, circuit: &Circuit) -> Result<bool, Failure> {
        circuit::set(&self.table, connection, circuit).await
    }

    async fn park(
        &self,
        connection: &ConnectionId,
        parked: &Parked,
        expires: Timestamp,
    ) -> Result<(), Failure> {
        parked::park(&self.table, connection, parked, expires).await?;
        self.metrics.iter().for_each(|metrics| metrics.count("NoticesParked", None, 1));
        Ok(())
    }

    async fn parked(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<Parked>, Failure> {
        parked::parked(&self.table, connection, limit).await
    }

    async fn unpark(&self, connection: &ConnectionId, id: &str) -> Result<(), Failure> {
        parked::unpark(&self.table, connection, id).await
    }
}
