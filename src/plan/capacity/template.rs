//! The launch template: a replacement is launched from it, and its tags hold the record.

pub mod print;

use crate::id::ImageId;
use crate::plan::draft::Plan;
use crate::plan::facts::{at_risk, spot_request, stand_in};
use crate::plan::lineage::Lineage;
use crate::plan::marks::own;
use crate::plan::marks::room::{self, record};
use crate::policy::{PrivateIp, Types, policy_tags};
use crate::record::{LeftOpen, Record};
use crate::situation::{Fact, Instance, NetworkInterface, PublicAddress, Template, Volume};
use crate::step::{self, Action, RootDevice, Step, TemplateSpec, WriteTemplate, token};
use crate::tags::{self, Tags, template_names};

/// A launch template of this instance with another name: the claim to the instance.
pub fn named(
    lineage: &Lineage,
    source: &Instance,
    name: String,
    tags: Tags,
    token: String,
) -> Action {
    Action::WriteTemplate(WriteTemplate {
        source: source.id.clone(),
        name,
        existing: None,
        extends: false,
        image: None,
        spec: spec(lineage, source),
        tags,
        token,
    })
}

/// None if launch templates that are not ours have all the names it could have.
pub fn write(
    lineage: &Lineage,
    source: &Instance,
    tags: Tags,
    existing: Option<&Template>,
) -> Option<Step> {
    let name = lineage.facts.template_name.clone()?;
    let spec = spec(lineage, source);
    let print = tags.get(tags::FINGERPRINT).cloned().unwrap_or_default();
    let existing = existing.map(|it| (it.id.clone(), it.before(&print)));
    // The same content is a new version when another one lies between: the token names the version before.
    let (id, after) = existing
        .as_ref()
        .map_or(("", None), |(id, after)| (id.as_str(), *after));
    let after = after.unwrap_or_default().to_string();
    // A deleted launch template is part of the token: EC2 would answer the same request with the deleted one.
    let gone = source.tags.get(tags::PREPARED).map_or("", String::as_str);
    let record = step::fingerprint(&tags);
    let token = match existing {
        Some(_) => token(&["template", &name, id, &after, &print]),
        None => token(&["template", &name, gone, &print, &record]),
    };
    let image = chosen_image(lineage, source);
    let source = source.id.clone();
    let action = Action::WriteTemplate(WriteTemplate {
        source,
        name,
        existing,
        extends: false,
        image,
        spec,
        tags,
        token,
    });
    Some(Step::new(STEP, action))
}

/// A version without CPU options and with IMDSv2 required, as another step, and its fingerprint.
pub fn plain(lineage: &Lineage, source: &Instance, existing: &Template) -> Option<(Step, String)> {
    let spec = TemplateSpec {
        plain: true,
        ..spec(lineage, source)
    };
    let print = step::fingerprint(&(&spec, print::beside(source)));
    let tags = Tags::from([(tags::FINGERPRINT.to_owned(), print.clone())]);
    let mut step = write(lineage, source, tags, Some(existing))?;
    if let Action::WriteTemplate(write) = &mut step.action {
        write.spec = spec;
    }
    step.id = format!("{STEP} without options");
    Some((step, print))
}

/// A version with the network, made from one without it, and its fingerprint.
pub fn networked(
    lineage: &Lineage,
    open: &LeftOpen,
    existing: &Template,
) -> Option<(Step, String)> {
    let name = lineage.facts.template_name.clone()?;
    let source = lineage.record.head.clone()?;
    let spec = TemplateSpec {
        security_groups: open.security_groups.clone(),
        public_address: open.public_address,
        interface_tags: kept_tags(lineage),
        ..TemplateSpec::default()
    };
    let print = step::fingerprint(&spec);
    let after = existing.before(&print)?;
    let id = existing.id.clone();
    let token = token(&["template", &name, id.as_str(), &after.to_string(), &print]);
    let action = Action::WriteTemplate(WriteTemplate {
        source,
        name,
        existing: Some((id, Some(after))),
        extends: true,
        image: None,
        spec,
        tags: Tags::from([(tags::FINGERPRINT.to_owned(), print.clone())]),
        token,
    });
    Some((Step::new(format!("{STEP} with the network"), action), print))
}

/// The network settings that a launch has to name, if the launch template does not.
pub fn left_open(lineage: &Lineage, source: &Instance) -> Option<LeftOpen> {
    let TemplateSpec {
        public_address,
        security_groups,
        bare,
        ..
    } = spec(lineage, source);
    bare.then_some(LeftOpen {
        public_address,
        security_groups,
    })
}

/// An instance that was launched from an image made in a rescue is replaced from the user's own image.
fn chosen_image(lineage: &Lineage, source: &Instance) -> Option<ImageId> {
    let original = &lineage.record.original.as_ref()?.image;
    (Some(original) != source.image.as_ref()).then(|| original.clone())
}

/// The tags of the launch template outside a rescue, as far as there is room.
pub fn template_tags(lineage: &Lineage, owner: &Instance, record: &Record) -> Tags {
    record::on_record(all_tags(lineage, owner, record), lineage.template()).0
}

/// The keys of the tags that have no room.
pub fn without_room(lineage: &Lineage, owner: &Instance, record: &Record) -> Vec<String> {
    record::on_record(all_tags(lineage, owner, record), lineage.template()).1
}

fn all_tags(lineage: &Lineage, owner: &Instance, record: &Record) -> Tags {
    let mut all = record.to_tags();
    all.extend(own::own(lineage));
    all.extend(group_policy(lineage));
    all.extend(policy_tags(&owner.tags));
    all.extend(at_risk::record_tags(lineage, owner));
    all.extend(stand_in::record_tags(lineage, owner));
    if let Some(request) = spot_request::recorded(lineage, owner) {
        all.insert(tags::REQUEST.to_owned(), request.text());
    }
    if !lineage.record.attempts.is_empty() {
        let attempts = lineage.record.attempts.text();
        all.insert(tags::ATTEMPTS.to_owned(), attempts);
    }
    if let Some(owed) = &record.owed {
        all.extend(owed.to_tags());
    }
    all.insert(tags::FINGERPRINT.to_owned(), print::of(lineage, owner));
    all
}

/// The policy tags of the Auto Scaling group. They are recorded because a look decides what to read before it has read
/// the group.
fn group_policy(lineage: &Lineage) -> Tags {
    let recorded = lineage.template().map(|it| &it.tags);
    let mut tags = match &lineage.facts.group {
        Fact::Known(group) => group.as_ref().map(|it| policy_tags(&it.scaling.tags)),
        // Nothing is concluded from a group that cannot be read.
        Fact::Unavailable { .. } | Fact::NotRead => recorded.map(policy_tags),
    }
    .unwrap_or_default();
    // The opt-in tag counts on the instance only.
    tags.remove(tags::OPT_IN);
    tags
}

pub fn spec(lineage: &Lineage, source: &Instance) -> TemplateSpec {
    let bare = lineage.policy.private_ip.value == PrivateIp::Keep;
    let mut security_groups = source.security_groups.clone();
    security_groups.sort();
    TemplateSpec {
        instance_tags: room::for_replacement(lineage, &source.tags).0,
        security_groups,
        volume_tags: volume_tags(lineage, source),
        interface_tags: interface_tags(lineage, source, bare),
        public_address: public_address(source),
        empty_devices: empty_devices(lineage, source),
        root: root(lineage, source),
        one_type: lineage.policy.instance_types.value == Types::Named(Vec::new()),
        plain: false,
        bare,
    }
}

fn public_address(source: &Instance) -> Option<PublicAddress> {
    match (source.auto_public_address, &source.public_address) {
        (true, _) => Some(PublicAddress::Given),
        (false, None) => Some(PublicAddress::Refused),
        // An Elastic IP.
        (false, Some(_)) => None,
    }
}

/// The tags of the root volume.
fn volume_tags(lineage: &Lineage, source: &Instance) -> Tags {
    let root = root_volume(lineage, source);
    root.map(|it| room::for_fresh(&it.tags).0)
        .unwrap_or_default()
}

/// The tags of the primary interface, unless the launch makes none.
fn interface_tags(lineage: &Lineage, source: &Instance, bare: bool) -> Tags {
    primary(lineage, source)
        .filter(|_| !bare)
        .map(|it| room::for_fresh(&it.tags).0)
        .unwrap_or_default()
}

/// The tags of the interface that was to be kept, for the one that a launch makes in its place. An interface that has
/// gone takes its tags along.
fn kept_tags(lineage: &Lineage) -> Tags {
    let kept = lineage.record.primary().map(|it| &it.interface);
    let mut known = lineage.facts.interfaces.known().into_iter().flatten();
    known
        .find(|it| Some(&it.id) == kept)
        .map(|it| room::for_fresh(&it.tags).0)
        .unwrap_or_default()
}

/// The primary interface, if it has been read: during an interruption it is read only where
/// its address is to be kept, or a version is to be written in the rescue.
pub fn primary<'a>(lineage: &Lineage<'a>, source: &Instance) -> Option<&'a NetworkInterface> {
    let own = source.primary_interface()?;
    let known = lineage.facts.interfaces.known()?;
    known.iter().find(|it| it.id == own.id)
}

/// The data devices of the instance and of its image: a replacement is launched without them.
fn empty_devices(lineage: &Lineage, source: &Instance) -> Vec<String> {
    let images = lineage
        .facts
        .images
        .known()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let image = images
        .iter()
        .find(|it| Some(&it.id) == source.image.as_ref());
    let of_image = image.into_iter().flat_map(|it| it.devices.iter());
    let recorded = lineage.record.data_volumes().map(|it| &it.device);
    let all = source
        .devices
        .iter()
        .map(|it| &it.name)
        .chain(of_image)
        .chain(recorded);
    let mut devices: Vec<String> = all.filter(|it| !source.is_root(it)).cloned().collect();
    devices.sort();
    devices.dedup();
    devices
}

/// The root volume is created from the image, with the size and performance of the original's.
fn root(lineage: &Lineage, source: &Instance) -> Option<RootDevice> {
    let volume = root_volume(lineage, source)?;
    Some(RootDevice {
        device: source.root()?.name.clone(),
        settings: volume.settings.clone(),
        // The user's flag as recorded: on the instance we switch it off when a warning comes.
        delete_on_termination: lineage
            .record
            .volumes
            .iter()
            .find(|it| it.volume == volume.id)
            .is_none_or(|it| it.delete_on_termination),
    })
}

fn root_volume<'a>(lineage: &Lineage<'a>, source: &Instance) -> Option<&'a Volume> {
    let root = &source.root()?.volume;
    let volumes = lineage.facts.volumes.known()?;
    volumes.iter().find(|it| it.id == *root)
}

pub const STEP: &str = "prepare";

/// An instance with launch data that can still be read.
pub fn source<'a>(lineage: &Lineage<'a>) -> Option<&'a Instance> {
    let lives = |it: &&Instance| it.is_alive() && !it.devices.is_empty();
    let owner = lineage.owner.filter(lives);
    owner.or(lineage.base().filter(lives))
}

/// During a rescue: a version without CPU options and with IMDSv2 required, and its fingerprint. None if there is
/// nothing to make it from.
pub fn without_options(lineage: &Lineage, template: &Template) -> Option<(Step, String)> {
    let facts = lineage.facts;
    let readable = facts.volumes.known().is_some() && facts.images.known().is_some();
    let source = source(lineage).filter(|_| readable)?;
    plain(lineage, source, template)
}

pub fn is_planned(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| step.id == STEP)
}

pub fn names_taken(lineage: &Lineage) -> String {
    format!(
        "no rescue is prepared for {}: launch templates that are not ours have its names; delete {}",
        lineage.id,
        template_names(lineage.id).join(", ")
    )
}

/// Follows the version in the instance's tag if that version has no network, so that first aid launches nothing from
/// it.
pub const BARE: &str = " bare";
