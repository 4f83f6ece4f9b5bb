//! Measures how fast the functions start and what an order costs them, and prints one table. `cold-start --help` says what
//! can be chosen.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

use std::process::ExitCode;

use e2e::speed::{Options, measure};

const HELP: &str = "\
cold-start [--starts N] [--orders N] [--functions NAME,NAME] [--no-build] [--json]

Builds the six functions in the release profile (about nine CPU minutes the first time), starts each of them again and
again, in turn with a function that does nothing, and lets forward-orders send orders in full batches. The store, the
warehouse, the queues and the database run in this process, whose CPU is not counted.

  --starts 30      how often each function is started
  --orders 2000    how many orders are sent, twice: for CPU, and under strace for calls of the system; 0 for none
  --functions      only these
  --no-build       takes the binaries in target/release as they are
  --json           the same figures for programs

Examples
  cargo run -p e2e --bin cold-start
  cargo run -p e2e --bin cold-start -- --functions forward-orders --orders 0 --json

Exit code 0: measured; 2: it could not be done. No figure makes it fail: machines differ.";

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let json = args.iter().any(|arg| arg == "--json");
    let report = match options(args) {
        Ok(options) => measure(&options).await,
        Err(problem) => Err(format!("{problem}\n\n{HELP}")),
    };
    match report {
        Ok(report) if json => println!("{:#}", report.json()),
        Ok(report) => print!("{report}"),
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn options(args: Vec<String>) -> Result<Options, String> {
    let mut options = Options::default();
    let mut args = args.into_iter();
    while let Some(name) = args.next() {
        match name.as_str() {
            "--json" => {}
            "--no-build" => options.build = false,
            _ => value_of(&mut options, &name, args.next())?,
        }
    }
    Ok(options)
}

fn value_of(options: &mut Options, name: &str, value: Option<String>) -> Result<(), String> {
    let value = value.ok_or_else(|| format!("{name} needs a value, or is not known"))?;
    let number = || value.parse::<usize>().map_err(|_| format!("{name} needs a number"));
    match name {
        "--starts" => options.starts = number()?.max(1),
        "--orders" => options.orders = number()?,
        "--functions" => {
            let known = Options::default().functions;
            options.functions = value.split(',').map(str::to_owned).collect();
            if let Some(unknown) = options.functions.iter().find(|name| !known.contains(name)) {
                return Err(format!("there is no function {unknown}; there are {}", known.join(", ")));
            }
        }
        _ => return Err(format!("{name} is not known")),
    }
    Ok(())
}
