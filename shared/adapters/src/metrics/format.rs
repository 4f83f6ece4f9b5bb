//! CloudWatch's embedded metric format: a log line from which it makes metrics.
//! Source: "Specification: Embedded metric format", Amazon CloudWatch user guide.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Dimension, Values};

/// A metric may have so many values in one line.
const MOST_VALUES: usize = 100;

/// The lines for the metrics of one dimension: one, unless something has more values than fit into it.
pub(super) fn lines(
    namespace: &str,
    now: Timestamp,
    by: Option<Dimension>,
    metrics: BTreeMap<&'static str, Values>,
) -> Vec<String> {
    let mut lines = vec![Map::new()];
    for (name, values) in &metrics {
        match values {
            Values::Count(count) => put(&mut lines, 0, name, json!(count)),
            Values::Times(times) => times
                .chunks(MOST_VALUES)
                .enumerate()
                .for_each(|(line, times)| put(&mut lines, line, name, json!(times))),
        }
    }
    let lines = lines.into_iter().filter(|values| !values.is_empty());
    lines.map(|values| line(namespace, now, by, &metrics, values)).collect()
}

fn put(lines: &mut Vec<Map<String, Value>>, line: usize, name: &str, value: Value) {
    if lines.len() <= line {
        lines.resize(line + 1, Map::new());
    }
    if let Some(values) = lines.get_mut(line) {
        values.insert(name.to_owned(), value);
    }
}

fn line(
    namespace: &str,
    now: Timestamp,
    by: Option<Dimension>,
    metrics: &BTreeMap<&'static str, Values>,
    mut values: Map<String, Value>,
) -> String {
    let unit = |name: &str| match metrics.get(name) {
        Some(Values::Times(_)) => "Milliseconds",
        _ => "Count",
    };
    let named: Vec<Value> = values.keys().map(|name| json!({"Name": name, "Unit": unit(name)})).collect();
    let dimensions: Vec<&str> = by.iter().map(|(kind, _)| *kind).collect();
    if let Some((kind, word)) = by {
        values.insert(kind.to_owned(), json!(word));
    }
    let about = json!({
        "Timestamp": now.as_millisecond(),
        "CloudWatchMetrics": [{"Namespace": namespace, "Dimensions": [dimensions], "Metrics": named}],
    });
    values.insert("_aws".to_owned(), about);
    Value::Object(values).to_string()
}
