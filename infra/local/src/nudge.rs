//! A queue for commands that have no queue: what they would send becomes a date of now in the ledger, and the host that
//! runs there puts it on its own queues with its next sweep.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Failure;
use domain::message::Message;
use domain::ports::{Clock, Ledger, Outgoing};

/// See the module.
pub(crate) struct Nudge {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Outgoing for Nudge {
    async fn send(&self, messages: &[Message]) -> Result<(), Failure> {
        for message in messages {
            if let Message::Forward { connection, order } | Message::Post { connection, order } = message {
                self.ledger.expect(connection, self.clock.now(), &[*order]).await?;
            }
        }
        Ok(())
    }
}
