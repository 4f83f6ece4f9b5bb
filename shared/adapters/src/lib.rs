//! The far side of every port: the store, the warehouses, the ledger, the queues, secrets and settings. All I/O lives here.

pub mod alerts;
#[cfg(feature = "cloud")]
pub mod aws;
pub mod clock;
pub mod codec;
#[cfg(feature = "cloud")]
pub mod dynamodb;
pub mod endpoint;
#[cfg(feature = "cloud")]
pub mod environment;
pub mod http;
mod json;
pub mod lambda;
pub mod log;
pub mod memory_queue;
pub mod metrics;
pub mod one_shopping_cart;
pub mod pace;
pub mod partners;
pub mod rate_limit;
pub mod secret;
#[cfg(feature = "cloud")]
pub mod secretsmanager;
pub mod settings;
pub mod signature;
#[cfg(feature = "cloud")]
pub mod sqs;
pub mod tls;
pub mod wms;
