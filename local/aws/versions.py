"""Versions of launch templates, once they are there.

AWS: another version can be made the default; up to 200 are deleted in one request; its answer is a 200
that names those that were not, with a code each; the default is not deleted
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResponseError.html). moto cannot delete one, and
makes a version the default that does not exist.

Not verified on AWS: the code for the default version.
"""

from typing import Any

from moto.ec2.responses import EC2Response

from local.aws import templates
from local.aws.patch import Answer, answers, refuse

AT_ONCE = 200


@answers(EC2Response)
def modify_launch_template(call: Any) -> Answer:
    template = templates.find(call.ec2_backend, call._get_params())
    number = call._get_param("DefaultVersion")
    if not str(number or "").isdecimal():
        raise refuse("MissingParameter", "The default version is needed, as a number")
    template.default_version_number = templates.version(template, int(number)).number
    return {"LaunchTemplate": templates.view(template)}


@answers(EC2Response)
def delete_launch_template_versions(call: Any) -> Answer:
    template = templates.find(call.ec2_backend, call._get_params())
    numbers = [int(it) for it in call._get_param("Versions") or []]
    if not 1 <= len(numbers) <= AT_ONCE:
        raise refuse(
            "InvalidParameterValue", f"Between 1 and {AT_ONCE} versions are deleted at once"
        )
    deleted, left = [], []
    for number in numbers:
        it = _item(template, number)
        error = _delete(template, number)
        if error is None:
            deleted.append(it)
        else:
            left.append(it | {"ResponseError": error})
    return {
        "SuccessfullyDeletedLaunchTemplateVersions": deleted,
        "UnsuccessfullyDeletedLaunchTemplateVersions": left,
    }


def _item(template: Any, number: int) -> Answer:
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "VersionNumber": number,
    }


def _delete(template: Any, number: int) -> Answer | None:
    if number == template.default_version_number:
        return {"Code": "unexpectedError", "Message": "It is the default version"}
    if number not in {it.number for it in templates.versions(template)}:
        message = f"The version {number} of the template {template.id} does not exist"
        return {"Code": "launchTemplateVersionDoesNotExist", "Message": message}
    templates.gone(template).add(number)
    return None


@answers(EC2Response)
def describe_launch_template_versions(call: Any) -> Answer:
    """All of one template's, or those that are named by number."""
    template = templates.find(call.ec2_backend, call._get_params())
    wanted = {int(it) for it in call._get_param("Versions") or []}
    found = [it for it in templates.versions(template) if not wanted or it.number in wanted]
    return {"LaunchTemplateVersions": [templates.version_view(it) for it in found]}
