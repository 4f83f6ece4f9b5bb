//! The real binaries in a hostile world: killed, frozen, lied to, robbed of their ledger. At the end the store's and the
//! warehouse's truth is compared with the generator's.

mod canary;
mod dice;
mod local;
mod plan;
mod process;
mod report;
mod shop;
mod verdict;

pub use plan::{Class, Options};
pub use report::Report;

/// Plays one run, and says how it went.
///
/// # Panics
/// When the surroundings cannot be set up.
pub async fn play(options: Options) -> Report {
    local::play(options).await
}
