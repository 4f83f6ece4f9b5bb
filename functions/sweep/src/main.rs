//! The Lambda function: looks again, on a schedule, at everything that is due.

use std::sync::Arc;
use std::time::Duration;

use adapters::environment::Environment;
use adapters::lambda::{Job, remark, tell};
use adapters::metrics::Metrics;
use async_trait::async_trait;
use domain::Failure;
use domain::life::later;
use operations::alerts::{ALERTS, EVERY, Turns, Watch};
use sweep::reconcile::{RECONCILE, Reconcile};
use sweep::{NAME, Sweep};

/// Until so long after a run has begun the ledger may be compared: the next run begins a minute later.
const COMPARE: Duration = Duration::from_secs(45);

struct Look {
    use_case: Sweep,
    reconcile: Reconcile,
    watch: Option<Watch>,
    metrics: Metrics,
}

#[async_trait]
impl Job for Look {
    async fn run(&self, time_left: Duration) -> Result<(), Failure> {
        let begun = self.use_case.clock.now();
        let (until, rest) = (later(begun, time_left), later(begun, time_left.min(COMPARE)));
        let all = self.use_case.connections.all().await?;
        let swept = self.use_case.run(all.clone(), until).await;
        tell(NAME, swept, |swept| swept.looked, &self.metrics)?;
        // What is due comes first; telling and comparing take what is left of the time, and go on in the next run.
        if let Some(watch) = &self.watch {
            remark(ALERTS, watch.run(all.clone(), rest).await, |_| None);
        }
        let differ =
            |differ: &u64| (*differ > 0).then(|| format!("{differ} orders differed: cartdock status"));
        remark(RECONCILE, self.reconcile.run(all, rest).await, differ);
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
    let reconcile = use_case.reconcile(environment.notes());
    let watch = environment.outlet().map(|outlet| Watch {
        partners: use_case.partners.clone(),
        ledger: use_case.ledger.clone(),
        notes: reconcile.notes.clone(),
        outlet,
        clock: use_case.clock.clone(),
        every: EVERY,
        stack: environment.stack(),
        turns: Turns::default(),
    });
    let look = Look { use_case, reconcile, watch, metrics: environment.metrics() };
    environment.function().on_schedule(Arc::new(look)).run().await
}
