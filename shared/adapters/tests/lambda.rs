//! A Lambda function answers SQS with exactly the messages that failed.

use std::sync::Arc;
use std::time::Duration;

use adapters::lambda::Function;
use adapters::memory_queue::{Manners, MemoryQueue};
use async_trait::async_trait;
use delivery::Handler;
use domain::message::Message;
use domain::{Failure, OrderId};
use serde_json::{Value, json};
use testkit::build::{key, noon};
use testkit::clock::ManualClock;

const LIMIT: Duration = Duration::from_secs(50);

/// Does with an order what its number says.
struct ByNumber;

#[async_trait]
impl Handler for ByNumber {
    async fn handle(&self, message: Message, _: u32) -> Result<(), Failure> {
        match message {
            Message::Forward { order: OrderId(503), .. } => {
                Err(Failure::retryable("test: send", "answered 503"))
            }
            Message::Forward { order: OrderId(422), .. } => {
                Err(Failure::permanent("test: send", "refused address"))
            }
            _ => Ok(()),
        }
    }
}

fn function() -> (Function, Arc<MemoryQueue>) {
    let clock = Arc::new(ManualClock::waiting(noon()));
    let queue = Arc::new(MemoryQueue::new(clock.clone(), Manners::default()));
    (Function::new(clock).on_queue(Arc::new(ByNumber), queue.clone()), queue)
}

fn record(id: &str, body: &str) -> Value {
    json!({"messageId": id, "receiptHandle": "r", "body": body, "eventSource": "aws:sqs",
           "attributes": {"ApproximateReceiveCount": "2"}})
}

#[tokio::test]
async fn a_lambda_answers_with_exactly_the_messages_that_failed() {
    let (function, queue) = function();
    let body = |order: u64| Message::forward(&key("main", order)).encode();
    let records = [record("a", &body(1)), record("b", &body(503)), record("c", "{"), record("d", &body(422))];
    let answer = function.handle(json!({ "Records": records }), LIMIT).await.expect("an answer");
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "b"}]}));
    assert_eq!(queue.dead_letters().len(), 2);
}

#[tokio::test]
async fn a_lambda_says_which_events_it_does_not_serve() {
    let (function, _) = function();
    let failure = function.handle(json!({"source": "aws.scheduler"}), LIMIT).await.expect_err("no schedule");
    assert!(failure.message.contains("schedules"), "{failure}");
}
