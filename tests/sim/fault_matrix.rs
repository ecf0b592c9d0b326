//! Every kind of fault, of every API that a Region is read by, on the first page, a later one and the last.
//!
//! One audit meets one kind of fault in a Region for each API, so that it also shows that nothing of it reaches the
//! Regions beside. What is held: it ends; what is missing is named in the coverage, with exit code 4; and no finding
//! says anything that it does not say without the fault, but that it cannot be known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use imdsctl_sim::{Fault, FaultKind, FaultPage};

use crate::cloud::Cloud;
use crate::program::{Outcome, Report};

/// Every API that a Region is read by, and a Region for each.
const APIS: [(&str, &str); 13] = [
    ("eks:ListClusters", "ap-northeast-1"),
    ("eks:ListNodegroups", "ap-northeast-2"),
    ("eks:ListFargateProfiles", "ap-northeast-3"),
    ("eks:DescribeNodegroup", "ap-south-1"),
    ("autoscaling:DescribeAutoScalingGroups", "ap-southeast-1"),
    ("autoscaling:DescribeLaunchConfigurations", "ap-southeast-2"),
    ("autoscaling:DescribeWarmPool", "ca-central-1"),
    ("ec2:DescribeInstances", "eu-central-1"),
    ("ec2:DescribeLaunchTemplates", "eu-north-1"),
    ("ec2:DescribeLaunchTemplateVersions", "eu-west-1"),
    ("ec2:DescribeImages", "eu-west-2"),
    ("ec2:DescribeInstanceImageMetadata", "eu-west-3"),
    ("ec2:GetInstanceMetadataDefaults", "sa-east-1"),
];

/// Where nothing goes wrong.
const SOUND: &str = "us-west-2";

/// The APIs that answer in pages, however they are asked.
const PAGED: [&str; 8] = [
    "eks:ListClusters",
    "eks:ListNodegroups",
    "eks:ListFargateProfiles",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeWarmPool",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeLaunchTemplateVersions",
];

/// Three pages of everything that is listed, or more, where a page holds one.
const REGION: &str = r#"
  account_defaults: { hop_limit: 2 }
  images: [{ key: gone, name: my-node, status: deregistered }]
  launch_templates:
    - { name: users, versions: [{ metadata_options: { hop_limit: 1 } }] }
    - name: own
      default_version: 3
      versions:
        - { image: al2023-1.33, metadata_options: { hop_limit: 1 } }
        - { image: al2023-1.33, metadata_options: { http_tokens: optional, hop_limit: 1 } }
        - { image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }
  launch_configurations:
    - { name: old, image: al2023-1.32, metadata_options: { http_tokens: optional, hop_limit: 1 } }
  clusters:
    - name: blue
      fargate_profiles: [a, b, c]
      node_groups:
        - { name: given, template: { name: users }, nodes: 1 }
        - { name: plain, nodes: 1 }
        - { name: idle, template: { name: users }, nodes: 0 }
      self_managed:
        - { name: middle, template: { name: own, version: "2" }, nodes: 0, warm_pool: { nodes: 3, min_size: 3 } }
        - { name: configured, launch_configuration: old, nodes: 0 }
      standalone: [{ name: alone, image: gone }]
    - { name: "quiet-{n}", repeat: { count: 2 } }
"#;

/// The APIs that have such a page, and the Region of each.
fn with_page(page: FaultPage) -> impl Iterator<Item = (&'static str, &'static str)> {
    APIS.into_iter().filter(move |(api, _)| page == FaultPage::First || PAGED.contains(api))
}

/// Their Regions, and the one where nothing goes wrong.
fn regions(page: FaultPage) -> impl Iterator<Item = &'static str> {
    with_page(page).map(|(_, region)| region).chain([SOUND])
}

fn cloud() -> Cloud {
    let regions: Vec<&str> = regions(FaultPage::First).collect();
    let fleet = crate::cloud::fleet("", &format!("- names: [{}]{REGION}", regions.join(", ")));
    Cloud::start(&fleet.replacen("name: test\n", "name: test\nsettings: { largest_page: 1 }\n", 1))
}

/// Whoever waits for an answer that never comes gives up soon; everyone else has time.
fn audit(cloud: &Cloud, met: Option<FaultKind>, page: FaultPage) -> Outcome {
    let timeout = if met == Some(FaultKind::Hang) { "6" } else { "30" };
    let mut program = cloud.imdsctl("audit --include-passed -o json").env("AWS_MAX_ATTEMPTS", "2");
    program = program.args(["--timeout", timeout]);
    for region in regions(page) {
        program = program.args(["--region", region]);
    }
    program.run()
}

/// Resource and rule, and what was said of it: status and value.
type Verdicts = BTreeMap<(String, String), (String, String)>;

/// What is said of each Region where nothing goes wrong.
type Truths = BTreeMap<&'static str, Verdicts>;

fn verdicts(report: &Report, region: &str) -> Verdicts {
    let here = report.findings().iter().filter(|finding| finding["region"] == region);
    here.map(|finding| {
        let text = |name: &str| finding[name].to_string().trim_matches('"').to_owned();
        let resource = finding["resource"]["id"].as_str().unwrap().to_owned();
        ((resource, text("rule")), (text("status"), text("actual")))
    })
    .collect()
}

/// Whether asking again, twice in all, gets over a fault that strikes once.
fn passes(kind: FaultKind) -> bool {
    use FaultKind::{
        Hang, InternalError, MalformedBody, Reset, ServiceUnavailable, Slow, Throttled, TruncatedBody,
    };
    matches!(
        kind,
        InternalError | ServiceUnavailable | Throttled | Reset | TruncatedBody | MalformedBody | Slow | Hang
    )
}

/// A fault of one API in one Region.
struct Case<'a> {
    what: String,
    api: &'a str,
    region: &'a str,
    struck: bool,
    lasting: bool,
}

/// What of a case is not as it should be.
fn wrong(case: &Case<'_>, report: &Report, whole: &Verdicts) -> Vec<String> {
    let Case { what, api, region, struck, lasting } = case;
    let now = verdicts(report, region);
    let status = report.coverage(region)["status"].as_str().unwrap();
    let errors = report.errors(region);
    let mut wrong = Vec::new();
    if *struck && *lasting {
        let named = !errors.is_empty() && errors.iter().all(|error| error.starts_with(&format!("{api} ")));
        if !named || !["partial", "failed"].contains(&status) {
            wrong.push(format!("{what}: {status} with {errors:?}"));
        }
    } else {
        if (status, errors.len()) != ("complete", 0) {
            wrong.push(format!("{what}: {status} with {errors:?}"));
        }
        if now != *whole {
            wrong.push(format!("{what}: not what it was before"));
        }
    }
    for (judged, (verdict, actual)) in &now {
        let before = whole.get(judged);
        let same = before.is_some_and(|(was, value)| was == verdict && value == actual);
        if verdict != "unknown" && !same {
            wrong.push(format!("{what}: {judged:?} is {verdict} {actual} and not {before:?}"));
        }
    }
    wrong
}

/// One kind of fault on one page, of one API in each Region. Returns what is wrong with how it went.
fn meet(cloud: &Cloud, truths: &Truths, (kind, page, once): (FaultKind, FaultPage, bool)) -> Vec<String> {
    let faults: Vec<Fault> = with_page(page)
        .map(|(api, region)| {
            let fault = Fault::new(api, kind).in_region(region).on(page);
            let fault = if kind == FaultKind::Slow { fault.delayed(200) } else { fault };
            if once { fault.times(1) } else { fault }
        })
        .collect();
    cloud.set_faults(&faults);
    let outcome = audit(cloud, Some(kind), page);
    let requests = cloud.requests();
    let met = requests.iter().filter(|request| request.fault == Some(kind));
    let struck: BTreeSet<String> = met.map(crate::cloud::operation).collect();
    // A first page that leads back to itself is asked for with a token next, and then it is no first page.
    let led_on = (kind, page) == (FaultKind::EndlessList, FaultPage::First);
    let lasting = kind != FaultKind::Slow && !led_on && !(once && passes(kind));
    let case = |api, region, name: &str| Case {
        what: format!("{name}, {} on the {page:?} page{}", kind.as_str(), if once { ", once" } else { "" }),
        api,
        region,
        struck: struck.contains(api),
        lasting,
    };
    let mut all: Vec<String> = PAGED
        .iter()
        .filter(|api| !struck.contains(**api))
        .map(|api| format!("{api} never met {} on its {page:?} page", kind.as_str()))
        .collect();
    let expected = if lasting { 4 } else { 1 };
    if outcome.code != Some(expected) {
        all.push(format!("{} on {page:?} ended with {:?}", kind.as_str(), outcome.code));
    }
    let report = outcome.report();
    for (api, region) in with_page(page) {
        all.extend(wrong(&case(api, region, api), &report, &truths[region]));
    }
    all.extend(wrong(&case("", SOUND, "beside"), &report, &truths[SOUND]));
    all
}

fn meet_everywhere(kind: FaultKind) -> Vec<String> {
    let cloud = cloud();
    let complete = audit(&cloud, None, FaultPage::First).code(1).report();
    let truths: Truths =
        regions(FaultPage::First).map(|region| (region, verdicts(&complete, region))).collect();
    let mut all = Vec::new();
    for page in [FaultPage::First, FaultPage::Later, FaultPage::Last] {
        all.extend(meet(&cloud, &truths, (kind, page, false)));
        // What is never asked again is as bad when it strikes once.
        if passes(kind) && kind != FaultKind::Slow {
            all.extend(meet(&cloud, &truths, (kind, page, true)));
        }
    }
    all
}

/// How many servers and audits there are at a time. Much of what they do is waiting.
const SIDE_BY_SIDE: usize = 4;

#[test]
fn every_fault_of_every_api_on_every_page_is_got_over_or_told() {
    let kinds = Mutex::new(FaultKind::ALL.into_iter());
    let next = || kinds.lock().unwrap().next();
    let wrong = std::thread::scope(|scope| {
        let worker = || std::iter::from_fn(next).flat_map(meet_everywhere).collect::<Vec<String>>();
        let workers: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<String>>()
    });
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
