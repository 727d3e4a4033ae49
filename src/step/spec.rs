//! What a launch template of ours says beyond the answer of `GetLaunchTemplateData`.

use crate::situation::{PublicAddress, VolumeSettings};
use crate::tags::Tags;

/// What the prepared rescue must say, whatever `GetLaunchTemplateData` answers (TRAP 9).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TemplateSpec {
    /// The user's tags, for the replacement.
    pub instance_tags: Tags,
    /// The user's tags of the root, for the fresh one: backup plans and policies go by them (TRAP 54).
    pub volume_tags: Tags,
    /// The same of the primary interface. None where a launch is to name one that exists: "If the instance does not
    /// include the resource type that you specify, the instance launch fails".
    pub interface_tags: Tags,
    pub security_groups: Vec<String>,
    pub public_address: Option<PublicAddress>,
    /// Devices that must stay empty, so that the volumes find their names free.
    pub empty_devices: Vec<String>,
    pub root: Option<RootDevice>,
    /// The replacement has the original's type: settings that only fit that type may stay.
    pub one_type: bool,
    /// Without CPU options, and with `HttpTokens=required` (TRAP 51).
    pub plain: bool,
    /// No network settings: the launch gives all of them (TRAP 58).
    pub bare: bool,
}

/// The replacement's own root volume: like the original's, from the image.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RootDevice {
    pub device: String,
    pub settings: VolumeSettings,
    pub delete_on_termination: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::fingerprint;
    use std::collections::BTreeSet;

    #[test]
    fn whatever_is_launched_otherwise_has_another_fingerprint() {
        let tags = || Tags::from([("Name".to_owned(), "db".to_owned())]);
        let change = |change: fn(&mut TemplateSpec, Tags)| {
            let mut spec = TemplateSpec::default();
            change(&mut spec, tags());
            fingerprint(&spec)
        };
        let all = [
            change(|_, _| {}),
            change(|it, tags| it.instance_tags = tags),
            change(|it, tags| it.volume_tags = tags),
            change(|it, tags| it.interface_tags = tags),
            change(|it, _| it.security_groups = vec!["sg-1".to_owned()]),
            change(|it, _| it.empty_devices = vec!["sg-1".to_owned()]),
            change(|it, _| it.public_address = Some(PublicAddress::Given)),
            change(|it, _| it.public_address = Some(PublicAddress::Refused)),
            change(|it, _| it.one_type = true),
            change(|it, _| it.plain = true),
            change(|it, _| it.bare = true),
        ];
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
