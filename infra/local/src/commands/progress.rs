//! How far something slow has come, on standard error, where a person looks at it.

use std::io::{IsTerminal as _, Write as _};

use operations::recent::Progress;

/// One line that is written over, on a terminal only.
pub(super) struct Line {
    is_seen: bool,
}

impl Line {
    /// Standard error, as it is.
    pub(super) fn new() -> Self {
        Self { is_seen: std::io::stderr().is_terminal() }
    }
}

impl Progress for Line {
    fn at(&self, what: &str, done: u64, of: u64) {
        if self.is_seen && done.is_multiple_of((of / 200).max(1)) {
            let _nobody_reads_it = write!(std::io::stderr(), "\r\u{1b}[K{what}: {done} of {of}");
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.is_seen {
            let _nobody_reads_it = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}
