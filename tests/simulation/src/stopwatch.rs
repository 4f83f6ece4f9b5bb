//! Measures how long the simulation itself takes: on the wall, and on the processors.

use std::time::{Duration, Instant};

/// Linux counts the time of a process in hundredths of a second.
const TICKS: u64 = 100;

/// Started when it was made.
pub(crate) struct Stopwatch {
    begin: Instant,
    ticks: Option<u64>,
}

/// What a stopwatch shows.
pub(crate) struct Took {
    /// On the wall.
    pub(crate) wall: Duration,
    /// On all processors together, where the system tells.
    pub(crate) cpu: Option<Duration>,
}

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "the simulated world has its own clock; this measures the machine"
    )]
    pub(crate) fn start() -> Self {
        Self { begin: Instant::now(), ticks: ticks() }
    }

    pub(crate) fn wall(&self) -> Duration {
        self.begin.elapsed()
    }

    pub(crate) fn took(&self) -> Took {
        let cpu =
            ticks().zip(self.ticks).map(|(now, then)| Duration::from_millis((now - then) * 1000 / TICKS));
        Took { wall: self.wall(), cpu }
    }
}

/// The time that this process has been on a processor so far, as Linux tells it.
fn ticks() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ').skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} s", tenths(millis(self.wall), 1000))?;
        match self.cpu {
            Some(cpu) => write!(f, " ({} CPU seconds)", tenths(millis(cpu), 1000)),
            None => Ok(()),
        }
    }
}

impl Took {
    /// How many of `count` there were in a second: on the wall, and in a second of processor time.
    pub(crate) fn rate(&self, count: u64) -> String {
        let rate = |time| count.saturating_mul(1000) / millis(time).max(1);
        let wall = format!("{} a second", rate(self.wall));
        self.cpu.map_or(wall.clone(), |cpu| format!("{wall}, {} a CPU second", rate(cpu)))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A ratio with one digit after the point.
pub(crate) fn tenths(count: u64, of: u64) -> String {
    let tenths = count.saturating_mul(10) / of.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}
