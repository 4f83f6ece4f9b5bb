//! What the first use of TLS costs a process, and what it has cost by the second.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::binaries;

/// The program that does it and says how long it took.
const PROGRAM: &str = "first-tls";

/// What was seen over all processes.
#[derive(Debug, Default)]
pub(super) struct FirstTls {
    /// The TLS provider, its settings and the roots.
    pub(super) set_up: Vec<Duration>,
    /// The first handshake, both of its sides together.
    pub(super) first: Vec<Duration>,
    /// The second handshake.
    pub(super) next: Vec<Duration>,
}

impl FirstTls {
    /// Starts the program so many times.
    pub(super) fn measure(dir: &Path, times: usize) -> Result<Self, String> {
        let program = dir.join(PROGRAM);
        let mut seen = Self::default();
        for _ in 0..times {
            let output = Command::new(&program).output().map_err(|_| binaries::missing(&program))?;
            let told: Value = serde_json::from_slice(&output.stdout)
                .map_err(|_| format!("{PROGRAM}: {}", String::from_utf8_lossy(&output.stderr)))?;
            let time = |name: &str| Duration::from_nanos(told[name].as_u64().unwrap_or(0));
            seen.set_up.push(time("set_up_ns"));
            seen.first.push(time("first_handshake_ns"));
            seen.next.push(time("next_handshake_ns"));
        }
        Ok(seen)
    }
}
