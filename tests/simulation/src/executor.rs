//! Runs futures on one thread in virtual time. Which of the ready ones goes next is drawn from the seed; time moves only
//! when nobody is ready. A process can be killed (its futures are dropped at whatever they wait for) and frozen.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::Clock;
use jiff::Timestamp;

use crate::dice::Dice;

/// Names a simulated process. Process 0 is the world itself and never dies.
pub type Process = u32;

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;
type Event = Box<dyn FnOnce() + Send>;

/// The world's time, in milliseconds since its beginning, and everything that waits for it.
pub struct Executor {
    shared: Arc<Mutex<Shared>>,
    tasks: BTreeMap<u64, Task>,
    next_task: u64,
}

struct Task {
    process: Process,
    job: Job,
}

#[derive(Default)]
struct Shared {
    now: u64,
    seq: u64,
    dice: Option<Dice>,
    ready: Vec<u64>,
    timers: BinaryHeap<Reverse<(u64, u64)>>,
    actions: BTreeMap<u64, Action>,
    spawned: Vec<(Process, Job)>,
    frozen: BTreeMap<Process, u64>,
    polls: u64,
}

enum Action {
    Wake(Waker),
    Run(Event),
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A handle to the world's time, for whoever lives in it.
#[derive(Clone)]
pub struct Time {
    shared: Arc<Mutex<Shared>>,
}

struct TaskWaker {
    task: u64,
    shared: Arc<Mutex<Shared>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut shared = lock(&self.shared);
        if !shared.ready.contains(&self.task) {
            shared.ready.push(self.task);
        }
    }
}

impl Executor {
    /// A world that begins now.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let shared = Shared { dice: Some(Dice::new(seed)), ..Shared::default() };
        Self { shared: Arc::new(Mutex::new(shared)), tasks: BTreeMap::new(), next_task: 0 }
    }

    /// A handle to its time.
    #[must_use]
    pub fn time(&self) -> Time {
        Time { shared: self.shared.clone() }
    }

    /// Lets a process do something.
    pub fn spawn(&mut self, process: Process, job: impl Future<Output = ()> + Send + 'static) {
        let id = self.next_task;
        self.next_task += 1;
        self.tasks.insert(id, Task { process, job: Box::pin(job) });
        lock(&self.shared).ready.push(id);
    }

    /// Drops everything that a process is doing. What it has sent off already still arrives.
    pub fn kill(&mut self, process: Process) {
        self.tasks.retain(|_, task| task.process != process);
    }

    /// Is this process still doing something?
    #[must_use]
    pub fn is_alive(&self, process: Process) -> bool {
        self.tasks.values().any(|task| task.process == process)
    }

    /// Is nothing under way: no process doing something, and nothing that is still to happen?
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let shared = lock(&self.shared);
        self.tasks.is_empty() && shared.spawned.is_empty() && shared.timers.is_empty()
    }

    /// Takes one step: polls one ready task, or moves the time to the next timer (not past `until`). False: nothing left
    /// to do before then.
    pub fn step(&mut self, until: u64) -> bool {
        let spawned = std::mem::take(&mut lock(&self.shared).spawned);
        for (process, job) in spawned {
            let id = self.next_task;
            self.next_task += 1;
            self.tasks.insert(id, Task { process, job });
            lock(&self.shared).ready.push(id);
        }
        match self.draw() {
            Some(id) => {
                self.poll(id);
                true
            }
            None => self.advance(until),
        }
    }

    /// Draws one of the ready tasks that is not frozen.
    fn draw(&self) -> Option<u64> {
        let mut shared = lock(&self.shared);
        loop {
            let count = shared.ready.len() as u64;
            if count == 0 {
                return None;
            }
            let index = shared.dice.as_mut().map_or(0, |dice| dice.below(count)) as usize;
            let id = shared.ready.swap_remove(index);
            let Some(task) = self.tasks.get(&id) else { continue };
            match shared.frozen.get(&task.process).copied() {
                Some(thaw) if thaw > shared.now => {
                    let waker = self.waker(id);
                    shared.at(thaw, Action::Wake(waker));
                }
                _ => return Some(id),
            }
        }
    }

    fn waker(&self, task: u64) -> Waker {
        Waker::from(Arc::new(TaskWaker { task, shared: self.shared.clone() }))
    }

    fn poll(&mut self, id: u64) {
        lock(&self.shared).polls += 1;
        let waker = self.waker(id);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if task.job.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            self.tasks.remove(&id);
        }
    }

    fn advance(&mut self, until: u64) -> bool {
        let action = {
            let mut shared = lock(&self.shared);
            let next = shared.timers.peek().map(|&Reverse(next)| next);
            let Some((at, seq)) = next.filter(|(at, _)| *at <= until) else {
                shared.now = shared.now.max(until);
                return false;
            };
            shared.timers.pop();
            shared.now = shared.now.max(at);
            shared.actions.remove(&seq)
        };
        match action {
            Some(Action::Wake(waker)) => waker.wake(),
            Some(Action::Run(event)) => event(),
            None => {}
        }
        true
    }
}

impl Shared {
    fn at(&mut self, at: u64, action: Action) {
        self.seq += 1;
        let seq = self.seq;
        self.timers.push(Reverse((at, seq)));
        self.actions.insert(seq, action);
    }
}

impl Time {
    /// Milliseconds since the beginning.
    #[must_use]
    pub fn millis(&self) -> u64 {
        lock(&self.shared).now
    }

    /// How many polls there have been: a measure of work, and part of the trace.
    #[must_use]
    pub fn polls(&self) -> u64 {
        lock(&self.shared).polls
    }

    /// Has something happen after `wait` milliseconds, whoever lives or dies until then.
    pub fn after(&self, wait: u64, event: impl FnOnce() + Send + 'static) {
        let mut shared = lock(&self.shared);
        let at = shared.now + wait;
        shared.at(at, Action::Run(Box::new(event)));
    }

    /// Starts something in a process.
    pub fn spawn(&self, process: Process, job: impl Future<Output = ()> + Send + 'static) {
        lock(&self.shared).spawned.push((process, Box::pin(job)));
    }

    /// Freezes a process for so long: nothing of it moves, and its timers ring late.
    pub fn freeze(&self, process: Process, wait: u64) {
        let mut shared = lock(&self.shared);
        let thaw = shared.now + wait;
        shared.frozen.insert(process, thaw);
    }

    /// Returns after `wait` milliseconds.
    pub async fn pass(&self, wait: u64) {
        let end = self.millis().saturating_add(wait);
        let mut armed = false;
        poll_fn(|context| {
            let mut shared = lock(&self.shared);
            if shared.now >= end {
                return Poll::Ready(());
            }
            if !armed {
                armed = true;
                shared.at(end, Action::Wake(context.waker().clone()));
            }
            Poll::Pending
        })
        .await;
    }

    /// A random number of the world below `limit`.
    #[must_use]
    pub fn below(&self, limit: u64) -> u64 {
        lock(&self.shared).dice.as_mut().map_or(0, |dice| dice.below(limit))
    }
}

/// The instant at which every simulated world begins.
pub const BEGINNING: i64 = 1_790_000_000;

/// The clock of one process: the world's time, wrong by a fixed amount.
pub struct SkewedClock {
    time: Time,
    skew_millis: i64,
}

impl SkewedClock {
    /// A clock that is ahead by so many milliseconds (behind, when negative).
    #[must_use]
    pub fn new(time: Time, skew_millis: i64) -> Self {
        Self { time, skew_millis }
    }
}

#[async_trait]
impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        let millis = i64::try_from(self.time.millis()).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(BEGINNING * 1000 + millis + self.skew_millis).unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, wait: Duration) {
        self.time.pass(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX / 4)).await;
    }
}
