//! Counts the calls that a process makes to the system, with `strace`, where that is installed and allowed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running `strace`.
pub(super) struct Trace {
    strace: Child,
    table: PathBuf,
}

impl Trace {
    /// Attaches to a process and returns when every further call is counted.
    pub(super) async fn of(pid: u32) -> Result<Self, String> {
        let table = std::env::temp_dir().join(format!("cartdock-calls-{pid}"));
        let mut strace = Command::new("strace");
        strace.args(["-f", "-c", "-o"]).arg(&table).args(["-p", &pid.to_string()]);
        strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut strace = strace.spawn().map_err(|e| format!("strace cannot be started: {e}"))?;
        let mut told = BufReader::new(strace.stderr.take().ok_or("strace says nothing")?).lines();
        match told.next_line().await {
            Ok(Some(line)) if line.contains("attached") => Ok(Self { strace, table }),
            Ok(Some(line)) => Err(line),
            _ => Err("strace ended at once".to_owned()),
        }
    }

    /// Detaches, and gives the calls by name.
    pub(super) async fn end(mut self) -> Result<BTreeMap<String, u64>, String> {
        let pid = self.strace.id().ok_or("strace has ended too early")?;
        let interrupted = Command::new("kill").args(["-INT", &pid.to_string()]).status().await;
        interrupted.map_err(|e| format!("strace cannot be ended: {e}"))?;
        self.strace.wait().await.map_err(|e| e.to_string())?;
        let table = std::fs::read_to_string(&self.table).map_err(|e| e.to_string())?;
        std::fs::remove_file(&self.table).map_err(|e| e.to_string())?;
        Ok(read(&table))
    }
}

/// Rows are `% time, seconds, usecs/call, calls, [errors,] name`; the last one is the total.
fn read(table: &str) -> BTreeMap<String, u64> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let calls = words.get(3)?.parse().ok()?;
        Some(((*words.last()?).to_owned(), calls))
    };
    table.lines().filter_map(row).filter(|(name, _)| name != "total").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_strace_is_read() {
        let table = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000600           6       100           writev
 40.00    0.000400           4        99        20 recvfrom
------ ----------- ----------- --------- --------- ----------------
100.00    0.001000           5       199        20 total
";
        let calls = read(table).into_iter().collect::<Vec<_>>();
        assert_eq!(calls, [("recvfrom".to_owned(), 99), ("writev".to_owned(), 100)]);
    }
}
