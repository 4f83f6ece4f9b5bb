//! Both queues keep their port's promises: the one in memory, and SQS through the real SDK.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::memory_queue::{Manners, MemoryQueue};
use adapters::sqs::{Client, SqsNames, SqsQueue};
use common::sqs_server::Server;
use domain::message::Message;
use domain::ports::{Clock, DeadLetter, Incoming, Outgoing};
use testkit::build::{key, noon};
use testkit::clock::ManualClock;
use testkit::contracts::queue::{Queue, queue};

const MANNERS: Manners = Manners { visibility: Duration::from_secs(2), max_receive: 3 };

fn memory_queue() -> (Arc<ManualClock>, Arc<MemoryQueue>) {
    let clock = Arc::new(ManualClock::jumping(noon()));
    (clock.clone(), Arc::new(MemoryQueue::new(clock, MANNERS)))
}

#[tokio::test]
async fn the_contract_holds_in_memory() {
    let (clock, memory) = memory_queue();
    queue(&Queue {
        outgoing: &*memory,
        incoming: &*memory,
        clock: &*clock,
        visibility: MANNERS.visibility,
        max_receive: MANNERS.max_receive,
        dead_letters: &|| Box::pin(async { memory.take_dead_letters() }),
    })
    .await;
}

async fn sqs(server: &Server, clock: Arc<dyn Clock>) -> SqsQueue {
    let client = Client::new(&adapters::aws::local(&server.endpoint));
    let names = SqsNames { url: server.url(), dead_letters: Some(server.dead_letters_url()), fair: true };
    SqsQueue::new(client, names, clock)
}

async fn whole_contract(sqs: &SqsQueue, clock: &dyn Clock) {
    queue(&Queue {
        outgoing: sqs,
        incoming: sqs,
        clock,
        visibility: MANNERS.visibility,
        max_receive: MANNERS.max_receive,
        dead_letters: &|| Box::pin(async { sqs.take_dead_letters().await.expect("dead letters") }),
    })
    .await;
}

#[tokio::test]
async fn the_contract_holds_over_the_protocol_of_sqs() {
    let (clock, memory) = memory_queue();
    let server = Server::start(memory).await;
    whole_contract(&sqs(&server, clock.clone()).await, &*clock).await;
    let story = server.story.lock().expect("the story");
    assert!(story.batches.iter().all(|entries| *entries <= 10), "{:?}", story.batches);
    assert_eq!(story.groups.iter().collect::<Vec<_>>(), ["queue"], "each connection is a group of its own");
}

/// A real SQS, or an emulator: it makes two queues there, which stay.
#[tokio::test]
async fn the_contract_holds_at_a_named_endpoint() {
    let Some(endpoint) = common::named_endpoint("QUEUE_ENDPOINT") else { return };
    let client = Client::new(&adapters::aws::local(&endpoint));
    let make = async |name: String, attributes: Vec<(&str, String)>| {
        let mut request = client.create_queue().queue_name(name);
        for (attribute, value) in attributes {
            request = request.attributes(attribute.into(), value);
        }
        request.send().await.expect("a queue").queue_url.expect("its URL")
    };
    let run = common::run();
    let dead = make(format!("{run}-dead"), Vec::new()).await;
    let dead_arn = format!("arn:aws:sqs:us-east-1:000000000000:{run}-dead");
    let redrive =
        format!(r#"{{"deadLetterTargetArn":"{dead_arn}","maxReceiveCount":"{}"}}"#, MANNERS.max_receive);
    let visibility = MANNERS.visibility.as_secs().to_string();
    let url = make(run, vec![("VisibilityTimeout", visibility), ("RedrivePolicy", redrive)]).await;
    let names = SqsNames { url, dead_letters: Some(dead), fair: true };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    whole_contract(&SqsQueue::new(client.clone(), names, clock.clone()), &*clock).await;
}

fn messages(n: u64) -> Vec<Message> {
    (0..n).map(|order| Message::forward(&key("main", order))).collect()
}

#[tokio::test]
async fn what_a_batch_leaves_out_is_sent_again_alone() {
    let (clock, memory) = memory_queue();
    let server = Server::start(memory.clone()).await;
    server.story.lock().expect("the story").leave_out = 3;
    sqs(&server, clock).await.send(&messages(12)).await.expect("send");
    assert_eq!(memory.len(), 12);
    assert_eq!(server.story.lock().expect("the story").batches, [10, 3, 2]);
}

#[tokio::test]
async fn what_is_left_out_again_and_again_is_a_retryable_failure() {
    let (clock, memory) = memory_queue();
    let server = Server::start(memory).await;
    server.story.lock().expect("the story").leave_out = usize::MAX;
    let failure = sqs(&server, clock).await.send(&messages(2)).await.expect_err("nothing was taken");
    assert!(failure.is_retryable(), "{failure}");
    assert!(failure.message.contains("2 of 2"), "{failure}");
}

#[tokio::test]
async fn errors_of_sqs_become_failures_with_a_kind_and_a_cure() {
    let (clock, memory) = memory_queue();
    let server = Server::start(memory).await;
    let sqs = sqs(&server, clock).await;
    for (error, retryable, word) in [
        ((400, "QueueDoesNotExist"), true, "create it"),
        ((403, "AccessDenied"), true, "the role lacks a permission"),
        ((503, "ServiceUnavailable"), true, "ServiceUnavailable"),
        ((400, "InvalidMessageContents"), false, "InvalidMessageContents"),
    ] {
        server.story.lock().expect("the story").error = Some(error);
        let failure = sqs.send(&messages(1)).await.expect_err("an error");
        assert_eq!(failure.is_retryable(), retryable, "{failure}");
        assert!(failure.message.contains(word), "{failure}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_a_retryable_failure() {
    let client = Client::new(&adapters::aws::local("http://127.0.0.1:1"));
    let names = SqsNames { url: "http://127.0.0.1:1/0/q".to_owned(), dead_letters: None, fair: true };
    let queue = SqsQueue::new(client, names, Arc::new(SystemClock));
    assert!(queue.receive(1, Duration::ZERO).await.expect_err("nobody is there").is_retryable());
    let letter = DeadLetter { body: "x".to_owned(), kind: "poison".to_owned(), reason: String::new() };
    let failure = queue.dead_letter(&letter).await.expect_err("no dead-letter queue");
    assert!(failure.is_retryable() && failure.message.contains("name it"), "{failure}");
}

#[tokio::test]
async fn a_waiting_receiver_is_woken_by_an_arrival() {
    let clock = Arc::new(ManualClock::waiting(noon()));
    let queue = MemoryQueue::new(clock.clone(), MANNERS);
    let sends = async {
        clock.until_somebody_sleeps().await;
        queue.send(&messages(1)).await.expect("send");
    };
    let (got, ()) = tokio::join!(queue.receive(10, Duration::from_secs(20)), sends);
    assert_eq!(got.expect("receive").len(), 1);
    assert_eq!(clock.now(), noon(), "without any time passing");
}

#[tokio::test]
async fn a_waiting_receiver_gets_what_becomes_visible_again() {
    let clock = Arc::new(ManualClock::jumping(noon()));
    let queue = MemoryQueue::new(clock.clone(), MANNERS);
    queue.send(&messages(1)).await.expect("send");
    let first = queue.receive(10, Duration::ZERO).await.expect("receive");
    let again = queue.receive(10, Duration::from_secs(20)).await.expect("receive");
    assert_eq!((first[0].count, again[0].count), (1, 2));
    assert_eq!(clock.now().duration_since(noon()).unsigned_abs(), MANNERS.visibility, "not a moment later");
    assert_eq!(queue.receive(10, Duration::ZERO).await.expect("receive"), []);
}
