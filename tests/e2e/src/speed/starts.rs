//! Starts functions again and again, in turn, so that whatever else the machine does touches all of them alike.

use std::path::Path;
use std::time::Duration;

use domain::message::Message;
use serde_json::{Value, json};
use simulator::lambda::events;
use tokio::time::Instant;

use super::{CONSUMER, FLOOR, binaries, process};
use crate::cloud::Cloud;

const DEADLINE: Duration = Duration::from_secs(30);

/// What was seen over all starts of one function.
#[derive(Debug, Default)]
pub(super) struct Starts {
    /// From the start of the process to its first request for an event.
    pub(super) init: Vec<Duration>,
    /// From its first event to its answer.
    pub(super) first: Vec<Duration>,
    /// The most memory until it asked for the first event, in KiB.
    pub(super) init_kib: Vec<u64>,
    /// The same after the first event.
    pub(super) first_kib: Vec<u64>,
    /// Bytes of the binary.
    pub(super) bytes: u64,
}

/// Starts each of the functions so many times.
pub(super) async fn all(
    dir: &Path,
    names: Vec<String>,
    times: usize,
) -> Result<Vec<(String, Starts)>, String> {
    let cloud = Cloud::start().await;
    let mut orders = cloud.import_many(times).await;
    let mut all: Vec<(String, Starts)> = Vec::new();
    for name in names {
        let binary = dir.join(&name);
        let bytes = std::fs::metadata(&binary).map_err(|_| binaries::missing(&binary))?.len();
        all.push((name, Starts { bytes, ..Starts::default() }));
    }
    for round in 0..times {
        let order = orders.pop();
        for turn in 0..all.len() {
            let place = (round + turn) % all.len();
            let (name, starts) = &mut all[place];
            once(&cloud, &dir.join(&name), first_event(name, order.as_ref()), starts).await;
        }
    }
    Ok(all)
}

/// An order to send; of the others something that has no consequences.
fn first_event(name: &str, order: Option<&Message>) -> Value {
    let batch = |queue: &str, message: &Message| events::sqs_of(queue, &[("1", &message.encode(), 1)]);
    match (name, order) {
        (FLOOR, _) => json!({}),
        (CONSUMER, Some(order)) => batch("orders", order),
        ("write-tracking", Some(order)) => {
            let unknown = domain::OrderKey::new(order.connection().clone(), domain::OrderId(1));
            batch("shipments", &Message::post(&unknown))
        }
        ("receive-notices", _) => events::http_v2("POST", "/webhook/main", &[], b"{}"),
        _ => events::schedule(),
    }
}

async fn once(cloud: &Cloud, binary: &Path, event: Value, starts: &mut Starts) {
    let host = cloud.host(binary.to_str().expect("a path")).await;
    let init = host.ready().await.unwrap_or_else(|error| panic!("{error}"));
    let pid = host.pid().expect("it runs");
    starts.init.push(init);
    starts.init_kib.push(process::peak_kib(pid));
    let began = Instant::now();
    host.invoke(event, DEADLINE).await.unwrap_or_else(|error| panic!("{error}"));
    starts.first.push(began.elapsed());
    starts.first_kib.push(process::peak_kib(pid));
    host.kill();
    host.ended().await;
}
