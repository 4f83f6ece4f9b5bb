//! Contracts: what every adapter of a port must do, as plain functions that assert it. Each takes a `run`, a word that
//! is new for every run, so that they can be repeated against the same table or queue.

pub mod connections;
pub mod ledger;
pub mod mappings;
pub mod notes;
pub mod queue;
