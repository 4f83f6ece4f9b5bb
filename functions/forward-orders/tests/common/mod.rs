//! What the tests of this use case share: the use case on a scene.
#![allow(dead_code, reason = "each test file uses its part")]

use std::time::Duration;

use forward_orders::ForwardOrders;
use testkit::model::{Class, Scene};
use testkit::run::run;

/// By how much the answers of a look-up lag in these tests.
pub(crate) const LAG: Duration = Duration::from_secs(120);

/// Every kind of warehouse.
pub(crate) const EVERY_CLASS: [Class; 4] = [Class::K, Class::U, Class::L(LAG), Class::N];

pub(crate) fn forwarder(scene: &Scene) -> ForwardOrders {
    ForwardOrders {
        connections: scene.connections.clone(),
        partners: scene.partners.clone(),
        ledger: scene.ledger.clone(),
        mappings: scene.mappings.clone(),
        clock: scene.clock.clone(),
        dice: scene.dice.clone(),
        pace: scene.pace,
        circuits: std::sync::Arc::default(),
    }
}

/// Delivers the messages of order 7 until it rests: each time all leases are over and every look-up can be trusted.
pub(crate) fn settle(scene: &Scene) {
    let key = scene.key(7);
    for count in 1..8 {
        drop(run(forwarder(scene).forward(&key, count)));
        scene.pass_lease();
        scene.pass(LAG);
    }
    scene.ledger.assert_all_covered();
}

/// A scene in which order 7 is ready, and the warehouse has it from an attempt that nobody remembers.
pub(crate) fn with_a_lost_first_attempt(class: Class) -> Scene {
    let scene = Scene::new(class);
    let key = scene.ready(7);
    assert!(run(forwarder(&scene).forward(&key, 1)).is_ok());
    let forgotten = scene.ready(7);
    assert_eq!((forgotten, scene.warehouse.live("main-7")), (key, 1));
    scene
}
