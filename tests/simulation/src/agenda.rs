//! What will happen, and when.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Events by their time; those of the same time in the order in which they were put down.
pub(crate) struct Agenda<E> {
    times: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, E>,
    count: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { times: BinaryHeap::new(), events: BTreeMap::new(), count: 0 }
    }
}

impl<E> Agenda<E> {
    /// Puts an event down.
    pub(crate) fn at(&mut self, time: u64, event: E) {
        self.count += 1;
        self.times.push(Reverse((time, self.count)));
        self.events.insert(self.count, event);
    }

    /// The time of the next event.
    pub(crate) fn next(&self) -> Option<u64> {
        self.times.peek().map(|Reverse((time, _))| *time)
    }

    /// Takes the next event whose time has come.
    pub(crate) fn due(&mut self, now: u64) -> Option<E> {
        self.times.peek().filter(|Reverse((time, _))| *time <= now)?;
        let Reverse((_, number)) = self.times.pop()?;
        self.events.remove(&number)
    }
}
