//! EKS: clusters and node groups.

use std::collections::HashMap;

use aws_sdk_eks::types;

use super::template_ref;
use crate::model::{NodeGroup, Tags};

fn tags(tags: Option<&HashMap<String, String>>) -> Tags {
    tags.into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

/// A node group of which only the name is known.
pub fn named_node_group(cluster: &str, name: &str) -> NodeGroup {
    NodeGroup {
        name: name.to_owned(),
        cluster: cluster.to_owned(),
        arn: None,
        described: false,
        ami_type: None,
        release_version: None,
        version: None,
        status: None,
        template: None,
        auto_scaling_groups: Vec::new(),
        tags: Tags::default(),
    }
}

pub fn node_group(cluster: &str, name: &str, from: &types::Nodegroup) -> NodeGroup {
    let groups = from.resources().map(types::NodegroupResources::auto_scaling_groups).unwrap_or_default();
    let mut groups: Vec<String> = groups.iter().filter_map(|group| group.name().map(str::to_owned)).collect();
    groups.sort();
    NodeGroup {
        arn: from.nodegroup_arn().map(Into::into),
        described: true,
        ami_type: from.ami_type().map(|kind| kind.as_str().to_owned()),
        release_version: from.release_version().map(str::to_owned),
        version: from.version().map(str::to_owned),
        status: from.status().map(|status| status.as_str().to_owned()),
        template: from.launch_template().and_then(|t| template_ref(t.id(), t.name(), t.version())),
        auto_scaling_groups: groups,
        tags: tags(from.tags()),
        ..named_node_group(cluster, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::VersionRef;

    #[test]
    fn an_ami_type_of_tomorrow_is_kept_as_it_is() {
        let template =
            types::LaunchTemplateSpecification::builder().id("lt-1").name("web").version("7").build();
        let from = types::Nodegroup::builder()
            .ami_type(types::AmiTypes::from("AL2027_RISCV_STANDARD"))
            .launch_template(template)
            .build();
        let group = node_group("blue", "workers", &from);
        assert_eq!(group.ami_type.as_deref(), Some("AL2027_RISCV_STANDARD"));
        assert_eq!(group.template.unwrap().version, VersionRef::Number(7));
        assert!(group.described);
        assert_eq!((group.cluster.as_str(), group.name.as_str()), ("blue", "workers"));
    }
}
