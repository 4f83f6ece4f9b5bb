//! The log: one line per happening, as JSON on AWS and as plain text for people, on standard error.

use std::fmt;
use std::io::stderr;
use std::str::FromStr;

use tracing::{Level, Metadata};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Crates that are ours, by the beginning of a target. Others never say more than INFO: what they tell below that may
/// hold whole requests.
const OURS: &[&str] = &[
    "adapters",
    "cartdock",
    "domain",
    "forward_orders",
    "local",
    "operations",
    "poll_orders",
    "poll_shipments",
    "receive_notices",
    "simulator",
    "sweep",
    "write_tracking",
];

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verbosity(Level);

impl Default for Verbosity {
    fn default() -> Self {
        Self(Level::INFO)
    }
}

impl FromStr for Verbosity {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim().parse().map(Self).map_err(|_| "not one of error, warn, info, debug, trace")
    }
}

impl fmt::Display for Verbosity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Verbosity {
    fn lets_through(self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target().split("::").next().unwrap_or_default();
        let most = match target {
            ours if OURS.contains(&ours) => self.0,
            // It warns of each conditional write that is refused: with us an ordinary event.
            "dynoxide" => self.0.min(Level::ERROR),
            _ => self.0.min(Level::INFO),
        };
        *metadata.level() <= most
    }
}

/// Starts the log of this process. The second call changes nothing.
pub fn init(json: bool, verbosity: Verbosity) {
    // The hint lets the SDK's many finer words be passed over without asking.
    let chosen = filter_fn(move |metadata| verbosity.lets_through(metadata))
        .with_max_level_hint(LevelFilter::from_level(verbosity.0));
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr);
    let layer = if json {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    } else {
        lines.with_target(false).boxed()
    };
    let _started_before = tracing_subscriber::registry().with(layer.with_filter(chosen)).try_init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::Context;

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<String>>>);

    impl<S: tracing::Subscriber> Layer<S> for Heard {
        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            let metadata = event.metadata();
            self.0.lock().unwrap().push(format!("{} {}", metadata.target(), metadata.level()));
        }
    }

    fn heard(verbosity: &str) -> Vec<String> {
        let (heard, verbosity): (_, Verbosity) = (Heard::default(), verbosity.parse().unwrap());
        let filter = filter_fn(move |metadata| verbosity.lets_through(metadata));
        let all = tracing_subscriber::registry().with(heard.clone().with_filter(filter));
        tracing::subscriber::with_default(all, || {
            tracing::debug!(target: "adapters::sqs", "ours");
            tracing::debug!(target: "aws_smithy_runtime::client", "theirs");
            tracing::info!(target: "aws_smithy_runtime::client", "theirs");
            tracing::error!(target: "adapters::sqs", "ours");
        });
        heard.0.lock().unwrap().clone()
    }

    #[test]
    fn others_never_say_more_than_info() {
        assert_eq!(
            heard("debug"),
            ["adapters::sqs DEBUG", "aws_smithy_runtime::client INFO", "adapters::sqs ERROR"]
        );
        assert_eq!(heard("error"), ["adapters::sqs ERROR"]);
        assert!("loud".parse::<Verbosity>().is_err());
    }
}
