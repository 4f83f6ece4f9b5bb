//! The real binary: a schedule brings what the warehouse shipped into the ledger and onto the queue.

use domain::message::Message;
use domain::ports::Ledger;
use domain::record::Stage;
use e2e::Cloud;

const BINARY: &str = env!("CARGO_BIN_EXE_poll-shipments");

#[tokio::test]
async fn a_schedule_brings_the_shipments_into_the_ledger_and_moves_the_bookmark() {
    let cloud = Cloud::start().await;
    let (shipped, waiting) = (cloud.sell(), cloud.sell());
    let shipment = cloud.shipped(shipped).await;
    cloud.forwarded(waiting).await;
    let function = cloud.function(BINARY).await;
    function.schedule().await;
    let record = cloud.record(shipped).await.unwrap();
    assert_eq!(record.stage, Stage::Shipped);
    assert_eq!(record.packages.len(), 1);
    assert!(record.packages[0].number().unwrap().is(&shipment.tracking_number), "{record:?}");
    assert_eq!(cloud.record(waiting).await.unwrap().stage, Stage::Accepted);
    assert_eq!(cloud.bodies("SHIPMENTS"), [Message::post(&cloud.key(shipped)).encode()]);
    let bookmark = cloud.ledger.bookmark(&cloud.connection.id).await.unwrap();
    assert!(bookmark.is_some());

    function.schedule().await;
    assert_eq!(cloud.record(shipped).await.unwrap().version, record.version, "nothing new, nothing written");
    assert_eq!(cloud.bodies("SHIPMENTS").len(), 1);
    let after = cloud.ship(waiting);
    function.schedule().await;
    assert_eq!(cloud.record(waiting).await.unwrap().packages[0].id.as_str(), after.id);
    assert_ne!(cloud.ledger.bookmark(&cloud.connection.id).await.unwrap(), bookmark);
}

#[tokio::test]
async fn a_missing_setting_is_named_at_the_start() {
    let cloud = Cloud::start().await;
    for setting in ["LEDGER_TABLE", "SHIPMENTS_QUEUE_URL"] {
        let error = cloud.start_without(setting, BINARY).await.to_string();
        assert!(error.contains(setting) && error.contains("is missing; add it"), "{error}");
    }
}
