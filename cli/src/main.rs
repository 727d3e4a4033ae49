//! The command line: what there is to restore, restores, what they have displaced, and what a policy costs.
//!
//! It acts with the rights of whoever calls it, never by a message to the function.

mod args;
mod backups;
mod connect;
mod cost;
mod displaced;
mod errors;
mod print;
mod progress;
mod restore;

use args::{Args, AwsArgs, Command};
use clap::Parser;
use connect::connect;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Args { aws, command } = Args::parse();
    match run(&aws, command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            print::problem(&why);
            ExitCode::FAILURE
        }
    }
}

async fn run(aws: &AwsArgs, command: Command) -> Result<(), String> {
    match command {
        Command::Backups(asked) => backups::list(&connect(aws).await?, &asked).await,
        Command::Restore(asked) => restore::restore(&connect(aws).await?, &asked).await,
        Command::Displaced(asked) => displaced::list(&connect(aws).await?, &asked).await,
        Command::Cost(asked) => cost::tell(&asked),
    }
}
