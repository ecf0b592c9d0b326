//! What a finding says, within the lengths that Security Hub documents. No text is empty or blank, which it refuses.

use std::collections::BTreeMap;

use super::shapes::{Cluster, Details, Instance, LaunchTemplate, Resource};
use crate::finding::{Finding, Fix, FixKind, ResourceType, Status};
use crate::model::{AccountId, ImageId, OptionName, OptionValue, Partition, Region};
use crate::report::text::sanitize;
use crate::report::words;

/// A value of `ProductFields` and of `Details.Other`.
const LONGEST_VALUE: usize = 1024;

/// A text of at most so many characters, with what acts on a terminal shown as its escape.
pub(super) fn text(text: &str, longest: usize) -> String {
    let clean = sanitize(text.trim(), false);
    if clean.chars().count() <= longest {
        return if clean.is_empty() { "-".to_owned() } else { clean.into_owned() };
    }
    clean.chars().take(longest - 1).chain(['…']).collect()
}

/// The same of a name, where there is one.
pub(super) fn named(name: Option<&str>, longest: usize) -> Option<String> {
    name.filter(|name| !name.trim().is_empty()).map(|name| text(name, longest))
}

/// What is asked, in the same words of every resource, since Security Hub groups findings by their title.
pub(super) fn title(finding: &Finding) -> String {
    let asked = match (finding.option, &finding.expected) {
        (Some(option), Some(expected)) => format!("{}: {option} must be {expected}", finding.rule),
        _ => finding.rule.clone(),
    };
    text(&asked, 256)
}

/// What was found, where, and what the policy makes of it.
pub(super) fn description(finding: &Finding) -> String {
    let mut said = vec![resource_name(finding)];
    if let Some(option) = finding.option {
        said.push(match finding.actual {
            Some(actual) => format!(": {option} is {actual}"),
            None => format!(": {option} could not be resolved"),
        });
    }
    said.extend(finding.source.map(|source| format!(" (source: {source})")));
    said.push(".".to_owned());
    if finding.status == Status::Exempt {
        said.push(format!(" {}", exemption(finding)));
    }
    said.extend(finding.notes.iter().map(|note| format!(" {note}")));
    text(&said.concat(), 1024)
}

/// `Instance i-0abc (worker), cluster blue`
fn resource_name(finding: &Finding) -> String {
    let resource = &finding.resource;
    let noun = match resource.r#type {
        ResourceType::AccountDefaults => "The account's default in",
        ResourceType::AutoScalingGroup => "The next instance of Auto Scaling group",
        ResourceType::Exemption => "Exemption",
        ResourceType::Instance => "Instance",
        ResourceType::LaunchTemplate => "Launch template",
        ResourceType::NodeGroup => "The next node of node group",
    };
    let name = named(resource.name.as_deref(), 128).map(|name| format!(" ({name})"));
    let cluster = named(finding.cluster.as_deref(), 128).map(|cluster| format!(", cluster {cluster}"));
    format!("{noun} {}{}{}", resource.id, name.unwrap_or_default(), cluster.unwrap_or_default())
}

/// Why a broken rule is accepted.
pub(super) fn exemption(finding: &Finding) -> String {
    let Some(exemption) = &finding.exemption else { return "It is exempt.".to_owned() };
    let owner = named(exemption.owner.as_deref(), 128).map(|owner| format!(" ({owner})"));
    let until = exemption.expires.map(|day| format!(", until {day}"));
    let (owner, until) = (owner.unwrap_or_default(), until.unwrap_or_default());
    format!("Exempt by {}: {}{owner}{until}.", exemption.id, exemption.reason)
}

/// The fixes in the order in which they are taken; none where nothing is wrong.
pub(super) fn remedy(finding: &Finding) -> Option<String> {
    if !matches!(finding.status, Status::Fail | Status::Unknown) {
        return None;
    }
    let steps: Vec<_> = finding.fixes.iter().filter_map(step).collect();
    (!steps.is_empty()).then(|| text(&format!("In this order: {}.", steps.join("; ")), 512))
}

fn step(fix: &Fix) -> Option<String> {
    if fix.kind == FixKind::None {
        return fix.note.clone();
    }
    let (verb, noun, rest) = words::fix(fix.kind);
    let target = match (&fix.target, &fix.target_name) {
        (Some(id), Some(name)) => format!(" {name} ({id})"),
        (Some(id), None) => format!(" {id}"),
        (None, _) => String::new(),
    };
    Some(format!("{verb} {noun}{target}{rest}"))
}

/// The rest of the contract, for filters and automations; what there is none of is left out.
pub(super) fn product_fields(finding: &Finding) -> BTreeMap<&'static str, String> {
    let exemption = finding.exemption.as_ref();
    let fields = [
        ("imdsctl/policy", Some(finding.policy.clone())),
        ("imdsctl/rule", Some(finding.rule.clone())),
        ("imdsctl/status", Some(finding.status.to_string())),
        ("imdsctl/resource_type", Some(finding.resource.r#type.to_string())),
        ("imdsctl/resource_id", Some(finding.resource.id.clone())),
        ("imdsctl/cluster", finding.cluster.clone()),
        ("imdsctl/node_group", finding.node_group.clone()),
        ("imdsctl/auto_scaling_group", finding.auto_scaling_group.clone()),
        ("imdsctl/managed_by", finding.managed_by.map(|by| by.to_string())),
        ("imdsctl/nodes", Some(finding.nodes.to_string())),
        ("imdsctl/option", finding.option.map(|option| option.to_string())),
        ("imdsctl/expected", finding.expected.as_ref().map(ToString::to_string)),
        ("imdsctl/actual", finding.actual.map(|actual| actual.to_string())),
        ("imdsctl/source", finding.source.map(|source| source.to_string())),
        ("imdsctl/exemption", exemption.map(|exemption| exemption.id.clone())),
        ("imdsctl/exemption_owner", exemption.and_then(|exemption| exemption.owner.clone())),
        ("imdsctl/exemption_expires", exemption.and_then(|e| Some(e.expires?.to_string()))),
    ];
    let filled = fields.into_iter();
    filled.filter_map(|(key, value)| Some((key, named(value.as_deref(), LONGEST_VALUE)?))).collect()
}

/// What the finding is about. Security Hub has no type for a node group, so its cluster stands beside it.
pub(super) fn resources(
    finding: &Finding,
    partition: &Partition,
    account_id: &AccountId,
    region: &Region,
) -> Vec<Resource> {
    let resource = |r#type, id: &str, details| Resource {
        r#type,
        id: text(id, 512),
        partition: partition.to_string(),
        region: region.to_string(),
        details,
    };
    let about = &finding.resource;
    let id = about.arn.as_ref().map_or(about.id.as_str(), |arn| arn.as_str());
    match about.r#type {
        ResourceType::Instance => vec![resource("AwsEc2Instance", id, instance(finding))],
        ResourceType::LaunchTemplate => {
            let template = LaunchTemplate {
                id: text(&about.id, LONGEST_VALUE),
                launch_template_name: named(about.name.as_deref(), LONGEST_VALUE),
            };
            vec![resource("AwsEc2LaunchTemplate", id, Some(Details::AwsEc2LaunchTemplate(template)))]
        }
        ResourceType::AutoScalingGroup => vec![resource("AwsAutoScalingAutoScalingGroup", id, None)],
        ResourceType::AccountDefaults => {
            vec![resource("AwsAccount", &format!("AWS::::Account:{account_id}"), None)]
        }
        ResourceType::NodeGroup | ResourceType::Exemption => {
            let other = BTreeMap::from([("ResourceType", about.r#type.to_string())]);
            let mut all = vec![resource("Other", id, Some(Details::Other(other)))];
            if let Some(arn) = &finding.cluster_arn {
                let name = named(finding.cluster.as_deref(), LONGEST_VALUE);
                let cluster = Cluster { arn: text(arn.as_str(), LONGEST_VALUE), name };
                all.push(resource("AwsEksCluster", arn.as_str(), Some(Details::AwsEksCluster(cluster))));
            }
            all
        }
    }
}

/// The image, and the option that was judged, where it is known.
fn instance(finding: &Finding) -> Option<Details> {
    let image_id = finding.image.as_ref().and_then(|image| image.id.as_ref());
    let image_id = named(image_id.map(ImageId::as_str), LONGEST_VALUE);
    let mut metadata_options = BTreeMap::new();
    if let (Some(option), Some(actual)) = (finding.option, finding.actual)
        && actual != OptionValue::Unrecognised
    {
        metadata_options.insert(member(option), actual);
    }
    let known = image_id.is_some() || !metadata_options.is_empty();
    known.then_some(Details::AwsEc2Instance(Instance { image_id, metadata_options }))
}

/// What the EC2 API calls an option.
const fn member(option: OptionName) -> &'static str {
    match option {
        OptionName::HttpTokens => "HttpTokens",
        OptionName::HttpPutResponseHopLimit => "HttpPutResponseHopLimit",
        OptionName::HttpEndpoint => "HttpEndpoint",
        OptionName::HttpProtocolIpv6 => "HttpProtocolIpv6",
        OptionName::InstanceMetadataTags => "InstanceMetadataTags",
    }
}
