//! Auto Scaling: groups as facts, and the three calls a rescue makes of them.

use super::replay::{Answer, Wire, assert_has, id, ok};
use spot_rescue::cloud::{Class, Cloud};
use spot_rescue::situation::{Lifecycle, TargetGroup};
use spot_rescue::step::{Action, GroupChange, GroupVerb};

const INSTANCE: &str = "i-0123456789abcdef0";
const TARGETS: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1";
const LATTICE: &str = "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-0123456789abcdef0";

fn change(verb: GroupVerb) -> Action {
    Action::Group(GroupChange {
        group: "web".to_owned(),
        instance: id(INSTANCE),
        verb,
    })
}

fn described(lifecycle: &str) -> Answer {
    ok(format!(
        "<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups>\
         <member><AutoScalingGroupName>web</AutoScalingGroupName><MinSize>1</MinSize>\
         <MaxSize>3</MaxSize><DesiredCapacity>2</DesiredCapacity>\
         <AvailabilityZones><member>eu-west-1a</member></AvailabilityZones>\
         <CapacityRebalance>true</CapacityRebalance>\
         <TargetGroupARNs><member>{TARGETS}</member></TargetGroupARNs>\
         <TrafficSources><member><Identifier>{LATTICE}</Identifier><Type>vpc-lattice</Type></member>\
         </TrafficSources><LoadBalancerNames><member>old</member></LoadBalancerNames>\
         <SuspendedProcesses><member><ProcessName>Launch</ProcessName></member></SuspendedProcesses>\
         <Instances><member><InstanceId>{INSTANCE}</InstanceId>\
         <LifecycleState>{lifecycle}</LifecycleState></member></Instances>\
         <Tags><member><Key>spot-rescue</Key><Value>on</Value>\
         <PropagateAtLaunch>true</PropagateAtLaunch></member></Tags></member></AutoScalingGroups>\
         </DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>"
    ))
}

#[tokio::test]
async fn a_group_tells_what_it_does_by_itself_and_its_members() {
    let wire = Wire::new([described("InService")]);
    let groups = wire.aws.groups(&["web".to_owned()]).await.expect("one");
    let group = &groups[0];
    let sizes = (group.min_size, group.max_size, group.desired_capacity);
    assert_eq!(sizes, (1, 3, 2));
    assert!(group.capacity_rebalance && group.is_opted_in() && group.propagates_opt_in);
    assert!(group.suspends("Launch") && !group.deleting);
    assert_eq!(group.lifecycle(&id(INSTANCE)), Some(Lifecycle::InService));
    for source in [
        TargetGroup::Elb(TARGETS.into()),
        TargetGroup::Lattice(LATTICE.into()),
        TargetGroup::Classic("old".into()),
    ] {
        assert!(group.serves(&source), "{source}");
    }
    let request = wire.only_request();
    assert_has(&request, &[("AutoScalingGroupNames.member.1", "web")]);
}

/// Only while an instance waits in one.
#[tokio::test]
async fn hooks_are_asked_for_while_a_member_waits() {
    let hook = |name: &str, transition: &str| {
        format!(
            "<member><LifecycleHookName>{name}</LifecycleHookName>\
             <LifecycleTransition>autoscaling:EC2_INSTANCE_{transition}</LifecycleTransition></member>"
        )
    };
    let hooks = ok(format!(
        "<DescribeLifecycleHooksResponse><DescribeLifecycleHooksResult><LifecycleHooks>{}{}\
         </LifecycleHooks></DescribeLifecycleHooksResult></DescribeLifecycleHooksResponse>",
        hook("spot-rescue", "LAUNCHING"),
        hook("drain", "TERMINATING"),
    ));
    let wire = Wire::new([described("Pending:Wait"), hooks]);
    let groups = wire.aws.groups(&["web".to_owned()]).await.expect("one");
    assert_eq!(groups[0].launch_hooks, ["spot-rescue"]);
}

#[tokio::test]
async fn a_detachment_always_says_whether_the_desired_capacity_decreases() {
    for decrement in [true, false] {
        let answer =
            ok("<DetachInstancesResponse><DetachInstancesResult/></DetachInstancesResponse>");
        let wire = Wire::new([answer]);
        let detach = change(GroupVerb::Detach { decrement });
        wire.aws.act(&detach).await.expect("a success");
        let said = if decrement { "true" } else { "false" };
        assert_has(
            &wire.only_request(),
            &[
                ("Action", "DetachInstances"),
                ("AutoScalingGroupName", "web"),
                ("InstanceIds.member.1", INSTANCE),
                ("ShouldDecrementDesiredCapacity", said),
            ],
        );
    }
}

/// TRAP 24: a hook that is already over cannot be completed any more.
#[tokio::test]
async fn a_hook_is_completed_by_instance_and_one_that_is_over_counts_as_completed() {
    let complete = change(GroupVerb::CompleteLaunch {
        hook: "spot-rescue".to_owned(),
    });
    let wire = Wire::new([ok("<CompleteLifecycleActionResponse/>")]);
    wire.aws.act(&complete).await.expect("a success");
    assert_has(
        &wire.only_request(),
        &[
            ("LifecycleHookName", "spot-rescue"),
            ("InstanceId", INSTANCE),
            ("LifecycleActionResult", "CONTINUE"),
        ],
    );
    let late = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>No \
                active Lifecycle Action found with instance ID i-0123456789abcdef0</Message></Error>\
                <RequestId>1</RequestId></ErrorResponse>";
    let wire = Wire::new([Answer::Says(400, late.to_owned())]);
    let error = wire.aws.act(&complete).await.expect_err("it is over");
    assert_eq!(
        (error.code.as_str(), error.class),
        ("ValidationError", Class::AlreadyDone)
    );
}
