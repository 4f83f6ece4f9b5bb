//! A process of ours: started, frozen, killed, and what it used.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

/// What processes used.
#[derive(Debug, Default, Clone)]
pub(super) struct Usage {
    /// Milliseconds of CPU.
    pub(super) cpu_ms: u64,
    /// The highest peak of resident memory, in KiB.
    pub(super) peak_kib: u64,
    /// What stood in the argument lists.
    pub(super) arguments: Vec<String>,
}

/// A running process.
pub(super) struct Process {
    child: Child,
    pid: u32,
}

impl Process {
    /// Starts a binary; what it writes goes to the end of a file.
    pub(super) fn start(mut command: Command, log: &Path, usage: &mut Usage) -> Self {
        let out = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
        let err = out.try_clone().expect("a log");
        command.stdin(Stdio::null()).stdout(out).stderr(err).kill_on_drop(true);
        let child = command.spawn().expect("the binary starts");
        let pid = child.id().expect("it runs");
        usage.add(&Usage::default().with_arguments_of(pid));
        Self { child, pid }
    }

    /// Kills as `kill -9` does, and waits until it is gone.
    pub(super) async fn kill(mut self, usage: &mut Usage) {
        usage.note(self.pid);
        drop(self.child.start_kill());
        drop(self.child.wait().await);
    }

    /// Waits until it ends by itself; none when it is killed by a signal.
    pub(super) async fn end(mut self, usage: &mut Usage) -> Option<i32> {
        usage.note(self.pid);
        self.child.wait().await.ok()?.code()
    }

    /// Has it ended by itself?
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Stands still for a while.
    pub(super) async fn freeze(&self, time: Duration) {
        freeze(self.pid, time).await;
    }

    /// Asks it to stop.
    pub(super) async fn terminate(&self) {
        signal(self.pid, "-TERM").await;
    }

    pub(super) fn note(&self, usage: &mut Usage) {
        usage.note(self.pid);
    }
}

/// A process of ours stands still for a while, as a virtual machine that is moved does.
pub(super) async fn freeze(pid: u32, time: Duration) {
    signal(pid, "-STOP").await;
    pause(time).await;
    signal(pid, "-CONT").await;
}

/// Kills a process of ours as `kill -9` does; whoever started it sees its end.
pub(super) async fn kill(pid: u32) {
    signal(pid, "-KILL").await;
}

async fn signal(pid: u32, signal: &str) {
    // It may be gone by now, and its number may be somebody else's.
    let stat = proc_text(pid, "stat");
    let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
    if parent != Some(std::process::id()) {
        return;
    }
    let sent = Command::new("kill").args([signal, &pid.to_string()]).stderr(Stdio::null()).status().await;
    assert!(sent.is_ok(), "there is a kill command");
}

impl Usage {
    /// Reads what a process has used so far; to be called once, shortly before its end.
    fn note(&mut self, pid: u32) {
        self.add(&Self::of(pid));
    }

    /// Adds what another process used.
    pub(super) fn add(&mut self, other: &Self) {
        self.cpu_ms += other.cpu_ms;
        self.peak_kib = self.peak_kib.max(other.peak_kib);
        self.arguments.extend(other.arguments.iter().cloned());
    }

    /// What a process has used so far; nothing when it is gone.
    pub(super) fn of(pid: u32) -> Self {
        let stat = proc_text(pid, "stat");
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks: u64 =
            after_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
        let status = proc_text(pid, "status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0);
        Self { cpu_ms: ticks * 10, peak_kib: peak, arguments: Vec::new() }
    }

    /// With its argument list.
    pub(super) fn with_arguments_of(mut self, pid: u32) -> Self {
        self.arguments.push(proc_text(pid, "cmdline").replace('\0', " "));
        self
    }
}

fn proc_text(pid: u32, file: &str) -> String {
    let path: PathBuf = ["/proc", &pid.to_string(), file].iter().collect();
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Waits in real time: the processes live in it.
#[expect(clippy::disallowed_methods, reason = "the processes that are tested live in real time")]
pub(super) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
