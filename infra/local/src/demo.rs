//! `cartdock demo`: a shop's day in under a minute, in one process, with a simulated store and a simulated warehouse.
//!
//! What runs is the product itself: the same use cases, adapters, ledger and queues as in `cartdock run`, over HTTP.

mod acts;
mod closing;
mod world;

use std::time::Duration;

use domain::Failure;
use operations::text::Style;

use crate::interrupt::interrupted;

/// Plays the day and closes the books. False: they do not close.
///
/// # Errors
/// When the demo's own set-up fails.
pub(crate) async fn demo(
    keep: bool,
    style: Style,
    to: &mut (dyn std::io::Write + Send),
) -> Result<bool, Failure> {
    let world = world::World::start().await?;
    let mut stage = acts::Stage::new(&world, to);
    stage.open().await;
    stage.play().await?;
    let closed = closing::close(&world, style, stage.out()).await?;
    if keep {
        stage.say(&world.things_to_try());
        interrupted().await;
    }
    world.stop().await;
    Ok(closed)
}

/// How long the demo waits for something that must happen, before it says that it did not.
const PATIENCE: Duration = Duration::from_secs(60);
