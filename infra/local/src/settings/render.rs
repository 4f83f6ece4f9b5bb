//! A connection as a person would write it into the settings file: what is as usual is left out.

use domain::connection::{Connection, Schedule, SettingMap};
use domain::mapping::Service;
use domain::policy::{Changed, Comment, NoSku, Policies, UnknownMethod, UnknownSku};

/// The block of a connection.
#[must_use]
pub(crate) fn connection(connection: &Connection) -> String {
    let mut lines = vec![
        "[[connection]]".to_owned(),
        setting("id", text(connection.id.as_str())),
        setting("name", text(&connection.name)),
        setting("enabled", connection.enabled.to_string()),
    ];
    let mut table = |name: &str, settings: Vec<String>| {
        if !settings.is_empty() {
            lines.extend([String::new(), format!("[connection.{name}]")]);
            lines.extend(settings);
        }
    };
    table("store", side(&connection.store));
    table("warehouse", side(&connection.warehouse));
    table("policies", policies(&connection.policies));
    table("schedule", schedule(&connection.schedule));
    lines.push(String::new());
    lines.join("\n")
}

fn setting(name: &str, literal: String) -> String {
    format!("{name} = {literal}")
}

/// The settings of a side, `kind` first. A table cannot be a text as well: where there is `auth.key`, `auth` is `auth.kind`.
fn side(settings: &SettingMap) -> Vec<String> {
    let is_table = |name: &str| settings.keys().any(|other| other.starts_with(&format!("{name}.")));
    let line = |(name, value): (&String, &String)| {
        let name = if is_table(name) { format!("{name}.kind") } else { name.clone() };
        let path: Vec<String> = name.split('.').map(key).collect();
        setting(&path.join("."), literal(value))
    };
    let (kind, others): (Vec<_>, Vec<_>) = settings.iter().partition(|(name, _)| *name == "kind");
    kind.into_iter().chain(others).map(line).collect()
}

fn policies(policies: &Policies) -> Vec<String> {
    let usual = Policies::default();
    let number = |name: &str, is: u32, usual: u32| (is != usual).then(|| setting(name, is.to_string()));
    let word = |name: &str, word: Option<&str>| word.map(|word| setting(name, text(word)));
    let words = |name: &str, is: &[String], usual: &[String]| {
        let all: Vec<String> = is.iter().map(|word| text(word)).collect();
        (is != usual).then(|| setting(name, format!("[{}]", all.join(", "))))
    };
    [
        policies.start.map(|start| setting("start", text(&start.to_string()))),
        word("unknown_sku", unknown_sku(policies.unknown_sku)),
        word("no_sku", (policies.no_sku == NoSku::Drop).then_some("drop")),
        unknown_method(&policies.unknown_method),
        word("comment", (policies.comment == Comment::Hold).then_some("hold")),
        word("changed", (policies.changed == Changed::Replace).then_some("replace")),
        number("cooling_off_minutes", policies.cooling_off_minutes, usual.cooling_off_minutes),
        words("ship_statuses", &policies.ship_statuses, &usual.ship_statuses),
        number("unpaid_days", policies.unpaid_days, usual.unpaid_days),
        number("watch_days", policies.watch_days, usual.watch_days),
        number("retention_days", policies.retention_days, usual.retention_days),
        (policies.currency != usual.currency).then(|| setting("currency", text(policies.currency.as_str()))),
        number("accept_within_minutes", policies.targets.accept_minutes, usual.targets.accept_minutes),
        number("ship_within_hours", policies.targets.ship_hours, usual.targets.ship_hours),
        number("post_within_minutes", policies.targets.post_minutes, usual.targets.post_minutes),
        words("test_skus", &policies.test_skus, &usual.test_skus),
        words("test_comments", &policies.test_comments, &usual.test_comments),
        words("test_emails", &policies.test_emails, &usual.test_emails),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn unknown_sku(policy: UnknownSku) -> Option<&'static str> {
    match policy {
        UnknownSku::Hold => None,
        UnknownSku::Pass => Some("pass"),
        UnknownSku::Drop => Some("drop"),
    }
}

fn unknown_method(policy: &UnknownMethod) -> Option<String> {
    match policy {
        UnknownMethod::Hold => None,
        UnknownMethod::Use(service) => {
            Some(setting("unknown_method", format!("{{ use = {} }}", text(Service::as_str(service)))))
        }
    }
}

fn schedule(schedule: &Schedule) -> Vec<String> {
    let usual = Schedule::default();
    [
        ("orders_minutes", schedule.orders_minutes, usual.orders_minutes),
        ("shipments_minutes", schedule.shipments_minutes, usual.shipments_minutes),
        ("overlap_minutes", schedule.overlap_minutes, usual.overlap_minutes),
    ]
    .into_iter()
    .filter(|(_, is, usual)| is != usual)
    .map(|(name, is, _)| setting(name, is.to_string()))
    .collect()
}

/// A setting of a side as a person would write it: numbers and flags without quotes, where that is the same.
fn literal(value: &str) -> String {
    let is_number = value.len() <= 15 && value.bytes().all(|b| b.is_ascii_digit()) && !value.starts_with('0');
    let is_plain = matches!(value, "true" | "false" | "0") || (is_number && !value.is_empty());
    if is_plain { value.to_owned() } else { text(value) }
}

/// A key, in quotes where it needs them.
pub(super) fn key(key: &str) -> String {
    let is_bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_bare { key.to_owned() } else { text(key) }
}

/// A text as a literal of TOML.
#[must_use]
pub(crate) fn text(value: &str) -> String {
    let mut literal = "\"".to_owned();
    for letter in value.chars() {
        match letter {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\t' => literal.push_str("\\t"),
            '\r' => literal.push_str("\\r"),
            control if control.is_control() => literal.push_str(&format!("\\u{:04X}", u32::from(control))),
            plain => literal.push(plain),
        }
    }
    literal + "\""
}
