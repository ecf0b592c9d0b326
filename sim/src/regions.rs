//! The Regions that AWS has, by partition, and which of them an account has without asking.

/// One Region as AWS lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownRegion {
    /// `us-east-1`.
    pub name: &'static str,
    /// Must an account opt in before it can use the Region?
    pub opt_in: bool,
    /// The account that owns the EKS images there, from eksctl's list.
    pub eks_owner: &'static str,
}

const EKS: &str = "602401143452";

const fn default(name: &'static str) -> KnownRegion {
    KnownRegion { name, opt_in: false, eks_owner: EKS }
}

const fn own_images(name: &'static str, opt_in: bool, eks_owner: &'static str) -> KnownRegion {
    KnownRegion { name, opt_in, eks_owner }
}

const AWS: &[KnownRegion] = &[
    own_images("af-south-1", true, "877085696533"),
    own_images("ap-east-1", true, "800184023465"),
    own_images("ap-east-2", true, "533267051163"),
    default("ap-northeast-1"),
    default("ap-northeast-2"),
    default("ap-northeast-3"),
    default("ap-south-1"),
    own_images("ap-south-2", true, "900889452093"),
    default("ap-southeast-1"),
    default("ap-southeast-2"),
    own_images("ap-southeast-3", true, "296578399912"),
    own_images("ap-southeast-4", true, "491585149902"),
    own_images("ap-southeast-5", true, "151610086707"),
    own_images("ap-southeast-6", true, "333609536671"),
    own_images("ap-southeast-7", true, "121268973566"),
    default("ca-central-1"),
    own_images("ca-west-1", true, "761377655185"),
    default("eu-central-1"),
    own_images("eu-central-2", true, "900612956339"),
    default("eu-north-1"),
    own_images("eu-south-1", true, "590381155156"),
    own_images("eu-south-2", true, "455263428931"),
    default("eu-west-1"),
    default("eu-west-2"),
    default("eu-west-3"),
    own_images("il-central-1", true, "066635153087"),
    own_images("me-central-1", true, "759879836304"),
    own_images("me-south-1", true, "558608220178"),
    own_images("mx-central-1", true, "730335286997"),
    default("sa-east-1"),
    default("us-east-1"),
    default("us-east-2"),
    default("us-west-1"),
    default("us-west-2"),
];

const CHINA: &[KnownRegion] =
    &[own_images("cn-north-1", false, "918309763551"), own_images("cn-northwest-1", false, "961992271922")];

const GOV: &[KnownRegion] =
    &[own_images("us-gov-east-1", false, "151742754352"), own_images("us-gov-west-1", false, "013241004608")];

/// The partitions the simulator knows.
pub const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];

/// The Regions of a partition; none for one that the simulator does not know.
pub fn of(partition: &str) -> &'static [KnownRegion] {
    match partition {
        "aws" => AWS,
        "aws-cn" => CHINA,
        "aws-us-gov" => GOV,
        _ => &[],
    }
}

/// The domain that endpoints of a partition end in.
pub fn dns_suffix(partition: &str) -> &'static str {
    if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// The Region of the one endpoint that Organizations has in a partition.
pub fn organizations(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-northwest-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

/// The owner of the EKS images in a Region.
pub fn eks_owner(region: &str) -> &'static str {
    PARTITIONS
        .iter()
        .flat_map(|partition| of(partition))
        .find(|known| known.name == region)
        .map_or(EKS, |known| known.eks_owner)
}
