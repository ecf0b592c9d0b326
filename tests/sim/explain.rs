//! `imdsctl explain`, against the built-in fleet and against fleets made to fail.

use crate::cloud::Cloud;
use crate::hostile::assert_harmless;
use crate::program::{Outcome, Program, Report};

fn explained(resource: &str) -> String {
    let outcome = Program::new().line("explain --demo").args([resource]).run().code(0);
    assert_eq!(outcome.stderr, "");
    outcome.stdout
}

/// The words are there, in this order.
#[track_caller]
fn says(text: &str, words: &[&str]) {
    let mut rest = text;
    for word in words {
        let Some(at) = rest.find(word) else { panic!("no {word:?} after the words before it in\n{text}") };
        rest = &rest[at + word.len()..];
    }
}

/// The instances of the demo that a condition holds for.
fn nodes(holds: impl Fn(&serde_json::Value) -> bool) -> Vec<String> {
    let line = "audit --demo -o json --include-passed --policy imdsv2";
    let report = Program::new().line(line).run().code(1).report();
    let found = report.findings().iter().filter(|one| one["resource"]["type"] == "instance" && holds(one));
    found.map(|one| one["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_node_behind_the_bad_template() {
    let nodes = nodes(|node| node["node_group"] == "general-a");
    let text = explained(&nodes[0]);
    says(
        &text,
        &[
            &format!("instance {}\n", nodes[0]),
            "platform 111122223333 · us-east-1 · cluster shared-prod · managed node group",
            "✗ breaks hop-limit-min of policy al2023",
            "account default     sets nothing",
            "amazon-eks-node-al2023",
            "asks for tokens required, hop limit 2",
            "launch template     platform-nodes (lt-01c512ff8541f4707) version 2",
            "owned by Terraform",
            "sets tokens required, ✗ hop limit 1",
            "EKS's template",
            "copies that",
            "Auto Scaling group  eks-general-a-",
            "node group          shared-prod/general-a · 18 nodes",
            "└ instance",
            "http_put_response_hop_limit  1         launch template       ✗ hop-limit-min: must be at least 2",
            "1  edit the source of launch template platform-nodes",
            "2  update node group shared-prod/general-a",
            "the next node of shared-prod/general-a gets the same",
        ],
    );
}

#[test]
fn a_node_group_whose_template_is_ahead_of_it() {
    let text = explained("payments-prod/api");
    says(
        &text,
        &[
            "✗ its next node breaks tokens-required",
            "payments-api (lt-0092f4d3729f60bc0) version 1 · latest is 2",
            "sets ✗ tokens optional",
            "http_tokens                  optional  launch template       ✗ tokens-required",
            "nodes  ✗ 18 of 20 nodes and the next · tokens-required",
            "1  update node group payments-prod/api [automatic]",
            "version 2 of payments-api already holds it",
        ],
    );
    // By its ARN, by EKS's copy of its template and by its Auto Scaling group it is the same.
    let word = |start: &str| {
        let at = text.find(start).unwrap();
        text[at..].split([' ', ')', '\n']).next().unwrap().to_owned()
    };
    assert_eq!(explained(&word("lt-06")), text);
    assert_eq!(explained(&word("eks-api-")), text);
    let arn = "arn:aws:eks:eu-west-1:444455556666:nodegroup/payments-prod/api/some-uuid";
    assert_eq!(explained(arn), text);
}

#[test]
fn a_template_by_its_name() {
    let text = explained("platform-nodes");
    says(
        &text,
        &[
            "launch template lt-01c512ff8541f4707 (platform-nodes)",
            "version 1, its default",
            "version 2, its latest",
            "who launches from it",
            "node group shared-prod/general-a  version 2 · ✗ 18 nodes and the next · hop-limit-min",
            "node group shared-prod/jobs       version 2 · ✗ 7 of 10 nodes and the next",
            "it names no image",
        ],
    );
    assert_eq!(explained("lt-01c512ff8541f4707"), text);
    assert_eq!(explained("arn:aws:ec2:us-east-1:111122223333:launch-template/lt-01c512ff8541f4707"), text);
}

#[test]
fn every_way_of_a_mixed_group() {
    let text = explained("tools-ci-runners");
    says(
        &text,
        &[
            "├ 1 ┌ image",
            "ci-runners (lt-",
            "sets tokens required, hop limit 2",
            "├ 2 ┌ image",
            "ci-runners-amd (lt-",
            "sets ✗ tokens optional, ✗ hop limit 1",
            "└ Auto Scaling group   tools-ci-runners · 6 nodes",
            "its next node gets, by way 1",
            "✓ tokens-required",
            "its next node gets, by way 2",
            "✗ tokens-required",
            "edit the source of launch template ci-runners-amd",
        ],
    );
}

#[test]
fn a_node_of_auto_mode() {
    let nodes = nodes(|node| node["managed_by"] == "auto_mode");
    let text = explained(&nodes[0]);
    says(
        &text,
        &[
            "· Auto Mode",
            "EKS Auto Mode  decides all of it",
            "└ instance",
            "required  EKS Auto Mode",
            "No rule of the policy",
        ],
    );
    assert!(!text.contains("account default") && !text.contains("launch template"), "{text}");
}

#[test]
fn nodes_of_karpenter_of_a_launch_configuration_and_of_nothing() {
    let by = |by: &'static str| nodes(move |node| node["managed_by"] == by).remove(0);
    says(&explained(&by("karpenter")), &["EC2NodeClass", "decides all of it; EC2 does not show it"]);
    says(&explained(&by("standalone")), &["· standalone", "the instance itself", "change instance i-"]);
    says(&explained("spark"), &["launch configuration  spark-2023-v7", "by a launch template [by hand]"]);
    says(&explained("ad-hoc"), &["no longer exists", "1  what it launches from is gone"]);
    says(&explained("edge/bootstrap"), &["EKS made it", "sets tokens required, ✗ hop limit 1"]);
}

#[test]
fn a_cluster() {
    let text = explained("tools");
    says(
        &text,
        &[
            "cluster tools\n",
            "24 nodes, 11 failing now",
            "Auto Scaling group tools-ci-runners",
            "✗ 2 of 6 nodes and the next",
            "Karpenter default (lt-0d804591c7783c4da)  ✗ 8 nodes and the next · hop-limit-min",
            "standalone i-",
        ],
    );
    assert_eq!(explained("arn:aws:eks:us-west-2:111122223333:cluster/tools"), text);
}

#[test]
fn the_document_shows_what_is_printed() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/explain.md");
    let document = std::fs::read_to_string(path).unwrap();
    for resource in ["payments-prod/api", "i-002dfa322bb902a31", "tools"] {
        let text = explained(resource);
        assert!(document.contains(&format!("```text\n{text}```\n")), "docs/explain.md needs\n{text}");
    }
}

#[test]
fn all_of_one_name_are_shown() {
    let text = explained("workers");
    says(
        &text,
        &["2 resources have that name.", "node group edge/workers", "node group payments-prod/workers"],
    );
}

#[test]
fn what_is_not_there_is_said_with_where_it_was_looked_for() {
    let said = Program::new().line("explain nope --demo").run().refused();
    assert!(said.starts_with("nothing named \"nope\" was found in 4 accounts, "), "{said}");
    assert!(said.contains("launch templates by id or name"), "{said}");
    let said =
        Program::new().line("explain i-0123 --demo --region us-east-1 --profile platform").run().refused();
    assert!(said.contains("in account 111122223333, Region us-east-1\n"), "{said}");
    let said = Program::new().line("explain arn:aws:s3:::bucket --demo").run().refused();
    assert!(said.contains("is not the ARN of an instance"), "{said}");
    let arn = "arn:aws:ec2:us-east-1:999999999999:instance/i-1";
    let said = Program::new().line("explain --demo").args([arn]).run().refused();
    assert!(said.contains("is in an account or a Region that is not among those to be read"), "{said}");
    let said = Program::new().line("explain nope --demo --policy nope").run().refused();
    assert!(said.starts_with("there is no policy"), "{said}");
}

const BLUE: &str = "
- names: [eu-west-1]
  launch_templates: [{ name: own, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 1 } }] }]
  clusters: [{ name: blue, self_managed: [{ name: workers, template: { name: own }, nodes: 1 }] }]
";

#[test]
fn what_could_not_be_read_is_said() {
    let faults = "- { operation: 'ec2:DescribeLaunchTemplateVersions', error: access_denied }";
    let cloud = Cloud::faulty(faults, BLUE);
    let outcome = cloud.imdsctl("explain workers --region eu-west-1").run().code(4);
    says(
        &outcome.stdout,
        &[
            "could not be read",
            "?         not known",
            "could not be read here",
            "ec2:DescribeLaunchTemplateVersions",
        ],
    );
    let outcome = cloud.imdsctl("explain nope --region eu-west-1").run().code(4);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("it may be in 111122223333 eu-west-1"), "{}", outcome.stderr);
}

#[test]
fn it_only_reads() {
    let cloud = Cloud::with(BLUE);
    cloud.imdsctl("explain blue --region eu-west-1").run().code(0);
    for operation in cloud.requests().iter().map(crate::cloud::operation) {
        let (_, name) = operation.split_once(':').unwrap();
        assert!(["Describe", "List", "Get"].iter().any(|verb| name.starts_with(verb)), "{operation}");
    }
}

#[test]
fn names_that_do_harm_are_shown_and_do_none() {
    let cloud = Cloud::shipped("hostile");
    let where_ = "--region eu-west-1 --region eu-central-1";
    let audit = cloud
        .imdsctl(&format!("audit {where_} -o json --include-passed --policy al2023 --policy imdsv2"))
        .run();
    let report = Report::parse(&audit.stdout);
    let mut asked = std::collections::BTreeSet::new();
    for finding in report.findings() {
        if finding["resource"]["type"] != "instance" {
            asked.extend(finding["resource"]["id"].as_str().map(str::to_owned));
        }
        asked.extend(finding["cluster"].as_str().map(str::to_owned));
    }
    assert!(asked.len() > 5);
    for resource in asked.iter().filter(|name| !name.starts_with('-')) {
        let outcome: Outcome = cloud.imdsctl(&format!("explain {where_} --")).args([resource]).run();
        assert!(matches!(outcome.code, Some(0 | 2 | 4)), "{resource:?}: {}", outcome.stderr);
        assert_harmless("the explanation", &outcome.stdout);
        assert_harmless("stderr", &outcome.stderr);
        let json = cloud.imdsctl(&format!("explain {where_} -o json --")).args([resource]).run();
        assert_harmless("the JSON", &json.stdout);
    }
}
