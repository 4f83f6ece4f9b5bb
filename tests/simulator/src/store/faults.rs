//! What can go wrong at the simulated store, call by call.

use std::time::Duration;

use super::spec::OrderSpec;
use crate::faults::Plan;

/// The kinds of calls, for counting and for faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "named as in dossier section 1")]
pub enum Endpoint {
    /// What this merchant may call at all.
    Group,
    /// The methods of one table.
    Methods,
    OrdersList,
    OrdersCount,
    OrderRead,
    /// The assumed call that writes tracking.
    OrderUpdate,
    ClientsList,
    ClientRead,
    ProductsList,
    ProductRead,
    RecurringOrdersList,
    RecurringOrderRead,
    ErrorsList,
    NotificationsTest,
    /// The built-in documentation, `doc=1`.
    Doc,
    /// No such method.
    Unknown,
}

/// How a call goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The answer comes after this time.
    Slow(Duration),
    /// No answer at all; the connection stays open.
    Silence,
    /// The connection ends without an answer.
    HangUp,
    /// The connection ends half way through the body.
    HalfBody,
    /// HTTP 500.
    ServerError,
    /// HTTP 503.
    Unavailable,
    /// HTTP 429 with `Retry-After` in seconds.
    TooMany {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// An HTML page with status 200.
    HtmlPage,
    /// Bytes without any sense, status 200.
    Garbage,
    /// The document ends in the middle; the connection is fine.
    TruncatedXml,
    /// The key is refused although it is right.
    WrongKey,
    /// An error envelope with this code.
    Error(u16),
    /// A LIST page begins with so many ids of the page before it.
    RepeatIds(usize),
    /// This order comes in right after a LIST page was written.
    ThenAdd(Box<OrderSpec>),
    /// This order takes another status right after the answer was written.
    ThenSetStatus(u64, &'static str),
    /// The call is carried out, and the answer lost.
    DoneButHangUp,
}

/// Faults to come. The subject of a fault about one thing is the order's, client's or product's number.
pub type FaultPlan = Plan<Endpoint, Fault>;
