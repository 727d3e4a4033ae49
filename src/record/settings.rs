//! The tag `spot-rescue:volume` on volumes and snapshots: settings a snapshot does not remember
//! (TRAP 33), and of which instance the volume was the root.

use crate::id::InstanceId;
use crate::situation::VolumeSettings;
use std::fmt::{Display, Write};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumeTag {
    pub settings: VolumeSettings,
    /// Set on root volumes only.
    pub root_of: Option<InstanceId>,
    /// `DeleteOnTermination` as the user had set it.
    pub delete_on_termination: bool,
}

impl VolumeTag {
    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            settings,
            root_of,
            delete_on_termination,
        } = self;
        let VolumeSettings {
            volume_type,
            size,
            iops,
            throughput,
            encrypted,
            kms_key,
            multi_attach,
        } = settings;
        let mut text = format!("type={volume_type} size={size}");
        let mut say = |key: &str, value: &dyn Display| {
            write!(text, " {key}={value}").unwrap_or_default();
        };
        if let Some(iops) = iops {
            say("iops", iops);
        }
        if let Some(throughput) = throughput {
            say("throughput", throughput);
        }
        if *encrypted {
            say("encrypted", encrypted);
        }
        if let Some(key) = kms_key {
            say("kms", key);
        }
        if *multi_attach {
            say("multi-attach", multi_attach);
        }
        if let Some(instance) = root_of {
            say("root-of", instance);
        }
        if *delete_on_termination {
            say("delete", delete_on_termination);
        }
        text
    }

    /// None without a type and a size: the function never writes such a tag.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut tag = Self::default();
        for (key, value) in text.split(' ').filter_map(|word| word.split_once('=')) {
            let settings = &mut tag.settings;
            match key {
                "type" => value.clone_into(&mut settings.volume_type),
                "size" => settings.size = value.parse().ok()?,
                "iops" => settings.iops = Some(value.parse().ok()?),
                "throughput" => settings.throughput = Some(value.parse().ok()?),
                "encrypted" => settings.encrypted = value == "true",
                "kms" => settings.kms_key = Some(value.to_owned()),
                "multi-attach" => settings.multi_attach = value == "true",
                "delete" => tag.delete_on_termination = value == "true",
                "root-of" => tag.root_of = value.parse().ok(),
                _ => {}
            }
        }
        (!tag.settings.volume_type.is_empty() && tag.settings.size > 0).then_some(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_the_tag() {
        let text = "type=io2 size=500 iops=9000 encrypted=true kms=arn:aws:kms:eu-west-1:1:key/ab \
                    multi-attach=true root-of=i-0123456789abcdef0 delete=true";
        assert_eq!(VolumeTag::parse(text).unwrap().text(), text);
        assert_eq!(VolumeTag::parse("type=gp3"), None);
        assert_eq!(VolumeTag::parse("nonsense"), None);
    }
}
