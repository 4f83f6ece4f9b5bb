//! The real binaries in a hostile world: killed, frozen, lied to, robbed of their ledger. At the end the store's and the
//! warehouse's truth is compared with the generator's.

mod binaries;
mod canary;
mod dice;
mod items;
mod lambda;
mod local;
mod plan;
mod pool;
mod process;
mod queues;
mod report;
mod schedule;
mod settings;
mod shop;
mod verdict;
mod world;

pub use binaries::fresh as fresh_binaries;
pub use lambda::FUNCTIONS;
use lambda::Lambda;
use local::Local;
pub(crate) use plan::PACE;
pub use plan::{Class, Options, Setting};
pub use report::{Functions, Report};
use world::World;

/// Plays one run, and says how it went.
///
/// # Panics
/// When the surroundings cannot be set up.
pub async fn play(options: Options) -> Report {
    match options.setting.clone() {
        Setting::Local { binary, by_command } => {
            let world = World::open(options, local::free_address()).await;
            world::play(world, Local::new(binary, by_command)).await
        }
        Setting::Lambda { binaries } => {
            let (lambda, listen) = Lambda::new(binaries).await;
            world::play(World::open(options, listen).await, lambda).await
        }
    }
}
