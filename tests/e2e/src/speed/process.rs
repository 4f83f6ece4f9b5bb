//! What the kernel tells of a running process: the CPU it has used and the most memory it ever had.

use std::fs;
use std::time::Duration;

/// CPU time of all threads that run now, to the nanosecond. `/proc/PID/stat` counts in hundredths of a second.
pub(super) fn cpu(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let nanos = threads.filter_map(|thread| {
        let told = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        told.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// The most memory that was ever resident, in KiB.
pub(super) fn peak_kib(pid: u32) -> u64 {
    status(pid, "VmHWM:")
}

/// How many threads it has.
pub(super) fn threads(pid: u32) -> u64 {
    status(pid, "Threads:")
}

fn status(pid: u32, name: &str) -> u64 {
    let told = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}
