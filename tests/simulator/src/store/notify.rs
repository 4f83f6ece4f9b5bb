//! Notifications: one POST per event, tried again with a doubling wait until HTTP 200 (dossier section 6).

use std::sync::Arc;

use super::World;
use super::state::Delivery;
use crate::clock::pause;
use crate::outgoing::post;
use crate::xml::Writer;

/// An event that the store tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// With the token that READ takes in place of the number.
    NewOrder {
        id: u64,
        token: String,
    },
    OrderStatusChange(u64),
    RecurringOrderStatusChange(u64),
    Test,
}

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Self::NewOrder { .. } => "NewOrder",
            Self::OrderStatusChange(_) => "OrderStatusChange",
            Self::RecurringOrderStatusChange(_) => "RecurringOrderStatusChange",
            Self::Test => "TestNotification",
        }
    }

    fn about(&self) -> u64 {
        match self {
            Self::NewOrder { id, .. }
            | Self::OrderStatusChange(id)
            | Self::RecurringOrderStatusChange(id) => *id,
            Self::Test => 0,
        }
    }

    fn document(&self) -> String {
        let mut writer = Writer::document();
        writer.open(self.name());
        match self {
            Self::NewOrder { token, .. } => writer.leaf("Token", token),
            Self::OrderStatusChange(id) | Self::RecurringOrderStatusChange(id) => {
                writer.leaf("Id", &id.to_string())
            }
            Self::Test => writer.leaf("Token", "0"),
        };
        writer.close(self.name());
        writer.finish()
    }
}

/// Starts telling an event, where the merchant has set an address.
pub(super) fn tell(world: &Arc<World>, event: Event) {
    if let Some(url) = world.state.look(|state| state.notify_url.clone()) {
        let teller = Arc::clone(world);
        world.tasks.spawn(async move { deliver(&teller, &url, &event).await });
    }
}

async fn deliver(world: &World, url: &str, event: &Event) {
    let headers = [("content-type", "text/xml; charset=utf-8".to_owned())];
    let mut wait = world.options.notify_delay;
    for attempt in 1.. {
        let status = post(url, &headers, event.document().as_bytes()).await;
        let delivery = Delivery { event: event.name(), about: event.about(), attempt, status };
        world.state.change(|state| state.deliveries.push(delivery));
        if status == Some(200) {
            return;
        }
        pause(wait).await;
        wait = wait.saturating_mul(2);
    }
}
