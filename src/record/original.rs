//! The tag `spot-rescue:original`: the image the user chose, and how the instance boots. Written down while it lives:
//! the image may be gone by the time one has to be made of the root's snapshot, and `RegisterImage` has wrong
//! defaults (TRAP 12).

use crate::id::ImageId;
use crate::situation::Boot;
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    pub image: ImageId,
    pub boot: Boot,
}

impl Original {
    #[must_use]
    pub fn text(&self) -> String {
        let Self { image, boot } = self;
        format!("{image} {boot}")
    }

    /// None without an image and an architecture: the function never writes such a tag.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let image = words.next()?.parse().ok()?;
        let mut boot = Boot::default();
        for word in words {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            match key {
                "arch" => value.clone_into(&mut boot.architecture),
                "virt" => value.clone_into(&mut boot.virtualization),
                "boot" => boot.mode = Some(value.to_owned()),
                "ena" => boot.ena = true,
                "sriov" => boot.sriov = true,
                "tpm" => boot.tpm = true,
                "imds" => boot.imds = true,
                "platform" => boot.platform = value.replace('_', " "),
                "code" => boot.product_codes.push(value.to_owned()),
                _ => {}
            }
        }
        (!boot.architecture.is_empty()).then_some(Self { image, boot })
    }
}

/// No word has a space inside: platform details have (`Red Hat Enterprise Linux`).
impl fmt::Display for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            architecture,
            virtualization,
            mode,
            ena,
            sriov,
            tpm,
            imds,
            platform,
            product_codes,
        } = self;
        let mut words = vec![
            format!("arch={architecture}"),
            format!("virt={virtualization}"),
        ];
        words.extend(mode.iter().map(|it| format!("boot={it}")));
        let flags = [(ena, "ena"), (sriov, "sriov"), (tpm, "tpm"), (imds, "imds")];
        words.extend(flags.iter().filter(|it| *it.0).map(|it| it.1.to_owned()));
        if !platform.is_empty() {
            words.push(format!("platform={}", platform.replace(' ', "_")));
        }
        // One of several is enough: an image with any product code cannot be registered.
        words.extend(product_codes.iter().take(1).map(|it| format!("code={it}")));
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_an_instance_boots_survives_the_tag() {
        let text = "ami-0123456789abcdef0 arch=x86_64 virt=hvm boot=uefi-preferred ena sriov tpm imds \
                    platform=Red_Hat_Enterprise_Linux code=abc123";
        let original = Original::parse(text).unwrap();
        assert_eq!(original.boot.platform, "Red Hat Enterprise Linux");
        assert_eq!(original.text(), text);
    }

    #[test]
    fn a_tag_without_image_or_architecture_is_not_believed() {
        for text in ["", "x arch=x86_64", "ami-12345678", "ami-12345678 ena"] {
            assert_eq!(Original::parse(text), None, "{text}");
        }
    }
}
