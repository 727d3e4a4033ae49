//! AWS's error codes, sorted by what we do about them. One table, so that a code is judged once.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>

/// Whatever refuses it for good, an image of the old root is another way.
const REPLACE_ROOT: &str = "CreateReplaceRootVolumeTask";

/// What a failed call means for the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The wanted state is there, or another call is bringing it about: a success.
    AlreadyDone,
    /// No capacity or quota for this request, or no such feature: another one may succeed.
    Capacity,
    /// The call may succeed when repeated: throttling, timeouts, states not yet reached.
    Transient,
    /// The caller lacks a permission; says which policy to mend.
    Denied,
    /// Repeating it changes nothing.
    Permanent,
}

/// Codes that mean success, per operation, with AWS's reason.
const ALREADY_DONE: &[(&str, &str)] = &[
    // "This snapshot rate is exceeded": one was taken seconds ago, ours or the user's (TRAP 5).
    ("CreateSnapshots", "SnapshotCreationPerVolumeRateExceeded"),
    ("CreateSnapshot", "SnapshotCreationPerVolumeRateExceeded"),
    // As many as allowed are pending, taken moments ago (TRAP 5).
    ("CreateSnapshots", "ConcurrentSnapshotLimitExceeded"),
    ("CreateSnapshot", "ConcurrentSnapshotLimitExceeded"),
    // Names are unique: a twin created it.
    (
        "CreateLaunchTemplate",
        "InvalidLaunchTemplateName.AlreadyExistsException",
    ),
    // The same token with other parameters: another invocation was faster, look again (TRAP 7).
    ("CreateFleet", "IdempotentParameterMismatch"),
    ("RunInstances", "IdempotentParameterMismatch"),
    ("CreateLaunchTemplate", "IdempotentParameterMismatch"),
    ("CreateLaunchTemplateVersion", "IdempotentParameterMismatch"),
    ("CreateVolume", "IdempotentParameterMismatch"),
    ("CopyVolumes", "IdempotentParameterMismatch"),
    (REPLACE_ROOT, "IdempotentParameterMismatch"),
    // The name says which snapshot it is made of: a twin registered it.
    ("RegisterImage", "InvalidAMIName.Duplicate"),
    // The wanted state is that it is gone.
    ("DeleteLaunchTemplate", "InvalidLaunchTemplateId.NotFound"),
    ("DeleteVolume", "InvalidVolume.NotFound"),
    ("DeleteSnapshot", "InvalidSnapshot.NotFound"),
    (
        "DeleteNetworkInterface",
        "InvalidNetworkInterfaceID.NotFound",
    ),
    ("TerminateInstances", "InvalidInstanceID.NotFound"),
    (
        "CancelSpotInstanceRequests",
        "InvalidSpotInstanceRequestID.NotFound",
    ),
    // The image is gone, or is being deregistered.
    ("DeregisterImage", "InvalidAMIID.NotFound"),
    ("DeregisterImage", "InvalidAMIID.Unavailable"),
    // A terminated instance takes its target along, a deleted group all of them.
    ("DeregisterTargets", "InvalidTarget"),
    ("DeregisterTargets", GROUPS_GONE[0]),
    ("DeregisterInstancesFromLoadBalancer", "InvalidInstance"),
    ("DeregisterInstancesFromLoadBalancer", GROUPS_GONE[1]),
    ("vpc-lattice:DeregisterTargets", GROUPS_GONE[2]),
];

/// What each service calls a target group, or a load balancer, that has been deleted.
pub const GROUPS_GONE: [&str; 3] = [
    "TargetGroupNotFound",
    "LoadBalancerNotFound",
    "ResourceNotFoundException",
];

/// Auto Scaling has one code for everything that cannot be done, `ValidationError`; only its message
/// tells. These mean success.
const ALREADY_DONE_BY_MESSAGE: &[(&str, &str)] = &[
    // Completed, timed out, or gone with its instance (TRAP 24).
    (
        "CompleteLifecycleAction",
        "No active Lifecycle Action found",
    ),
    // A twin has detached it, or the group has let it go.
    ("DetachInstances", "is not part of Auto Scaling group"),
    ("AttachInstances", "is already part of AutoScalingGroup"),
];

/// By the message, where the code says nothing.
pub fn by_message(operation: &str, message: &str) -> Option<Class> {
    let mut known = ALREADY_DONE_BY_MESSAGE.iter();
    let done = known.any(|(of, text)| *of == operation && message.contains(text));
    done.then_some(Class::AlreadyDone)
}

const CAPACITY: &[&str] = &[
    "InsufficientInstanceCapacity",
    "InsufficientCapacity",
    "InsufficientFreeAddressesInSubnet",
    "InsufficientHostCapacity",
    "InsufficientReservedInstanceCapacity",
    "InsufficientVolumeCapacity",
    "InstanceLimitExceeded",
    // The type is not sold there, or not in this market.
    "InvalidFleetConfig",
    "InvalidFleetConfiguration",
    "MaxFleetCountExceeded",
    "MaxSpotFleetRequestCountExceeded",
    "MaxSpotInstanceCountExceeded",
    "ReservationCapacityExceeded",
    "SpotInstanceRequestLimitExceeded",
    "SpotMaxPriceTooLow",
    "UnfulfillableCapacity",
    "Unsupported",
    "UnsupportedOperation",
    "VcpuLimitExceeded",
];

/// Too many calls of this kind: none was done, and the next would not be.
const THROTTLED: &[&str] = &[
    "EC2ThrottledException",
    // Route 53: a zone takes one change at a time.
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

const TRANSIENT: &[&str] = &[
    // Credentials have expired: the next invocation has new ones.
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "RequestExpired",
    // Another caller tags the same resource at the same moment.
    "ConcurrentTagAccess",
    // The same request is under way.
    "IdempotentCallInProgress",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceError",
    "ServerInternal",
    "ConflictException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "Unavailable",
    "RequestTimeout",
    "Timeout",
    // Ours: a listing without end.
    super::TOO_LONG,
    "Dispatch",
    // "You already have a pending update to an Amazon EC2 Auto Scaling resource".
    "ResourceContention",
    "ScalingActivityInProgress",
    // Not yet in the state the call needs, or not yet visible.
    "IncorrectInstanceState",
    "IncorrectState",
    "VolumeInUse",
    // Another caller was faster, perhaps one of our own invocations: the next look sees the new state.
    "InvalidNetworkInterface.InUse",
    "InvalidNetworkInterfaceID.NotFound",
    "Resource.AlreadyAssociated",
    // AssociateAddress says so of a pending instance.
    "InvalidInstanceID",
    "InvalidInstanceID.NotFound",
    "InvalidInstanceID.NotReady",
    "InvalidTarget",
    // The same, as Classic Load Balancers say it.
    "InvalidInstance",
    "InvalidVolume.NotFound",
    "InvalidSnapshot.NotFound",
    "InvalidLaunchTemplateName.NotFoundException",
];

const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
    "OptInRequired",
    // A tag policy of the organization.
    "TagPolicyViolation",
    "UnauthorizedOperation",
];

/// What a person can do, where the code alone tells: operation, code, advice.
const ADVICE: &[(&str, &str, &str)] = &[
    // Most Nitro types take 28 attachments, network interfaces and instance store volumes included.
    // <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/volume_limits.html>
    (
        "AttachVolume",
        "AttachmentLimitExceeded",
        "the replacement's type takes no more volumes (28 is usual, network interfaces and instance store \
         volumes included): name a type that takes more in spot-rescue:instance-types, or detach what is not \
         needed; tried again at the next look",
    ),
];

/// What a person can do about it, where that is known.
#[must_use]
pub fn advice(operation: &str, code: &str) -> Option<&'static str> {
    let mut known = ADVICE.iter();
    known
        .find(|it| (it.0, it.1) == (operation, code))
        .map(|it| it.2)
}

/// The class of an error code, for this operation.
#[must_use]
pub fn classify(operation: &str, code: &str) -> Class {
    if ALREADY_DONE.contains(&(operation, code)) {
        Class::AlreadyDone
    } else if CAPACITY.contains(&code) {
        Class::Capacity
    } else if TRANSIENT.contains(&code) || is_throttled(code) {
        Class::Transient
    } else if DENIED.contains(&code) {
        Class::Denied
    } else if operation == REPLACE_ROOT {
        Class::Capacity
    } else {
        Class::Permanent
    }
}

/// Whether the call was throttled.
#[must_use]
pub fn is_throttled(code: &str) -> bool {
    THROTTLED.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// TRAP 5, TRAP 7, TRAP 17: the same code means different things to different calls.
    #[test]
    fn codes_are_judged_by_operation() {
        for (operation, code, class) in [
            (
                "CreateSnapshots",
                "SnapshotCreationPerVolumeRateExceeded",
                Class::AlreadyDone,
            ),
            (
                "CreateFleet",
                "IdempotentParameterMismatch",
                Class::AlreadyDone,
            ),
            (
                "CreateFleet",
                "InsufficientInstanceCapacity",
                Class::Capacity,
            ),
            ("AttachVolume", "VolumeInUse", Class::Transient),
            ("RegisterTargets", "InvalidTarget", Class::Transient),
            ("DeregisterTargets", "InvalidTarget", Class::AlreadyDone),
            (REPLACE_ROOT, "InvalidParameterValue", Class::Capacity),
            (REPLACE_ROOT, "RequestLimitExceeded", Class::Transient),
            (REPLACE_ROOT, "UnauthorizedOperation", Class::Denied),
            ("CreateTags", "UnauthorizedOperation", Class::Denied),
            ("CreateTags", "SomethingNew", Class::Permanent),
        ] {
            assert_eq!(classify(operation, code), class, "{operation} {code}");
        }
    }

    /// TRAP 56: no passing error is classed as permanent, and no permanent one as passing. By class, then by call.
    #[test]
    fn every_code_that_is_known_from_the_field_has_its_class() {
        for (class, operation, codes) in [
            (
                Class::Capacity,
                "CreateFleet",
                "InsufficientInstanceCapacity UnfulfillableCapacity SpotMaxPriceTooLow \
                 MaxSpotInstanceCountExceeded VcpuLimitExceeded MaxFleetCountExceeded InvalidFleetConfiguration \
                 Unsupported UnsupportedOperation InsufficientFreeAddressesInSubnet",
            ),
            (
                Class::Capacity,
                "CreateVolume",
                "InsufficientVolumeCapacity",
            ),
            (
                Class::Transient,
                "CreateTags",
                "ConcurrentTagAccess RequestLimitExceeded InternalError Unavailable ServiceUnavailable \
                 InvalidInstanceID.NotFound InvalidVolume.NotFound InvalidSnapshot.NotFound ExpiredToken",
            ),
            (Class::Transient, "DeleteTags", "ConcurrentTagAccess"),
            (
                Class::Transient,
                "RunInstances",
                "IdempotentCallInProgress InvalidNetworkInterface.InUse IncorrectState Timeout Dispatch",
            ),
            (
                Class::Transient,
                "CreateFleet",
                "IdempotentCallInProgress ServerInternal",
            ),
            (
                Class::Transient,
                "AttachVolume",
                "IncorrectState IncorrectInstanceState VolumeInUse",
            ),
            (
                Class::Transient,
                "RegisterTargets",
                "Throttling InvalidTarget",
            ),
            (
                Class::Transient,
                "SendMessage",
                "ThrottlingException ExpiredTokenException",
            ),
            (
                Class::Denied,
                "CreateFleet",
                "UnauthorizedOperation AuthFailure.ServiceLinkedRoleCreationNotPermitted TagPolicyViolation",
            ),
            (
                Class::Denied,
                "CreateTags",
                "TagPolicyViolation UnauthorizedOperation",
            ),
            (
                Class::Permanent,
                "CreateFleet",
                "InvalidAMIID.NotFound InvalidSubnetID.NotFound InvalidKeyPair.NotFound InvalidGroup.NotFound \
                 InvalidBlockDeviceMapping InvalidParameterValue InvalidParameterCombination TagLimitExceeded",
            ),
            // Of this token; another one is another request.
            (
                Class::Permanent,
                "RunInstances",
                "IdempotentInstanceTerminated",
            ),
            (
                Class::Permanent,
                "CreateTags",
                "TagLimitExceeded InvalidParameterValue",
            ),
            (
                Class::Permanent,
                "AttachVolume",
                "AttachmentLimitExceeded InvalidVolume.ZoneMismatch OperationNotPermitted",
            ),
            (
                Class::Permanent,
                "RegisterTargets",
                "TooManyRegistrationsForTargetId",
            ),
            (Class::Permanent, "DeleteSnapshot", "InvalidSnapshot.InUse"),
            (
                Class::AlreadyDone,
                "CreateSnapshots",
                "SnapshotCreationPerVolumeRateExceeded ConcurrentSnapshotLimitExceeded",
            ),
            (
                Class::AlreadyDone,
                "RegisterImage",
                "InvalidAMIName.Duplicate",
            ),
        ] {
            for code in codes.split_whitespace() {
                assert_eq!(classify(operation, code), class, "{operation} {code}");
            }
        }
    }
}
