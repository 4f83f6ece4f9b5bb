//! Whatever happens once on an order's way, at any of its effects, it comes to a good end.

use std::collections::BTreeSet;

use simulation::exhaustive::{different, explore};
use simulation::net::{Fate, Turn};
use simulation::one_order::{Scene, play};
use simulation::wms::Class;

fn nothing_goes_wrong(workers: u32) {
    for class in Class::ALL {
        let sum = explore(Scene { class, workers }, false, 2);
        assert!(sum.wrong.is_empty(), "class {class:?}, {workers} of each: {:#?}", sum.wrong);
        assert!(sum.missed.is_empty(), "class {class:?}, {workers} of each: {:?} were not hit", sum.missed);
        // Seven things can happen at each point, and the way is a whole one: from the store to the store.
        assert_eq!(sum.singles, 7 * sum.points.len() as u64);
        let names: BTreeSet<&str> = sum.points.iter().copied().collect();
        for needed in ["store: list", "ledger: insert", "warehouse: create", "warehouse: feed", "store: post"]
        {
            assert!(names.contains(needed), "{needed} is not among {names:?}");
        }
    }
}

#[test]
fn one_event_does_no_harm_to_a_lone_process() {
    nothing_goes_wrong(1);
}

#[test]
fn one_event_does_no_harm_when_everything_runs_twice() {
    nothing_goes_wrong(2);
}

#[test]
fn a_process_that_dies_at_a_point_does_nothing_more() {
    let scene = Scene { class: Class::N, workers: 1 };
    let base = play(scene, &[], false).points;
    let create = base.iter().position(|what| *what == "warehouse: create").unwrap();
    let dead = play(scene, &[(create as u64, Turn::dies(Fate::Done))], true);
    assert_eq!(dead.points[..=create], base[..=create]);
    assert_eq!(base[create + 1], "ledger: save", "what it would have done next");
    assert_ne!(dead.points[create + 1], "ledger: save");
    // The warehouse has the order and nobody knows, until the parcel tells.
    assert_eq!(dead.ends.keys().collect::<Vec<_>>(), ["posted"]);
    let before = play(scene, &[(create as u64, Turn::dies(Fate::NotDone))], true);
    // The warehouse has nothing, and cannot be asked: a person must look.
    assert!(before.history.iter().flatten().any(|line| line.contains("and the process dies")));
    assert_eq!(before.ends.keys().collect::<Vec<_>>(), ["held, in doubt"]);
}

#[test]
fn a_look_has_fewer_ends_than_a_change() {
    assert_eq!(different("store: list").len(), 2);
    assert_eq!(different("warehouse: create").len(), 6);
}
