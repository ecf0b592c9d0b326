//! Inventories for tests, a few words each.

use std::collections::BTreeMap;

use crate::model::{
    AccountDefaults, Arn, AutoScalingGroup, Cluster, Coverage, GroupLaunch, Image, ImageRef, ImdsSupport,
    Instance, InstanceState, Inventory, LaunchTemplate, MetadataOptions, NodeGroup, OptionValue, Read, Scope,
    Tags, TemplateRef, TemplateVersion, VersionRef,
};

pub const AL2023_IMAGE: &str = "ami-al2023";
pub const AL2_IMAGE: &str = "ami-al2";
pub const MYSTERY_IMAGE: &str = "ami-mystery";

/// Tags of a node of the node group `workers` that version 1 of the template `lt-copy` launched.
pub const LAUNCHED_BY_WORKERS: [(&str, &str); 4] = [
    ("eks:nodegroup-name", "workers"),
    ("aws:autoscaling:groupName", "eks-workers"),
    ("aws:ec2launchtemplate:id", "lt-copy"),
    ("aws:ec2launchtemplate:version", "1"),
];

/// A Region with the cluster `blue`, three images, and account defaults without preference.
pub fn inventory() -> Inventory {
    let scope = Scope {
        partition: "aws".into(),
        account_id: "111122223333".into(),
        account_name: None,
        region: "eu-west-1".into(),
    };
    let mut inventory = Inventory::empty(scope.clone(), Coverage::complete(&scope));
    inventory.traces = true;
    inventory.templates_read = true;
    inventory.account_defaults = Read::Known(AccountDefaults::default());
    inventory.clusters.push(Cluster {
        name: "blue".to_owned(),
        arn: scope.arn("eks", "cluster/blue"),
        fargate_profiles: 0,
    });
    let images = [
        (AL2023_IMAGE, "amazon-eks-node-al2023-x86_64-standard-1.33-v20261001", ImdsSupport::V2),
        (AL2_IMAGE, "amazon-eks-node-1.31-v20261001", ImdsSupport::Unspecified),
        (MYSTERY_IMAGE, "golden-42", ImdsSupport::Unspecified),
    ];
    for (id, name, imds_support) in images {
        let image = Image {
            id: id.into(),
            name: Some(name.to_owned()),
            owner_id: Some(if id == MYSTERY_IMAGE { "111122223333" } else { "602401143452" }.to_owned()),
            owner_alias: None,
            description: None,
            source_image: None,
            platform: None,
            imds_support,
            tags: Tags::default(),
        };
        inventory.images.insert(image.id.clone(), image);
    }
    inventory
}

/// Tokens and hop limit; `None` leaves one unset.
pub fn options(tokens: Option<OptionValue>, hops: Option<i32>) -> MetadataOptions {
    MetadataOptions {
        http_tokens: tokens,
        http_put_response_hop_limit: hops.map(OptionValue::Number),
        ..MetadataOptions::default()
    }
}

/// All five options, as an instance has them.
pub fn actual(tokens: OptionValue, hops: i32) -> MetadataOptions {
    MetadataOptions {
        http_endpoint: Some(OptionValue::Enabled),
        http_protocol_ipv6: Some(OptionValue::Disabled),
        instance_metadata_tags: Some(OptionValue::Disabled),
        ..options(Some(tokens), Some(hops))
    }
}

pub fn tags(tags: &[(&str, &str)]) -> Tags {
    tags.iter().copied().collect()
}

/// Adds a template whose versions are numbered from 1; the last is the default.
pub fn template(inventory: &mut Inventory, id: &str, versions: &[MetadataOptions], image: &ImageRef) {
    let versions: BTreeMap<i64, TemplateVersion> = (1..)
        .zip(versions)
        .map(|(number, metadata)| {
            let version =
                TemplateVersion { number, image: image.clone(), metadata: *metadata, created_by: None };
            (number, version)
        })
        .collect();
    let latest = versions.keys().copied().max().unwrap_or_default();
    let template = LaunchTemplate {
        id: id.into(),
        name: format!("{id}-name"),
        tags: Tags::default(),
        default_version: latest,
        latest_version: latest,
        versions,
    };
    inventory.launch_templates.insert(template.id.clone(), template);
}

pub fn al2023() -> ImageRef {
    ImageRef::Id(AL2023_IMAGE.into())
}

pub fn reference(id: &str, version: VersionRef) -> TemplateRef {
    TemplateRef { id: Some(id.into()), name: None, version }
}

/// Adds an Auto Scaling group of the cluster `blue`.
pub fn group(inventory: &mut Inventory, name: &str, launch: GroupLaunch) {
    inventory.auto_scaling_groups.push(AutoScalingGroup {
        name: name.to_owned(),
        arn: None,
        tags: tags(&[("kubernetes.io/cluster/blue", "owned")]),
        launch,
        instances: Vec::new(),
    });
}

/// Adds a managed node group of `blue` whose Auto Scaling group launches version 1 of the copy.
pub fn node_group(inventory: &mut Inventory, name: &str, copy: &str, users: Option<TemplateRef>) {
    let asg = format!("eks-{name}");
    group(inventory, &asg, GroupLaunch::Template(reference(copy, VersionRef::Number(1))));
    inventory.node_groups.push(NodeGroup {
        name: name.to_owned(),
        cluster: "blue".to_owned(),
        arn: Some(Arn::from(format!("arn:aws:eks:eu-west-1:111122223333:nodegroup/blue/{name}/1"))),
        described: true,
        ami_type: Some("AL2023_x86_64_STANDARD".to_owned()),
        release_version: Some("1.33.5-20261001".to_owned()),
        version: Some("1.33".to_owned()),
        status: Some("ACTIVE".to_owned()),
        template: users,
        auto_scaling_groups: vec![asg],
        tags: Tags::default(),
    });
}

/// Adds an instance of the cluster `blue`.
pub fn instance(
    inventory: &mut Inventory,
    id: &str,
    image: &str,
    metadata: MetadataOptions,
    more: &[(&str, &str)],
) {
    let all: Vec<_> = more.iter().copied().chain([("aws:eks:cluster-name", "blue")]).collect();
    inventory.instances.push(Instance {
        id: id.into(),
        image: Some(image.into()),
        instance_type: Some("m6i.large".to_owned()),
        state: InstanceState::Running,
        metadata,
        operator: None,
        tags: tags(&all),
    });
}
