//! `cartdock run` in a hostile world, in small: `cargo run -p e2e --bin chaos` plays the same with more of everything.

use std::path::{Path, PathBuf};

use e2e::chaos::{Class, Options, Setting, play};

fn options(name: &str) -> Options {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_dir_all(&dir));
    Options {
        setting: local(true),
        orders: 300,
        kills: 8,
        freezes: 3,
        seed: 7,
        classes: vec![Class::Refuses, Class::Asked, Class::Cannot],
        stores_per_class: 1,
        lose_ledger: true,
        dir,
    }
}

fn local(by_command: bool) -> Setting {
    Setting::Local { binary: PathBuf::from(env!("CARGO_BIN_EXE_cartdock")), by_command }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_frozen_lied_to_and_robbed_of_its_ledger_it_loses_nothing_and_does_nothing_twice() {
    let report = play(options("chaos")).await;
    println!("{report}");
    assert_eq!((report.kills, report.losses), (8, 1));
    assert!(report.rebuilt.0 > 0, "nothing had been sent before the loss");
    assert!(report.wrong.is_empty(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_on_a_deleted_ledger_rebuilds_it_by_itself() {
    let few = Options {
        orders: 80,
        kills: 2,
        freezes: 0,
        classes: vec![Class::Asked, Class::Cannot],
        setting: local(false),
        ..options("chaos-run")
    };
    let report = play(few).await;
    println!("{report}");
    assert_eq!(report.losses, 1);
    assert!(report.wrong.is_empty(), "{report}");
}
