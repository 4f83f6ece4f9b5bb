//! What the tests of this use case share: the use case on a scene.
#![allow(dead_code, reason = "each test file uses its part")]

use domain::connection::Connection;
use domain::message::Message;
use domain::{Failure, OrderId};
use poll_orders::{PollOrders, Polled};
use testkit::model::Scene;

/// What writes to the ledger or a queue.
pub(crate) const WRITES: [&str; 8] = [
    "ledger.insert",
    "ledger.expect",
    "ledger.save",
    "ledger.revise",
    "ledger.lease",
    "ledger.move_cursor",
    "ledger.park",
    "queue.send",
];

pub(crate) fn poller(scene: &Scene) -> PollOrders {
    PollOrders {
        connections: scene.connections.clone(),
        partners: scene.partners.clone(),
        ledger: scene.ledger.clone(),
        orders: scene.orders.clone(),
        clock: scene.clock.clone(),
        dice: scene.dice.clone(),
        pace: scene.pace,
    }
}

/// Polls with a minute's time.
pub(crate) async fn poll(scene: &Scene) -> Result<Polled, Failure> {
    poll_as(scene, &scene.connection).await
}

pub(crate) async fn poll_as(scene: &Scene, connection: &Connection) -> Result<Polled, Failure> {
    poller(scene).poll(connection, scene.seconds_from_now(60)).await
}

/// The orders whose messages are on the queue.
pub(crate) fn queued(scene: &Scene) -> Vec<u64> {
    let orders = scene.orders.waiting().into_iter().filter_map(|message| match message {
        Message::Forward { order: OrderId(order), .. } => Some(order),
        _ => None,
    });
    orders.collect()
}

/// The orders that are in the ledger.
pub(crate) fn known(scene: &Scene) -> Vec<u64> {
    scene.ledger.with(&scene.connection.id, |books| books.records.keys().map(|order| order.0).collect())
}
