//! Asks a person before something is changed: what has to be typed is said, and anything else changes nothing.

use std::io::{BufRead as _, Write as _};

use super::Problem;

/// Asks on standard error, and reads a line of standard input.
///
/// # Errors
/// When something else was typed, or nobody is there.
pub(super) fn typed(question: &str, expected: &str, instead: &str) -> Result<(), Problem> {
    let _nobody_reads_it = write!(std::io::stderr(), "{question}: ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer)?;
    if read == 0 {
        return Err(Problem(format!("\nnothing was changed: nobody answered; repeat it with {instead}")));
    }
    if answer.trim() == expected {
        return Ok(());
    }
    Err(Problem(format!("nothing was changed: \"{expected}\" was not typed")))
}
