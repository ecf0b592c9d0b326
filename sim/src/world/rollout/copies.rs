//! The launch template that EKS keeps for a managed node group: what it copies, and what it fills in.

use crate::world::{MetadataOptions, TemplateData, Tokens};

/// Whose copy it is, and what EKS fills in.
#[derive(Debug, Clone, Copy)]
pub struct CopyFor<'a> {
    /// The cluster's name.
    pub cluster: &'a str,
    /// The node group's name.
    pub node_group: &'a str,
    /// `AL2023_x86_64_STANDARD`, `CUSTOM` and others.
    pub ami_type: &'a str,
    /// The image, where EKS chooses it.
    pub image: Option<&'a str>,
    /// The instance profile.
    pub profile: Option<&'a str>,
    /// `sg-…` of the cluster.
    pub security_groups: &'a [String],
}

/// A version of EKS's template, made from the user's version if there is one.
pub fn copy_data(user: Option<&TemplateData>, to: CopyFor<'_>) -> TemplateData {
    let mut data = user.cloned().unwrap_or_default();
    if let Some(image) = to.image {
        data.image = Some(image.to_owned());
        data.resolved_image = Some(image.to_owned());
        let own = data.user_data.take().unwrap_or_default();
        data.user_data = Some(format!("{own}{}", bootstrap(to.cluster)));
    }
    data.metadata_options = options_of_copy(to.ami_type, data.metadata_options, user.is_some());
    data.profile = to.profile.map(str::to_owned);
    data.security_groups = to.security_groups.to_vec();
    for tags in [&mut data.tags, &mut data.volume_tags] {
        tags.insert("eks:cluster-name".to_owned(), to.cluster.to_owned());
        tags.insert("eks:nodegroup-name".to_owned(), to.node_group.to_owned());
    }
    data
}

/// The metadata options of EKS's template, as the EKS User Guide and public reports of such groups have them:
/// - Without a template of the user's EKS writes its own: AL2023 tokens required and one hop, AL2 optional and
///   two, Bottlerocket required and two. Nothing is known about Windows: nothing is written.
/// - With one, what the user set is copied, and an unset hop limit becomes 2, with an image of the user's or
///   without (AWS's pages differ about the latter). Unset tokens stay unset: an AL2023 image demands them itself.
fn options_of_copy(
    ami_type: &str,
    user: Option<MetadataOptions>,
    has_template: bool,
) -> Option<MetadataOptions> {
    if has_template {
        let options = user.unwrap_or_default();
        return Some(MetadataOptions { hop_limit: options.hop_limit.or(Some(2)), ..options });
    }
    let (tokens, hops) = match ami_type.split('_').next() {
        Some("AL2023") => (Tokens::Required, 1),
        Some("AL2") => (Tokens::Optional, 2),
        Some("BOTTLEROCKET") => (Tokens::Required, 2),
        _ => return None,
    };
    Some(MetadataOptions { http_tokens: Some(tokens), hop_limit: Some(hops), ..MetadataOptions::default() })
}

fn bootstrap(cluster: &str) -> String {
    format!(
        "---\napiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  cluster:\n    name: {cluster}\n"
    )
}
