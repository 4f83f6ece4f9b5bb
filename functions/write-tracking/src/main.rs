//! The Lambda function: posts the tracking that comes over the queue of shipments.

use std::sync::Arc;

use adapters::environment::Environment;
use async_trait::async_trait;
use delivery::Handler;
use domain::message::Message;
use domain::{Failure, OrderKey};
use write_tracking::{NAME, WriteTracking};

struct Track(WriteTracking);

#[async_trait]
impl Handler for Track {
    async fn handle(&self, message: Message, count: u32) -> Result<(), Failure> {
        match message {
            Message::Post { connection, order } => {
                self.0.post(&OrderKey::new(connection, order), count).await
            }
            Message::Reread { connection, reference } => self.0.reread(&connection, &reference).await,
            _ => Err(Failure::poison(NAME, "the message is for another queue")),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = Environment::open()?;
    let queue = environment.inbox("SHIPMENTS")?;
    let track = WriteTracking {
        connections: environment.connections(),
        partners: environment.partners()?,
        ledger: environment.ledger(),
        shipments: queue.clone(),
        clock: environment.clock(),
        dice: environment.dice(),
        pace: environment.pace()?,
    };
    environment.function().on_queue(Arc::new(Track(track)), queue).run().await
}
