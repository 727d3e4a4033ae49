//! What a launch template of ours says beyond what `GetLaunchTemplateData` answers.

use crate::situation::VolumeSettings;
use crate::tags::Tags;
use std::hash::{Hash, Hasher};

/// What the prepared rescue must say, whatever `GetLaunchTemplateData` answers (TRAP 9).
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateSpec {
    /// The user's tags, for the replacement.
    pub instance_tags: Tags,
    pub security_groups: Vec<String>,
    /// Ask for a public address: the original had one from Amazon's pool.
    pub public_address: bool,
    /// The groups are said of an interface, so that a launch may name another one in its place.
    pub groups_on_interface: bool,
    /// Devices that must stay empty, so that the volumes find their names free.
    pub empty_devices: Vec<String>,
    pub root: Option<RootDevice>,
    /// The replacement has the original's type: what only fits that type may stay.
    pub one_type: bool,
    /// Without CPU options, and with `HttpTokens=required` (TRAP 51).
    pub plain: bool,
}

/// The replacement's own root volume: like the original's, from the image.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RootDevice {
    pub device: String,
    pub settings: VolumeSettings,
    pub delete_on_termination: bool,
}

/// What is not plain has the fingerprint it had before anything was: no prepared rescue is written anew for it.
impl Hash for TemplateSpec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            instance_tags,
            security_groups,
            public_address,
            groups_on_interface,
            empty_devices,
            root,
            one_type,
            plain,
        } = self;
        (instance_tags, security_groups, public_address).hash(state);
        (groups_on_interface, empty_devices, root, one_type).hash(state);
        if *plain {
            plain.hash(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::fingerprint;

    #[test]
    fn only_what_is_plain_has_another_fingerprint_than_before() {
        let spec = TemplateSpec {
            security_groups: vec!["sg-0123456789abcdef0".to_owned()],
            one_type: true,
            ..TemplateSpec::default()
        };
        assert_eq!(
            fingerprint(&spec),
            "spot-rescue-141d32fff95b84a4d686a55f0dfc07fe1ddeb5e9"
        );
        let plain = TemplateSpec {
            plain: true,
            ..spec.clone()
        };
        assert_ne!(fingerprint(&plain), fingerprint(&spec));
    }
}
