//! Launch templates and launch configurations of users.

use std::collections::BTreeMap;

use super::check;
use super::{DAY, Handle, Outcome, RegionBuilder};
use crate::fleet::nodes::TemplateUse;
use crate::fleet::schema::{LaunchConfigurationSpec, TemplateSpec, VersionSpec};
use crate::ids;
use crate::world::{BlockDevice, LaunchConfiguration, LaunchTemplate, TemplateData, TemplateVersion};

/// What stands in user data where the fleet says nothing: something that must never appear in a report.
const USER_DATA: &str = "#!/bin/bash\nexport DB_PASSWORD=correct-horse-battery-staple\n/opt/node-setup.sh\n";

/// A template in one version.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub id: String,
    pub name: String,
    pub version: u64,
    pub data: TemplateData,
}

impl RegionBuilder<'_> {
    pub(super) fn add_template(&mut self, spec: &TemplateSpec) -> Outcome<()> {
        let place = format!("launch template {:?}", spec.name);
        if self.handles.contains_key(&spec.name) {
            return Err(self.problem(&place, "is described twice"));
        }
        let length = spec.name.chars().count();
        if !(3..=128).contains(&length) {
            return Err(self.problem(&place, "the name must have 3 to 128 characters"));
        }
        let default = spec.default_version.unwrap_or(1);
        let id = ids::ec2("lt", &self.parts(&[&spec.name]));
        let author = spec.created_by.clone().unwrap_or_else(|| self.account.user_arn("terraform"));
        let created = self.now - 400 * DAY;
        let mut versions = BTreeMap::new();
        let mut handle = Handle { id: id.clone(), default, latest: 0, versions: BTreeMap::new() };
        for (number, version) in (1_u64..).zip(&spec.versions) {
            let data = self.template_data(version).map_err(|mut problem| {
                problem.place = format!("{}, {place} version {number}", problem.place);
                problem
            })?;
            handle.versions.insert(number, data.clone());
            if version.deleted {
                continue;
            }
            handle.latest = number;
            versions.insert(
                number,
                TemplateVersion {
                    number,
                    description: version.description.clone(),
                    created: (created + i64::try_from(number).unwrap_or(1) * 20 * DAY).min(self.now - DAY),
                    created_by: author.clone(),
                    data,
                },
            );
        }
        if !versions.contains_key(&default) {
            return Err(self.problem(&place, format!("the default version {default} does not exist")));
        }
        let last_number = handle.versions.keys().next_back().copied().unwrap_or(0);
        self.handles.insert(spec.name.clone(), handle);
        if !spec.deleted {
            let template = LaunchTemplate {
                id: id.clone(),
                name: spec.name.clone(),
                created,
                created_by: author,
                default_version: default,
                last_number,
                versions,
                tags: spec.tags.clone(),
                operator: None,
            };
            self.region.templates.insert(id, template);
        }
        Ok(())
    }

    fn template_data(&mut self, spec: &VersionSpec) -> Outcome<TemplateData> {
        check::metadata_options(spec.metadata_options.as_ref())
            .map_err(|message| self.problem("metadata_options", message))?;
        let image = match &spec.image {
            Some(reference) => Some(self.image(reference)?),
            None => None,
        };
        let volume_of = image.as_ref().map_or("default", |image| image.id.as_str());
        Ok(TemplateData {
            block_devices: vec![BlockDevice {
                device: "/dev/xvda".to_owned(),
                size: Some(80),
                volume_type: Some("gp3".to_owned()),
                encrypted: Some(true),
                delete_on_termination: Some(true),
                snapshot: Some(ids::ec2("snap", &self.parts(&["root", volume_of]))),
                ..BlockDevice::default()
            }],
            resolved_image: image.as_ref().map(|image| image.id.clone()),
            image: image.map(|image| image.text),
            instance_type: spec.instance_type.clone(),
            metadata_options: spec.metadata_options,
            user_data: match spec.user_data.as_deref() {
                None => Some(USER_DATA.to_owned()),
                Some("") => None,
                Some(text) => Some(text.to_owned()),
            },
            key_name: spec.key_name.clone(),
            profile: None,
            security_groups: vec![ids::ec2("sg", &self.parts(&["nodes"]))],
            tags: spec.tags.clone(),
            volume_tags: spec.tags.clone(),
            monitoring: Some(true),
            ebs_optimized: Some(true),
        })
    }

    /// The version that a group or an instance means, deleted or not.
    pub(super) fn resolve(&self, wanted: &TemplateUse, place: &str) -> Outcome<Resolved> {
        let Some(handle) = self.handles.get(&wanted.name) else {
            return Err(self.problem(place, format!("there is no launch template {:?}", wanted.name)));
        };
        let version = match wanted.version.as_str() {
            "$Latest" => handle.latest,
            "$Default" => handle.default,
            number => number.parse().map_err(|_| {
                self.problem(place, format!("{number:?} is neither a number nor $Latest nor $Default"))
            })?,
        };
        let Some(data) = handle.versions.get(&version) else {
            return Err(self
                .problem(place, format!("launch template {:?} never had a version {version}", wanted.name)));
        };
        Ok(Resolved { id: handle.id.clone(), name: wanted.name.clone(), version, data: data.clone() })
    }

    pub(super) fn add_launch_configuration(&mut self, spec: &LaunchConfigurationSpec) -> Outcome<()> {
        let place = format!("launch configuration {:?}", spec.name);
        check::metadata_options(spec.metadata_options.as_ref())
            .map_err(|message| self.problem(&place, message))?;
        if spec.metadata_options.is_some_and(|options| {
            options.http_protocol_ipv6.is_some() || options.instance_metadata_tags.is_some()
        }) {
            return Err(self.problem(&place, "has only http_tokens, hop_limit and http_endpoint"));
        }
        let image = self.image(&spec.image)?;
        let uuid = ids::uuid(&self.parts(&["launch configuration", &spec.name]));
        let resource = format!("launchConfiguration:{uuid}:launchConfigurationName/{}", spec.name);
        let configuration = LaunchConfiguration {
            name: spec.name.clone(),
            arn: self.account.arn("autoscaling", self.name, &resource),
            image: image.id,
            instance_type: spec.instance_type.clone().unwrap_or_else(|| "m5.large".to_owned()),
            metadata_options: spec.metadata_options,
            user_data: Some(USER_DATA.to_owned()),
            profile: Some("eks-node".to_owned()),
            security_groups: vec![ids::ec2("sg", &self.parts(&["nodes"]))],
            created: self.now - 700 * DAY,
        };
        if spec.deleted {
            self.doomed_configurations.insert(spec.name.clone());
        }
        match self.region.launch_configurations.insert(spec.name.clone(), configuration) {
            Some(_) => Err(self.problem(&place, "is described twice")),
            None => Ok(()),
        }
    }
}
