"""Launch templates.

AWS: names are unique; versions never change; `$Latest` and `$Default` are resolved at launch; an unknown
name or id fails a lookup by name or id and not one by filter; launched instances get
`aws:ec2launchtemplate:id` and `:version`
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-launch-templates.html). moto shows the tags a
template had when it was created, mixes them into the version's data, ends after 15 without a next page,
and names the account's root as the creator of everything: AWS names the principal
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplate.html).

Not verified on AWS: that the latest version is the highest that has not been deleted.
"""

from typing import Any

from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.responses import EC2Response
from moto.ec2.utils import parse_user_data

from local.aws import callers, tags, tokens
from local.aws.filters import View, matching, page
from local.aws.patch import Answer, answers, refuse, shelf

FIELDS = {
    "launch-template-name": lambda it: it["LaunchTemplateName"],
    "launch-template-id": lambda it: it["LaunchTemplateId"],
}


def find(backend: Any, wanted: dict[str, Any]) -> LaunchTemplate:
    template_id = wanted.get("LaunchTemplateId")
    if template_id:
        return backend.get_launch_template(template_id)
    name = wanted.get("LaunchTemplateName")
    if not name:
        message = "Either a launch template ID or a launch template name is needed"
        raise refuse("MissingParameter", message)
    return backend.get_launch_template_by_name(name)


def resolve(backend: Any, wanted: dict[str, Any]) -> Any:
    """The version a launch uses."""
    template = find(backend, wanted)
    number = str(wanted.get("Version") or "$Default")
    if number == "$Latest":
        return versions(template)[-1]
    if number.isdecimal():
        return version(template, int(number))
    return template.get_version(number)


def gone(template: LaunchTemplate) -> set[int]:
    """Numbers of versions that were deleted; none is given again."""
    everybodys: dict[str, set[int]] = shelf(template.ec2_backend, "deleted_versions", dict)
    return everybodys.setdefault(template.id, set())


def versions(template: LaunchTemplate) -> list[Any]:
    return [it for it in template.versions if it.number not in gone(template)]


def version(template: LaunchTemplate, number: int) -> Any:
    for it in versions(template):
        if it.number == number:
            return it
    message = f"Could not find the specified version {number} for {template.id}."
    raise refuse("InvalidLaunchTemplateId.VersionNotFound", message)


def overlaid(template: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """The template, overlaid with the request."""
    given = {name: it for name, it in request.items() if it not in (None, [], {})}
    return {**template, **given}


def reserved_tags(version: Any) -> dict[str, str]:
    return {
        "aws:ec2launchtemplate:id": version.template.id,
        "aws:ec2launchtemplate:version": str(version.number),
    }


def view(template: Any) -> View:
    backend = template.ec2_backend
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "CreateTime": template.create_time,
        "CreatedBy": _creators(backend).get(template.id) or callers.root(backend.account_id),
        "DefaultVersionNumber": template.default_version_number,
        "LatestVersionNumber": versions(template)[-1].number,
        "Tags": tags.shown(backend, template.id),
    }


def _creators(backend: Any) -> dict[str, str]:
    return shelf(backend, "template_creators", dict)


def _data(call: Any) -> dict[str, Any]:
    data = dict(call._get_param("LaunchTemplateData") or {})
    if not data:
        message = "You must specify launch template data"
        raise refuse("MissingParameter", message)
    if data.get("UserData"):
        data["UserData"] = parse_user_data(data["UserData"])
    return data


@answers(EC2Response)
def create_launch_template(call: Any) -> Answer:
    return tokens.once(call, lambda: _create(call))


def _create(call: Any) -> Answer:
    backend = call.ec2_backend
    wanted = tags.requested(call, "launch-template")
    name, data = call._get_param("LaunchTemplateName"), _data(call)
    description = call._get_param("VersionDescription")
    template = backend.create_launch_template(name, description, data, {})
    tags.write(backend, template.id, wanted)
    _creators(backend)[template.id] = callers.arn(call)
    return {"LaunchTemplate": view(template)}


@answers(EC2Response)
def create_launch_template_version(call: Any) -> Answer:
    return tokens.once(call, lambda: _create_version(call))


def _create_version(call: Any) -> Answer:
    template = find(call.ec2_backend, call._get_params())
    source = call._get_param("SourceVersion")
    base = version(template, int(source)).data if source else {}
    data = {**base, **_data(call)}
    made = template.create_version(data, call._get_param("VersionDescription"))
    return {"LaunchTemplateVersion": version_view(made)}


def version_view(it: Any) -> Answer:
    return {
        "CreateTime": it.create_time,
        "DefaultVersion": it.template.is_default(it),
        "LaunchTemplateData": it.data,
        "LaunchTemplateId": it.template.id,
        "LaunchTemplateName": it.template.name,
        "VersionDescription": it.description,
        "VersionNumber": it.number,
    }


@answers(EC2Response)
def describe_launch_templates(call: Any) -> Answer:
    backend = call.ec2_backend
    names = [{"LaunchTemplateName": it} for it in call._get_param("LaunchTemplateNames") or []]
    ids = [{"LaunchTemplateId": it} for it in call._get_param("LaunchTemplateIds") or []]
    by_key = [find(backend, it) for it in [*names, *ids]]
    found = by_key or list(backend.launch_templates.values())
    views = matching(call, map(view, found), FIELDS)
    return page(call, "LaunchTemplates", views, at_most=200)


@answers(EC2Response)
def delete_launch_template(call: Any) -> Answer:
    backend = call.ec2_backend
    template = find(backend, call._get_params())
    shown = view(template)
    backend.launch_templates.pop(template.id)
    backend.launch_template_name_to_ids.pop(template.name, None)
    backend.tags.pop(template.id, None)
    return {"LaunchTemplate": shown}
