//! `cartdock`: all of Cartdock in one process, and the operator's commands.

mod cli;
mod commands;
mod config;
mod demo;
mod host;
mod init;
mod interrupt;
mod known;
mod nudge;
mod run;
mod settings;
mod stack;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::execute(&cli).await {
        Ok(commands::Outcome::Fine) => ExitCode::SUCCESS,
        Ok(commands::Outcome::NeedsAttention) => ExitCode::from(1),
        Err(problem) => {
            commands::complain(&problem);
            ExitCode::from(2)
        }
    }
}
