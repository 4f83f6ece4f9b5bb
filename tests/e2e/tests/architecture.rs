//! The arrows between our crates are the ones that `shared/ARCHITECTURE.md` draws, and use cases name no adapter.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the workspace has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const FUNCTIONS: [&str; 6] =
    ["forward-orders", "poll-orders", "poll-shipments", "receive-notices", "sweep", "write-tracking"];

/// Our crates, and which of ours each may depend on (apart from its tests).
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut allowed = BTreeMap::from([
        ("domain", vec![]),
        ("testkit", vec!["domain"]),
        ("simulator", vec![]),
        ("delivery", vec!["domain"]),
        ("adapters", vec!["delivery", "domain"]),
        ("operations", vec!["adapters", "domain"]),
    ]);
    for function in FUNCTIONS {
        allowed.insert(function, vec!["adapters", "delivery", "domain"]);
    }
    // Its wiring alone: it tells people what is open, which is a person's operation that runs by itself.
    allowed.insert("sweep", vec!["adapters", "delivery", "domain", "operations"]);
    let everything: Vec<&str> = allowed.keys().copied().collect();
    let inside = everything.iter().copied().filter(|name| *name != "simulator");
    allowed.insert("simulation", inside.collect());
    allowed.insert("floor", vec!["adapters"]);
    allowed.insert("fuzz", vec!["adapters", "domain", "operations", "testkit"]);
    allowed.insert("cartdock", everything.iter().copied().filter(|name| *name != "testkit").collect());
    allowed.insert("e2e", everything.into_iter().chain(["cartdock"]).collect());
    allowed
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_arrow_between_our_crates_is_an_allowed_one() {
    let allowed = allowed();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    assert_eq!(
        ours,
        allowed.keys().copied().collect(),
        "a crate is new or gone: draw its arrows here and in ARCHITECTURE.md"
    );
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            let is_for_tests = dependency["kind"].as_str() == Some("dev");
            if ours.contains(to) && !is_for_tests {
                assert!(allowed[name].contains(&to), "{name} must not depend on {to}");
            }
        }
    }
}

/// All files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn a_use_case_names_no_adapter() {
    for function in FUNCTIONS {
        for file in sources(&root().join("functions").join(function).join("src")) {
            if file.file_name().is_some_and(|name| name == "main.rs") {
                let lines = std::fs::read_to_string(&file).unwrap().lines().count();
                assert!(lines <= 75, "{} has {lines} lines; wiring has at most 75", file.display());
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            for word in ["adapters::", "tokio::", "lambda_runtime::", "reqwest::"] {
                assert!(!text.contains(word), "{} names {word}", file.display());
            }
        }
    }
}

#[test]
fn the_domain_knows_no_runtime_and_no_vendor() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let domain = packages.iter().find(|package| package["name"] == "domain").unwrap();
    let names: Vec<&str> = domain["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dependency| dependency["name"].as_str().unwrap())
        .collect();
    for name in names {
        assert!(
            !["tokio", "reqwest", "lambda_runtime", "axum"].contains(&name) && !name.starts_with("aws"),
            "domain depends on {name}"
        );
    }
}
