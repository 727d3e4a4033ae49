//! How like the original a replacement can be: settings that the launch template carries without our doing, and what
//! no launch can bring back. The whole list is `parity`.

/// Of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Likeness {
    /// Settings that its user may change while it runs, as one text: a change makes the prepared rescue out of date.
    pub settings: String,
    pub cpu: Option<Cpu>,
    /// Sorted.
    pub unlike: Vec<Unlike>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu {
    pub cores: i32,
    pub threads_per_core: i32,
    /// AMD SEV-SNP or nested virtualization.
    pub special: bool,
}

/// A property that a replacement will not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unlike {
    /// A retired kind of accelerator.
    Accelerator,
    /// Capacity that is the instance's own: an On-Demand Capacity Reservation it names, or a Capacity Block.
    Capacity(String),
    /// Idle timeouts of connections, set on the primary interface.
    ConnectionTracking,
    /// A Dedicated Host, or a group of them.
    Host(String),
    /// The primary interface is no plain one, as with EFA.
    InterfaceType(String),
    /// Of the primary interface.
    Ipv6(Vec<String>),
    Outpost(String),
    /// Prefixes delegated to the primary interface.
    Prefixes,
    /// Interfaces of a secondary network.
    SecondaryInterfaces,
}
