//! The Lambda function: polls the stores on a schedule, and follows the hints that come over the queue of hints.

use std::sync::Arc;
use std::time::Duration;

use adapters::environment::Environment;
use adapters::lambda::{Function, Job, tell};
use async_trait::async_trait;
use delivery::Handler;
use domain::Failure;
use domain::life::later;
use domain::message::Message;
use poll_orders::{NAME, PollOrders};

#[derive(Clone)]
struct Poll(PollOrders);

#[async_trait]
impl Job for Poll {
    async fn run(&self, time_left: Duration) -> Result<(), Failure> {
        let polled = self.0.run(later(self.0.clock.now(), time_left)).await?;
        tell(NAME, polled, |polled| polled.imported)
    }
}

#[async_trait]
impl Handler for Poll {
    async fn handle(&self, message: Message, _: u32) -> Result<(), Failure> {
        match message {
            Message::Hint { connection, token } => self.0.follow(&connection, &token).await,
            _ => Err(Failure::poison(NAME, "the message is for another queue")),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = Environment::open().await?;
    let poll = Poll(PollOrders {
        connections: environment.connections(),
        partners: environment.partners()?,
        ledger: environment.ledger(),
        orders: environment.queue("ORDERS")?,
        clock: environment.clock(),
        dice: environment.dice(),
        pace: environment.pace()?,
    });
    let function = Function::new(environment.clock()).on_schedule(Arc::new(poll.clone()));
    function.on_queue(Arc::new(poll), environment.queue("HINTS")?).run().await
}
