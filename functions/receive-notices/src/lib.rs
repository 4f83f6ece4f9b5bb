//! Answers webhooks: the warehouse's shipment notices and the store's notifications. Verified, kept, queued, and only
//! then answered with 200; what cannot be read is kept for a person, because senders that see a 400 switch us off.

use std::sync::Arc;

use domain::arrivals::{name_of, reread};
use domain::connection::Connection;
use domain::fulfillment::order_of;
use domain::intake::Intake;
use domain::life::{SOON, later};
use domain::message::Message;
use domain::ports::{Clock, Connections, Ledger, Outgoing, Partners, Randomness};
use domain::warehouse::{Heard, RawWebhook, Unverified, Warehouse};
use domain::{ConnectionId, Failure, Reference, limits};

/// How the story and the logs call this use case.
pub const NAME: &str = "receive-notices";

/// The largest body that is looked at.
pub const MAX_BODY_BYTES: usize = limits::WEBHOOK_BYTES;

/// The use case with its ports.
#[derive(Clone)]
pub struct ReceiveNotices {
    /// Which connections there are.
    pub connections: Arc<dyn Connections>,
    /// Their stores and warehouses.
    pub partners: Arc<dyn Partners>,
    /// The truth.
    pub ledger: Arc<dyn Ledger>,
    /// The queue of tracking to post.
    pub shipments: Arc<dyn Outgoing>,
    /// The queue of the store's hints.
    pub hints: Arc<dyn Outgoing>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Names for writes.
    pub dice: Arc<dyn Randomness>,
}

/// An HTTP request, as the host took it.
#[derive(Clone)]
pub struct Received {
    /// GET, POST and so on.
    pub method: String,
    /// The path, with its leading slash.
    pub path: String,
    /// The rest of it; `path_rest` is filled in here.
    pub webhook: RawWebhook,
}

/// The answer: a status and a fixed sentence. Callers learn nothing from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body. JSON, because some senders insist on it.
    pub body: &'static str,
}

const OK: Reply = Reply { status: 200, body: r#"{"code":"200","Status":"Success"}"# };
const UNKNOWN_SENDER: Reply = Reply { status: 401, body: r#"{"error":"the sender is not known"}"# };
const TOO_LARGE: Reply = Reply { status: 413, body: r#"{"error":"the body is too large"}"# };
const NOT_FOUND: Reply = Reply { status: 404, body: r#"{"error":"there is nothing here"}"# };
const TRY_LATER: Reply = Reply { status: 503, body: r#"{"error":"please send it again"}"# };

/// What came of a request, for the log.
#[derive(Debug)]
pub struct Outcome {
    /// What the sender gets.
    pub reply: Reply,
    /// The connection, once it is known.
    pub connection: Option<ConnectionId>,
    /// What is worth a line in the log.
    pub note: Option<String>,
}

impl Outcome {
    fn of(reply: Reply) -> Self {
        Self { reply, connection: None, note: None }
    }

    fn note(reply: Reply, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..Self::of(reply) }
    }
}

impl Outcome {
    fn unbelieved(unverified: Unverified) -> Self {
        match unverified {
            Unverified::Stranger(why) => Self::note(UNKNOWN_SENDER, why),
            Unverified::Unsure(why) => Self::note(TRY_LATER, why),
        }
    }
}

impl ReceiveNotices {
    /// Answers one request: `/webhook/{connection}` for the warehouse, `/notify/{connection}/{secret}` for the store.
    pub async fn receive(&self, received: Received) -> Outcome {
        let mut parts = received.path.trim_matches('/').splitn(3, '/');
        let (kind, id, rest) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
        let (Some(kind @ ("webhook" | "notify")), Some(id)) = (kind, id) else {
            return Outcome::of(NOT_FOUND);
        };
        if matches!(received.method.as_str(), "GET" | "HEAD") {
            return Outcome::of(OK);
        }
        if received.webhook.body.len() > MAX_BODY_BYTES {
            return Outcome::note(TOO_LARGE, format!("a body of {} bytes", received.webhook.body.len()));
        }
        let raw = RawWebhook { path_rest: rest.to_owned(), ..received.webhook };
        let done = match self.connection(id).await {
            Ok(Some(connection)) if !connection.is_complete() => {
                Ok(Outcome::note(TRY_LATER, "the ledger of this connection is being rebuilt"))
            }
            Ok(Some(connection)) if kind == "webhook" => self.heard_of_warehouse(&connection, raw).await,
            Ok(Some(connection)) => self.heard_of_store(&connection, raw).await,
            Ok(None) => return Outcome::note(UNKNOWN_SENDER, "no such connection"),
            Err(failure) => Err(failure),
        };
        let outcome = done.unwrap_or_else(|failure| Outcome::note(TRY_LATER, failure.to_string()));
        Outcome { connection: id.parse().ok(), ..outcome }
    }

    async fn connection(&self, id: &str) -> Result<Option<Connection>, Failure> {
        let Ok(id) = id.parse::<ConnectionId>() else { return Ok(None) };
        self.connections.get(&id).await
    }

    async fn heard_of_warehouse(&self, connection: &Connection, raw: RawWebhook) -> Result<Outcome, Failure> {
        let warehouse = self.partners.warehouse(connection).await?;
        let Some(reader) = warehouse.notices.reader() else {
            return Ok(Outcome::note(
                UNKNOWN_SENDER,
                "this warehouse is polled, it has no webhooks configured",
            ));
        };
        let webhook = match reader.verify(raw, self.clock.now()).await {
            Ok(webhook) => webhook,
            Err(unverified) => return Ok(Outcome::unbelieved(unverified)),
        };
        match reader.read(&webhook) {
            Ok(heard) => self.keep(connection, &warehouse, heard).await,
            Err(failure) => self.park(connection, webhook.raw(), &failure).await,
        }
    }

    /// Everything heard is in the ledger and on the queue before the sender hears 200.
    async fn keep(
        &self,
        connection: &Connection,
        warehouse: &Warehouse,
        heard: Vec<Heard>,
    ) -> Result<Outcome, Failure> {
        let mut push: Vec<Message> = Vec::new();
        for one in heard {
            let message = match one {
                Heard::Shipped(notice) => self.intake().arrive(&connection.id, &notice).await?,
                Heard::Changed(reference) => {
                    self.expect(connection, warehouse, &reference).await?;
                    Some(reread(&connection.id, reference))
                }
            };
            push.extend(message.filter(|message| !push.contains(message)));
        }
        self.shipments.send(&push).await?;
        Ok(Outcome::of(OK))
    }

    /// A message may expire before anybody has taken it. Where no feed tells of the package as well, the ledger has somebody
    /// ask a little later; for an order that is done with nobody would.
    async fn expect(
        &self,
        connection: &Connection,
        warehouse: &Warehouse,
        reference: &Reference,
    ) -> Result<(), Failure> {
        match order_of(reference, &connection.id).filter(|_| warehouse.notices.feed().is_none()) {
            Some(order) => self.ledger.expect(&connection.id, later(self.clock.now(), SOON), &[order]).await,
            None => Ok(()),
        }
    }

    async fn heard_of_store(&self, connection: &Connection, raw: RawWebhook) -> Result<Outcome, Failure> {
        let store = self.partners.store(connection).await?;
        let webhook = match store.hints.verify(raw).await {
            Ok(webhook) => webhook,
            Err(unverified) => return Ok(Outcome::unbelieved(unverified)),
        };
        let tokens = match store.hints.read(&webhook) {
            Ok(tokens) => tokens,
            Err(failure) => return self.park(connection, webhook.raw(), &failure).await,
        };
        let hint = |token| Message::Hint { connection: connection.id.clone(), token };
        let push: Vec<Message> = tokens.into_iter().map(hint).collect();
        self.hints.send(&push).await?;
        Ok(Outcome::of(OK))
    }

    async fn park(
        &self,
        connection: &Connection,
        raw: &RawWebhook,
        failure: &Failure,
    ) -> Result<Outcome, Failure> {
        let id = name_of(&raw.body);
        self.intake().park(&connection.id, id, failure.to_string(), raw.body.clone()).await?;
        Ok(Outcome::note(OK, format!("parked, because it cannot be read: {failure}")))
    }

    fn intake(&self) -> Intake<'_> {
        Intake {
            ledger: self.ledger.as_ref(),
            clock: self.clock.as_ref(),
            dice: self.dice.as_ref(),
            by: NAME,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_that_we_cannot_judge_is_asked_to_come_again() {
        assert_eq!(Outcome::unbelieved(Unverified::Stranger(String::new())).reply.status, 401);
        assert_eq!(Outcome::unbelieved(Unverified::Unsure(String::new())).reply.status, 503);
    }
}
