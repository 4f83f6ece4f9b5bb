//! The real binary: a batch of the queue sends each order once, and each message that fails fails alone.

use std::time::Duration;

use domain::message::Message;
use domain::record::Stage;
use e2e::Cloud;
use simulator::faults::When;
use simulator::warehouse::{Endpoint, Fault, FaultPlan};

const BINARY: &str = env!("CARGO_BIN_EXE_forward-orders");

#[tokio::test]
async fn each_message_of_a_batch_fails_alone() {
    let cloud = Cloud::start().await;
    let (good, stuck) = (cloud.sell(), cloud.sell());
    let down = FaultPlan::new().and_about(
        cloud.reference(stuck),
        Endpoint::Create,
        When::Always,
        Fault::Unavailable,
    );
    cloud.warehouse.plan_faults(down);
    let (good_message, stuck_message) = (cloud.import(good).await, cloud.import(stuck).await);
    let newer = good_message.encode().replace("\"v\":1", "\"v\":99");
    for body in [&stuck_message.encode(), "<not json>", &newer, &good_message.encode()] {
        cloud.sqs.send("orders", body);
    }
    let function = cloud.function(BINARY).await;
    assert_eq!(function.deliver(&cloud, "ORDERS").await, [stuck_message.encode()]);

    let sent: Vec<String> = cloud.warehouse.orders().into_iter().map(|order| order.reference).collect();
    assert_eq!(sent, [cloud.reference(good).to_string()]);
    assert_eq!(cloud.record(good).await.unwrap().stage, Stage::Accepted);
    let stage = cloud.record(stuck).await.unwrap().stage;
    assert!(matches!(stage, Stage::Ready { not_before: Some(_) }), "{stage:?}");

    let mut letters = cloud.dead_letters("ORDERS").await;
    letters.sort_by(|one, other| one.body.cmp(&other.body));
    let letters: Vec<_> =
        letters.iter().map(|l| (l.body.as_str(), l.kind.as_str(), l.reason.as_str())).collect();
    let reasons = [
        ("<not json>", "poison", "read queue message: not JSON at line 1 column 1"),
        (newer.as_str(), "poison", "read queue message: version 99 is unknown here; this build reads 1"),
    ];
    assert_eq!(letters, reasons);
    let left = cloud.sqs.peek("orders");
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].hidden, "it comes again when the order may be tried again, not at once");
}

#[tokio::test]
async fn an_order_that_takes_too_long_does_not_take_the_batch_with_it() {
    let cloud = Cloud::start().await;
    let (good, slow) = (cloud.sell(), cloud.sell());
    let silent =
        FaultPlan::new().and_about(cloud.reference(slow), Endpoint::Create, When::Always, Fault::Silence);
    cloud.warehouse.plan_faults(silent);
    let (slow_message, good_message) = (cloud.import(slow).await, cloud.import(good).await);
    cloud.queue("ORDERS", &slow_message);
    cloud.queue("ORDERS", &good_message);
    let function = cloud.function(BINARY).await;
    let failed = function.deliver_within(Duration::from_secs(3), &cloud, "ORDERS").await;
    assert_eq!(failed, [slow_message.encode()]);
    assert_eq!(cloud.record(good).await.unwrap().stage, Stage::Accepted);
    let stage = cloud.record(slow).await.unwrap().stage;
    assert!(matches!(stage, Stage::Sending(_)), "its claim keeps others from sending it too: {stage:?}");
    assert!(function.logs().contains("not done within"), "{}", function.logs());
}

#[tokio::test]
async fn a_batch_that_is_delivered_twice_sends_its_order_once() {
    let cloud = Cloud::start().await;
    let order = cloud.sell();
    let message = cloud.import(order).await;
    let function = cloud.function(BINARY).await;
    for _ in 0..2 {
        cloud.queue("ORDERS", &message);
        cloud.queue("ORDERS", &message);
        assert!(function.deliver(&cloud, "ORDERS").await.is_empty());
    }
    assert_eq!(cloud.warehouse.creates_for(cloud.reference(order).as_str()), 1);
}

#[tokio::test]
async fn a_message_of_another_queue_becomes_a_dead_letter() {
    let cloud = Cloud::start().await;
    let stray = Message::post(&cloud.key(1));
    cloud.queue("ORDERS", &stray);
    let function = cloud.function(BINARY).await;
    assert!(function.deliver(&cloud, "ORDERS").await.is_empty());
    let letters = cloud.dead_letters("ORDERS").await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].body, stray.encode());
    assert!(letters[0].reason.contains("for another queue"), "{letters:?}");
}

#[tokio::test]
async fn a_missing_setting_is_named_at_the_start() {
    let cloud = Cloud::start().await;
    for setting in ["LEDGER_TABLE", "ORDERS_QUEUE_URL"] {
        let error = cloud.start_without(setting, BINARY).await.to_string();
        assert!(error.contains(setting) && error.contains("is missing; add it"), "{error}");
    }
}

#[tokio::test]
async fn named_certificates_that_are_not_there_are_told_at_the_start() {
    let cloud = Cloud::start().await;
    let error = cloud.start_with(("SSL_CERT_FILE", "/nowhere.pem"), BINARY).await.to_string();
    assert!(error.contains("no certificates") && error.contains("SSL_CERT_FILE"), "{error}");
}

#[tokio::test]
async fn what_became_of_the_orders_is_told_as_metrics() {
    let cloud = Cloud::start().await;
    let (good, refused) = (cloud.sell(), cloud.sell());
    let no = FaultPlan::new().and_about(
        cloud.reference(refused),
        Endpoint::Create,
        When::Always,
        Fault::Refuse("no such street".to_owned()),
    );
    cloud.warehouse.plan_faults(no);
    for order in [good, refused] {
        let message = cloud.import(order).await;
        cloud.queue("ORDERS", &message);
        cloud.queue("ORDERS", &message);
    }
    let function = cloud.function(BINARY).await;
    assert!(function.deliver(&cloud, "ORDERS").await.is_empty());
    let metrics = function.metrics();
    let of = |name: &str| metrics.get(name).copied();
    assert_eq!(of("OrdersSent"), Some(1), "however often its message comes: {metrics:?}");
    assert_eq!(of("OrdersHeld refused"), Some(1), "{metrics:?}");
    assert_eq!(of("SendLatency"), Some(1), "{metrics:?}");
    assert_eq!((of("Requests warehouse"), of("RequestLatency warehouse")), (Some(2), Some(2)), "{metrics:?}");
    assert_eq!(of("RequestFailures warehouse"), None, "a refusal is an answer: {metrics:?}");
}
