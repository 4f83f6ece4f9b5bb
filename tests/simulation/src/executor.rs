//! Runs futures on one thread in virtual time. Which of the ready ones goes next is drawn from the seed; time moves only
//! when nobody is ready. A process can be killed (its futures are dropped at whatever they wait for) and frozen.

use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
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

/// Something that happens on its own, whoever lives or dies.
pub(crate) trait Event: Send + Sync {
    fn happen(self: Arc<Self>);
}

/// The world's time, in milliseconds since its beginning, and everything that waits for it.
pub struct Executor {
    shared: Arc<Mutex<Shared>>,
    tasks: Vec<Slot>,
    free: Vec<u32>,
}

/// A place for a task. Tasks come and go; the age tells a waker of an earlier one.
#[derive(Default)]
struct Slot {
    age: u32,
    task: Option<Task>,
}

struct Task {
    process: Process,
    job: Job,
    waker: Waker,
}

/// A slot and its age.
#[derive(Clone, Copy, PartialEq, Eq)]
struct TaskId {
    slot: u32,
    age: u32,
}

struct Shared {
    now: u64,
    seq: u64,
    dice: Dice,
    ready: Vec<TaskId>,
    timers: BinaryHeap<Timer>,
    /// How many of the timers are events.
    events: usize,
    spawned: Vec<(Process, Job)>,
    /// Until when processes are frozen.
    frozen: Vec<(Process, u64)>,
    /// Who is being polled.
    current: Process,
    /// Processes that die as soon as they pause.
    doomed: Vec<Process>,
    polls: u64,
}

/// What is to happen when.
struct Timer {
    at: u64,
    seq: u64,
    action: Action,
}

enum Action {
    Wake(Waker),
    Happen(Arc<dyn Event>),
    Run(Box<dyn FnOnce() + Send>),
}

/// The earliest is the greatest, as the heap wants it.
impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.seq).cmp(&(self.at, self.seq))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.seq == other.seq
    }
}

impl Eq for Timer {}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A handle to the world's time, for whoever lives in it.
#[derive(Clone)]
pub struct Time {
    shared: Arc<Mutex<Shared>>,
}

struct TaskWaker {
    task: TaskId,
    shared: Arc<Mutex<Shared>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
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
        let shared = Shared {
            now: 0,
            seq: 0,
            dice: Dice::new(seed ^ 0x0074_696d_6500),
            ready: Vec::new(),
            timers: BinaryHeap::new(),
            events: 0,
            spawned: Vec::new(),
            frozen: Vec::new(),
            current: 0,
            doomed: Vec::new(),
            polls: 0,
        };
        Self { shared: Arc::new(Mutex::new(shared)), tasks: Vec::new(), free: Vec::new() }
    }

    /// A handle to its time.
    #[must_use]
    pub fn time(&self) -> Time {
        Time { shared: self.shared.clone() }
    }

    /// Lets a process do something.
    pub fn spawn(&mut self, process: Process, job: impl Future<Output = ()> + Send + 'static) {
        self.time().spawn(process, job);
    }

    /// Drops everything that a process is doing. What it has sent off already still arrives.
    pub fn kill(&mut self, process: Process) {
        let of_process = |task: &Task| task.process == process;
        for place in 0..self.tasks.len() {
            if self.tasks[place].task.as_ref().is_some_and(of_process) {
                self.end(place);
            }
        }
        lock(&self.shared).spawned.retain(|(of, _)| *of != process);
    }

    /// Takes a task off its slot.
    fn end(&mut self, place: usize) {
        let slot = &mut self.tasks[place];
        slot.age = slot.age.wrapping_add(1);
        // Dropped without a lock: what it holds may wake others.
        drop(slot.task.take());
        self.free.push(u32::try_from(place).unwrap_or(u32::MAX));
    }

    /// Is this process still doing something?
    #[must_use]
    pub fn is_alive(&self, process: Process) -> bool {
        self.tasks.iter().flat_map(|slot| &slot.task).any(|task| task.process == process)
            || lock(&self.shared).spawned.iter().any(|(of, _)| *of == process)
    }

    /// Is nothing under way: no process doing something, and nothing that is still to happen?
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let shared = lock(&self.shared);
        self.tasks.len() == self.free.len() && shared.spawned.is_empty() && shared.events == 0
    }

    /// Takes one step: polls one ready task, or moves the time to the next timer (not past `until`). False: nothing left
    /// to do before then.
    pub fn step(&mut self, until: u64) -> bool {
        let mut shared = lock(&self.shared);
        while let Some((process, job)) = shared.spawned.pop() {
            let place = self.free.pop().unwrap_or_else(|| {
                self.tasks.push(Slot::default());
                u32::try_from(self.tasks.len() - 1).unwrap_or(u32::MAX)
            });
            let slot = &mut self.tasks[place as usize];
            let task = TaskId { slot: place, age: slot.age };
            let waker = Waker::from(Arc::new(TaskWaker { task, shared: self.shared.clone() }));
            slot.task = Some(Task { process, job, waker });
            shared.ready.push(task);
        }
        match shared.draw(&self.tasks) {
            Some(place) => {
                drop(shared);
                self.poll(place);
                true
            }
            None => Self::advance(shared, until),
        }
    }

    fn poll(&mut self, place: usize) {
        let Some(Task { job, waker, .. }) = &mut self.tasks[place].task else { return };
        if job.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
            self.end(place);
        }
        let doomed = {
            let mut shared = lock(&self.shared);
            shared.current = 0;
            std::mem::take(&mut shared.doomed)
        };
        for process in doomed {
            self.kill(process);
        }
    }

    fn advance(mut shared: MutexGuard<'_, Shared>, until: u64) -> bool {
        let Some(Timer { at, action, .. }) = shared.pop_due(until) else {
            shared.now = shared.now.max(until);
            return false;
        };
        shared.now = shared.now.max(at);
        shared.events -= usize::from(!matches!(action, Action::Wake(_)));
        drop(shared);
        match action {
            Action::Wake(waker) => waker.wake(),
            Action::Happen(event) => event.happen(),
            Action::Run(run) => run(),
        }
        true
    }
}

impl Drop for Executor {
    /// What still waits in the world's time holds on to it: without this neither would ever be freed.
    fn drop(&mut self) {
        self.tasks.clear();
        let (timers, spawned) = {
            let mut shared = lock(&self.shared);
            (std::mem::take(&mut shared.timers), std::mem::take(&mut shared.spawned))
        };
        drop((timers, spawned));
    }
}

impl Shared {
    /// Draws one of the ready tasks that is not frozen, and says where it is.
    fn draw(&mut self, tasks: &[Slot]) -> Option<usize> {
        while !self.ready.is_empty() {
            let index = self.dice.below(self.ready.len() as u64) as usize;
            let id = self.ready.swap_remove(index);
            let Some(slot) = tasks.get(id.slot as usize).filter(|slot| slot.age == id.age) else { continue };
            let Some(task) = &slot.task else { continue };
            match self.thaw_of(task.process) {
                Some(thaw) => self.at(thaw, Action::Wake(task.waker.clone())),
                None => {
                    self.polls += 1;
                    self.current = task.process;
                    return Some(id.slot as usize);
                }
            }
        }
        None
    }

    /// When a frozen process moves again.
    fn thaw_of(&self, process: Process) -> Option<u64> {
        let of = |(frozen, thaw): &&(Process, u64)| *frozen == process && *thaw > self.now;
        self.frozen.iter().find(of).map(|(_, thaw)| *thaw)
    }

    /// Takes the next timer off, if it rings by then.
    fn pop_due(&mut self, until: u64) -> Option<Timer> {
        let next = self.timers.peek_mut()?;
        (next.at <= until).then(|| PeekMut::pop(next))
    }

    fn at(&mut self, at: u64, action: Action) {
        self.seq += 1;
        self.events += usize::from(!matches!(action, Action::Wake(_)));
        self.timers.push(Timer { at, seq: self.seq, action });
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

    /// The process that is running at this moment.
    #[must_use]
    pub fn current(&self) -> Process {
        lock(&self.shared).current
    }

    /// Has the running process die as soon as it waits for something.
    pub fn doom(&self) {
        let mut shared = lock(&self.shared);
        let current = shared.current;
        shared.doomed.push(current);
    }

    /// Has something happen after `wait` milliseconds, whoever lives or dies until then.
    pub fn after(&self, wait: u64, event: impl FnOnce() + Send + 'static) {
        let mut shared = lock(&self.shared);
        let at = shared.now + wait;
        shared.at(at, Action::Run(Box::new(event)));
    }

    /// The same for an event that is there already.
    pub(crate) fn happen_after(&self, wait: u64, event: Arc<dyn Event>) {
        let mut shared = lock(&self.shared);
        let at = shared.now + wait;
        shared.at(at, Action::Happen(event));
    }

    /// Starts something in a process.
    pub fn spawn(&self, process: Process, job: impl Future<Output = ()> + Send + 'static) {
        lock(&self.shared).spawned.push((process, Box::pin(job)));
    }

    /// Freezes a process for so long: nothing of it moves, and its timers ring late.
    pub fn freeze(&self, process: Process, wait: u64) {
        let mut shared = lock(&self.shared);
        let now = shared.now;
        shared.frozen.retain(|(frozen, thaw)| *frozen != process && *thaw > now);
        shared.frozen.push((process, now + wait));
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
        lock(&self.shared).dice.below(limit)
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
