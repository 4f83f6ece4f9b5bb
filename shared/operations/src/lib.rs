//! What a person can do, as a library: look, understand, map, and take out what the store cannot be told.
//!
//! Nothing here prints or reads arguments: every operation gives a value that is `serde::Serialize` (for programs) and that
//! renders itself into text (for people). The command line uses it now; a web console can use the same values later.

pub mod act;
pub mod alerts;
pub mod bundle;
pub mod check;
pub mod connections;
pub mod cost;
pub mod coverage;
pub mod doctor;
mod draft;
pub mod erase;
pub mod explain;
pub mod find;
pub mod issues;
pub mod mapping_csv;
pub mod mapping_history;
pub mod outbox;
pub mod plan;
pub mod rebuild;
pub mod recent;
pub mod reconcile;
pub mod replay;
pub mod seed;
pub mod status;
pub mod text;
pub mod waiting;

mod cure;
#[cfg(test)]
mod fake;
mod polled;
mod scan;

pub use cure::Cure;
