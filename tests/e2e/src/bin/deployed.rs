//! Plays the demo's day in the stack as it is deployed, on an emulator that runs already. Exit code 1: something is wrong.
//! `.ci/deploy-test` starts the emulator and builds what is deployed.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

use std::process::ExitCode;

use e2e::deployed::{Options, play};

const HELP: &str = "\
deployed ENDPOINT DECISIONS TEMPLATE ZIPS

  ENDPOINT   the emulator, http://127.0.0.1:PORT; AWS_ENDPOINT_URL, AWS_REGION and credentials must be set to it too
  DECISIONS  the file to which it writes its decisions about permissions
  TEMPLATE   infra/template.yaml
  ZIPS       a folder with NAME.zip for each function

`bash .ci/deploy-test` does all of it.";

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, decisions, template, zips] = &args[..] else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    let options = Options {
        endpoint: endpoint.clone(),
        decisions: decisions.into(),
        template: template.into(),
        zips: zips.into(),
    };
    match play(&options, |line| println!("{line}")).await {
        Ok(()) => {
            println!("The stack did what it should.");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            wrong.iter().for_each(|line| println!("WRONG: {line}"));
            ExitCode::FAILURE
        }
    }
}
