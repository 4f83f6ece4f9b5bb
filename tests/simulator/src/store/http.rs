//! The store's door: understands a request, lets it meet its fault, answers it.

use std::future::pending;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::Response;

use super::call::Call;
use super::envelope::{NO_MERCHANT, NO_METHOD, NOT_UNDERSTOOD, ON_DEMAND, Refusal, WRONG_KEY, done, error};
use super::faults::{Endpoint, Fault};
use super::notify::{Event, tell};
use super::read::Style;
use super::state::State;
use super::{World, discovery, list, read, records, update};
use crate::clock::pause;
use crate::faults::name_of;
use crate::replies;
use crate::server::MAX_REQUEST_BYTES;

/// Answers one request.
pub(super) async fn answer(world: Arc<World>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_REQUEST_BYTES).await.unwrap_or_default();
    let body = String::from_utf8_lossy(&body);
    let Some(call) = Call::read(parts.uri.path(), parts.uri.query().unwrap_or_default(), &body) else {
        return replies::xml(error(NOT_UNDERSTOOD.code, NOT_UNDERSTOOD.message));
    };
    let fault = world.state.change(|state| count(state, &call));
    let _in_hand = InHand::begin(&world);
    match fault {
        None => carried_out(&world, &call, 0),
        Some(fault) => faulty(&world, &call, fault).await,
    }
}

/// A call that waits for its answer, until it has it or its caller is gone.
struct InHand(Arc<World>);

impl InHand {
    fn begin(world: &Arc<World>) -> Self {
        world.state.change(|State { counts, .. }| {
            counts.in_hand += 1;
            counts.most_in_hand = counts.most_in_hand.max(counts.in_hand);
        });
        Self(world.clone())
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.state.change(|state| state.counts.in_hand -= 1);
    }
}

/// Counts the call and gives the fault that it meets.
fn count(state: &mut State, call: &Call) -> Option<Fault> {
    *state.counts.calls.entry(call.endpoint).or_default() += 1;
    let order = state.order_named(&call.item).filter(|_| call.table == "Orders");
    if let Some(id) = order.filter(|_| call.endpoint == Endpoint::OrderRead) {
        *state.counts.order_reads.entry(id).or_default() += 1;
    }
    let subject = order.map_or_else(|| call.item.clone(), |id| id.to_string());
    let fault = state.faults.meet(call.endpoint, &subject);
    if let Some(fault) = &fault {
        state.counts.faults += 1;
        *state.counts.faults_met.entry(name_of(fault)).or_default() += 1;
    }
    fault
}

async fn faulty(world: &Arc<World>, call: &Call, fault: Fault) -> Response {
    match fault {
        Fault::Slow(time) => {
            pause(time).await;
            carried_out(world, call, 0)
        }
        Fault::Silence => pending().await,
        Fault::HangUp => replies::hang_up(),
        Fault::HalfBody => replies::half(carried_out(world, call, 0)).await,
        Fault::ServerError => {
            replies::html(500, "<html><body>Server Error in '/' Application.</body></html>")
        }
        Fault::Unavailable => replies::html(503, replies::HTML_PAGE),
        Fault::TooMany { retry_after } => {
            let response = replies::html(429, replies::HTML_PAGE);
            replies::with_header(response, "retry-after", &retry_after.to_string())
        }
        Fault::HtmlPage => replies::html(200, replies::HTML_PAGE),
        Fault::Garbage => replies::garbage(),
        Fault::TruncatedXml => truncated(document(world, call, 0)),
        Fault::WrongKey => replies::xml(error(WRONG_KEY.code, WRONG_KEY.message)),
        Fault::Error(code) => replies::xml(error(code, ON_DEMAND)),
        Fault::RepeatIds(ids) => carried_out(world, call, ids),
        Fault::ThenAdd(spec) => {
            let response = carried_out(world, call, 0);
            world.add_order(*spec);
            response
        }
        Fault::ThenSetStatus(order, status) => {
            let response = carried_out(world, call, 0);
            world.set_status(order, status);
            response
        }
        Fault::DoneButHangUp => {
            drop(carried_out(world, call, 0));
            replies::hang_up()
        }
    }
}

/// Cut at two thirds, on a letter's boundary.
fn truncated(document: String) -> Response {
    let end = (0..=document.len() * 2 / 3).rev().find(|end| document.is_char_boundary(*end));
    replies::xml(document.get(..end.unwrap_or(0)).unwrap_or_default().to_owned())
}

fn carried_out(world: &Arc<World>, call: &Call, repeated: usize) -> Response {
    if call.endpoint == Endpoint::Doc {
        return replies::html(200, discovery::page(call));
    }
    replies::xml(document(world, call, repeated))
}

fn document(world: &Arc<World>, call: &Call, repeated: usize) -> String {
    let result = permitted(world, call).and_then(|()| result(world, call, repeated));
    result.unwrap_or_else(|refusal| error(refusal.code, refusal.message))
}

fn permitted(world: &World, call: &Call) -> Result<(), Refusal> {
    let refusal = if call.merchant != world.options.merchant_id.to_string() {
        NO_MERCHANT
    } else if !call.key().eq_ignore_ascii_case(&world.options.key) {
        WRONG_KEY
    } else {
        return Ok(());
    };
    world.state.change(|state| state.counts.refused += 1);
    Err(refusal)
}

fn result(world: &Arc<World>, call: &Call, repeated: usize) -> Result<String, Refusal> {
    let options = &world.options;
    let style = Style { merchant: options.merchant_id, dates: options.dates, zone: &options.time_zone };
    let item = call.item.as_str();
    if call.endpoint == Endpoint::NotificationsTest {
        tell(world, Event::Test);
        return Ok(done());
    }
    if call.endpoint == Endpoint::OrderUpdate {
        let now = world.local_now();
        return world.state.change(|state| update::update(state, call, now));
    }
    world.state.look(|state| match call.endpoint {
        Endpoint::Group => Ok(discovery::group(call, state.write_back)),
        Endpoint::Methods => Ok(discovery::table(call, state.write_back)),
        Endpoint::ErrorsList => Ok(discovery::errors()),
        Endpoint::OrdersCount => list::count(state, call),
        Endpoint::OrderRead => read::order(state, item, &style),
        Endpoint::ClientRead => records::client(state, item, &style),
        Endpoint::ProductRead => records::product(state, item, &style),
        Endpoint::RecurringOrderRead => records::recurring(state, item, &style),
        Endpoint::OrdersList
        | Endpoint::ClientsList
        | Endpoint::ProductsList
        | Endpoint::RecurringOrdersList => list::list(state, call, repeated),
        _ => Err(NO_METHOD),
    })
}
