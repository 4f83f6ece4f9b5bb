//! What can go wrong at the simulated warehouse, call by call.

use std::time::Duration;

use crate::faults::Plan;

/// The kinds of calls, for counting and for faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `POST /oauth/token`
    Token,
    /// `POST /v1/orders`
    Create,
    /// `GET /v1/orders?reference=`
    Find,
    /// `GET /v1/orders/{id}`
    Get,
    /// `POST /v1/orders/{id}/cancel`
    Cancel,
    /// `GET /v1/shipments`
    Shipments,
    /// `GET /v1/stock`
    Stock,
    /// Anything else.
    Unknown,
}

/// How a call goes wrong. "Done" means that the call has its effect; all the others have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The answer comes after this time; the effect comes at once.
    DoneButSlow(Duration),
    /// Done, and never answered.
    DoneButSilent,
    /// Done, and the connection ends without an answer.
    DoneButHangUp,
    /// Done, and the connection ends half way through the answer.
    DoneButHalfBody,
    /// Done, and answered with status 200 and bytes without any sense.
    DoneButGarbage,
    /// Done, and answered 500.
    DoneButServerError,
    /// The connection ends at once, and the call is done this much later: it "lands late".
    DoneLate(Duration),
    /// Never answered.
    Silence,
    /// The connection ends without an answer.
    HangUp,
    /// 429 with `Retry-After` in seconds.
    TooMany {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// 503.
    Unavailable,
    /// 500.
    ServerError,
    /// 401, although the credentials are right.
    Unauthorized,
    /// 422 with this reason.
    Refuse(String),
    /// Status 200 and bytes without any sense.
    Garbage,
    /// Status 200 and an HTML page.
    HtmlPage,
}

/// Faults to come. The subject of a fault about one order is its reference, or its id where the path has one.
pub type FaultPlan = Plan<Endpoint, Fault>;
