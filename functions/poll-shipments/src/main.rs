//! The Lambda function: asks the warehouses on a schedule what they have shipped.

use std::sync::Arc;
use std::time::Duration;

use adapters::environment::Environment;
use adapters::lambda::{Job, tell};
use adapters::metrics::Metrics;
use async_trait::async_trait;
use domain::Failure;
use domain::life::later;
use poll_shipments::{NAME, PollShipments};

struct Poll {
    use_case: PollShipments,
    metrics: Metrics,
}

#[async_trait]
impl Job for Poll {
    async fn run(&self, time_left: Duration) -> Result<(), Failure> {
        let polled = self.use_case.run(later(self.use_case.clock.now(), time_left)).await?;
        tell(NAME, polled, |packages| *packages, &self.metrics)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = Environment::open()?;
    let use_case = PollShipments {
        connections: environment.connections(),
        partners: environment.partners()?,
        ledger: environment.ledger(),
        shipments: environment.queue("SHIPMENTS")?,
        clock: environment.clock(),
        dice: environment.dice(),
    };
    let poll = Poll { use_case, metrics: environment.metrics() };
    environment.function().on_schedule(Arc::new(poll)).run().await
}
