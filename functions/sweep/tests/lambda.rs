//! The real binary: a schedule finds what a lost message left behind.

use std::time::Duration;

use adapters::clock::SystemClock;
use domain::circuit::{Away, Circuit};
use domain::message::Message;
use domain::ports::{Clock as _, Ledger as _};
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
async fn a_warehouse_that_is_away_is_told_to_the_topic_once() {
    let (cloud, topic) = Cloud::with_topic().await;
    let now = SystemClock.now();
    let since = now.checked_sub(Duration::from_secs(3600)).expect("an hour ago");
    let away = Some(Away { since, probes: 9, probe_at: now });
    let circuit = Circuit { away, ..Circuit::default() };
    assert!(cloud.ledger.set_circuit(&cloud.connection.id, &circuit).await.expect("the ledger answers"));
    for _ in 0..2 {
        // A process that has just begun looks at once.
        let function = cloud.function(BINARY).await;
        function.schedule().await;
    }
    let told = topic.published();
    assert_eq!(told.len(), 1, "{told:?}");
    for part in ["Action=Publish", "cartdock-test-Alarms", "does+not+answer", "--stack+cartdock-test"] {
        let words = told[0].replace("%20", "+");
        assert!(words.contains(part), "{part} in {words}");
    }
}

#[tokio::test]
async fn a_missing_setting_is_named_at_the_start() {
    let cloud = Cloud::start().await;
    for setting in ["LEDGER_TABLE", "ORDERS_QUEUE_URL", "SHIPMENTS_QUEUE_URL"] {
        let error = cloud.start_without(setting, BINARY).await.to_string();
        assert!(error.contains(setting) && error.contains("is missing; add it"), "{error}");
    }
}
