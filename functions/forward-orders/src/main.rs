//! The Lambda function: forwards the orders that come over the queue of orders.

use std::sync::Arc;

use adapters::environment::Environment;
use async_trait::async_trait;
use delivery::Handler;
use domain::message::Message;
use domain::{Failure, OrderKey};
use forward_orders::{ForwardOrders, NAME};

struct Forward(ForwardOrders);

#[async_trait]
impl Handler for Forward {
    async fn handle(&self, message: Message, count: u32) -> Result<(), Failure> {
        match message {
            Message::Forward { connection, order } => {
                self.0.forward(&OrderKey::new(connection, order), count).await
            }
            _ => Err(Failure::poison(NAME, "the message is for another queue")),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = Environment::open()?;
    let forward = ForwardOrders {
        connections: environment.connections(),
        partners: environment.partners()?,
        ledger: environment.ledger(),
        mappings: environment.mappings(),
        clock: environment.clock(),
        dice: environment.dice(),
        pace: environment.pace()?,
        circuits: Arc::default(),
    };
    environment.function().on_queue(Arc::new(Forward(forward)), environment.inbox("ORDERS")?).run().await
}
