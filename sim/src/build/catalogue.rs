//! The images that AWS publishes for EKS, by short names, so that no fleet has to describe them.
//!
//! `al2023-1.33`, `al2023-arm64-1.33`, `al2023-nvidia-1.33`, `al2023-neuron-1.33`, `al2-1.32`, `al2-gpu-1.32`,
//! `al2-arm64-1.32`, `bottlerocket-1.33`, `bottlerocket-arm64-1.33`, `windows-2022-1.33`, `eks-auto-1.33`, and
//! without a Kubernetes version `al2023-base` and `ubuntu-24.04`. `@20260801` at the end asks for a release.

use crate::regions;

/// The release that a name without one means.
const NEWEST: &str = "20261105";

/// One published image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// How AWS names it.
    pub name: String,
    /// The account that owns it in this Region.
    pub owner: String,
    /// `amazon`, where AWS gives the owner an alias.
    pub owner_alias: Option<&'static str>,
    /// Does it say `ImdsSupport=v2.0`?
    pub imds_v2: bool,
    /// What its owner says about it.
    pub description: String,
    /// `x86_64` or `arm64`.
    pub architecture: &'static str,
    /// Does it run Windows?
    pub windows: bool,
    /// The public SSM parameter that holds its id.
    pub parameter: Option<String>,
    /// What a managed node group calls the release.
    pub release_version: String,
    /// The day it was published, `20261105`.
    pub date: String,
}

/// The image that a short name means in a Region.
pub fn published(reference: &str, region: &str) -> Option<Published> {
    let (name, date) = reference.split_once('@').unwrap_or((reference, NEWEST));
    if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match name {
        "al2023-base" => return Some(base(date)),
        "ubuntu-24.04" => return Some(ubuntu(date)),
        _ => {}
    }
    let (family, kubernetes) = name.rsplit_once('-')?;
    let (major, minor) = kubernetes.split_once('.')?;
    if major != "1" || minor.parse::<u8>().is_err() {
        return None;
    }
    let owner = regions::eks_owner(region).to_owned();
    match family {
        "al2023" => Some(al2023("x86_64", "standard", kubernetes, date, owner)),
        "al2023-arm64" => Some(al2023("arm64", "standard", kubernetes, date, owner)),
        "al2023-nvidia" => Some(al2023("x86_64", "nvidia", kubernetes, date, owner)),
        "al2023-neuron" => Some(al2023("x86_64", "neuron", kubernetes, date, owner)),
        "al2" => Some(al2("node", "x86_64", kubernetes, date, owner)),
        "al2-gpu" => Some(al2("gpu-node", "x86_64", kubernetes, date, owner)),
        "al2-arm64" => Some(al2("arm64-node", "arm64", kubernetes, date, owner)),
        "bottlerocket" => Some(bottlerocket("x86_64", kubernetes, date)),
        "bottlerocket-arm64" => Some(bottlerocket("arm64", kubernetes, date)),
        "windows-2022" => Some(windows("2022", kubernetes, date)),
        "windows-2019" => Some(windows("2019", kubernetes, date)),
        "eks-auto" => Some(eks_auto(kubernetes, date)),
        _ => None,
    }
}

/// The short name of what a managed node group with an AMI type runs.
pub fn of_ami_type(ami_type: &str, kubernetes: &str, release: Option<&str>) -> Option<String> {
    let family = match ami_type {
        "AL2023_x86_64_STANDARD" => "al2023",
        "AL2023_ARM_64_STANDARD" | "AL2023_ARM_64_NVIDIA" => "al2023-arm64",
        "AL2023_x86_64_NVIDIA" => "al2023-nvidia",
        "AL2023_x86_64_NEURON" => "al2023-neuron",
        "AL2_x86_64" => "al2",
        "AL2_x86_64_GPU" => "al2-gpu",
        "AL2_ARM_64" => "al2-arm64",
        arm if arm.starts_with("BOTTLEROCKET_ARM_64") => "bottlerocket-arm64",
        intel if intel.starts_with("BOTTLEROCKET_x86_64") => "bottlerocket",
        "WINDOWS_CORE_2019_x86_64" | "WINDOWS_FULL_2019_x86_64" => "windows-2019",
        "WINDOWS_CORE_2022_x86_64" | "WINDOWS_FULL_2022_x86_64" => "windows-2022",
        _ => return None,
    };
    Some(format!("{family}-{kubernetes}@{}", release.unwrap_or(NEWEST)))
}

fn al2023(arch: &'static str, variant: &str, kubernetes: &str, date: &str, owner: String) -> Published {
    Published {
        name: format!("amazon-eks-node-al2023-{arch}-{variant}-{kubernetes}-v{date}"),
        owner,
        owner_alias: Some("amazon"),
        imds_v2: true,
        description: format!(
            "EKS-optimized Kubernetes node based on Amazon Linux 2023, (k8s: {kubernetes}.4, containerd: 1.7.*)"
        ),
        architecture: arch,
        windows: false,
        parameter: Some(format!(
            "/aws/service/eks/optimized-ami/{kubernetes}/amazon-linux-2023/{arch}/{variant}/recommended/image_id"
        )),
        release_version: format!("{kubernetes}.4-{date}"),
        date: date.to_owned(),
    }
}

fn al2(kind: &str, arch: &'static str, kubernetes: &str, date: &str, owner: String) -> Published {
    let folder = match kind {
        "gpu-node" => "amazon-linux-2-gpu",
        "arm64-node" => "amazon-linux-2-arm64",
        _ => "amazon-linux-2",
    };
    Published {
        name: format!("amazon-eks-{kind}-{kubernetes}-v{date}"),
        owner,
        owner_alias: Some("amazon"),
        imds_v2: false,
        description: format!("EKS Kubernetes Worker AMI with AmazonLinux2 image, (k8s: {kubernetes}.4)"),
        architecture: arch,
        windows: false,
        parameter: Some(format!("/aws/service/eks/optimized-ami/{kubernetes}/{folder}/recommended/image_id")),
        release_version: format!("{kubernetes}.4-{date}"),
        date: date.to_owned(),
    }
}

fn bottlerocket(arch: &'static str, kubernetes: &str, date: &str) -> Published {
    Published {
        name: format!("bottlerocket-aws-k8s-{kubernetes}-{arch}-v1.49.0-713f44ce"),
        owner: "092701018921".to_owned(),
        owner_alias: Some("amazon"),
        imds_v2: false,
        description: format!("bottlerocket-aws-k8s-{kubernetes}-{arch}-v1.49.0-713f44ce"),
        architecture: arch,
        windows: false,
        parameter: Some(format!("/aws/service/bottlerocket/aws-k8s-{kubernetes}/{arch}/latest/image_id")),
        release_version: "1.49.0-713f44ce".to_owned(),
        date: date.to_owned(),
    }
}

fn windows(year: &str, kubernetes: &str, date: &str) -> Published {
    let dotted = format!("{}.{}.{}", &date[..4], &date[4..6], &date[6..]);
    Published {
        name: format!("Windows_Server-{year}-English-Core-EKS_Optimized-{kubernetes}-{dotted}"),
        owner: "801119661308".to_owned(),
        owner_alias: Some("amazon"),
        imds_v2: false,
        description: format!("Microsoft Windows Server {year} Core optimized for EKS and provided by Amazon"),
        architecture: "x86_64",
        windows: true,
        parameter: Some(format!(
            "/aws/service/ami-windows-latest/Windows_Server-{year}-English-Core-EKS_Optimized-{kubernetes}/image_id"
        )),
        release_version: format!("{kubernetes}-{dotted}"),
        date: date.to_owned(),
    }
}

/// AWS documents that Auto Mode's images are based on Bottlerocket, not how they are named: the name is ours.
fn eks_auto(kubernetes: &str, date: &str) -> Published {
    Published {
        name: format!("bottlerocket-eks-auto-standard-{kubernetes}-x86_64-v{date}"),
        owner: "992382739861".to_owned(),
        owner_alias: Some("amazon"),
        imds_v2: false,
        description: format!("EKS Auto Mode node based on Bottlerocket, (k8s: {kubernetes})"),
        architecture: "x86_64",
        windows: false,
        parameter: None,
        release_version: date.to_owned(),
        date: date.to_owned(),
    }
}

fn base(date: &str) -> Published {
    Published {
        name: format!("al2023-ami-2023.9.{date}.0-kernel-6.1-x86_64"),
        owner: "137112412989".to_owned(),
        owner_alias: Some("amazon"),
        imds_v2: true,
        description: format!("Amazon Linux 2023 AMI 2023.9.{date}.0 x86_64 HVM kernel-6.1"),
        architecture: "x86_64",
        windows: false,
        parameter: Some("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64".to_owned()),
        release_version: date.to_owned(),
        date: date.to_owned(),
    }
}

fn ubuntu(date: &str) -> Published {
    Published {
        name: format!("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-{date}"),
        owner: "099720109477".to_owned(),
        owner_alias: None,
        imds_v2: false,
        description: "Canonical, Ubuntu, 24.04, amd64 noble image".to_owned(),
        architecture: "x86_64",
        windows: false,
        parameter: Some(
            "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id".to_owned(),
        ),
        release_version: date.to_owned(),
        date: date.to_owned(),
    }
}
