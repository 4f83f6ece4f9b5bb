//! Judges the judge: plants one bug after the other into a copy of the workspace, and demands that the simulation of
//! each copy goes wrong, by an invariant that is meant to notice it, within so many histories.

mod options;
mod report;
mod scratch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use simulation::plants::{Bug, list, workspace};

use crate::stopwatch::Stopwatch;
use crate::{Command, complain, say};
use options::Wanted;
use report::{Judged, Outcome, Row};
use scratch::{Hunted, Scratch};

pub(crate) const COMMAND: Command = Command {
    word: "planted",
    help: "  simulation planted [--only NAME] [--sample N --seed SEED] [--limit N] [--exhaustive] [--json]
      is every planted bug noticed? Plants those of tests/simulation/planted.toml one at a time into a copy, builds it,
      and plays until it goes wrong, N histories at most (default 10000); some of them only, by name or drawn by a seed;
      with --exhaustive those that the schedules with one event must notice, by these",
    run,
};

fn run(args: &[&str]) -> Option<i32> {
    let wanted = options::read(args)?;
    Some(judge(&wanted).unwrap_or_else(|why| {
        complain(&why);
        1
    }))
}

/// Judges every bug that is asked for: 0 when each was caught as it should be.
fn judge(wanted: &Wanted) -> Result<i32, String> {
    let bugs = wanted.chosen(list()?)?;
    let scratch = Scratch::new(&workspace(), &folder()?).map_err(|e| format!("the workspace's copy: {e}"))?;
    if !wanted.json {
        say(&report::head());
    }
    let watch = Stopwatch::start();
    let mut judged = Judged { limit: wanted.limit, rows: Vec::new() };
    let hunt = || if wanted.exhaustive { scratch.hunt_schedules() } else { scratch.hunt(wanted.limit) };
    judged.add(unplanted(&scratch, hunt)?, wanted.json);
    for bug in &bugs {
        judged.add(planted(&scratch, bug, hunt)?, wanted.json);
    }
    say(&if wanted.json { judged.json() } else { judged.foot(watch.wall()) });
    Ok(i32::from(!judged.is_good()))
}

/// Where the copy is: beside the build of this program.
fn folder() -> Result<PathBuf, String> {
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    let target = me.parent().and_then(Path::parent).ok_or("this program is in no target folder")?;
    Ok(target.join("planted"))
}

/// The copy without any bug: nothing may go wrong.
fn unplanted(scratch: &Scratch, hunt: impl Fn() -> Result<Hunted, String>) -> Result<Row, String> {
    let (built, build) = timed(|| scratch.build());
    built.map_err(|why| format!("the copy without a bug does not build: {why}"))?;
    let (hunted, hunt) = timed(hunt);
    let outcome = match hunted? {
        Hunted::Nothing => Outcome::Clean,
        Hunted::Wrong(found) => Outcome::FalseAlarm(found),
        Hunted::Endless => Outcome::Endless,
    };
    Ok(Row { bug: "(none)".to_owned(), what: "The code as it is.".to_owned(), outcome, build, hunt })
}

fn planted(scratch: &Scratch, bug: &Bug, hunt: impl Fn() -> Result<Hunted, String>) -> Result<Row, String> {
    let row =
        |outcome, build, hunt| Row { bug: bug.name.clone(), what: bug.what.clone(), outcome, build, hunt };
    let file = match scratch.plant(bug) {
        Ok(file) => file,
        Err(stale) => return Ok(row(Outcome::Stale(stale), Duration::ZERO, Duration::ZERO)),
    };
    let (built, build) = timed(|| scratch.build());
    let (hunted, hunt) = timed(|| built.map(|()| hunt()));
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

fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let watch = Stopwatch::start();
    let done = act();
    (done, watch.wall())
}
