//! `--accounts`: the accounts that a file lists, as c7n-org reads it.

use crate::cloud::Cloud;
use crate::program::{Program, Report};

/// Three accounts of an organisation, whose roles ask for an external id.
const FLEET: &str = r#"
name: listed
organizations: [{ id: o-listed0001, management_account: "111111111111" }]
roles: [{ name: Reader, trust: { external_ids: [a-secret-1] } }]
accounts:
  - id: "111111111111"
    name: hub
    access_keys: [{ id: AKIATESTTESTTEST0001 }]
    regions: [{ names: [eu-west-1] }]
  - { id: "222222222222", name: shop, regions: [{ names: [eu-west-1] }] }
  - { id: "333333333333", name: lab, access_keys: [{ id: AKIATESTTESTTEST0003 }], regions: [{ names: [eu-west-1] }] }
"#;

const FILE: &str = r#"
accounts:
  - { account_id: "111111111111", name: the-hub, role: Unused, regions: [eu-west-1], tags: ["env:prod"] }
  - account_id: "222222222222"
    name: the-shop
    role: arn:aws:iam::222222222222:role/Reader
    external_id: a-secret-1
    regions: [us-east-1, us-west-2]
    tags: ["env:prod", "team:shop"]
  - { account_id: "333333333333", name: the-lab, profile: lab, regions: [eu-north-1], tags: ["env:test"] }
"#;

fn audit(cloud: &Cloud, flags: &str) -> Program {
    let program = cloud.imdsctl("audit --accounts accounts.yml -o json").line(flags);
    let profile = "[lab]\naws_access_key_id = AKIATESTTESTTEST0003\naws_secret_access_key = test\n";
    let program = program.file("accounts.yml", FILE).file("credentials", profile);
    let credentials = program.path("credentials");
    program.env("AWS_SHARED_CREDENTIALS_FILE", credentials)
}

/// `account name Region status guard` of each scope.
fn scopes(report: &Report) -> Vec<String> {
    let text = |scope: &serde_json::Value, name: &str| scope[name].as_str().unwrap_or("-").to_owned();
    let all = report.0["coverage"].as_array().unwrap().iter();
    let names = ["account_name", "region", "status", "guard"];
    all.map(|scope| names.map(|name| text(scope, name)).join(" ")).collect()
}

#[test]
fn the_accounts_of_the_file_are_read_each_in_its_way() {
    let cloud = Cloud::start(FLEET);
    let report = audit(&cloud, "").run().code(0).report();
    assert_eq!(
        scopes(&report),
        [
            "the-hub eu-west-1 complete client_gate",
            "the-shop us-east-1 complete session_policy",
            "the-shop us-west-2 complete session_policy",
            "the-lab eu-north-1 complete client_gate",
        ]
    );
    assert_eq!(report.calls("sts:AssumeRole"), 1);
}

#[test]
fn tags_and_patterns_choose_among_them() {
    let cloud = Cloud::start(FLEET);
    let shop = audit(&cloud, "--tag env:prod --tag team:shop").run().code(0).report();
    assert_eq!(scopes(&shop).len(), 2);
    let lab = audit(&cloud, "--include-account the-l* --region eu-west-1").run().code(0).report();
    assert_eq!(scopes(&lab), ["the-lab eu-west-1 complete client_gate"]);
    let said = audit(&cloud, "--tag env:dev").run().refused();
    assert_eq!(said, "none of 3 accounts is or has env:dev");
}

#[test]
fn tags_go_with_a_file_however_it_is_named() {
    let cloud = Cloud::start(FLEET);
    let tagged = || cloud.imdsctl("audit --tag env:prod --tag team:shop -o json").file("accounts.yml", FILE);
    let shop = tagged().file("imdsctl.toml", "accounts = 'accounts.yml'\n").run().code(0).report();
    assert_eq!(scopes(&shop).len(), 2);
    let said = tagged().run().refused();
    assert_eq!(said, "--tag chooses among the accounts of a file: name it with --accounts");
}

#[test]
fn a_file_that_is_wrong_is_refused_with_its_place() {
    let cloud = Cloud::start(FLEET);
    let with = |text: &str| audit(&cloud, "").file("accounts.yml", text).run().refused();
    assert!(with("accounts:\n  - { account_id: '1' }\n").starts_with("accounts.yml:2:19: \"1\" is not"));
    assert!(with("projects: []\n").starts_with("accounts.yml: it holds no accounts of AWS"));
    let said = with("accounts: [{ account_id: '222222222222', profile: lab }]\n");
    assert_eq!(
        said,
        "profile \"lab\" leads to account 333333333333, and not to 222222222222 as the accounts file says"
    );
    let said = cloud.imdsctl("audit --accounts nowhere.yml --all-regions").run().refused();
    assert!(said.starts_with("cannot read nowhere.yml: "), "{said}");
    assert!(cloud.requests().iter().all(|request| request.service == "sts"), "nothing is read before that");
}
