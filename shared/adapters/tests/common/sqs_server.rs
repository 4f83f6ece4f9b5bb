//! The least of SQS's protocol (AWS JSON 1.0) that the adapter speaks, over a queue in memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters::memory_queue::MemoryQueue;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use domain::ports::{DeadLetter, Delivery, Incoming};
use serde_json::{Value, json};

/// What the server was told, and what it shall do wrong.
#[derive(Default)]
pub(crate) struct Story {
    /// Message groups seen.
    pub(crate) groups: BTreeSet<String>,
    /// Calls of SendMessageBatch, by the number of entries.
    pub(crate) batches: Vec<usize>,
    /// How many entries more shall be left out of their batch.
    pub(crate) leave_out: usize,
    /// Answer everything with this error.
    pub(crate) error: Option<(u16, &'static str)>,
}

#[derive(Clone)]
pub(crate) struct Server {
    queue: Arc<MemoryQueue>,
    pub(crate) story: Arc<Mutex<Story>>,
    pub(crate) endpoint: String,
}

impl Server {
    pub(crate) async fn start(queue: Arc<MemoryQueue>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let server = Self { queue, story: Arc::default(), endpoint };
        let routes = Router::new().route("/", post(answer)).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/000000000000/orders", self.endpoint)
    }

    pub(crate) fn dead_letters_url(&self) -> String {
        format!("{}/000000000000/orders-dead", self.endpoint)
    }

    fn send_batch(&self, request: &Value) -> Value {
        let entries = request["Entries"].as_array().expect("entries");
        let mut story = self.story.lock().expect("the story");
        story.batches.push(entries.len());
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            story.groups.extend(entry["MessageGroupId"].as_str().map(str::to_owned));
            if story.leave_out > 0 {
                story.leave_out -= 1;
                failed.push(json!({"Id": entry["Id"], "Code": "InternalError", "SenderFault": false}));
            } else {
                self.queue.push(entry["MessageBody"].as_str().expect("a body"));
                done.push(json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": ""}));
            }
        }
        json!({"Successful": done, "Failed": failed})
    }

    async fn receive(&self, request: &Value) -> Value {
        let max = request["MaxNumberOfMessages"].as_u64().unwrap_or(1) as u32;
        let wait = Duration::from_secs(request["WaitTimeSeconds"].as_u64().unwrap_or(0));
        let messages: Vec<Value> = if is_dead(request) {
            assert!(asks_for(request, "MessageAttributeNames", "All"), "kind and reason come when asked for");
            self.queue.take_dead_letters().iter().map(dead_message).collect()
        } else {
            let got = self.queue.receive(max, wait).await.expect("receive");
            let counted = asks_for(request, "MessageSystemAttributeNames", "ApproximateReceiveCount");
            got.iter().map(|delivery| message(delivery, counted)).collect()
        };
        json!({ "Messages": messages })
    }

    async fn send(&self, request: &Value) -> Value {
        let attribute =
            |name: &str| request["MessageAttributes"][name]["StringValue"].as_str().map(str::to_owned);
        let body = request["MessageBody"].as_str().expect("a body").to_owned();
        if is_dead(request) {
            let (kind, reason) = (attribute("kind").expect("a kind"), attribute("reason").expect("a reason"));
            self.queue.dead_letter(&DeadLetter { body, kind, reason }).await.expect("dead letter");
        } else {
            self.queue.push(body);
        }
        json!({"MessageId": "m", "MD5OfMessageBody": ""})
    }
}

fn is_dead(request: &Value) -> bool {
    request["QueueUrl"].as_str().is_some_and(|url| url.ends_with("-dead"))
}

fn asks_for(request: &Value, list: &str, name: &str) -> bool {
    request[list].as_array().is_some_and(|names| names.contains(&json!(name)))
}

fn message(delivery: &Delivery, counted: bool) -> Value {
    let mut message =
        json!({"MessageId": delivery.id, "ReceiptHandle": delivery.receipt, "Body": delivery.body});
    if counted {
        message["Attributes"] = json!({"ApproximateReceiveCount": delivery.count.to_string()});
    }
    message
}

fn dead_message(letter: &DeadLetter) -> Value {
    let attribute = |text: &str| json!({"DataType": "String", "StringValue": text});
    json!({
        "MessageId": "dead", "ReceiptHandle": "dead", "Body": letter.body,
        "MessageAttributes": {"kind": attribute(&letter.kind), "reason": attribute(&letter.reason)},
    })
}

fn delivery(request: &Value) -> Delivery {
    let receipt = request["ReceiptHandle"].as_str().expect("a receipt").to_owned();
    Delivery { id: String::new(), receipt, body: String::new(), count: 0 }
}

async fn answer(State(server): State<Server>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    if let Some((status, code)) = server.story.lock().expect("the story").error {
        let status = StatusCode::from_u16(status).expect("a status");
        return (status, json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": "no"}).to_string());
    }
    let request: Value = serde_json::from_str(&body).expect("JSON");
    let target = headers["x-amz-target"].to_str().expect("a target").to_owned();
    let answer = match target.as_str() {
        "AmazonSQS.SendMessageBatch" => server.send_batch(&request),
        "AmazonSQS.SendMessage" => server.send(&request).await,
        "AmazonSQS.ReceiveMessage" => server.receive(&request).await,
        "AmazonSQS.DeleteMessage" => {
            server.queue.delete(&delivery(&request)).await.expect("delete");
            json!({})
        }
        "AmazonSQS.ChangeMessageVisibility" => {
            let wait = Duration::from_secs(request["VisibilityTimeout"].as_u64().expect("a time-out"));
            server.queue.delay(&delivery(&request), wait).await.expect("delay");
            json!({})
        }
        other => panic!("{other} is not spoken here"),
    };
    (StatusCode::OK, answer.to_string())
}
