//! What the queue loop logs of a failure. A program of its own: who listens to a log must be there from the first line on.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use delivery::{Handler, deliver};
use domain::Failure;
use domain::message::Message;
use domain::ports::{Incoming, Outgoing};
use testkit::build::{key, noon};
use testkit::clock::ManualClock;
use testkit::model::{Kindly, ModelQueue};

/// Fails with every message: for good with one that is to be posted, and otherwise for now.
struct Failing;

#[async_trait]
impl Handler for Failing {
    async fn handle(&self, message: Message, _: u32) -> Result<(), Failure> {
        let failure = match message {
            Message::Post { .. } => Failure::permanent("test: post", "refused"),
            _ => Failure::retryable("test: send", "answered 503"),
        };
        Err(failure.caused_by("connection reset"))
    }
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("lines").write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_failure_is_logged_once_with_ids_and_kind_and_never_with_what_was_sent() {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone());
    let listening = tracing::subscriber::set_default(lines.finish());
    let clock = Arc::new(ManualClock::waiting(noon()));
    let queue = ModelQueue::new(Arc::new(Kindly), clock.clone(), Duration::from_secs(360), 5);
    let (seven, eight) = (key("main", 7), key("main", 8));
    let reread =
        Message::Reread { connection: seven.connection.clone(), reference: "main-9".parse().expect("fits") };
    let messages = [Message::forward(&seven), Message::post(&eight), reread];
    queue.send(&messages).await.expect("send");
    queue.put_raw("{Avery Example");
    let deliveries = queue.receive(10, Duration::ZERO).await.expect("receive");
    deliver(&Failing, &queue, &*clock, deliveries, Duration::from_secs(50)).await;
    drop(listening);

    let text = String::from_utf8(log.0.lock().expect("lines").clone()).expect("text");
    assert!(!text.contains("Avery"), "{text}");
    let told: Vec<String> = text.lines().map(in_short).collect();
    assert_eq!(
        told,
        [
            r#"WARN "1" "main" 7 "retryable" "test: send" "connection reset""#,
            r#"ERROR "2" "main" 8 "permanent" "test: post" "connection reset""#,
            r#"WARN "3" "main" null "retryable" "test: send" "connection reset""#,
            r#"ERROR "4" null null "poison" "read queue message" null"#,
        ]
    );
}

/// Level, ids, kind, place and cause of a line of the log.
fn in_short(line: &str) -> String {
    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let fields =
        ["message.id", "connection.id", "order.id", "failure.kind", "failure.during", "failure.source"];
    let level = line["level"].as_str().unwrap_or_default().to_owned();
    fields.iter().fold(level, |told, field| format!("{told} {}", line[*field]))
}
