//! Many accounts: found, signed in to, and read, each by itself.

use std::time::Duration;

use serde_json::Value;

use crate::cloud::{Cloud, until};
use crate::program::{Outcome, Program, Report};

/// An organization of a management account, and of members of which each has a node in one Region.
pub const ORGANIZATION: &str = r#"
name: organization
organizations:
  - id: o-exampleorg1
    management_account: "111111111111"
    organizational_units:
      - { name: Work, id: ou-abcd-11111111, organizational_units: [{ name: Deep, id: ou-abcd-22222222 }] }
    accounts: [{ id: "999999999999", name: closed, state: SUSPENDED, organizational_unit: Work }]
roles: [{ name: ImdsctlAudit }]
accounts:
  - id: "111111111111"
    name: management
    access_keys: [{ id: AKIATESTTESTTEST0001, user: auditor }]
  - { id: "222222222222", name: payments, organizational_unit: Work, regions: &regions [{ names: [eu-west-1], launch_templates: [{ name: own, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 1 } }] }], clusters: [{ name: blue, self_managed: [{ name: nodes, template: { name: own }, nodes: 2 }] }] }] }
  - { id: "333333333333", name: data, organizational_unit: Work/Deep, regions: *regions }
  - { id: "444444444444", name: bare, without_roles: [ImdsctlAudit], regions: *regions }
  - id: "555555555555"
    name: vendor
    roles: [{ name: ImdsctlAudit, trust: { principals: ["111111111111"], external_ids: [secret-handshake] } }]
    regions: *regions
"#;

const AUDIT: &str = "audit --org --region eu-west-1 -o json";

/// The coverage of an account in its one Region.
#[track_caller]
fn coverage<'a>(report: &'a Report, account: &str) -> &'a Value {
    let scopes = report.0["coverage"].as_array().unwrap();
    let found: Vec<_> = scopes.iter().filter(|scope| scope["account_id"] == account).collect();
    assert_eq!(found.len(), 1, "{account}");
    found[0]
}

/// `status guard` of an account.
#[track_caller]
fn status(report: &Report, account: &str) -> String {
    let scope = coverage(report, account);
    format!("{} {}", scope["status"].as_str().unwrap(), scope["guard"].as_str().unwrap())
}

fn accounts(report: &Report) -> Vec<&str> {
    let scopes = report.0["coverage"].as_array().unwrap();
    let mut accounts: Vec<_> = scopes.iter().map(|scope| scope["account_id"].as_str().unwrap()).collect();
    accounts.dedup();
    accounts
}

#[test]
fn an_account_that_cannot_be_opened_is_a_hole_and_stops_nobody() {
    let cloud = Cloud::start(ORGANIZATION);
    let report = cloud.imdsctl(AUDIT).run().code(4).report();
    assert_eq!(status(&report, "111111111111"), "complete client_gate");
    assert_eq!(status(&report, "222222222222"), "complete session_policy");
    assert_eq!(status(&report, "333333333333"), "complete session_policy");
    for account in ["444444444444", "555555555555"] {
        assert_eq!(status(&report, account), "failed session_policy");
        let errors = coverage(&report, account)["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1);
        assert_eq!((&errors[0]["service"], &errors[0]["operation"]), (&"sts".into(), &"AssumeRole".into()));
        assert_eq!(errors[0]["code"], "AccessDenied");
    }
    let closed = coverage(&report, "999999999999");
    assert_eq!(closed["status"], "skipped");
    assert_eq!(closed["reason"], "the account is SUSPENDED in the organization");
    assert_eq!(closed["account_name"], "closed");
    let found: Vec<_> = report.of("nodes").iter().map(|finding| finding["account_name"].clone()).collect();
    assert!(found.contains(&"payments".into()) && found.contains(&"data".into()), "{found:?}");
    assert_eq!(report.calls("sts:AssumeRole"), 4);
}

#[test]
fn an_external_id_opens_what_asks_for_it_and_is_not_told() {
    let cloud = Cloud::start(ORGANIZATION);
    let outcome = cloud.imdsctl(AUDIT).line("-vv --external-id secret-handshake").run().code(4);
    assert_eq!(status(&outcome.report(), "555555555555"), "complete session_policy");
    assert!(!outcome.stdout.contains("handshake") && !outcome.stderr.contains("handshake"));
    let wrong = cloud.imdsctl(AUDIT).line("--external-id other-handshake").run().code(4);
    assert_eq!(status(&wrong.report(), "555555555555"), "failed session_policy");
}

#[test]
fn every_session_is_named_and_carries_a_policy_of_reads() {
    let cloud = Cloud::start(ORGANIZATION);
    cloud.imdsctl(AUDIT).line("--session-name nightly").run().code(4);
    let assumed: Vec<_> = cloud.requests().into_iter().filter_map(|request| request.assume_role).collect();
    assert_eq!(assumed.len(), 4);
    for request in assumed {
        assert_eq!(request.session_name, "nightly");
        let policy = request.policy.unwrap();
        assert!(policy.len() <= 2048);
        let policy: Value = serde_json::from_str(&policy).unwrap();
        for statement in policy["Statement"].as_array().unwrap() {
            for action in statement["Action"].as_array().unwrap() {
                let (_, verb) = action.as_str().unwrap().split_once(':').unwrap();
                assert!(["Describe", "Get", "List"].iter().any(|read| verb.starts_with(read)), "{action}");
            }
        }
    }
}

#[test]
fn units_are_read_with_all_below_them() {
    let cloud = Cloud::start(ORGANIZATION);
    let line = "audit --org-unit ou-abcd-11111111 --region eu-west-1 -o json --fail-on none";
    let report = cloud.imdsctl(line).run().code(0).report();
    assert_eq!(accounts(&report), ["222222222222", "333333333333", "999999999999"]);
    let line = line.replace("11111111", "22222222");
    assert_eq!(accounts(&cloud.imdsctl(&line).run().code(0).report()), ["333333333333"]);
    let said = cloud.imdsctl("audit --org-unit ou-abcd-99999999 --region eu-west-1").run().refused();
    assert!(said.contains("ListAccountsForParent") || said.contains("ListOrganizationalUnits"), "{said}");
}

#[test]
fn accounts_are_left_out_by_number_and_by_name() {
    let cloud = Cloud::start(ORGANIZATION);
    let line = format!("{AUDIT} --fail-on none --include-account 2* --include-account d?ta");
    let report = cloud.imdsctl(&line).run().code(0).report();
    assert_eq!(accounts(&report), ["222222222222", "333333333333"]);
    let line = format!("{AUDIT} --fail-on none --exclude-account bare --exclude-account 5*");
    let report = cloud.imdsctl(&line).run().code(0).report();
    assert_eq!(accounts(&report), ["111111111111", "222222222222", "333333333333", "999999999999"]);
    let said = cloud.imdsctl(AUDIT).line("--include-account paymnets").run().refused();
    assert_eq!(said, "none of 6 accounts is or has paymnets");
    let said = cloud.imdsctl(AUDIT).line("--exclude-account *").run().refused();
    assert_eq!(said, "there is nothing to read: the flags leave no account");
}

/// What it costs to begin is one load of the base credentials, whatever is done with them.
#[test]
fn two_hundred_accounts_take_two_hundred_sessions_and_one_load_of_the_base_credentials() {
    let cloud = Cloud::start(
        r#"
name: many
organizations: [{ id: o-exampleorg1, management_account: "111111111111" }]
roles: [{ name: ImdsctlAudit }]
accounts:
  - { id: "111111111111", name: management, access_keys: [{ id: AKIATESTTESTTEST0001 }] }
  - { id: "222222222{n}", name: "member-{n}", repeat: { count: 200, from: 100 } }
"#,
    );
    let script = "#!/bin/sh\necho loaded >> loads\n\
                  echo '{\"Version\":1,\"AccessKeyId\":\"AKIATESTTESTTEST0001\",\"SecretAccessKey\":\"test\"}'\n";
    let program =
        cloud.imdsctl("audit --org --region eu-west-1 --region us-east-1 --region us-west-2 -o json");
    let program = program.without_env("AWS_ACCESS_KEY_ID").without_env("AWS_SECRET_ACCESS_KEY");
    let program = program.file("process", script).env("PATH", "/usr/bin:/bin");
    let profile = format!("[default]\ncredential_process = sh {}\n", program.path("process").display());
    let program = program.file("config", &profile);
    let config = program.path("config");
    let outcome = program.env("AWS_CONFIG_FILE", config).run().code(0);
    assert_eq!(outcome.read("loads"), "loaded\n");
    let report = outcome.report();
    assert_eq!((report.count("accounts"), report.count("scopes")), (201, 603));
    assert_eq!(report.calls("sts:AssumeRole"), 200);
    assert_eq!(report.calls("sts:GetCallerIdentity"), 1);
    let assumed = cloud.requests().into_iter().filter(|request| request.operation == "AssumeRole").count();
    assert_eq!(assumed, 200);
}

/// Whatever its expiration says: AWS decides when a session is over.
#[test]
fn a_session_that_ends_in_the_middle_is_renewed() {
    let settings = "name: organization\nsettings: { latency_ms: 400 }\n";
    let cloud = Cloud::start(&ORGANIZATION.replacen("name: organization\n", settings, 1));
    let line = "audit --org --include-account payments --region eu-west-1 -o json --fail-on none";
    let running = cloud.imdsctl(line).spawn();
    until("reading", || cloud.requests().iter().any(|request| request.operation == "ListClusters"));
    cloud.advance(Duration::from_hours(2));
    let report = running.end().code(0).report();
    assert_eq!(status(&report, "222222222222"), "complete session_policy");
    assert!(!report.of("nodes").is_empty());
    assert_eq!(report.calls("sts:AssumeRole"), 2, "all that was refused is asked again with one new session");
    assert!(cloud.requests().iter().any(|request| request.status >= 400), "no session was over");
}

#[test]
fn scopes_say_what_is_read_and_as_whom_and_read_nothing() {
    let cloud = Cloud::start(ORGANIZATION);
    let outcome = cloud.imdsctl("scopes --org --region eu-west-1 -o json").run().code(4);
    let scopes: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(scopes["schema"], "imdsctl.scopes/v1");
    let account = |id: &str| {
        scopes["accounts"].as_array().unwrap().iter().find(|account| account["account_id"] == id).unwrap()
    };
    assert_eq!(account("111111111111")["reader"], "arn:aws:iam::111111111111:user/auditor");
    assert_eq!(account("111111111111")["guard"], "client_gate");
    let payments = account("222222222222");
    assert_eq!(payments["reader"], "arn:aws:iam::222222222222:role/ImdsctlAudit");
    assert_eq!(payments["guard"], "session_policy");
    assert_eq!(payments["regions"], serde_json::json!(["eu-west-1"]));
    assert_eq!(account("444444444444")["unread"][0]["errors"][0]["operation"], "AssumeRole");
    assert_eq!(account("999999999999")["unread"][0]["status"], "skipped");
    assert_eq!(
        scopes["summary"],
        serde_json::json!({ "accounts": 6, "scopes": 3, "skipped": 1, "failed": 2 })
    );
    let allowed = ["GetCallerIdentity", "ListAccounts", "AssumeRole", "DescribeRegions"];
    for request in cloud.requests() {
        assert!(allowed.contains(&request.operation.as_str()), "{}", request.operation);
    }
}

#[test]
fn scopes_of_the_demo_are_shown_as_they_are_read() {
    let outcome =
        Program::new().line("scopes --demo --org --region eu-west-1 --region eu-south-2").run().code(0);
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("scopes", outcome.stdout);
    });
}

#[test]
fn an_organization_that_cannot_be_listed_is_told_before_anything_is_read() {
    let member = |outcome: Outcome| {
        let said = outcome.refused();
        assert!(said.starts_with("cannot list the accounts of the organization of account "), "{said}");
        said
    };
    let faulty = format!(
        "faults: [{{ operation: 'organizations:*', error: access_denied }}]\n{}",
        ORGANIZATION.trim_start()
    );
    let cloud = Cloud::start(&faulty);
    let said = member(cloud.imdsctl(AUDIT).run());
    assert!(said.contains("the management account or of a delegated administrator"), "{said}");
    assert!(cloud.requests().iter().all(|request| request.operation != "ListClusters"));
    let alone = Cloud::with("- { names: [eu-west-1] }");
    let said = member(alone.imdsctl(AUDIT).run());
    assert!(said.ends_with("leave out --org to read this account alone"), "{said}");
}
