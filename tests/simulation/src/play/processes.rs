//! The processes of a history: what starts, with which clock, version and keys, and what kills or freezes it.

use super::Play;
use crate::build::Build;
use crate::coverage::Fault;
use crate::executor::Process;
use crate::history::{DEADLINE, Traits, Work};
use crate::queue::Queue;
use crate::scene::{Event, MINUTE};

/// The largest difference of a process's clock from the world's, either way.
pub(super) const SKEW: u64 = 5 * MINUTE;

impl Play {
    pub(super) fn start(&mut self, work: Work) -> Process {
        let process = self.next_process;
        self.next_process += 1;
        let traits = self.traits();
        let now = self.now();
        self.world.start(process, work, traits);
        self.running.insert(process, now);
        // In peace nothing takes long, and nobody needs to be told that it took too long.
        if self.hostile {
            self.agenda.at(now + deadline() + 1, Event::Deadline(process));
        }
        if self.watch.threatens(Fault::Crash) {
            let at = self.soon();
            self.agenda.at(at, Event::Kill(process));
        }
        if self.watch.threatens(Fault::Freeze) {
            let (at, wait) = (self.soon(), self.dice.below(10 * MINUTE));
            self.agenda.at(at, Event::Freeze(process, wait));
        }
        if self.watch.threatens(Fault::LongFreeze) {
            let lease = u64::try_from(self.world.pace.lease.as_millis()).unwrap_or(0);
            let (at, wait) = (self.soon(), lease + self.dice.below(30 * MINUTE));
            self.agenda.at(at, Event::Freeze(process, wait));
        }
        process
    }

    /// A moment at which a process that starts now may be met at whatever it waits for.
    pub(super) fn soon(&mut self) -> u64 {
        let longest = if self.dice.per_mille(700) { 3000 } else { MINUTE };
        self.now() + 1 + self.dice.below(longest)
    }

    pub(super) fn traits(&mut self) -> Traits {
        if !self.hostile {
            return Traits { build: self.build(), ..Traits::default() };
        }
        let skew = self.dice.below(2 * SKEW) as i64 - SKEW as i64;
        if skew.unsigned_abs() > SKEW - MINUTE {
            self.watch.fault(Fault::WrongClock);
        }
        let old_keys = self.dice.per_mille(200);
        Traits { skew, build: self.build(), old_keys }
    }

    /// The version that a process has which starts now.
    pub(super) fn build(&mut self) -> Build {
        let Some(deploy) = self.scene.deploy else { return Build::Old };
        let now = self.now();
        let is_new = match (now < deploy.begins, now < deploy.ends) {
            (true, _) => false,
            (false, true) => self.dice.per_mille(500),
            (false, false) => !deploy.back,
        };
        if is_new { Build::New } else { Build::Old }
    }

    /// Somebody puts the dead letters back; after a roll-back, where the next version wrote one of them, that version is
    /// brought back first, as the runbook says: nobody else understands it.
    pub(super) fn redrive(&mut self) {
        let (now, queues) = (self.now(), self.world.queues());
        let needs_newer = queues.iter().any(|queue| queue.needs_newer());
        if let Some(deploy) = self.scene.deploy.as_mut().filter(|deploy| needs_newer && now >= deploy.ends) {
            deploy.back = false;
        }
        queues.into_iter().for_each(Queue::redrive);
    }

    pub(super) fn kill(&mut self, process: Process, why: &str) {
        if self.executor.is_alive(process) {
            self.executor.kill(process);
            self.watch.fault(Fault::Crash);
            self.world.net.note(|| format!("process {process} dies: {why}"));
        }
        self.running.remove(&process);
    }

    pub(super) fn freeze(&mut self, process: Process, wait: u64) {
        if !self.executor.is_alive(process) {
            return;
        }
        let now = self.now();
        self.world.time.freeze(process, wait);
        self.running.insert(process, now + wait);
        self.agenda.at(now + wait + deadline() + 1, Event::Deadline(process));
        let is_long = u128::from(wait) > self.world.pace.lease.as_millis();
        self.watch.fault(if is_long { Fault::LongFreeze } else { Fault::Freeze });
        self.world.net.note(|| format!("process {process} freezes for {wait} ms"));
    }

    /// A process that has run too long is killed, as Lambda does.
    pub(super) fn deadline(&mut self, process: Process) {
        let over = self.running.get(&process).is_some_and(|since| since + deadline() < self.now());
        if over {
            self.kill(process, "its time is up");
        }
    }
}

/// How long a process may run.
pub(super) fn deadline() -> u64 {
    u64::try_from(DEADLINE.as_millis()).unwrap_or(u64::MAX / 4)
}
