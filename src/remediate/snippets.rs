//! Lines for people to put where imdsctl does not write.
//!
//! Names come from outside and may hold anything. In a shell they stand between single quotes, elsewhere in a JSON
//! string, which YAML and HCL read as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::{MetadataOptions, OptionName, OptionValue};
use crate::plan::Snippet;
use crate::resolve::IacOwner;

use super::manual::Place;
use super::rules::Asked;
use super::scene::{Owner, Scene};

/// The lines that set what is asked.
pub fn of(scene: &Scene<'_>, place: &Place<'_>, asked: &BTreeMap<OptionName, Asked>) -> Snippet {
    let region = scene.scope().region.as_str();
    let set = |now: &MetadataOptions| settings(asked, now);
    let nothing = MetadataOptions::default();
    match place {
        Place::Template { template, source } => {
            let block = braces(&set(&source.metadata), "MetadataOptions");
            let text = format!(
                "aws ec2 create-launch-template-version --region {region} --launch-template-id {} \\\n  \
                 --source-version {} --launch-template-data {}\n",
                shell(template.id.as_str()),
                source.number,
                shell(&block)
            );
            snippet(format!("a new version of launch template {}", template.name), "shell", text)
        }
        Place::Iac { template, source, owner } => of_tool(owner, &template.name, &set(&source.metadata)),
        Place::NodeClass { name, cluster } => of_node_class(*name, *cluster, &set(&nothing)),
        Place::NodeGroup { cluster, name } => of_node_group(region, cluster, name, &set(&nothing)),
        Place::Configuration { group, name } => of_configuration(scene, group, name, asked),
        Place::Instance { id, seen } => {
            let flags = flags(&settings(asked, &told(seen)));
            let id = shell(id);
            let text = format!(
                "aws ec2 modify-instance-metadata-options --region {region} --instance-id {id}{flags}\n"
            );
            snippet("the running instance, until it is replaced".to_owned(), "shell", text)
        }
        Place::Defaults => {
            let flags = flags(&set(&nothing));
            let text = format!("aws ec2 modify-instance-metadata-defaults --region {region}{flags}\n");
            snippet(format!("the account's defaults in {region}"), "shell", text)
        }
        Place::DeclarativePolicy => of_declarative_policy(&set(&nothing)),
    }
}

fn snippet(place: String, language: &str, text: String) -> Snippet {
    Snippet { place, language: language.to_owned(), text }
}

/// Options with the values that they ought to have: those that are set already, and those that are asked for.
fn settings(asked: &BTreeMap<OptionName, Asked>, now: &MetadataOptions) -> MetadataOptions {
    let mut settings = *now;
    for (option, asked) in asked {
        settings.set(*option, Some(asked.by_hand(now.get(*option))));
    }
    settings
}

/// What has to be sent whenever an instance is changed.
fn told(seen: &MetadataOptions) -> MetadataOptions {
    MetadataOptions { http_protocol_ipv6: None, instance_metadata_tags: None, ..*seen }
}

fn set(options: &MetadataOptions) -> impl Iterator<Item = (OptionName, OptionValue)> {
    let options = *options;
    OptionName::ALL.into_iter().filter_map(move |option| Some((option, options.get(option)?)))
}

/// `{"MetadataOptions":{"HttpTokens":"required"}}`
fn braces(options: &MetadataOptions, key: &str) -> String {
    let members: Vec<_> = set(options)
        .map(|(option, value)| format!("{}:{}", json(option.api_name()), value_json(value)))
        .collect();
    format!("{{{}:{{{}}}}}", json(key), members.join(","))
}

/// ` --http-tokens required`
fn flags(options: &MetadataOptions) -> String {
    set(options).fold(String::new(), |mut flags, (option, value)| {
        let _ = write!(flags, " \\\n  --{} {value}", option.as_str().replace('_', "-"));
        flags
    })
}

fn of_tool(owner: &Owner, name: &str, options: &MetadataOptions) -> Snippet {
    match owner {
        Owner::Known(IacOwner::Terraform) => {
            let mut text = String::from("metadata_options {\n");
            for (option, value) in set(options) {
                let _ = writeln!(text, "  {:<27} = {}", option.as_str(), value_json(value));
            }
            snippet(format!("aws_launch_template {name} in Terraform"), "hcl", text + "}\n")
        }
        Owner::Known(IacOwner::CloudFormation(stack)) => {
            let text =
                yaml("LaunchTemplateData:\n  MetadataOptions:\n", "    ", options, OptionName::api_name);
            let place = format!("AWS::EC2::LaunchTemplate {name} in CloudFormation stack {stack}");
            snippet(place, "yaml", text)
        }
        Owner::Known(IacOwner::Eksctl(cluster)) => of_eksctl(name, cluster, options),
        Owner::Tagged(tag) => {
            let text = yaml("MetadataOptions:\n", "  ", options, OptionName::api_name);
            snippet(format!("launch template {name}, in what is tagged {tag}"), "yaml", text)
        }
    }
}

/// eksctl requires tokens and allows two hops unless a node group says otherwise, and has no word for the number.
fn of_eksctl(name: &str, cluster: &str, options: &MetadataOptions) -> Snippet {
    let hops = match options.http_put_response_hop_limit {
        Some(OptionValue::Number(hops)) => hops,
        _ => 2,
    };
    let place =
        format!("the node group of launch template {name} in the ClusterConfig of eksctl cluster {cluster}");
    if options.http_tokens == Some(OptionValue::Optional) || hops > 2 {
        let block = yaml(
            "# eksctl cannot set this: give the node group a launch template of your own with\n# MetadataOptions:\n",
            "#   ",
            options,
            OptionName::api_name,
        );
        return snippet(place, "yaml", block + "launchTemplate:\n  id: lt-...\n");
    }
    let pods = hops < 2;
    let text = format!(
        "# tokens are required, and pods are {} of it; then replace the node group\ndisableIMDSv1: true\ndisablePodIMDS: {pods}\n",
        if pods { "kept out" } else { "in reach" },
    );
    snippet(place, "yaml", text)
}

fn of_node_class(name: Option<&str>, cluster: Option<&str>, options: &MetadataOptions) -> Snippet {
    let shown = name.map_or_else(|| "NAME".to_owned(), shell);
    let head = format!(
        "# kubectl patch ec2nodeclass {shown} --type merge --patch-file FILE\nspec:\n  metadataOptions:\n",
        shown = one_line(&shown)
    );
    let text = yaml(&head, "    ", options, node_class_name);
    let which = name.map_or_else(|| "the EC2NodeClass".to_owned(), |name| format!("EC2NodeClass {name}"));
    let place = cluster.map_or_else(|| which.clone(), |cluster| format!("{which} of cluster {cluster}"));
    snippet(place, "yaml", text)
}

fn of_node_group(region: &str, cluster: &str, name: &str, options: &MetadataOptions) -> Snippet {
    let (at, group, new) = (shell(cluster), shell(name), shell(&format!("{name}-2")));
    let template = shell(&format!("{cluster}-{name}"));
    let by_name = shell(&format!("name={cluster}-{name},version=1"));
    let block = shell(&braces(options, "MetadataOptions"));
    let text = format!(
        "aws ec2 create-launch-template --region {region} --launch-template-name {template} \\\n  \
         --launch-template-data {block}\n\
         aws eks describe-nodegroup --region {region} --cluster-name {at} --nodegroup-name {group}\n\
         # with the role, subnets, scaling, labels and taints that it shows:\n\
         aws eks create-nodegroup --region {region} --cluster-name {at} --nodegroup-name {new} \\\n  \
         --launch-template {by_name} --node-role ROLE --subnets SUBNETS\n\
         # then drain the old nodes, and delete the old group:\n\
         aws eks delete-nodegroup --region {region} --cluster-name {at} --nodegroup-name {group}\n"
    );
    snippet(format!("a node group with a launch template, in the place of {cluster}/{name}"), "shell", text)
}

fn of_configuration(
    scene: &Scene<'_>,
    group: &str,
    name: &str,
    asked: &BTreeMap<OptionName, Asked>,
) -> Snippet {
    let region = scene.scope().region.as_str();
    let now = scene.inventory.launch_configurations.get(name).map(|known| known.metadata).unwrap_or_default();
    let block = shell(&braces(&settings(asked, &now), "MetadataOptions"));
    let by_name = shell(&format!("LaunchTemplateName={name},Version=1"));
    let (group, template) = (shell(group), shell(name));
    let text = format!(
        "aws autoscaling describe-launch-configurations --region {region} --launch-configuration-names {template}\n\
         # with the image, type, role, groups and volumes that it shows, beside:\n\
         aws ec2 create-launch-template --region {region} --launch-template-name {template} \\\n  \
         --launch-template-data {block}\n\
         aws autoscaling update-auto-scaling-group --region {region} --auto-scaling-group-name {group} \\\n  \
         --launch-template {by_name}\n"
    );
    snippet(format!("a launch template in the place of launch configuration {name}"), "shell", text)
}

/// The organisation's policy language: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative_syntax.html>
fn of_declarative_policy(options: &MetadataOptions) -> Snippet {
    let members: Vec<_> = set(options)
        .map(|(option, value)| {
            // All values are strings there.
            format!("      {}: {{ \"@@assign\": {} }}", json(option.as_str()), json(&value.to_string()))
        })
        .collect();
    let text = format!(
        "{{\n  \"ec2_attributes\": {{\n    \"instance_metadata_defaults\": {{\n{}\n    }}\n  }}\n}}\n",
        members.join(",\n")
    );
    snippet("the declarative policy of the organisation".to_owned(), "json", text)
}

fn yaml(
    head: &str,
    indent: &str,
    options: &MetadataOptions,
    name: impl Fn(OptionName) -> &'static str,
) -> String {
    set(options).fold(head.to_owned(), |mut text, (option, value)| {
        let _ = writeln!(text, "{indent}{}: {value}", name(option));
        text
    })
}

/// Names of the `EC2NodeClass`. It knows no instance tags.
const fn node_class_name(option: OptionName) -> &'static str {
    match option {
        OptionName::HttpTokens => "httpTokens",
        OptionName::HttpPutResponseHopLimit => "httpPutResponseHopLimit",
        OptionName::HttpEndpoint => "httpEndpoint",
        OptionName::HttpProtocolIpv6 => "httpProtocolIPv6",
        OptionName::InstanceMetadataTags => "instanceMetadataTags",
    }
}

fn value_json(value: OptionValue) -> String {
    match value {
        OptionValue::Number(number) => number.to_string(),
        word => json(&word.to_string()),
    }
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A comment ends with its line.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A word that a shell reads as it stands.
fn shell(word: &str) -> String {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | ',' | '@');
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_a_word_of_the_shell() {
        assert_eq!(shell("eks-workers.1"), "eks-workers.1");
        assert_eq!(shell("a'; rm -rf ~; '"), r"'a'\''; rm -rf ~; '\'''");
        assert_eq!(shell(""), "''");
    }
}
