//! The end of the day: the ledger's counts beside the simulators' own, every order beside what must become of it, and the
//! metrics that CloudWatch makes of the logs beside both.

use std::collections::BTreeMap;

use domain::record::{Record, Stage};
use operations::status::Outside;
use operations::text::Style;
use simulator::shop::Expect;
use simulator::store::OrderSpec;

use super::shop::Shop;
use super::stack::{STACK, Stack};
use crate::chaos::FUNCTIONS;
use crate::function::metrics_of;

/// Closes the books. Gives them as text, and what is wrong.
pub(super) async fn close(stack: &Stack<'_>, shop: &Shop) -> (String, Vec<String>) {
    let books = shop.books().await;
    let (store, warehouse) = (shop.store.books(), shop.warehouse.books());
    let shipments = shop.warehouse.shipments().len();
    let closing = books.close(&Outside {
        orders_in_store: u64::try_from(store.orders).ok(),
        orders_at_warehouse: u64::try_from(warehouse.orders).ok(),
        packages_shipped: u64::try_from(shipments).ok(),
        packages_in_store: u64::try_from(store.tracking_numbers).ok(),
    });
    let mut wrong = unexpected(shop).await;
    let twice = (warehouse.duplicates as u64, store.repeated_updates);
    if !closing.closes() || books.packages.shipped != books.packages.posted {
        wrong.push("the books do not close".to_owned());
    }
    if twice != (0, 0) {
        wrong.push(format!("sent twice: {}, posted twice: {}", twice.0, twice.1));
    }
    let logs = logs(stack).await;
    wrong.extend(uncounted(
        &logs,
        &[("OrdersImported", store.orders), ("OrdersSent", warehouse.orders), ("PackagesPosted", shipments)],
    ));
    wrong.extend(marks(&logs, shop));
    (format!("{}\n  parcels {}", closing.text(Style::PLAIN), books.packages.line()), wrong)
}

/// The orders that did not become what they should have become.
async fn unexpected(shop: &Shop) -> Vec<String> {
    let mut wrong = Vec::new();
    for order in shop.store.orders() {
        let Some(id) = order.id else { continue };
        let record = shop.record(id).await;
        if !record.as_ref().is_some_and(|record| is_as_expected(&order, record)) {
            let is = record.map_or("not in the ledger".to_owned(), |record| format!("{:?}", record.stage));
            wrong.push(format!("order {id} ({:?}) is {is}, not {:?}", order.kind, order.ends_as()));
        }
    }
    wrong
}

fn is_as_expected(order: &OrderSpec, record: &Record) -> bool {
    match order.ends_as() {
        Expect::Ship { units } => record.stage == Stage::Posted && record.units == units,
        Expect::Hold => matches!(record.stage, Stage::Held(_)),
        Expect::Exclude => matches!(record.stage, Stage::Excluded(_)),
        Expect::Wait => matches!(record.stage, Stage::Waiting(_)),
    }
}

async fn logs(stack: &Stack<'_>) -> BTreeMap<&'static str, String> {
    let mut logs = BTreeMap::new();
    for function in FUNCTIONS {
        logs.insert(function, stack.logs(function).await.join("\n"));
    }
    logs
}

/// Metrics that differ from what happened, or are not in the stack's namespace.
fn uncounted(logs: &BTreeMap<&str, String>, wanted: &[(&str, usize)]) -> Vec<String> {
    let all: String = logs.values().flat_map(|log| [log, "\n"]).collect();
    let metrics = metrics_of(&all);
    let count = |name: &str| metrics.get(name).copied().unwrap_or(0);
    let differ = wanted.iter().filter(|(name, wanted)| count(name) != *wanted as u64);
    let differ = differ.map(|(name, wanted)| format!("the metric {name} is {}, not {wanted}", count(name)));
    let namespace = format!("\"Namespace\":\"Cartdock/{STACK}\"");
    let elsewhere = all.lines().filter(|line| line.contains("\"_aws\"") && !line.contains(&namespace));
    differ.chain(elsewhere.map(|line| format!("a metric is not in the stack's namespace: {line}"))).collect()
}

/// Secrets of the connection in a log.
fn marks(logs: &BTreeMap<&str, String>, shop: &Shop) -> Vec<String> {
    let found = logs.iter().filter(|(_, log)| shop.secrets().iter().any(|secret| log.contains(secret)));
    found.map(|(function, _)| format!("a secret is in the log of {function}")).collect()
}
