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
mod function;
mod gateway;
mod history;
mod meter;
pub mod speed;

pub use cloud::Cloud;
pub use connection::NOTIFY_SECRET;
pub use function::Function;
pub use gateway::Gateway;
pub use meter::Used;
