//! Deterministic simulation: the real use cases in a hostile world, on one thread, in virtual time, decided by one seed.
//!
//! Time, randomness, the interleaving, which call fails and how, when a process dies or freezes: all is drawn from the
//! seed, so a failing history is replayed by its number. `cargo run -p simulation --release -- --help`.

mod agenda;
mod build;
pub mod cart;
pub mod coverage;
mod desk;
pub mod dice;
pub mod executor;
pub mod exhaustive;
pub mod history;
pub mod hunt;
pub mod judge;
pub mod key;
pub mod ledger;
pub mod net;
pub mod one_order;
pub mod outage;
mod people;
pub mod plants;
pub mod play;
pub mod queue;
mod rules;
mod scene;
pub mod site;
pub mod watch;
pub mod wms;
pub mod year;
