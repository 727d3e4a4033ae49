//! What AWS's answer to a launch rules out, for how long, and what a person can do. One table, so that a code is
//! judged once.
//!
//! A launch that was answered is never sent again as it was: EC2 remembers the answer, a refusal as well, with the
//! request's token. So a code that is not in the table leads on, too: it rules out the place first, then the
//! market, then the whole request, as it is met again elsewhere.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFleet.html>

use super::{Class, CloudError};
use time::Duration;

/// What a refusal rules out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The token names an instance that has ended: the next request needs another one, that is all.
    Token,
    /// This type in this zone, of this market.
    Pool,
    /// Every type in this subnet.
    Subnet,
    /// This type of this market, in every zone.
    Quota,
    Market,
    /// A policy denies all launches or some of them: it rules out the place first and, when another subnet is denied
    /// as well, the market.
    Denied,
    /// The request, in whatever way it is sent: each way is still asked once, since none of them has been.
    Request,
    /// The code is not in the table.
    Unknown,
}

/// What is known of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    pub scope: Scope,
    /// For how long what is ruled out is not asked again. None: as long as the policy's `pool-rest`.
    pub rest: Option<Duration>,
    /// How long to wait before a launch in another way. A request that is refused for a passing reason may be sent
    /// once more by an invocation that has not seen the refusal yet, and be accepted.
    pub pause: Duration,
    pub advice: &'static str,
}

/// Twice as long as an invocation lasts (`Timeout` in `template.yaml`), less the time a refusal takes.
const OTHERS_KNOW: Duration = Duration::seconds(20);
/// The next way is tried, and is probably refused as well.
const UNLIKELY: Duration = Duration::seconds(60);
/// A person has to mend it, which takes more than seconds.
const LONG: Duration = Duration::minutes(10);

/// Each code, or what it begins with (`InvalidAMIID.`).
const MEANINGS: &[(Scope, &[&str], &str)] = &[
    (
        Scope::Token,
        &[
            "IdempotentInstanceTerminated",
            "IdempotentParameterMismatch",
        ],
        "another request is sent",
    ),
    (
        Scope::Pool,
        &[
            "InsufficientCapacity",
            "InsufficientHostCapacity",
            "InsufficientInstanceCapacity",
            "InsufficientReservedInstanceCapacity",
            "InsufficientVolumeCapacity",
            "ReservationCapacityExceeded",
            "SpotMaxPriceTooLow",
            "UnfulfillableCapacity",
        ],
        "name more types in spot-rescue:instance-types, or more subnets in spot-rescue:subnets",
    ),
    (
        Scope::Pool,
        &[
            "InvalidFleetConfig",
            "InvalidFleetConfiguration",
            "InvalidInstanceType",
            "Unsupported",
            "UnsupportedOperation",
        ],
        "the type is not offered there in this way, or not with what the instance was launched with (CPU options, \
         metadata options): name other types in spot-rescue:instance-types",
    ),
    (
        Scope::Subnet,
        &[
            "InsufficientFreeAddressesInSubnet",
            "InvalidSubnet",
            "InvalidSubnetID.",
        ],
        "the subnet is full or gone: name others in spot-rescue:subnets",
    ),
    (
        Scope::Quota,
        &[
            "InstanceLimitExceeded",
            "MaxSpotInstanceCountExceeded",
            "VcpuLimitExceeded",
        ],
        "raise the quota (Service Quotas, Amazon EC2), or name types of another family",
    ),
    (
        Scope::Market,
        &[
            "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
            "MaxFleetCountExceeded",
            "MaxSpotFleetRequestCountExceeded",
            "InvalidSpotFleetRequestConfig",
            "SpotInstanceRequestLimitExceeded",
        ],
        "create the service-linked role for Spot (AWSServiceRoleForEC2Spot), or raise the quota",
    ),
    (
        Scope::Denied,
        &[
            "AccessDenied",
            "AccessDeniedException",
            "AuthFailure",
            "OptInRequired",
            "UnauthorizedOperation",
        ],
        "allow the launch: the function's role (parameter InstanceRoleArns for iam:PassRole), service control \
         policies, the KMS key's policy",
    ),
    (
        Scope::Request,
        &[
            "Blocked",
            "IncorrectInstanceState",
            "InvalidAMIID.",
            "InvalidBlockDeviceMapping",
            "InvalidGroup",
            "InvalidIamInstanceProfile",
            "InvalidID",
            "InvalidKeyPair.",
            "InvalidLaunchTemplateId",
            "InvalidNetworkInterface",
            "InvalidParameter",
            "InvalidPlacementGroup",
            "InvalidSecurityGroup",
            "InvalidSnapshot.",
            "InvalidUserData",
            "MissingParameter",
            "PendingVerification",
            "TagLimitExceeded",
            "TagPolicyViolation",
            "VolumeLimitExceeded",
        ],
        "bring back or correct what the message names: the launch is the same in every zone and market",
    ),
];

/// The meaning of a code, as AWS writes it or as the record keeps it (letters and digits only).
#[must_use]
pub fn meaning(code: &str) -> Meaning {
    let letters = plain(code);
    let known = MEANINGS
        .iter()
        .find(|(_, codes, _)| codes.iter().any(|it| names(it, &letters)));
    let Some((scope, _, advice)) = known else {
        let advice = "see the code in the EC2 API's list of errors";
        return of(Scope::Unknown, OTHERS_KNOW, advice);
    };
    let pause = match scope {
        Scope::Token | Scope::Pool | Scope::Subnet | Scope::Quota => Duration::ZERO,
        Scope::Market | Scope::Denied | Scope::Unknown => OTHERS_KNOW,
        Scope::Request => UNLIKELY,
    };
    of(*scope, pause, advice)
}

/// A code for each line of the table, for tests that go through all of them.
pub fn codes() -> impl Iterator<Item = String> {
    let entries = MEANINGS.iter().flat_map(|(_, codes, _)| codes.iter());
    entries.map(|it| {
        let family = it.ends_with('.');
        let member = if family { "NotFound" } else { "" };
        format!("{it}{member}")
    })
}

fn of(scope: Scope, pause: Duration, advice: &'static str) -> Meaning {
    let rest = match scope {
        Scope::Token => Some(Duration::ZERO),
        Scope::Pool | Scope::Quota | Scope::Unknown => None,
        Scope::Subnet | Scope::Market | Scope::Denied | Scope::Request => Some(LONG),
    };
    Meaning {
        scope,
        rest,
        pause,
        advice,
    }
}

/// The form in which codes are compared: a tag's value does not keep their dots.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// A whole code, or the beginning of one where AWS may add members to the family.
fn names(entry: &str, code: &str) -> bool {
    let family = entry.ends_with('.') || entry.starts_with("Invalid");
    let entry = plain(entry);
    code == entry || (family && code.starts_with(&entry))
}

/// Whether a launch has been answered, so that the same request would get the same answer again. Not answered are
/// requests that AWS has not examined: too many calls, no answer in time, the same request under way, a template that
/// is not visible yet. An error inside the answer of a fleet is an answer, whatever its code.
#[must_use]
pub fn is_answered(error: &CloudError) -> bool {
    const NOT_YET: [&str; 6] = [
        "IdempotentCallInProgress",
        "InvalidLaunchTemplateId.NotFound",
        "InvalidLaunchTemplateId.VersionNotFound",
        "InvalidLaunchTemplateName.NotFoundException",
        "InvalidNetworkInterface.InUse",
        "InvalidNetworkInterfaceID.NotFound",
    ];
    let of_state = [
        "IncorrectInstanceState",
        "IncorrectState",
        "InvalidSnapshot.NotFound",
    ];
    let code = error.code.as_str();
    let transient = error.class == Class::Transient && !of_state.contains(&code);
    let passing = transient || NOT_YET.contains(&code) || error.class == Class::AlreadyDone;
    !error.refused.is_empty() || !passing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_judged_as_aws_writes_it_and_as_the_record_keeps_it() {
        for (code, scope) in [
            ("InsufficientInstanceCapacity", Scope::Pool),
            ("InvalidFleetConfiguration", Scope::Pool),
            ("InvalidSubnetID.NotFound", Scope::Subnet),
            ("InvalidSubnetIDNotFound", Scope::Subnet),
            ("VcpuLimitExceeded", Scope::Quota),
            (
                "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
                Scope::Market,
            ),
            ("UnauthorizedOperation", Scope::Denied),
            ("InvalidAMIID.Unavailable", Scope::Request),
            ("InvalidAMIIDNotFound", Scope::Request),
            ("InvalidKeyPair.NotFound", Scope::Request),
            ("InvalidParameterValue", Scope::Request),
            ("TagPolicyViolation", Scope::Request),
            ("IdempotentInstanceTerminated", Scope::Token),
            ("SomethingNew", Scope::Unknown),
        ] {
            assert_eq!(meaning(code).scope, scope, "{code}");
        }
    }

    /// TRAP 43: an answer is remembered with the token, whatever it says.
    #[test]
    fn only_an_unexamined_request_is_sent_again_as_it_was() {
        let error = |code: &str| CloudError::new("CreateFleet", code, "", None);
        for code in [
            "RequestLimitExceeded",
            "InternalError",
            "Timeout",
            "ExpiredToken",
            "IdempotentCallInProgress",
        ] {
            assert!(!is_answered(&error(code)), "{code}");
        }
        for code in [
            "UnauthorizedOperation",
            "InvalidSnapshot.NotFound",
            "InvalidAMIID.NotFound",
            "SomethingNew",
        ] {
            assert!(is_answered(&error(code)), "{code}");
        }
        let mut in_the_answer = error("InternalError");
        in_the_answer
            .refused
            .insert("m5.large".to_owned(), "InternalError".to_owned());
        assert!(is_answered(&in_the_answer));
    }
}
