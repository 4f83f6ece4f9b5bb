//! The warehouse's door: understands a request, lets it meet its fault, answers it.

use std::future::pending;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use serde_json::{Value, json};

use super::faults::{Endpoint, Fault};
use super::orders::Answer;
use super::shipping::Parcels;
use super::{World, auth, orders, shipping, webhooks};
use crate::clock::pause;
use crate::faults::name_of;
use crate::replies;
use crate::server::MAX_REQUEST_BYTES;
use crate::store::pairs;

/// A request, understood.
struct Call {
    endpoint: Endpoint,
    /// The order's id in the path.
    id: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    /// The body as text; a form for the token endpoint.
    text: String,
    /// The body as JSON, null when it is none.
    document: Value,
}

impl Call {
    async fn read(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MAX_REQUEST_BYTES).await.unwrap_or_default();
        let (endpoint, id) = route(&parts.method, parts.uri.path());
        Self {
            endpoint,
            id,
            query: pairs(parts.uri.query().unwrap_or_default()).collect(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
            document: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    fn query(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// What a fault about one order is matched with: its reference, or its id in the path.
    fn subject(&self) -> &str {
        match self.endpoint {
            Endpoint::Create => self.document.get("reference").and_then(Value::as_str).unwrap_or_default(),
            Endpoint::Find | Endpoint::Shipments => self.query("reference"),
            _ => &self.id,
        }
    }
}

fn route(method: &Method, path: &str) -> (Endpoint, String) {
    let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
    let (endpoint, id) = match (method.as_str(), words.as_slice()) {
        ("POST", ["oauth", "token"]) => (Endpoint::Token, ""),
        ("POST", ["v1", "orders"]) => (Endpoint::Create, ""),
        ("GET", ["v1", "orders"]) => (Endpoint::Find, ""),
        ("GET", ["v1", "orders", id]) => (Endpoint::Get, *id),
        ("POST", ["v1", "orders", id, "cancel"]) => (Endpoint::Cancel, *id),
        ("GET", ["v1", "shipments"]) => (Endpoint::Shipments, ""),
        ("GET", ["v1", "stock"]) => (Endpoint::Stock, ""),
        _ => (Endpoint::Unknown, ""),
    };
    (endpoint, id.to_owned())
}

/// Answers one request.
pub(super) async fn answer(world: Arc<World>, request: Request) -> Response {
    let call = Call::read(request).await;
    let fault = world.state.change(|state| {
        *state.counts.calls.entry(call.endpoint).or_default() += 1;
        let fault = state.faults.meet(call.endpoint, call.subject());
        if let Some(fault) = &fault {
            state.counts.faults += 1;
            *state.counts.faults_met.entry(name_of(fault)).or_default() += 1;
        }
        fault
    });
    match fault {
        None => done(&world, &call).await,
        Some(fault) => faulty(world, call, fault).await,
    }
}

async fn faulty(world: Arc<World>, call: Call, fault: Fault) -> Response {
    match fault {
        Fault::DoneButSlow(time) => {
            let response = done(&world, &call).await;
            pause(time).await;
            response
        }
        Fault::DoneButSilent => {
            drop(done(&world, &call).await);
            pending().await
        }
        Fault::DoneButHangUp => {
            drop(done(&world, &call).await);
            replies::hang_up()
        }
        Fault::DoneButHalfBody => replies::half(done(&world, &call).await).await,
        Fault::DoneButGarbage => {
            drop(done(&world, &call).await);
            replies::garbage()
        }
        Fault::DoneButServerError => {
            drop(done(&world, &call).await);
            replies::json(500, &json!({"error": "internal"}))
        }
        Fault::DoneLate(time) => {
            let late = Arc::clone(&world);
            world.tasks.spawn(async move {
                pause(time).await;
                drop(done(&late, &call).await);
            });
            replies::hang_up()
        }
        Fault::Silence => pending().await,
        Fault::HangUp => replies::hang_up(),
        _ => refused(&fault),
    }
}

/// The faults that are nothing but an answer.
fn refused(fault: &Fault) -> Response {
    match fault {
        Fault::TooMany { retry_after } => {
            let response = replies::json(429, &json!({"error": "too many requests"}));
            replies::with_header(response, "retry-after", &retry_after.to_string())
        }
        Fault::Unavailable => replies::json(503, &json!({"error": "unavailable"})),
        Fault::Unauthorized => replies::json(401, &json!({"error": "unauthorized"})),
        Fault::Refuse(reason) => {
            let (status, document) = orders::refused(reason);
            replies::json(status, &document)
        }
        Fault::Garbage => replies::garbage(),
        Fault::HtmlPage => replies::html(200, replies::HTML_PAGE),
        _ => replies::json(500, &json!({"error": "internal"})),
    }
}

/// Carries the call out.
async fn done(world: &Arc<World>, call: &Call) -> Response {
    let now = (world.options.now)();
    let (status, document) = if call.endpoint == Endpoint::Token {
        world.state.change(|state| auth::token(state, &call.headers, &call.text, now))
    } else if !world.state.look(|state| auth::is_allowed(state, &call.headers, now)) {
        world.state.change(|state| state.counts.unauthorized += 1);
        (401, json!({"error": "unauthorized"}))
    } else if call.endpoint == Endpoint::Create {
        created(world, call).await
    } else {
        permitted(world, call)
    };
    replies::json(status, &document)
}

fn permitted(world: &World, call: &Call) -> Answer {
    let now = (world.options.now)();
    if call.endpoint == Endpoint::Cancel {
        return world.state.change(|state| orders::cancel(state, &call.id));
    }
    world.state.look(|state| match call.endpoint {
        Endpoint::Find => orders::find(state, &world.options, call.query("reference"), now),
        Endpoint::Get => orders::get(state, &call.id),
        Endpoint::Shipments => shipping::feed(state, &call.query),
        Endpoint::Stock => orders::stock(state),
        _ => (404, json!({"error": "not found"})),
    })
}

/// Creates the order; where the manner says so, its webhook arrives before the answer does.
async fn created(world: &Arc<World>, call: &Call) -> Answer {
    let now = (world.options.now)();
    let key = call.headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let (answer, shipped) = world.state.change(|state| {
        let (answer, position) = orders::create(state, &world.options, &call.document, key, now);
        let id = position.and_then(|position| state.orders.get(position)).map(|order| order.id.clone());
        let at_once = id.filter(|_| state.manner.before_create_answer).map(|id| {
            let parcels = shipping::ship(state, &world.options.services, &id, &Parcels::One, now);
            parcels
                .into_iter()
                .filter_map(|index| Some(state.shipments.get(index)?.id.clone()))
                .collect::<Vec<_>>()
        });
        (answer, at_once.unwrap_or_default())
    });
    for shipment in shipped {
        webhooks::deliver(world, "shipment.created", &shipment).await;
    }
    answer
}
