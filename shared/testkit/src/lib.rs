//! What tests share: contracts that hold every adapter to its port, sample data, a clock, dice and
//! numbers that a test controls, and models of the ports that keep their promises in memory.

pub mod build;
pub mod clock;
pub mod contracts;
pub mod dice;
pub mod model;
pub mod numbers;
pub mod run;
