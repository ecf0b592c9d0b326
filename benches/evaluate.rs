//! Judging 100,000 instances, and ten times fewer: `cargo bench --bench evaluate`.
//!
//! The pure core alone, from an inventory in memory to findings. The two sizes show that it grows linearly.

use imdsctl::model::{
    AccountDefaults, AutoScalingGroup, Cluster, Coverage, GroupLaunch, Image, ImageRef, ImdsSupport,
    Instance, InstanceState, Inventory, LaunchTemplate, MetadataOptions, OptionValue, Read, Scope, Tags,
    TemplateRef, TemplateVersion, VersionRef,
};
use imdsctl::policy::{Evaluator, Policy, shipped};

/// Nodes in a group.
const PER_GROUP: usize = 250;

fn main() {
    divan::main();
}

#[divan::bench(args = [10_000, 100_000], sample_count = 10, sample_size = 1)]
fn evaluate(bencher: divan::Bencher<'_, '_>, instances: usize) {
    let inventory = inventory(instances);
    let policies = [al2023()];
    bencher.counter(divan::counter::ItemsCount::new(instances)).bench_local(|| {
        Evaluator::new(&policies, jiff::civil::date(2026, 11, 22)).judge(divan::black_box(&inventory), false)
    });
}

fn al2023() -> Policy {
    shipped("al2023").expect("it is shipped").expect("it is valid")
}

/// Self-managed groups, every second of which launches and runs nodes with a hop limit of 1.
fn inventory(instances: usize) -> Inventory {
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
    let arn = scope.arn("eks", "cluster/blue");
    inventory.clusters.push(Cluster { name: "blue".to_owned(), arn, fargate_profiles: 0 });
    let image = image();
    inventory.images.insert(image.id.clone(), image);
    for group in 0..instances / PER_GROUP {
        add_group(&mut inventory, group);
    }
    inventory
}

fn image() -> Image {
    Image {
        id: "ami-1".into(),
        name: Some("amazon-eks-node-al2023-x86_64-standard-1.33-v20261001".to_owned()),
        owner_id: Some("602401143452".to_owned()),
        owner_alias: None,
        description: None,
        source_image: None,
        platform: None,
        imds_support: ImdsSupport::V2,
        tags: Tags::default(),
    }
}

fn add_group(inventory: &mut Inventory, number: usize) {
    let name = format!("nodes-{number}");
    let id = format!("lt-{number:017x}");
    let hops = OptionValue::Number(if number.is_multiple_of(2) { 1 } else { 2 });
    let set = MetadataOptions {
        http_tokens: Some(OptionValue::Required),
        http_put_response_hop_limit: Some(hops),
        ..MetadataOptions::default()
    };
    let version =
        TemplateVersion { number: 1, image: ImageRef::Id("ami-1".into()), metadata: set, created_by: None };
    let template = LaunchTemplate {
        id: id.as_str().into(),
        name: name.clone(),
        tags: Tags::default(),
        default_version: 1,
        latest_version: 1,
        versions: [(1, version)].into(),
    };
    inventory.launch_templates.insert(template.id.clone(), template);
    let nodes = (0..PER_GROUP).map(|node| instance(number, node, &name, &id, set));
    let start = inventory.instances.len();
    inventory.instances.extend(nodes);
    inventory.auto_scaling_groups.push(AutoScalingGroup {
        launch: GroupLaunch::Template(TemplateRef {
            id: Some(id.as_str().into()),
            name: None,
            version: VersionRef::Number(1),
        }),
        arn: None,
        tags: [("kubernetes.io/cluster/blue", "owned")].into_iter().collect(),
        instances: inventory.instances[start..].iter().map(|instance| instance.id.clone()).collect(),
        name,
    });
}

fn instance(group: usize, node: usize, name: &str, template: &str, set: MetadataOptions) -> Instance {
    Instance {
        id: format!("i-{:017x}", group * PER_GROUP + node).into(),
        image: Some("ami-1".into()),
        instance_type: Some("m6i.large".to_owned()),
        state: InstanceState::Running,
        metadata: MetadataOptions { http_endpoint: Some(OptionValue::Enabled), ..set },
        operator: None,
        tags: [
            ("Name", name),
            ("aws:autoscaling:groupName", name),
            ("aws:ec2launchtemplate:id", template),
            ("aws:ec2launchtemplate:version", "1"),
            ("aws:eks:cluster-name", "blue"),
            ("kubernetes.io/cluster/blue", "owned"),
        ]
        .into_iter()
        .collect(),
    }
}
