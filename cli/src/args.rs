//! The words of the command line.

use clap::{Args as Group, Parser, Subcommand};
use spot_rescue::id::InstanceId;

/// Backups of instances that spot-rescue protects.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Args {
    #[command(flatten)]
    pub aws: AwsArgs,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Group)]
pub struct AwsArgs {
    /// Profile of ~/.aws/config; otherwise that of `AWS_PROFILE`
    #[arg(long, global = true)]
    pub profile: Option<String>,
    /// AWS Region; otherwise that of the profile or of `AWS_REGION`
    #[arg(long, global = true)]
    pub region: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the sets that volumes can be restored from
    Backups(BackupsArgs),
    /// Makes volumes of a set, and attaches them
    Restore(RestoreArgs),
    /// Lists volumes that a restore in place has detached and kept
    Displaced(DisplacedArgs),
    /// Says what a backup policy would cost
    Cost(CostArgs),
}

#[derive(Debug, Group)]
pub struct BackupsArgs {
    /// The instance, or one that it has replaced
    pub instance: InstanceId,
    /// Trusts snapshots of volumes that the instance does not have, by their descriptions alone
    #[arg(long)]
    pub any_volume: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Group)]
pub struct RestoreArgs {
    /// The instance that was backed up, or one that it has replaced
    pub instance: InstanceId,
    /// The set; otherwise the newest complete backup
    #[arg(long)]
    pub set: Option<String>,
    /// Attaches the volumes to this instance, under their devices
    #[arg(long, conflicts_with = "zone")]
    pub to: Option<InstanceId>,
    /// Without --to: the Availability Zone of the volumes; otherwise that of the instance
    #[arg(long)]
    pub zone: Option<String>,
    /// Only the volume of this device; may be given again. Otherwise all but the root
    #[arg(long)]
    pub device: Vec<String>,
    /// The root as well
    #[arg(long, conflicts_with = "device")]
    pub root: bool,
    /// Detaches what is under the devices of a stopped instance, and keeps it
    #[arg(long, requires = "to")]
    pub in_place: bool,
    /// Days for which displaced volumes are kept
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub keep_days: u16,
    /// MiB/s in which EC2 fetches the data, 100 to 300 (it costs extra); otherwise as they are read
    #[arg(long, value_parser = clap::value_parser!(i32).range(100..=300))]
    pub rate: Option<i32>,
    /// New volumes, although an earlier restore like this one has made some
    #[arg(long)]
    pub again: bool,
    /// Trusts snapshots of volumes that the instance does not have, by their descriptions alone
    #[arg(long)]
    pub any_volume: bool,
    /// Says what would be called, and calls nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Minutes after which it is given up; the same command goes on with it
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=1440))]
    pub minutes: u16,
}

#[derive(Debug, Group)]
pub struct DisplacedArgs {
    /// Deletes those whose time is over
    #[arg(long)]
    pub delete: bool,
}

#[derive(Debug, Group)]
pub struct CostArgs {
    /// A value of the tag `spot-rescue:retain`
    #[arg(default_value = "24h 7d 4w 12m")]
    pub policy: String,
    /// A value of the tag `spot-rescue:backup`
    #[arg(long, default_value = "daily")]
    pub schedule: String,
    /// GB in use on all volumes together
    #[arg(long)]
    pub size: f64,
    /// GB that change in a day
    #[arg(long)]
    pub change_rate: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
