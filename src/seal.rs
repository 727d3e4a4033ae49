//! Proof of origin: tells what the function has written from what other callers may have written.
//!
//! Any caller with `CreateTags` can put any tag anywhere, so a tag proves nothing by itself. Each of ours ends with a
//! *seal*: a code over the resource it stands on, its key and its value, made with a secret that only the function's
//! role may read. A tag copied to another resource carries a seal that does not fit there. Everything else in the
//! core sees only tags with a right seal, and nothing of the seals: this is the one door between it and AWS.
//!
//! | what | is known to be ours by |
//! |---|---|
//! | a tag on a resource that exists | its seal, over the resource's id |
//! | a launch template | EC2's `CreatedBy`, and a sealed mark over its name, which is unique |
//! | a snapshot | its description, which cannot be changed, and EC2's `VolumeId` |
//! | an image | its name, which cannot be changed |
//! | an instance or a volume | the id that our own call has returned: its marks are sealed at once; after a crash the same call with the same token returns the same id |
//! | a message to ourselves | a seal over its text, which tells when it was sent |

mod door;
mod finish;
mod key;
mod marks;
mod message;
mod open;

pub use door::Sealed;
pub use key::Key;
pub use marks::{plain, sealed};
pub use message::believed;

use crate::cloud::{Cloud, CloudError};
use tokio::sync::OnceCell;

/// One per process: the key, once it has been read, and the function's role.
#[derive(Default)]
pub struct Seal {
    key: OnceCell<Key>,
    /// The role's name; launch templates that another principal has created, by EC2's `CreatedBy`, are not ours.
    role: Option<String>,
}

impl Seal {
    /// By the ARN of the function's role, where it is known.
    #[must_use]
    pub fn of(role_arn: Option<&str>) -> Self {
        let role = role_arn.and_then(|it| it.rsplit('/').next());
        Self {
            key: OnceCell::new(),
            role: role.filter(|it| !it.is_empty()).map(str::to_owned),
        }
    }

    /// Read once for each process.
    pub async fn key(&self, cloud: &dyn Cloud) -> Result<&Key, CloudError> {
        let read = async || {
            let secret = cloud.secret().await?;
            let short = "the secret has fewer than 32 characters";
            Key::new(&secret)
                .ok_or_else(|| CloudError::new("GetSecretValue", "ShortSecret", short, None))
        };
        self.key.get_or_try_init(read).await
    }

    /// EC2 names a principal that is not the function's role. A missing `CreatedBy`, or one of an unknown form, is
    /// not held against a template with a right seal.
    fn is_foreign(&self, created_by: Option<&str>) -> bool {
        let (Some(role), Some(creator)) = (&self.role, created_by) else {
            return false;
        };
        let mut parts = creator.rsplit(':');
        let Some((kind, rest)) = parts.next().and_then(|it| it.split_once('/')) else {
            return creator.ends_with(":root");
        };
        match kind {
            // `assumed-role/<role>/<session>`
            "assumed-role" => rest.split('/').next() != Some(role),
            // `role/<path>/<role>`
            "role" => rest.rsplit('/').next() != Some(role),
            "user" | "federated-user" => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_creator_that_ec2_names() {
        let seal = Seal::of(Some("arn:aws:iam::123456789012:role/path/ours"));
        for (creator, foreign) in [
            (None, false),
            (
                Some("arn:aws:sts::123456789012:assumed-role/ours/spot-rescue"),
                false,
            ),
            (Some("arn:aws:iam::123456789012:role/path/ours"), false),
            (
                Some("arn:aws:sts::123456789012:assumed-role/other/ours"),
                true,
            ),
            (Some("arn:aws:iam::123456789012:user/ours"), true),
            (Some("arn:aws:iam::123456789012:root"), true),
            (Some("AROAEXAMPLE:spot-rescue"), false),
        ] {
            assert_eq!(seal.is_foreign(creator), foreign, "{creator:?}");
        }
        assert!(!Seal::of(None).is_foreign(Some("arn:aws:iam::1:user/someone")));
    }
}
