//! Whatever happens once on an order's way, at any of its effects, it comes to a good end.

use std::collections::BTreeSet;

use simulation::exhaustive::{different, explore, scenes};
use simulation::net::{Fate, Turn};
use simulation::one_order::{Flaw, Rhythm, Scene, play};
use simulation::wms::Class;

fn nothing_goes_wrong(workers: u32, rhythm: Rhythm) {
    for scene in scenes().into_iter().filter(|scene| (scene.workers, scene.rhythm) == (workers, rhythm)) {
        let sum = explore(scene, false, 2);
        assert!(sum.wrong.is_empty(), "{scene:?}: {:#?}", sum.wrong);
        assert!(sum.missed.is_empty(), "{scene:?}: {:?} were not hit", sum.missed);
        // Nine things can happen at each point, and the way is a whole one: from the store to the store.
        assert_eq!(sum.singles, 9 * sum.points.len() as u64);
        let names: BTreeSet<&str> = sum.points.iter().copied().collect();
        for needed in ["store: list", "ledger: insert", "warehouse: create", "warehouse: feed", "store: post"]
        {
            assert!(names.contains(needed), "{needed} is not among {names:?}");
        }
    }
}

#[test]
fn one_event_does_no_harm_to_a_lone_process() {
    nothing_goes_wrong(1, Rhythm::Ahead);
}

#[test]
fn one_event_does_no_harm_when_everything_runs_twice() {
    nothing_goes_wrong(2, Rhythm::Ahead);
}

#[test]
fn one_event_does_no_harm_when_two_keep_step() {
    nothing_goes_wrong(2, Rhythm::InStep);
}

/// The invariants that a scene with this flaw breaks.
fn broken_by(flaw: Flaw, scene: Scene) -> Vec<String> {
    let sum = explore(Scene { flaw: Some(flaw), ..scene }, false, 2);
    let words = sum.wrong.iter().flat_map(|(_, wrong)| wrong).filter_map(|line| line.split(' ').next());
    words.map(str::to_owned).collect()
}

#[test]
fn a_lease_that_is_too_short_is_noticed() {
    for class in [Class::L, Class::D] {
        let broken = broken_by(Flaw::LeaseTooShort, Scene::new(class, 1));
        assert!(broken.iter().any(|invariant| invariant == "I2"), "class {class:?}: {broken:?}");
    }
}

#[test]
fn a_warehouse_that_gives_less_than_its_adapter_says_is_noticed() {
    for class in [Class::L, Class::D, Class::N] {
        let broken = broken_by(Flaw::ClassOverstated, Scene::new(class, 1));
        assert!(broken.iter().any(|invariant| invariant == "I2"), "class {class:?}: {broken:?}");
    }
}

#[test]
fn a_process_that_pauses_is_overtaken_by_the_one_beside_it() {
    let scene = Scene::new(Class::U, 2);
    let points = play(scene, &[], false).points;
    let open = points.iter().position(|what| *what == "ledger: open").unwrap();
    let paused = play(scene, &[(open as u64, Turn::pauses())], true);
    assert_eq!(paused.points[..=open], points[..=open]);
    let history = paused.history.unwrap();
    let times = |what: &str| -> Vec<u64> {
        let lines = history.iter().filter(|line| line.contains(what));
        lines.map(|line| line.split_whitespace().next().unwrap().parse().unwrap()).collect()
    };
    let (stopped, creates) = (times("ledger: open")[0], times("warehouse: create"));
    assert!(creates.len() == 1 && creates[0] < stopped + 40_000, "the other one sends it: {creates:?}");
    let woken = stopped + 40_000..stopped + 41_000;
    assert!(times("ledger: save").iter().any(|at| woken.contains(at)), "the first wants to, and is too late");
    assert_eq!(paused.ends.keys().collect::<Vec<_>>(), ["posted"]);
}

#[test]
fn two_that_keep_step_take_turns() {
    let points = play(Scene { rhythm: Rhythm::InStep, ..Scene::new(Class::U, 2) }, &[], false).points;
    let opens: Vec<usize> =
        points.iter().enumerate().filter(|(_, what)| **what == "ledger: open").map(|(n, _)| n).collect();
    let both = |what| [what, what];
    let taking = ["ledger: open", "ledger: expect", "ledger: save"].map(both).concat();
    assert_eq!(points[opens[0]..][..6], taking, "date and claim, after it was read");
}

#[test]
fn a_process_that_dies_at_a_point_does_nothing_more() {
    let scene = Scene::new(Class::N, 1);
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
    let (alone, twice) = (Scene::new(Class::U, 1), Scene::new(Class::U, 2));
    for (scene, what, turns) in [
        (alone, "store: list", 3),
        (alone, "warehouse: create", 7),
        (twice, "warehouse: create", 7),
        (Scene { rhythm: Rhythm::InStep, ..twice }, "store: list", 1),
    ] {
        assert_eq!(different(scene, what).count(), turns, "{what}");
    }
}
