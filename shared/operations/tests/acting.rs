//! A person's command that dies anywhere, or whose writes fail, leaves no order behind at which nobody looks soon.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use domain::OrderKey;
use domain::life::{SOON, later};
use domain::ports::Clock;
use domain::record::Stage;
use operations::act::{Action, Hand};
use testkit::model::{Class, Fate, Scene};
use testkit::run::{run, until_stuck};

const EVERY_FATE: [Fate; 5] =
    [Fate::Hangs, Fate::HappensAndHangs, Fate::Fails(None), Fate::LosesRequest, Fate::LosesAnswer];

fn hand(scene: &Scene) -> Hand<'_> {
    Hand {
        connections: scene.connections.as_ref(),
        partners: scene.partners.as_ref(),
        ledger: scene.ledger.as_ref(),
        mappings: scene.mappings.as_ref(),
        clock: scene.clock.as_ref(),
        dice: scene.dice.as_ref(),
        by: "ann",
        note: "",
    }
}

/// Order 7, kept back for so long that no date of its life before is left.
fn kept_back(by: &Action) -> (Scene, OrderKey) {
    let scene = Scene::new(Class::K);
    let key = scene.ready(7);
    assert!(run(hand(&scene).act(&key, by)).unwrap().done);
    let (now, finished) = (scene.clock.now(), scene.record(7).is_finished());
    scene.ledger.with(&key.connection, |books| {
        books.dates.clear();
        if !finished {
            books.dates.entry(later(now, Duration::from_secs(86_400))).or_default().insert(key.order);
        }
    });
    (scene, key)
}

/// Just before the order is let go a sweep sees it as it was, and takes off the dates that have come.
fn a_sweep_comes_before_the_save(scene: &Scene) {
    let (ledger, id, now) = (scene.ledger.clone(), scene.connection.id.clone(), scene.clock.now());
    let sweep = move || ledger.with(&id, |books| books.dates.retain(|at, _| *at > now));
    scene.script.meanwhile("ledger.save", sweep);
}

#[test]
fn an_order_that_was_let_go_is_looked_at_soon_wherever_the_command_died() {
    for by in [Action::Hold, Action::Exclude] {
        for fate in EVERY_FATE {
            for n in 0.. {
                let (scene, key) = kept_back(&by);
                let before = scene.script.total();
                a_sweep_comes_before_the_save(&scene);
                scene.script.nth(n, fate);
                drop(until_stuck(hand(&scene).act(&key, &Action::Release)));
                let reached = scene.script.total() - before > n;
                scene.script.heal();
                if matches!(scene.stage(7), Stage::Ready { .. }) {
                    let soon = later(scene.clock.now(), SOON);
                    let dated = scene.ledger.with(&key.connection, |books| {
                        books.dates.range(..=soon).any(|(_, orders)| orders.contains(&key.order))
                    });
                    assert!(dated, "{by:?}, effect {n} {fate:?}: nobody looks at it soon");
                }
                scene.ledger.assert_all_covered();
                if !reached {
                    break;
                }
            }
        }
    }
}
