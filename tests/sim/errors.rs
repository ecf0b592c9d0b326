//! Whoever cannot start an audit gets code 2 and one sentence that says what to do, and no file is touched.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use crate::cloud::Cloud;
use crate::program::{Outcome, Program};

const EMPTY: &str = "- { names: [eu-west-1] }";

/// The one sentence of an audit of one Region that is refused, with a report file asked for that was not made.
#[track_caller]
fn refusal(program: Program) -> String {
    let outcome = audited(program);
    assert!(outcome.took < Duration::from_secs(10), "it took {:?}", outcome.took);
    outcome.refused()
}

#[track_caller]
fn audited(program: Program) -> Outcome {
    let before = program.files();
    let outcome = program.line("-o json=report.json").run();
    assert_eq!(outcome.files(), before, "something was left behind");
    outcome
}

const AUDIT: &str = "audit --region eu-west-1";

#[test]
fn no_credentials() {
    let said = refusal(Program::new().line(AUDIT));
    assert_eq!(
        said,
        "no AWS credentials were found: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
         pass --profile, or sign in with `aws sso login`"
    );
}

/// On a machine of EC2 whose metadata service refuses, as it does a pod that is one hop too far away.
#[test]
fn no_credentials_and_a_metadata_service_that_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let answer = "HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let program = Program::new().line(AUDIT).without_env("AWS_EC2_METADATA_DISABLED");
    let said = refusal(program.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", url));
    let start = "no AWS credentials were found (and the instance metadata service gave none): ";
    assert!(said.starts_with(start), "{said}");
}

#[test]
fn expired_credentials() {
    let cloud = Cloud::start(
        r#"
name: test
accounts:
  - id: "111122223333"
    name: test
    access_keys: [{ id: AKIATESTTESTTEST0001, expired: true }]
"#,
    );
    assert_eq!(
        refusal(cloud.imdsctl(AUDIT)),
        "the AWS credentials have expired (ExpiredToken): sign in again"
    );
}

#[test]
fn credentials_that_nobody_knows() {
    let cloud = Cloud::with(EMPTY);
    let said = refusal(cloud.imdsctl(AUDIT).env("AWS_ACCESS_KEY_ID", "AKIANOBODYKNOWSTHIS1"));
    let start = "AWS does not accept these credentials (InvalidClientTokenId): ";
    assert!(said.starts_with(start), "{said}");
    assert!(!said.contains("AKIANOBODY"), "{said}");
}

#[test]
fn a_profile_that_does_not_exist() {
    let by_flag = refusal(Program::new().line(AUDIT).line("--profile nowhere"));
    let start = "profile \"nowhere\" gives no credentials: it is not in the AWS configuration files, or ";
    assert!(by_flag.starts_with(start), "{by_flag}");
    let program = Program::new().line(AUDIT).env("AWS_PROFILE", "nowhere").file("config", "[profile prod]\n");
    let config = program.path("config");
    let by_variable = refusal(program.env("AWS_CONFIG_FILE", config));
    assert!(by_variable.starts_with("there is no profile \"nowhere\""), "{by_variable}");
}

#[test]
fn a_policy_with_mistakes_is_quoted_by_line_and_column() {
    let program = Program::new().line(AUDIT).line("--policy mine.yaml").file(
        "mine.yaml",
        "\
apiVersion: imdsctl/v1
kind: Policy
metadata: { name: mine, version: '1' }
spec:
  rules:
    - id: hops
      option: http_put_response_hop_limit
      at_least: 65
      severity: high
    - id: tokens
      option: http_tokens
      equals: enabled
      severity: high
",
    );
    assert_eq!(
        refusal(program),
        "mine.yaml:8:17: a hop limit is 1 to 64, not 65\n\
         mine.yaml:12:15: http_tokens is never enabled: it is optional or required"
    );
}

#[test]
fn a_policy_with_a_key_that_no_policy_has() {
    let program = Program::new().line(AUDIT).line("--policy mine.yaml").file(
        "mine.yaml",
        "apiVersion: imdsctl/v1\nkind: Policy\nmetadata: { name: mine, version: '1' }\nspec:\n  rule: []\n",
    );
    let said = refusal(program);
    assert!(said.starts_with("mine.yaml:5:3: "), "{said}");
    assert!(said.contains("rule") && said.contains("rules"), "{said}");
}

#[test]
fn a_policy_that_does_not_exist() {
    assert_eq!(
        refusal(Program::new().line(AUDIT).line("--policy al2032")),
        "there is no policy \"al2032\": it is neither a file nor one of the shipped policies (al2023, hardened, \
         imdsv2)"
    );
}

#[test]
fn the_same_policy_twice() {
    let said = refusal(Program::new().line(AUDIT).line("--policy al2023 --policy al2023"));
    assert_eq!(said, "there are two policies named \"al2023\"");
}

#[test]
fn a_region_that_does_not_exist() {
    let cloud = Cloud::with(EMPTY);
    assert_eq!(
        refusal(cloud.imdsctl("audit --region eu-wst-1")),
        "there is no Region \"eu-wst-1\" in this partition; did you mean eu-west-1?"
    );
    assert_eq!(
        refusal(cloud.imdsctl("audit --region mars")),
        "there is no Region \"mars\" in this partition"
    );
    assert!(
        cloud.requests().iter().all(|request| request.operation != "ListClusters"),
        "nothing may be scanned before the names are known to be right"
    );
}

#[test]
fn no_region_at_all() {
    let cloud = Cloud::with(EMPTY);
    let said = refusal(cloud.imdsctl("audit"));
    assert_eq!(said, "which Region? Use --all-regions or --region, or set AWS_REGION");
}

#[test]
fn a_region_and_all_regions() {
    let said = refusal(Program::new().line(AUDIT).line("--all-regions"));
    assert!(
        said.starts_with("the argument '--region <REGION>' cannot be used with '--all-regions'"),
        "{said}"
    );
}

#[test]
fn regions_that_cannot_be_listed() {
    let cloud = Cloud::faulty("- { operation: 'ec2:DescribeRegions', error: access_denied }", EMPTY);
    let said = refusal(cloud.imdsctl("audit --all-regions"));
    assert!(said.starts_with("cannot list the Regions of account 111122223333: "), "{said}");
    assert!(said.ends_with("name them with --region"), "{said}");
    // Whoever does name them needs no list.
    let named = cloud.imdsctl("audit --region eu-west-1").run().code(0);
    assert!(named.stderr.contains("may not list Regions (UnauthorizedOperation)"), "{}", named.stderr);
}

#[test]
fn paths_that_cannot_be_written() {
    for (path, reason) in [
        ("nowhere/report.json", "there is no folder nowhere"),
        (".", "it is a directory"),
        ("/sys/report.json", ""),
        ("locked", "it is a directory"),
    ] {
        let program = Program::new().line(AUDIT);
        std::fs::create_dir(program.path("locked")).unwrap();
        let said = refusal(program.args(["-o", &format!("csv={path}")]));
        let path = if reason == "it is a directory" { path.trim_start_matches('.') } else { path };
        assert!(said.starts_with("cannot write ") && said.contains(path), "{said}");
        assert!(said.ends_with(reason), "{said}");
    }
}

#[test]
fn a_path_is_tried_before_anyone_is_asked() {
    let cloud = Cloud::with(EMPTY);
    refusal(cloud.imdsctl(AUDIT).line("-o csv=nowhere/report.csv"));
    assert_eq!(cloud.requests(), []);
}

#[test]
fn an_old_report_survives_a_refusal() {
    let outcome =
        Program::new().line(AUDIT).line("-o json=old.json").file("old.json", "what was here before").run();
    assert_eq!(outcome.read("old.json"), "what was here before");
    outcome.refused();
}

#[test]
fn two_formats_in_one_place() {
    assert_eq!(
        refusal(Program::new().line(AUDIT).line("-o table -o csv")),
        "two formats cannot share stdout: give all but one a file, as in -o json=FILE"
    );
    let said = refusal(Program::new().line(AUDIT).line("-o csv=report.json"));
    assert_eq!(said, "two formats cannot share report.json");
}

#[test]
fn formats_that_do_not_exist() {
    let said = refusal(Program::new().line(AUDIT).line("-o yaml"));
    assert!(said.contains("unknown format \"yaml\": expected one of table, json, ndjson, csv"), "{said}");
    let said = refusal(Program::new().line(AUDIT).line("-o csv="));
    assert!(said.contains("names no file after the equals sign"), "{said}");
}

#[test]
fn flags_that_do_not_exist() {
    let said = refusal(Program::new().line("audit --all-region"));
    assert!(said.contains("unexpected argument '--all-region'") && said.contains("--all-regions"), "{said}");
    assert!(refusal(Program::new().line(AUDIT).line("--timeout 0")).contains("0 is not in 1.."));
}

#[test]
fn a_port_where_nothing_listens() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let program = Cloud::with(EMPTY).imdsctl(AUDIT).env("AWS_ENDPOINT_URL", &url);
    let outcome = audited(program);
    assert!(outcome.took < Duration::from_secs(5), "it took {:?}", outcome.took);
    assert_eq!(
        outcome.refused(),
        format!(
            "{url} refused the connection: nothing listens there; check the network, the proxy, the Region and \
             AWS_ENDPOINT_URL"
        )
    );
}

#[test]
fn an_endpoint_that_never_answers() {
    // The kernel accepts for it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let program = Cloud::with(EMPTY).imdsctl(AUDIT).env("AWS_ENDPOINT_URL", &url).line("--timeout 1");
    let outcome = audited(program);
    assert!(outcome.took < Duration::from_secs(5), "it took {:?}", outcome.took);
    let said = outcome.refused();
    assert!(said.contains("sts:GetCallerIdentity"), "{said}");
    assert!(said.ends_with("; check the network, the proxy and AWS_ENDPOINT_URL"), "{said}");
}

#[test]
fn an_endpoint_that_is_no_url() {
    let said = refusal(Cloud::with(EMPTY).imdsctl(AUDIT).env("AWS_ENDPOINT_URL", "not a url"));
    assert!(said.ends_with("; check the Region and AWS_ENDPOINT_URL"), "{said}");
}

#[test]
fn settings_that_make_no_sense() {
    let cloud = Cloud::with(EMPTY);
    assert_eq!(
        refusal(cloud.imdsctl(AUDIT).env("AWS_MAX_ATTEMPTS", "abc")),
        "AWS_MAX_ATTEMPTS is \"abc\" in the environment or profile; it must be a number from 1"
    );
    assert_eq!(
        refusal(cloud.imdsctl(AUDIT).env("AWS_RETRY_MODE", "eager")),
        "AWS_RETRY_MODE is \"eager\" in the environment or profile; it must be standard or adaptive"
    );
}

#[test]
fn a_configuration_file_that_cannot_be_parsed() {
    for arguments in ["", "--profile prod"] {
        let program = Program::new().line(AUDIT).line(arguments).file("junk", "[profile prod\nregion = x\n");
        let path = program.path("junk");
        let said = refusal(program.env("AWS_CONFIG_FILE", &path));
        let reason = format!(
            "the AWS configuration files cannot be used: error parsing {} on line 1: Profile definition must end \
             with ']'",
            path.display()
        );
        assert!(said.ends_with(&reason), "{said}");
    }
}

#[test]
fn a_demo_state_without_a_demo() {
    let said = refusal(Program::new().line(AUDIT).line("--demo-state state.json"));
    assert!(said.contains("--demo"), "{said}");
}

#[test]
fn a_web_server_that_is_not_aws() {
    let cloud = Cloud::faulty("- { operation: 'sts:*', error: html_500 }", EMPTY);
    let said = refusal(cloud.imdsctl(AUDIT));
    assert!(
        said.starts_with("sts:GetCallerIdentity failed (NotAnAwsAnswer): HTTP 500 with a web page"),
        "{said}"
    );
    assert_eq!(cloud.requests().len(), 1, "a web page is not asked again");
}

/// An audit of nothing must not look like one that found nothing.
#[test]
fn a_region_that_is_not_enabled_and_no_other() {
    let cloud = Cloud::with(EMPTY);
    let said = refusal(cloud.imdsctl("audit --region me-south-1"));
    let account = &cloud.keys()[0].account_id;
    assert_eq!(
        said,
        format!("there is nothing to read: not enabled for the account: me-south-1 in {account}")
    );
}
