//! What AWS asks in us-east-1, in dollars, before taxes and without the allowances of a free tier.
//!
//! Source: the public price pages of each service, as of [`AS_OF`].

use rust_decimal::Decimal;

/// When these prices were read.
pub const AS_OF: &str = "2026-08-22";

/// Where they are asked.
pub const REGION: &str = "us-east-1";

const fn dollars(number: u32, places: u32) -> Decimal {
    Decimal::from_parts(number, 0, 0, false, places)
}

/// DynamoDB on demand: a write unit (1 KB).
pub const WRITE_UNIT: Decimal = dollars(625, 9);
/// DynamoDB on demand: a read unit (4 KB, consistent).
pub const READ_UNIT: Decimal = dollars(125, 9);
/// DynamoDB: a gigabyte for a month, and its point-in-time recovery.
pub const STORED_GB: Decimal = dollars(45, 2);
/// SQS: a request to a standard queue.
pub const QUEUE_REQUEST: Decimal = dollars(4, 7);
/// SQS: what a request to a fair queue costs besides, where the message names its group.
pub const FAIR_REQUEST: Decimal = dollars(1, 7);
/// Lambda: a request.
pub const INVOCATION: Decimal = dollars(2, 7);
/// Lambda on arm64: a gigabyte of memory for a second.
pub const GIGABYTE_SECOND: Decimal = dollars(133_334, 10);
/// HTTP API: a request.
pub const API_REQUEST: Decimal = dollars(1, 6);
/// CloudWatch Logs: a gigabyte taken in.
pub const LOGGED_GB: Decimal = dollars(5, 1);
/// CloudWatch: an alarm for a month.
pub const ALARM: Decimal = dollars(1, 1);
/// CloudWatch: a metric of our own, for a month in which it is heard of every hour.
pub const METRIC: Decimal = dollars(3, 1);
/// EventBridge Scheduler: an invocation.
pub const SCHEDULE: Decimal = dollars(1, 6);
/// Secrets Manager: a secret for a month.
pub const SECRET: Decimal = dollars(4, 1);
/// Secrets Manager: a call.
pub const SECRET_CALL: Decimal = dollars(5, 6);
/// A gigabyte that leaves AWS.
pub const EGRESS_GB: Decimal = dollars(9, 2);

/// What every account has for nothing, always, for all that runs in it: alarms.
pub const FREE_ALARMS: u64 = 10;
/// Metrics of our own.
pub const FREE_METRICS: u64 = 10;
/// Requests to queues in a month.
pub const FREE_QUEUE_REQUESTS: u64 = 1_000_000;
/// Invocations of functions in a month.
pub const FREE_INVOCATIONS: u64 = 1_000_000;
/// Gigabyte-seconds of functions in a month.
pub const FREE_GIGABYTE_SECONDS: u64 = 400_000;
/// Invocations of the scheduler in a month.
pub const FREE_SCHEDULES: u64 = 14_000_000;
/// Gigabytes of logs in a month.
pub const FREE_LOGGED_GB: u64 = 5;
