//! Lambda is paid while a function waits. A store is asked one at a time; those of many connections are waited for together,
//! which is what `cartdock cost` counts on.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use adapters::clock::SystemClock;
use domain::ports::Clock;
use e2e::chaos::fresh_binaries;
use e2e::{Cloud, Function};
use operations::cost::measured as m;
use simulator::faults::When;
use simulator::store::{Endpoint, Fault, FaultPlan};
use simulator::warehouse::Parcels;

/// Dates come soon.
const PACE: &str = "send_within_ms=2000,lease_ms=3000,grace_ms=4000,first_watch_ms=4000";

/// So long the store takes for an order: long enough that whoever asks at the same time waits at the same time.
const SLOW: Duration = Duration::from_millis(700);

async fn start(cloud: &Cloud, name: &str) -> Function {
    cloud.function(fresh_binaries().join(name).to_str().expect("a path")).await
}

async fn work_off(cloud: &Cloud, queue: &str, function: &Function) {
    while !cloud.bodies(queue).is_empty() {
        assert!(function.deliver(cloud, queue).await.is_empty());
    }
}

/// What is done meanwhile asks the store for so many orders at the same time.
async fn asked_at_once(cloud: &Cloud, done: impl Future<Output = ()>) -> u64 {
    let before = cloud.store.counts();
    assert_eq!(before.in_hand, 0);
    cloud.store.count_in_hand_anew();
    done.await;
    let after = cloud.store.counts();
    assert!(after.of(Endpoint::OrderRead) > before.of(Endpoint::OrderRead), "orders are read");
    after.most_in_hand
}

#[tokio::test(flavor = "multi_thread")]
async fn one_store_is_asked_one_at_a_time_and_many_are_waited_for_together() {
    let cloud = Cloud::metered(PACE).await;
    let slow = FaultPlan::new().and(Endpoint::OrderRead, When::Always, Fault::Slow(SLOW)).and(
        Endpoint::OrderUpdate,
        When::Always,
        Fault::Slow(SLOW),
    );
    cloud.store.plan_faults(slow);
    let order = cloud.sell();
    cloud.sell();
    let poll = start(&cloud, "poll-orders").await;
    assert_eq!(asked_at_once(&cloud, poll.schedule()).await, 1, "one store");

    let others: Vec<String> = (1..m::TOGETHER).map(|other| format!("other-{other}")).collect();
    for other in &others {
        cloud.join_as(other).await;
    }
    cloud.sell();
    // A process keeps what it knows of the connections for a while.
    let poll = start(&cloud, "poll-orders").await;
    assert_eq!(asked_at_once(&cloud, poll.schedule()).await, m::TOGETHER, "the stores of many connections");
    work_off(&cloud, "ORDERS", &start(&cloud, "forward-orders").await).await;

    SystemClock.sleep(Duration::from_secs(6)).await;
    let sweep = start(&cloud, "sweep").await;
    assert_eq!(asked_at_once(&cloud, sweep.schedule()).await, m::TOGETHER, "what was sent is looked at");

    for connection in others.iter().map(String::as_str).chain(["main"]) {
        cloud.warehouse.ship(&format!("{connection}-{order}"), &Parcels::One);
    }
    start(&cloud, "poll-shipments").await.schedule().await;
    let track = start(&cloud, "write-tracking").await;
    let posted = asked_at_once(&cloud, work_off(&cloud, "SHIPMENTS", &track)).await;
    assert_eq!(posted, m::BATCH, "a batch of many connections");
}
