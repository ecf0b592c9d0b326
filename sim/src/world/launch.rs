//! Launching instances while the simulator runs, as a group does when it replaces its own.

use std::sync::Arc;

use super::{
    Instance, InstanceId, InstanceState, Launch, Launcher, Place, Region, Switch, Tags, TemplateData, Tokens,
    at_launch,
};
use crate::ids::Parts;

/// Where instances are placed.
#[derive(Debug, Clone)]
pub struct Placement {
    /// Zones with a subnet each; the instances take turns.
    pub places: Vec<Place>,
    /// `vpc-…`.
    pub vpc: String,
    /// The second number of their addresses.
    pub octet: u8,
    /// For templates that name none.
    pub security_group: String,
}

impl Placement {
    /// Where these are.
    pub fn beside(launch: &Launch) -> Self {
        Self {
            places: launch.places.clone(),
            vpc: launch.vpc.clone(),
            octet: launch.octet,
            security_group: launch.security_group.clone(),
        }
    }
}

/// One call that launches instances from a launch template.
#[derive(Debug, Clone)]
pub struct LaunchOrder<'a> {
    /// The template's id.
    pub template: &'a str,
    /// The number of its version.
    pub version: u64,
    /// How many.
    pub count: u32,
    /// For a template that names none.
    pub instance_types: &'a [String],
    /// Where.
    pub placement: Placement,
    /// In addition to those that the template and EC2 put on.
    pub tags: Tags,
    /// Are they spot instances?
    pub spot: bool,
    /// When, in seconds since 1970.
    pub now: i64,
}

/// Why EC2 launches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaunchFailure {
    /// There is no such template, or no such version of it.
    NoTemplate,
    /// The template names no image.
    NoImage,
    /// The image is gone, or was never there.
    ImageGone(String),
    /// The account's `HttpTokensEnforced` forbids what the options come to.
    TokensEnforced,
}

impl Region {
    /// Launches, and answers with the ids. The options are what EC2 makes of the template, the account's defaults
    /// and the image at this moment.
    pub fn launch(&mut self, order: LaunchOrder<'_>) -> Result<Vec<InstanceId>, LaunchFailure> {
        let template = self.templates.get(order.template).ok_or(LaunchFailure::NoTemplate)?;
        let version = template.versions.get(&order.version).ok_or(LaunchFailure::NoTemplate)?;
        let data = &version.data;
        let image = data.resolved_image.clone().ok_or(LaunchFailure::NoImage)?;
        let known = self.images.get(&image).filter(|image| image.status.can_launch());
        let known = known.ok_or_else(|| LaunchFailure::ImageGone(image.clone()))?;
        let options =
            at_launch(data.metadata_options.unwrap_or_default(), &self.account_defaults, known.imds_v2);
        let enforced = self.account_defaults.http_tokens_enforced == Some(Switch::Enabled);
        if enforced && options.http_tokens == Tokens::Optional {
            return Err(LaunchFailure::TokensEnforced);
        }
        let launcher = Launcher::Template {
            id: template.id.clone(),
            name: template.name.clone(),
            version: order.version,
        };
        let operator = template.operator.clone();
        let (count, now) = (order.count, order.now);
        let launch = Arc::new(launch_of(data, image, launcher, operator, order));
        self.serial += 1;
        let key = Parts::of(&["launch", &launch.vpc, &self.serial.to_string(), &now.to_string()]);
        let first = self.instances.len();
        for index in 0..count {
            let number = key.and(&index.to_string());
            let call = key.and("reservation").and(&Instance::reservation_of(index).to_string());
            let [.., third, fourth] = number.number().to_be_bytes();
            self.instances.push(Instance {
                id: InstanceId(number.ec2("i")),
                reservation: call.ec2("r"),
                index,
                launch: Arc::clone(&launch),
                launched: now,
                address: [third, fourth.clamp(4, 254)],
                state: InstanceState::Running,
                options,
                settling: 0,
            });
        }
        Ok(self.instances[first..].iter().map(|instance| instance.id).collect())
    }
}

fn launch_of(
    data: &TemplateData,
    image: String,
    launcher: Launcher,
    operator: Option<String>,
    order: LaunchOrder<'_>,
) -> Launch {
    let mut tags = data.tags.clone();
    if let Launcher::Template { id, version, .. } = &launcher {
        tags.insert("aws:ec2launchtemplate:id".to_owned(), id.clone());
        tags.insert("aws:ec2launchtemplate:version".to_owned(), version.to_string());
    }
    tags.extend(order.tags);
    let placement = order.placement;
    Launch {
        image,
        instance_types: match &data.instance_type {
            Some(one) => vec![one.clone()],
            None => order.instance_types.to_vec(),
        },
        places: placement.places,
        vpc: placement.vpc,
        octet: placement.octet,
        security_group: data.security_groups.first().cloned().unwrap_or(placement.security_group),
        profile: data.profile.clone(),
        tags,
        own_tag: None,
        launcher,
        spot: order.spot,
        operator,
    }
}
