//! Each finding: well where all is well, and not well where it is not.

use super::*;
use domain::life::Step;
use domain::notes::Daily;
use domain::order::Order;
use domain::record::Stage;
use testkit::build;
use testkit::model::{Class, Scene};
use testkit::run::run;

fn look(scene: &Scene) -> Vec<Checked> {
    let doctor = Doctor {
        partners: scene.partners.as_ref(),
        ledger: scene.ledger.as_ref(),
        notes: scene.notes.as_ref(),
        mappings: scene.mappings.as_ref(),
        clock: scene.clock.as_ref(),
    };
    run(doctor.look(&scene.connection))
}

fn found<'a>(findings: &'a [Checked], what: &str) -> &'a Checked {
    findings.iter().find(|finding| finding.what == what).unwrap_or_else(|| panic!("{what}: {findings:?}"))
}

#[track_caller]
fn is(scene: &Scene, what: &str, ok: Option<bool>, part: &str) {
    let findings = look(scene);
    let finding = found(&findings, what);
    assert!(finding.ok == ok && finding.detail.contains(part), "{finding:?}");
}

#[test]
fn where_all_is_well_nothing_is_found() {
    let scene = Scene::new(Class::U);
    scene.ready(1);
    let findings = look(&scene);
    assert!(findings.iter().all(|finding| finding.ok != Some(false)), "{findings:?}");
    is(&scene, "polling", Some(true), "1 order of the last day, all in the ledger");
}

#[test]
fn nobody_who_sweeps_is_found_unless_the_warehouse_is_away() {
    let scene = Scene::new(Class::U);
    scene.ready(1);
    is(&scene, "at work", Some(true), "has been looked at");
    scene.pass(scene.pace.grace + LATE + Duration::from_secs(1));
    is(&scene, "at work", Some(false), "nobody sweeps");
    is(&scene, "late", Some(true), "0 orders are late");
    scene.pass(Duration::from_secs(3600));
    is(&scene, "late", Some(false), "1 order is late");
    scene.ledger.with(&scene.connection.id, |books| {
        let now = scene.clock.now();
        books.circuit.away = Some(domain::circuit::Away { since: now, probes: 1, probe_at: now });
    });
    is(&scene, "at work", None, "cannot be seen");
    is(&scene, "away", Some(false), "does not answer");
}

#[test]
fn a_mapping_that_lacks_something_is_found() {
    let scene = Scene::new(Class::U);
    scene.ready(1);
    is(&scene, "coverage", Some(true), "translates 1 of the last 1 order");
    scene.remap(|mapping| mapping.listings.clear());
    is(&scene, "coverage", Some(false), "translates 0 of the last 1 order; cartdock map coverage");
}

#[test]
fn nobody_who_polls_is_found_by_an_order_that_is_not_in_the_ledger() {
    let scene = Scene::new(Class::U);
    let placed = |order: u64, minutes: u64| {
        let at = scene.clock.now().checked_sub(Duration::from_secs(60 * minutes)).unwrap();
        scene.store.place(Order { ordered_at: Some(at), ..build::order(order) });
    };
    placed(7, 5);
    is(&scene, "polling", Some(true), "1 of them not polled yet");
    placed(8, 60);
    is(&scene, "polling", Some(false), "cartdock reconcile main --fix");
    scene.store.fail(8);
    is(&scene, "polling", Some(false), "");
}

#[test]
fn an_attempt_that_died_and_a_daily_comparison_that_is_overdue_are_found() {
    let scene = Scene::new(Class::U);
    is(&scene, "daily", None, "first one");
    is(&scene, "attempts", Some(true), "none is stuck");
    scene.ready(1);
    let until = scene.seconds_from_now(60);
    scene.step(1, Step::Claim { until, units: 1, mapping: 1, digest: None });
    assert!(matches!(scene.stage(1), Stage::Sending(_)));
    let daily = Daily { due: scene.seconds_from_now(60), running: None, last: None };
    run(scene.notes.set_daily(&scene.connection.id, &daily)).unwrap();
    is(&scene, "daily", Some(true), "there was none yet");
    scene.pass(LATE + Duration::from_secs(120));
    is(&scene, "attempts", Some(false), "main/1");
    is(&scene, "daily", Some(false), "cartdock reconcile");
}

#[test]
fn dead_letters_need_a_person_and_a_deep_queue_is_told() {
    let depth = |is_dead, messages| Depth { name: "orders".into(), is_dead, messages };
    let findings = of_queues(&[depth(false, 3), depth(false, 5000), depth(true, 0), depth(true, 1)]);
    let told: Vec<(Option<bool>, &str)> = findings.iter().map(|f| (f.ok, f.what.as_str())).collect();
    let dead = "orders dead letters";
    assert_eq!(told, [(Some(true), "orders"), (None, "orders"), (Some(true), dead), (Some(false), dead)]);
    assert!(findings[3].detail.contains("orders-dead.md"));
}

#[test]
fn a_connection_that_is_not_enabled_is_left_alone() {
    let mut scene = Scene::new(Class::U);
    scene.reconnect(|connection| connection.enabled = false);
    assert_eq!(look(&scene).len(), 1);
}
