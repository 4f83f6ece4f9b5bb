//! What `cartdock cost` says the template makes is what it makes.

use std::collections::BTreeSet;

use operations::cost::measured;
use serde_json::Value;

use crate::TEMPLATE;
use crate::document::resources;

/// Metrics that an alarm looks at: each is billed.
fn metrics_of(alarm: &Value) -> usize {
    let metrics = alarm["Properties"]["Metrics"].as_array();
    metrics.map_or(1, |all| all.iter().filter(|one| one["MetricStat"].is_object()).count())
}

/// Events of this type over all functions.
fn events(kind: &str) -> usize {
    let functions = resources(&TEMPLATE, "AWS::Serverless::Function");
    let of = |function: &Value| {
        let events = function["Properties"]["Events"].as_object().cloned().unwrap_or_default();
        events.values().filter(|event| event["Type"] == kind).count()
    };
    functions.into_iter().map(|(_, function)| of(function)).sum()
}

#[test]
fn the_bill_counts_the_alarms_that_the_template_makes() {
    let alarms = resources(&TEMPLATE, "AWS::CloudWatch::Alarm");
    let unasked = alarms.iter().filter(|(_, alarm)| alarm["Condition"].is_null());
    let billed: usize = unasked.map(|(_, alarm)| metrics_of(alarm)).sum();
    assert_eq!(measured::ALARMS, billed as u64, "metrics of alarms that every stack has");
}

#[test]
fn the_bill_counts_what_runs_without_orders() {
    assert_eq!(measured::SCHEDULES, resources(&TEMPLATE, "AWS::Scheduler::Schedule").len() as u64);
    assert_eq!(measured::QUEUES, events("SQS") as u64);
    assert_eq!(TEMPLATE["Globals"]["Function"]["MemorySize"], measured::MEMORY_MB);
    let other = resources(&TEMPLATE, "AWS::Serverless::Function").into_iter();
    let other = other.filter(|(_, one)| !one["Properties"]["MemorySize"].is_null());
    let other: BTreeSet<&str> = other.map(|(name, _)| name).collect();
    assert_eq!(
        other,
        BTreeSet::from(["ReceiveNotices"]),
        "a webhook takes milliseconds: the bill leaves that out"
    );
}
