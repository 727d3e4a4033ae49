//! A deletion that is refused because nothing is left to delete.
//!
//! The role may delete only resources with our mark (`aws:ResourceTag`). A resource that is gone has no marks, so AWS
//! may answer `not authorized` where callers with wider rights are told that it does not exist [field]. Then the
//! resource is looked up by its id. If it still exists, it is not ours to delete, and the refusal is reported.

use crate::cloud::{Class, Cloud, CloudError, Query};
use crate::situation::{Image, ImageState, Instance, SpotRequest, Volume};
use crate::step::{Action, Network};

pub async fn judge(
    cloud: &dyn Cloud,
    action: &Action,
    answer: Result<String, CloudError>,
) -> Result<String, CloudError> {
    match answer {
        Err(error) if error.class == Class::Denied && is_gone(cloud, action).await => {
            Err(CloudError {
                class: Class::AlreadyDone,
                ..error
            })
        }
        answer => answer,
    }
}

/// A resource that cannot be read is not taken for gone.
async fn is_gone(cloud: &dyn Cloud, action: &Action) -> bool {
    let left = match action {
        Action::DeleteVolume { volume } => {
            let found = cloud.volumes(&Query::Volumes(vec![volume.clone()])).await;
            found.map(|it| it.iter().any(Volume::is_usable))
        }
        Action::DeleteSnapshot { snapshot } => {
            let asked = Query::Snapshots(vec![snapshot.clone()]);
            cloud.snapshots(&asked).await.map(|it| !it.is_empty())
        }
        Action::DeleteTemplate { template } => {
            let asked = Query::Template(template.clone());
            cloud.templates(&asked).await.map(|it| !it.is_empty())
        }
        Action::DeregisterImage { image } => {
            let found = cloud.images(&Query::Images(vec![image.clone()])).await;
            found.map(|it| it.iter().any(|it: &Image| it.state != ImageState::Unusable))
        }
        Action::Network(Network::Delete { interface }) => {
            let asked = Query::Interfaces(vec![interface.clone()]);
            cloud.interfaces(&asked).await.map(|it| !it.is_empty())
        }
        Action::Terminate { instance } => {
            let asked = Query::Instances(vec![instance.clone()]);
            let found = cloud.instances(&asked).await;
            found.map(|it| it.iter().any(Instance::is_alive))
        }
        Action::CancelRequest { request } => {
            let found = cloud.requests(std::slice::from_ref(request)).await;
            found.map(|it| it.iter().any(|it: &SpotRequest| it.live))
        }
        Action::Tag { .. }
        | Action::Untag { .. }
        | Action::Deregister { .. }
        | Action::Register { .. }
        | Action::SetDeleteOnTermination { .. }
        | Action::SnapshotInstance { .. }
        | Action::SnapshotVolume { .. }
        | Action::Launch(_)
        | Action::WriteTemplate(_)
        | Action::TrimTemplate { .. }
        | Action::CreateVolume(_)
        | Action::CopyVolume(_)
        | Action::RestoreFromBin { .. }
        | Action::Attach { .. }
        | Action::ReplaceRoot(_)
        | Action::RegisterImage(_)
        | Action::Network(_)
        | Action::PointName(_)
        | Action::Rehearse(_)
        | Action::Group(_)
        | Action::Wake { .. }
        | Action::Wakes(_) => return false,
    };
    left.is_ok_and(|it| !it)
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use super::*;
    use crate::calls::Calls;
    use crate::sim::{FailingCloud, Fault, Kind, On, World};
    use crate::tags::Tags;
    use std::str::FromStr;

    fn id<T: FromStr>(text: &str) -> T {
        let id = text.parse().ok();
        id.expect("an id")
    }

    /// Nothing in the account has one of these ids.
    fn deletions() -> Vec<(&'static str, Action)> {
        vec![
            (
                "DeleteVolume",
                Action::DeleteVolume {
                    volume: id("vol-0123456789abcdef0"),
                },
            ),
            (
                "DeleteSnapshot",
                Action::DeleteSnapshot {
                    snapshot: id("snap-0123456789abcdef0"),
                },
            ),
            (
                "DeleteLaunchTemplate",
                Action::DeleteTemplate {
                    template: id("lt-0123456789abcdef0"),
                },
            ),
            (
                "DeregisterImage",
                Action::DeregisterImage {
                    image: id("ami-0123456789abcdef0"),
                },
            ),
            (
                "DeleteNetworkInterface",
                Action::Network(Network::Delete {
                    interface: id("eni-0123456789abcdef0"),
                }),
            ),
            (
                "TerminateInstances",
                Action::Terminate {
                    instance: id("i-0123456789abcdef0"),
                },
            ),
            (
                "CancelSpotInstanceRequests",
                Action::CancelRequest {
                    request: id("sir-01234567"),
                },
            ),
        ]
    }

    fn denying(world: &World, call: &'static str) -> FailingCloud<World> {
        let denied = Fault {
            on: On::Every(call),
            kind: Kind::Code("UnauthorizedOperation"),
        };
        FailingCloud::new(world.clone(), vec![denied])
    }

    #[tokio::test]
    async fn a_denied_deletion_of_a_missing_resource_counts_as_done() {
        for (call, action) in deletions() {
            let cloud = denying(&World::new(1), call);
            let answer = Calls::new(&cloud).act(&action).await;
            let error = answer.expect_err("it is refused");
            assert_eq!(error.class, Class::AlreadyDone, "{error}");
            assert_eq!(cloud.struck(), [call]);
        }
    }

    /// The resource exists, or that is unknown: the policy has to be corrected.
    #[tokio::test]
    async fn a_denied_deletion_of_a_resource_that_may_exist_stays_denied() {
        let world = World::new(1);
        let there = Action::DeleteVolume {
            volume: world.volume("eu-west-1a"),
        };
        let alive = Action::Terminate {
            instance: world.protected_instance().instance,
        };
        let tag = Action::Tag {
            resources: vec!["vol-0123456789abcdef0".to_owned()],
            tags: Tags::new(),
        };
        let gone = deletions().remove(0).1;
        for (call, action, reads, readable) in [
            ("DeleteVolume", there, 1, true),
            ("TerminateInstances", alive, 1, true),
            ("CreateTags", tag, 0, true),
            ("DeleteVolume", gone, 1, false),
        ] {
            let cloud = denying(&world, call);
            let unread = Fault {
                on: On::Call("DescribeVolumes", 0),
                kind: Kind::Code("InternalError"),
            };
            if !readable {
                cloud.arm(unread);
            }
            let answer = Calls::new(&cloud).act(&action).await;
            let error = answer.expect_err("it is refused");
            assert_eq!(
                (error.class, cloud.reads()),
                (Class::Denied, reads),
                "{error}"
            );
        }
    }
}
