//! A short run of the simulation: hostile histories come to rest with nothing lost, nothing twice, nothing silent.

use std::collections::BTreeMap;

use simulation::coverage::Seen;
use simulation::net::Fate;
use simulation::play::play;

/// So many histories are played here; `cargo run --profile simulation -p simulation` plays more.
const HISTORIES: u64 = 2000;

#[test]
fn hostile_histories_come_to_a_good_end_and_show_every_trouble() {
    let (mut fates, mut ends, mut seen) = (BTreeMap::new(), BTreeMap::new(), Seen::default());
    for seed in 0..HISTORIES {
        let verdict = play(seed, false);
        assert!(
            verdict.wrong.is_empty(),
            "seed {seed}, class {:?}: {:#?}\nreplay it: cargo run --profile simulation -p simulation -- --replay {seed}",
            verdict.class,
            verdict.wrong
        );
        for ((_, fate), times) in verdict.tally.effects {
            *fates.entry(fate).or_insert(0) += times;
        }
        for (end, times) in verdict.ends {
            *ends.entry(end).or_insert(0) += times;
        }
        seen.add(&verdict.seen);
    }
    // A calm world proves nothing: every kind of trouble must have happened, every rare good thing must have been seen,
    // and orders must have been posted in it.
    for fate in Fate::ALL {
        assert!(fates.get(&fate).is_some_and(|times| *times > 500), "{fate:?}: {fates:?}");
    }
    assert_eq!(seen.missing(1), Vec::<String>::new());
    assert!(ends.get("posted").is_some_and(|posted| *posted > 300), "{ends:?}");
}

#[test]
fn a_seed_decides_everything() {
    for seed in [3, 14, 15] {
        let (one, other) = (play(seed, true), play(seed, true));
        assert_eq!(one.tally.history, other.tally.history, "seed {seed}");
        assert_eq!(one.tally.trace, other.tally.trace, "seed {seed}");
    }
    assert_ne!(play(1, false).tally.trace, play(2, false).tally.trace);
}
