//! The list of planted bugs fits the code as it is: each has its place, and each changes something.

use simulation::plants::{list, workspace};

#[test]
fn every_planted_bug_has_exactly_one_place_in_the_code() {
    let stale: Vec<String> = list()
        .unwrap()
        .iter()
        .filter_map(|bug| {
            let text = std::fs::read_to_string(workspace().join(&bug.file)).map_err(|e| e.to_string());
            text.and_then(|text| bug.planted_in(&text)).err()
        })
        .collect();
    assert!(stale.is_empty(), "put these right in tests/simulation/planted.toml:\n{}", stale.join("\n"));
}

#[test]
fn there_are_at_least_thirty_and_each_is_meant_to_be_noticed() {
    let bugs = list().unwrap();
    assert!(bugs.len() >= 30, "{} bugs", bugs.len());
    for bug in &bugs {
        assert!(!bug.caught_by.is_empty() && bug.what.ends_with('.'), "{}", bug.name);
        assert_ne!(bug.find, bug.put, "{} changes nothing", bug.name);
        assert!(!bug.file.starts_with("tests"), "{}: the real code, not its judge", bug.name);
    }
}
