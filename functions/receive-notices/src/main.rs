//! The Lambda function behind the HTTP API: answers the webhooks of warehouses and stores.

use std::sync::Arc;

use adapters::endpoint::{Endpoint, HttpAnswer, HttpRequest};
use adapters::environment::Environment;
use async_trait::async_trait;
use domain::warehouse::RawWebhook;
use receive_notices::{ReceiveNotices, Received};

struct Webhooks(ReceiveNotices);

#[async_trait]
impl Endpoint for Webhooks {
    async fn answer(&self, request: HttpRequest) -> HttpAnswer {
        let HttpRequest { method, path, headers, body, .. } = request;
        let webhook = RawWebhook { headers, path_rest: String::new(), body };
        let outcome = self.0.receive(Received { method, path, webhook }).await;
        if let Some(note) = &outcome.note {
            let connection = outcome.connection.as_ref().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(connection.id = connection, status = outcome.reply.status, "webhook: {note}");
        }
        HttpAnswer {
            status: outcome.reply.status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: outcome.reply.body.as_bytes().to_vec(),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = Environment::open()?;
    let notices = ReceiveNotices {
        connections: environment.connections(),
        partners: environment.partners()?,
        ledger: environment.ledger(),
        shipments: environment.queue("SHIPMENTS")?,
        hints: environment.queue("HINTS")?,
        clock: environment.clock(),
        dice: environment.dice(),
    };
    environment.function().on_request(Arc::new(Webhooks(notices))).run().await
}
