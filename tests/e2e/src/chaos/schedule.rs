//! A schedule as it is on AWS: fires at its time, sometimes twice, sometimes not at all; a run that fails is lost.

use std::sync::Arc;
use std::time::Duration;

use simulator::lambda::events;
use tokio::task::JoinSet;

use super::dice::Dice;
use super::pool::{Counts, Pool, count};
use super::process::pause;

/// Times of a thousand that it does not fire.
const NEVER: u64 = 20;
/// Times of a thousand that it fires twice.
const TWICE: u64 = 20;
/// Times of a thousand that it fires while its last run still works; otherwise it leaves that one in peace, because here
/// the time between two of them is short.
const OVERLAPS: u64 = 50;

/// The schedule of one function.
pub(super) struct Schedule {
    pub(super) every: Duration,
    pub(super) function: Arc<Pool>,
    pub(super) counts: Arc<Counts>,
    pub(super) dice: Dice,
}

impl Schedule {
    /// Fires until it is time to end, and waits for what is under way.
    pub(super) async fn run(mut self) {
        let mut running = JoinSet::new();
        while !self.counts.is_over() {
            pause(self.every).await;
            while running.try_join_next().is_some() {}
            if !running.is_empty() && !self.dice.per_mille(OVERLAPS) {
                continue;
            }
            let times = match self.dice.below(1000) {
                lot if lot < NEVER => 0,
                lot if lot < NEVER + TWICE => 2,
                _ => 1,
            };
            if times != 1 {
                count(&self.counts.odd_schedules);
            }
            for _ in 0..times {
                let function = Arc::clone(&self.function);
                running.spawn(async move { drop(function.invoke(events::schedule()).await) });
            }
        }
        while running.join_next().await.is_some() {}
    }
}
