//! Plays the real binaries in a hostile world and compares the end with what was meant to happen. Exit code 1: something
//! is wrong. `chaos --help` says what can be chosen.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

use std::path::PathBuf;
use std::process::ExitCode;

use e2e::chaos::{Class, FUNCTIONS, Options, Setting, play};

const HELP: &str = "\
chaos [--lambda] [--orders N] [--kills N] [--freezes N] [--seed N] [--class k,u,l,ld,n] [--stores-per-class N]
      [--dir DIR] [--keep-ledger] [--rebuild-by-run]

Needs the binaries beside its own: cargo build --profile simulation -p e2e -p cartdock -p forward-orders -p poll-orders
-p poll-shipments -p receive-notices -p sweep -p write-tracking
  --lambda          the six functions over simulated queues, schedules and an HTTP API, instead of cartdock run
  --orders 10000    over all shops
  --stores-per-class 1   shops for each class of warehouse; one shop answers 50 requests a second
  --kills 100       SIGKILL at random moments
  --freezes 40      SIGSTOP and SIGCONT
  --seed            decides what is special about which order, and when trouble comes; random without it
  --keep-ledger     does not delete and rebuild the ledger in the middle
  --rebuild-by-run  rebuilds by starting cartdock run instead of cartdock rebuild
  --dir DIR         for settings, data and logs; a temporary one without it";

#[tokio::main]
async fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1).collect()) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    println!("seed {}, logs in {}", options.seed, options.dir.display());
    let report = play(options).await;
    print!("{report}");
    if report.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn options(args: Vec<String>) -> Result<Options, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let binary = own.with_file_name("cartdock");
    let seed = u64::from(std::process::id()).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let mut options = Options {
        setting: Setting::Local { binary, by_command: true },
        orders: 10_000,
        kills: 100,
        freezes: 40,
        seed,
        classes: Class::ALL.to_vec(),
        stores_per_class: 1,
        lose_ledger: true,
        dir: PathBuf::new(),
    };
    let mut args = args.into_iter();
    while let Some(name) = args.next() {
        match (name.as_str(), &mut options.setting) {
            ("--keep-ledger", _) => options.lose_ledger = false,
            ("--lambda", setting) => {
                *setting = Setting::Lambda { binaries: own.parent().map(PathBuf::from).unwrap_or_default() };
            }
            ("--rebuild-by-run", Setting::Local { by_command, .. }) => *by_command = false,
            _ => value_of(&mut options, &name, args.next())?,
        }
    }
    if options.dir.as_os_str().is_empty() {
        options.dir = std::env::temp_dir().join(format!("cartdock-chaos-{}", options.seed));
    }
    let needed = match &options.setting {
        Setting::Local { binary, .. } => vec![binary.clone()],
        Setting::Lambda { binaries } => FUNCTIONS.iter().map(|name| binaries.join(name)).collect(),
    };
    match needed.iter().find(|binary| !binary.is_file()) {
        Some(missing) => Err(format!("{} is not there: build it first", missing.display())),
        None => Ok(options),
    }
}

fn value_of(options: &mut Options, name: &str, value: Option<String>) -> Result<(), String> {
    let value = value.ok_or_else(|| format!("{name} needs a value, or is not known"))?;
    let number = || value.parse::<u64>().map_err(|_| format!("{name} needs a number"));
    match name {
        "--orders" => options.orders = number()? as usize,
        "--kills" => options.kills = number()? as usize,
        "--freezes" => options.freezes = number()? as usize,
        "--seed" => options.seed = number()?,
        "--stores-per-class" => options.stores_per_class = number()?.clamp(1, 19) as usize,
        "--dir" => options.dir = PathBuf::from(value),
        "--class" => {
            let named = |word| Class::named(word).ok_or_else(|| format!("there is no class {word}"));
            options.classes = value.split(',').map(named).collect::<Result<_, _>>()?;
        }
        _ => return Err(format!("{name} is not known")),
    }
    Ok(())
}
