//! An hour without a warehouse, with two thousand orders: the goals hold in virtual time, which is the same on every machine.

use simulation::outage::{Goals, Scenario, play};
use simulation::wms::Class;

fn missed(scenario: &Scenario) -> Vec<String> {
    let (figures, undisturbed) = (play(scenario, |_| {}), play(&scenario.undisturbed(), |_| {}));
    assert!(figures.in_vain > 20, "the warehouse was away: {figures}");
    Goals::default().missed(&figures, &undisturbed)
}

#[test]
fn after_an_outage_new_orders_pass_at_once_and_nobody_else_has_noticed() {
    for class in [Class::K, Class::U, Class::L] {
        let scenario = Scenario { class, ..Scenario::one_hour() };
        assert_eq!(missed(&scenario), [""; 0], "{class:?}");
    }
}

#[test]
fn without_fair_queues_our_own_lanes_are_enough() {
    assert_eq!(missed(&Scenario { fair: false, ..Scenario::one_hour() }), [""; 0]);
}

#[test]
fn a_warehouse_that_cannot_be_asked_holds_few_orders_and_gets_none_twice() {
    let scenario = Scenario { class: Class::N, ..Scenario::one_hour() };
    let figures = play(&scenario, |_| {});
    let held = figures.open.get("held, in doubt").copied().unwrap_or(0);
    assert_eq!((figures.sent + held, figures.twice, figures.uncovered), (figures.sold, 0, 0), "{figures}");
    assert!((1..=100).contains(&held), "{figures}");
}
