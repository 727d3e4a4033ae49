//! Everything EC2 describes of an instance, once, and what becomes of it in a replacement. `docs/PARITY.md` is made of
//! it; tests hold it to the service's own model and to what the caveats say, so that what EC2 describes one day has to
//! be decided about.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html>

use Fate::{Carried, Differs, Told};

/// One member of one shape of EC2's API.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub shape: &'static str,
    pub member: &'static str,
    pub fate: Fate,
    pub says: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Carried,
    /// Not brought back, and said when a rescue is prepared, in these words among others.
    Told(&'static str),
    /// By intent.
    Differs,
}

const BY_IMAGE: &str = "the image and the type say it";
const NEW: &str = "of one instance only";
const BELOW: &str = "see its members below";
const RETIRED: Fate = Told("Elastic Graphics");
const UNLOCKED: &str =
    "Spot Instances cannot have it, and a replacement that is not needed is ended";

macro_rules! tables {
    ($($shape:ident { $($member:ident: $fate:expr, $says:expr;)+ })+) => {
        /// By shape, in the order of the documentation.
        pub const ROWS: &[&[Row]] = &[$(&[$(Row {
            shape: stringify!($shape),
            member: stringify!($member),
            fate: $fate,
            says: $says,
        }),+]),+];
    };
}

tables! {
    Instance {
        AmiLaunchIndex: Differs, NEW;
        Architecture: Carried, BY_IMAGE;
        BlockDeviceMappings: Carried, "volumes move or are restored; the root is made like the original's, or kept (`root=keep`)";
        BootMode: Carried, BY_IMAGE;
        CapacityBlockId: Told("capacity reserved for it"), "a block is over when its time is";
        CapacityReservationId: Differs, "an open reservation takes the replacement in by itself, if it is On-Demand";
        CapacityReservationSpecification: Told("capacity reserved for it"), "a reservation that is named is not asked for";
        ClientToken: Differs, NEW;
        CpuOptions: Told("CPU options of its own"), "carried to the same type, where they differ from its defaults; told where the policy allows others";
        CurrentInstanceBootMode: Carried, BY_IMAGE;
        EbsOptimized: Carried, "by the launch template";
        ElasticGpuAssociations: RETIRED, "EC2 attaches none any more";
        ElasticInferenceAcceleratorAssociations: RETIRED, "EC2 attaches none any more";
        EnaSupport: Carried, BY_IMAGE;
        EnclaveOptions: Carried, "by the launch template, where it is on";
        HibernationOptions: Told("enabled for hibernation"), "EC2 takes no snapshot of such an instance, so its replacement is not one";
        Hypervisor: Carried, BY_IMAGE;
        IamInstanceProfile: Carried, "by the launch template; its role has to be named in `InstanceRoleArns`";
        ImageId: Carried, "the user's own, also after a rescue that made one of the root";
        InstanceId: Differs, NEW;
        InstanceLifecycle: Differs, "Spot first, On-Demand where there is none";
        InstanceType: Carried, "or one that the policy allows";
        Ipv6Address: Told("IPv6 addresses"), "kept with the interface (`private-ip=keep`), else the subnet gives another";
        KernelId: Carried, "by the launch template";
        KeyName: Carried, "by the launch template";
        LaunchTime: Differs, NEW;
        Licenses: Carried, "license configurations, by the launch template";
        MaintenanceOptions: Carried, "`AutoRecovery`, by the launch template, which has no `RebootMigration`";
        MetadataOptions: Carried, "by the launch template; `HttpTokens=required` where the account enforces it";
        Monitoring: Carried, "by the launch template";
        NetworkInterfaces: Carried, BELOW;
        NetworkPerformanceOptions: Carried, "to the same type, where they differ from its default";
        Operator: Told("is managed by"), "a replacement is its user's alone";
        OutpostArn: Told("Spot is not sold on Outposts"), "the subnet is on the Outpost";
        Placement: Carried, BELOW;
        Platform: Carried, BY_IMAGE;
        PlatformDetails: Carried, BY_IMAGE;
        PrivateDnsName: Differs, "follows the private address";
        PrivateDnsNameOptions: Carried, "by the launch template";
        PrivateIpAddress: Differs, "kept only if the policy says so (`private-ip=keep`)";
        ProductCodes: Told("AWS Marketplace product code"), "those of the image are its own; one of a data volume keeps that from being attached";
        PublicDnsName: Differs, "follows the public address";
        PublicIpAddress: Carried, "an Elastic IP moves; else whether there is one is said, public or not";
        RamdiskId: Carried, "by the launch template";
        RootDeviceName: Carried, BY_IMAGE;
        RootDeviceType: Carried, BY_IMAGE;
        SecondaryInterfaces: Told("secondary network"), "their addresses are the instance's";
        SecurityGroups: Carried, "of the primary interface";
        SourceDestCheck: Told("source/destination check is off"), "kept with the interface (`private-ip=keep`), as are routes to it";
        SpotInstanceRequestId: Differs, "a request of its own, which launches once";
        SriovNetSupport: Carried, BY_IMAGE;
        State: Differs, NEW;
        StateReason: Differs, NEW;
        StateTransitionReason: Differs, NEW;
        SubnetId: Carried, "or one that the policy names";
        Tags: Carried, "the user's, as far as there is room; those of its root and its primary interface as well";
        TpmSupport: Carried, BY_IMAGE;
        UsageOperation: Carried, BY_IMAGE;
        UsageOperationUpdateTime: Differs, NEW;
        VirtualizationType: Carried, BY_IMAGE;
        VpcId: Carried, "that of the subnet";
    }
    InstanceNetworkInterface {
        Association: Carried, "an Elastic IP moves; a public address of Amazon's is asked for, or none";
        Attachment: Carried, "card, device and `DeleteOnTermination` of those that move; EC2's default for a new primary one";
        ConnectionTrackingConfiguration: Told("idle timeouts"), "kept with the interface (`private-ip=keep`)";
        Description: Differs, "a word for people";
        Groups: Carried, "those of the instance";
        InterfaceType: Told("primary network interface of type"), "a plain one is launched";
        Ipv4Prefixes: Told("address prefixes"), "kept with the interface (`private-ip=keep`)";
        Ipv6Addresses: Told("IPv6 addresses"), "kept with the interface (`private-ip=keep`)";
        Ipv6Prefixes: Told("address prefixes"), "kept with the interface (`private-ip=keep`)";
        MacAddress: Differs, "kept with the interface (`private-ip=keep`)";
        NetworkInterfaceId: Differs, "the primary one is new unless its address is kept; the others move";
        Operator: Differs, "one that a service manages is left to it";
        OwnerId: Carried, "the account";
        PrivateDnsName: Differs, "follows the private address";
        PrivateIpAddress: Differs, "kept only if the policy says so (`private-ip=keep`)";
        PrivateIpAddresses: Carried, "secondary ones are assigned again, where they are free";
        SourceDestCheck: Told("source/destination check is off"), "of the primary one";
        Status: Differs, NEW;
        SubnetId: Carried, "or one that the policy names";
        VpcId: Carried, "that of the subnet";
    }
    Placement {
        Affinity: Told("Dedicated Host"), "to a host";
        AvailabilityZone: Carried, "that of the subnet";
        AvailabilityZoneId: Carried, "that of the subnet";
        GroupId: Carried, "what names a group, shared ones too";
        GroupName: Carried, "where no id is shown";
        HostId: Told("Dedicated Host"), "Spot is not sold there";
        HostResourceGroupArn: Told("Dedicated Host"), "Spot is not sold there";
        PartitionNumber: Carried, "the same partition";
        SpreadDomain: Differs, "reserved";
        Tenancy: Carried, "`dedicated`";
    }
    InstanceAttribute {
        BlockDeviceMappings: Carried, "as above";
        DisableApiStop: Differs, UNLOCKED;
        DisableApiTermination: Differs, UNLOCKED;
        EbsOptimized: Carried, "as above";
        EnaSupport: Carried, "as above";
        EnclaveOptions: Carried, "as above";
        Groups: Carried, "as above";
        InstanceId: Differs, "as above";
        InstanceInitiatedShutdownBehavior: Carried, "by the launch template, where it is `terminate`";
        InstanceType: Carried, "as above";
        KernelId: Carried, "as above";
        ProductCodes: Told("AWS Marketplace product code"), "as above";
        RamdiskId: Carried, "as above";
        RootDeviceName: Carried, "as above";
        SourceDestCheck: Told("source/destination check is off"), "as above";
        SriovNetSupport: Carried, "as above";
        UserData: Carried, "by the launch template";
    }
    ResponseLaunchTemplateData {
        BlockDeviceMappings: Carried, "the root like the original's, every other device empty for what moves";
        CapacityReservationSpecification: Told("capacity reserved for it"), "as above";
        CpuOptions: Told("CPU options of its own"), "as above";
        CreditSpecification: Carried, "to the same type, if that is burstable";
        DisableApiStop: Differs, "as above";
        DisableApiTermination: Differs, "as above";
        EbsOptimized: Carried, "as above";
        ElasticGpuSpecifications: RETIRED, "as above";
        ElasticInferenceAccelerators: RETIRED, "as above";
        EnclaveOptions: Carried, "as above";
        HibernationOptions: Told("enabled for hibernation"), "as above";
        IamInstanceProfile: Carried, "as above";
        ImageId: Carried, "as above";
        InstanceInitiatedShutdownBehavior: Carried, "as above";
        InstanceMarketOptions: Differs, "a fleet has its own; of a price limit and a block of hours nothing is taken over";
        InstanceRequirements: Differs, "an instance has a type";
        InstanceType: Carried, "as above";
        KernelId: Carried, "as above";
        KeyName: Carried, "as above";
        LicenseSpecifications: Carried, "license configurations";
        MaintenanceOptions: Carried, "as above";
        MetadataOptions: Carried, "as above";
        Monitoring: Carried, "as above";
        NetworkInterfaces: Carried, "one, at index 0, with groups, tags and whether it is public; none where the launch names the old one";
        NetworkPerformanceOptions: Carried, "as above";
        Operator: Told("is managed by"), "as above";
        Placement: Carried, "as above";
        PrivateDnsNameOptions: Carried, "as above";
        RamDiskId: Carried, "as above";
        SecondaryInterfaces: Told("secondary network"), "as above";
        SecurityGroupIds: Carried, "inside the interface";
        SecurityGroups: Carried, "by their ids";
        TagSpecifications: Carried, "of instance, root volume and primary interface, never of the Spot request";
        UserData: Carried, "as above";
    }
}
