"""Volumes that are special: encrypted with a key of the user's, shared with other instances."""

from __future__ import annotations

import json
from typing import Any

from local import checks
from local.checks import Evidence, Result
from local.deploy import ROOT
from local.scenarios import foretold
from local.scenarios.capacity import without_the_zone
from local.scenarios.scenario import Scenario, interrupt
from local.stage import Stage
from local.world import ZONES

ENCRYPTED, SHARED = "/dev/sdh", "/dev/sdi"
IN_ANOTHER_ZONE = lambda stage: {"spot-rescue:subnets": stage.world.subnets[ZONES[1]]}
USES = (
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
)


def key(endpoint: str) -> dict[str, str]:
    """A customer managed key, which the stack's parameter names."""
    made = ROOT.client("kms", endpoint).create_key(Description="volumes")["KeyMetadata"]
    return {"KmsKeyArns": str(made["Arn"])}


def unnamed_key(endpoint: str) -> dict[str, str]:
    """The same, and the stack is not told."""
    key(endpoint)
    return {}


def the_key(stage: Stage) -> str:
    kms = stage.deployment.admin.client("kms", stage.deployment.endpoint)
    found = [kms.describe_key(KeyId=it["KeyId"])["KeyMetadata"] for it in kms.list_keys()["Keys"]]
    (ours,) = [str(it["Arn"]) for it in found if it["Description"] == "volumes"]
    return ours


def with_encrypted_volume(stage: Stage, instances: list[str]) -> None:
    settings = {"VolumeType": "gp3", "Size": 5, "Encrypted": True, "KmsKeyId": the_key(stage)}
    given(stage, instances[0], ENCRYPTED, settings)


def given(stage: Stage, instance: str, device: str, settings: dict[str, Any]) -> str:
    """A volume of the user's, attached."""
    ec2 = stage.world.ec2
    volume = str(ec2.create_volume(AvailabilityZone=ZONES[0], **settings)["VolumeId"])
    attach(stage, volume, instance, device)
    return volume


def attach(stage: Stage, volume: str, instance: str, device: str) -> None:
    ec2 = stage.world.ec2
    state = lambda: ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
    stage.until("the volume", lambda: state()["State"] in ("available", "in-use"), 60)
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=device)
    attached = lambda: {it["InstanceId"]: it["State"] for it in state()["Attachments"]}
    stage.until("the attachment", lambda: attached().get(instance) == "attached", 60)


def with_the_key(evidence: Evidence) -> list[Result]:
    device, _ = evidence.after().volumes[ENCRYPTED]
    (volume,) = [it for it in evidence.stage.world.volumes() if it["VolumeId"] == device]
    wanted = (True, the_key(evidence.stage))
    found = (volume["Encrypted"], volume["KmsKeyId"])
    return [checks.equal("encrypted with the same key", wanted, found)]


def refused_and_granted(stage: Stage, instances: list[str]) -> None:
    """The key cannot be used until the log has been read. It is tried again by a sweep, a quarter of an
    hour after the failure at the earliest.
    """
    without_the_zone(stage, instances)
    name = the_key(stage)
    told = lambda: any(name in str(it.get("notes")) and failed(it) for it in stage.log.lines)
    stage.until("the key to be told", told, 900)
    lost = lambda: any(it["outcome"] == "failed" for it in stage.log.outcomes())
    stage.until("the failure to be told", lost, 300)
    iam = stage.deployment.admin.client("iam", stage.deployment.endpoint)
    (role,) = [it for it in iam.list_roles()["Roles"] if "FunctionRole" in it["RoleName"]]
    statement = {"Effect": "Allow", "Action": [f"kms:{it}" for it in USES], "Resource": name}
    iam.put_role_policy(
        RoleName=role["RoleName"],
        PolicyName="key",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    back = lambda: any(it["outcome"] == "back-in-service" for it in stage.log.outcomes())
    stage.sweeps("the rescue", back, 4)


def disabled_and_enabled(stage: Stage, instances: list[str]) -> None:
    """The key has been disabled; a sweep finds out, and it is enabled again before the warning."""
    kms = stage.deployment.admin.client("kms", stage.deployment.endpoint)
    name = the_key(stage)
    key_id = name.rpartition("/")[2]
    kms.disable_key(KeyId=key_id)
    stage.sweeps("it to be said", lambda: bool(said(stage, f"{name} is Disabled")), 2)
    stage.meanwhile = foretold.caveats(stage)
    kms.enable_key(KeyId=key_id)
    stage.sweeps("the caveat to go away", lambda: not foretold.caveats(stage), 2)
    stage.settle(900)
    interrupt(stage, instances)


def said(stage: Stage, words: str) -> list[dict[str, Any]]:
    return [it for it in stage.log.lines if words in str(it.get("notes"))]


def foretold_of_the_key(evidence: Evidence) -> list[Result]:
    stage = evidence.stage
    name = the_key(stage)
    told = said(stage, f"{name} is Disabled")
    volume = evidence.before.volumes[ENCRYPTED][0]
    return [
        checks.equal("said once", 1, len(told)),
        Result(volume in str(told) and "enable-key" in str(told), "the volume, and what to do"),
        Result(f"{name.rpartition(':')[2]}=Disabled" in stage.meanwhile, "it was on record"),
        Result(bool(said(stage, "no longer refused")), "and that it is over was said"),
        Result(stage.called("kms:DescribeKey"), "KMS was asked"),
    ]


def encrypts_by_default(stage: Stage, instances: list[str]) -> None:
    """The account's new volumes are encrypted, with a key of the user's that the stack names."""
    ec2, name = stage.world.ec2, the_key(stage)
    ec2.enable_ebs_encryption_by_default()
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=name)


def with_the_default_key(evidence: Evidence) -> list[Result]:
    stage, name = evidence.stage, the_key(evidence.stage)
    root = evidence.after().root
    (made,) = [it for it in stage.world.volumes() if it["VolumeId"] == root]
    return [
        checks.equal("the fresh root is encrypted with it", name, made.get("KmsKeyId")),
        checks.equal("nothing is to be said about it", [], said(stage, "the account encrypts")),
        Result(stage.called("ec2:GetEbsDefaultKmsKeyId"), "the account was asked"),
    ]


def failed(line: dict[str, Any]) -> bool:
    return "cannot be restored" in str(line["notes"])


def told_with_the_key(evidence: Evidence) -> list[Result]:
    stage = evidence.stage
    notes = [it for it in stage.log.lines if "cannot be restored" in str(it.get("notes"))]
    advice = [it for it in notes if "KmsKeyArns" in str(it["notes"])]
    told = [it["outcome"] for it in stage.log.outcomes()]
    beforehand = [it for it in stage.log.lines if "encrypted with" in str(it.get("notes"))]
    errors = [it for it in stage.world.volumes() if it["State"] == "error"]
    old = [it["VolumeId"] for it in stage.world.volumes()]
    return [
        Result(bool(beforehand), "it was said when the rescue was prepared"),
        Result(bool(advice), "and when it came so, with the key and what to do"),
        # By the time of the sweep it has not served for ten minutes either.
        checks.equal("reported until it is back", ["failed", "stuck", "back-in-service"], told),
        Result(bool(errors), "EC2 refused after it had answered"),
        Result(evidence.before.volumes[ENCRYPTED][0] in old, "the volume itself is still there"),
    ]


def shared(stage: Stage, instances: list[str]) -> None:
    """Between the protected instance and an unprotected one."""
    settings = {"VolumeType": "io2", "Size": 5, "Iops": 100, "MultiAttachEnabled": True}
    volume = given(stage, instances[0], SHARED, settings)
    (other,) = stage.world.launch(tags={"spot-rescue": "off"})
    stage.until("the other", lambda: stage.world.states([other])[other] == "running", 100)
    attach(stage, volume, other, SHARED)


def before_the_end(stage: Stage, instances: list[str]) -> None:
    """A shared volume need not be detached first."""
    (instance,) = instances
    interrupt(stage, instances)
    stage.until("three holders", lambda: len(holders(stage, instance)) == 3, 100)


def holders(stage: Stage, instance: str) -> set[str]:
    """Of the volume that is shared; while the old instance has it, it is one of them."""
    (volume,) = [it for it in stage.world.volumes() if it["MultiAttachEnabled"]]
    return {it["InstanceId"] for it in volume["Attachments"]}


def still_shared(evidence: Evidence) -> list[Result]:
    held = holders(evidence.stage, evidence.before.instance)
    replacement = evidence.outcome["replacement"]
    return [
        checks.equal("two instances share it", 2, len(held)),
        Result(replacement in held, "the replacement is one of them"),
        Result(evidence.before.instance not in held, "the old instance is not"),
    ]


ALL = (checks.rejoined, checks.one_replacement)
SCENARIOS = [
    Scenario(
        name="key",
        story="a volume encrypted with a key of the user's is restored in another zone with it",
        parameters=key,
        tags=IN_ANOTHER_ZONE,
        more=with_encrypted_volume,
        drive=without_the_zone,
        checks=(checks.restored, with_the_key, *ALL),
        deadline=900,
    ),
    Scenario(
        name="key-denied",
        story="that key is not among KmsKeyArns: reported with what to do, and done once it is granted",
        parameters=unnamed_key,
        tags=IN_ANOTHER_ZONE,
        more=with_encrypted_volume,
        drive=refused_and_granted,
        checks=(checks.restored, with_the_key, told_with_the_key, *ALL),
        # What the last sweep has begun.
        rest=1000,
    ),
    Scenario(
        name="key-disabled",
        story="that key is disabled: the next sweep says so, and what to do; it is enabled in time",
        parameters=key,
        more=with_encrypted_volume,
        drive=disabled_and_enabled,
        checks=(checks.moved, with_the_key, foretold_of_the_key, *ALL),
    ),
    Scenario(
        name="default-key",
        story="the account encrypts what is new by default: the fresh root has its key",
        parameters=key,
        early=encrypts_by_default,
        checks=(checks.moved, with_the_default_key, *ALL),
    ),
    Scenario(
        name="multi-attach",
        story="a volume shared with another instance goes on to the replacement at once",
        more=shared,
        drive=before_the_end,
        checks=(checks.moved, still_shared, *ALL),
    ),
]
