//! `CreateTags` and `DeleteTags`: all resources or none, no `aws:` keys (TRAP 11), at most 50 others, and of one
//! resource not two at once (TRAP 56).
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>

use super::{Lagged, State, World, error::refused};
use crate::cloud::CloudError;
use crate::step::Action;
use crate::tags::{
    Tags,
    limits::{LONGEST, MOST, count},
};

/// Tags that a call is changing, until it has ended or was given up by its caller.
pub(super) struct Writing<'a> {
    world: &'a World,
    resources: &'a [String],
}

impl World {
    pub(super) fn writing<'a>(&'a self, action: &'a Action) -> Result<Writing<'a>, CloudError> {
        let (call, resources): (_, &[String]) = if let Action::Tag { resources, .. } = action {
            ("CreateTags", resources)
        } else if let Action::Untag { resources, .. } = action {
            ("DeleteTags", resources)
        } else {
            ("", &[])
        };
        self.change(|it| {
            if let Some(busy) = resources.iter().find(|id| it.retagging.contains(*id)) {
                return Err(refused(call, "ConcurrentTagAccess", busy));
            }
            it.retagging.extend(resources.iter().cloned());
            Ok(())
        })?;
        let world = self;
        Ok(Writing { world, resources })
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.world
            .change(|it| it.retagging.retain(|id| !self.resources.contains(id)));
    }
}

impl State {
    pub(super) fn tag(&mut self, resources: &[String], tags: &Tags) -> Result<String, CloudError> {
        const CALL: &str = "CreateTags";
        check_tags(CALL, tags)?;
        for resource in resources {
            let present = self
                .tags_of(resource)
                .ok_or_else(|| unknown(CALL, resource))?;
            let mut all = present.current().clone();
            all.extend(tags.clone());
            if count(all.keys()) > MOST {
                return Err(refused(CALL, "TagLimitExceeded", resource));
            }
        }
        self.retag(resources, |present| present.extend(tags.clone()));
        self.written(resources, tags.keys());
        Ok(String::new())
    }

    pub(super) fn untag(
        &mut self,
        resources: &[String],
        keys: &[String],
    ) -> Result<String, CloudError> {
        const CALL: &str = "DeleteTags";
        if let Some(resource) = resources.iter().find(|it| self.tags_of(it).is_none()) {
            return Err(unknown(CALL, resource));
        }
        self.retag(resources, |present| {
            present.retain(|key, _| !keys.contains(key));
        });
        self.written(resources, keys.iter());
        Ok(String::new())
    }

    pub(super) fn retag(&mut self, resources: &[String], change: impl Fn(&mut Tags)) {
        let (now, seen_from) = (self.now, self.seen_from());
        for resource in resources {
            if let Some(tags) = self.tags_of(resource) {
                tags.change(now, seen_from, &change);
            }
        }
    }

    /// Of whatever has this id.
    pub(super) fn tags_of(&mut self, id: &str) -> Option<&mut Lagged<Tags>> {
        let kind = id.split('-').next()?;
        match kind {
            "i" => Some(&mut self.instances.get_mut(&id.parse().ok()?)?.tags),
            "eni" => Some(&mut self.interfaces.get_mut(&id.parse().ok()?)?.tags),
            "vol" => Some(&mut self.volumes.get_mut(&id.parse().ok()?)?.tags),
            "snap" => {
                let snapshot = self.snapshots.get_mut(&id.parse().ok()?)?;
                snapshot.own.then_some(&mut snapshot.tags)
            }
            "lt" => Some(&mut self.templates.get_mut(&id.parse().ok()?)?.tags),
            "sir" => Some(&mut self.requests.get_mut(&id.parse().ok()?)?.tags),
            _ => None,
        }
    }
}

/// What every call that tags refuses.
pub(super) fn check_tags(call: &'static str, tags: &Tags) -> Result<(), CloudError> {
    if tags.keys().any(|key| key.starts_with("aws:")) {
        let message = "Tag keys starting with 'aws:' are reserved for internal use";
        return Err(refused(call, "InvalidParameterValue", message));
    }
    if count(tags.keys()) > MOST {
        return Err(refused(call, "TagLimitExceeded", "more than 50 tags"));
    }
    let long = |(key, value): (&String, &String)| {
        key.chars().count() > 128 || value.chars().count() > LONGEST
    };
    if tags.iter().any(long) {
        return Err(refused(
            call,
            "InvalidParameterValue",
            "key or value too long",
        ));
    }
    Ok(())
}

fn unknown(call: &'static str, id: &str) -> CloudError {
    let code = match id.split('-').next() {
        Some("i") => "InvalidInstanceID.NotFound",
        Some("vol") => "InvalidVolume.NotFound",
        Some("snap") => "InvalidSnapshot.NotFound",
        Some("lt") => "InvalidLaunchTemplateId.NotFound",
        Some("sir") => "InvalidSpotInstanceRequestID.NotFound",
        _ => "InvalidID",
    };
    refused(call, code, id)
}
