//! Dry runs: every request says `DryRun`, and `DryRunOperation` is no error.

use super::replay::{Answer, Wire, assert_has, id, ok};
use spot_rescue::cloud::Cloud;
use spot_rescue::situation::{Market, VolumeSettings};
use spot_rescue::step::{
    Action, CopyVolume, Except, InstanceTypes, Launch, LaunchTemplate, Rehearsal,
};
use spot_rescue::tags::Tags;

const INSTANCE: &str = "i-0123456789abcdef0";
const SUBNET: &str = "subnet-0123456789abcdefa";

fn launch() -> Launch {
    Launch {
        template: LaunchTemplate::Version(id("lt-0123456789abcdef0"), 17),
        market: Market::Spot,
        instance_types: InstanceTypes::Named(vec!["m6i.large".to_owned()]),
        subnet: id(SUBNET),
        interface: None,
        image: None,
        tags: tags(),
        attempt: 0,
        token: "token-1".to_owned(),
    }
}

fn tags() -> Tags {
    Tags::from([("spot-rescue:rescue".to_owned(), INSTANCE.to_owned())])
}

fn settings() -> VolumeSettings {
    VolumeSettings {
        volume_type: "gp3".to_owned(),
        size: 30,
        ..VolumeSettings::default()
    }
}

fn refusal(status: u16, code: &str) -> Answer {
    let error = format!("<Error><Code>{code}</Code><Message>as AWS says</Message></Error>");
    let body = format!("<Response><Errors>{error}</Errors><RequestID>r-1</RequestID></Response>");
    Answer::Says(status, body)
}

fn leave() -> Answer {
    refusal(412, "DryRunOperation")
}

fn calls() -> Vec<(&'static str, Rehearsal)> {
    let set = Action::SnapshotInstance {
        instance: id(INSTANCE),
        description: String::new(),
        tags: tags(),
        copy_tags: true,
        except: Except::default(),
    };
    let copy = Action::CopyVolume(CopyVolume {
        source: id("vol-0123456789abcdef0"),
        settings: settings(),
        tags: tags(),
        token: "token-1".to_owned(),
    });
    let address = Rehearsal::Address {
        allocation: id("eipalloc-0123456789abcdef0"),
        instance: id(INSTANCE),
    };
    let volume = Rehearsal::Volume {
        snapshot: None,
        availability_zone: "eu-west-1a".to_owned(),
        settings: settings(),
        tags: tags(),
    };
    let call = |action| Rehearsal::Call(Box::new(action));
    vec![
        ("CreateSnapshots", call(set)),
        ("CopyVolumes", call(copy)),
        ("AssociateAddress", address),
        ("CreateVolume", volume),
    ]
}

#[tokio::test]
async fn each_call_says_that_it_is_a_dry_run_and_leave_is_no_error() {
    for (call, rehearsal) in calls() {
        let wire = Wire::new([leave()]);
        let answer = wire.aws.act(&Action::Rehearse(rehearsal.clone())).await;
        assert!(answer.is_ok(), "{call}: {answer:?}");
        assert_has(
            &wire.only_request(),
            &[("Action", call), ("DryRun", "true")],
        );
        let wire = Wire::new([refusal(403, "UnauthorizedOperation")]);
        let answer = wire.aws.act(&Action::Rehearse(rehearsal)).await;
        let error = answer.expect_err("it is refused");
        assert_eq!(
            (error.operation, error.code.as_str()),
            (call, "UnauthorizedOperation")
        );
    }
}

/// TRAP 10: subnet and groups are beside an interface or inside one, as in the launch template.
#[tokio::test]
async fn a_launch_is_asked_for_as_a_fleet_and_as_what_the_fleet_does() {
    for interface in [None, Some(vec!["sg-1".to_owned()])] {
        let wire = Wire::new([leave(), leave()]);
        let inside = interface.is_some();
        let launch = launch();
        let action = Action::Rehearse(Rehearsal::Launch { launch, interface });
        assert!(wire.aws.act(&action).await.is_ok());
        let requests = wire.requests();
        let [fleet, run] = requests.as_slice() else {
            panic!("{requests:?}");
        };
        let both = [("DryRun", "true"), ("ClientToken", "token-1")];
        assert_has(fleet, &[&both[..], &[("Action", "CreateFleet")]].concat());
        assert_has(run, &[&both[..], &[("Action", "RunInstances")]].concat());
        let place = if inside {
            [
                ("NetworkInterface.1.SubnetId", SUBNET),
                ("NetworkInterface.1.SecurityGroupId.1", "sg-1"),
            ]
        } else {
            [("SubnetId", SUBNET), ("InstanceType", "m6i.large")]
        };
        assert_has(run, &place);
    }
}

#[tokio::test]
async fn an_error_of_the_dry_run_itself_is_no_refusal_and_any_other_is() {
    for (code, refused) in [
        ("InvalidParameterCombination", false),
        ("UnauthorizedOperation", true),
        ("InvalidKeyPair.NotFound", true),
        ("InvalidParameterValue", true),
    ] {
        let wire = Wire::new([leave(), refusal(400, code)]);
        let action = Action::Rehearse(Rehearsal::Launch {
            launch: launch(),
            interface: None,
        });
        assert_eq!(wire.aws.act(&action).await.is_err(), refused, "{code}");
    }
}

#[tokio::test]
async fn what_is_not_sold_there_is_not_in_the_list() {
    let offered = "<DescribeInstanceTypeOfferingsResponse><instanceTypeOfferingSet><item>\
        <instanceType>m6i.large</instanceType></item></instanceTypeOfferingSet>\
        </DescribeInstanceTypeOfferingsResponse>";
    let nothing = "<DescribeInstanceTypeOfferingsResponse><instanceTypeOfferingSet/>\
        </DescribeInstanceTypeOfferingsResponse>";
    for (body, is_there) in [(offered, true), (nothing, false)] {
        let wire = Wire::new([ok(body)]);
        let action = Action::Rehearse(Rehearsal::Type {
            instance_type: "m6i.large".to_owned(),
            availability_zone: "eu-west-1a".to_owned(),
        });
        let answer = wire.aws.act(&action).await;
        assert_eq!(answer.is_ok(), is_there, "{answer:?}");
        assert_has(
            &wire.only_request(),
            &[
                ("LocationType", "availability-zone"),
                ("Filter.1.Value.1", "m6i.large"),
                ("Filter.2.Value.1", "eu-west-1a"),
            ],
        );
    }
}
