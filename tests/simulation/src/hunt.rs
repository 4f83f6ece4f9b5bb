//! Plays histories in the order of their seeds until one goes wrong, and says how many it took.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::play::play;

/// The first history that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// How many histories it took, this one included: its seed and all before it.
    pub histories: u64,
    /// Its seed.
    pub seed: u64,
    /// What was wrong.
    pub wrong: Vec<String>,
}

impl Found {
    /// The invariants that were broken, by their short names (`I1`), each once.
    #[must_use]
    pub fn invariants(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .wrong
            .iter()
            .filter_map(|line| line.split([' ', ':']).next())
            .flat_map(|names| names.split('/'))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Plays the seeds from 0 up to and without `limit`, on all processors, and gives the lowest one that goes wrong.
#[must_use]
pub fn first_wrong(limit: u64) -> Option<Found> {
    let (next, end) = (AtomicU64::new(0), AtomicU64::new(limit));
    let found = Mutex::new(None::<Found>);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end.load(Ordering::Relaxed) {
                        return;
                    }
                    let wrong = wrongs_of(seed);
                    if wrong.is_empty() {
                        continue;
                    }
                    // Nobody needs to look at higher seeds any more; lower ones may still be under way.
                    end.fetch_min(seed, Ordering::Relaxed);
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    if found.as_ref().is_none_or(|found| found.seed > seed) {
                        *found = Some(Found { histories: seed + 1, seed, wrong });
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What is wrong with the history of a seed. One that panics outside of what a process is allowed to is wrong, too.
fn wrongs_of(seed: u64) -> Vec<String> {
    match catch_unwind(AssertUnwindSafe(|| play(seed, false))) {
        Ok(verdict) => verdict.wrong,
        Err(_) => vec!["panic".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invariant_is_named_once_however_often_it_is_broken() {
        let wrong = ["I3/I4 posted: 1Z", "I1 lost: order 7", "I1 lost: order 8"].map(str::to_owned).to_vec();
        assert_eq!(Found { histories: 1, seed: 0, wrong }.invariants(), ["I1", "I3", "I4"]);
    }
}
