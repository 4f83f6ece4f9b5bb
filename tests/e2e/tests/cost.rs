//! What an order and an idle minute need of AWS, metered at the real functions.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::time::Duration;

use adapters::clock::SystemClock;
use domain::ports::Clock;
use e2e::chaos::fresh_binaries;
use e2e::{Cloud, Function, Used};
use simulator::sqs::Action;
use simulator::warehouse::{Manner, Webhook};

/// Five full batches.
const ORDERS: u64 = 50;

/// The dates come soon, so that what sweeps cost is seen.
const PACE: &str = "send_within_ms=2000,lease_ms=3000,grace_ms=15000,first_watch_ms=15000";

/// What fifty orders may need, in halves of a unit, requests and bytes: six writes for each order and a few for what they share
/// (dates, cursor, lease); a request to a queue for each webhook, all others in batches.
const WRITE_HALVES: u64 = 2 * (6 * ORDERS + 10);
const READ_HALVES: u64 = 2 * 3 * ORDERS;
const QUEUE_REQUESTS: u64 = ORDERS + 30;
const LOG_BYTES: usize = 300 * ORDERS as usize;

/// The functions, and how often each was invoked.
struct Functions {
    all: BTreeMap<&'static str, Function>,
    invoked: BTreeMap<&'static str, u64>,
}

impl Functions {
    async fn start(cloud: &Cloud) -> Self {
        let dir = fresh_binaries();
        let mut all = BTreeMap::new();
        for name in
            ["poll-orders", "forward-orders", "receive-notices", "write-tracking", "poll-shipments", "sweep"]
        {
            let binary = dir.join(name);
            all.insert(name, cloud.function(binary.to_str().expect("a path")).await);
        }
        Self { all, invoked: BTreeMap::new() }
    }

    async fn schedule(&mut self, name: &'static str) {
        self.all[name].schedule().await;
        *self.invoked.entry(name).or_default() += 1;
    }

    /// Hands over batches until the queue is empty, and says how many.
    async fn work_off(&mut self, cloud: &Cloud, queue: &str, name: &'static str) -> u64 {
        let mut batches = 0;
        while !cloud.bodies(queue).is_empty() {
            assert!(self.all[name].deliver(cloud, queue).await.is_empty());
            batches += 1;
        }
        *self.invoked.entry(name).or_default() += batches;
        batches
    }

    fn logged(&self) -> usize {
        self.all.values().map(|function| function.logs().len()).sum()
    }
}

fn sent(cloud: &Cloud) -> u64 {
    let requests = cloud.sqs.requests();
    [Action::SendMessage, Action::SendMessageBatch].iter().filter_map(|action| requests.get(action)).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_needs_six_writes_and_three_reads_and_an_idle_minute_no_write() {
    let cloud = Cloud::metered(PACE).await;
    let mut functions = Functions::start(&cloud).await;
    let mut idle = BTreeMap::new();
    for name in ["poll-orders", "poll-shipments", "sweep"] {
        functions.schedule(name).await;
        let before = cloud.used();
        functions.schedule(name).await;
        idle.insert(name, cloud.used() - before);
    }
    println!("an idle run: {idle:?}");
    functions.invoked.clear();

    let gateway = functions.all["receive-notices"].gateway().await;
    let webhook = Webhook { url: gateway.url("/webhook/main"), secret: cloud.webhook_secret() };
    cloud.warehouse.set_webhook(Some(webhook));
    cloud.warehouse.set_manner(Manner::default());
    let (begin, logged, sends) = (cloud.used(), functions.logged(), sent(&cloud));
    let mut at = begin;
    let mut step = |what: &str, used: Used| {
        println!("{what}: {:?}", used - at);
        at = used;
    };

    let orders: Vec<u64> = (0..ORDERS).map(|_| cloud.sell()).collect();
    functions.schedule("poll-orders").await;
    step("imported", cloud.used());
    let mut batches = functions.work_off(&cloud, "ORDERS", "forward-orders").await;
    step("sent", cloud.used());
    SystemClock.sleep(Duration::from_secs(16)).await;
    functions.schedule("sweep").await;
    step("looked at", cloud.used());
    for order in &orders {
        cloud.ship(*order);
    }
    cloud.warehouse.until(|warehouse| warehouse.deliveries().len() as u64 == ORDERS).await;
    functions.invoked.insert("receive-notices", ORDERS);
    step("shipped", cloud.used());
    batches += functions.work_off(&cloud, "SHIPMENTS", "write-tracking").await;
    step("posted", cloud.used());
    SystemClock.sleep(Duration::from_secs(16)).await;
    functions.schedule("sweep").await;
    step("done with", cloud.used());
    for order in &orders {
        let record = cloud.record(*order).await.expect("it is in the ledger");
        assert_eq!(record.stage.word(), "posted", "{record:?}");
    }

    let used = cloud.used() - begin;
    // The queue's poller receives and deletes whole batches.
    let requests = sent(&cloud) - sends + 2 * batches;
    let bytes = functions.logged() - logged;
    println!(
        "{ORDERS} orders: {used:?}, {requests} requests to queues, {batches} batches, {bytes} bytes of logs"
    );
    println!("{:?}", functions.invoked);
    assert!(used.write_halves <= WRITE_HALVES && used.read_halves <= READ_HALVES, "{used:?}");
    assert!(requests <= QUEUE_REQUESTS, "{requests} requests to queues");
    assert!(bytes <= LOG_BYTES, "{bytes} bytes of logs");
    for (name, used) in idle {
        assert_eq!(used.write_halves, 0, "{name}, idle");
        assert!(used.read_halves <= 4, "{name}, idle: {used:?}");
    }
}
