//! What tests share: contracts that hold every adapter to its port, sample data, a clock and dice that a test controls.

pub mod build;
pub mod clock;
pub mod contracts;
pub mod dice;
