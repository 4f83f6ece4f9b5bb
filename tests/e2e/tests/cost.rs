//! What an order and an idle minute need of AWS, metered at the real functions.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it measured"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use adapters::clock::SystemClock;
use domain::ports::Clock;
use e2e::chaos::fresh_binaries;
use e2e::{Cloud, Function, Used};
use operations::cost::measured as m;
use simulator::sqs::Action;
use simulator::warehouse::{Manner, Webhook};

/// Five full batches.
const ORDERS: u64 = 50;

/// The dates come soon, so that what sweeps cost is seen.
const PACE: &str = "send_within_ms=2000,lease_ms=3000,grace_ms=15000,first_watch_ms=15000";

/// By how much a figure may differ from what is written down: what the orders share (dates, cursor, leases) is spread over
/// fifty here.
const PER_CENT: u64 = 6;

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

    /// Bytes of all logs so far. What a function has just written takes a moment to arrive.
    async fn logged(&self) -> u64 {
        SystemClock.sleep(Duration::from_millis(500)).await;
        self.all.values().map(|function| function.logs().len() as u64).sum()
    }
}

/// Requests to the store and the warehouse so far.
fn asked(cloud: &Cloud) -> u64 {
    let (store, warehouse) = (cloud.store.counts().calls, cloud.warehouse.counts().calls);
    store.values().sum::<u64>() + warehouse.values().sum::<u64>()
}

fn sent(cloud: &Cloud) -> u64 {
    let requests = cloud.sqs.requests();
    [Action::SendMessage, Action::SendMessageBatch].iter().filter_map(|action| requests.get(action)).sum()
}

/// By how much the bytes of logs may: they tell how long things took, in digits.
const PER_CENT_OF_LOGS: u64 = 25;

/// What was measured, held against what is written down.
#[derive(Default)]
struct Comparison {
    wrong: Vec<String>,
}

impl Comparison {
    fn note(&mut self, what: &str, measured: u64, written: u64) {
        self.note_within(PER_CENT, what, measured, written);
    }

    fn note_within(&mut self, per_cent: u64, what: &str, measured: u64, written: u64) {
        let told = format!("{what}: {measured} measured, {written} written down");
        println!("{told}");
        if measured.abs_diff(written) > (written * per_cent).div_ceil(100) {
            self.wrong.push(told);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_and_idle_minutes_need_what_the_bill_says() {
    let cloud = Cloud::metered(PACE).await;
    let mut functions = Functions::start(&cloud).await;
    let mut bill = Comparison::default();
    idle_minutes(&cloud, &mut functions, &mut bill).await;
    functions.invoked.clear();

    let gateway = functions.all["receive-notices"].gateway().await;
    let webhook = Webhook { url: gateway.url("/webhook/main"), secret: cloud.webhook_secret() };
    cloud.warehouse.set_webhook(Some(webhook));
    cloud.warehouse.set_manner(Manner::default());
    let (begin, logged, queued) = (cloud.used(), functions.logged().await, sent(&cloud));
    let (stored, began) = (cloud.stored().await, asked(&cloud));
    let mut at = begin;
    let mut step = |what: &str, used: Used| {
        println!("{what}: {:?}", used - at);
        at = used;
    };

    let orders: Vec<u64> = (0..ORDERS).map(|_| cloud.sell()).collect();
    functions.schedule("poll-orders").await;
    step("imported", cloud.used());
    let mut reads = asked(&cloud) - began;
    let before = asked(&cloud);
    let mut batches = functions.work_off(&cloud, "ORDERS", "forward-orders").await;
    step("sent", cloud.used());
    let sends = asked(&cloud) - before;
    let before = asked(&cloud);
    SystemClock.sleep(Duration::from_secs(16)).await;
    functions.schedule("sweep").await;
    step("looked at", cloud.used());
    reads += asked(&cloud) - before;
    for order in &orders {
        cloud.ship(*order);
    }
    cloud.warehouse.until(|warehouse| warehouse.deliveries().len() as u64 == ORDERS).await;
    functions.invoked.insert("receive-notices", ORDERS);
    step("shipped", cloud.used());
    let before = asked(&cloud);
    batches += functions.work_off(&cloud, "SHIPMENTS", "write-tracking").await;
    step("posted", cloud.used());
    let posts = asked(&cloud) - before;
    let before = asked(&cloud);
    SystemClock.sleep(Duration::from_secs(16)).await;
    functions.schedule("sweep").await;
    step("done with", cloud.used());
    reads += asked(&cloud) - before;
    for order in &orders {
        let record = cloud.record(*order).await.expect("it is in the ledger");
        assert_eq!(record.stage.word(), "posted", "{record:?}");
    }

    let used = cloud.used() - begin;
    let of_1000 = |number: u64| number * 1000 / ORDERS;
    // The queue's poller receives and deletes whole batches.
    let requests = sent(&cloud) - queued + 2 * batches;
    println!("{ORDERS} orders: {used:?}, {batches} batches, {:?}", functions.invoked);
    // The schedules run all the same, and are in the fixed part of the bill.
    bill.note("halves of write units for 1,000 orders", of_1000(used.write_halves), m::WRITE_HALVES);
    bill.note("halves of read units for 1,000 orders", of_1000(used.read_halves), m::READ_HALVES);
    bill.note("requests to queues for 1,000 orders", of_1000(requests), m::QUEUE_REQUESTS);
    bill.note("invocations for 1,000 orders", of_1000(ORDERS + batches), m::INVOCATIONS);
    bill.note_within(
        PER_CENT_OF_LOGS,
        "bytes of logs for 1,000 orders",
        of_1000(functions.logged().await - logged),
        m::LOGGED_BYTES,
    );
    bill.note("requests of poll-orders and sweep for 1,000 orders", of_1000(reads), m::READS);
    bill.note("requests of write-tracking for 1,000 orders", of_1000(posts), m::POSTS);
    bill.note("requests of forward-orders for 1,000 orders", of_1000(sends), m::SENDS);
    bill.note("bytes kept of an order", (cloud.stored().await - stored) / ORDERS, m::STORED_BYTES);
    assert!(
        bill.wrong.is_empty(),
        "correct shared/operations/src/cost/measured.rs and the tables in README.md: {:#?}",
        bill.wrong
    );
}

/// Schedules that find nothing to do.
async fn idle_minutes(cloud: &Cloud, functions: &mut Functions, bill: &mut Comparison) {
    let (runs, mut logged) = (["poll-orders", "poll-shipments", "sweep"], 0);
    for (name, written) in runs.into_iter().zip([m::IDLE_POLL_ORDERS, m::IDLE_POLL_SHIPMENTS, m::IDLE_SWEEP])
    {
        let cold = cloud.used();
        functions.schedule(name).await;
        let (before, bytes) = (cloud.used(), functions.logged().await);
        let first = before - cold;
        functions.schedule(name).await;
        let used = cloud.used() - before;
        if name == "sweep" {
            // A process looks at once whether there is something to tell, and then every five minutes.
            let look = first.read_halves.saturating_sub(used.read_halves);
            bill.note("halves of read units of a look for alerts", look, m::IDLE_LOOK);
        }
        logged += functions.logged().await - bytes;
        assert_eq!(used.write_halves, 0, "{name}, idle");
        bill.note(&format!("halves of read units of {name}, idle"), used.read_halves, m::IDLE_RUN + written);
    }
    bill.note_within(
        PER_CENT_OF_LOGS,
        "bytes of logs of an idle run",
        logged / runs.len() as u64,
        m::IDLE_LOGGED_BYTES,
    );
}
