//! Versions of launch templates: a launch names one by its number, and old ones are deleted.

use super::replay::{Wire, assert_has, assert_lacks, id, ok};
use spot_rescue::cloud::{Cloud, Query};
use spot_rescue::situation::Market;
use spot_rescue::step::{Action, InstanceTypes, Launch, LaunchTemplate};
use spot_rescue::tags::Tags;

const TEMPLATE: &str = "lt-0123456789abcdef0";
const MODIFIED: &str = "<ModifyLaunchTemplateResponse><launchTemplate>\
    <launchTemplateId>lt-0123456789abcdef0</launchTemplateId></launchTemplate>\
    </ModifyLaunchTemplateResponse>";

fn launch(template: LaunchTemplate, interface: bool) -> Action {
    Action::Launch(Launch {
        template,
        market: Market::Spot,
        instance_types: InstanceTypes::Named(vec!["m6i.large".to_owned()]),
        subnet: id("subnet-0123456789abcdefa"),
        interface: interface.then(|| id("eni-0123456789abcdef0")),
        image: None,
        tags: Tags::new(),
        attempt: 0,
        token: "token-1".to_owned(),
    })
}

/// `$Latest` and `$Default` can be set by other callers.
#[tokio::test]
async fn a_launch_names_a_number() {
    let fleet = "<CreateFleetResponse><fleetInstanceSet><item><instanceIds><item>i-0aaaaaaaaaaaaaaa1\
        </item></instanceIds></item></fleetInstanceSet></CreateFleetResponse>";
    let run = "<RunInstancesResponse><instancesSet><item><instanceId>i-0aaaaaaaaaaaaaaa1</instanceId>\
        </item></instancesSet></RunInstancesResponse>";
    let by_fleet = "LaunchTemplateConfigs.1.LaunchTemplateSpecification";
    for (interface, answer, place) in [(false, fleet, by_fleet), (true, run, "LaunchTemplate")] {
        let asked = interface.then(|| ok(super::run::VERSION));
        let wire = Wire::new(asked.into_iter().chain([ok(answer)]));
        let version = LaunchTemplate::Version(id(TEMPLATE), 3);
        wire.aws.act(&launch(version, interface)).await.unwrap();
        let request = wire.requests().pop().expect("it was launched");
        assert_has(
            &request,
            &[
                (&format!("{place}.LaunchTemplateId"), TEMPLATE),
                (&format!("{place}.Version"), "3"),
            ],
        );
        assert_lacks(&request, "$");
        assert_lacks(&request, "LaunchTemplateName");
    }
}

/// A name could stand for any template and version: the core has to name both.
#[tokio::test]
async fn a_template_given_by_name_alone_is_not_launched() {
    for (interface, operation) in [(false, "CreateFleet"), (true, "RunInstances")] {
        let wire = Wire::new([]);
        let name = LaunchTemplate::Name("spot-rescue-i-0123456789abcdef0".to_owned());
        let error = wire.aws.act(&launch(name, interface)).await.unwrap_err();
        let told = (error.operation, error.code.as_str());
        assert_eq!(told, (operation, "NoVersion"));
        assert!(wire.requests().is_empty());
    }
}

fn trim(versions: impl IntoIterator<Item = u64>) -> Action {
    Action::TrimTemplate {
        template: id(TEMPLATE),
        default: 4,
        versions: versions.into_iter().collect(),
    }
}

fn deleted(left: &[(u64, &str)]) -> String {
    let item = |(number, code): &(u64, &str)| {
        format!(
            "<item><launchTemplateId>{TEMPLATE}</launchTemplateId><versionNumber>{number}</versionNumber>\
             <responseError><code>{code}</code><message>no</message></responseError></item>"
        )
    };
    let items: String = left.iter().map(item).collect();
    format!(
        "<DeleteLaunchTemplateVersionsResponse><successfullyDeletedLaunchTemplateVersionSet/>\
         <unsuccessfullyDeletedLaunchTemplateVersionSet>{items}\
         </unsuccessfullyDeletedLaunchTemplateVersionSet></DeleteLaunchTemplateVersionsResponse>"
    )
}

/// "You can't delete the default version": another one is named first.
#[tokio::test]
async fn versions_go_once_another_is_the_default() {
    let wire = Wire::new([ok(MODIFIED), ok(deleted(&[]))]);
    wire.aws.act(&trim([1, 2])).await.expect("a success");
    let [modified, deleted] = <[_; 2]>::try_from(wire.requests()).expect("two requests");
    assert_has(
        &modified,
        &[
            ("Action", "ModifyLaunchTemplate"),
            ("LaunchTemplateId", TEMPLATE),
            ("SetDefaultVersion", "4"),
        ],
    );
    assert_has(
        &deleted,
        &[
            ("Action", "DeleteLaunchTemplateVersions"),
            ("LaunchTemplateId", TEMPLATE),
            ("LaunchTemplateVersion.1", "1"),
            ("LaunchTemplateVersion.2", "2"),
        ],
    );
    assert_lacks(&deleted, "LaunchTemplateVersion.3");
}

#[tokio::test]
async fn no_version_is_no_call_and_many_are_calls_of_two_hundred() {
    for (count, calls) in [(0, 0), (200, 1), (201, 2)] {
        let deletions = (0..calls).map(|_| ok(deleted(&[])));
        let wire = Wire::new([ok(MODIFIED)].into_iter().chain(deletions));
        wire.aws
            .act(&trim(10..10 + count))
            .await
            .expect("a success");
        assert_eq!(wire.requests().len(), 1 + calls, "{count}");
    }
}

/// HTTP 200, with the versions that were not deleted inside.
#[tokio::test]
async fn a_version_that_is_gone_is_no_failure_and_any_other_error_is() {
    for (left, code) in [
        (vec![(1, "launchTemplateVersionDoesNotExist")], None),
        (vec![(1, "launchTemplateIdDoesNotExist")], None),
        (vec![(1, "unexpectedError")], Some("unexpectedError")),
        (
            vec![
                (1, "launchTemplateVersionDoesNotExist"),
                (2, "launchTemplateIdMalformed"),
            ],
            Some("launchTemplateIdMalformed"),
        ),
        (vec![(1, "somethingNew")], Some("somethingNew")),
    ] {
        let wire = Wire::new([ok(MODIFIED), ok(deleted(&left))]);
        let answer = wire.aws.act(&trim([1, 2])).await;
        let told = answer.as_ref().err().map(|it| it.code.as_str());
        assert_eq!(told, code, "{answer:?}");
        assert_eq!(
            answer.err().map(|it| it.operation),
            code.map(|_| "DeleteLaunchTemplateVersions")
        );
    }
}

fn described(items: &str) -> String {
    format!(
        "<DescribeLaunchTemplatesResponse><launchTemplates>{items}</launchTemplates>\
         </DescribeLaunchTemplatesResponse>"
    )
}

/// Only EC2 can name its creator; whether it is ours, the core decides.
#[tokio::test]
async fn a_template_tells_its_creator_and_its_versions() {
    let item = format!(
        "<item><launchTemplateId>{TEMPLATE}</launchTemplateId>\
         <launchTemplateName>spot-rescue-i-0123456789abcdef0</launchTemplateName>\
         <createdBy>arn:aws:sts::123456789012:assumed-role/ours/spot-rescue</createdBy>\
         <defaultVersionNumber>4</defaultVersionNumber><latestVersionNumber>9</latestVersionNumber>\
         <tagSet><item><key>a</key><value>b</value></item></tagSet></item>"
    );
    let wire = Wire::new([ok(described(&item))]);
    let found = wire.aws.templates(&Query::Template(id(TEMPLATE))).await;
    let [it] = <[_; 1]>::try_from(found.unwrap()).expect("one template");
    let creator = "arn:aws:sts::123456789012:assumed-role/ours/spot-rescue";
    assert_eq!(it.created_by.as_deref(), Some(creator));
    assert_eq!((it.latest, it.default, it.ours), (9, 4, false));
    let request = wire.only_request();
    assert_has(&request, &[("LaunchTemplateId.1", TEMPLATE)]);
    // One by its id needs no pages, and a filter would hide that it is gone.
    for unwanted in ["MaxResults", "Filter"] {
        assert_lacks(&request, unwanted);
    }
}

#[tokio::test]
async fn a_template_that_is_gone_is_an_empty_list_and_a_refusal_is_an_error() {
    for (code, gone) in [
        ("InvalidLaunchTemplateId.NotFound", true),
        ("UnauthorizedOperation", false),
    ] {
        let refused = super::errors::ec2(code, "no");
        let wire = Wire::new([super::replay::Answer::Says(400, refused)]);
        let found = wire.aws.templates(&Query::Template(id(TEMPLATE))).await;
        assert_eq!(found.is_ok_and(|it| it.is_empty()), gone, "{code}");
    }
}
