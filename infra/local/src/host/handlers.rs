//! The queue loops: which message goes to which use case.

use std::sync::Arc;
use std::time::Duration;

use adapters::memory_queue::MemoryQueue;
use async_trait::async_trait;
use delivery::{Handler, work};
use domain::message::Message;
use domain::{Failure, OrderKey};
use forward_orders::ForwardOrders;
use poll_orders::PollOrders;
use tokio::sync::watch;
use tokio::task::JoinSet;
use write_tracking::WriteTracking;

use super::Host;

/// Sends each message of any queue to the use case that it is for.
struct Dispatch {
    forward: ForwardOrders,
    track: WriteTracking,
    poll: PollOrders,
}

#[async_trait]
impl Handler for Dispatch {
    async fn handle(&self, message: Message, count: u32) -> Result<(), Failure> {
        match message {
            Message::Forward { connection, order } => {
                self.forward.forward(&OrderKey::new(connection, order), count).await
            }
            Message::Post { connection, order } => {
                self.track.post(&OrderKey::new(connection, order), count).await
            }
            Message::Reread { connection, reference } => self.track.reread(&connection, &reference).await,
            Message::Hint { connection, token } => self.poll.follow(&connection, &token).await,
        }
    }
}

/// How many loops work on each queue, ten messages at a time. All of them may be for one store: twenty posts of three requests,
/// twice a second, are done in half of the time that an attempt has. With more in hand they would outwait it, all of them.
const LOOPS: usize = 2;

/// Starts the loops of all three queues.
pub(super) fn spawn(host: &Arc<Host>, tasks: &mut JoinSet<()>, stopped: &watch::Receiver<bool>) {
    let dispatch: Arc<dyn Handler> = Arc::new(Dispatch {
        forward: host.forward_orders(),
        track: host.write_tracking(),
        poll: host.poll_orders(),
    });
    for queue in [&host.orders, &host.shipments, &host.hints] {
        for _ in 0..LOOPS {
            tasks.spawn(drain(dispatch.clone(), queue.clone(), host.clone(), stopped.clone()));
        }
    }
}

async fn drain(
    handler: Arc<dyn Handler>,
    queue: Arc<MemoryQueue>,
    host: Arc<Host>,
    stopped: watch::Receiver<bool>,
) {
    let limit: Duration = host.options.pace.send_within * 2;
    work(handler.as_ref(), queue.as_ref(), host.clock.as_ref(), limit, stopped).await;
}
