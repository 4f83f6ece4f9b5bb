//! A secret is rotated while a function runs: no deploy, no restart, no order lost.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use adapters::clock::SystemClock;
use domain::life::later;
use domain::message::Message;
use domain::ports::Clock;
use e2e::chaos::fresh_binaries;
use e2e::{Cloud, Function, KEY_NAME, WAREHOUSE_KEY};
use simulator::warehouse::Auth;

/// The next try comes soon.
const PACE: &str = "send_within_ms=2000,lease_ms=3000,grace_ms=15000,first_retry_ms=100,longest_retry_ms=500";

async fn function(cloud: &Cloud, name: &str) -> Function {
    cloud.function(fresh_binaries().join(name).to_str().expect("a path")).await
}

async fn stage(cloud: &Cloud, order: u64) -> String {
    cloud.record(order).await.expect("it is in the ledger").stage.word().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_secret_is_used_at_once_by_a_function_that_runs() {
    let (cloud, secrets) = Cloud::with_secrets_manager(PACE).await;
    secrets.put(KEY_NAME, WAREHOUSE_KEY);
    let (poll, forward) = (function(&cloud, "poll-orders").await, function(&cloud, "forward-orders").await);
    let first = cloud.sell();
    poll.schedule().await;
    assert!(forward.deliver(&cloud, "ORDERS").await.is_empty());
    assert_eq!(stage(&cloud, first).await, "accepted");
    assert_eq!(secrets.asked(), 1);

    cloud.warehouse.set_auth(Auth::ApiKey("the-next-key".to_owned()));
    secrets.put(KEY_NAME, "the-next-key");
    let second = cloud.sell();
    poll.schedule().await;
    assert!(forward.deliver(&cloud, "ORDERS").await.is_empty(), "not even a retry is needed");
    assert_eq!(stage(&cloud, second).await, "accepted");
    assert_eq!(cloud.warehouse.counts().unauthorized, 1, "the old key was tried once");
    assert_eq!(secrets.asked(), 2, "and fetched anew at once");
    assert!(!forward.logs().contains("the-next-key") && !forward.logs().contains(WAREHOUSE_KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_missing_is_named_and_the_order_goes_out_once_it_is_there() {
    let (cloud, secrets) = Cloud::with_secrets_manager(PACE).await;
    let (poll, forward) = (function(&cloud, "poll-orders").await, function(&cloud, "forward-orders").await);
    let order = cloud.sell();
    poll.schedule().await;
    forward.deliver(&cloud, "ORDERS").await;
    let told = format!("Secrets Manager has no secret {KEY_NAME}; create it");
    let record = cloud.record(order).await.expect("it is in the ledger");
    let is_told =
        forward.logs().contains(&told) || record.story.iter().any(|entry| entry.what.contains(&told));
    assert!(is_told, "{}\n{record:?}", forward.logs());
    assert_eq!(cloud.warehouse.orders().len(), 0);
    assert_eq!(record.stage.word(), "ready", "it waits");

    secrets.put(KEY_NAME, WAREHOUSE_KEY);
    let until = later(SystemClock.now(), Duration::from_secs(20));
    while stage(&cloud, order).await != "accepted" {
        assert!(SystemClock.now() < until, "{}", forward.logs());
        SystemClock.sleep(Duration::from_millis(200)).await;
        cloud.queue("ORDERS", &Message::forward(&record.key));
        forward.deliver(&cloud, "ORDERS").await;
    }
    assert_eq!(cloud.warehouse.orders().len(), 1);
}
