//! The real binary: a schedule finds what a lost message left behind.

use domain::message::Message;
use e2e::Cloud;

const BINARY: &str = env!("CARGO_BIN_EXE_sweep");

#[tokio::test]
async fn an_order_whose_message_was_lost_is_on_the_queue_again() {
    let cloud = Cloud::start().await;
    let (lost, in_time) = (cloud.sell(), cloud.sell());
    cloud.import_and_lose(lost).await;
    cloud.import(in_time).await;
    let function = cloud.function(BINARY).await;
    function.schedule().await;
    assert_eq!(cloud.bodies("ORDERS"), [Message::forward(&cloud.key(lost)).encode()]);
    assert!(cloud.bodies("SHIPMENTS").is_empty());
    function.schedule().await;
    assert_eq!(cloud.bodies("ORDERS").len(), 1, "it has a new date, and that has not come");
}

#[tokio::test]
async fn a_missing_setting_is_named_at_the_start() {
    let cloud = Cloud::start().await;
    for setting in ["LEDGER_TABLE", "ORDERS_QUEUE_URL", "SHIPMENTS_QUEUE_URL"] {
        let error = cloud.start_without(setting, BINARY).await.to_string();
        assert!(error.contains(setting) && error.contains("is missing; add it"), "{error}");
    }
}
