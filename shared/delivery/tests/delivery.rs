//! The queue loop: each message for itself, and nothing lost whatever a use case does.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use delivery::{Handler, deliver, work};
use domain::message::Message;
use domain::ports::{Clock, DeadLetter, Delivery, Incoming, Outgoing};
use domain::{Failure, OrderId};
use testkit::build::{key, noon};
use testkit::clock::ManualClock;
use testkit::model::{Kindly, ModelQueue};
use tokio::sync::watch;

const LIMIT: Duration = Duration::from_secs(50);
const VISIBILITY: Duration = Duration::from_secs(360);

/// Does with an order what its number says, and counts.
#[derive(Default)]
struct ByNumber {
    handled: Mutex<BTreeMap<u64, u32>>,
}

#[async_trait]
impl Handler for ByNumber {
    async fn handle(&self, message: Message, count: u32) -> Result<(), Failure> {
        let Message::Forward { order: OrderId(order), .. } = message else { return Ok(()) };
        *self.handled.lock().expect("counts").entry(order).or_default() += 1;
        match order {
            500 => panic!("a bug with a secret in it"),
            503 => Err(Failure::retryable("test: send", "answered 503")),
            // Told to stay away: the first time only.
            429 if count == 1 => {
                Err(Failure::retryable("test: send", "answered 429").after(Some(Duration::from_secs(30))))
            }
            422 => Err(Failure::permanent("test: send", "refused address")),
            408 => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

struct Bench {
    clock: Arc<ManualClock>,
    queue: Arc<ModelQueue>,
    handler: Arc<ByNumber>,
}

fn bench() -> Bench {
    let clock = Arc::new(ManualClock::waiting(noon()));
    let queue = Arc::new(ModelQueue::new(Arc::new(Kindly), clock.clone(), VISIBILITY, 5));
    Bench { clock, queue, handler: Arc::default() }
}

impl Bench {
    async fn sent(&self, orders: &[u64]) -> Vec<Delivery> {
        let messages: Vec<Message> =
            orders.iter().map(|order| Message::forward(&key("main", *order))).collect();
        self.queue.send(&messages).await.expect("send");
        self.queue.receive(10, Duration::ZERO).await.expect("receive")
    }

    async fn deliver(&self, deliveries: Vec<Delivery>) -> Vec<String> {
        deliver(&*self.handler, &*self.queue, &*self.clock, deliveries, LIMIT).await
    }
}

#[tokio::test]
async fn one_bad_message_does_not_touch_the_others() {
    let bench = bench();
    bench.queue.put_raw("{not json");
    let deliveries = bench.sent(&[1, 500, 503, 422, 2, 408]).await;
    let ids: Vec<String> = deliveries.iter().map(|delivery| delivery.id.clone()).collect();
    let passes = async {
        bench.clock.until_somebody_sleeps().await;
        bench.clock.advance(LIMIT);
    };
    let (failed, ()) = tokio::join!(bench.deliver(deliveries), passes);
    assert_eq!(failed, [ids[3].clone(), ids[6].clone()], "503 and the one that takes too long come again");

    let letters = bench.queue.take_dead();
    let told: Vec<(&str, &str)> =
        letters.iter().map(|letter| (letter.kind.as_str(), letter.reason.as_str())).collect();
    assert_eq!(
        told,
        [
            ("poison", "read queue message: not JSON at line 1 column 2"),
            ("poison", "handle message: the use case panicked"),
            ("permanent", "test: send: refused address"),
        ]
    );
    assert_eq!(letters[0].body, "{not json", "byte for byte");
    assert_eq!(bench.handler.handled.lock().expect("counts").len(), 6, "each readable one was handled");
}

#[tokio::test]
async fn who_is_told_to_stay_away_stays_away_that_long() {
    let bench = bench();
    let deliveries = bench.sent(&[429]).await;
    assert_eq!(bench.deliver(deliveries).await.len(), 1);
    bench.clock.advance(Duration::from_secs(29));
    assert_eq!(bench.queue.receive(10, Duration::ZERO).await.expect("receive"), []);
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(bench.queue.receive(10, Duration::ZERO).await.expect("receive").len(), 1);
}

/// A queue whose dead letters cannot be reached.
struct NoDeadLetters;

#[async_trait]
impl Incoming for NoDeadLetters {
    async fn receive(&self, _: u32, _: Duration) -> Result<Vec<Delivery>, Failure> {
        Ok(Vec::new())
    }
    async fn delete(&self, _: &Delivery) -> Result<(), Failure> {
        Ok(())
    }
    async fn delay(&self, _: &Delivery, _: Duration) -> Result<(), Failure> {
        Err(Failure::retryable("test: delay", "cannot be reached"))
    }
    async fn dead_letter(&self, _: &DeadLetter) -> Result<(), Failure> {
        Err(Failure::retryable("test: dead letter", "cannot be reached"))
    }
}

#[tokio::test]
async fn without_a_dead_letter_queue_nothing_is_thrown_away() {
    let bench = bench();
    bench.queue.put_raw("{not json");
    let deliveries = bench.sent(&[422, 500, 429, 1]).await;
    let failed = deliver(&*bench.handler, &NoDeadLetters, &*bench.clock, deliveries, LIMIT).await;
    assert_eq!(failed.len(), 4, "all but the good one come again");
}

#[tokio::test]
async fn the_loop_works_a_queue_off_and_finishes_what_is_in_hand() {
    let bench = bench();
    let messages: Vec<Message> = (1000..1035).map(|order| Message::forward(&key("main", order))).collect();
    bench.queue.send(&messages).await.expect("send");
    bench.queue.put_raw("{not json");
    let (stop, stopped) = watch::channel(false);
    let stops = async {
        // The loop sleeps when nothing is left to receive.
        while !bench.queue.waiting().is_empty() {
            tokio::task::yield_now().await;
        }
        stop.send(true).expect("the loop listens");
    };
    tokio::join!(work(&*bench.handler, &*bench.queue, &*bench.clock, LIMIT, stopped), stops);
    assert_eq!(bench.queue.waiting(), [], "what was handled is deleted");
    let handled = bench.handler.handled.lock().expect("counts");
    assert_eq!(handled.len(), 35);
    assert!(handled.values().all(|count| *count == 1), "once each");
    assert_eq!(bench.queue.take_dead().len(), 1);
}

#[tokio::test]
async fn a_loop_that_is_stopped_finishes_its_message_first() {
    struct Slow(Arc<ManualClock>, Mutex<bool>);
    #[async_trait]
    impl Handler for Slow {
        async fn handle(&self, _: Message, _: u32) -> Result<(), Failure> {
            self.0.sleep(Duration::from_secs(5)).await;
            *self.1.lock().expect("a flag") = true;
            Ok(())
        }
    }
    let bench = bench();
    bench.queue.send(&[Message::forward(&key("main", 1))]).await.expect("send");
    let slow = Slow(bench.clock.clone(), Mutex::new(false));
    let (stop, stopped) = watch::channel(false);
    let stops = async {
        bench.clock.until_somebody_sleeps().await;
        stop.send(true).expect("the loop listens");
        tokio::task::yield_now().await;
        bench.clock.advance(Duration::from_secs(5));
    };
    tokio::join!(work(&slow, &*bench.queue, &*bench.clock, LIMIT, stopped), stops);
    assert!(*slow.1.lock().expect("a flag"), "it was finished");
    assert_eq!(bench.queue.waiting(), [], "and deleted");
}

#[tokio::test]
async fn the_loop_deletes_only_what_is_done_with() {
    let bench = bench();
    let stuck = Message::forward(&key("main", 503));
    bench.queue.send(&[Message::forward(&key("main", 1)), stuck.clone()]).await.expect("send");
    let (stop, stopped) = watch::channel(false);
    let stops = async {
        // The loop sleeps when nothing is left to receive.
        bench.clock.until_somebody_sleeps().await;
        stop.send(true).expect("the loop listens");
    };
    tokio::join!(work(&*bench.handler, &*bench.queue, &*bench.clock, LIMIT, stopped), stops);
    assert_eq!(bench.queue.waiting(), [stuck], "it comes again");
}
