//! How far an attempt to restore a snapshot has come.
//!
//! `CreateVolume` is answered before EC2 has checked the KMS key: a volume that cannot be encrypted ends in `error`, or
//! is gone a moment later (TRAP 36), and EC2 would return it again for the same token. So each attempt is numbered in a
//! tag of the snapshot.
//!
//! "Amazon Web Services authenticates the KMS key asynchronously. Therefore, if you specify an ID, alias,
//! or ARN that is not valid, the action can appear to complete, but eventually fails."
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html>

use crate::clock::{self, Timestamp};
use crate::situation::{Snapshot, Volume, VolumeState};
use crate::tags;
use time::Duration;

/// By then EC2 shows a new volume, if it exists.
const VISIBLE: Duration = Duration::seconds(60);

/// A person needs some time to allow the use of a key.
const AGAIN: Duration = Duration::minutes(15);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// To be written down and made.
    New(u32),
    /// Under way, or done.
    Open(u32),
    /// It failed, and it is too early for another.
    Failed,
}

/// How far restoring this snapshot in this zone has come.
pub fn of(snapshot: &Snapshot, volumes: &[Volume], zone: &str, now: Timestamp) -> Attempt {
    let Some((number, began)) = snapshot.tags.get(tags::RESTORE).and_then(|it| read(it)) else {
        return Attempt::New(1);
    };
    let made = || {
        let of_it = |it: &&Volume| it.snapshot.as_ref() == Some(&snapshot.id);
        let here = |it: &&Volume| it.availability_zone == zone;
        volumes.iter().filter(of_it).filter(here)
    };
    let failed = |it: &Volume| it.state == VolumeState::Error && it.created >= began;
    let age = now - began;
    if made().any(Volume::is_usable) || (age < VISIBLE && !made().any(failed)) {
        Attempt::Open(number)
    } else if age < AGAIN {
        Attempt::Failed
    } else {
        Attempt::New(number + 1)
    }
}

pub fn text(number: u32, now: Timestamp) -> String {
    format!("{number} {}", clock::format(now))
}

fn read(text: &str) -> Option<(u32, Timestamp)> {
    let (number, began) = text.split_once(' ')?;
    Some((number.parse().ok()?, clock::parse(began).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let now = clock::parse("2026-11-23T10:00:00Z").expect("a time");
        assert_eq!(read(&text(2, now)), Some((2, now)));
        for bad in ["", "2", "x 2026-11-23T10:00:00Z", "-1 2026-11-23T10:00:00Z"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
