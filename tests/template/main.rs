//! The deployed template and the code say the same: the permissions are the calls, the event
//! patterns are the parsers, the wiring is what the handler is built for.
#![allow(clippy::unwrap_used, reason = "tests")]

mod backups;
mod closed;
mod deploys;
mod limits;
mod wiring;

use serde_yaml_ng::Value;
use spot_rescue::cloud::{KEY_ACTIONS, READ_ACTIONS};
use spot_rescue::dns::{DnsName, RecordType};
use spot_rescue::event::Wake;
use spot_rescue::situation::{Boot, Market, Slot, TargetGroup, VolumeSettings};
use spot_rescue::step::{
    Action, CopyVolume, CreateVolume, Except, GroupChange, GroupVerb, InstanceTypes, Launch,
    LaunchTemplate, Network, PointName, PrivateAddresses, RegisterImage, Rehearsal, ReplaceRoot,
    RootDevice, RootSource, TemplateSpec, WriteTemplate,
};
use spot_rescue::tags::{self, Tags};
use std::collections::{BTreeMap, BTreeSet};

/// What Lambda needs to feed the function and to keep its log.
const PLUMBING: [&str; 5] = [
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
];

fn template() -> Value {
    serde_yaml_ng::from_str(&std::fs::read_to_string("template.yaml").unwrap()).unwrap()
}

/// One of each. The match keeps the list whole: a new action does not compile without its line.
#[allow(clippy::too_many_lines, reason = "a list")]
fn every_action() -> Vec<Action> {
    let instance = || "i-0123456789abcdef0".parse().unwrap();
    let volume = || "vol-0123456789abcdef0".parse().unwrap();
    let snapshot = || "snap-0123456789abcdef0".parse().unwrap();
    let template = || "lt-0123456789abcdef0".parse().unwrap();
    let empty = String::new;
    let mut all = vec![
        Action::Tag {
            resources: vec![],
            tags: Tags::new(),
        },
        Action::Untag {
            resources: vec![],
            keys: vec![],
        },
        Action::SetDeleteOnTermination {
            instance: instance(),
            devices: BTreeMap::new(),
        },
        Action::SnapshotInstance {
            instance: instance(),
            description: empty(),
            tags: Tags::new(),
            copy_tags: true,
            except: Except::default(),
        },
        Action::SnapshotVolume {
            volume: volume(),
            description: empty(),
            tags: Tags::new(),
        },
        Action::Launch(Launch {
            template: LaunchTemplate::Name(empty()),
            market: Market::Spot,
            instance_types: InstanceTypes::Named(vec![]),
            subnet: "subnet-0123456789abcdef0".parse().unwrap(),
            interface: None,
            image: None,
            tags: Tags::new(),
            attempt: 0,
            token: empty(),
        }),
        Action::WriteTemplate(WriteTemplate {
            source: instance(),
            name: empty(),
            existing: None,
            extends: false,
            image: None,
            spec: TemplateSpec {
                instance_tags: Tags::new(),
                security_groups: vec![],
                volume_tags: Tags::new(),
                interface_tags: Tags::new(),
                public_address: None,
                bare: false,
                empty_devices: vec![],
                root: None,
                one_type: true,
                plain: false,
            },
            tags: Tags::new(),
            token: empty(),
        }),
        Action::DeleteTemplate {
            template: template(),
        },
        Action::TrimTemplate {
            template: template(),
            default: 2,
            versions: vec![1],
        },
        Action::CreateVolume(CreateVolume {
            snapshot: snapshot(),
            availability_zone: empty(),
            settings: VolumeSettings::default(),
            initialization_rate: None,
            tags: Tags::new(),
            token: empty(),
        }),
        Action::CopyVolume(CopyVolume {
            source: volume(),
            settings: VolumeSettings::default(),
            tags: Tags::new(),
            token: empty(),
        }),
        Action::Attach {
            volume: volume(),
            instance: instance(),
            device: empty(),
        },
        Action::RestoreFromBin { volume: volume() },
        Action::DeleteVolume { volume: volume() },
        Action::DeleteSnapshot {
            snapshot: snapshot(),
        },
        Action::Terminate {
            instance: instance(),
        },
        Action::CancelRequest {
            request: "sir-q2ci6n6k".parse().unwrap(),
        },
        Action::Wake {
            wake: Wake::look(instance()),
            delay_seconds: 0,
        },
        Action::Wakes(vec![(Wake::look(instance()), 0)]),
    ];
    all.extend(balancing());
    all.extend(on_interface(&all));
    all.extend(group_changes());
    all.push(Action::PointName(PointName {
        name: DnsName::parse("Z0123456789ABCDEFGHIJ db.example.org").unwrap(),
        kind: RecordType::A,
        ttl: 60,
        address: empty(),
    }));
    all.extend(every_network_action());
    all.extend(roots());
    all.extend(rehearsals());
    let kinds: BTreeSet<u8> = all.iter().map(kind).collect();
    assert_eq!(kinds.len(), 33, "an action is missing from the list");
    assert_eq!(variants(&all), variants_in_source());
    all
}

fn variants(all: &[Action]) -> BTreeSet<String> {
    let name = |it: &Action| -> String {
        let text = format!("{it:?}");
        text.chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect()
    };
    all.iter().map(name).collect()
}

/// So that a new action is noticed that has no line above.
fn variants_in_source() -> BTreeSet<String> {
    let text = std::fs::read_to_string("src/step.rs").unwrap();
    let (_, after) = text.split_once("pub enum Action {\n").unwrap();
    let (own, _) = after.split_once("\n}\n").unwrap();
    let lines = own.lines().filter_map(|it| it.strip_prefix("    "));
    let variants = lines.filter(|it| it.starts_with(|it: char| it.is_ascii_uppercase()));
    let name = |it: &str| it.chars().take_while(char::is_ascii_alphanumeric).collect();
    variants.map(name).collect()
}

/// The same launch, which is another call.
fn on_interface(all: &[Action]) -> Option<Action> {
    all.iter().find_map(|it| {
        let Action::Launch(launch) = it else {
            return None;
        };
        Some(Action::Launch(Launch {
            interface: "eni-0123456789abcdef0".parse().ok(),
            ..launch.clone()
        }))
    })
}

/// Three services, each with its own permissions.
fn balancing() -> impl Iterator<Item = Action> {
    let groups = [
        TargetGroup::Elb("".into()),
        TargetGroup::Classic("".into()),
        TargetGroup::Lattice("".into()),
    ];
    groups.into_iter().flat_map(|group| {
        let targets = Vec::new;
        [
            Action::Deregister {
                group: group.clone(),
                targets: targets(),
            },
            Action::Register {
                group,
                targets: targets(),
            },
        ]
    })
}

fn group_changes() -> [Action; 3] {
    let hook = String::new();
    let verbs = [
        GroupVerb::Detach { decrement: false },
        GroupVerb::Attach,
        GroupVerb::CompleteLaunch { hook },
    ];
    verbs.map(|verb| {
        Action::Group(GroupChange {
            group: String::new(),
            instance: "i-0123456789abcdef0".parse().unwrap(),
            verb,
        })
    })
}

fn every_network_action() -> Vec<Action> {
    let interface = || "eni-0123456789abcdef0".parse().unwrap();
    vec![
        Action::Network(Network::Associate {
            allocation: "eipalloc-0123456789abcdef0".parse().unwrap(),
            interface: interface(),
            private_address: String::new(),
            take: false,
        }),
        Action::Network(Network::Assign {
            interface: interface(),
            addresses: PrivateAddresses::Any(1),
        }),
        Action::Network(Network::Flag {
            interface: interface(),
            attachment: String::new(),
            delete_on_termination: false,
        }),
        Action::Network(Network::Attach {
            interface: interface(),
            instance: "i-0123456789abcdef0".parse().unwrap(),
            slot: Slot::default(),
        }),
        Action::Network(Network::Delete {
            interface: interface(),
        }),
    ]
}

fn roots() -> Vec<Action> {
    vec![
        Action::ReplaceRoot(ReplaceRoot {
            instance: "i-0123456789abcdef0".parse().unwrap(),
            by: RootSource::Volume("vol-0123456789abcdef0".parse().unwrap()),
            tags: Tags::new(),
            token: String::new(),
        }),
        Action::RegisterImage(RegisterImage {
            name: String::new(),
            snapshot: "snap-0123456789abcdef0".parse().unwrap(),
            root: RootDevice {
                device: String::new(),
                settings: VolumeSettings::default(),
                delete_on_termination: true,
            },
            boot: Boot::default(),
            uefi_data_of: None,
            tags: Tags::new(),
        }),
        Action::DeregisterImage {
            image: "ami-0123456789abcdef0".parse().unwrap(),
        },
    ]
}

/// Look-ups by name; dry runs need the permissions of their calls.
fn rehearsals() -> [Action; 3] {
    let zone = String::new();
    [
        Rehearsal::KeyPair(String::new()),
        Rehearsal::SecurityGroups(Vec::new()),
        Rehearsal::Type {
            instance_type: String::new(),
            availability_zone: zone,
        },
    ]
    .map(Action::Rehearse)
}

fn kind(action: &Action) -> u8 {
    match action {
        Action::Tag { .. } => 0,
        Action::Untag { .. } => 1,
        Action::Deregister { .. } => 2,
        Action::Register { .. } => 3,
        Action::SetDeleteOnTermination { .. } => 4,
        Action::SnapshotInstance { .. } => 5,
        Action::SnapshotVolume { .. } => 6,
        Action::Launch(_) => 7,
        Action::WriteTemplate(_) => 8,
        Action::DeleteTemplate { .. } => 9,
        Action::TrimTemplate { .. } => 30,
        Action::CreateVolume(_) => 10,
        Action::Attach { .. } => 11,
        Action::Network(Network::Associate { .. }) => 12,
        Action::DeleteVolume { .. } => 13,
        Action::DeleteSnapshot { .. } => 14,
        Action::Wake { .. } | Action::Wakes(_) => 15,
        Action::Terminate { .. } => 16,
        Action::Group(change) => match change.verb {
            GroupVerb::Detach { .. } => 17,
            GroupVerb::Attach => 18,
            GroupVerb::CompleteLaunch { .. } => 19,
        },
        Action::CopyVolume(_) => 20,
        Action::RestoreFromBin { .. } => 32,
        Action::CancelRequest { .. } => 21,
        Action::Network(Network::Assign { .. }) => 22,
        Action::Network(Network::Flag { .. }) => 23,
        Action::Network(Network::Attach { .. }) => 24,
        Action::ReplaceRoot(_) => 25,
        Action::RegisterImage(_) => 26,
        Action::DeregisterImage { .. } => 27,
        Action::PointName(_) => 28,
        Action::Network(Network::Delete { .. }) => 29,
        Action::Rehearse(_) => 31,
    }
}

fn texts(value: &Value) -> Vec<String> {
    if let Value::Sequence(all) = value {
        return all.iter().flat_map(texts).collect();
    }
    vec![value.as_str().unwrap().to_owned()]
}

/// Of the function's role: its own, and those of the policies that are attached to it.
fn statements(template: &Value) -> Vec<Value> {
    statements_of(template, "FunctionRole")
}

fn statements_of(template: &Value, role: &str) -> Vec<Value> {
    let resources = &template["Resources"];
    let inline = &resources[role]["Properties"]["Policies"];
    let all = resources.as_mapping().unwrap().values();
    let managed = all.filter(|it| it["Type"] == "AWS::IAM::ManagedPolicy");
    let managed = managed.filter(|it| texts(&it["Properties"]["Roles"]) == [role]);
    let inline = inline.as_sequence().unwrap().iter();
    inline
        .chain(managed.map(|it| &it["Properties"]))
        .flat_map(|it| it["PolicyDocument"]["Statement"].as_sequence().unwrap())
        .map(|it| chosen(it).clone())
        .collect()
}

/// What a condition, if it has one, makes of it.
fn chosen(value: &Value) -> &Value {
    let Value::Tagged(tagged) = value else {
        return value;
    };
    assert!(tagged.tag == "If", "{value:?}");
    &tagged.value[1]
}

fn allowing(template: &Value) -> Vec<Value> {
    let all = statements(template).into_iter();
    all.filter(|it| it["Effect"] == "Allow").collect()
}

/// TRAP 36: neither an action too few, which fails live, nor one too many.
#[test]
fn the_role_allows_exactly_what_the_code_calls() {
    let allowed: BTreeSet<String> = allowing(&template())
        .iter()
        .flat_map(|it| texts(&it["Action"]))
        .collect();
    for action in every_action() {
        assert!(action.iam_actions().contains(&action.call()), "{action}");
    }
    let called = every_action()
        .iter()
        .flat_map(|it| it.iam_actions().to_vec())
        .collect::<Vec<_>>();
    let needed: BTreeSet<String> = called
        .into_iter()
        .chain(READ_ACTIONS.iter().chain(KEY_ACTIONS).copied())
        .chain(PLUMBING)
        .map(str::to_owned)
        .collect();
    assert_eq!(allowed, needed);
}

/// What can be limited by a tag is: only reads, target groups, addresses and the parts a launch
/// names are open.
#[test]
fn every_deletion_asks_for_our_mark() {
    let template = template();
    for statement in allowing(&template) {
        let deletes = texts(&statement["Action"])
            .iter()
            .any(|it| it.starts_with("ec2:Delete") || it.starts_with("ec2:Deregister"));
        if deletes {
            let condition = serde_yaml_ng::to_string(&statement["Condition"]).unwrap();
            let marked = condition.contains(&format!("aws:ResourceTag/{}", tags::RESCUE))
                || only_our_keys(&statement);
            assert!(marked, "{statement:?}");
        }
        let open = statement["Resource"].as_str() == Some("*");
        let reads = texts(&statement["Action"]).iter().all(|it| {
            [":Describe", ":List", ":GetEbs"]
                .iter()
                .any(|read| it.contains(read))
        });
        assert!(!open || reads, "{statement:?}");
    }
}

/// At least one key, and none that is the user's.
fn only_our_keys(statement: &Value) -> bool {
    let condition = &statement["Condition"];
    let keys = texts(&condition["ForAllValues:StringLike"]["aws:TagKeys"]);
    keys.iter().all(|it| it.starts_with(tags::PREFIX))
        && condition["Null"]["aws:TagKeys"].as_str() == Some("false")
}
