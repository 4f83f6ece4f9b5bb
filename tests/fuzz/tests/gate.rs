//! The gate's part: the kept inputs, a fixed number of variations of them, and every attack. Nothing here is timed.

use std::sync::{Mutex, PoisonError};

use fuzz::run::{Length, campaign, on_small_stack};
use fuzz::{attacks, corpus, targets};

/// Memory is counted for the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Variations of each target's kept inputs; a fast build plays millions (see `src/main.rs`).
const EXECUTIONS: u64 = 2_000;

#[test]
fn kept_inputs_and_variations_of_them_break_no_promise() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut findings = Vec::new();
    for target in targets::ALL.iter().copied() {
        assert!(!corpus::inputs(&target).unwrap().is_empty(), "{} keeps no inputs", target.name);
        let report = on_small_stack(move || campaign(&target, 1, Length::Executions(EXECUTIONS)));
        let report = report.unwrap().unwrap();
        assert!(report.accepted > 0, "nothing that {} was given is accepted: it tries nothing", target.name);
        findings.extend(report.findings);
    }
    // How long an input takes is the long mode's business.
    findings.retain(|finding| !finding.contains(": takes "));
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn every_attack_is_refused_in_little_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut wrong = Vec::new();
    for attack in attacks::all() {
        let name = attack.name();
        let tried = on_small_stack(move || attack.run()).unwrap();
        wrong.extend(tried.verdict.err().map(|why| format!("{name}: {why}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
