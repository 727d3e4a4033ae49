//! Versions of launch templates: which is launched, and which are kept.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyLaunchTemplate.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResponseError.html>

use super::{error::failed, tags};
use aws_sdk_ec2::types::{
    DeleteLaunchTemplateVersionsResponseErrorItem, LaunchTemplateErrorCode,
    LaunchTemplateTagSpecification,
};
use spot_rescue::cloud::{Class, CloudError};
use spot_rescue::id::TemplateId;
use spot_rescue::step::LaunchTemplate;
use spot_rescue::tags::Tags;
use std::collections::BTreeMap;

const READ: &str = "DescribeLaunchTemplateVersions";
const DELETE: &str = "DeleteLaunchTemplateVersions";
/// "You can delete up to 200 launch template versions in a single request."
const AT_ONCE: usize = 200;

/// Never `$Latest`: a caller that may add a version could have its own launched. A name alone tells neither which
/// template it is nor which version.
pub fn of<'a>(
    template: &'a LaunchTemplate,
    operation: &'static str,
) -> Result<(&'a TemplateId, String), CloudError> {
    match template {
        LaunchTemplate::Version(id, number) => Ok((id, number.to_string())),
        LaunchTemplate::Name(name) => {
            let message = format!("{name} is a name; only a version by its number is launched");
            Err(CloudError::new(operation, "NoVersion", &message, None))
        }
    }
}

/// The tags that a version gives to launched resources, by the kind of resource. None where reading them is denied.
pub async fn tags(
    ec2: &aws_sdk_ec2::Client,
    template: &TemplateId,
    number: &str,
) -> Result<BTreeMap<String, Tags>, CloudError> {
    let request = ec2
        .describe_launch_template_versions()
        .launch_template_id(template.as_str())
        .versions(number);
    let answer = match request.send().await.map_err(failed(READ)) {
        Err(error) if error.class == Class::Denied => {
            tracing::warn!(%error, "failed to read the tags of the template's version: launching with the function's tags alone");
            return Ok(BTreeMap::new());
        }
        answer => answer?,
    };
    let versions = answer.launch_template_versions().iter();
    let data = versions.filter_map(|it| it.launch_template_data());
    let all = data.flat_map(|it| it.tag_specifications());
    let of = |it: &LaunchTemplateTagSpecification| {
        let kind = it.resource_type()?.as_str().to_owned();
        Some((kind, tags::tags(it.tags())))
    };
    Ok(all.filter_map(of).collect())
}

/// Template and version that a call has written, for the step's report.
pub fn written(
    id: Option<&str>,
    number: Option<i64>,
    operation: &'static str,
) -> Result<String, CloudError> {
    let (Some(id), Some(number)) = (id, number) else {
        let message = "the answer names no version";
        return Err(CloudError::new(operation, "Empty", message, None));
    };
    Ok(format!("{id} {number}"))
}

/// The default first: it cannot be deleted.
pub async fn trim(
    ec2: &aws_sdk_ec2::Client,
    template: &TemplateId,
    default: u64,
    versions: &[u64],
) -> Result<String, CloudError> {
    let request = ec2
        .modify_launch_template()
        .launch_template_id(template.as_str())
        .default_version(default.to_string());
    let answer = request.send().await;
    answer.map_err(failed("ModifyLaunchTemplate"))?;
    for versions in versions.chunks(AT_ONCE) {
        delete(ec2, template, versions).await?;
    }
    Ok(String::new())
}

/// HTTP 200 proves nothing: versions that were not deleted are in the answer.
async fn delete(
    ec2: &aws_sdk_ec2::Client,
    template: &TemplateId,
    versions: &[u64],
) -> Result<(), CloudError> {
    let numbers = versions.iter().map(ToString::to_string).collect();
    let request = ec2
        .delete_launch_template_versions()
        .launch_template_id(template.as_str())
        .set_versions(Some(numbers));
    let answer = request.send().await.map_err(failed(DELETE))?;
    let left = answer.unsuccessfully_deleted_launch_template_versions();
    left.iter().find_map(refused).map_or(Ok(()), Err)
}

/// A version that is gone already is no failure.
fn refused(item: &DeleteLaunchTemplateVersionsResponseErrorItem) -> Option<CloudError> {
    let error = item.response_error();
    let code = error.and_then(|it| it.code());
    if let Some(
        LaunchTemplateErrorCode::LaunchTemplateIdDoesNotExist
        | LaunchTemplateErrorCode::LaunchTemplateVersionDoesNotExist,
    ) = code
    {
        return None;
    }
    let code = code.map_or("unexpectedError", LaunchTemplateErrorCode::as_str);
    let message = error.and_then(|it| it.message()).unwrap_or("no message");
    let number = item.version_number().unwrap_or_default();
    let message = format!("version {number}: {message}");
    Some(CloudError::new(DELETE, code, &message, None))
}
