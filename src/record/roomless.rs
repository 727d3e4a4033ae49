//! Resources without room for a mark, as the user's tags take it all, are on record by their ids: replacements
//! (`spot-rescue:member-<n>`), and volumes that may be deleted some day (`spot-rescue:expires-<n>`).

use super::list;
use crate::clock::Timestamp;
use crate::id::{InstanceId, VolumeId};
use crate::tags::{self, Tags};

/// More are not on record: those that ended long ago go first.
const MOST: usize = 12;

/// A volume, and when it may be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    pub volume: VolumeId,
    pub at: Timestamp,
}

#[must_use]
pub fn member_tags(members: &[InstanceId]) -> Tags {
    let newest = &members[members.len().saturating_sub(MOST)..];
    tags::pack(tags::MEMBERS, newest.iter().map(ToString::to_string))
}

#[must_use]
pub fn members_from(tags: &Tags) -> Vec<InstanceId> {
    list(tags::MEMBERS, tags, |it| it.parse().ok())
}

#[must_use]
pub fn expiring_tags(expiring: &[Expiring]) -> Tags {
    let text = |it: &Expiring| format!("{}={}", it.volume, it.at.unix_timestamp());
    tags::pack(tags::EXPIRES, expiring.iter().map(text))
}

#[must_use]
pub fn expiring_from(tags: &Tags) -> Vec<Expiring> {
    list(tags::EXPIRES, tags, |text| {
        let (volume, at) = text.split_once('=')?;
        Some(Expiring {
            volume: volume.parse().ok()?,
            at: Timestamp::from_unix_timestamp(at.parse().ok()?).ok()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_expiries_without_room_are_read_back_and_bounded() {
        let members: Vec<InstanceId> = (0..20)
            .map(|n| format!("i-{n:017x}").parse().unwrap())
            .collect();
        assert_eq!(members_from(&member_tags(&members)), members[8..]);
        let expiring = vec![Expiring {
            volume: "vol-0123456789abcdef0".parse().unwrap(),
            at: Timestamp::from_unix_timestamp(1_790_000_000).unwrap(),
        }];
        assert_eq!(expiring_from(&expiring_tags(&expiring)), expiring);
        let edited = Tags::from([(
            format!("{}-1", tags::EXPIRES),
            "vol-1 vol-2=x =3".to_owned(),
        )]);
        assert_eq!(expiring_from(&edited), []);
    }
}
