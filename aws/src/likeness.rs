//! Settings that the launch template carries without our doing, and those that no replacement gets. `parity` lists
//! all there are.

use aws_sdk_ec2::types as ec2;
use spot_rescue::situation::{Cpu, Likeness, Unlike};
use std::fmt::Debug;

pub fn of(it: &ec2::Instance) -> Likeness {
    Likeness {
        settings: settings(it),
        cpu: it.cpu_options().and_then(cpu),
        unlike: unlike(it),
    }
}

fn cpu(it: &ec2::CpuOptions) -> Option<Cpu> {
    let snp = it.amd_sev_snp() == Some(&ec2::AmdSevSnpSpecification::Enabled);
    let nested = it.nested_virtualization();
    let nested = nested == Some(&ec2::NestedVirtualizationSpecification::Enabled);
    Some(Cpu {
        cores: it.core_count()?,
        threads_per_core: it.threads_per_core()?,
        special: snp || nested,
    })
}

/// Settings that can be changed on the running instance; whether EC2 has applied them yet is left out.
fn settings(it: &ec2::Instance) -> String {
    let mut all = Vec::new();
    if let Some(it) = it.metadata_options() {
        say(&mut all, "tokens", it.http_tokens());
        say(&mut all, "hops", it.http_put_response_hop_limit());
        say(&mut all, "metadata", it.http_endpoint());
        say(&mut all, "metadata-ipv6", it.http_protocol_ipv6());
        say(&mut all, "metadata-tags", it.instance_metadata_tags());
    }
    if let Some(it) = it.private_dns_name_options() {
        say(&mut all, "hostname", it.hostname_type());
        say(&mut all, "a", it.enable_resource_name_dns_a_record());
        say(&mut all, "aaaa", it.enable_resource_name_dns_aaaa_record());
    }
    if let Some(it) = it.placement() {
        say(&mut all, "group", it.group_id().or(it.group_name()));
        say(&mut all, "partition", it.partition_number());
        say(&mut all, "tenancy", it.tenancy());
    }
    if let Some(it) = it.cpu_options() {
        say(&mut all, "cores", it.core_count());
        say(&mut all, "threads", it.threads_per_core());
    }
    let recovery = it.maintenance_options().and_then(|it| it.auto_recovery());
    say(&mut all, "recovery", recovery);
    let monitoring = it.monitoring().and_then(|it| it.state());
    let monitored = |it| {
        matches!(
            it,
            &ec2::MonitoringState::Enabled | &ec2::MonitoringState::Pending
        )
    };
    say(&mut all, "monitoring", monitoring.map(monitored));
    let performance = it.network_performance_options();
    let bandwidth = performance.and_then(|it| it.bandwidth_weighting());
    say(&mut all, "bandwidth", bandwidth);
    say(&mut all, "ebs-optimized", it.ebs_optimized());
    let licenses = it.licenses().iter();
    let mut licenses: Vec<&str> = licenses
        .filter_map(|it| it.license_configuration_arn())
        .collect();
    licenses.sort_unstable();
    all.extend(licenses.into_iter().map(str::to_owned));
    all.join(" ")
}

fn say(all: &mut Vec<String>, name: &str, value: Option<impl Debug>) {
    all.extend(value.map(|it| format!("{name}={it:?}")));
}

fn unlike(it: &ec2::Instance) -> Vec<Unlike> {
    let mut all = Vec::new();
    all.extend(accelerator(it));
    all.extend(capacity(it).map(Unlike::Capacity));
    all.extend(host(it).map(Unlike::Host));
    all.extend(filled(it.outpost_arn()).map(Unlike::Outpost));
    if let Some(primary) = primary(it) {
        all.extend(of_interface(primary));
    }
    all.extend((!it.secondary_interfaces().is_empty()).then_some(Unlike::SecondaryInterfaces));
    all.sort();
    all
}

fn accelerator(it: &ec2::Instance) -> Option<Unlike> {
    let none = it.elastic_gpu_associations().is_empty()
        && it.elastic_inference_accelerator_associations().is_empty();
    (!none).then_some(Unlike::Accelerator)
}

/// Capacity that the instance names; open reservations serve the replacement as well.
fn capacity(it: &ec2::Instance) -> Option<String> {
    let named = it.capacity_reservation_specification();
    let named = named.and_then(|it| it.capacity_reservation_target());
    let target = named.and_then(|it| {
        let group = it.capacity_reservation_resource_group_arn();
        it.capacity_reservation_id().or(group)
    });
    filled(it.capacity_block_id()).or(filled(target))
}

fn host(it: &ec2::Instance) -> Option<String> {
    let placement = it.placement()?;
    let group = placement.host_resource_group_arn();
    filled(group).or(filled(placement.host_id()))
}

fn primary(it: &ec2::Instance) -> Option<&ec2::InstanceNetworkInterface> {
    let is_primary = |it: &&ec2::InstanceNetworkInterface| {
        let place = it.attachment();
        place.is_some_and(|it| {
            it.device_index() == Some(0) && it.network_card_index().unwrap_or(0) == 0
        })
    };
    it.network_interfaces().iter().find(is_primary)
}

fn of_interface(it: &ec2::InstanceNetworkInterface) -> Vec<Unlike> {
    let kind = filled(it.interface_type()).filter(|it| it != "interface");
    let mut all: Vec<Unlike> = kind.map(Unlike::InterfaceType).into_iter().collect();
    let ipv6 = it.ipv6_addresses().iter();
    let ipv6: Vec<String> = ipv6.filter_map(|it| filled(it.ipv6_address())).collect();
    all.extend((!ipv6.is_empty()).then_some(Unlike::Ipv6(ipv6)));
    let tracking = it.connection_tracking_configuration();
    let tracked = tracking.is_some_and(|it| {
        let tcp = it.tcp_established_timeout().is_some();
        tcp || it.udp_stream_timeout().is_some() || it.udp_timeout().is_some()
    });
    all.extend(tracked.then_some(Unlike::ConnectionTracking));
    let prefixes = !it.ipv4_prefixes().is_empty() || !it.ipv6_prefixes().is_empty();
    all.extend(prefixes.then_some(Unlike::Prefixes));
    all
}

fn filled(text: Option<&str>) -> Option<String> {
    text.filter(|it| !it.is_empty()).map(str::to_owned)
}
