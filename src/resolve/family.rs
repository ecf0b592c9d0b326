//! Which operating system family an image holds, and how sure that is.
//!
//! Anyone can give an image any name, so a name counts as certain only where AWS owns the image. A node
//! group's AMI type is AWS's own word and always certain. See `docs/classification.md`.

use std::sync::LazyLock;

use regex_lite::Regex;

use crate::finding::ImageSummary;
use crate::model::{Confidence, Family, Image, ImageId, ImageRef, ImdsSupport, Inventory};

/// How many source images are followed back.
const MAX_SOURCES: usize = 2;

/// The family that an EKS AMI type stands for; nothing for `CUSTOM` and types yet to come.
pub fn family_of_ami_type(ami_type: &str) -> Option<Family> {
    [
        ("AL2023_", Family::Al2023),
        ("AL2_", Family::Al2),
        ("BOTTLEROCKET_", Family::Bottlerocket),
        ("WINDOWS_", Family::Windows),
    ]
    .into_iter()
    .find_map(|(prefix, family)| ami_type.starts_with(prefix).then_some(family))
}

/// What a report says about an image, by its id.
pub fn summarise_image(inventory: &Inventory, id: &ImageId) -> ImageSummary {
    let image = inventory.images.get(id);
    let (family, confidence) = image.map_or(UNKNOWN, |image| family_of_image(inventory, image, 0));
    ImageSummary {
        id: Some(id.clone()),
        name: image.and_then(|image| image.name.clone()),
        family,
        confidence,
    }
}

/// What a report says about an image that a template refers to.
pub fn summarise_reference(inventory: &Inventory, reference: &ImageRef) -> ImageSummary {
    match reference {
        ImageRef::Id(id) => summarise_image(inventory, id),
        ImageRef::Parameter(parameter) => {
            let (family, confidence) = family_of_parameter(parameter);
            ImageSummary { id: None, name: Some(format!("resolve:ssm:{parameter}")), family, confidence }
        }
        ImageRef::Unset => {
            let (family, confidence) = UNKNOWN;
            ImageSummary { id: None, name: None, family, confidence }
        }
    }
}

/// What an image that a template refers to asks of the metadata service.
///
/// A parameter is not resolved; but AWS's own parameters for Amazon Linux 2023 only ever name images with
/// `ImdsSupport: v2.0`, and those for Amazon Linux 2 never do.
pub fn imds_support(inventory: &Inventory, reference: &ImageRef) -> ImdsSupport {
    match reference {
        ImageRef::Id(id) => inventory.images.get(id).map_or(ImdsSupport::Unknown, |image| image.imds_support),
        ImageRef::Parameter(parameter) => match family_of_parameter(parameter) {
            (Family::Al2023, Confidence::Certain) => ImdsSupport::V2,
            (Family::Al2, Confidence::Certain) => ImdsSupport::Unspecified,
            _ => ImdsSupport::Unknown,
        },
        ImageRef::Unset => ImdsSupport::Unknown,
    }
}

const UNKNOWN: (Family, Confidence) = (Family::Unknown, Confidence::Unknown);

fn family_of_image(inventory: &Inventory, image: &Image, depth: usize) -> (Family, Confidence) {
    if image.platform.as_deref().is_some_and(|platform| platform.eq_ignore_ascii_case("windows")) {
        return (Family::Windows, Confidence::Certain);
    }
    let trusted = owned_by_aws(image);
    let name = image.name.as_deref().unwrap_or_default();
    if let Some(family) = family_of_official_name(name) {
        return (family, if trusted { Confidence::Certain } else { Confidence::Likely });
    }
    let hints = [
        image.tags.get("source_ami_name").and_then(family_of_official_name),
        image.description.as_deref().and_then(family_of_description),
        family_of_source(inventory, image, depth),
        family_of_custom_name(name),
    ];
    hints.into_iter().flatten().next().map_or(UNKNOWN, |family| (family, Confidence::Likely))
}

fn owned_by_aws(image: &Image) -> bool {
    static OWNERS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        include_str!("eks-image-owners.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_whitespace().next())
            .collect()
    });
    image.owner_alias.as_deref() == Some("amazon")
        || image.owner_id.as_deref().is_some_and(|owner| OWNERS.contains(&owner))
}

/// Names that AWS, and Canonical for Ubuntu, give their images.
fn family_of_official_name(name: &str) -> Option<Family> {
    static PATTERNS: LazyLock<Vec<(Regex, Family)>> = LazyLock::new(|| {
        [
            (
                r"^amazon-eks-node-al2023-(x86_64|arm64)-(standard|nvidia|neuron)-([0-9.]+-)?\d+\.\d+-v\d{8}$",
                Family::Al2023,
            ),
            (r"^al2023-ami-(minimal-|ecs-|docker-)?", Family::Al2023),
            (r"^amazon-eks-(gpu-|arm64-)?node-\d+\.\d+-v\d{8}$", Family::Al2),
            (r"^amzn2-ami-", Family::Al2),
            (r"^(bottlerocket|eks-auto)-", Family::Bottlerocket),
            (r"^Windows_Server-", Family::Windows),
            (r"^ubuntu(-eks)?/", Family::Other),
        ]
        .into_iter()
        .filter_map(|(pattern, family)| Some((Regex::new(pattern).ok()?, family)))
        .collect()
    });
    PATTERNS.iter().find_map(|(pattern, family)| pattern.is_match(name).then_some(*family))
}

/// Names as people give them to images of their own: never more than likely.
fn family_of_custom_name(name: &str) -> Option<Family> {
    let name = name.to_ascii_lowercase();
    let words = [
        (&["al2023", "amazon-linux-2023", "amazonlinux2023", "amzn2023"][..], Family::Al2023),
        (&["bottlerocket"], Family::Bottlerocket),
        (&["windows"], Family::Windows),
        (&["ubuntu", "flatcar", "debian", "rhel", "rocky", "talos"], Family::Other),
        (&["amzn2", "amazon-linux-2", "al2-", "-al2"], Family::Al2),
    ];
    words
        .into_iter()
        .find_map(|(words, family)| words.iter().any(|word| name.contains(word)).then_some(family))
}

/// What the build scripts of the EKS-optimised images write into the description.
fn family_of_description(description: &str) -> Option<Family> {
    if description.contains("Amazon Linux 2023") {
        Some(Family::Al2023)
    } else if description.contains("AmazonLinux2 ") || description.contains("Amazon Linux 2 ") {
        Some(Family::Al2)
    } else {
        None
    }
}

fn family_of_source(inventory: &Inventory, image: &Image, depth: usize) -> Option<Family> {
    if depth >= MAX_SOURCES {
        return None;
    }
    let tagged = image.tags.get("source_ami_id").map(ImageId::from);
    let source = image.source_image.clone().or(tagged)?;
    let (family, _) = family_of_image(inventory, inventory.images.get(&source)?, depth + 1);
    (family != Family::Unknown).then_some(family)
}

/// AWS's public parameters say in their path what they name.
fn family_of_parameter(parameter: &str) -> (Family, Confidence) {
    let certain = |family| (family, Confidence::Certain);
    if let Some(path) = parameter.strip_prefix("/aws/service/eks/optimized-ami/") {
        let mut parts = path.split('/').skip(1);
        match parts.next() {
            Some("amazon-linux-2023") => certain(Family::Al2023),
            Some(part) if part.starts_with("amazon-linux-2") => certain(Family::Al2),
            _ => UNKNOWN,
        }
    } else if parameter.starts_with("/aws/service/ami-amazon-linux-latest/al2023-") {
        certain(Family::Al2023)
    } else if parameter.starts_with("/aws/service/ami-amazon-linux-latest/amzn2-") {
        certain(Family::Al2)
    } else if parameter.starts_with("/aws/service/bottlerocket/") {
        certain(Family::Bottlerocket)
    } else if parameter.starts_with("/aws/service/ami-windows-latest/") {
        certain(Family::Windows)
    } else {
        UNKNOWN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Coverage, Scope, Tags};

    fn inventory() -> Inventory {
        let scope = Scope {
            partition: "aws".into(),
            account_id: "111122223333".into(),
            account_name: None,
            region: "eu-west-1".into(),
        };
        Inventory::empty(scope.clone(), Coverage::complete(&scope))
    }

    fn image(id: &str, name: &str, owner: &str) -> Image {
        Image {
            id: id.into(),
            name: Some(name.to_owned()),
            owner_id: Some(owner.to_owned()),
            owner_alias: None,
            description: None,
            source_image: None,
            platform: None,
            imds_support: ImdsSupport::Unspecified,
            tags: Tags::default(),
        }
    }

    fn family(image: &Image) -> (Family, Confidence) {
        family_of_image(&inventory(), image, 0)
    }

    const EKS: &str = "602401143452";
    const ANYONE: &str = "111122223333";

    #[test]
    fn names_are_trusted_only_of_their_owner() {
        let name = "amazon-eks-node-al2023-x86_64-standard-1.31-v20260915";
        assert_eq!(family(&image("ami-1", name, EKS)), (Family::Al2023, Confidence::Certain));
        assert_eq!(family(&image("ami-1", name, ANYONE)), (Family::Al2023, Confidence::Likely));
    }

    #[test]
    fn official_names_tell_the_families_apart() {
        for (name, expected) in [
            ("amazon-eks-node-al2023-arm64-nvidia-570.1-1.33-v20260915", Family::Al2023),
            ("al2023-ami-2023.9.20260915.0-kernel-6.12-x86_64", Family::Al2023),
            ("al2023-ami-minimal-2023.9.20260915.0-kernel-6.12-arm64", Family::Al2023),
            ("amazon-eks-node-1.31-v20260915", Family::Al2),
            ("amazon-eks-gpu-node-1.31-v20260915", Family::Al2),
            ("amazon-eks-arm64-node-1.31-v20260915", Family::Al2),
            ("bottlerocket-aws-k8s-1.31-x86_64-v1.46.0-abc", Family::Bottlerocket),
            ("Windows_Server-2022-English-Core-EKS_Optimized-1.31-2026.09.15", Family::Windows),
        ] {
            assert_eq!(family(&image("ami-1", name, EKS)), (expected, Confidence::Certain), "{name}");
        }
        assert_eq!(family(&image("ami-1", "golden-2026-09", ANYONE)), UNKNOWN);
    }

    #[test]
    fn an_image_of_ones_own_is_known_by_what_it_was_built_from() {
        let mut built = image("ami-1", "golden-2026-09", ANYONE);
        built.description =
            Some("EKS-optimized Kubernetes node based on Amazon Linux 2023, (k8s: 1.31.2)".to_owned());
        assert_eq!(family(&built), (Family::Al2023, Confidence::Likely));

        let mut inventory = inventory();
        let official = image("ami-2", "amazon-eks-node-1.31-v20260915", EKS);
        inventory.images.insert(official.id.clone(), official);
        let mut copied = image("ami-1", "golden-2026-09", ANYONE);
        copied.source_image = Some("ami-2".into());
        assert_eq!(family_of_image(&inventory, &copied, 0), (Family::Al2, Confidence::Likely));
    }

    #[test]
    fn images_that_name_each_other_come_to_an_end() {
        let mut inventory = inventory();
        for (id, source) in [("ami-1", "ami-2"), ("ami-2", "ami-1")] {
            let mut image = image(id, "golden", ANYONE);
            image.source_image = Some(source.into());
            inventory.images.insert(image.id.clone(), image);
        }
        let first = inventory.images[&ImageId::from("ami-1")].clone();
        assert_eq!(family_of_image(&inventory, &first, 0), UNKNOWN);
    }

    #[test]
    fn a_public_parameter_is_as_good_as_its_image() {
        let al2023 =
            "/aws/service/eks/optimized-ami/1.31/amazon-linux-2023/x86_64/standard/recommended/image_id";
        let reference = ImageRef::Parameter(al2023.to_owned());
        let summary = summarise_reference(&inventory(), &reference);
        assert_eq!((summary.family, summary.confidence), (Family::Al2023, Confidence::Certain));
        assert_eq!(imds_support(&inventory(), &reference), ImdsSupport::V2);

        let own = ImageRef::Parameter("/images/golden".to_owned());
        assert_eq!(summarise_reference(&inventory(), &own).family, Family::Unknown);
        assert_eq!(imds_support(&inventory(), &own), ImdsSupport::Unknown);
    }

    #[test]
    fn ami_types_of_every_family_are_known() {
        assert_eq!(family_of_ami_type("AL2023_ARM_64_STANDARD"), Some(Family::Al2023));
        assert_eq!(family_of_ami_type("AL2_x86_64_GPU"), Some(Family::Al2));
        assert_eq!(family_of_ami_type("CUSTOM"), None);
    }
}
