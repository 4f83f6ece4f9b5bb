//! What the tests of whole programs share: everything that surrounds a Lambda function on AWS, on loopback ports.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "only tests use it, and a test that cannot be set up has failed"
)]

pub mod chaos;
mod cloud;
mod connection;
mod database;
pub mod deployed;
mod function;
mod gateway;
mod history;
mod meter;
mod secrets;
pub mod speed;
mod topic;

pub use cloud::{Cloud, KEY_NAME};
pub use connection::{NOTIFY_SECRET, WAREHOUSE_KEY};
pub use function::Function;
pub use gateway::Gateway;
pub use meter::Used;
pub use secrets::SecretsManager;
pub use topic::Topic;
