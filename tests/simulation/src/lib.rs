//! Deterministic simulation: the real use cases in a hostile world, on one thread, in virtual time, decided by one seed.
//!
//! Time, randomness, the interleaving, which call fails and how, when a process dies or freezes: all is drawn from the
//! seed, so a failing history is replayed by its number. `cargo run -p simulation --release -- --help`.

pub mod cart;
pub mod dice;
pub mod executor;
mod history;
pub mod judge;
pub mod ledger;
pub mod net;
pub mod outage;
pub mod play;
pub mod queue;
pub mod wms;
