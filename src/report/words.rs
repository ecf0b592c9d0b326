//! How reports for people name things.

use std::borrow::Cow;

use crate::finding::{FixKind, ManagedBy, ResourceType};

/// `1 node`, `2 nodes`, `12,000 nodes`.
pub(super) fn count(number: u64, noun: &str) -> String {
    format!("{} {}", grouped(number), plural(number, noun))
}

/// `node` or `nodes`.
pub(super) fn plural(number: u64, noun: &str) -> Cow<'_, str> {
    match noun.strip_suffix('y') {
        _ if number == 1 => Cow::Borrowed(noun),
        _ if noun.ends_with('s') => Cow::Owned(format!("{noun}es")),
        Some(stem) if !stem.ends_with(['a', 'e', 'o']) => Cow::Owned(format!("{stem}ies")),
        _ => Cow::Owned(format!("{noun}s")),
    }
}

/// `12,000`
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn and(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// What a resource type is called.
pub(super) const fn resource_type(kind: ResourceType) -> &'static str {
    match kind {
        ResourceType::AccountDefaults => "account default",
        ResourceType::AutoScalingGroup => "Auto Scaling group",
        ResourceType::Exemption => "exemption",
        ResourceType::Instance => "node",
        ResourceType::LaunchTemplate => "launch template",
        ResourceType::NodeGroup => "node group",
    }
}

/// What manages nodes, behind the name of their cluster.
pub(super) const fn managed_by(managed_by: ManagedBy) -> &'static str {
    match managed_by {
        ManagedBy::ManagedNodeGroup => "managed node group",
        ManagedBy::ManagedNodeGroupDefault => "managed node group without a template",
        ManagedBy::SelfManaged => "self-managed",
        ManagedBy::Karpenter => "Karpenter",
        ManagedBy::AutoMode => "Auto Mode",
        ManagedBy::Standalone => "standalone",
    }
}

/// A fix in words, around what it is done to: `patch` `launch template` lt-0abc.
pub(super) const fn fix(kind: FixKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        FixKind::PatchLaunchTemplate => ("patch", "launch template", ""),
        FixKind::SetDefaultVersion => ("move the default version of", "launch template", ""),
        FixKind::UpdateNodeGroup => ("update", "node group", ""),
        FixKind::UpdateAutoScalingGroup => ("point", "Auto Scaling group", " at the new version"),
        FixKind::RefreshInstances => ("refresh the instances of", "Auto Scaling group", ""),
        FixKind::ModifyInstance => ("change", "instance", ""),
        FixKind::ModifyAccountDefaults => ("change", "account default", ""),
        FixKind::EditIac => ("edit the source of", "launch template", ""),
        FixKind::EditNodeClass => ("edit", "EC2NodeClass", ""),
        FixKind::ReplaceNodeGroup => ("replace", "node group", " by one with a launch template"),
        FixKind::MigrateLaunchConfiguration => ("replace", "launch configuration", " by a launch template"),
        FixKind::EditPolicy => ("edit", "exemption", " in the policy"),
        FixKind::None => ("none", "", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1, "node"), "1 node");
        assert_eq!(count(0, "node"), "0 nodes");
        assert_eq!(count(1_234_567, "check"), "1,234,567 checks");
        assert_eq!(plural(2, "policy"), "policies");
        assert_eq!(plural(2, "day"), "days");
        assert_eq!(plural(2, "EC2NodeClass"), "EC2NodeClasses");
    }

    #[test]
    fn lists_read_well() {
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(
            [and(&items[..0]), and(&items[..1]), and(&items[..2]), and(&items)],
            ["", "a", "a and b", "a, b and c"]
        );
    }
}
