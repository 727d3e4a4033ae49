"""What `make bench` compares with: the same rescue in the shape of AWS's samples.

Describe the instance, look for it in every target group, take it out, keep its volumes, snapshot
them, launch another. Written to be read, one call after another, with boto3's defaults. It skips
what a sample skips: no tags are remembered, nothing is prepared, nothing moves over later.
"""

import json

import boto3

ec2 = boto3.client("ec2")
elb = boto3.client("elbv2")


def handler(event, context):
    for record in event["Records"]:
        rescue(json.loads(record["body"])["detail"]["instance-id"])
    return {"batchItemFailures": []}


def rescue(instance_id):
    reservations = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
    instance = reservations[0]["Instances"][0]
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    if tags.get("spot-rescue") != "on":
        return
    deregister(instance_id)
    keep_volumes(instance)
    ec2.create_snapshots(InstanceSpecification={"InstanceId": instance_id})
    launch(instance, tags)


def deregister(instance_id):
    for page in elb.get_paginator("describe_target_groups").paginate():
        for group in page["TargetGroups"]:
            arn = group["TargetGroupArn"]
            health = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            targets = [it["Target"] for it in health if it["Target"]["Id"] == instance_id]
            if targets:
                elb.deregister_targets(TargetGroupArn=arn, Targets=targets)


def keep_volumes(instance):
    devices = [
        {"DeviceName": it["DeviceName"], "Ebs": {"DeleteOnTermination": False}}
        for it in instance["BlockDeviceMappings"]
    ]
    ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], BlockDeviceMappings=devices)


def launch(instance, tags):
    copied = [{"Key": key, "Value": tags[key]} for key in tags if not key.startswith("aws:")]
    ec2.run_instances(
        ImageId=instance["ImageId"],
        InstanceType=instance["InstanceType"],
        SubnetId=instance["SubnetId"],
        SecurityGroupIds=[it["GroupId"] for it in instance["SecurityGroups"]],
        InstanceMarketOptions={"MarketType": "spot"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": copied}],
        MinCount=1,
        MaxCount=1,
    )
