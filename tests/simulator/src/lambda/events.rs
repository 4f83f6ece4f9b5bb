//! Event documents in the shape that AWS sends them: a schedule, a batch of messages, an HTTP request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::clock::wall;
use crate::sqs::digest;

const ACCOUNT: &str = "000000000000";
const REGION: &str = "us-east-1";

/// What EventBridge Scheduler sends when the schedule gives no input of its own.
#[must_use]
pub fn schedule() -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": "2026-10-05T12:00:00Z",
        "region": REGION,
        "resources": [format!("arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/every-five-minutes")],
        "detail": "{}",
    })
}

/// A batch of messages of the queue `orders`: message id, body, receive count.
#[must_use]
pub fn sqs(messages: &[(&str, &str, u32)]) -> Value {
    sqs_of("orders", messages)
}

/// A batch of messages of this queue: message id, body, receive count.
#[must_use]
pub fn sqs_of(queue: &str, messages: &[(&str, &str, u32)]) -> Value {
    let now = (wall())().as_millisecond().to_string();
    let record = |(id, body, receive_count): &(&str, &str, u32)| {
        json!({
            "messageId": id,
            "receiptHandle": format!("receipt-{id}-{receive_count}"),
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": receive_count.to_string(),
                "SentTimestamp": now,
                "SenderId": "AIDASIMULATED",
                "ApproximateFirstReceiveTimestamp": now,
            },
            "messageAttributes": {},
            "md5OfBody": digest(body),
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"),
            "awsRegion": REGION,
        })
    };
    json!({"Records": messages.iter().map(record).collect::<Vec<_>>()})
}

/// A request to an HTTP API or a function URL, payload format 2.0, its body in base64. The path may carry a query.
#[must_use]
pub fn http_v2(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let headers: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), json!(value))).collect();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "simulated",
            "domainName": format!("simulated.execute-api.{REGION}.amazonaws.com"),
            "domainPrefix": "simulated",
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7", "userAgent": "simulator",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "05/Oct/2026:12:00:00 +0000",
            "timeEpoch": 1_791_201_600_000_i64,
        },
        "body": STANDARD.encode(body),
        "isBase64Encoded": true,
    });
    if let (false, Value::Object(fields)) = (query.is_empty(), &mut event) {
        let parameters: Map<String, Value> =
            crate::store::pairs(query).map(|(name, value)| (name, json!(value))).collect();
        fields.insert("queryStringParameters".to_owned(), Value::Object(parameters));
    }
    event
}
