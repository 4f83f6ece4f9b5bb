//! `cartdock completions | man`: made from the very definition of the command line.

use clap::CommandFactory as _;

use super::{Outcome, Problem, print};
use crate::cli::{Cli, Completions, Man};

/// The completions for a shell.
pub(super) fn completions(args: &Completions) -> Result<Outcome, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cartdock", &mut script);
    print(&String::from_utf8(script)?)
}

/// The manual: its first page, or all of them as files.
pub(super) fn man(args: &Man) -> Result<Outcome, Problem> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        return print(&String::from_utf8(page)?);
    };
    let refused = |e: std::io::Error| Problem(format!("{} cannot be written: {}", dir.display(), e.kind()));
    std::fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
        .map_err(refused)?;
    Ok(Outcome::Fine)
}
