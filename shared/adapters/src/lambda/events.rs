//! Lambda's events, read leniently: only what we use must be there, and one broken record does not break its batch.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ports::Delivery;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::endpoint::{HttpAnswer, HttpRequest};

/// An event, by what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A batch of SQS messages.
    Messages(Vec<Delivery>),
    /// A request of an HTTP API or a function URL (payload format 2.0); none when its body cannot be decoded.
    Request(Option<HttpRequest>),
    /// Anything else: a schedule of EventBridge, or a person.
    Other,
}

impl Event {
    /// Reads an event. Never fails: what is neither messages nor a request is [`Event::Other`].
    #[must_use]
    pub fn read(mut event: Value) -> Self {
        if let Some(Value::Array(records)) = event.get_mut("Records").map(Value::take)
            && records.iter().any(|record| text(record, "eventSource") == "aws:sqs")
        {
            return Self::Messages(records.iter().map(delivery).collect());
        }
        match event.pointer("/requestContext/http") {
            Some(http) => Self::Request(request(&event, http)),
            None => Self::Other,
        }
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Messages(_) => "messages of a queue",
            Self::Request(_) => "HTTP requests",
            Self::Other => "schedules",
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn delivery(record: &Value) -> Delivery {
    let count = record.pointer("/attributes/ApproximateReceiveCount").and_then(Value::as_str);
    Delivery {
        id: text(record, "messageId").to_owned(),
        receipt: text(record, "receiptHandle").to_owned(),
        body: text(record, "body").to_owned(),
        count: count.and_then(|count| count.parse().ok()).unwrap_or(1),
    }
}

fn request(event: &Value, http: &Value) -> Option<HttpRequest> {
    let body = text(event, "body");
    let encoded = event.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or(false);
    let headers = event.get("headers").and_then(Value::as_object);
    let headers = headers
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.as_str().unwrap_or_default().to_owned()));
    Some(HttpRequest {
        method: text(http, "method").to_owned(),
        path: event.get("rawPath").and_then(Value::as_str).unwrap_or_else(|| text(http, "path")).to_owned(),
        query: form_urlencoded::parse(text(event, "rawQueryString").as_bytes()).into_owned().collect(),
        headers: headers.collect(),
        body: if encoded { STANDARD.decode(body).ok()? } else { body.as_bytes().to_vec() },
    })
}

/// The answer in the form that an HTTP API takes. A body that is no text goes as base64.
pub(super) fn response(answer: HttpAnswer) -> Value {
    let headers: Map<String, Value> =
        answer.headers.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    let (body, encoded) = match String::from_utf8(answer.body) {
        Ok(body) => (body, false),
        Err(raw) => (STANDARD.encode(raw.into_bytes()), true),
    };
    json!({"statusCode": answer.status, "headers": headers, "body": body, "isBase64Encoded": encoded})
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_batch_gives_its_deliveries_even_where_a_record_is_broken() {
        let event = json!({"Records": [
            {"messageId": "m1", "receiptHandle": "r1", "body": "{}", "eventSource": "aws:sqs",
             "attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1"}, "new": [1]},
            {"messageId": "m2", "eventSource": "aws:sqs", "body": 7},
        ]});
        let delivery = |id: &str, receipt: &str, body: &str, count| Delivery {
            id: id.to_owned(),
            receipt: receipt.to_owned(),
            body: body.to_owned(),
            count,
        };
        let wanted = vec![delivery("m1", "r1", "{}", 3), delivery("m2", "", "", 1)];
        assert_eq!(Event::read(event), Event::Messages(wanted));
    }

    #[test]
    fn a_request_is_read_byte_for_byte() {
        let event = json!({
            "version": "2.0", "rawPath": "/hooks/main%2F", "rawQueryString": "a=1&b=%C3%A9&a=2",
            "headers": {"Content-Type": "application/json", "x-signature": "v1,abc"},
            "requestContext": {"http": {"method": "POST", "path": "/other"}},
            "body": "AP97", "isBase64Encoded": true,
        });
        let Event::Request(Some(request)) = Event::read(event) else { panic!("a request") };
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hooks/main%2F"));
        assert_eq!(request.body, [0, 255, b'{']);
        assert_eq!(request.header("content-type"), Some("application/json"));
        let query: Vec<_> = request.query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(query, [("a", "1"), ("b", "é"), ("a", "2")]);
    }

    #[test]
    fn a_body_that_cannot_be_decoded_is_told() {
        let event = json!({"requestContext": {"http": {}}, "body": "%%%", "isBase64Encoded": true});
        assert_eq!(Event::read(event), Event::Request(None));
    }

    #[test]
    fn everything_else_is_a_schedule_or_a_person() {
        for event in
            [json!({}), json!(null), json!({"source": "aws.scheduler", "detail": {}}), json!({"Records": []})]
        {
            assert_eq!(Event::read(event), Event::Other);
        }
    }

    #[test]
    fn an_answer_that_is_no_text_goes_as_base64() {
        let answer = response(HttpAnswer { status: 200, headers: Vec::new(), body: vec![0, 255] });
        assert_eq!(
            answer,
            json!({"statusCode": 200, "headers": {}, "body": "AP8=", "isBase64Encoded": true})
        );
    }

    proptest! {
        #[test]
        fn no_event_panics(body in ".{0,50}", count in ".{0,8}", query in ".{0,50}", encoded: bool) {
            let _ignored = Event::read(json!({"Records": [{"eventSource": "aws:sqs", "body": body,
                "attributes": {"ApproximateReceiveCount": count}}]}));
            let _ignored = Event::read(json!({"requestContext": {"http": {"method": count}}, "body": body,
                "rawQueryString": query, "isBase64Encoded": encoded}));
        }
    }
}
