//! The far side of every port: the store, the warehouses, the ledger, the queues, secrets and settings. All I/O lives here.

pub mod aws;
pub mod clock;
pub mod dynamodb;
pub mod endpoint;
pub mod environment;
pub mod http;
pub mod lambda;
pub mod log;
pub mod memory_queue;
pub mod one_shopping_cart;
pub mod partners;
pub mod rate_limit;
pub mod secret;
pub mod secretsmanager;
pub mod settings;
pub mod signature;
pub mod sqs;
pub mod wms;
