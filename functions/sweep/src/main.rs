//! The Lambda function: looks again, on a schedule, at everything that is due.

use std::sync::Arc;
use std::time::Duration;

use adapters::environment::Environment;
use adapters::lambda::{Job, remark, tell};
use adapters::metrics::Metrics;
use async_trait::async_trait;
use domain::Failure;
use domain::life::later;
use sweep::reconcile::{RECONCILE, Reconcile};
use sweep::{NAME, Sweep};

/// Until so long after a run has begun the ledger may be compared: the next run begins a minute later.
const COMPARE: Duration = Duration::from_secs(45);

struct Look {
    use_case: Sweep,
    reconcile: Reconcile,
    metrics: Metrics,
}

#[async_trait]
impl Job for Look {
    async fn run(&self, time_left: Duration) -> Result<(), Failure> {
        let begun = self.use_case.clock.now();
        let until = later(begun, time_left);
        let swept = self.use_case.run(until).await?;
        tell(NAME, swept, |swept| swept.looked, &self.metrics)?;
        // What is due comes first; comparing takes what is left of the time, and goes on in the next run.
        let compared = self.reconcile.run(until.min(later(begun, COMPARE))).await?;
        let differ =
            |differ: &u64| (*differ > 0).then(|| format!("{differ} orders differed: cartdock status"));
        remark(RECONCILE, compared, differ);
        Ok(())
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
    let reconcile = Reconcile {
        connections: use_case.connections.clone(),
        partners: use_case.partners.clone(),
        ledger: use_case.ledger.clone(),
        notes: environment.notes(),
        orders: use_case.orders.clone(),
        shipments: use_case.shipments.clone(),
        clock: use_case.clock.clone(),
        dice: use_case.dice.clone(),
    };
    let look = Look { use_case, reconcile, metrics: environment.metrics() };
    environment.function().on_schedule(Arc::new(look)).run().await
}
