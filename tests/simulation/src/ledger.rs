//! The ledger behind the ports: the model that the contracts hold, reached over the unreliable network.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use domain::circuit::Circuit;
use domain::order::Order;
use domain::ports::{Cursor, Due, Inserted, Lease, Ledger, Parked, Saved};
use domain::record::{Entry, Record};
use domain::{ConnectionId, Failure, OrderId, OrderKey, Token};
use futures_util::FutureExt;
use jiff::Timestamp;
use testkit::model::ModelLedger;

use crate::net::{Net, System};

/// A ledger whose every call is an effect on the network.
pub struct NetLedger {
    /// What is behind it.
    pub model: Arc<ModelLedger>,
    /// The way to it.
    pub net: Net,
}

/// The models answer at once.
fn at_once<T>(answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    answer.now_or_never().unwrap_or_else(|| Err(Failure::permanent("model", "did not answer at once")))
}

impl NetLedger {
    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        about: String,
        apply: impl FnOnce(&ModelLedger) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let model = self.model.clone();
        let answer = self.net.effect(System::Ledger, what, || about, move || apply(&model)).await;
        answer.unwrap_or_else(|gone| Err(Failure::retryable(what, format!("{gone:?}"))))
    }
}

#[async_trait]
impl Ledger for NetLedger {
    async fn insert(
        &self,
        record: &Record,
        body: Option<&Order>,
        expires: Timestamp,
    ) -> Result<Inserted, Failure> {
        let (about, record, body) = (record.key.to_string(), record.clone(), body.cloned());
        self.call("ledger: insert", about, move |l| at_once(l.insert(&record, body.as_ref(), expires))).await
    }

    async fn load(&self, key: &OrderKey, strong: bool) -> Result<Option<Record>, Failure> {
        let (about, key) = (key.to_string(), key.clone());
        self.call("ledger: load", about, move |l| at_once(l.load(&key, strong))).await
    }

    async fn open(&self, key: &OrderKey, strong: bool) -> Result<Option<(Record, Option<Order>)>, Failure> {
        let (about, key) = (key.to_string(), key.clone());
        self.call("ledger: open", about, move |l| at_once(l.open(&key, strong))).await
    }

    async fn load_many(&self, connection: &ConnectionId, orders: &[OrderId]) -> Result<Vec<Record>, Failure> {
        let (about, connection, orders) =
            (format!("{} orders", orders.len()), connection.clone(), orders.to_vec());
        self.call("ledger: load many", about, move |l| at_once(l.load_many(&connection, &orders))).await
    }

    async fn save(&self, before: &Record, after: &Record) -> Result<Saved, Failure> {
        // Two effects, as in the real adapter: the date first, then the state.
        if let Some(wake) = after.wake.filter(|_| after.wake != before.wake) {
            self.expect(&after.key.connection, wake, &[after.key.order]).await?;
        }
        let about = format!("{} {} -> {}", after.key, before.stage.word(), after.stage.word());
        let (before, after) = (before.clone(), after.clone());
        self.call("ledger: save", about, move |l| at_once(l.save(&before, &after))).await
    }

    async fn revise(&self, key: &OrderKey, body: &Order, expires: Timestamp) -> Result<(), Failure> {
        let (about, key, body) = (key.to_string(), key.clone(), body.clone());
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
        let (about, connection, orders) = (at.to_string(), connection.clone(), orders.to_vec());
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
        self.call("ledger: due", String::new(), move |l| {
            at_once(l.due(&connection, after.as_deref(), until, limit))
        })
        .await
    }

    async fn settle(&self, connection: &ConnectionId, due: &Due) -> Result<(), Failure> {
        let (about, connection, due) = (due.id.clone(), connection.clone(), due.clone());
        self.call("ledger: settle", about, move |l| at_once(l.settle(&connection, &due))).await
    }

    async fn cursor(&self, connection: &ConnectionId) -> Result<Cursor, Failure> {
        let connection = connection.clone();
        self.call("ledger: cursor", String::new(), move |l| at_once(l.cursor(&connection))).await
    }

    async fn lease(&self, connection: &ConnectionId, lease: Lease, now: Timestamp) -> Result<bool, Failure> {
        let connection = connection.clone();
        self.call("ledger: lease", String::new(), move |l| at_once(l.lease(&connection, lease, now))).await
    }

    async fn move_cursor(
        &self,
        connection: &ConnectionId,
        cursor: &Cursor,
        holder: Token,
    ) -> Result<bool, Failure> {
        let (connection, cursor) = (connection.clone(), cursor.clone());
        self.call("ledger: move cursor", String::new(), move |l| {
            at_once(l.move_cursor(&connection, &cursor, holder))
        })
        .await
    }

    async fn bookmark(&self, connection: &ConnectionId) -> Result<Option<String>, Failure> {
        let connection = connection.clone();
        self.call("ledger: bookmark", String::new(), move |l| at_once(l.bookmark(&connection))).await
    }

    async fn set_bookmark(&self, connection: &ConnectionId, bookmark: &str) -> Result<(), Failure> {
        let (connection, bookmark) = (connection.clone(), bookmark.to_owned());
        self.call("ledger: set bookmark", String::new(), move |l| {
            at_once(l.set_bookmark(&connection, &bookmark))
        })
        .await
    }

    async fn circuit(&self, connection: &ConnectionId) -> Result<Circuit, Failure> {
        let connection = connection.clone();
        self.call("ledger: circuit", String::new(), move |l| at_once(l.circuit(&connection))).await
    }

    async fn set_circuit(&self, connection: &ConnectionId, circuit: &Circuit) -> Result<bool, Failure> {
        let (connection, circuit) = (connection.clone(), circuit.clone());
        self.call("ledger: set circuit", String::new(), move |l| {
            at_once(l.set_circuit(&connection, &circuit))
        })
        .await
    }

    async fn park(
        &self,
        connection: &ConnectionId,
        parked: &Parked,
        expires: Timestamp,
    ) -> Result<(), Failure> {
        let (connection, parked) = (connection.clone(), parked.clone());
        self.call("ledger: park", String::new(), move |l| at_once(l.park(&connection, &parked, expires)))
            .await
    }

    async fn parked(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<Parked>, Failure> {
        self.model.parked(connection, limit).await
    }

    async fn unpark(&self, connection: &ConnectionId, id: &str) -> Result<(), Failure> {
        self.model.unpark(connection, id).await
    }
}
