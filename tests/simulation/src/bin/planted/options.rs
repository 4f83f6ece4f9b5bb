//! What the command line asks for.

use simulation::dice::Dice;
use simulation::plants::Bug;

pub(crate) const HELP: &str = "\
planted: is every planted bug caught by the simulation?

  planted                        all bugs of tests/simulation/planted.toml, one at a time
  planted --only NAME            this one (may be repeated)
  planted --sample N --seed S    N of them, drawn by the seed S (default 0)
  planted --limit N              histories that a bug may take to be caught (default 10000)
  planted --json                 the table as JSON

Exit codes: 0 each was caught, 1 one was not, 2 wrong usage";

/// Histories that a bug may take, where nothing else is asked for.
const LIMIT: u64 = 10_000;

/// What to do.
pub(crate) enum Command {
    /// Judge the bugs.
    Run(Run),
    /// Inside a copy: play until something is wrong, for so many seconds at most.
    Hunt {
        /// Histories.
        limit: u64,
        /// Seconds.
        seconds: u64,
    },
}

/// Which bugs, and how.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    only: Vec<String>,
    sample: Option<u64>,
    seed: u64,
    pub(crate) limit: u64,
    pub(crate) json: bool,
}

/// Reads the command line.
pub(crate) fn read(args: &[String]) -> Result<Command, String> {
    if let [flag, limit, seconds] = args
        && flag == "--hunt"
    {
        return Ok(Command::Hunt { limit: number(Some(limit))?, seconds: number(Some(seconds))? });
    }
    let mut run = Run { only: Vec::new(), sample: None, seed: 0, limit: LIMIT, json: false };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--only" => run.only.push(args.next().ok_or("--only needs a name")?.clone()),
            "--sample" => run.sample = Some(number(args.next())?),
            "--seed" => run.seed = number(args.next())?,
            "--limit" => run.limit = number(args.next())?,
            "--json" => run.json = true,
            other => return Err(format!("{other} is not known")),
        }
    }
    Ok(Command::Run(run))
}

fn number(text: Option<&String>) -> Result<u64, String> {
    let text = text.ok_or("a number is missing")?;
    text.parse().map_err(|_| format!("{text} is not a number"))
}

impl Run {
    /// The bugs that are asked for, those of one file after the other: so less must be built again.
    pub(crate) fn chosen(&self, bugs: Vec<Bug>) -> Result<Vec<Bug>, String> {
        if let Some(unknown) = self.only.iter().find(|name| !bugs.iter().any(|bug| bug.name == **name)) {
            return Err(format!("no planted bug is called {unknown}"));
        }
        let mut chosen = bugs;
        chosen.retain(|bug| self.only.is_empty() || self.only.contains(&bug.name));
        if let Some(count) = self.sample {
            let mut dice = Dice::new(self.seed);
            chosen.sort_by_cached_key(|_| dice.roll());
            chosen.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        }
        chosen.sort_by(|one, other| one.file.cmp(&other.file));
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bugs() -> Vec<Bug> {
        let bug = |number: usize| Bug {
            name: format!("bug-{number}"),
            what: String::new(),
            file: format!("{}.rs", number % 2),
            find: String::new(),
            put: String::new(),
            caught_by: Vec::new(),
        };
        (0..10).map(bug).collect()
    }

    fn names(line: &str) -> Result<Vec<String>, String> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match read(&args)? {
            Command::Run(run) => Ok(run.chosen(bugs())?.into_iter().map(|bug| bug.name).collect()),
            Command::Hunt { .. } => Err("a hunt".to_owned()),
        }
    }

    #[test]
    fn all_bugs_are_judged_unless_some_are_named() {
        assert_eq!(names("").unwrap().len(), 10);
        assert_eq!(
            names("--only bug-3 --only bug-4").unwrap(),
            ["bug-4", "bug-3"],
            "one file after the other"
        );
        assert!(names("--only bug-10").unwrap_err().contains("bug-10"));
        assert!(names("--all").is_err() && names("--limit many").is_err());
    }

    #[test]
    fn a_sample_is_drawn_by_its_seed() {
        assert_eq!(names("--sample 4 --seed 1").unwrap(), names("--sample 4 --seed 1").unwrap());
        assert_ne!(names("--sample 4 --seed 1").unwrap(), names("--sample 4 --seed 2").unwrap());
        assert_eq!(names("--sample 4").unwrap().len(), 4);
    }
}
