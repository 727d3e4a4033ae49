"""Tags."""

import pytest

from local.tests.harness import TYPE, ZONE_A, Local, code_of, tag_list, tagged

RESERVED = {"aws:x": "1"}
MANY = {f"k{n}": "v" for n in range(51)}


# TRAP 11
@pytest.mark.parametrize(
    ("tags", "code"), [(RESERVED, "InvalidParameterValue"), (MANY, "TagLimitExceeded")]
)
def test_what_no_new_resource_can_have(aws: Local, tags: dict[str, str], code: str) -> None:
    """You can't ... tag keys with the prefix aws:; Maximum number of tags per resource - 50."""
    run = {"ImageId": aws.image, "InstanceType": TYPE, "MinCount": 1, "MaxCount": 1}
    instance = aws.launch(market="on-demand")
    volume = aws.new_volume()
    ec2 = aws.ec2
    snapshots = {"InstanceSpecification": {"InstanceId": instance}}
    on = {
        it: {"TagSpecifications": tagged(it, **tags)} for it in ("instance", "volume", "snapshot")
    }
    assert code_of(ec2.run_instances, **run, **on["instance"]) == code
    assert code_of(ec2.create_volume, AvailabilityZone=ZONE_A, Size=1, **on["volume"]) == code
    assert code_of(ec2.create_snapshot, VolumeId=volume, **on["snapshot"]) == code
    assert code_of(ec2.create_snapshots, **snapshots, **on["snapshot"]) == code
    assert code_of(ec2.create_tags, Resources=[volume], Tags=tag_list(tags)) == code


def test_reserved_tags_do_not_count(aws: Local) -> None:
    """Tags with the aws: prefix do not count against your tags per resource limit."""
    name = f"reserved-{id(aws)}"
    aws.ec2.create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData={"ImageId": aws.image, "InstanceType": TYPE}
    )
    instance = aws.launch(LaunchTemplate={"LaunchTemplateName": name}, running=False)
    fifty = dict(list(MANY.items())[:50])
    aws.ec2.create_tags(Resources=[instance], Tags=tag_list(fifty))
    more = code_of(aws.ec2.create_tags, Resources=[instance], Tags=tag_list({"one": "more"}))
    assert more == "TagLimitExceeded"
    aws.ec2.create_tags(Resources=[instance], Tags=tag_list({"k1": "changed"}))


def test_values_have_a_length(aws: Local) -> None:
    """Maximum value length - 256 Unicode characters."""
    volume = aws.new_volume()
    code = code_of(aws.ec2.create_tags, Resources=[volume], Tags=tag_list({"k": "v" * 257}))
    assert code == "InvalidParameterValue"


def test_a_missing_resource_fails_all(aws: Local) -> None:
    """InvalidVolume.NotFound: The specified volume does not exist."""
    volume = aws.new_volume()
    both = [volume, "vol-0123456789abcdef0"]
    code = code_of(aws.ec2.create_tags, Resources=both, Tags=tag_list({"k": "v"}))
    assert code == "InvalidVolume.NotFound"
    assert not aws.volume(volume).get("Tags")
