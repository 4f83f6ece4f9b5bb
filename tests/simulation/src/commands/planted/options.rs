//! What the command line asks for.

use simulation::dice::Dice;
use simulation::plants::Bug;

/// Histories that a bug may take, where nothing else is asked for.
const LIMIT: u64 = 10_000;

/// Which bugs, and how.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    only: Vec<String>,
    sample: Option<u64>,
    seed: u64,
    pub(crate) limit: u64,
    pub(crate) json: bool,
    /// Are the schedules of the exhaustive part played, not histories?
    pub(crate) exhaustive: bool,
}

/// Reads the arguments; none when they make no sense.
pub(crate) fn read(args: &[&str]) -> Option<Wanted> {
    let mut wanted =
        Wanted { only: Vec::new(), sample: None, seed: 0, limit: LIMIT, json: false, exhaustive: false };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--only" => wanted.only.push((*args.next()?).to_owned()),
            "--sample" => wanted.sample = Some(args.next()?.parse().ok()?),
            "--seed" => wanted.seed = args.next()?.parse().ok()?,
            "--limit" => wanted.limit = args.next()?.parse().ok()?,
            "--json" => wanted.json = true,
            "--exhaustive" => wanted.exhaustive = true,
            _ => return None,
        }
    }
    Some(wanted)
}

impl Wanted {
    /// The bugs that are asked for, those of one file after the other: so less must be built again.
    pub(crate) fn chosen(&self, bugs: Vec<Bug>) -> Result<Vec<Bug>, String> {
        if let Some(unknown) = self.only.iter().find(|name| !bugs.iter().any(|bug| bug.name == **name)) {
            return Err(format!("no planted bug is called {unknown}"));
        }
        let mut chosen = bugs;
        chosen.retain(|bug| self.only.is_empty() || self.only.contains(&bug.name));
        chosen.retain(|bug| !self.exhaustive || bug.exhaustive);
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
            exhaustive: number == 3,
        };
        (0..10).map(bug).collect()
    }

    fn names(line: &str) -> Result<Vec<String>, String> {
        let args: Vec<&str> = line.split_whitespace().collect();
        let wanted = read(&args).ok_or("these arguments make no sense")?;
        Ok(wanted.chosen(bugs())?.into_iter().map(|bug| bug.name).collect())
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
    fn the_exhaustive_part_is_judged_by_those_that_are_meant_for_it() {
        assert_eq!(names("--exhaustive").unwrap(), ["bug-3"]);
    }

    #[test]
    fn a_sample_is_drawn_by_its_seed() {
        assert_eq!(names("--sample 4 --seed 1").unwrap(), names("--sample 4 --seed 1").unwrap());
        assert_ne!(names("--sample 4 --seed 1").unwrap(), names("--sample 4 --seed 2").unwrap());
        assert_eq!(names("--sample 4").unwrap().len(), 4);
    }
}
