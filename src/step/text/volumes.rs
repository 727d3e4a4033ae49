//! Volumes, roots, and the images made of them.

use super::list;
use crate::situation::VolumeSettings;
use crate::step::{CopyVolume, CreateVolume, RegisterImage, ReplaceRoot, RootDevice, RootSource};
use std::fmt;

impl fmt::Display for CreateVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            snapshot,
            availability_zone,
            settings,
            initialization_rate,
            tags,
            token: _,
        } = self;
        let VolumeSettings {
            volume_type, size, ..
        } = settings;
        write!(
            f,
            "create {volume_type} volume of {size} GiB from {snapshot} in {availability_zone}"
        )?;
        if let Some(rate) = initialization_rate {
            write!(f, " at {rate} MiB/s")?;
        }
        write!(f, " ({}) with {}", Rest(settings), list(tags))
    }
}

impl fmt::Display for CopyVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            source,
            settings,
            tags,
            token: _,
        } = self;
        let VolumeSettings {
            volume_type, size, ..
        } = settings;
        write!(f, "copy {source} to a {volume_type} volume of {size} GiB")?;
        write!(f, " ({}) with {}", Rest(settings), list(tags))
    }
}

/// What else is said of a volume.
struct Rest<'a>(&'a VolumeSettings);

impl fmt::Display for Rest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VolumeSettings {
            volume_type: _,
            size: _,
            iops,
            throughput,
            encrypted,
            kms_key,
            multi_attach,
        } = self.0;
        write!(f, "iops {iops:?}, throughput {throughput:?}")?;
        write!(f, ", encrypted {encrypted}, key {kms_key:?}")?;
        if *multi_attach {
            write!(f, ", multi-attach")?;
        }
        Ok(())
    }
}

impl fmt::Display for ReplaceRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            instance,
            by,
            tags,
            token: _,
        } = self;
        match by {
            RootSource::Volume(volume) => write!(f, "replace the root of {instance} by {volume}")?,
            RootSource::Image(image) => write!(f, "replace the root of {instance} from {image}")?,
        }
        write!(f, " with {}", list(tags))
    }
}

impl fmt::Display for RegisterImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            snapshot,
            root,
            boot,
            uefi_data_of,
            tags,
        } = self;
        let RootDevice {
            device,
            settings: VolumeSettings {
                volume_type, size, ..
            },
            delete_on_termination: _,
        } = root;
        write!(
            f,
            "register {name} of {snapshot}: {boot}, root {device} {volume_type} {size} GiB"
        )?;
        if let Some(instance) = uefi_data_of {
            write!(f, ", UEFI data of {instance}")?;
        }
        write!(f, " with {}", list(tags))
    }
}
