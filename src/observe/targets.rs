//! Which targets are registered where. No call answers that for an instance: all groups are listed, and each that may
//! hold one of these instances is asked.
//!
//! Three services are read side by side. One that fails, is denied, or does not exist in this Region
//! takes nothing from the others, and little time.

use crate::cloud::{Class, Cloud, CloudError};
use crate::error::GROUPS_GONE;
use crate::plan::reads::Reads;
use crate::plan::reads::skipped::RecordedGroups;
use crate::situation::{
    Balancing, Group, Instance, Listing, Registration, Registrations, TargetGroup,
};
use futures_util::{StreamExt, future::join_all, stream};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How many target groups are asked at once.
const AT_ONCE: usize = 16;
/// How long the other reads wait for a service that may have no endpoint here.
const LISTED_WITHIN: Duration = Duration::from_secs(3);

/// The groups to ask, and their VPC where that is known.
type Groups = BTreeMap<TargetGroup, Option<String>>;

/// Everything these instances may be registered with, or only what is on record.
pub async fn read(cloud: &dyn Cloud, instances: &[Instance], reads: &Reads) -> Registrations {
    let RecordedGroups { read, skip } = reads.targets.clone();
    let mut found = Registrations::default();
    let mut recorded: Groups = read.into_iter().map(|it| (it, None)).collect();
    let mut others = Groups::new();
    if reads.every_target_group {
        recorded.extend(skip.into_iter().map(|it| (it, None)));
        list(cloud, instances, (&mut recorded, &mut others), &mut found).await;
    } else {
        found.unread = skip;
    }
    ask(cloud, recorded, others, &mut found).await;
    found
}

/// Where Auto Scaling groups register their members: known without any listing, should one have failed.
pub async fn add_sources(cloud: &dyn Cloud, groups: &[Group], found: &mut Registrations) {
    let sources = groups.iter().flat_map(|it| &it.scaling.traffic_sources);
    let unlisted = sources.filter(|it| !found.complete.contains(&it.balancing()));
    let unlisted: Groups = unlisted.map(|it| (it.clone(), None)).collect();
    ask(cloud, unlisted, Groups::new(), found).await;
}

async fn list(
    cloud: &dyn Cloud,
    instances: &[Instance],
    (recorded, others): (&mut Groups, &mut Groups),
    found: &mut Registrations,
) {
    let vpcs: BTreeSet<&String> = instances.iter().filter_map(|it| it.vpc.as_ref()).collect();
    let listings = Balancing::ALL.map(|of| async move { (of, list_within(cloud, of).await) });
    for (of, listing) in join_all(listings).await {
        match listing {
            Ok(listing) => {
                found.complete.insert(of);
                found.asked.insert(of);
                take(listing, &vpcs, (recorded, others), found);
            }
            Err(error) => {
                tracing::warn!(%error, "failed to list; what is on record counts");
                found.asked.extend(is_final(of, &error).then_some(of));
            }
        }
    }
}

/// Targets are in the VPC of their group (an `ip` target outside of it is no instance of ours), so that most groups
/// need not be asked. An instance that has ended shows no VPC: then all are asked.
fn take(
    listing: Listing,
    vpcs: &BTreeSet<&String>,
    (recorded, others): (&mut Groups, &mut Groups),
    found: &mut Registrations,
) {
    for listed in listing.groups {
        let near = |vpc: &String| vpcs.is_empty() || vpcs.contains(vpc);
        let port = listed.port.map(|it| (listed.group.clone(), it));
        found.ports.extend(port);
        if let Some(registrations) = listed.registrations {
            recorded.remove(&listed.group);
            found.list_mut().extend(registrations);
        } else if let Some(vpc) = recorded.get_mut(&listed.group) {
            *vpc = listed.vpc;
        } else if listed.vpc.as_ref().is_none_or(near) {
            others.insert(listed.group, listed.vpc);
        }
    }
}

/// The error will not pass soon: denied, or a service that the Region does not have.
fn is_final(of: Balancing, error: &CloudError) -> bool {
    error.class != Class::Transient || (of != Balancing::Elb && !error.is_throttled())
}

async fn list_within(cloud: &dyn Cloud, of: Balancing) -> Result<Listing, CloudError> {
    let listing = cloud.target_groups(of);
    if of == Balancing::Elb {
        return listing.await;
    }
    let answer = tokio::time::timeout(LISTED_WITHIN, listing).await;
    answer.unwrap_or_else(|_| Err(CloudError::no_answer("ListTargetGroups")))
}

/// Groups on record are asked first. The other groups only show what the record has missed: once their service is
/// throttled they count as not read, since deregistrations take from the same bucket. So do groups that could not be
/// asked in time: an account may have hundreds.
async fn ask(cloud: &dyn Cloud, recorded: Groups, others: Groups, found: &mut Registrations) {
    let since = Instant::now();
    let scarce = Balancing::ALL.map(|_| AtomicBool::new(false));
    let recorded = recorded.into_iter().map(|(group, vpc)| (group, vpc, true));
    let others = others.into_iter().map(|(group, vpc)| (group, vpc, false));
    let each = recorded.chain(others).map(|(group, vpc, on_record)| {
        let scarce = &scarce[group.balancing() as usize];
        async move {
            let given_up = scarce.load(Ordering::Relaxed) || since.elapsed() > LISTED_WITHIN;
            if given_up && !on_record {
                return (group, vpc, None);
            }
            let answer = cloud.targets(&group).await;
            let refused = answer.as_ref().is_err_and(CloudError::is_throttled);
            scarce.fetch_or(refused, Ordering::Relaxed);
            (group, vpc, Some(answer))
        }
    });
    let mut answers = stream::iter(each).buffered(AT_ONCE);
    while let Some((group, vpc, answer)) = answers.next().await {
        match answer {
            Some(Ok(list)) => found.list_mut().extend(list.into_iter().map(|it| {
                let vpc = it.vpc.or_else(|| vpc.clone());
                Registration { vpc, ..it }
            })),
            Some(Err(error)) if GROUPS_GONE.contains(&error.code.as_str()) => {
                found.gone.insert(group);
            }
            Some(Err(error)) => {
                tracing::warn!(%error, %group, "failed to read; what is on record counts");
                found.unread.insert(group);
            }
            None => {
                found.unread.insert(group);
            }
        }
    }
}
