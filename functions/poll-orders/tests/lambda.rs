//! The real binary: a schedule imports the store's orders, a hint imports the one that it speaks of.

use domain::OrderId;
use domain::message::Message;
use domain::ports::Ledger;
use domain::record::Stage;
use e2e::Cloud;
use simulator::faults::When;
use simulator::sqs::Action;
use simulator::store::{Endpoint, Fault, FaultPlan};

const BINARY: &str = env!("CARGO_BIN_EXE_poll-orders");

fn forwards(cloud: &Cloud, orders: &[u64]) -> Vec<String> {
    orders.iter().map(|order| Message::forward(&cloud.key(*order)).encode()).collect()
}

#[tokio::test]
async fn a_schedule_imports_every_new_order_and_queues_nothing_but_its_ids() {
    let cloud = Cloud::start().await;
    let orders: Vec<u64> = (0..12).map(|_| cloud.sell()).collect();
    let function = cloud.function(BINARY).await;
    function.schedule().await;
    for order in &orders {
        let record = cloud.record(*order).await;
        assert_eq!(record.map(|record| record.stage), Some(Stage::Ready { not_before: None }), "{order}");
    }
    let mut bodies = cloud.bodies("ORDERS");
    bodies.sort();
    assert_eq!(bodies, forwards(&cloud, &orders));
    assert!(cloud.sqs.peek("orders").iter().all(|message| message.attributes.is_null()));
    let cursor = cloud.ledger.cursor(&cloud.connection.id).await.unwrap();
    assert_eq!(cursor.seen, orders.iter().map(|order| OrderId(*order)).collect::<Vec<_>>());
    assert!(cursor.position > cloud.connection.policies.start, "{cursor:?}");
    let metrics = function.metrics();
    let of = |name: &str| metrics.get(name).copied();
    assert_eq!(of("OrdersImported"), Some(12), "{metrics:?}");
    assert_eq!(of("ConnectionsServed poll-orders"), Some(1), "{metrics:?}");
    assert_eq!(of("ConnectionsFailed poll-orders"), None, "{metrics:?}");
    assert!(of("Requests store") > Some(12), "{metrics:?}");
}

#[tokio::test]
async fn a_schedule_that_finds_nothing_new_reads_queues_and_writes_nothing() {
    let cloud = Cloud::start().await;
    cloud.sell();
    let function = cloud.function(BINARY).await;
    function.schedule().await;
    let before = (cloud.store.counts(), cloud.ledger.cursor(&cloud.connection.id).await.unwrap());
    function.schedule().await;
    let after = (cloud.store.counts(), cloud.ledger.cursor(&cloud.connection.id).await.unwrap());
    assert_eq!(after.0.of(Endpoint::OrdersList), before.0.of(Endpoint::OrdersList) + 1);
    assert_eq!((after.0.order_reads, after.1), (before.0.order_reads, before.1));
    assert_eq!(cloud.sqs.requests().get(&Action::SendMessageBatch), Some(&1));
}

#[tokio::test]
async fn a_hint_imports_the_order_that_its_token_names() {
    let cloud = Cloud::start().await;
    let (hinted, other) = (cloud.sell(), cloud.sell());
    let token = cloud.store.token(hinted).unwrap();
    cloud.queue("HINTS", &Message::Hint { connection: cloud.connection.id.clone(), token });
    let function = cloud.function(BINARY).await;
    assert!(function.deliver(&cloud, "HINTS").await.is_empty());
    assert!(cloud.record(hinted).await.is_some());
    assert!(cloud.record(other).await.is_none(), "nobody spoke of it");
    assert_eq!((cloud.bodies("ORDERS"), cloud.bodies("HINTS")), (forwards(&cloud, &[hinted]), vec![]));
}

#[tokio::test]
async fn a_schedule_that_serves_nobody_fails_and_the_next_one_makes_up_for_it() {
    let cloud = Cloud::start().await;
    let order = cloud.sell();
    let down = FaultPlan::new().and(Endpoint::OrdersList, When::Always, Fault::ServerError);
    cloud.store.plan_faults(down);
    let function = cloud.function(BINARY).await;
    let error = function.schedule_in_vain().await.to_string();
    assert!(error.contains("500") && !error.contains(cloud.store.key()), "{error}");
    cloud.store.clear_faults();
    function.schedule().await;
    assert!(cloud.record(order).await.is_some());
}

#[tokio::test]
async fn a_missing_setting_is_named_at_the_start() {
    let cloud = Cloud::start().await;
    for setting in ["LEDGER_TABLE", "ORDERS_QUEUE_URL", "HINTS_QUEUE_URL"] {
        let error = cloud.start_without(setting, BINARY).await.to_string();
        assert!(error.contains(setting) && error.contains("is missing; add it"), "{error}");
    }
}
