//! Three services that send traffic: Classic Load Balancers speak the query protocol, VPC Lattice JSON.

use super::replay::{Answer, Wire, assert_has, ok};
use spot_rescue::cloud::{Class, Cloud};
use spot_rescue::situation::{Balancing, Target, TargetGroup};
use spot_rescue::step::Action;

const INSTANCE: &str = "i-0123456789abcdef0";
const LATTICE: &str = "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-0123456789abcdef0";

fn classic() -> TargetGroup {
    TargetGroup::Classic("legacy-web".into())
}

fn lattice() -> TargetGroup {
    TargetGroup::Lattice(LATTICE.into())
}

fn change(group: TargetGroup, ports: &[Option<u16>], register: bool) -> Action {
    let target = |port: &Option<u16>| Target {
        group: group.clone(),
        id: INSTANCE.to_owned(),
        port: *port,
    };
    let targets = ports.iter().map(target).collect();
    if register {
        Action::Register { group, targets }
    } else {
        Action::Deregister { group, targets }
    }
}

/// One listing names all instances; pages are told by a marker.
#[tokio::test]
async fn classic_load_balancers_name_their_instances() {
    let page = |name: &str, marker: &str| {
        ok(format!(
            "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancerDescriptions>\
             <member><LoadBalancerName>{name}</LoadBalancerName><VPCId>vpc-1</VPCId><Instances>\
             <member><InstanceId>{INSTANCE}</InstanceId></member></Instances></member>\
             </LoadBalancerDescriptions>{marker}</DescribeLoadBalancersResult>\
             </DescribeLoadBalancersResponse>"
        ))
    };
    let wire = Wire::new([page("a", "<NextMarker>m</NextMarker>"), page("b", "")]);
    let listing = wire.aws.target_groups(Balancing::Classic).await.unwrap();
    let names: Vec<&str> = listing.groups.iter().map(|it| it.group.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let registrations = listing.groups[0].registrations.as_ref().unwrap();
    assert_eq!(registrations[0].target.to_string(), format!("a={INSTANCE}"));
    assert_eq!(registrations[0].vpc.as_deref(), Some("vpc-1"));
    assert_has(
        &wire.requests()[1],
        &[("Action", "DescribeLoadBalancers"), ("Marker", "m")],
    );
}

#[tokio::test]
async fn an_instance_leaves_and_joins_a_classic_load_balancer_without_a_port() {
    for (register, name) in [
        (false, "DeregisterInstancesFromLoadBalancer"),
        (true, "RegisterInstancesWithLoadBalancer"),
    ] {
        let answer = format!("<{name}Response><{name}Result/></{name}Response>");
        let wire = Wire::new([ok(answer)]);
        wire.aws
            .act(&change(classic(), &[None], register))
            .await
            .unwrap();
        assert_has(
            &wire.only_request(),
            &[
                ("Action", name),
                ("LoadBalancerName", "legacy-web"),
                ("Instances.member.1.InstanceId", INSTANCE),
            ],
        );
    }
}

/// A load balancer that has gone took its instances along.
#[tokio::test]
async fn leaving_a_load_balancer_that_is_gone_is_done() {
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>LoadBalancerNotFound</Code>\
        <Message>There is no ACTIVE Load Balancer named 'legacy-web'</Message></Error>\
        <RequestId>r</RequestId></ErrorResponse>";
    let wire = Wire::new([Answer::Says(400, body.to_owned())]);
    let error = wire.aws.act(&change(classic(), &[None], false)).await;
    let error = error.unwrap_err();
    assert_eq!(error.code, "LoadBalancerNotFound");
    assert_eq!(error.class, Class::AlreadyDone);
}

/// `LAMBDA` and `ALB` groups hold no instances.
#[tokio::test]
async fn lattice_groups_of_all_pages_that_can_hold_instances() {
    let group = |arn: &str, kind: &str| {
        format!("{{\"arn\":\"{arn}\",\"type\":\"{kind}\",\"vpcIdentifier\":\"vpc-1\"}}")
    };
    let page =
        |groups: &[String], next: &str| ok(format!("{{\"items\":[{}]{next}}}", groups.join(",")));
    let wire = Wire::new([
        page(
            &[group("a", "INSTANCE"), group("b", "LAMBDA")],
            ",\"nextToken\":\"n\"",
        ),
        page(&[group("c", "IP"), group("d", "ALB")], ""),
    ]);
    let listing = wire.aws.target_groups(Balancing::Lattice).await.unwrap();
    let names: Vec<&str> = listing.groups.iter().map(|it| it.group.as_str()).collect();
    assert_eq!(names, ["a", "c"]);
    assert!(
        listing
            .groups
            .iter()
            .all(|it| it.vpc.as_deref() == Some("vpc-1"))
    );
}

#[tokio::test]
async fn lattice_targets_are_told_with_port_and_state() {
    let item = |port: u16, status: &str| {
        format!("{{\"id\":\"{INSTANCE}\",\"port\":{port},\"status\":\"{status}\"}}")
    };
    let items = [
        item(80, "HEALTHY"),
        item(81, "DRAINING"),
        item(82, "UNUSED"),
    ]
    .join(",");
    let wire = Wire::new([ok(format!("{{\"items\":[{items}]}}"))]);
    let found = wire.aws.targets(&lattice()).await.unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|it| (it.target.port, it.draining, it.answering))
        .collect();
    assert_eq!(
        told,
        [
            (Some(80), false, true),
            (Some(81), true, false),
            (Some(82), false, false)
        ]
    );
}

/// The answer is HTTP 200: failed targets are listed in it.
#[tokio::test]
async fn what_lattice_lists_as_unsuccessful_has_failed() {
    let failure = format!(
        "{{\"successful\":[{{\"id\":\"{INSTANCE}\",\"port\":80}}],\"unsuccessful\":[{{\
         \"id\":\"{INSTANCE}\",\"port\":81,\"failureCode\":\"TargetQuota\",\
         \"failureMessage\":\"too many\"}}]}}"
    );
    for register in [true, false] {
        let wire = Wire::new([ok(failure.clone())]);
        let action = change(lattice(), &[Some(80), Some(81)], register);
        let error = wire.aws.act(&action).await.unwrap_err();
        assert_eq!(error.code, "TargetQuota");
        assert!(error.message.contains("too many"), "{error}");
        let request = wire.bodies().concat();
        assert!(
            request.contains("\"port\":80") && request.contains("\"port\":81"),
            "{request}"
        );
    }
    let wire = Wire::new([ok("{\"successful\":[],\"unsuccessful\":[]}")]);
    assert!(
        wire.aws
            .act(&change(lattice(), &[Some(80)], true))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_lattice_group_that_is_gone_says_so() {
    let body = "{\"message\":\"no such target group\",\"resourceId\":\"tg\",\
        \"resourceType\":\"TARGET_GROUP\",\"__type\":\"ResourceNotFoundException\"}";
    let wire = Wire::new([Answer::Says(404, body.to_owned())]);
    let error = wire.aws.targets(&lattice()).await.unwrap_err();
    assert_eq!(error.code, "ResourceNotFoundException");
    assert_eq!(error.operation, "vpc-lattice:ListTargets");
}
