//! Takes out what is kept of a connection: every partition of it in both tables.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use domain::ports::{Erasure, Kept};
use domain::{ConnectionId, Failure, OrderId, OrderKey};

use super::keys::{self, Part};
use super::table::{Expression, Item, Page, Range, Row, Table, number, sk, text};
use super::tables::Names;

const COUNT: &str = "erase: count";
const ERASE: &str = "erase: remove";
const ERASE_BODY: &str = "erase: remove an order's body";

/// DynamoDB deletes at most so many items in one request.
const TOGETHER: usize = 25;

/// Sorts before and after every sort key.
const FIRST: &str = " ";
const LAST: &str = "\u{10ffff}";

/// What is enough to know what an item is, and whether it has a body.
const KEYS: &str = "pk, sk, expires";

/// The two tables, for taking things out.
pub struct DynamoErasure {
    ledger: Table,
    mappings: Table,
}

impl DynamoErasure {
    /// What is kept in the tables `names`.
    #[must_use]
    pub fn new(client: Client, names: &Names) -> Self {
        let table = |name: &String| Table::new(client.clone(), name, None);
        Self { ledger: table(&names.ledger), mappings: table(&names.mappings) }
    }

    /// The partitions of a connection, each with its table. That of the connection itself holds others too.
    fn partitions(&self, connection: &ConnectionId) -> [(&Table, String, Holds); 4] {
        [
            (&self.ledger, connection.to_string(), Holds::Orders),
            (&self.ledger, keys::due(connection), Holds::Dates),
            (&self.ledger, keys::parked(connection), Holds::Parked),
            (&self.mappings, connection.to_string(), Holds::Mappings),
        ]
    }
}

/// What a partition holds.
#[derive(Clone, Copy)]
enum Holds {
    /// Orders, cursor, bookmark, circuit.
    Orders,
    Dates,
    Parked,
    Mappings,
}

/// The keys of a page of a partition, and where the next page starts.
async fn page(table: &Table, during: &'static str, pk: &str, start: Option<Item>) -> Result<Page, Failure> {
    let range = Range { strong: true, only: Some(KEYS), ..Range::new(pk, FIRST, LAST) };
    table.page(during, &range, start).await
}

/// What has been counted so far.
#[derive(Default)]
struct Count {
    kept: Kept,
    orders: BTreeSet<OrderId>,
}

impl Count {
    fn note(&mut self, holds: Holds, item: &Item) {
        self.kept.items += 1;
        match holds {
            Holds::Orders => {
                let Some((order, part)) = keys::parse_order(sk(item)) else { return };
                self.orders.insert(order);
                self.kept.bodies += u64::from(part == Part::Body && number(item, "expires").is_some());
            }
            Holds::Dates => self.kept.dates += 1,
            Holds::Parked => self.kept.parked += 1,
            Holds::Mappings => self.kept.mappings += u64::from(sk(item).starts_with("v#")),
        }
    }

    fn done(self, is_known: bool) -> Kept {
        let orders = u64::try_from(self.orders.len()).unwrap_or(u64::MAX);
        Kept { orders, items: self.kept.items + u64::from(is_known), ..self.kept }
    }
}

#[async_trait]
impl Erasure for DynamoErasure {
    async fn kept(&self, connection: &ConnectionId) -> Result<Kept, Failure> {
        let mut count = Count::default();
        for (table, pk, holds) in self.partitions(connection) {
            let mut start = None;
            loop {
                let page = page(table, COUNT, &pk, start).await?;
                page.items.iter().for_each(|item| count.note(holds, item));
                start = page.next;
                if start.is_none() {
                    break;
                }
            }
        }
        let itself = self.ledger.get(COUNT, keys::CONNECTIONS, connection.as_str(), true).await?;
        Ok(count.done(itself.is_some()))
    }

    async fn erase(&self, connection: &ConnectionId) -> Result<(), Failure> {
        for (table, pk, _) in self.partitions(connection) {
            let mut start = None;
            loop {
                let page = page(table, ERASE, &pk, start).await?;
                for some in page.items.chunks(TOGETHER) {
                    let keys = some.iter().map(|item| Row::new(&pk, sk(item)).0).collect();
                    table.delete_many(ERASE, keys).await?;
                }
                start = page.next;
                if start.is_none() {
                    break;
                }
            }
        }
        self.ledger.delete(ERASE, keys::CONNECTIONS, connection.as_str()).await
    }

    async fn erase_body(&self, key: &OrderKey) -> Result<bool, Failure> {
        let (pk, sk) = (key.connection.as_str(), keys::body(key.order));
        let Some(item) = self.ledger.get(ERASE_BODY, pk, &sk, true).await? else { return Ok(false) };
        if !item.contains_key("body") {
            return Ok(false);
        }
        if text(&item, "w").is_none() {
            // A body that came later than its record: nothing else is in this item.
            return self.ledger.delete(ERASE_BODY, pk, &sk).await.map(|()| true);
        }
        // The first record stays, and no longer expires with the body.
        let remove = Expression::new("REMOVE body, expires");
        self.ledger.update(ERASE_BODY, pk, &sk, remove, Some("attribute_exists(body)")).await?;
        Ok(true)
    }
}
