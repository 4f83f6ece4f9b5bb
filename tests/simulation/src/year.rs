//! A year of one merchant: the store polled every minute, and now and then something goes wrong, about as often as in life.

use domain::OrderId;

use crate::coverage::Fault;
use crate::dice::Dice;
use crate::judge::Verdict;
use crate::net::{Deal, System};
use crate::play::Play;
use crate::scene::{Event, MINUTE, Scene};
use crate::watch::{Plan, Watch};
use crate::wms::Class;

/// Minutes of a year.
pub const MINUTES: u64 = 365 * 24 * 60;

/// A merchant's orders in a year.
pub const ORDERS: u64 = 20_000;

/// So many in a thousand of the calls of each system fail.
const FAILURES: u32 = 1;

/// What becomes of an order becomes of it within two days.
const FORTUNES: u64 = 2 * 24 * 60 * MINUTE;

/// How often something large happens: an outage on either side, a new secret.
const LARGE: u64 = 12;

/// How likely each trouble is, in a thousand of its occasions.
const RARE: [(Fault, u32); 22] = [
    (Fault::StaleRead, 1),
    (Fault::StoreHtml, 1),
    (Fault::StoreSlow, 1),
    (Fault::WarehouseSlow, 1),
    (Fault::WarehouseThrottles, 1),
    (Fault::QueueRepeats, 5),
    (Fault::QueueDelays, 5),
    (Fault::QueueLoses, 1),
    (Fault::WebhookLost, 10),
    (Fault::FiftyNotices, 1),
    (Fault::OldNotice, 1),
    (Fault::Crash, 1),
    (Fault::Freeze, 1),
    (Fault::LongFreeze, 1),
    (Fault::ScheduleTwice, 2),
    (Fault::ScheduleMissed, 2),
    (Fault::OrderChanges, 5),
    (Fault::OrderUnreadable, 2),
    (Fault::TakenBack, 10),
    (Fault::Refuses, 5),
    (Fault::VoidedParcel, 5),
    (Fault::PaidLate, 20),
];

/// Plays so many minutes with so many orders. The seed draws everything, the class of the warehouse too.
#[must_use]
pub fn play(seed: u64, minutes: u64, orders: u64) -> Verdict {
    let mut dice = Dice::new(seed);
    let plan = RARE.iter().fold(Plan::calm(), |plan, (fault, chance)| plan.with(*fault, *chance));
    let watch = Watch::new(seed, plan);
    let class = Class::ALL[dice.below(Class::ALL.len() as u64) as usize];
    let mut scene = Scene::quiet(class, FORTUNES);
    let end = minutes * MINUTE;
    for number in 0..orders {
        let at = dice.below(end);
        let order = scene.sold(&scene.connections[0].id, OrderId(1000 + number), at as i64);
        scene.fortunes(0, order, at, &mut dice, &watch);
    }
    for _ in 0..LARGE {
        large(&mut scene, end, &mut dice);
    }
    scene.hostile = end;
    let systems = [System::Ledger, System::Queue, System::Store, System::Warehouse];
    let deal = Deal::Chance(systems.map(|system| (system, FAILURES)).into());
    Play::new(seed, scene, watch, deal, dice, false).run()
}

fn large(scene: &mut Scene, end: u64, dice: &mut Dice) {
    scene.at(dice.below(end), Event::StoreDown(0, dice.below(30 * MINUTE)));
    let away = dice.below(end);
    scene.at(away, Event::WarehouseAway(0, true));
    scene.at(away + dice.below(60 * MINUTE), Event::WarehouseAway(0, false));
    scene.at(dice.below(end), Event::RotateStore(0));
    scene.at(dice.below(end), Event::RotateWarehouse(0));
    scene.at(dice.below(end), Event::FixRefused(0));
    scene.at(dice.below(end), Event::Redrive);
}
