//! The instance types there are, and which of them are like another (attribute-based selection).
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-attribute-based-instance-type-selection.html>

use super::State;
use crate::cloud::CloudError;
use crate::situation::Shape;

/// Type, vCPUs, MiB, architecture.
const TYPES: [(&str, i32, i32, &str); 8] = [
    ("c5.large", 2, 4096, "x86_64"),
    ("m4.large", 2, 8192, "x86_64"),
    ("m5.large", 2, 8192, "x86_64"),
    ("m5.xlarge", 4, 16384, "x86_64"),
    ("m6i.large", 2, 8192, "x86_64"),
    ("m7g.large", 2, 8192, "arm64"),
    ("r5.large", 2, 16384, "x86_64"),
    ("t3.large", 2, 8192, "x86_64"),
];

fn catalogue() -> impl Iterator<Item = Shape> {
    TYPES
        .into_iter()
        .map(|(name, vcpus, memory_mib, architecture)| Shape {
            instance_type: name.to_owned(),
            vcpus,
            memory_mib,
            architectures: vec![architecture.to_owned()],
            current_generation: !name.starts_with("m4"),
            burstable: name.starts_with('t'),
            bare_metal: false,
            local_storage: false,
            accelerated: false,
        })
}

impl State {
    /// A type that does not exist is not an error: it is not there.
    pub(super) fn read_shapes(&mut self, names: &[String]) -> Result<Vec<Shape>, CloudError> {
        self.admit("DescribeInstanceTypes")?;
        let wanted = |it: &Shape| names.contains(&it.instance_type);
        Ok(catalogue().filter(wanted).collect())
    }
}

/// The types EC2 would choose from. Burstable ones, bare metal and previous generations are left out
/// unless asked for; the architecture is the image's, which is the original's.
pub(super) fn alike(like: &Shape) -> Vec<String> {
    let fits = |it: &Shape| {
        it.vcpus == like.vcpus
            && it.memory_mib >= like.memory_mib
            && it.architectures == like.architectures
            && (it.current_generation || !like.current_generation)
            && (!it.burstable || like.burstable)
    };
    let found = catalogue().filter(fits);
    found.map(|it| it.instance_type).collect()
}
