//! The `[connection.policies]` table.

use domain::mapping::Service;
use domain::payment::PaymentStatus;
use domain::policy::{Changed, Comment, NoSku, Policies, Targets, UnknownMethod, UnknownSku};
use jiff::Timestamp;
use toml::Spanned;
use toml::de::DeValue;

use super::node::{Entries, Reading, Span, wrong_type};

/// The longest time in days that makes sense here: ten years.
const LONG: u32 = 3650;

/// The longest cooling-off delay in minutes: four weeks.
const CALM: u32 = 4 * 7 * 24 * 60;

pub(super) fn read<'t>(mut table: Entries<'t>, reading: &mut Reading) -> Policies {
    let usual = Policies::default();
    let policies = Policies {
        start: start(&mut table, reading),
        unknown_sku: table
            .choice(
                "unknown_sku",
                &[("hold", UnknownSku::Hold), ("pass", UnknownSku::Pass), ("drop", UnknownSku::Drop)],
                reading,
            )
            .unwrap_or(usual.unknown_sku),
        no_sku: table
            .choice("no_sku", &[("hold", NoSku::Hold), ("drop", NoSku::Drop)], reading)
            .unwrap_or(usual.no_sku),
        unknown_method: unknown_method(&mut table, reading).unwrap_or(usual.unknown_method),
        comment: table
            .choice("comment", &[("ship", Comment::Ship), ("hold", Comment::Hold)], reading)
            .unwrap_or(usual.comment),
        changed: table
            .choice("changed", &[("hold", Changed::Hold), ("replace", Changed::Replace)], reading)
            .unwrap_or(usual.changed),
        cooling_off_minutes: table
            .number("cooling_off_minutes", 0..=CALM, reading)
            .unwrap_or(usual.cooling_off_minutes),
        ship_statuses: ship_statuses(&mut table, reading).unwrap_or(usual.ship_statuses),
        unpaid_days: table.number("unpaid_days", 0..=LONG, reading).unwrap_or(usual.unpaid_days),
        watch_days: table.number("watch_days", 0..=LONG, reading).unwrap_or(usual.watch_days),
        retention_days: table.number("retention_days", 1..=LONG, reading).unwrap_or(usual.retention_days),
        currency: table
            .parsed("currency", "three capital letters, as in \"USD\"", reading)
            .unwrap_or(usual.currency),
        targets: targets(&mut table, reading),
        test_skus: markers("test_skus", &mut table, reading),
        test_comments: markers("test_comments", &mut table, reading),
        test_emails: markers("test_emails", &mut table, reading),
    };
    table.nothing_else(reading);
    policies
}

/// How long the parts of an order's way should take.
fn targets<'t>(table: &mut Entries<'t>, reading: &mut Reading) -> Targets {
    let usual = Targets::default();
    let mut time = |key, usual| table.number(key, 1..=CALM, reading).unwrap_or(usual);
    Targets {
        accept_minutes: time("accept_within_minutes", usual.accept_minutes),
        ship_hours: time("ship_within_hours", usual.ship_hours),
        post_minutes: time("post_within_minutes", usual.post_minutes),
    }
}

const START_CURE: &str = "write the date of the first order that Cartdock may send, as in start = 2026-11-23 or 2026-11-23T18:00:00-05:00";

/// The guard against flooding the warehouse with the shop's history: it has to be there.
fn start<'t>(table: &mut Entries<'t>, reading: &mut Reading) -> Option<Timestamp> {
    let name = table.path("start");
    let Some(value) = table.take("start") else {
        let problem = format!("{name} is missing: every order that the shop ever took would be sent");
        reading.wrong(table.span(), problem, START_CURE);
        return None;
    };
    let at = value.span();
    let text = match value.get_ref() {
        DeValue::Datetime(date) => date.to_string(),
        DeValue::String(text) => text.trim().to_owned(),
        other => {
            return wrong_type(reading, &name, at, "a date without quotes, as in start = 2026-11-23", other);
        }
    };
    let start = instant(&text);
    if start.is_none() {
        reading.wrong(at, format!("{name} is no instant; a time needs its offset from UTC"), START_CURE);
    }
    start
}

/// A date is its first instant in UTC; a time needs an offset.
fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let is_date = text.len() == 10;
    is_date.then(|| format!("{text}T00:00:00Z").parse().ok()).flatten()
}

/// The markers of test orders. An empty one would mark nothing, or everything.
fn markers<'t>(key: &'static str, table: &mut Entries<'t>, reading: &mut Reading) -> Vec<String> {
    let name = table.path(key);
    let mut markers = Vec::new();
    for (text, at) in table.texts(key, reading).unwrap_or_default() {
        if text.trim().is_empty() {
            reading.wrong(
                at,
                format!("{name} has an empty text"),
                "take it out, or write what marks a test order",
            );
        } else {
            markers.push(text.trim().to_owned());
        }
    }
    markers
}

const METHOD_CURE: &str = "write \"hold\", or { use = \"…\" } with the warehouse's code";

/// `"hold"`, or `{ use = "UPSG" }`.
fn unknown_method<'t>(table: &mut Entries<'t>, reading: &mut Reading) -> Option<UnknownMethod> {
    let name = table.path("unknown_method");
    let value = table.take("unknown_method")?;
    let at = value.span();
    match value.into_inner() {
        DeValue::String(word) if word == "hold" => Some(UnknownMethod::Hold),
        DeValue::String(word) => {
            reading.wrong(at, format!("{name} cannot be \"{word}\""), METHOD_CURE);
            None
        }
        DeValue::Table(inner) => {
            let mut inner = Entries::new(Spanned::new(at.clone(), inner), &name);
            let service = inner.text_at("use", reading);
            inner.nothing_else(reading);
            service_of(service, at, &name, reading).map(UnknownMethod::Use)
        }
        other => wrong_type(reading, &name, at, METHOD_CURE, &other),
    }
}

fn service_of(
    found: Option<(String, Span)>,
    table: Span,
    name: &str,
    reading: &mut Reading,
) -> Option<Service> {
    let Some((text, at)) = found else {
        reading.wrong(table, format!("{name} names no service"), METHOD_CURE);
        return None;
    };
    let service = Service::parse(&text).ok();
    if service.is_none() {
        reading.wrong(at, format!("{name} names no service"), METHOD_CURE);
    }
    service
}

/// The statuses that may ship. Those that mean "no" are refused: nobody wants refunded orders shipped.
fn ship_statuses<'t>(table: &mut Entries<'t>, reading: &mut Reading) -> Option<Vec<String>> {
    const WORDS: &str = "accepted, authorized, pending, undetermined, partly_refunded";
    let name = table.path("ship_statuses");
    let at = table.span();
    let texts = table.texts("ship_statuses", reading)?;
    if texts.is_empty() {
        reading.wrong(
            at,
            format!("{name} is empty: no order would ever be sent"),
            format!("name some of {WORDS}"),
        );
    }
    let mut statuses: Vec<String> = Vec::new();
    for (text, at) in texts {
        let status = PaymentStatus::read(&text);
        let may_ship = !text.trim().is_empty()
            && matches!(
                status,
                PaymentStatus::Accepted
                    | PaymentStatus::Authorized
                    | PaymentStatus::Pending
                    | PaymentStatus::Undetermined
                    | PaymentStatus::PartlyRefunded
            );
        let known = may_ship || text == "undetermined";
        if !known {
            reading.wrong(
                at,
                format!("{name}: \"{text}\" is no status that may ship"),
                format!("known are: {WORDS}"),
            );
        } else if !statuses.iter().any(|known| known == status.word()) {
            statuses.push(status.word().to_owned());
        }
    }
    Some(statuses)
}
