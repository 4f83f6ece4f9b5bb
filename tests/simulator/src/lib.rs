//! The outside world, simulated: a 1ShoppingCart store, a warehouse, a queue service and a Lambda host. Each is a real
//! server on a loopback port that starts in milliseconds, misbehaves on demand, and remembers what it was asked and told.

pub mod clock;
pub mod faults;
pub mod lambda;
mod outgoing;
mod replies;
mod server;
mod shared;
pub mod shop;
pub mod sqs;
pub mod store;
mod tasks;
pub mod warehouse;
mod xml;
