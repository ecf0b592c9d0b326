//! What a finding says, within the lengths that Security Hub documents. No text is empty or blank, which it refuses.

use std::collections::BTreeMap;

use crate::asff::{Cluster, Details, Instance, LaunchTemplate, MetadataOptions, OURS, Resource, Word};
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
pub(super) fn product_fields(finding: &Finding) -> BTreeMap<Word, String> {
    let exemption = finding.exemption.as_ref();
    let fields = [
        ("policy", Some(finding.policy.clone())),
        ("rule", Some(finding.rule.clone())),
        ("status", Some(finding.status.to_string())),
        ("resource_type", Some(finding.resource.r#type.to_string())),
        ("resource_id", Some(finding.resource.id.clone())),
        ("cluster", finding.cluster.clone()),
        ("node_group", finding.node_group.clone()),
        ("auto_scaling_group", finding.auto_scaling_group.clone()),
        ("managed_by", finding.managed_by.map(|by| by.to_string())),
        ("nodes", Some(finding.nodes.to_string())),
        ("option", finding.option.map(|option| option.to_string())),
        ("expected", finding.expected.as_ref().map(ToString::to_string)),
        ("actual", finding.actual.map(|actual| actual.to_string())),
        ("source", finding.source.map(|source| source.to_string())),
        ("exemption", exemption.map(|exemption| exemption.id.clone())),
        ("exemption_owner", exemption.and_then(|exemption| exemption.owner.clone())),
        ("exemption_expires", exemption.and_then(|e| Some(e.expires?.to_string()))),
    ];
    let filled = fields.into_iter();
    let filled = filled.filter_map(|(key, value)| Some((key, named(value.as_deref(), LONGEST_VALUE)?)));
    filled.map(|(key, value)| (format!("{OURS}{key}").into(), value)).collect()
}

/// What the finding is about. Security Hub has no type for a node group, so its cluster stands beside it.
pub(super) fn resources(
    finding: &Finding,
    partition: &Partition,
    account_id: &AccountId,
    region: &Region,
) -> Vec<Resource> {
    let resource = |r#type: &'static str, id: &str, details| Resource {
        r#type: r#type.into(),
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
            let other = BTreeMap::from([("ResourceType".into(), about.r#type.to_string())]);
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
    let mut metadata_options = MetadataOptions::default();
    if let (Some(option), Some(actual)) = (finding.option, finding.actual) {
        set(&mut metadata_options, option, actual);
    }
    let known = image_id.is_some() || !metadata_options.is_empty();
    known.then_some(Details::AwsEc2Instance(Instance { image_id, metadata_options }))
}

/// Sets an option, unless its value is a word that nobody knows.
fn set(options: &mut MetadataOptions, option: OptionName, value: OptionValue) {
    let word = (value != OptionValue::Unrecognised).then(|| value.to_string());
    match (option, value) {
        (OptionName::HttpTokens, _) => options.http_tokens = word,
        (OptionName::HttpPutResponseHopLimit, OptionValue::Number(hops)) => {
            options.http_put_response_hop_limit = Some(hops);
        }
        (OptionName::HttpPutResponseHopLimit, _) => {}
        (OptionName::HttpEndpoint, _) => options.http_endpoint = word,
        (OptionName::HttpProtocolIpv6, _) => options.http_protocol_ipv6 = word,
        (OptionName::InstanceMetadataTags, _) => options.instance_metadata_tags = word,
    }
}
