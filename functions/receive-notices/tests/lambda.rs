//! The real binary behind an HTTP API: the warehouse's and the store's own requests, and those of strangers.

use domain::message::Message;
use domain::ports::Ledger;
use domain::record::Stage;
use e2e::{Cloud, Function, Gateway, NOTIFY_SECRET};
use simulator::warehouse::{Manner, Webhook};

const BINARY: &str = env!("CARGO_BIN_EXE_receive-notices");

/// The function behind an address that the warehouse sends its webhooks to, in this manner.
async fn listening(cloud: &Cloud, manner: Manner) -> (Function, Gateway) {
    let function = cloud.function(BINARY).await;
    let gateway = function.gateway().await;
    let secret = cloud.webhook_secret();
    cloud.warehouse.set_webhook(Some(Webhook { url: gateway.url("/webhook/main"), secret }));
    cloud.warehouse.set_manner(manner);
    (function, gateway)
}

/// Ships an order, and gives what the warehouse heard when it told so.
async fn answer_to_shipment(cloud: &Cloud, order: u64) -> Option<u16> {
    cloud.ship(order);
    cloud.warehouse.until(|warehouse| !warehouse.deliveries().is_empty()).await;
    cloud.warehouse.deliveries()[0].status
}

#[tokio::test]
async fn a_webhook_is_in_the_ledger_and_on_the_queue_before_it_is_answered() {
    let cloud = Cloud::start().await;
    let order = cloud.sell();
    cloud.forwarded(order).await;
    let (_function, _gateway) = listening(&cloud, Manner::default()).await;
    assert_eq!(answer_to_shipment(&cloud, order).await, Some(200));
    let record = cloud.record(order).await.unwrap();
    let shipment = &cloud.warehouse.shipments()[0];
    assert_eq!(record.stage, Stage::Shipped);
    assert_eq!(record.packages.len(), 1);
    assert!(record.packages[0].number().unwrap().is(&shipment.tracking_number), "{record:?}");
    assert_eq!(cloud.bodies("SHIPMENTS"), [Message::post(&cloud.key(order)).encode()]);
}

#[tokio::test]
async fn a_webhook_with_a_wrong_signature_or_an_old_one_changes_nothing() {
    for manner in
        [Manner { wrong_signature: true, ..Manner::default() }, Manner { stale: true, ..Manner::default() }]
    {
        let cloud = Cloud::start().await;
        let order = cloud.sell();
        cloud.forwarded(order).await;
        let (_function, _gateway) = listening(&cloud, manner.clone()).await;
        assert_eq!(answer_to_shipment(&cloud, order).await, Some(401), "{manner:?}");
        assert_eq!(cloud.record(order).await.unwrap().stage, Stage::Accepted);
        assert!(cloud.bodies("SHIPMENTS").is_empty());
        assert!(cloud.ledger.parked(&cloud.connection.id, 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_genuine_webhook_that_cannot_be_read_is_kept_for_a_person() {
    let cloud = Cloud::start().await;
    let order = cloud.sell();
    cloud.forwarded(order).await;
    let (function, _gateway) = listening(&cloud, Manner { garbage: true, ..Manner::default() }).await;
    assert_eq!(answer_to_shipment(&cloud, order).await, Some(200));
    let parked = cloud.ledger.parked(&cloud.connection.id, 10).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert!(parked[0].raw.starts_with(b"{\"event\""), "{parked:?}");
    assert_eq!(function.metrics().get("NoticesParked"), Some(&1), "an alarm can see it");
    assert!(cloud.bodies("SHIPMENTS").is_empty());
}

#[tokio::test]
async fn what_is_too_large_or_for_nobody_is_refused_unread() {
    let cloud = Cloud::start().await;
    let function = cloud.function(BINARY).await;
    let headers = [("webhook-id", "m"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,AA==")];
    let large = vec![b' '; 256 * 1024 + 1];
    for (path, body, status) in [
        ("/webhook/main", large.as_slice(), 413),
        ("/webhook/main", b"{}", 401),
        ("/webhook/stranger", b"{}", 401),
        ("/elsewhere", b"{}", 404),
    ] {
        assert_eq!(function.request("POST", path, &headers, body).await, status, "{path}");
    }
}

#[tokio::test]
async fn a_notification_of_the_store_becomes_a_hint() {
    let cloud = Cloud::start().await;
    let function = cloud.function(BINARY).await;
    let gateway = function.gateway().await;
    cloud.store.notify_to(Some(gateway.url(&format!("/notify/main/{NOTIFY_SECRET}"))));
    let order = cloud.sell();
    cloud.store.until(|store| !store.deliveries().is_empty()).await;
    assert_eq!(cloud.store.deliveries()[0].status, Some(200));
    let token = cloud.store.token(order).unwrap();
    let hint = Message::Hint { connection: cloud.connection.id.clone(), token };
    assert_eq!(cloud.bodies("HINTS"), [hint.encode()]);
}

#[tokio::test]
async fn a_notification_to_another_address_is_no_hint() {
    let cloud = Cloud::start().await;
    let function = cloud.function(BINARY).await;
    let gateway = function.gateway().await;
    cloud.store.notify_to(Some(gateway.url("/notify/main/guessed")));
    cloud.sell();
    cloud.store.until(|store| !store.deliveries().is_empty()).await;
    assert_eq!(cloud.store.deliveries()[0].status, Some(401));
    assert!(cloud.bodies("HINTS").is_empty());
    assert!(!function.logs().contains("guessed"), "the address is a secret");
}

#[tokio::test]
async fn a_missing_setting_is_named_at_the_start() {
    let cloud = Cloud::start().await;
    for setting in ["LEDGER_TABLE", "SHIPMENTS_QUEUE_URL", "HINTS_QUEUE_URL"] {
        let error = cloud.start_without(setting, BINARY).await.to_string();
        assert!(error.contains(setting) && error.contains("is missing; add it"), "{error}");
    }
}
