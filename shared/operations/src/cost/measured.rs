//! What orders and idle minutes need, as measured at the real functions.
//!
//! Source: `cargo test -p e2e --test cost -- --nocapture`, which fails when these figures are no longer what it measures.
//! What cannot be measured on one machine (how long others take to answer) is a constant below, and says so.

/// DynamoDB, halves of a write unit for 1,000 orders: imported, sent, shipped in one package and posted.
pub const WRITE_HALVES: u64 = 12_240;
/// DynamoDB, halves of a read unit for 1,000 orders.
pub const READ_HALVES: u64 = 4_140;
/// Requests to queues for 1,000 orders, ten messages together where they come together: webhooks come one by one.
pub const QUEUE_REQUESTS: u64 = 1_500;
/// Invocations of functions for 1,000 orders: a webhook each, and batches of ten.
pub const INVOCATIONS: u64 = 1_200;
/// Requests to the HTTP API for 1,000 orders: a webhook for each package.
pub const API_REQUESTS: u64 = 1_000;
/// Bytes logged for 1,000 orders.
pub const LOGGED_BYTES: u64 = 157_000;
/// Requests for 1,000 orders that `poll-orders` and `sweep` make one after the other: an order is read, and read again when
/// it is looked at. All orders of the test have one buyer, who is read once a run.
pub const READS: u64 = 2_060;
/// Requests to the store for 1,000 orders that `write-tracking` makes: what the store shows, the post, and whether it shows
/// it now. Ten orders are in hand together, and share the store's pace.
pub const POSTS: u64 = 3_200;
/// Requests to the warehouse for 1,000 orders that `forward-orders` makes, ten at a time.
pub const SENDS: u64 = 1_000;
/// Bytes that an order keeps in the ledger, its body included.
pub const STORED_BYTES: u64 = 1_260;

/// DynamoDB, halves of a read unit of an idle run of `poll-orders`, for each connection whose turn it is.
pub const IDLE_POLL_ORDERS: u64 = 2;
/// The same of `poll-shipments`.
pub const IDLE_POLL_SHIPMENTS: u64 = 1;
/// The same of `sweep`, which looks at every connection every minute, and whether it is to be compared.
pub const IDLE_SWEEP: u64 = 3;
/// DynamoDB, halves of a read unit of a look for alerts at a connection of which nothing is unfinished.
pub const IDLE_LOOK: u64 = 10;
/// DynamoDB, halves of a write unit for each time that the store was asked whether its orders are imported.
pub const ASKED: u64 = 2;
/// DynamoDB, halves of a read unit of every scheduled run: it reads the connections, of which about eight fit into a unit.
pub const IDLE_RUN: u64 = 1;
/// Bytes logged by an idle run, on average.
pub const IDLE_LOGGED_BYTES: u64 = 560;

/// Connections whose stores a run waits for together, if that many have something to do: `poll-orders` twice as many. A
/// batch of messages waits for those of its messages together. `cargo test -p e2e --test waiting` fails when they do not.
pub const TOGETHER: u64 = 16;
/// Messages of a batch.
pub const BATCH: u64 = 10;

/// Minutes between two looks for alerts.
pub const LOOK_MINUTES: u64 = 5;
/// Minutes between two questions to the store whether its orders are imported.
pub const ASK_MINUTES: u64 = 60;

// ---- What is assumed, because it is not in our hands or cannot be seen on one machine.

/// Reads of buyers for 1,000 orders, where each has a buyer of its own: with each read of the order
/// (`contact = "skip"` does without).
pub const BUYER_READS: u64 = 2_000;
/// DynamoDB, halves of a read unit of the looks for alerts at 1,000 orders that are each unfinished for two days: a hundred bytes
/// of their date every hour, although many share one, and their record four times.
pub const LOOKED_AT_HALVES: u64 = 2 * 48 * 25 + 4_000;
/// How long the store and the warehouse take to answer, in milliseconds.
pub const ANSWER_MS: u64 = 400;
/// What an order needs of a function besides waiting for them, in milliseconds at 128 MB: 0.45 ms of a whole processor, of
/// which 128 MB are 7 %, and DynamoDB's answers.
pub const OWN_MS: u64 = 15;
/// What an idle run needs besides waiting for others, in milliseconds.
pub const IDLE_MS: u64 = 20;
/// Bytes that leave AWS for an order.
pub const EGRESS_BYTES: u64 = 3_000;
/// Long polls that a queue's poller makes while it is idle, in a month: five pollers of 20 seconds each, because the number
/// of batches at once is limited.
pub const IDLE_QUEUE_POLLS: u64 = 5 * 131_400;

// ---- What the template (`infra/template.yaml`) makes; `cargo test -p e2e --test template` counts it.

/// Megabytes of memory of a function; only that of the webhooks has more, for some milliseconds.
pub const MEMORY_MB: u64 = 128;
/// Queues that a function is fed from.
pub const QUEUES: u64 = 3;
/// Functions that run every minute.
pub const SCHEDULES: u64 = 3;
/// Metrics that alarms look at: each is billed, and two alarms look at several.
pub const ALARMS: u64 = 26;
/// Metrics that are heard of in every hour, orders or not: connections served by each schedule; requests to each side and
/// how long they take.
pub const METRICS: u64 = 7;
/// Metrics that are heard of while there are orders: imported, sent, posted, and two latencies.
pub const ORDER_METRICS: u64 = 5;
/// Secrets of a connection: one, whose fields are the keys of both sides.
pub const SECRETS: u64 = 1;
/// Secrets that a connection's polls fetch, each anew after five minutes.
pub const SECRET_READERS: u64 = 2;
