//! The Lambda function: asks the warehouses on a schedule what they have shipped.

use std::sync::Arc;
use std::time::Duration;

use adapters::environment::Environment;
use adapters::lambda::{Function, Job, tell};
use async_trait::async_trait;
use domain::Failure;
use domain::life::later;
use poll_shipments::{NAME, PollShipments};

struct Poll(PollShipments);

#[async_trait]
impl Job for Poll {
    async fn run(&self, time_left: Duration) -> Result<(), Failure> {
        let polled = self.0.run(later(self.0.clock.now(), time_left)).await?;
        tell(NAME, polled, |packages| *packages)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = Environment::open().await?;
    let poll = PollShipments {
        connections: environment.connections(),
        partners: environment.partners()?,
        ledger: environment.ledger(),
        shipments: environment.queue("SHIPMENTS")?,
        clock: environment.clock(),
        dice: environment.dice(),
    };
    Function::new(environment.clock()).on_schedule(Arc::new(Poll(poll))).run().await
}
