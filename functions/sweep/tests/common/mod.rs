//! What the tests of this use case share: the use case on a scene.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::time::Duration;

use domain::admission::Admission;
use domain::life::{Step, later};
use domain::ports::Clock;
use domain::{Failure, OrderId, WarehouseOrderId};
use sweep::{Sweep, Swept};
use testkit::build;
use testkit::model::Scene;
use testkit::run::run;

/// A day and a little: everything that is looked at daily is due.
pub(crate) const DAY: Duration = Duration::from_secs(86_400 + 600);

pub(crate) fn sweeper(scene: &Scene) -> Sweep {
    Sweep {
        connections: scene.connections.clone(),
        partners: scene.partners.clone(),
        ledger: scene.ledger.clone(),
        mappings: scene.mappings.clone(),
        orders: scene.orders.clone(),
        shipments: scene.shipments.clone(),
        clock: scene.clock.clone(),
        dice: scene.dice.clone(),
        pace: scene.pace,
    }
}

/// Sweeps with a minute's time, after so long.
pub(crate) fn sweep_after(scene: &Scene, wait: Duration) -> Swept {
    scene.pass(wait);
    let swept = run(sweep(scene)).unwrap();
    scene.ledger.assert_all_covered();
    swept
}

/// Sweeps so many times, each after so long.
pub(crate) fn sweep_often(scene: &Scene, times: u32, wait: Duration) {
    for _ in 0..times {
        sweep_after(scene, wait);
    }
}

pub(crate) async fn sweep(scene: &Scene) -> Result<Swept, Failure> {
    sweeper(scene).sweep(&scene.connection, scene.seconds_from_now(60)).await
}

/// Puts an order into the store and, decided so, into the ledger.
pub(crate) fn decided(scene: &Scene, order: u64, admission: &Admission) {
    scene.store.place(build::order(order));
    let key = scene.key(order);
    let now = scene.clock.now();
    let mut record = build::record(&key, admission, order);
    record.wake = Some(admission.wake().unwrap_or_else(|| later(now, scene.pace.grace)));
    (record.since, record.imported_at) = (now, now);
    scene.keep(&record);
}

/// Makes an order one that an attempt is sending.
pub(crate) fn claimed(scene: &Scene, order: u64) {
    scene.ready(order);
    let until = later(scene.clock.now(), scene.pace.lease);
    scene.step(order, Step::Claim { until, units: 3, mapping: 1, digest: None });
}

/// Makes an order one that the warehouse has.
pub(crate) fn accepted(scene: &Scene, order: u64) {
    use domain::warehouse::OrderDesk;
    claimed(scene, order);
    run(scene.warehouse.create(&build::request(&scene.key(order))));
    scene.step(order, Step::Accept { id: WarehouseOrderId::parse("W-1").unwrap(), how: "" });
}

/// The dates on which somebody looks at an order.
pub(crate) fn dates(scene: &Scene, order: u64) -> Vec<jiff::Timestamp> {
    scene.ledger.with(&scene.connection.id, |books| {
        let named = books.dates.iter().filter(|(_, orders)| orders.contains(&OrderId(order)));
        named.map(|(at, _)| *at).collect()
    })
}

/// The messages on the queue of orders, each once: an order may be put there twice.
pub(crate) fn queued(scene: &Scene) -> Vec<domain::message::Message> {
    let mut messages = scene.orders.waiting();
    messages.dedup();
    messages
}
