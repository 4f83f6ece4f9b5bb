//! The Lambda function: looks again, on a schedule, at everything that is due.

use std::sync::Arc;
use std::time::Duration;

use adapters::environment::Environment;
use adapters::lambda::{Job, tell};
use adapters::metrics::Metrics;
use async_trait::async_trait;
use domain::Failure;
use domain::life::later;
use sweep::{NAME, Sweep};

struct Look {
    use_case: Sweep,
    metrics: Metrics,
}

#[async_trait]
impl Job for Look {
    async fn run(&self, time_left: Duration) -> Result<(), Failure> {
        let swept = self.use_case.run(later(self.use_case.clock.now(), time_left)).await?;
        tell(NAME, swept, |swept| swept.looked, &self.metrics)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = Environment::open()?;
    let use_case = Sweep {
        connections: environment.connections(),
        partners: environment.partners()?,
        ledger: environment.ledger(),
        mappings: environment.mappings(),
        orders: environment.queue("ORDERS")?,
        shipments: environment.queue("SHIPMENTS")?,
        clock: environment.clock(),
        dice: environment.dice(),
        pace: environment.pace()?,
    };
    let look = Look { use_case, metrics: environment.metrics() };
    environment.function().on_schedule(Arc::new(look)).run().await
}
