//! Each decision about an order with the rule that it follows.

use domain::admission::Admission;
use domain::fulfillment::FulfillmentRequest;
use domain::intake::body_of;
use domain::life::described;
use domain::mapping::{ShippingRule, Target};
use domain::order::{LineItem, Order};
use domain::policy::{Policies, UnknownMethod, UnknownSku};
use domain::record::{Cause, Exclusion, TestMarker, Wait};
use serde::Serialize;

use super::InHand;
use crate::mapping_csv::rules::matcher_words;
use crate::text::{count, instant};

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedDecision {
    /// About what.
    pub about: String,
    /// What was decided.
    pub decided: String,
    /// By which rule.
    pub rule: String,
}

fn decision(
    about: impl Into<String>,
    decided: impl Into<String>,
    rule: impl Into<String>,
) -> PlannedDecision {
    PlannedDecision { about: about.into(), decided: decided.into(), rule: rule.into() }
}

pub(super) fn of(
    hand: &InHand<'_>,
    says: &Admission,
    ruled: &Admission,
    made: Option<&Result<FulfillmentRequest, Admission>>,
) -> Vec<PlannedDecision> {
    let policies = &hand.connection.policies;
    let mut all = vec![ledger(hand)];
    let order = body_of(&hand.read);
    all.extend(order.map(document));
    all.push(decision("admission", admitted(says), admission_rule(says, order, policies)));
    if ruled != says {
        all.push(decision("a person", admitted(ruled), "a person's word outlasts the policies"));
    }
    if let Some(order) = order {
        all.extend(order.lines.iter().map(|line| line_decision(hand, line)));
        all.push(shipping(hand, order));
    }
    match made {
        Some(Ok(request)) => {
            all.push(decision("reference", request.reference.to_string(), "connection and number"))
        }
        Some(Err(Admission::Hold(cause @ Cause::TooLong(_), _))) => {
            all.push(decision("fields", cause.to_string(), "limits of the warehouse"));
        }
        _ => {}
    }
    all.push(decision("a lost answer", hand.warehouse.repeat.sentence(), "repeat"));
    all
}

fn ledger(hand: &InHand<'_>) -> PlannedDecision {
    match &hand.record {
        None => decision("ledger", "not there yet", "decided as if it came in now"),
        Some(record) => {
            let since = format!("{} since {}", record.stage.word(), instant(record.since));
            let rule = if hand.is_past().is_some() { "nothing is sent twice" } else { "decided anew" };
            decision("ledger", since, rule)
        }
    }
}

fn document(order: &Order) -> PlannedDecision {
    let placed = order.ordered_at.map_or_else(|| "without a date".to_owned(), instant);
    let lines = count(order.lines.len() as u64, "line", "lines");
    let what =
        format!("{}, {placed}, {lines}, {} {}", order.payment.word(), order.total, order.currency.as_str());
    decision("order", what, "the store's document")
}

fn admitted(admission: &Admission) -> String {
    match admission {
        Admission::Ready => "may be sent".to_owned(),
        other => described(&other.stage()),
    }
}

/// The policy, or the fact, that decided.
fn admission_rule(admission: &Admission, order: Option<&Order>, policies: &Policies) -> String {
    let statuses = || format!("ship_statuses = {:?}", policies.ship_statuses);
    match admission {
        Admission::Ready => format!("{}, an address", statuses()),
        Admission::Exclude(Exclusion::BeforeStart) => {
            format!("start = {}", policies.start.map(instant).unwrap_or_default())
        }
        Admission::Exclude(Exclusion::Digital) => "no address in the document".to_owned(),
        Admission::Exclude(Exclusion::Test(marker)) => match marker {
            TestMarker::Sku => format!("test_skus = {:?}", policies.test_skus),
            TestMarker::Comment => "test_comments".to_owned(),
            TestMarker::Email => "test_emails".to_owned(),
        },
        Admission::Exclude(Exclusion::NeverPaid) => format!("unpaid_days = {}", policies.unpaid_days),
        Admission::Exclude(Exclusion::NotPaid(_)) | Admission::Wait(Wait::Unpaid(_), _) => statuses(),
        Admission::Wait(Wait::CoolingOff, until) => {
            format!("cooling_off_minutes = {}, over at {}", policies.cooling_off_minutes, instant(*until))
        }
        Admission::Hold(Cause::Comment, _) => "comment = \"hold\"".to_owned(),
        Admission::Hold(Cause::BadAddress(_), _) => "what every carrier needs".to_owned(),
        _ if order.is_none() => "the store's answer".to_owned(),
        _ => "the store's document".to_owned(),
    }
}

fn line_decision(hand: &InHand<'_>, line: &LineItem) -> PlannedDecision {
    let policies = &hand.connection.policies;
    let sku = line.sku.as_ref().map_or("no SKU", |sku| sku.as_str());
    let about = format!("{} x {sku}", line.quantity);
    let decided = match hand.mapping.line(line, policies) {
        Ok(parts) if parts.is_empty() => "not shipped".to_owned(),
        Ok(parts) => {
            let parts: Vec<String> =
                parts.iter().map(|part| format!("{} x {}", part.quantity, part.sku)).collect();
            parts.join(", ")
        }
        Err(gap) => format!("held: {gap}"),
    };
    let rule = match line.sku.as_ref().map(|sku| hand.mapping.listings.get(sku)) {
        None => format!("no_sku = \"{}\"", word(&policies.no_sku)),
        Some(Some(Target::Ship(parts))) if parts.len() > 1 => format!("listing {sku}, a kit"),
        Some(Some(_)) => format!("listing {sku}"),
        Some(None) if policies.unknown_sku == UnknownSku::Hold => "no listing".to_owned(),
        Some(None) => format!("no listing, unknown_sku = \"{}\"", word(&policies.unknown_sku)),
    };
    decision(about, decided, rule)
}

fn shipping(hand: &InHand<'_>, order: &Order) -> PlannedDecision {
    let policies = &hand.connection.policies;
    let chosen = order.ship_method.as_ref().map_or("none chosen", |method| method.as_str());
    let decided = match hand.mapping.service(order, policies) {
        Ok(service) => service.to_string(),
        Err(gap) => format!("held: {gap}"),
    };
    let rule = match hand.mapping.deciding_rule(order) {
        Some(place) => hand.mapping.rules.get(place).map(|rule| rule_words(place, rule)).unwrap_or_default(),
        None => match &policies.unknown_method {
            UnknownMethod::Hold => "no rule".to_owned(),
            UnknownMethod::Use(service) => format!("no rule, unknown_method = {{ use = \"{service}\" }}"),
        },
    };
    decision(format!("method: {chosen}"), decided, rule)
}

/// A rule with its place and its conditions.
fn rule_words(place: usize, rule: &ShippingRule) -> String {
    let (compare, text) = matcher_words(&rule.method);
    let mut words = format!("rule {}: {compare}", place + 1);
    if !text.is_empty() {
        words.push_str(&format!(" \"{text}\""));
    }
    if !rule.countries.is_empty() {
        words.push_str(&format!(" to {}", rule.countries.join(" ")));
    }
    for (word, amount) in [("from", rule.min_total), ("below", rule.below_total)] {
        words.push_str(&amount.map(|amount| format!(" {word} {amount}")).unwrap_or_default());
    }
    words
}

/// A policy's choice as the settings word it.
fn word<T: Serialize>(choice: &T) -> String {
    let value = serde_json::to_value(choice).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
