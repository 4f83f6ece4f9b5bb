//! Judges the judge: plants one bug after the other into a copy of the workspace, and demands that the simulation of
//! each copy goes wrong, by an invariant that is meant to notice it, within so many histories.

mod options;
mod report;
mod scratch;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use simulation::hunt::first_wrong;
use simulation::plants::{Bug, list, workspace};

use crate::options::{Command, HELP, Run};
use crate::report::{Judged, Outcome, Row};
use crate::scratch::{Hunted, Scratch};

/// How a hunt ends that has taken too long.
pub(crate) const ENDLESS: i32 = 3;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let code = match options::read(&args) {
        Ok(Command::Hunt { limit, seconds }) => hunt(limit, seconds),
        Ok(Command::Run(run)) => judge(&run).unwrap_or_else(|why| {
            say(&why);
            1
        }),
        Err(why) => {
            say(&format!("{why}\n\n{HELP}"));
            2
        }
    };
    std::process::exit(code);
}

pub(crate) fn say(line: &str) {
    let _nobody_reads_any_more = writeln!(std::io::stdout(), "{line}");
}

/// Inside a copy: plays until a history goes wrong, and tells the judge which.
fn hunt(limit: u64, seconds: u64) -> i32 {
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(seconds));
        std::process::exit(ENDLESS);
    });
    say(&serde_json::to_string(&first_wrong(limit)).unwrap_or_default());
    0
}

/// Judges every bug that is asked for. The exit code: 0 when each was caught as it should be.
fn judge(run: &Run) -> Result<i32, String> {
    let bugs = run.chosen(list()?)?;
    let scratch = Scratch::new(&workspace(), &folder()?).map_err(|e| format!("the workspace's copy: {e}"))?;
    if !run.json {
        say(&report::head());
    }
    let mut judged = Judged { limit: run.limit, rows: Vec::new() };
    judged.add(unplanted(&scratch, run.limit)?, run.json);
    for bug in &bugs {
        judged.add(planted(&scratch, bug, run.limit)?, run.json);
    }
    say(&if run.json { judged.json() } else { judged.foot() });
    Ok(i32::from(!judged.is_good()))
}

/// Where the copy is: beside the build of this program.
fn folder() -> Result<PathBuf, String> {
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    let target = me.parent().and_then(Path::parent).ok_or("this program is in no target folder")?;
    Ok(target.join("planted"))
}

/// The copy without any bug: nothing may go wrong.
fn unplanted(scratch: &Scratch, limit: u64) -> Result<Row, String> {
    let (built, build) = timed(|| scratch.build());
    built.map_err(|why| format!("the copy without a bug does not build: {why}"))?;
    let (hunted, hunt) = timed(|| scratch.hunt(limit));
    let outcome = match hunted? {
        Hunted::Nothing => Outcome::Clean,
        Hunted::Wrong(found) => Outcome::FalseAlarm(found),
        Hunted::Endless => Outcome::Endless,
    };
    Ok(Row { bug: "(none)".to_owned(), what: "The code as it is.".to_owned(), outcome, build, hunt })
}

fn planted(scratch: &Scratch, bug: &Bug, limit: u64) -> Result<Row, String> {
    let row =
        |outcome, build, hunt| Row { bug: bug.name.clone(), what: bug.what.clone(), outcome, build, hunt };
    let file = match scratch.plant(bug) {
        Ok(file) => file,
        Err(stale) => return Ok(row(Outcome::Stale(stale), Duration::ZERO, Duration::ZERO)),
    };
    let (built, build) = timed(|| scratch.build());
    let (hunted, hunt) = timed(|| built.map(|()| scratch.hunt(limit)));
    file.remove().map_err(|e| format!("{} cannot be taken out again: {e}", bug.name))?;
    let outcome = match hunted {
        Err(why) => Outcome::Unbuildable(why),
        Ok(hunted) => match hunted? {
            Hunted::Nothing => Outcome::Missed,
            Hunted::Endless => Outcome::Endless,
            Hunted::Wrong(found)
                if bug.caught_by.iter().any(|i| found.invariants().contains(&i.as_str())) =>
            {
                Outcome::Caught(found)
            }
            Hunted::Wrong(found) => Outcome::ByAnother(found),
        },
    };
    Ok(row(outcome, build, hunt))
}

#[expect(clippy::disallowed_methods, reason = "how long the judging takes is told, and decides nothing")]
fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = act();
    (done, begun.elapsed())
}
