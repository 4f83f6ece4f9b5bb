//! What a process counts for dashboards and alarms: orders, packages, requests and how long they take. Names and words are
//! fixed and few; there is no place for an order's number, let alone a buyer's.

mod format;
mod orders;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ports::Clock;
use jiff::Timestamp;

/// A fixed word that a metric is told apart by, with the name of its kind: `("Cause", "refused")`.
pub type Dimension = (&'static str, &'static str);

/// What was counted under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Values {
    /// So many.
    Count(u64),
    /// Each took so many milliseconds.
    Times(Vec<u64>),
}

type Counts = BTreeMap<Option<Dimension>, BTreeMap<&'static str, Values>>;

/// The counts of one process since they were last told. Cheap to clone; all clones count together.
#[derive(Clone)]
pub struct Metrics(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    counts: Mutex<Counts>,
}

/// Which side of a connection a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The store.
    Store,
    /// The warehouse.
    Warehouse,
}

impl Side {
    fn dimension(self) -> Dimension {
        let word = match self {
            Self::Store => "store",
            Self::Warehouse => "warehouse",
        };
        ("Side", word)
    }
}

impl Metrics {
    /// Nothing has been counted yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared { clock, counts: Mutex::default() }))
    }

    /// The time by which durations are measured.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// So many more. None is not told: CloudWatch bills a metric for each hour in which it hears of it.
    pub fn count(&self, name: &'static str, by: Option<Dimension>, more: u64) {
        if more == 0 {
            return;
        }
        let mut counts = self.counts();
        let values = counts.entry(by).or_default().entry(name).or_insert(Values::Count(0));
        if let Values::Count(count) = values {
            *count = count.saturating_add(more);
        }
    }

    /// Something took from `since` until `end`.
    pub fn took(&self, name: &'static str, by: Option<Dimension>, since: Timestamp, end: Timestamp) {
        let millis = u64::try_from(end.duration_since(since).as_millis()).unwrap_or(0);
        let mut counts = self.counts();
        let values = counts.entry(by).or_default().entry(name).or_insert_with(|| Values::Times(Vec::new()));
        if let Values::Times(times) = values {
            times.push(millis);
        }
    }

    /// A request to one side of a connection has ended: was it answered, and not with a failure of the other side?
    pub(crate) fn requested(&self, side: Side, since: Timestamp, is_answered: bool) {
        let by = Some(side.dimension());
        self.count("Requests", by, 1);
        self.count("RequestFailures", by, u64::from(!is_answered));
        self.took("RequestLatency", by, since, self.now());
    }

    /// The lines that tell CloudWatch everything since they were last asked for, in the embedded metric format, under this
    /// namespace.
    #[must_use]
    pub fn lines(&self, namespace: &str) -> Vec<String> {
        let counts = std::mem::take(&mut *self.counts());
        counts
            .into_iter()
            .flat_map(|(by, metrics)| format::lines(namespace, self.now(), by, metrics))
            .collect()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use testkit::clock::ManualClock;

    fn told(metrics: &Metrics) -> Vec<Value> {
        metrics.lines("Cartdock/shop").iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn each_dimension_has_a_line_of_its_own_and_is_told_once() {
        let clock = Arc::new(ManualClock::waiting(Timestamp::UNIX_EPOCH));
        let (metrics, began) = (Metrics::new(clock.clone()), clock.now());
        metrics.count("OrdersSent", None, 2);
        metrics.count("OrdersSent", None, 1);
        metrics.requested(Side::Store, began, true);
        metrics.requested(Side::Store, began, false);
        let about = |dimensions: Value, names: Value| {
            let what = json!([{"Namespace": "Cartdock/shop", "Dimensions": [dimensions], "Metrics": names}]);
            json!({"Timestamp": began.as_millisecond(), "CloudWatchMetrics": what})
        };
        let of = |name: &str, unit: &str| json!({"Name": name, "Unit": unit});
        let sent = json!({"_aws": about(json!([]), json!([of("OrdersSent", "Count")])), "OrdersSent": 3});
        let names = json!([
            of("RequestFailures", "Count"),
            of("RequestLatency", "Milliseconds"),
            of("Requests", "Count")
        ]);
        let asked = json!({
            "_aws": about(json!(["Side"]), names),
            "Side": "store", "RequestFailures": 1, "RequestLatency": [0, 0], "Requests": 2,
        });
        assert_eq!(told(&metrics), [sent, asked]);
        assert_eq!(told(&metrics), Vec::<Value>::new(), "nothing is told twice");
    }

    #[test]
    fn more_values_than_fit_into_a_line_are_told_in_several() {
        let clock = Arc::new(ManualClock::waiting(Timestamp::UNIX_EPOCH));
        let (metrics, began) = (Metrics::new(clock.clone()), clock.now());
        for _ in 0..250 {
            metrics.took("SendLatency", None, began, began);
        }
        metrics.count("OrdersSent", None, 250);
        let lines = told(&metrics);
        let times: Vec<usize> =
            lines.iter().filter_map(|l| Some(l["SendLatency"].as_array()?.len())).collect();
        assert_eq!(times, [100, 100, 50]);
        assert_eq!(lines.iter().filter(|line| !line["OrdersSent"].is_null()).count(), 1, "counted once");
    }
}
