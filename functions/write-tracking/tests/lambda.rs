//! The real binary: a batch of the queue shows the tracking in the store, once.

use domain::message::Message;
use domain::record::Stage;
use e2e::Cloud;

const BINARY: &str = env!("CARGO_BIN_EXE_write-tracking");

#[tokio::test]
async fn a_batch_posts_each_tracking_number_once_however_often_it_is_delivered() {
    let cloud = Cloud::start().await;
    let order = cloud.sell();
    let (shipment, message) = cloud.heard(order).await;
    let function = cloud.function(BINARY).await;
    for _ in 0..2 {
        cloud.queue("SHIPMENTS", &message);
        cloud.queue("SHIPMENTS", &message);
        assert!(function.deliver(&cloud, "SHIPMENTS").await.is_empty());
    }
    let tracking = cloud.store.tracking(order);
    let shown: Vec<_> = tracking.iter().map(|t| (t.number.as_str(), t.times_told, t.stored)).collect();
    assert_eq!(shown, [(shipment.tracking_number.as_str(), 1, true)]);
    assert_eq!(cloud.record(order).await.unwrap().stage, Stage::Posted);
    let metrics = function.metrics();
    let of = |name: &str| metrics.get(name).copied();
    assert_eq!((of("PackagesPosted"), of("PostLatency")), (Some(1), Some(1)), "{metrics:?}");
}

#[tokio::test]
async fn a_message_that_only_names_a_reference_has_the_warehouse_asked() {
    let cloud = Cloud::start().await;
    let order = cloud.sell();
    let shipment = cloud.shipped(order).await;
    let (connection, reference) = (cloud.connection.id.clone(), cloud.reference(order));
    cloud.queue("SHIPMENTS", &Message::Reread { connection, reference });
    let function = cloud.function(BINARY).await;
    assert!(function.deliver(&cloud, "SHIPMENTS").await.is_empty());
    assert_eq!(cloud.record(order).await.unwrap().packages[0].id.as_str(), shipment.id);
    assert_eq!(cloud.bodies("SHIPMENTS"), [Message::post(&cloud.key(order)).encode()]);
}

#[tokio::test]
async fn a_missing_setting_is_named_at_the_start() {
    let cloud = Cloud::start().await;
    for setting in ["LEDGER_TABLE", "SHIPMENTS_QUEUE_URL"] {
        let error = cloud.start_without(setting, BINARY).await.to_string();
        assert!(error.contains(setting) && error.contains("is missing; add it"), "{error}");
    }
}
