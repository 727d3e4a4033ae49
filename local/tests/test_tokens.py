"""ClientToken."""

import uuid
from concurrent.futures import ThreadPoolExecutor

from local.tests.fleets import fleet, template
from local.tests.harness import TYPE, ZONE_A, Local, code_of, until


def _token() -> str:
    return uuid.uuid4().hex


# TRAP 7
def test_other_parameters_do_not_match(aws: Local) -> None:
    """ "IdempotentParameterMismatch: ... the same client token as a previous, but non-identical
    request." """
    token = _token()
    create = aws.ec2.create_volume
    first = create(AvailabilityZone=ZONE_A, Size=1, ClientToken=token)["VolumeId"]
    assert create(AvailabilityZone=ZONE_A, Size=1, ClientToken=token)["VolumeId"] == first
    other = code_of(create, AvailabilityZone=ZONE_A, Size=2, ClientToken=token)
    assert other == "IdempotentParameterMismatch"


# TRAP 7
def test_concurrent_twins_get_one_instance(aws: Local) -> None:
    """An idempotent API request completes no more than one time."""
    name, token = template(aws), _token()

    def create(_: int) -> str:
        return fleet(aws, name, ClientToken=token)["Instances"][0]["InstanceIds"][0]

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(create, range(16)))) == 1


def test_a_failure_does_not_use_up_the_token(aws: Local) -> None:
    """ "completes no more than one time": a request that failed has not completed. Of launches it has."""
    snapshot = aws.ec2.create_snapshot(VolumeId=aws.new_volume())["SnapshotId"]
    create = aws.ec2.create_volume
    wanted = {"AvailabilityZone": ZONE_A, "SnapshotId": snapshot, "ClientToken": _token()}
    assert code_of(create, **wanted) == "IncorrectState"
    until(lambda: aws.snapshot(snapshot)["State"] == "completed")
    create(**wanted)


def test_templates_and_versions_have_tokens_too(aws: Local) -> None:
    """ClientToken: "to ensure the idempotency of the request"."""
    name, token = f"token-{_token()}", _token()
    data = {"ImageId": aws.image, "InstanceType": TYPE}
    create = aws.ec2.create_launch_template
    wanted = {"LaunchTemplateName": name, "LaunchTemplateData": data, "ClientToken": token}
    first, again = create(**wanted)["LaunchTemplate"], create(**wanted)["LaunchTemplate"]
    assert first["LaunchTemplateId"] == again["LaunchTemplateId"]
    version = aws.ec2.create_launch_template_version
    versions = [version(**wanted)["LaunchTemplateVersion"]["VersionNumber"] for _ in range(2)]
    assert versions == [2, 2]
