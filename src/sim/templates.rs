//! Launch templates: names are unique, versions are added, tags are given once, at creation.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html>

use super::error::refused;
use super::model::Version;
use super::tagging::check_tags;
use super::{FUNCTION, Lagged, SimTemplate, State};
use crate::cloud::CloudError;
use crate::event::InstanceState;
use crate::id::TemplateId;
use crate::situation::Template;
use crate::step::WriteTemplate;
use crate::tags::Tags;
use std::collections::BTreeMap;

const CREATE: &str = "CreateLaunchTemplate";
const ADD: &str = "CreateLaunchTemplateVersion";

impl State {
    pub(super) fn write_template(&mut self, write: &WriteTemplate) -> Result<String, CloudError> {
        let version = match &write.existing {
            Some((id, Some(after))) if write.extends => self.extended(id, *after, write)?,
            _ => self.launch_template_data(write)?,
        };
        let parameters = format!("{} {version:?} {:?}", write.name, write.tags);
        let never = |_: &CloudError| false;
        let token = &write.token;
        match &write.existing {
            Some((id, _)) => self.once(ADD, token, format!("{id} {version:?}"), never, |world| {
                world.add_version(id, version)
            }),
            None => self.once(CREATE, token, parameters, never, |world| {
                world.create_template(&write.name, &write.tags, version, FUNCTION)
            }),
        }
    }

    /// `SourceVersion`: what is said anew takes the place of what that says.
    fn extended(
        &self,
        id: &TemplateId,
        source: u64,
        write: &WriteTemplate,
    ) -> Result<Version, CloudError> {
        let template = self.templates.get(id);
        let version = template.and_then(|it| it.versions.get(&source));
        let code = "InvalidLaunchTemplateId.VersionNotFound";
        let mut version = version
            .ok_or_else(|| refused(ADD, code, id.as_str()))?
            .clone();
        version
            .spec
            .security_groups
            .clone_from(&write.spec.security_groups);
        version.spec.public_address = write.spec.public_address;
        // The adapter repeats the tags of the other resources.
        version
            .spec
            .interface_tags
            .clone_from(&write.spec.interface_tags);
        version.spec.bare = false;
        Ok(version)
    }

    /// `GetLaunchTemplateData`: of an instance that is still one.
    fn launch_template_data(&self, write: &WriteTemplate) -> Result<Version, CloudError> {
        const CALL: &str = "GetLaunchTemplateData";
        let source = self
            .instance(&write.source)
            .ok_or_else(|| refused(CALL, "InvalidInstanceID.NotFound", write.source.as_str()))?;
        if source.facts.state == InstanceState::Terminated {
            return Err(refused(
                CALL,
                "IncorrectInstanceState",
                write.source.as_str(),
            ));
        }
        check_tags(CREATE, &write.spec.instance_tags)?;
        Ok(Version {
            spec: write.spec.clone(),
            image: write.image.clone().or_else(|| source.facts.image.clone()),
            instance_profile: source.facts.instance_profile.clone(),
            key_pair: source.facts.key_pair.clone(),
            tokens_required: write.spec.plain || source.tokens_required,
        })
    }

    pub(super) fn create_template(
        &mut self,
        name: &str,
        tags: &Tags,
        version: Version,
        by: &str,
    ) -> Result<String, CloudError> {
        check_tags(CREATE, tags)?;
        if self.templates.values().any(|it| it.facts.name == name) {
            let code = "InvalidLaunchTemplateName.AlreadyExistsException";
            return Err(refused(CREATE, code, name));
        }
        let id: TemplateId = self.new_id("lt-");
        let template = SimTemplate {
            facts: Template {
                id: id.clone(),
                name: name.to_owned(),
                tags: Tags::new(),
                created_by: Some(by.to_owned()),
                latest: 1,
                default: 1,
                ours: false,
                unproven: Vec::new(),
            },
            tags: Lagged::new(tags.clone()),
            visible_from: self.seen_from(),
            versions: BTreeMap::from([(1, version)]),
        };
        self.templates.insert(id.clone(), template);
        Ok(format!("{id} 1"))
    }

    pub(super) fn add_version(
        &mut self,
        id: &TemplateId,
        version: Version,
    ) -> Result<String, CloudError> {
        let template = self
            .templates
            .get_mut(id)
            .ok_or_else(|| refused(ADD, "InvalidLaunchTemplateId.NotFound", id.as_str()))?;
        template.facts.latest += 1;
        let number = template.facts.latest;
        template.versions.insert(number, version);
        Ok(format!("{id} {number}"))
    }

    /// `ModifyLaunchTemplate`, then `DeleteLaunchTemplateVersions`: the default cannot be deleted, and what is
    /// gone already does not fail the rest.
    pub(super) fn trim_template(
        &mut self,
        id: &TemplateId,
        default: u64,
        versions: &[u64],
    ) -> Result<String, CloudError> {
        let code = "InvalidLaunchTemplateId.NotFound";
        let missing = |id: &TemplateId| refused("ModifyLaunchTemplate", code, id.as_str());
        let template = self.templates.get_mut(id).ok_or_else(|| missing(id))?;
        if !template.versions.contains_key(&default) {
            let code = "InvalidLaunchTemplateId.VersionNotFound";
            return Err(refused("ModifyLaunchTemplate", code, id.as_str()));
        }
        template.facts.default = default;
        let goes = |it: &u64| versions.contains(it) && *it != default;
        template.versions.retain(|it, _| !goes(it));
        Ok(String::new())
    }

    pub(super) fn delete_template(&mut self, id: &TemplateId) -> Result<String, CloudError> {
        let code = "InvalidLaunchTemplateId.NotFound";
        let removed = self.templates.remove(id);
        removed
            .map(|_| String::new())
            .ok_or_else(|| refused("DeleteLaunchTemplate", code, id.as_str()))
    }
}
