//! EC2 Fleets and Spot Fleet requests, and what they launched.

use super::nodes::{Order, template_tags};
use super::{DAY, Outcome, RegionBuilder, check};
use crate::fleet::nodes::{FleetSpec, TemplateUse};
use crate::ids;
use crate::world::{Fleet, FleetTemplate, FleetType, InstanceState, Launcher, TemplateSpecification};

impl RegionBuilder<'_> {
    /// Adds an EC2 Fleet, or with `spot` a Spot Fleet request. Its instances come from its first template.
    pub(super) fn add_fleet(&mut self, spec: &FleetSpec, spot: bool) -> Outcome<()> {
        let place = format!("{} {:?}", if spot { "spot fleet" } else { "fleet" }, spec.name);
        if spot && spec.kind == FleetType::Instant {
            return Err(self.problem(&place, "a Spot Fleet is of the type maintain or request"));
        }
        let known = check::FLEET_STATES.contains(&spec.state.as_str());
        if !known {
            return Err(self.problem(&place, format!("{:?} is not the state of a fleet", spec.state)));
        }
        let what = if spot { "sfr" } else { "fleet" };
        let id = format!("{what}-{}", ids::uuid(&self.parts(&[what, &spec.name])));
        self.launch_fleet(spec, spot, &id, &place)?;
        let mut templates = Vec::with_capacity(spec.templates.len());
        for used in &spec.templates {
            let wanted = TemplateUse { name: used.name.clone(), version: used.version.clone() };
            let resolved = self.resolve(&wanted, &place)?;
            templates.push(FleetTemplate {
                template: TemplateSpecification {
                    id: resolved.id,
                    name: resolved.name,
                    version: used.version.clone(),
                },
                instance_types: used.instance_types.clone(),
            });
        }
        let fleet = Fleet {
            id,
            kind: spec.kind,
            state: spec.state.clone(),
            templates,
            capacity: spec.nodes,
            on_demand: spec.on_demand && !spot,
            created: self.now - 30 * DAY,
            tags: spec.tags.clone(),
        };
        if spot { &mut self.region.spot_fleets } else { &mut self.region.fleets }.push(fleet);
        Ok(())
    }

    fn launch_fleet(&mut self, spec: &FleetSpec, spot: bool, id: &str, place: &str) -> Outcome<()> {
        let Some(first) = spec.templates.first() else {
            return Err(self.problem(place, "launches from no template"));
        };
        let wanted = TemplateUse { name: first.name.clone(), version: first.version.clone() };
        let template = self.resolve(&wanted, place)?;
        let Some(image) = template.data.resolved_image.clone() else {
            return Err(self.problem(place, "the template has no image"));
        };
        let mut tags = template.data.tags.clone();
        template_tags(&template, &mut tags);
        let key = if spot { "aws:ec2spot:fleet-request-id" } else { "aws:ec2:fleet-id" };
        tags.insert(key.to_owned(), id.to_owned());
        let own = template.data.instance_type.clone().unwrap_or_else(|| "m6i.large".to_owned());
        let types = if first.instance_types.is_empty() { vec![own] } else { first.instance_types.clone() };
        let network = self.network("default");
        self.launch(Order {
            key: id.to_owned(),
            count: spec.nodes,
            image: &image,
            instance_types: &types,
            options: self.options_at_launch(template.data.metadata_options.unwrap_or_default(), &image),
            tags,
            launcher: Launcher::Template {
                id: template.id.clone(),
                name: template.name.clone(),
                version: template.version,
            },
            network: &network,
            profile: template.data.profile_name().map(str::to_owned),
            state: InstanceState::Running,
            spot: spot || !spec.on_demand,
            operator: None,
            own_tag: None,
            days: 10,
        });
        Ok(())
    }
}
