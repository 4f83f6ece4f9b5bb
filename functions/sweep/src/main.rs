//! The Lambda function: looks again, on a schedule, at everything that is due.

use std::sync::Arc;
use std::time::Duration;

use adapters::environment::Environment;
use adapters::lambda::{Function, Job, tell};
use async_trait::async_trait;
use domain::Failure;
use domain::life::later;
use sweep::{NAME, Sweep};

struct Look(Sweep);

#[async_trait]
impl Job for Look {
    async fn run(&self, time_left: Duration) -> Result<(), Failure> {
        let swept = self.0.run(later(self.0.clock.now(), time_left)).await?;
        tell(NAME, swept, |swept| swept.looked)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = Environment::open().await?;
    let sweep = Sweep {
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
    Function::new(environment.clock()).on_schedule(Arc::new(Look(sweep))).run().await
}
