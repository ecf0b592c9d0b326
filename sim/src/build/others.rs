//! Nodes that no Auto Scaling group launched: Karpenter's, Auto Mode's, and those someone started by hand.

use std::collections::BTreeMap;

use super::check;
use super::network::Network;
use super::nodes::{Order, cluster_tags, remove_tags, template_tags};
use super::templates::Resolved;
use super::{DAY, Outcome, RegionBuilder};
use crate::fleet::nodes::{AutoModeSpec, ClusterSpec, InstanceSpec, KarpenterSpec};
use crate::ids;
use crate::world::{
    InstanceState, LaunchTemplate, Launcher, MetadataOptions, OwnTag, Switch, Tags, TemplateData,
    TemplateVersion, Tokens,
};

/// Who manages the nodes of EKS Auto Mode.
const EKS: &str = "eks.amazonaws.com";

/// A template with one version, as Karpenter and Auto Mode make them.
struct Made<'a> {
    name: String,
    data: TemplateData,
    tags: Tags,
    author: &'a str,
    operator: Option<String>,
}

impl RegionBuilder<'_> {
    pub(super) fn add_karpenter(
        &mut self,
        cluster: &ClusterSpec,
        spec: &KarpenterSpec,
        network: &Network,
    ) -> Outcome<()> {
        let place = format!("cluster {:?}, node pool {:?}", cluster.name, spec.node_pool);
        check::metadata_options(Some(&spec.metadata_options))
            .map_err(|message| self.problem(&place, message))?;
        let reference = spec.image.clone().unwrap_or_else(|| format!("al2023-{}", cluster.version));
        let image = self.image(&reference)?;
        let mut tags = Tags::from([
            ("karpenter.sh/nodepool".to_owned(), spec.node_pool.clone()),
            ("karpenter.k8s.aws/ec2nodeclass".to_owned(), spec.node_class.clone()),
            ("eks:eks-cluster-name".to_owned(), cluster.name.clone()),
            (format!("kubernetes.io/cluster/{}", cluster.name), "owned".to_owned()),
        ]);
        let hash = ids::number(&self.parts(&["karpenter", &cluster.name, &spec.node_pool]));
        let template = self.make_template(
            Made {
                name: format!("karpenter.k8s.aws/{hash}"),
                data: TemplateData {
                    resolved_image: Some(image.id.clone()),
                    image: Some(image.id.clone()),
                    metadata_options: Some(karpenter_options(spec.metadata_options)),
                    user_data: Some(format!(
                        "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n# DB_PASSWORD=in-user-data\n# {}\n",
                        cluster.name
                    )),
                    security_groups: vec![network.security_group.clone()],
                    tags: tags.clone(),
                    volume_tags: tags.clone(),
                    ..TemplateData::default()
                },
                tags: tags.clone(),
                author: "assumed-role/KarpenterController/karpenter",
                operator: None,
            },
            spec.template_deleted,
        );
        template_tags(&template, &mut tags);
        cluster_tags(&cluster.name, &mut tags);
        tags.insert("aws:ec2:fleet-id".to_owned(), format!("fleet-{}", ids::uuid(&[&template.id])));
        remove_tags(&spec.without_tags, &mut tags);
        let own_tag = OwnTag { key: "karpenter.sh/nodeclaim".to_owned(), prefix: spec.node_pool.clone() };
        let launched = self.launch(Order {
            key: format!("karpenter/{}/{}", cluster.name, spec.node_pool),
            count: spec.nodes,
            image: &image.id,
            instance_types: &types_or(&spec.instance_types, "c6i.xlarge"),
            options: self.options_at_launch(template.data.metadata_options.unwrap_or_default(), &image.id),
            tags,
            launcher: launcher(&template),
            network,
            profile: Some(format!("{}_karpenter", cluster.name)),
            state: InstanceState::Running,
            spot: spec.spot,
            operator: None,
            own_tag: Some(own_tag).filter(|own| !spec.without_tags.contains(&own.key)),
            days: 1,
        });
        self.drift(&spec.drift, launched.len(), &place)
    }

    pub(super) fn add_auto_mode(
        &mut self,
        cluster: &ClusterSpec,
        spec: &AutoModeSpec,
        network: &Network,
    ) -> Outcome<()> {
        let image = self.image(&format!("eks-auto-{}", cluster.version))?;
        let pools = u32::try_from(spec.node_pools.len()).unwrap_or(1).max(1);
        for (index, pool) in (0_u32..).zip(&spec.node_pools) {
            let count = spec.nodes / pools + u32::from(index < spec.nodes % pools);
            let mut tags = Tags::from([
                ("eks:eks-cluster-name".to_owned(), cluster.name.clone()),
                ("eks.amazonaws.com/nodeclass".to_owned(), "default".to_owned()),
                ("karpenter.sh/nodepool".to_owned(), pool.clone()),
            ]);
            let hash = ids::number(&self.parts(&["auto mode", &cluster.name, pool]));
            let template = self.make_template(
                Made {
                    name: format!("eks.amazonaws.com/{hash}"),
                    data: TemplateData {
                        resolved_image: Some(image.id.clone()),
                        image: Some(image.id.clone()),
                        // Fixed by AWS: tokens required, one hop, nothing to configure.
                        metadata_options: Some(MetadataOptions {
                            http_tokens: Some(Tokens::Required),
                            hop_limit: Some(1),
                            ..MetadataOptions::default()
                        }),
                        security_groups: vec![network.security_group.clone()],
                        tags: tags.clone(),
                        volume_tags: tags.clone(),
                        ..TemplateData::default()
                    },
                    tags: tags.clone(),
                    author: "assumed-role/AWSServiceRoleForAmazonEKS/EKS",
                    operator: Some(EKS.to_owned()),
                },
                false,
            );
            template_tags(&template, &mut tags);
            cluster_tags(&cluster.name, &mut tags);
            self.launch(Order {
                key: format!("auto/{}/{pool}", cluster.name),
                count,
                image: &image.id,
                instance_types: &types_or(&spec.instance_types, "c6a.large"),
                options: self
                    .options_at_launch(template.data.metadata_options.unwrap_or_default(), &image.id),
                tags,
                launcher: launcher(&template),
                network,
                profile: Some(format!("{}_auto", cluster.name)),
                state: InstanceState::Running,
                spot: false,
                operator: Some(EKS.to_owned()),
                own_tag: None,
                days: 1,
            });
        }
        Ok(())
    }

    pub(super) fn add_standalone(&mut self, spec: &InstanceSpec, cluster: Option<&str>) -> Outcome<()> {
        let place = format!("instances {:?}", spec.name);
        check::metadata_options(Some(&spec.metadata_options))
            .map_err(|message| self.problem(&place, message))?;
        let template = match &spec.template {
            Some(wanted) => Some(self.resolve(wanted, &place)?),
            None => None,
        };
        let data = template.as_ref().map(|template| template.data.clone()).unwrap_or_default();
        let image = match (&spec.image, data.resolved_image) {
            (Some(reference), _) => self.image(reference)?.id,
            (None, Some(image)) => image,
            (None, None) => {
                return Err(self.problem(&place, "needs an image, or a template that has one"));
            }
        };
        let options = spec.metadata_options.or(data.metadata_options.unwrap_or_default());
        let mut tags = data.tags;
        tags.extend(spec.tags.clone());
        tags.insert("Name".to_owned(), spec.name.clone());
        if let Some(template) = &template {
            template_tags(template, &mut tags);
        }
        if let Some(cluster) = cluster {
            cluster_tags(cluster, &mut tags);
        }
        remove_tags(&spec.without_tags, &mut tags);
        let type_of_template = data.instance_type.unwrap_or_else(|| "m5.large".to_owned());
        let network = self.network(cluster.unwrap_or("default"));
        let launched = self.launch(Order {
            key: format!("standalone/{}/{}", cluster.unwrap_or_default(), spec.name),
            count: spec.nodes,
            image: &image,
            instance_types: &[spec.instance_type.clone().unwrap_or(type_of_template)],
            options: self.options_at_launch(options, &image),
            tags,
            launcher: template.as_ref().map_or(Launcher::Call, launcher),
            network: &network,
            profile: cluster.map(|cluster| format!("{cluster}-node")),
            state: InstanceState::Running,
            spot: false,
            operator: None,
            own_tag: None,
            days: 20,
        });
        self.drift(&spec.drift, launched.len(), &place)
    }

    fn make_template(&mut self, made: Made<'_>, deleted: bool) -> Resolved {
        let id = ids::ec2("lt", &self.parts(&[&made.name]));
        let author = format!("arn:{}:sts::{}:{}", self.account.partition, self.account.id, made.author);
        let created = self.now - 45 * DAY;
        if !deleted {
            let version = TemplateVersion {
                number: 1,
                description: None,
                created,
                created_by: author.clone(),
                data: made.data.clone(),
            };
            self.region.templates.insert(
                id.clone(),
                LaunchTemplate {
                    id: id.clone(),
                    name: made.name.clone(),
                    created,
                    created_by: author,
                    default_version: 1,
                    last_number: 1,
                    versions: BTreeMap::from([(1, version)]),
                    tags: made.tags,
                    operator: made.operator,
                },
            );
        }
        Resolved { id, name: made.name, version: 1, data: made.data }
    }
}

/// Karpenter writes every option: what the `EC2NodeClass` leaves out has been filled in at admission with the
/// defaults of Karpenter 1.0.
fn karpenter_options(spec: MetadataOptions) -> MetadataOptions {
    let defaults = MetadataOptions {
        http_tokens: Some(Tokens::Required),
        hop_limit: Some(1),
        http_endpoint: Some(Switch::Enabled),
        http_protocol_ipv6: Some(Switch::Disabled),
        instance_metadata_tags: Some(Switch::Disabled),
    };
    spec.or(defaults)
}

fn launcher(template: &Resolved) -> Launcher {
    Launcher::Template { id: template.id.clone(), name: template.name.clone(), version: template.version }
}

fn types_or(types: &[String], default: &str) -> Vec<String> {
    if types.is_empty() { vec![default.to_owned()] } else { types.to_vec() }
}
