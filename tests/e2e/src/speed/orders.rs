//! What one order costs the function that forwards it, at full batches: CPU, calls of the system, connections, units of
//! the database.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use domain::message::Message;
use simulator::lambda::{Host, events};

use super::calls::Trace;
use super::process;
use crate::cloud::Cloud;
use crate::meter::Used;

const DEADLINE: Duration = Duration::from_secs(30);
const BATCH: usize = 10;
/// The orders are sent in so many rounds, for a median and a range.
const ROUNDS: usize = 5;
/// What is sent before anything is counted.
const WARM_UP: usize = 10 * BATCH;

/// What was seen.
#[derive(Debug)]
pub(super) struct Forwarding {
    /// Orders sent while CPU was measured, and as many again while calls were counted.
    pub(super) orders: usize,
    /// CPU for one order, in each round.
    pub(super) cpu: Vec<Duration>,
    /// The most memory the process ever had, in KiB.
    pub(super) peak_kib: u64,
    /// Threads of the process.
    pub(super) threads: u64,
    /// Calls of the system by name, from before the first order; or why they could not be counted.
    pub(super) calls: Result<BTreeMap<String, u64>, String>,
    /// What DynamoDB would bill for the orders of the second run.
    pub(super) used: Used,
}

impl Forwarding {
    /// Sends orders twice: once undisturbed, and once under `strace`.
    pub(super) async fn measure(binary: &Path, orders: usize) -> Self {
        let round = (orders / ROUNDS).next_multiple_of(BATCH);
        let orders = round * ROUNDS;
        let cloud = Cloud::start().await.at_full_pace().await;
        let (host, pid) = start(&cloud, binary).await;
        send(&host, &cloud.import_many(WARM_UP).await).await;
        let mut cpu = Vec::new();
        for _ in 0..ROUNDS {
            let messages = cloud.import_many(round).await;
            let before = process::cpu(pid);
            send(&host, &messages).await;
            cpu.push((process::cpu(pid) - before) / u32::try_from(round).expect("not that many"));
        }
        let (peak_kib, threads) = (process::peak_kib(pid), process::threads(pid));
        assert_eq!(cloud.warehouse.orders().len(), WARM_UP + orders, "each order was sent");
        let (calls, used) = traced(binary, orders).await;
        Self { orders, cpu, peak_kib, threads, calls, used }
    }
}

async fn traced(binary: &Path, orders: usize) -> (Result<BTreeMap<String, u64>, String>, Used) {
    let cloud = Cloud::metered("").await.at_full_pace().await;
    let messages = cloud.import_many(orders).await;
    let (host, pid) = start(&cloud, binary).await;
    let trace = Trace::of(pid).await;
    send(&host, &messages).await;
    let calls = match trace {
        Ok(trace) => trace.end().await,
        Err(why) => Err(why),
    };
    (calls, cloud.used())
}

async fn start(cloud: &Cloud, binary: &Path) -> (Host, u32) {
    let host = cloud.host(binary.to_str().expect("a path")).await;
    host.ready().await.unwrap_or_else(|error| panic!("{error}"));
    let pid = host.pid().expect("it runs");
    (host, pid)
}

async fn send(host: &Host, messages: &[Message]) {
    for batch in messages.chunks(BATCH) {
        let texts: Vec<(String, String)> =
            batch.iter().enumerate().map(|(id, message)| (id.to_string(), message.encode())).collect();
        let records: Vec<(&str, &str, u32)> =
            texts.iter().map(|(id, text)| (id.as_str(), text.as_str(), 1)).collect();
        let answer = host.invoke(events::sqs(&records), DEADLINE).await;
        let answer = answer.unwrap_or_else(|error| panic!("{error}"));
        let failed = answer["batchItemFailures"].as_array().map_or(1, Vec::len);
        assert_eq!(failed, 0, "{}", host.logs());
    }
}
