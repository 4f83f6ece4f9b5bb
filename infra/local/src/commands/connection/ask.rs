//! Asks a person for what is needed: on a terminal, or line by line on standard input. Secrets are not shown while they are
//! typed.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use adapters::secret::Secret;

use crate::commands::Problem;

/// Is a person there who can be asked again?
pub(super) fn is_person() -> bool {
    std::io::stdin().is_terminal()
}

/// Says something to the person who is being asked.
pub(super) fn tell(what: &str) {
    let _nobody_reads_it = writeln!(std::io::stderr(), "{what}");
}

/// Asks for a line.
///
/// # Errors
/// When nobody answers; `instead` says how it is given without being asked.
pub(super) fn line(question: &str, instead: &str) -> Result<String, Problem> {
    let _nobody_reads_it = write!(std::io::stderr(), "{question}: ");
    answer(instead)
}

/// Asks for a secret.
///
/// # Errors
/// When nobody answers, or nothing is typed.
pub(super) fn secret(name: &str) -> Result<Secret, Problem> {
    let instead = format!("one line with it on standard input, or name it with --set {name}=@env:NAME");
    let question = format!("{name} (is not shown)");
    let value = if is_person() {
        rpassword::prompt_password(format!("{question}: "))?
    } else {
        line(&question, &instead)?
    };
    if value.trim().is_empty() {
        return Err(Problem(format!("nothing was changed: {name} is empty; give {instead}")));
    }
    Ok(Secret::new(value.trim()))
}

fn answer(instead: &str) -> Result<String, Problem> {
    let mut line = String::new();
    if std::io::stdin().lock().read_line(&mut line)? == 0 {
        return Err(Problem(format!("\nnothing was changed: nobody answered; give {instead}")));
    }
    if !is_person() {
        tell("");
    }
    Ok(line.trim().to_owned())
}
