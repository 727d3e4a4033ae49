//! What the stack's parameters do not allow is reported when a rescue is prepared, and not asked for in the rescue.

use crate::support::{assert_whole, function, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::sim::World;
use spot_rescue::step::{Action, InstanceTypes, Launch};
use spot_rescue::tags::{self, Tags};

thread_local! {
    static LINES: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// The function of a stack with this parameter, and its notes.
fn limited(world: &World, parameter: &str, value: &str) -> Handler<World, World> {
    LINES.with_borrow_mut(Vec::clear);
    Handler {
        defaults: Tags::from([(parameter.to_owned(), value.to_owned())]),
        print: |line| LINES.with_borrow_mut(|it| it.push(line.to_owned())),
        ..function(world)
    }
}

fn launches(world: &World) -> Vec<Launch> {
    world.look(|it| {
        let all = it.journal.iter().filter_map(|it| match &it.action {
            Action::Launch(launch) => Some(launch.clone()),
            _ => None,
        });
        all.collect()
    })
}

/// The table: parameter, its value, the part of the stack it names, and whether anything has to be reported.
#[tokio::test]
async fn types_and_subnets_that_are_not_allowed_are_reported_beforehand() {
    for (parameter, value, named, told) in [
        (tags::ALLOWED_TYPES, "m5.*", "AllowedInstanceTypes", false),
        (
            tags::ALLOWED_TYPES,
            "c6i.*,r5.large",
            "AllowedInstanceTypes",
            true,
        ),
        (
            tags::ALLOWED_SUBNETS,
            "subnet-0badbadbadbadbad0",
            "AllowedSubnets",
            true,
        ),
        (
            tags::ALLOWED_TARGET_GROUPS,
            "arn:aws:*:targetgroup/*",
            "TargetGroupArns",
            false,
        ),
        (
            tags::ALLOWED_TARGET_GROUPS,
            "arn:aws:*:targetgroup/other/*",
            "TargetGroupArns",
            true,
        ),
        (
            tags::INSTANCE_ROLES,
            "arn:aws:iam::123456789012:role/db",
            "InstanceRoleArns",
            false,
        ),
        (
            tags::INSTANCE_ROLES,
            "arn:aws:iam::123456789012:role/web",
            "InstanceRoleArns",
            true,
        ),
        (tags::INSTANCE_ROLES, "", "InstanceRoleArns", true),
    ] {
        let world = World::new(61);
        let function = limited(&world, parameter, value);
        let protected = world.protected_instance();
        world.change(|it| {
            let facts = &mut it
                .instances
                .get_mut(&protected.instance)
                .expect("it runs")
                .facts;
            let profile = "arn:aws:iam::123456789012:instance-profile/db";
            facts.instance_profile = Some(profile.to_owned());
        });
        settle(&world, &function).await;
        let said = LINES.with_borrow(|it| it.join("\n"));
        assert_eq!(said.contains(named), told, "{parameter}={value}\n{said}");
    }
}

/// A user who may tag an own instance asks for a type and a subnet that the stack does not allow.
#[tokio::test]
async fn types_and_subnets_that_are_not_allowed_are_not_asked_for() {
    let elsewhere = World::new(62).subnet("eu-west-1b");
    let wishes = [
        ("spot-rescue:instance-types", "p5.48xlarge, m5.xlarge"),
        ("spot-rescue:subnets", elsewhere.as_str()),
    ];
    let (world, _, protected) = prepared(62, &wishes).await;
    let function = limited(&world, tags::ALLOWED_TYPES, "m5.*");
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    for launch in launches(&world) {
        let InstanceTypes::Named(types) = launch.instance_types else {
            panic!("types are named");
        };
        assert_eq!(types, ["m5.large", "m5.xlarge"]);
    }
}
