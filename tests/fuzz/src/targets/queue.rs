//! What comes over queues, and the events that a Lambda function is called with.

use adapters::endpoint::HttpRequest;
use adapters::lambda::Event;
use domain::message::Message;
use domain::{Kind, limits};
use serde_json::Value;

use crate::target::{Verdict, refusal};

#[rustfmt::skip]
pub(crate) const WORDS: &[&str] = &[
    "{\"v\":1,\"do\":\"forward\",\"connection\":\"main\",\"order\":5}", "\"v\":1", "\"v\":2", "\"do\":\"post\"",
    "\"do\":\"reread\"", "\"do\":\"hint\"", "\"connection\":\"main\"", "\"order\":5", "\"reference\":\"main-5\"",
    "\"token\":\"5\"", "{", "}", "[", "]", ",", ":", "\"", "null", "true", "\\u0000", "\\ud800", "{\"Records\":[",
    "\"eventSource\":\"aws:sqs\"", "\"messageId\":\"m\"", "\"receiptHandle\":\"r\"", "\"body\":\"\"",
    "\"attributes\":{\"ApproximateReceiveCount\":\"3\"}", "\"requestContext\":{\"http\":{\"method\":\"POST\"}}",
    "\"rawPath\":\"/webhook/main\"", "\"rawQueryString\":\"a=%ff&b\"", "\"headers\":{\"X\":\"y\"}",
    "\"isBase64Encoded\":true", "\"AP97\"", "mark@q7.example",
];

/// The largest message that SQS delivers.
const SQS_BYTES: usize = 1024 * 1024;

/// A message of a queue.
pub(crate) fn message(input: &[u8]) -> Verdict {
    // SQS delivers text, of at most 1 MiB.
    let text = String::from_utf8_lossy(input.get(..SQS_BYTES).unwrap_or(input));
    match Message::decode(&text) {
        Err(failure) => {
            assert_eq!(failure.kind, Kind::Poison, "it will be the same the next time");
            refusal(&failure.to_string())
        }
        Ok(message) => {
            let again = message.encode();
            assert!(again.len() <= limits::MESSAGE_BYTES, "a message of {} bytes", again.len());
            assert_eq!(Message::decode(&again).ok(), Some(message), "read again it is another message");
            Verdict::Accepted
        }
    }
}

/// An event. It is JSON by the time that we see it.
pub(crate) fn lambda_event(input: &[u8]) -> Verdict {
    let Ok(value) = serde_json::from_slice::<Value>(input) else { return Verdict::Refused };
    let records = value.get("Records").and_then(Value::as_array).map(Vec::len);
    match Event::read(value) {
        Event::Messages(deliveries) => {
            assert_eq!(Some(deliveries.len()), records, "a record is lost");
            for delivery in &deliveries {
                message(delivery.body.as_bytes());
            }
            Verdict::Accepted
        }
        Event::Request(Some(request)) => kept_promises(&request),
        Event::Request(None) | Event::Other => Verdict::Refused,
    }
}

fn kept_promises(request: &HttpRequest) -> Verdict {
    for (name, value) in &request.headers {
        assert_eq!(*name, name.to_ascii_lowercase(), "a header that nobody finds");
        let first = request.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        assert_eq!(request.header(name), first, "{value}");
    }
    Verdict::Accepted
}
