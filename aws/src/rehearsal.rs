//! Dry runs, and look-ups of what a launch names. "If you have the required permissions, the error response is
//! `DryRunOperation`. Otherwise, it is `UnauthorizedOperation`."
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFleet.html>

use super::error::failed;
use super::{Aws, fleet, run, tags::tagged};
use aws_sdk_ec2::types::{Filter, LocationType, ResourceType, VolumeType};
use spot_rescue::cloud::{Class, CloudError};
use spot_rescue::id::{AllocationId, InstanceId, SnapshotId};
use spot_rescue::situation::VolumeSettings;
use spot_rescue::step::{Action, InstanceTypes, Launch, Rehearsal};
use spot_rescue::tags::Tags;

const LEAVE: &str = "DryRunOperation";

impl Aws {
    pub(super) async fn rehearse(&self, rehearsal: &Rehearsal) -> Result<String, CloudError> {
        match rehearsal {
            Rehearsal::Launch { launch, interface } => {
                self.rehearse_launch(launch, interface.as_deref()).await
            }
            Rehearsal::Call(action) => leave(self.rehearse_call(action).await),
            Rehearsal::Volume {
                snapshot,
                availability_zone,
                settings,
                tags,
            } => {
                let zone = availability_zone;
                let answer = self.rehearse_volume(snapshot.as_ref(), zone, settings, tags);
                leave(answer.await)
            }
            Rehearsal::Address {
                allocation,
                instance,
            } => leave(self.rehearse_address(allocation, instance).await),
            Rehearsal::KeyPair(name) => self.key_pair(name).await,
            Rehearsal::SecurityGroups(ids) => self.security_groups(ids).await,
            Rehearsal::Type {
                instance_type,
                availability_zone,
            } => self.offering(instance_type, availability_zone).await,
        }
    }

    /// The launch that a fleet makes is checked with its own permissions, and more of it is checked.
    async fn rehearse_launch(
        &self,
        launch: &Launch,
        interface: Option<&[String]>,
    ) -> Result<String, CloudError> {
        let fleet = fleet::request(&self.ec2, launch)?.dry_run(true);
        leave(fleet.send().await.map_err(failed("CreateFleet")))?;
        if let InstanceTypes::Like(_) = launch.instance_types {
            return Ok(String::new());
        }
        let run = run::rehearsal(&self.ec2, launch, interface)?;
        match leave(run.send().await.map_err(failed("RunInstances"))) {
            // A fleet builds its launch in another way: errors about the form of ours do not concern a warning.
            Err(error) if is_of_form(&error) => Ok(String::new()),
            answer => answer,
        }
    }

    async fn rehearse_call(&self, action: &Action) -> Result<(), CloudError> {
        if let Action::SnapshotInstance {
            instance,
            description,
            tags,
            copy_tags,
            except,
        } = action
        {
            let request = self.snapshots(instance, description, tags, *copy_tags, except);
            let answer = request.dry_run(true).send().await;
            answer.map_err(failed("CreateSnapshots"))?;
        } else if let Action::CopyVolume(copy) = action {
            let answer = self.copy(copy).dry_run(true).send().await;
            answer.map_err(failed("CopyVolumes"))?;
        } else {
            let message = format!("there is no dry run of this: {action}");
            return Err(CloudError {
                class: Class::Transient,
                ..CloudError::new("DryRun", "NotRehearsed", &message, None)
            });
        }
        Ok(())
    }

    async fn rehearse_volume(
        &self,
        snapshot: Option<&SnapshotId>,
        zone: &str,
        settings: &VolumeSettings,
        tags: &Tags,
    ) -> Result<(), CloudError> {
        let request = self
            .ec2
            .create_volume()
            .set_snapshot_id(snapshot.map(ToString::to_string))
            .availability_zone(zone)
            .volume_type(VolumeType::from(settings.volume_type.as_str()))
            .size(settings.size)
            .set_iops(settings.iops)
            .set_throughput(settings.throughput)
            .set_encrypted(settings.encrypted.then_some(true))
            .set_kms_key_id(settings.kms_key.clone())
            .tag_specifications(tagged(ResourceType::Volume, tags))
            .dry_run(true);
        request.send().await.map_err(failed("CreateVolume"))?;
        Ok(())
    }

    async fn rehearse_address(
        &self,
        allocation: &AllocationId,
        instance: &InstanceId,
    ) -> Result<(), CloudError> {
        let request = self
            .ec2
            .associate_address()
            .allocation_id(allocation.as_str())
            .instance_id(instance.as_str())
            .allow_reassociation(true)
            .dry_run(true);
        request.send().await.map_err(failed("AssociateAddress"))?;
        Ok(())
    }

    async fn key_pair(&self, name: &str) -> Result<String, CloudError> {
        let request = self.ec2.describe_key_pairs().key_names(name);
        request.send().await.map_err(failed("DescribeKeyPairs"))?;
        Ok(String::new())
    }

    async fn security_groups(&self, ids: &[String]) -> Result<String, CloudError> {
        let request = self.ec2.describe_security_groups();
        let request = request.set_group_ids(Some(ids.to_vec()));
        request
            .send()
            .await
            .map_err(failed("DescribeSecurityGroups"))?;
        Ok(String::new())
    }

    /// An empty list means that the type is not sold there.
    async fn offering(&self, instance_type: &str, zone: &str) -> Result<String, CloudError> {
        const CALL: &str = "DescribeInstanceTypeOfferings";
        let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
        let request = self
            .ec2
            .describe_instance_type_offerings()
            .location_type(LocationType::AvailabilityZone)
            .filters(filter("instance-type", instance_type))
            .filters(filter("location", zone));
        let answer = request.send().await.map_err(failed(CALL))?;
        if answer.instance_type_offerings().is_empty() {
            let message = format!("{instance_type} is not offered in {zone}");
            return Err(CloudError::new(CALL, "Unsupported", &message, None));
        }
        Ok(String::new())
    }
}

/// The permission to do it, without doing it.
fn leave<T>(answer: Result<T, CloudError>) -> Result<String, CloudError> {
    match answer {
        Err(error) if error.code == LEAVE => Ok(String::new()),
        Err(error) => Err(error),
        Ok(_) => Ok(String::new()),
    }
}

fn is_of_form(error: &CloudError) -> bool {
    ["InvalidParameterCombination", "MissingParameter"].contains(&error.code.as_str())
}
