//! Webhooks by the Standard Webhooks rules: signed, repeated until 2xx, and spoiled on demand.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::json;

use super::World;
use super::options::{Manner, Webhook};
use crate::clock::pause;
use crate::outgoing::post;

/// A message about one shipment, ready to be sent.
#[derive(Debug, Clone)]
struct Message {
    id: String,
    event: &'static str,
    shipment: String,
    body: String,
}

/// Tells that a parcel left or was taken back, in the manner that is set.
pub(super) fn tell(world: &Arc<World>, event: &'static str, shipment: String) {
    let (manner, first) = world.state.change(|state| {
        let reorder = state.manner.reorder && !state.manner.silent;
        let first = reorder.then(|| state.kept_back.take()).flatten();
        if reorder && first.is_none() {
            state.kept_back = Some((event, shipment.clone()));
        }
        (state.manner.clone(), first)
    });
    if manner.silent || manner.reorder && first.is_none() {
        return;
    }
    let teller = Arc::clone(world);
    world.tasks.spawn(async move {
        deliver(&teller, event, &shipment).await;
        if let Some((event, shipment)) = first {
            deliver(&teller, event, &shipment).await;
        }
    });
}

/// Sends what was kept back for reordering.
pub(super) fn flush(world: &Arc<World>) {
    if let Some((event, shipment)) = world.state.change(|state| state.kept_back.take()) {
        let teller = Arc::clone(world);
        world.tasks.spawn(async move { deliver(&teller, event, &shipment).await });
    }
}

/// Sends the webhook as often as the manner says, each time until it is taken.
pub(super) async fn deliver(world: &World, event: &'static str, shipment: &str) {
    let found = world.state.change(|state| {
        let parcel = state.shipments.with_id(shipment)?.document();
        let body = json!({"event": event, "shipment": parcel}).to_string();
        let id = format!("msg_{shipment}_{}", event.rsplit('.').next().unwrap_or_default());
        let message = Message { id, event, shipment: shipment.to_owned(), body };
        Some((message, state.manner.clone(), state.webhook.clone()?))
    });
    let Some((mut message, manner, webhook)) = found else { return };
    if manner.garbage {
        message.body = "{\"event\": \"shipment.created\", \"shipment\": ".to_owned();
    }
    for _ in 0..manner.times.max(1) {
        until_taken(world, &message, &manner, &webhook).await;
    }
}

async fn until_taken(world: &World, message: &Message, manner: &Manner, webhook: &Webhook) {
    let mut waits = world.options.retry_delays.iter();
    loop {
        let status =
            post(&webhook.url, &headers(world, message, manner, webhook), message.body.as_bytes()).await;
        world.state.change(|state| state.note(&message.id, message.event, &message.shipment, status));
        if status.is_some_and(|status| (200..300).contains(&status)) {
            return;
        }
        let Some(wait) = waits.next() else { return };
        pause(*wait).await;
    }
}

fn headers(
    world: &World,
    message: &Message,
    manner: &Manner,
    webhook: &Webhook,
) -> Vec<(&'static str, String)> {
    let age = if manner.stale { Duration::from_secs(3600) } else { Duration::ZERO };
    let now = (world.options.now)();
    let timestamp = now.checked_sub(age).unwrap_or(now).as_second().to_string();
    let secret = if manner.wrong_signature {
        "whsec_d3JvbmctYnV0LWxvbmctZW5vdWdoLXNlY3JldA=="
    } else {
        &webhook.secret
    };
    vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", message.id.clone()),
        ("webhook-signature", signature(secret, &message.id, &timestamp, message.body.as_bytes())),
        ("webhook-timestamp", timestamp),
    ]
}

/// The `webhook-signature` of a body: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. The key is what
/// follows `whsec_`, decoded; a secret that is not base64 signs with its bytes.
#[must_use]
pub fn signature(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let text = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec());
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
    context.update(format!("{id}.{timestamp}.").as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_comes_out() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed =
            signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b"{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
