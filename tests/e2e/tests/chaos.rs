//! The six functions as real processes in a hostile world, in small: `chaos --lambda` plays the same with more of everything.

use std::path::Path;

use e2e::chaos::{Class, Options, Setting, fresh_binaries, play};

fn options(name: &str) -> Options {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_dir_all(&dir));
    Options {
        setting: Setting::Lambda { binaries: fresh_binaries() },
        orders: 120,
        kills: 6,
        freezes: 2,
        seed: 7,
        classes: vec![Class::Refuses, Class::Asked, Class::Cannot],
        stores_per_class: 1,
        lose_ledger: true,
        dir,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_are_killed_frozen_lied_to_and_robbed_of_their_tables_lose_nothing_and_do_nothing_twice()
 {
    let report = play(options("chaos-lambda")).await;
    println!("{report}");
    assert_eq!((report.kills, report.freezes, report.losses), (6, 2, 1));
    assert!(report.functions.failed >= 6, "a function that is killed with an event in hand fails");
    assert!(report.bodies > 100, "the search for marks has seen where they may be");
    assert!(report.wrong.is_empty(), "{report}");
}
