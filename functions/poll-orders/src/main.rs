//! The Lambda function: polls the stores on a schedule, and follows the hints that come over the queue of hints.

use std::sync::Arc;
use std::time::Duration;

use adapters::environment::Environment;
use adapters::lambda::{Job, tell};
use adapters::metrics::Metrics;
use async_trait::async_trait;
use delivery::Handler;
use domain::Failure;
use domain::life::later;
use domain::message::Message;
use poll_orders::{NAME, PollOrders};

#[derive(Clone)]
struct Poll {
    use_case: PollOrders,
    metrics: Metrics,
}

#[async_trait]
impl Job for Poll {
    async fn run(&self, time_left: Duration) -> Result<(), Failure> {
        let polled = self.use_case.run(later(self.use_case.clock.now(), time_left)).await?;
        tell(NAME, polled, |polled| polled.imported, &self.metrics)
    }
}

#[async_trait]
impl Handler for Poll {
    async fn handle(&self, message: Message, _: u32) -> Result<(), Failure> {
        match message {
            Message::Hint { connection, token } => self.use_case.follow(&connection, &token).await,
            _ => Err(Failure::poison(NAME, "the message is for another queue")),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = Environment::open()?;
    let use_case = PollOrders {
        connections: environment.connections(),
        partners: environment.partners()?,
        ledger: environment.ledger(),
        orders: environment.queue("ORDERS")?,
        clock: environment.clock(),
        dice: environment.dice(),
        pace: environment.pace()?,
    };
    let poll = Poll { use_case, metrics: environment.metrics() };
    let function = environment.function().on_schedule(Arc::new(poll.clone()));
    function.on_queue(Arc::new(poll), environment.inbox("HINTS")?).run().await
}
