//! What is judged, and what each value is put down to.

use super::{Lever, Subject, SubjectKind};
use crate::finding::{ManagedBy, ResourceType, Source, TemplateOwner};
use crate::model::{
    AccountDefaults, GroupLaunch, ImageRef, Inventory, LaunchOverride, Operator, OptionName, OptionValue,
    Read, VersionRef,
};
use crate::testing::*;

use OptionName::{HttpPutResponseHopLimit, HttpTokens};
use OptionValue::{Number, Optional, Required};

fn subjects(inventory: &Inventory) -> Vec<Subject<'_>> {
    super::of(inventory).subjects
}

fn find<'a>(subjects: &'a [Subject<'_>], id: &str) -> &'a Subject<'a> {
    subjects.iter().find(|subject| subject.resource.id == id).unwrap_or_else(|| panic!("no {id}"))
}

/// The value and source of each way a node comes to be.
fn values(subject: &Subject<'_>, option: OptionName) -> Vec<(Option<OptionValue>, Source)> {
    subject.variants.iter().map(|variant| variant.options.get(option)).map(|e| (e.value, e.source)).collect()
}

#[test]
fn a_managed_node_group_is_judged_by_the_copy_and_put_down_to_who_set_it() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-user", &[options(Some(Required), None)], &ImageRef::Unset);
    template(&mut inventory, "lt-copy", &[options(Some(Required), Some(2))], &al2023());
    node_group(&mut inventory, "apps", "lt-copy", Some(reference("lt-user", VersionRef::Number(1))));

    let subjects = subjects(&inventory);
    let apps = find(&subjects, "blue/apps");
    assert_eq!(apps.resource.r#type, ResourceType::NodeGroup);
    assert_eq!(apps.managed_by, Some(ManagedBy::ManagedNodeGroup));
    assert_eq!(values(apps, HttpTokens), [(Some(Required), Source::LaunchTemplate)]);
    assert_eq!(values(apps, HttpPutResponseHopLimit), [(Some(Number(2)), Source::EksLaunchTemplate)]);
    let template = apps.variants[0].template.as_ref().unwrap();
    assert_eq!((template.id, template.owned_by), (Some("lt-copy"), TemplateOwner::Eks));
    assert!(matches!(&apps.lever, Lever::NodeGroup { template: Some(user), .. } if user.target == "lt-user"));
}

#[test]
fn a_copy_that_is_behind_its_template_decides_what_comes_next() {
    let mut inventory = inventory();
    let (old, new) = (options(Some(Required), Some(1)), options(Some(Required), Some(2)));
    template(&mut inventory, "lt-user", &[old, new], &ImageRef::Unset);
    template(&mut inventory, "lt-copy", &[old], &al2023());
    node_group(&mut inventory, "apps", "lt-copy", Some(reference("lt-user", VersionRef::Number(1))));

    let subjects = subjects(&inventory);
    let apps = find(&subjects, "blue/apps");
    assert_eq!(values(apps, HttpPutResponseHopLimit), [(Some(Number(1)), Source::LaunchTemplate)]);
}

#[test]
fn a_lost_copy_is_unresolved_unless_the_users_version_settles_it() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-user", &[options(Some(Required), None)], &ImageRef::Unset);
    node_group(&mut inventory, "apps", "lt-gone", Some(reference("lt-user", VersionRef::Number(1))));

    let subjects = subjects(&inventory);
    let apps = find(&subjects, "blue/apps");
    assert_eq!(values(apps, HttpTokens), [(Some(Required), Source::LaunchTemplate)]);
    assert_eq!(values(apps, HttpPutResponseHopLimit), [(None, Source::Unresolved)]);
}

#[test]
fn a_template_that_is_gone_is_told_from_one_that_could_not_be_read() {
    let mut inventory = inventory();
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-gone", VersionRef::Number(3))));
    let note = |inventory: &Inventory| find(&subjects(inventory), "own").notes.join("; ");
    assert_eq!(note(&inventory), "lt-gone version 3 no longer exists");
    inventory.templates_read = false;
    assert_eq!(note(&inventory), "lt-gone version 3 could not be read");
}

#[test]
fn every_template_that_an_override_brings_is_a_way_to_launch() {
    let mut inventory = inventory();
    for (id, hops) in [("lt-base", 1), ("lt-arm", 2), ("lt-gpu", 3)] {
        template(&mut inventory, id, &[options(Some(Required), Some(hops))], &al2023());
    }
    let with = |id: Option<&str>| LaunchOverride {
        instance_type: None,
        template: id.map(|id| reference(id, VersionRef::Latest)),
        image: None,
    };
    let mixed = |overrides: Vec<LaunchOverride>| GroupLaunch::Mixed {
        base: reference("lt-base", VersionRef::Latest),
        overrides,
    };
    group(&mut inventory, "some", mixed(vec![with(None), with(Some("lt-arm")), with(None)]));
    group(&mut inventory, "all", mixed(vec![with(Some("lt-arm")), with(Some("lt-gpu"))]));
    group(&mut inventory, "none", mixed(vec![]));

    let subjects = subjects(&inventory);
    let hops = |id| values(find(&subjects, id), HttpPutResponseHopLimit).into_iter().map(|(v, _)| v.unwrap());
    assert!(hops("some").eq([Number(1), Number(2)]));
    assert!(hops("all").eq([Number(2), Number(3)]), "the base template is never launched from");
    assert!(hops("none").eq([Number(1)]));
}

#[test]
fn an_override_with_an_image_of_its_own_launches_that() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-1", &[options(None, None)], &al2023());
    let mixed = GroupLaunch::Mixed {
        base: reference("lt-1", VersionRef::Latest),
        overrides: vec![LaunchOverride {
            instance_type: None,
            template: None,
            image: Some(AL2_IMAGE.into()),
        }],
    };
    group(&mut inventory, "own", mixed);
    let subjects = subjects(&inventory);
    assert_eq!(values(find(&subjects, "own"), HttpTokens), [(Some(Optional), Source::BuiltIn)]);
}

#[test]
fn what_manages_a_node_is_asked_in_order() {
    let mut inventory = inventory();
    node_group(&mut inventory, "apps", "lt-copy", None);
    group(&mut inventory, "own", GroupLaunch::Unknown);
    let karpenter = ("karpenter.sh/nodepool", "default");
    let managed = ("eks:nodegroup-name", "apps");
    let own = ("aws:autoscaling:groupName", "own");
    for (id, more) in [
        ("i-auto", &[karpenter, managed, own][..]),
        ("i-karpenter", &[karpenter, own]),
        ("i-managed", &[managed, own]),
        ("i-own", &[own]),
        ("i-alone", &[]),
    ] {
        instance(&mut inventory, id, AL2023_IMAGE, actual(Required, 1), more);
    }
    inventory.instances[0].operator = Some(Operator { principal: Some("eks.amazonaws.com".to_owned()) });

    let subjects = subjects(&inventory);
    for (id, expected) in [
        ("i-auto", ManagedBy::AutoMode),
        ("i-karpenter", ManagedBy::Karpenter),
        ("i-managed", ManagedBy::ManagedNodeGroupDefault),
        ("i-own", ManagedBy::SelfManaged),
        ("i-alone", ManagedBy::Standalone),
    ] {
        assert_eq!(find(&subjects, id).managed_by, Some(expected), "{id}");
    }
    let group_of = |id| find(&subjects, id).group.map(|group| subjects[group].resource.id.clone());
    assert_eq!(group_of("i-managed").as_deref(), Some("blue/apps"));
    assert_eq!(group_of("i-own").as_deref(), Some("own"));
    assert_eq!(group_of("i-alone"), None);
}

#[test]
fn a_group_is_of_a_cluster_by_its_nodes_even_without_tags() {
    let mut inventory = inventory();
    group(&mut inventory, "own", GroupLaunch::Unknown);
    group(&mut inventory, "other", GroupLaunch::Unknown);
    for group in &mut inventory.auto_scaling_groups {
        group.tags = tags(&[]);
    }
    inventory.auto_scaling_groups[0].instances.push("i-1".into());
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(Required, 2), &[]);

    let subjects = subjects(&inventory);
    assert_eq!(find(&subjects, "own").cluster, Some("blue"));
    assert!(subjects.iter().all(|subject| subject.resource.id != "other"));
}

#[test]
fn a_node_of_a_deleted_cluster_is_judged_and_says_so() {
    let mut inventory = inventory();
    inventory.clusters.clear();
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(Required, 1), &[]);
    let subjects = subjects(&inventory);
    let node = find(&subjects, "i-1");
    assert_eq!((node.cluster, node.cluster_arn), (Some("blue"), None));
    assert_eq!(node.notes, ["EKS has no cluster blue here: it was deleted, or is not an EKS cluster"]);
}

#[test]
fn an_instance_knows_the_template_that_it_was_launched_from() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-1", &[options(None, Some(1)), options(None, Some(2))], &al2023());
    for (id, template, version) in [("i-old", "lt-1", "1"), ("i-lost", "lt-gone", "7")] {
        let launch = [("aws:ec2launchtemplate:id", template), ("aws:ec2launchtemplate:version", version)];
        instance(&mut inventory, id, AL2023_IMAGE, actual(Required, 2), &launch);
    }
    let subjects = subjects(&inventory);
    let launched_from = |id| {
        let variant = find(&subjects, id).launched_from.as_ref().unwrap();
        let template = variant.template.as_ref().unwrap();
        (template.id, template.version, variant.options.get(HttpPutResponseHopLimit).value)
    };
    assert_eq!(launched_from("i-old"), (Some("lt-1"), Some(1), Some(Number(1))));
    assert_eq!(launched_from("i-lost"), (Some("lt-gone"), Some(7), None));
}

#[test]
fn enforced_tokens_decide_what_an_account_launches() {
    let mut inventory = inventory();
    let defaults = AccountDefaults { tokens_enforced: true, ..AccountDefaults::default() };
    inventory.account_defaults = Read::Known(defaults);
    template(&mut inventory, "lt-1", &[options(Some(Optional), None)], &al2023());
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-1", VersionRef::Latest)));
    let subjects = subjects(&inventory);
    let account = subjects.iter().find(|subject| subject.kind == SubjectKind::AccountDefaults).unwrap();
    assert_eq!(values(account, HttpTokens), [(Some(Required), Source::AccountDefault)]);
    assert!(find(&subjects, "own").notes.iter().any(|note| note.contains("the next launch fails")));
}

#[test]
fn karpenters_templates_predict_its_next_node() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-k", &[options(Some(Required), Some(1))], &al2023());
    let karpenters = inventory.launch_templates.get_mut(&"lt-k".into()).unwrap();
    karpenters.name = "karpenter.k8s.aws/123".to_owned();
    karpenters.tags =
        tags(&[("karpenter.k8s.aws/ec2nodeclass", "general"), ("eks:eks-cluster-name", "blue")]);
    let subjects = subjects(&inventory);
    let predicted = find(&subjects, "lt-k");
    assert_eq!((predicted.kind, predicted.managed_by), (SubjectKind::Group, Some(ManagedBy::Karpenter)));
    assert_eq!(predicted.cluster, Some("blue"));
    assert!(matches!(predicted.lever, Lever::NodeClass(Some("general"))));
    assert_eq!(subjects.iter().filter(|subject| subject.resource.id == "lt-k").count(), 1);
    assert!(super::limits(&inventory).is_some_and(|limit| limit.contains("EC2NodeClass")));
}

#[test]
fn what_is_of_no_cluster_is_judged_only_where_it_is_asked_about() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-web", &[options(Some(Optional), None)], &al2023());
    group(&mut inventory, "web", GroupLaunch::Template(reference("lt-web", VersionRef::Latest)));
    inventory.auto_scaling_groups[0].tags = tags(&[]);
    let ids = |inventory: &Inventory| -> Vec<String> {
        subjects(inventory).iter().map(|subject| subject.resource.id.clone()).collect()
    };
    assert_eq!(ids(&inventory), ["lt-web", "eu-west-1"]);
    assert_eq!(super::of(&inventory).groups, 0);

    inventory.others.groups.insert("web".to_owned());
    for (id, more) in [("i-web", &[("aws:autoscaling:groupName", "web")][..]), ("i-alone", &[])] {
        instance(&mut inventory, id, AL2023_IMAGE, actual(Optional, 1), more);
        inventory.instances.last_mut().unwrap().tags = tags(more);
    }
    assert_eq!(super::of(&inventory).groups, 1);
    let subjects = subjects(&inventory);
    let web = find(&subjects, "web");
    assert_eq!((web.cluster, web.managed_by, web.nodes), (None, Some(ManagedBy::SelfManaged), 1));
    assert_eq!((web.noun(), web.notes.len()), ("instance", 0));
    let one = find(&subjects, "i-web");
    assert_eq!((one.cluster, one.auto_scaling_group, one.group), (None, Some("web"), Some(0)));
    let alone = find(&subjects, "i-alone");
    assert_eq!((alone.managed_by, alone.group), (Some(ManagedBy::Standalone), None));
}

#[test]
fn an_instance_that_a_service_manages_is_the_services() {
    let mut inventory = inventory();
    instance(&mut inventory, "i-ecs", AL2023_IMAGE, actual(Required, 1), &[]);
    inventory.instances[0].operator = Some(Operator { principal: Some("ecs.amazonaws.com".to_owned()) });
    let subjects = subjects(&inventory);
    assert!(matches!(find(&subjects, "i-ecs").lever, Lever::Service("ecs.amazonaws.com")));
}
