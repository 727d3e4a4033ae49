//! Validated newtypes for the ids AWS hands out.
//!
//! Plans are full of them: they are copied without any allocation.
//!
//! A string that reached us from outside becomes an id here or nowhere, so that no step can carry
//! a malformed one. Resource id format: two to eight letters, a dash, 8 or 17 hexadecimal digits
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html>).

use arrayvec::ArrayString;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Text that is not an id of the kind it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {kind}: expected {prefix} and 8 or 17 hexadecimal digits")]
pub struct IdError {
    text: String,
    kind: &'static str,
    prefix: &'static str,
}

/// The longest prefix, `eipalloc-`, and 17 digits.
const LONGEST: usize = 26;

fn is_resource_id(text: &str, prefix: &str) -> bool {
    // Spot requests are older than the format: their eight are digits and letters of any kind.
    let last = if prefix == "sir-" { b'z' } else { b'f' };
    let allowed = |byte: u8| byte.is_ascii_digit() || (b'a'..=last).contains(&byte);
    text.strip_prefix(prefix)
        .is_some_and(|rest| matches!(rest.len(), 8 | 17) && rest.bytes().all(allowed))
}

/// At most 40 characters of outside text, so that a hostile value cannot flood a log line.
fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}

macro_rules! resource_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(ArrayString<LONGEST>);

        const _: () = assert!($prefix.len() + 17 <= LONGEST);

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let id = ArrayString::from(text).ok();
                let id = id.filter(|it| is_resource_id(it, $prefix)).map(Self);
                id.ok_or_else(|| IdError { text: excerpt(text), kind: $kind, prefix: $prefix })
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

resource_id!(
    /// An EC2 instance, `i-…`.
    InstanceId, "an instance id", "i-"
);
resource_id!(
    /// An EBS volume, `vol-…`.
    VolumeId, "a volume id", "vol-"
);
resource_id!(
    /// An EBS snapshot, `snap-…`.
    SnapshotId, "a snapshot id", "snap-"
);
resource_id!(
    /// An EC2 launch template, `lt-…`.
    TemplateId, "a launch template id", "lt-"
);
resource_id!(
    /// A subnet, `subnet-…`.
    SubnetId, "a subnet id", "subnet-"
);
resource_id!(
    /// An Elastic IP address, `eipalloc-…`.
    AllocationId, "an allocation id", "eipalloc-"
);
resource_id!(
    /// An elastic network interface, `eni-…`.
    InterfaceId, "a network interface id", "eni-"
);
resource_id!(
    /// An Amazon machine image, `ami-…`.
    ImageId, "an image id", "ami-"
);
resource_id!(
    /// A Spot Instance request, `sir-…`.
    RequestId, "a Spot Instance request id", "sir-"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_accepted_or_refused_by_their_form() {
        for (text, good) in [
            ("i-0123456789abcdef0", true),
            ("i-12345678", true),
            ("i-0123456789abcdef", false),
            ("i-0123456789ABCDEF0", false),
            ("vol-0123456789abcdef0", false),
            ("i-", false),
            ("", false),
            ("i-0123456789abcdef0; rm -rf /", false),
        ] {
            assert_eq!(text.parse::<InstanceId>().is_ok(), good, "{text}");
        }
    }

    #[test]
    fn the_error_says_what_was_expected_and_quotes_only_the_beginning() {
        let error = "x"
            .repeat(5000)
            .parse::<VolumeId>()
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("is not a volume id: expected vol-"),
            "{error}"
        );
        assert!(error.len() < 150, "{error}");
    }
}
